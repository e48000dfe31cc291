// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../../../contracts/interfaces/ICommittee.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {Epoch} from "../../../contracts/types/Epoch.sol";
import {NodeId} from "../../../contracts/types/NodeId.sol";
import {System} from "./System.sol";
import {vm} from "./Vm.sol";

/// @title CommitteeFixture
/// @notice Stake that moves between nodes, and committees that change with it.
abstract contract CommitteeFixture is System {
    Amount internal constant ALL = Amount.wrap(type(uint128).max);

    /// @notice The account that operates the node of place `i`.
    function operatorAt(uint256 i) internal returns (address) {
        return makeAddr(string.concat("operator ", vm.toString(i)));
    }

    /// @notice The node of place `i`.
    function nodeAt(uint256 i) internal pure returns (NodeId) {
        return NodeId.wrap(uint32(i + 1));
    }

    /// @notice Adds `amount` of the operator's to the node of place `i`, which is settled before.
    function deposit(uint256 i, uint128 amount) internal {
        staking.settle(nodeAt(i), type(uint32).max);
        address operator = operatorAt(i);
        giveTokens(operator, amount);
        vm.prank(operator);
        staking.delegate(nodeAt(i), Amount.wrap(amount));
    }

    /// @notice Begins to take `amount` of the operator's out of the node of place `i`, which is settled before.
    function unstake(uint256 i, Amount amount) internal {
        staking.settle(nodeAt(i), type(uint32).max);
        vm.prank(operatorAt(i));
        staking.undelegate(nodeAt(i), amount);
    }

    /// @notice Registers nodes of places `first` .. `first + stakes.length - 1` with these stakes in `regions` regions.
    function joinAll(uint256 first, uint128[] memory stakes, uint256 regions) internal {
        for (uint256 i = first; i < first + stakes.length; ++i) {
            joinNode(i, regions);
            uint128 stake = stakes[i - first];
            if (stake < 100e18) unstake(i, Amount.wrap(100e18 - stake));
            if (stake > 100e18) deposit(i, stake - 100e18);
        }
    }

    /// @notice The same list with `stake` `count` times.
    function equal(uint256 length, uint128 stake) internal pure returns (uint128[] memory stakes) {
        stakes = new uint128[](length);
        for (uint256 i = 0; i < length; ++i) {
            stakes[i] = stake;
        }
    }

    /// @notice Moves the clock to the cut of an epoch.
    function warpToCut(uint32 epoch) internal {
        warpTo(epoch);
        skip(committee.epochSeconds() / 2);
    }

    /// @notice Selects the committee of `epoch` at the cut before it.
    function selectFor(uint32 epoch) internal {
        warpToCut(epoch - 1);
        committee.selectCommittee();
    }

    /// @notice Selects the committee of `epoch` and puts it in office when that begins.
    function changeTo(uint32 epoch) internal {
        selectFor(epoch);
        warpTo(epoch);
        committee.advanceEpoch();
    }

    /// @notice Signals for every node that has pending shards.
    function syncAll() internal {
        NodeId[] memory members = committee.membersOf(committee.epoch());
        for (uint256 i = 0; i < members.length; ++i) {
            (, uint256 shards) = committee.seatOf(committee.epoch(), members[i]);
            if (shards & committee.pendingShards() != 0) sync(members[i]);
        }
    }

    /// @notice Signals for a node, as its operator.
    function sync(NodeId nodeId) internal {
        address operator = nodeRegistry.operatorOf(nodeId);
        vm.prank(operator);
        committee.epochSyncDone(nodeId);
    }

    /// @notice Gives the node of place `i` another key.
    function rotate(uint256 i, Account memory newSigner) internal {
        address operator = operatorAt(i);
        bytes memory encryptionKey = abi.encode(newSigner.addr);
        bytes memory proof = nodeKeysProof(newSigner, operator, encryptionKey);
        vm.prank(operator);
        nodeRegistry.rotateKeys(nodeAt(i), newSigner.addr, encryptionKey, proof);
    }

    /// @notice The node of each shard in the committee that took office in `officeEpoch`.
    function ownersIn(Epoch officeEpoch) internal view returns (uint256[] memory owners) {
        NodeId[] memory members = committee.membersOf(officeEpoch);
        bytes memory assignment = committee.assignmentOf(officeEpoch);
        owners = new uint256[](assignment.length);
        for (uint256 shard = 0; shard < owners.length; ++shard) {
            owners[shard] = NodeId.unwrap(members[uint8(assignment[shard])]);
        }
    }

    /// @notice The weights of the serving members.
    function weights() internal view returns (uint256[] memory list) {
        ICommittee.Member[] memory members = committee.members();
        list = new uint256[](members.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = members[i].weight;
        }
    }

    /// @notice The shards of a node in the serving committee.
    function shardsOf(uint256 i) internal view returns (uint256 shards) {
        (, shards) = committee.seatOf(committee.epoch(), nodeAt(i));
    }

    /// @notice Invariant I3, from what the contract shows of the committee in office, all its views agreeing.
    function assertSeats() internal view {
        Epoch officeEpoch = committee.epoch();
        ICommittee.Member[] memory members = committee.members();
        NodeId[] memory nodeIds = committee.membersOf(officeEpoch);
        bytes memory assignment = committee.assignment();
        assertEq(assignment, committee.assignmentOf(officeEpoch));
        assertEq(assignment.length, committee.shards());
        assertEq(nodeIds.length, members.length);
        uint256[] memory served = new uint256[](members.length);
        for (uint256 shard = 0; shard < assignment.length; ++shard) {
            served[uint8(assignment[shard])] |= 1 << shard;
        }
        uint256 all = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            assertEq(NodeId.unwrap(members[i].nodeId), NodeId.unwrap(nodeIds[i]));
            if (i > 0) assertLt(NodeId.unwrap(nodeIds[i - 1]), NodeId.unwrap(nodeIds[i]));
            (uint256 member, uint256 shards) = committee.seatOf(officeEpoch, nodeIds[i]);
            assertEq(member, i);
            assertEq(shards, served[i]);
            assertNotEq(shards, 0);
            assertEq(count(shards), members[i].weight);
            assertEq(committee.weightOf(nodeIds[i]), members[i].weight);
            all |= shards;
        }
        assertEq(all, bitmap(0, committee.shards()));
    }

    /// @notice How many bits are set.
    function count(uint256 bits) internal pure returns (uint256 total) {
        for (; bits != 0; bits >>= 1) {
            total += bits & 1;
        }
    }
}
