// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";
import {IBlobSampler} from "../interfaces/IBlobSampler.sol";
import {Epoch} from "../types/Epoch.sol";

/// @title BlobSampler
/// @notice Keeps the objects that nodes may be asked about, and draws among those that were there when a window was
/// opened.
/// @dev An array a class; eight object ids of 32 bits in a word, eight lengths in a word. Lengths are frozen by copying
/// their four words. Arrays only grow while a window is open, so the frozen ones keep meaning the same entries.
///
/// 128 neighbours lie in 16 words, one after the other in turn, so that the entries of a few draws lie in as many words
/// where there are few objects as where there are many: a proof costs the same in both cases.
///
/// Invariants:
/// - A certified object that nodes answer for stands in exactly one array, once.
/// - While a window is open, entries below the frozen lengths do not change.
abstract contract BlobSampler is IBlobSampler {
    using SafeCast for uint256;

    /// @notice The classes of a frozen set that have entries, from the lowest up, and what they weigh together.
    /// @dev `classes[i]` is `class << 32 | length`.
    struct FrozenSet {
        uint256 weight;
        uint256[] classes;
    }

    uint256 private constant CLASSES = 32;
    /// @dev Objects of class c have 2^(c + 12) bytes or more.
    uint256 private constant LOWEST_SIZE_BITS = 12;
    uint256 private constant LANE_BITS = 32;
    uint256 private constant LANE_MASK = type(uint32).max;
    uint256 private constant LANES = 8;
    /// @dev Words over which neighbouring entries are dealt.
    uint256 private constant WORDS = 16;
    uint256 private constant COUNT_WORDS = 4;

    IBlobRegistry internal immutable _registry;

    /// @dev Lengths: class c in lane c % 8 of word c / 8, lane 0 in the lowest bits.
    uint256[4] private _counts;
    /// @dev What the lengths were when the last window was opened.
    uint256[4] private _frozenCounts;
    /// @dev Object ids: entry i of class c in lane i / 16 % 8 of the word under `c << 32 | i / 128 * 16 + i % 16`.
    mapping(uint256 key => uint256) private _entries;

    /// @param registry The only one that adds objects; tells until when nodes answer for them.
    constructor(IBlobRegistry registry) {
        _registry = registry;
    }

    /// @inheritdoc IBlobSampler
    function add(uint256 blobObject, uint64 size) external {
        // Check
        if (msg.sender != address(_registry)) {
            revert BlobSampler_CallerNotRegistry(address(_registry), msg.sender);
        }
        uint32 entry = blobObject.toUint32();

        // Effect
        uint256 class = _classOf(size);
        uint256 index = _countOf(class);
        _setEntry(class, index, entry);
        _setCount(class, index + 1);
        emit SampleAdded(blobObject, class, index);
    }

    /// @inheritdoc IBlobSampler
    function sweep(uint256 class, uint256[] calldata indexes) external {
        // Check
        if (isOpen()) revert BlobSampler_WindowOpen();

        for (uint256 i = 0; i < indexes.length; ++i) {
            // Check: there is such an entry, and nobody answers for it any more.
            uint256 index = indexes[i];
            uint256 count = class < CLASSES ? _countOf(class) : 0;
            if (index >= count) revert BlobSampler_UnknownEntry(class, count, index);
            uint256 blobObject = _entryAt(class, index);
            (,, Epoch until) = _registry.custodyOf(blobObject);
            if (until > _currentEpoch()) revert BlobSampler_StillDue(blobObject);

            // Effect: the last entry takes its place.
            uint256 last = count - 1;
            uint256 moved = _entryAt(class, last);
            _setEntry(class, index, moved);
            _setEntry(class, last, 0);
            _setCount(class, last);
            emit SampleRemoved(blobObject, class, index, moved);

            // Interaction
            _registry.forget(blobObject);
        }
    }

    /// @inheritdoc IBlobSampler
    function entryCounts() external view returns (uint32[] memory counts) {
        counts = new uint32[](CLASSES);
        for (uint256 class = 0; class < CLASSES; ++class) {
            // A lane has 32 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            counts[class] = uint32(_countOf(class));
        }
    }

    /// @inheritdoc IBlobSampler
    function entries(uint256 class, uint256 first, uint256 count) external view returns (uint256[] memory objects) {
        uint256 total = class < CLASSES ? _countOf(class) : 0;
        objects = new uint256[](first < total ? Math.min(count, total - first) : 0);
        for (uint256 i = 0; i < objects.length; ++i) {
            objects[i] = _entryAt(class, first + i);
        }
    }

    /// @dev See {ICustodyChallenges-isOpen}.
    function isOpen() public view virtual returns (bool);

    /// @dev The epoch that the clock shows.
    function _currentEpoch() internal view virtual returns (Epoch);

    /// @dev Fixes the set that {_draw} draws from. Bit w of `words` is set when word w of the lengths is not zero.
    function _freeze() internal returns (uint8 words) {
        for (uint256 w = 0; w < COUNT_WORDS; ++w) {
            uint256 lanes = _counts[w];
            if (_frozenCounts[w] != lanes) _frozenCounts[w] = lanes;
            // Four words.
            // forge-lint: disable-next-line(unsafe-typecast)
            if (lanes != 0) words |= uint8(1 << w);
        }
    }

    /// @dev The set that was fixed last. Reads only the words that {_freeze} said are not zero.
    function _frozenSet(uint8 words) internal view returns (FrozenSet memory set) {
        // Cannot overflow: 32 lengths of 32 bits, the one of class c times 2^c, add up to less than 2^64.
        unchecked {
            uint256[] memory classes = new uint256[](CLASSES);
            uint256 found = 0;
            uint256 total = 0;
            for (uint256 w = 0; words != 0; ++w) {
                if (words & 1 != 0) {
                    uint256 lanes = _frozenCounts[w];
                    for (uint256 class = w * LANES; lanes != 0; ++class) {
                        uint256 count = lanes & LANE_MASK;
                        lanes >>= LANE_BITS;
                        if (count == 0) continue;
                        total += count << class;
                        classes[found++] = class << LANE_BITS | count;
                    }
                }
                words >>= 1;
            }
            assembly ("memory-safe") {
                mstore(classes, found)
            }
            set.weight = total;
            set.classes = classes;
        }
    }

    /// @dev The object that a word draws, each with a chance in proportion to the weight of its class; the word is read
    /// from the highest class down. The set is not empty.
    function _draw(FrozenSet memory set, uint256 drawn) internal view returns (uint256 blobObject) {
        // Cannot underflow: the rest is below the weight of the classes that are left.
        unchecked {
            uint256 rest = drawn % set.weight;
            for (uint256 i = set.classes.length;;) {
                uint256 packed = set.classes[--i];
                uint256 class = packed >> LANE_BITS;
                uint256 weight = (packed & LANE_MASK) << class;
                if (rest < weight) return _entryAt(class, rest >> class);
                rest -= weight;
            }
        }
    }

    function _entryAt(uint256 class, uint256 index) private view returns (uint256) {
        return _entries[_keyOf(class, index)] >> _shiftOf(index / WORDS) & LANE_MASK;
    }

    function _setEntry(uint256 class, uint256 index, uint256 entry) private {
        uint256 key = _keyOf(class, index);
        _entries[key] = _withLane(_entries[key], _shiftOf(index / WORDS), entry);
    }

    function _countOf(uint256 class) private view returns (uint256) {
        return _counts[class / LANES] >> _shiftOf(class) & LANE_MASK;
    }

    /// @dev Fits its lane: ids have 32 bits, and each has one entry.
    function _setCount(uint256 class, uint256 count) private {
        _counts[class / LANES] = _withLane(_counts[class / LANES], _shiftOf(class), count);
    }

    function _keyOf(uint256 class, uint256 index) private pure returns (uint256) {
        return class << LANE_BITS | index / (WORDS * LANES) * WORDS + index % WORDS;
    }

    function _shiftOf(uint256 lane) private pure returns (uint256) {
        return lane % LANES * LANE_BITS;
    }

    function _withLane(uint256 lanes, uint256 shift, uint256 value) private pure returns (uint256) {
        return lanes & ~(LANE_MASK << shift) | value << shift;
    }

    function _classOf(uint64 size) private pure returns (uint256) {
        return Math.min(Math.log2(uint256(size) >> LOWEST_SIZE_BITS), CLASSES - 1);
    }
}
