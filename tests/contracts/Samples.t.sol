// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CustodyChallenges} from "../../contracts/custody/CustodyChallenges.sol";
import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../../contracts/interfaces/ICustodyChallenges.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {RedStuffMath} from "../../contracts/libraries/RedStuffMath.sol";
import {Samples} from "../../contracts/libraries/Samples.sol";
import {SliverProof} from "../../contracts/libraries/SliverProof.sol";
import {FixedRandomness} from "../../contracts/mocks/FixedRandomness.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

/// @dev In the place of committee and registry: one node with any shards, objects with any ids and sizes.
contract SamplePartners {
    uint64 public constant epochSeconds = 1000;
    Epoch public constant epoch = Epoch.wrap(1);
    uint256 public constant pendingShards = 0;

    uint16 public immutable shards;
    Timestamp private immutable _genesis;
    uint256 private _due;

    mapping(uint256 blobObject => BlobId) private _blobIds;
    mapping(uint256 blobObject => uint64) private _sizes;
    mapping(uint256 blobObject => Epoch) private _untils;

    constructor(uint16 shards_, uint256 due) {
        shards = shards_;
        _due = due;
        _genesis = Timestamp.wrap(uint64(block.timestamp));
    }

    function certify(CustodyChallenges custody, uint256 blobObject, BlobId blobId, uint64 size, Epoch until) external {
        (_blobIds[blobObject], _sizes[blobObject], _untils[blobObject]) = (blobId, size, until);
        custody.add(blobObject, size);
    }

    function startOf(Epoch epoch_) external view returns (Timestamp) {
        return _genesis.plusSeconds((Epoch.unwrap(epoch_) - 1) * epochSeconds);
    }

    function seatOf(Epoch, NodeId) external view returns (uint256, uint256) {
        return (0, _due);
    }

    function custodyOf(uint256 blobObject) external view returns (BlobId, uint64, Epoch) {
        return (_blobIds[blobObject], _sizes[blobObject], _untils[blobObject]);
    }
}

contract SamplesTest is Test {
    using Samples for Samples.Draw;

    string private constant VECTORS = "tests/vectors/custody.json";

    // word

    function test_word__given_anything__is_the_hash_of_its_abi_encoding(
        bytes32 seed,
        uint32 node,
        uint256 sample,
        uint256 tag,
        uint256 attempt
    ) external pure {
        Samples.Draw memory draw = Samples.Draw(seed, NodeId.wrap(node), sample, 0, 0);
        bytes32 expected = keccak256(abi.encode(seed, node, sample, tag, attempt));
        assertEq(bytes32(draw.word(tag, attempt)), expected);
        assertEq(draw.sample, sample);
    }

    // find

    function test_find__given_any_size__counts_segment_by_segment(uint256 shards, uint256 size, uint256 drawn)
        external
        pure
    {
        shards = bound(shards, 4, 255);
        size = bound(size, 0, 4 * RedStuffMath.SEGMENT_BYTES);
        checkPlace(shards, size, drawn);
    }

    function test_find__given_sizes_at_the_borders_of_segments__counts_segment_by_segment(
        uint256 shards,
        uint256 segments,
        uint256 drawn
    ) external pure {
        shards = bound(shards, 4, 255);
        uint256 size = bound(segments, 1, 4) * RedStuffMath.SEGMENT_BYTES;
        for (uint256 i = 0; i < 3; ++i) {
            checkPlace(shards, size - 1 + i, drawn);
        }
    }

    function test_find__given_all_words_below_the_count__finds_each_chunk_once() external pure {
        // 40,000 bytes at n = 10: 7 and 4 symbols of 1,432 bytes.
        Samples.Code memory code = Samples.codeOf(10);
        SliverProof.Place memory place;
        SliverProof.Shape memory shape;
        uint256 primary = RedStuffMath.chunks(7 * 1432);
        uint256 secondary = RedStuffMath.chunks(4 * 1432);
        for (uint256 drawn = 0; drawn < 2 * (primary + secondary); ++drawn) {
            Samples.find(code, 40_000, drawn, place, shape);
            uint256 number = drawn % (primary + secondary);
            assertEq(place.secondary, number >= primary);
            assertEq(place.chunk, number < primary ? number : number - primary);
        }
    }

    function test_find__given_the_largest_size__does_not_overflow(uint256 shards, uint256 drawn) external pure {
        shards = bound(shards, 4, 255);
        Samples.Code memory code = Samples.codeOf(shards);
        SliverProof.Blob memory blob = SliverProof.Blob(BlobId.wrap(0), 2 ** 40 - 1, uint16(shards));
        SliverProof.Place memory place;
        SliverProof.Shape memory shape;
        Samples.find(code, blob.size, drawn, place, shape);
        assertEq(abi.encode(shape), abi.encode(SliverProof.shapeOf(blob, place)));
    }

    // the rule as a whole

    function test_I11_samplesOf__given_the_shared_vectors__asks_for_the_same_places() external {
        string memory json = vm.readFile(VECTORS);
        uint256 cases = 0;
        for (; vm.keyExistsJson(json, caseKey(cases, "")); ++cases) {
            checkCase(json, cases);
        }
        assertGt(cases, 40);
    }

    /// @dev Against a plain walk over the segments.
    function checkPlace(uint256 shards, uint256 size, uint256 drawn) private pure {
        SliverProof.Blob memory blob = SliverProof.Blob(BlobId.wrap(0), uint64(size), uint16(shards));
        uint256 segments = RedStuffMath.segments(size);
        uint256 total = 0;
        for (uint256 segment = 0; segment < segments; ++segment) {
            total += chunksOf(blob, segment, false) + chunksOf(blob, segment, true);
        }
        SliverProof.Place memory expected;
        uint256 number = drawn % total;
        while (number >= chunksOf(blob, expected.segment, expected.secondary)) {
            number -= chunksOf(blob, expected.segment, expected.secondary);
            if (expected.secondary) ++expected.segment;
            expected.secondary = !expected.secondary;
        }
        expected.chunk = uint32(number);

        SliverProof.Place memory place;
        SliverProof.Shape memory shape;
        Samples.find(Samples.codeOf(shards), uint64(size), drawn, place, shape);
        assertEq(abi.encode(place), abi.encode(expected));
        assertEq(abi.encode(shape), abi.encode(SliverProof.shapeOf(blob, place)));
    }

    function chunksOf(SliverProof.Blob memory blob, uint256 segment, bool secondary) private pure returns (uint256) {
        uint256 length = RedStuffMath.segmentLength(blob.size, segment);
        return RedStuffMath.chunks(RedStuffMath.sliverBytes(length, blob.shards, secondary));
    }

    function checkCase(string memory json, uint256 i) private {
        uint16 shards = uint16(vm.parseJsonUint(json, caseKey(i, ".shards")));
        uint256 due = 0;
        uint256[] memory dueShards = vm.parseJsonUintArray(json, caseKey(i, ".due"));
        for (uint256 k = 0; k < dueShards.length; ++k) {
            due |= 1 << dueShards[k];
        }
        SamplePartners partners = new SamplePartners(shards, due);
        FixedRandomness randomness = new FixedRandomness();
        CustodyChallenges custody = new CustodyChallenges(
            ICommittee(address(partners)),
            IBlobRegistry(address(partners)),
            IStaking(address(partners)),
            randomness,
            ICustodyChallenges.Parameters(uint16(vm.parseJsonUint(json, caseKey(i, ".count"))), 100, 1600, 3, 14, 1000)
        );

        // Some objects enter before the window opens, the rest after it.
        uint256 entered = 0;
        uint256[] memory lengths = vm.parseJsonUintArray(json, caseKey(i, ".lengths"));
        for (uint256 class = 0; class < lengths.length; ++class) {
            entered += lengths[class];
        }
        bytes32[] memory blobIds = vm.parseJsonBytes32Array(json, caseKey(i, ".blobIds"));
        uint256[] memory sizes = vm.parseJsonUintArray(json, caseKey(i, ".sizes"));
        uint256[] memory dueNow = vm.parseJsonUintArray(json, caseKey(i, ".dueNow"));
        uint256 start = vm.getBlockTimestamp();
        for (uint256 k = 0; k <= blobIds.length; ++k) {
            if (k == entered) {
                vm.warp(start + 250);
                custody.openWindow();
            }
            if (k == blobIds.length) break;
            partners.certify(
                custody, 1 + k, BlobId.wrap(blobIds[k]), uint64(sizes[k]), Epoch.wrap(uint32(1 + dueNow[k]))
            );
        }
        randomness.draw(vm.parseJsonBytes32(json, caseKey(i, ".seed")));

        NodeId nodeId = NodeId.wrap(uint32(vm.parseJsonUint(json, caseKey(i, ".nodeId"))));
        ICustodyChallenges.Sample[] memory samples = custody.samplesOf(Epoch.wrap(1), nodeId);
        checkSamples(json, i, shards, samples);
        checkWords(json, i, nodeId);
        vm.warp(start);
    }

    function checkSamples(string memory json, uint256 i, uint16 shards, ICustodyChallenges.Sample[] memory samples)
        private
        pure
    {
        string[8] memory columns =
            [".blank", ".sampleBlob", ".sampleShard", ".pair", ".segment", ".secondary", ".chunk", ".chunkBytes"];
        uint256[][8] memory expected;
        for (uint256 column = 0; column < 8; ++column) {
            expected[column] = vm.parseJsonUintArray(json, caseKey(i, columns[column]));
            assertEq(expected[column].length, samples.length);
        }
        uint256[] memory pathNodes = vm.parseJsonUintArray(json, caseKey(i, ".pathNodes"));
        for (uint256 s = 0; s < samples.length; ++s) {
            ICustodyChallenges.Sample memory sample = samples[s];
            assertEq(sample.blobObject, expected[0][s] == 1 ? 0 : 1 + expected[1][s], "object");
            if (sample.blobObject == 0) continue;
            assertEq(sample.shard, expected[2][s], "shard");
            assertEq(sample.pair, expected[3][s], "pair");
            assertEq(sample.segment, expected[4][s], "segment");
            assertEq(sample.secondary ? 1 : 0, expected[5][s], "secondary");
            assertEq(sample.chunk, expected[6][s], "chunk");
            SliverProof.Shape memory shape = SliverProof.shapeOf(
                SliverProof.Blob(sample.blobId, sample.size, shards),
                SliverProof.Place(sample.segment, sample.secondary, sample.pair, sample.chunk)
            );
            assertEq(shape.chunkBytes, expected[7][s], "chunk bytes");
            assertEq(SliverProof.nodesOf(shape), pathNodes[s], "nodes");
        }
    }

    function checkWords(string memory json, uint256 i, NodeId nodeId) private pure {
        bytes32[] memory words = vm.parseJsonBytes32Array(json, caseKey(i, ".words"));
        Samples.Draw memory draw = Samples.Draw(vm.parseJsonBytes32(json, caseKey(i, ".seed")), nodeId, 0, 0, 0);
        assertEq(bytes32(draw.word(Samples.SHARD, 0)), words[0]);
        assertEq(bytes32(draw.word(Samples.BLOB, 0)), words[1]);
        assertEq(bytes32(draw.word(Samples.BLOB, 1)), words[2]);
        assertEq(bytes32(draw.word(Samples.CHUNK, 0)), words[3]);
    }

    function caseKey(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".cases[", vm.toString(i), "]", field);
    }
}
