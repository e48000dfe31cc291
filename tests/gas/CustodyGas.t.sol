// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustodyChallenges} from "../../contracts/interfaces/ICustodyChallenges.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {CustodyFixture} from "../contracts/support/CustodyFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title CustodyGasTest
/// @notice What custody costs with n = 30, ten nodes of three shards and a real blob of 1 MiB, in the steady state: windows
/// were opened before, and somebody proved in this one.
/// @dev Run with `isolate`, see {GasTest}. Proofs differ by a few nodes and by how many of their objects are the same, so a
/// figure is the median over nine nodes and three seeds. Large sets of objects are written straight to storage: objects of
/// their own, all of the same blob.
contract CustodyGasTest is CustodyFixture {
    /// @dev What proofs cost, and how many different objects each is about.
    struct Measured {
        uint256[] used;
        uint256[] distinct;
    }

    string private constant GROUP = "gas";
    uint256 private constant SEEDS = 3;
    uint32 private constant NODES = 10;
    uint32 private constant FIRST_EPOCH = 2;
    /// @dev The windows of the vectors with one blob of 1 MiB.
    uint256 private constant FIRST_WINDOW = 2;
    uint256 private constant CLASS = 8;

    // Storage of the contracts, as `forge inspect` tells it; {fill} makes sure of it.
    uint256 private constant FACTS_SLOT = 6;
    uint256 private constant BLOB_IDS_SLOT = 7;
    uint256 private constant COUNTS_SLOT = 0;
    uint256 private constant ENTRIES_SLOT = 8;

    bytes32[SEEDS] private seeds;
    mapping(uint256 seed => bytes[]) private proofs;
    BlobId private mebibyte;

    function setUp() public {
        Parameters memory parameters = defaultParameters();
        parameters.shards = 30;
        deployCustody(parameters, NODES);
        string memory json = vm.readFile(PROOF_VECTORS);
        for (uint256 i = 0; i < SEEDS; ++i) {
            string memory key = string.concat(".windows[", vm.toString(FIRST_WINDOW + i), "]");
            seeds[i] = vm.parseJsonBytes32(json, string.concat(key, ".seed"));
            proofs[i] = vm.parseJsonBytesArray(json, string.concat(key, ".proofs"));
            mebibyte = BlobId.wrap(vm.parseJsonBytes32Array(json, string.concat(key, ".blobIds"))[0]);
        }
        certifyBlob(mebibyte, 2 ** 20, 10);
        ask(1, seeds[0]);
        custody.captureSeed(Epoch.wrap(1));
    }

    function test_gas__custodyProof5() public {
        uint256 used = medianOf(measure());
        assertLe(used, 195_000);
        vm.snapshotValue(GROUP, "custodyProof5", used);
    }

    function test_gas__custodyProof5__given_any_number_of_blobs__is_flat() public {
        Measured memory ten = measureOf(10);
        Measured memory thousand = measureOf(1000);
        Measured memory many = measureOf(100_000);
        vm.snapshotValue(GROUP, "custodyProof5Of10", medianOf(ten.used));
        vm.snapshotValue(GROUP, "custodyProof5Of1000", medianOf(thousand.used));
        vm.snapshotValue(GROUP, "custodyProof5Of100000", medianOf(many.used));
        assertFlat(ten.used, many.used);
        assertFlat(thousand.used, many.used);

        // Five different objects, of ten and of a hundred thousand: the same nodes and seeds, so the same places.
        uint256 found = 0;
        for (uint256 i = 0; i < ten.used.length; ++i) {
            if (ten.distinct[i] != 5 || many.distinct[i] != 5) continue;
            (ten.used[found], many.used[found]) = (ten.used[i], many.used[i]);
            ++found;
        }
        assertGt(found, 3);
        assertFlat(firstOf(ten.used, found), firstOf(many.used, found));
    }

    function test_gas__openWindow() public {
        warpToQuarter(2, 1);
        custody.openWindow();
        vm.snapshotGasLastCall(GROUP, "openWindow");
    }

    function test_gas__captureSeed() public {
        ask(2, seeds[0]);
        custody.captureSeed(Epoch.wrap(2));
        vm.snapshotGasLastCall(GROUP, "captureSeed");
    }

    function test_gas__reportMiss() public {
        ask(2, seeds[0]);
        custody.captureSeed(Epoch.wrap(2));
        warpToQuarter(2, 3);
        custody.reportMiss(Epoch.wrap(2), NodeId.wrap(1));
        staking.settle(NodeId.wrap(2), 10);
        custody.reportMiss(Epoch.wrap(2), NodeId.wrap(2));
        assertLe(vm.snapshotGasLastCall(GROUP, "reportMiss"), 165_000);
    }

    function test_gas__sweep() public {
        certifyBlob(mebibyte, 2 ** 20, 1);
        certifyBlob(mebibyte, 2 ** 20, 10);
        warpTo(2);
        uint256[] memory indexes = new uint256[](1);
        indexes[0] = 1;
        custody.sweep(CLASS, indexes);
        vm.snapshotGasLastCall(GROUP, "sweep");
    }

    /// @dev How many different objects a proof is about. External, since the compiler's stack is short.
    function distinctOf(uint32 epoch, uint32 node) external view returns (uint256 distinct) {
        ICustodyChallenges.Sample[] memory samples = custody.samplesOf(Epoch.wrap(epoch), NodeId.wrap(node));
        for (uint256 i = 0; i < samples.length; ++i) {
            bool seen = false;
            for (uint256 k = 0; k < i; ++k) {
                seen = seen || samples[k].blobObject == samples[i].blobObject;
            }
            if (!seen) ++distinct;
        }
    }

    /// @dev With `count` objects; afterwards there is one again.
    function measureOf(uint256 count) private returns (Measured memory measured) {
        uint256 snapshot = vm.snapshotState();
        fill(count);
        measured.used = measure();
        measured.distinct = new uint256[](measured.used.length);
        for (uint256 i = 0; i < SEEDS; ++i) {
            // The same draws as before, in epochs to come.
            uint32 epoch = FIRST_EPOCH + uint32(SEEDS + i);
            ask(epoch, seeds[i]);
            for (uint32 node = 2; node <= NODES; ++node) {
                measured.distinct[i * (NODES - 1) + node - 2] = this.distinctOf(epoch, node);
            }
        }
        assertTrue(vm.revertToState(snapshot));
    }

    /// @dev What the proofs of all nodes but the first cost, for each seed.
    function measure() private returns (uint256[] memory used) {
        used = new uint256[](SEEDS * (NODES - 1));
        uint256 next = 0;
        for (uint256 i = 0; i < SEEDS; ++i) {
            ask(FIRST_EPOCH + uint32(i), seeds[i]);
            for (uint32 node = 1; node <= NODES; ++node) {
                bytes memory proof = proofs[i][node - 1];
                custody.prove(NodeId.wrap(node), proof);
                if (node != 1) used[next++] = vm.lastCallGas().gasTotalUsed;
            }
        }
    }

    /// @dev Writes the objects 2 .. `count`, like the first one, into registry and list.
    function fill(uint256 count) private {
        bytes32 facts = vm.load(address(registry), slotOf(1, FACTS_SLOT));
        for (uint256 id = 2; id <= count; ++id) {
            vm.store(address(registry), slotOf(id, FACTS_SLOT), facts);
            vm.store(address(registry), slotOf(id, BLOB_IDS_SLOT), BlobId.unwrap(mebibyte));
        }
        for (uint256 word = 0; word < (count + 127) / 128 * 16; ++word) {
            uint256 lanes = 0;
            for (uint256 lane = 0; lane < 8; ++lane) {
                uint256 index = word / 16 * 128 + lane * 16 + word % 16;
                if (index < count) lanes |= (index + 1) << (32 * lane);
            }
            bytes32 slot = slotOf(CLASS << 32 | word, ENTRIES_SLOT);
            if (lanes != 0) vm.store(address(custody), slot, bytes32(lanes));
        }
        vm.store(address(custody), bytes32(COUNTS_SLOT + CLASS / 8), bytes32(count << (CLASS % 8 * 32)));

        assertEq(custody.entryCounts()[CLASS], count);
        uint256 last = count < 40 ? count : 40;
        uint256[] memory entries = custody.entries(CLASS, count - last, last);
        for (uint256 i = 0; i < last; ++i) {
            assertEq(entries[i], count - last + 1 + i);
        }
        (BlobId known, uint64 size, Epoch until) = registry.custodyOf(count);
        assertEq(abi.encode(known, size, until), abi.encode(mebibyte, 2 ** 20, 11));
    }

    /// @dev Where a mapping keeps the value of a key; takes no memory, since it is called very often.
    function slotOf(uint256 key, uint256 slot) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, key)
            mstore(0x20, slot)
            hash := keccak256(0, 0x40)
        }
    }

    function firstOf(uint256[] memory values, uint256 count) private pure returns (uint256[] memory first) {
        first = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            first[i] = values[i];
        }
    }

    function medianOf(uint256[] memory values) private pure returns (uint256) {
        uint256[] memory sorted = firstOf(values, values.length);
        for (uint256 i = 1; i < sorted.length; ++i) {
            for (uint256 k = i; k > 0 && sorted[k - 1] > sorted[k]; --k) {
                (sorted[k - 1], sorted[k]) = (sorted[k], sorted[k - 1]);
            }
        }
        return sorted[sorted.length / 2];
    }

    function assertFlat(uint256[] memory few, uint256[] memory many) private {
        (uint256 a, uint256 b) = (medianOf(few), medianOf(many));
        emit log_named_uint("proofs", few.length);
        emit log_named_uint("median of few", a);
        emit log_named_uint("median of many", b);
        emit log_named_uint("mean of few", meanOf(few));
        emit log_named_uint("mean of many", meanOf(many));
        assertLe(a > b ? a - b : b - a, 3 * a / 100);
    }

    function meanOf(uint256[] memory values) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < values.length; ++i) {
            sum += values[i];
        }
        return sum / values.length;
    }
}
