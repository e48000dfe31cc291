// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SeatRecord} from "../../contracts/libraries/SeatRecord.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Test} from "./support/Test.sol";

contract SeatRecordTest is Test {
    using SeatRecord for SeatRecord.Record;

    SeatRecord.Record private record;
    SeatRecord.Record private next;

    function test_write__given_any_committee__reads_the_same(uint256 seed, uint256 shards, uint256 size) external {
        shards = bound(shards, 4, 255);
        size = bound(size, 1, shards);
        (NodeId[] memory nodeIds, bytes memory assignment) = committeeOf(seed, shards, size);
        record.write(nodeIds, assignment);
        record.open(size);

        assertEq(record.sizeOf(), size);
        assertEq(record.assignmentOf(shards), assignment);
        NodeId[] memory kept = record.nodeIdsOf(shards);
        assertEq(kept.length, size);
        uint256[] memory served = new uint256[](size);
        for (uint256 shard = 0; shard < shards; ++shard) {
            assertEq(record.memberOf(shard), uint8(assignment[shard]));
            served[uint8(assignment[shard])] |= 1 << shard;
        }
        for (uint256 member = 0; member < size; ++member) {
            assertEq(NodeId.unwrap(kept[member]), NodeId.unwrap(nodeIds[member]));
            assertEq(NodeId.unwrap(record.nodeIdOf(shards, member)), NodeId.unwrap(nodeIds[member]));
            assertEq(record.shardsOf(shards, member), served[member]);
            assertEq(record.find(shards, size, nodeIds[member]), member);
        }
    }

    function test_write__given_the_largest_committee__fills_the_record_and_no_more() external {
        (NodeId[] memory nodeIds, bytes memory assignment) = committeeOf(1, 255, 255);
        record.write(nodeIds, assignment);
        record.open(255);
        assertEq(record.sizeOf(), 255);
        assertEq(NodeId.unwrap(record.nodeIdOf(255, 254)), NodeId.unwrap(nodeIds[254]));
        assertEq(record.memberOf(254), uint8(assignment[254]));
        // The words behind it belong to others.
        assertEq(next.sizeOf(), 0);
        assertEq(next.words[0], 0);
    }

    /// @dev Rewards and custody proofs read a seat for every node and epoch.
    function test_shardsOf__given_the_largest_committee__stays_cheap() external {
        (NodeId[] memory nodeIds, bytes memory assignment) = committeeOf(1, 255, 100);
        record.write(nodeIds, assignment);
        record.open(100);
        uint256 before = gasleft();
        uint256 shards = record.shardsOf(255, 99);
        uint256 used = before - gasleft();
        assertNotEq(shards, 0);
        emit log_named_uint("gas of reading a seat", used);
        assertLt(used, 40_000);
    }

    function test_find__given_a_node_that_did_not_serve__is_the_size(uint256 seed, uint32 id) external {
        (NodeId[] memory nodeIds, bytes memory assignment) = committeeOf(seed, 100, 40);
        record.write(nodeIds, assignment);
        record.open(40);
        uint256 expected = 40;
        for (uint256 member = 0; member < 40; ++member) {
            if (NodeId.unwrap(nodeIds[member]) == id) expected = member;
        }
        assertEq(record.find(100, 40, NodeId.wrap(id)), expected);
        assertEq(record.find(100, 40, NodeId.wrap(0)), 40);
        assertEq(record.find(100, 40, NodeId.wrap(type(uint32).max)), 40);
    }

    function test_sizeOf__before_it_was_opened__is_zero() external {
        (NodeId[] memory nodeIds, bytes memory assignment) = committeeOf(1, 30, 10);
        record.write(nodeIds, assignment);
        assertEq(record.sizeOf(), 0);
        assertEq(record.nodeIdsOf(30).length, 0);
        // Who knows the size finds the members of one that waits.
        assertEq(record.find(30, 10, nodeIds[7]), 7);
        assertEq(record.find(30, 0, nodeIds[7]), 0);
    }

    /// @dev Ascending ids up to the largest, each member with a shard at least.
    function committeeOf(uint256 seed, uint256 shards, uint256 size)
        private
        pure
        returns (NodeId[] memory nodeIds, bytes memory assignment)
    {
        nodeIds = new NodeId[](size);
        uint32 id = 0;
        for (uint256 member = 0; member < size; ++member) {
            id += 1 + uint32(uint256(keccak256(abi.encode(seed, "id", member))) % (member % 5 == 0 ? 2 ** 22 : 3));
            nodeIds[member] = NodeId.wrap(id);
        }
        if (seed % 2 == 0) nodeIds[size - 1] = NodeId.wrap(type(uint32).max - 1);
        assignment = new bytes(shards);
        for (uint256 shard = 0; shard < shards; ++shard) {
            uint256 member = shard < size ? shard : uint256(keccak256(abi.encode(seed, shard))) % size;
            assignment[shard] = bytes1(uint8(member));
        }
        // Turned by a few places, so that the first shard is not always the first member's.
        uint256 turn = seed % shards;
        bytes memory turned = new bytes(shards);
        for (uint256 shard = 0; shard < shards; ++shard) {
            turned[shard] = assignment[(shard + turn) % shards];
        }
        assignment = turned;
    }
}
