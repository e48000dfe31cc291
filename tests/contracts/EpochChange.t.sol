// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Committee} from "../../contracts/committee/Committee.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {CommitteeFixture} from "./support/CommitteeFixture.sol";
import {Vm, vm} from "./support/Vm.sol";

/// @dev Ten shards, f = 3. Four nodes of 100 WAL in four regions hold 3, 3, 2 and 2 of them: shards 0, 4, 8; 1, 5, 9; 2, 6;
/// 3, 7.
contract EpochChangeTest is CommitteeFixture {
    bytes32 private constant DIGEST = keccak256("what they signed");

    address private stranger;

    function setUp() external {
        vm.warp(1_800_000_000);
        deploySystem(defaultParameters());
        formCommittee(4, 4);
        stranger = makeAddr("stranger");
    }

    // constructor

    function test_constructor__when_sync_seconds_are_out_of_bounds__reverts() external {
        bytes4 selector = ICommittee.Committee_SyncSecondsOutOfBounds.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 1, 366 days, 0));
        new Committee(nodeRegistry, staking, custody, 10, 1 days, 0, address(this));
        vm.expectRevert(abi.encodeWithSelector(selector, 1, 366 days, 366 days + 1));
        new Committee(nodeRegistry, staking, custody, 10, 1 days, 366 days + 1, address(this));
        Committee other = new Committee(nodeRegistry, staking, custody, 10, 1 days, 5, address(this));
        assertEq(other.syncSeconds(), 5);
    }

    // selectCommittee

    function test_selectCommittee__when_no_committee_serves__reverts() external {
        deploySystem(defaultParameters());
        joinNode(0, 1);
        vm.expectRevert(ICommittee.Committee_NotFormed.selector);
        committee.selectCommittee();
    }

    function test_selectCommittee__when_none_is_due__reverts() external {
        expectAlreadySelected(1);
        committee.selectCommittee();
        warpToCut(1);
        vm.warp(vm.getBlockTimestamp() - 1);
        expectAlreadySelected(1);
        committee.selectCommittee();
        skip(1);
        committee.selectCommittee();
        assertEq(Epoch.unwrap(committee.selectedEpoch()), 2);
    }

    function test_selectCommittee__when_selected_already__reverts() external {
        selectFor(2);
        expectAlreadySelected(2);
        committee.selectCommittee();
        warpTo(2);
        expectAlreadySelected(2);
        committee.selectCommittee();
        committee.advanceEpoch();
        expectAlreadySelected(2);
        committee.selectCommittee();
    }

    function test_selectCommittee__when_no_node_is_eligible__reverts() external {
        for (uint256 i = 0; i < 4; ++i) {
            unstake(i, ALL);
        }
        warpToCut(1);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_NoEligibleNode.selector, 4));
        committee.selectCommittee();
    }

    function test_selectCommittee__while_more_than_f_shards_are_pending__reverts_until_their_time_is_over() external {
        replaceAll();
        warpToCut(2);
        vm.warp(Timestamp.unwrap(committee.startOf(Epoch.wrap(3))) - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICommittee.Committee_ChangeUnderWay.selector, bitmap(0, 10), committee.startOf(Epoch.wrap(3))
            )
        );
        committee.selectCommittee();
        // The change began with epoch 2 and has a day.
        skip(1);
        committee.selectCommittee();
        assertEq(Epoch.unwrap(committee.selectedEpoch()), 3);
        assertEq(committee.pendingShards(), bitmap(0, 10));
    }

    function test_selectCommittee__given_equal_stakes_as_before__keeps_the_committee() external {
        warpToCut(1);
        (NodeId[] memory nodeIds,) = firstFour();
        vm.expectEmit(address(committee));
        emit ICommittee.CommitteeSelected(Epoch.wrap(2), nodeIds, hex"00010203000102030001", true);
        vm.prank(stranger);
        committee.selectCommittee();
        assertEq(committee.membersOf(Epoch.wrap(2)).length, 0);
    }

    function test_selectCommittee__given_other_stakes__moves_as_few_shards_as_can_be() external {
        // One wei more: the fourth node gets a third shard, from the second, whose last one moves.
        deposit(3, 1);
        warpToCut(2);
        (NodeId[] memory nodeIds,) = firstFour();
        vm.expectEmit(address(committee));
        emit ICommittee.CommitteeSelected(Epoch.wrap(3), nodeIds, hex"00010203000102030003", false);
        committee.selectCommittee();
        // Nobody sees it before it takes office.
        assertEq(committee.assignmentOf(Epoch.wrap(3)).length, 0);
        assertEq(committee.membersOf(Epoch.wrap(3)).length, 0);
        (, uint256 shards) = committee.seatOf(Epoch.wrap(3), nodeAt(3));
        assertEq(shards, 0);
        assertEq(Epoch.unwrap(committee.epoch()), 1);
        assertSeats();
    }

    function test_selectCommittee__given_stake_that_does_not_count_yet__leaves_it_out() external {
        // Deposited after the cut of epoch 1: it counts from epoch 3 on, so the committee of epoch 2 is not changed by it.
        warpToCut(1);
        deposit(3, 500e18);
        committee.selectCommittee();
        warpTo(2);
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 1);
        changeTo(3);
        assertEq(Epoch.unwrap(committee.epoch()), 3);
        assertEq(committee.weightOf(nodeAt(3)), 3);
    }

    function test_selectCommittee__given_stake_that_left_after_the_cut__counts_what_is_there() external {
        warpToCut(1);
        unstake(0, ALL);
        committee.selectCommittee();
        warpTo(2);
        committee.advanceEpoch();
        assertEq(committee.weightOf(nodeAt(0)), 0);
        assertSeats();
    }

    function test_selectCommittee__given_a_node_jailed_or_below_the_minimum__leaves_it_out() external {
        vm.prank(address(custody));
        staking.slash(nodeAt(0), 100, 0, stranger, Epoch.wrap(5));
        unstake(1, Amount.wrap(99e18 + 1));
        address delegator = makeAddr("delegator");
        giveTokens(delegator, 1000e18);
        vm.prank(delegator);
        staking.delegate(nodeAt(1), Amount.wrap(1000e18));
        changeTo(3);
        assertEq(committee.weightOf(nodeAt(0)), 0);
        // The delegators' stake does not make up for the operator's own.
        assertEq(committee.weightOf(nodeAt(1)), 0);
        assertEq(committee.members().length, 2);
        assertSeats();
    }

    function test_selectCommittee__given_all_nodes_of_a_region_are_gone__raises_the_region_cap() external {
        for (uint256 i = 4; i < 8; ++i) {
            joinNode(i, 4);
        }
        warpTo(2);
        unstake(0, ALL);
        unstake(4, ALL);
        changeTo(3);
        // Three regions of 10 shards: a cap of 4 is the lowest one with room.
        assertEq(committee.members().length, 6);
        for (uint256 region = 1; region < 4; ++region) {
            uint256 held = uint256(committee.weightOf(nodeAt(region))) + committee.weightOf(nodeAt(region + 4));
            assertLe(held, 4);
        }
        assertSeats();
        // The three of the first node, and one of the second, whose new weight is two.
        assertEq(committee.pendingShards(), 0x311);
    }

    function test_selectCommittee__given_one_node_is_left__gives_it_all() external {
        for (uint256 i = 1; i < 4; ++i) {
            unstake(i, ALL);
        }
        changeTo(2);
        assertEq(committee.members().length, 1);
        assertEq(committee.weightOf(nodeAt(0)), 10);
        assertEq(committee.pendingShards(), bitmap(0, 10) ^ 0x111);
        assertSeats();
    }

    function test_selectCommittee__given_thirty_and_a_hundred_nodes__seats_them_all() external {
        Parameters memory parameters = defaultParameters();
        parameters.shards = 255;
        deploySystem(parameters);
        for (uint256 i = 0; i < 30; ++i) {
            joinNode(i, 7);
        }
        committee.form();
        assertEq(committee.members().length, 30);
        for (uint256 i = 30; i < 100; ++i) {
            joinNode(i, 7);
        }
        changeTo(3);
        assertEq(committee.members().length, 100);
        assertSeats();
        // Every old node goes from 8 or 9 shards to 2 or 3.
        assertEq(count(committee.pendingShards()), movedBetween(Epoch.wrap(1), Epoch.wrap(3)));
        assertFalse(committee.isSettled());
        syncAll();
        assertEq(committee.pendingShards(), 0);
    }

    // advanceEpoch

    function test_advanceEpoch__when_nothing_was_selected__reverts() external {
        warpTo(2);
        expectNothingSelected(2, 0);
        committee.advanceEpoch();
    }

    function test_advanceEpoch__when_its_epoch_did_not_begin__reverts() external {
        selectFor(2);
        expectNothingSelected(1, 2);
        committee.advanceEpoch();
    }

    function test_advanceEpoch__when_its_epoch_is_over__reverts() external {
        deposit(3, 1);
        selectFor(3);
        warpTo(4);
        expectNothingSelected(4, 3);
        committee.advanceEpoch();
        // The next one is selected and advanced to within the first half of the epoch.
        committee.selectCommittee();
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 4);
        assertEq(committee.membersOf(Epoch.wrap(3)).length, 0);
        assertSeats();
    }

    function test_advanceEpoch__when_called_twice__reverts() external {
        changeTo(2);
        expectNothingSelected(2, 2);
        committee.advanceEpoch();
        deposit(3, 1);
        changeTo(4);
        expectNothingSelected(4, 4);
        committee.advanceEpoch();
    }

    function test_advanceEpoch__when_a_window_is_open__reverts_until_it_closes() external {
        deposit(3, 1);
        selectFor(3);
        warpTo(3);
        skip(6 hours);
        custody.openWindow();
        expectWindowOpen(3);
        committee.advanceEpoch();
        skip(12 hours - 1);
        expectWindowOpen(3);
        committee.advanceEpoch();
        skip(1);
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 3);
    }

    function test_advanceEpoch__when_the_next_one_was_selected_meanwhile__the_first_is_void() external {
        deposit(3, 1);
        selectFor(3);
        warpToCut(3);
        committee.selectCommittee();
        expectNothingSelected(3, 4);
        committee.advanceEpoch();
        warpTo(4);
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 4);
        assertEq(committee.membersOf(Epoch.wrap(3)).length, 0);
        assertEq(committee.pendingShards(), 1 << 9);
        assertSeats();
    }

    function test_advanceEpoch__when_kept__everything_stays() external {
        bytes memory before = abi.encode(committee.members(), committee.assignment());
        selectFor(2);
        warpTo(2);
        vm.expectEmit(address(committee));
        emit ICommittee.EpochKept(Epoch.wrap(2), Epoch.wrap(1));
        vm.prank(stranger);
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 1);
        assertEq(Epoch.unwrap(committee.previousEpoch()), 0);
        assertEq(committee.pendingShards(), 0);
        assertEq(abi.encode(committee.members(), committee.assignment()), before);
        assertEq(committee.membersOf(Epoch.wrap(2)).length, 0);
    }

    function test_advanceEpoch__when_kept_while_shards_are_pending__they_stay_pending() external {
        deposit(3, 1);
        changeTo(3);
        assertEq(committee.pendingShards(), 1 << 9);
        changeTo(4);
        assertEq(Epoch.unwrap(committee.epoch()), 3);
        assertEq(committee.pendingShards(), 1 << 9);
        sync(nodeAt(3));
        assertEq(committee.pendingShards(), 0);
    }

    function test_advanceEpoch__when_at_most_f_shards_moved__is_done_at_once() external {
        deposit(3, 1);
        selectFor(3);
        warpTo(3);
        (NodeId[] memory nodeIds, address[] memory signers) = firstFour();
        vm.expectEmit(address(committee));
        emit ICommittee.CommitteeFormed(Epoch.wrap(3), nodeIds, signers, hex"00010203000102030003");
        vm.expectEmit(address(committee));
        emit ICommittee.EpochChangeStarted(Epoch.wrap(3), Epoch.wrap(1), 1 << 9);
        vm.expectEmit(address(committee));
        emit ICommittee.EpochChangeDone(Epoch.wrap(3));
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 3);
        assertEq(Epoch.unwrap(committee.previousEpoch()), 1);
        assertEq(committee.pendingShards(), 1 << 9);
        assertTrue(committee.isSettled());
        assertSeats();
    }

    function test_advanceEpoch__when_more_than_f_shards_moved__is_not_done() external {
        joinNewcomers();
        selectFor(2);
        warpTo(2);
        vm.recordLogs();
        committee.advanceEpoch();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[1].topics[0], ICommittee.EpochChangeStarted.selector);
        assertEq(committee.pendingShards(), bitmap(0, 10));
        assertFalse(committee.isSettled());
        assertSeats();
    }

    function test_advanceEpoch__when_only_a_key_changed__takes_office_with_the_new_one() external {
        Account memory fresh = makeAccount("fresh");
        rotate(2, fresh);
        selectFor(2);
        warpTo(2);
        vm.expectEmit(address(committee));
        emit ICommittee.EpochChangeStarted(Epoch.wrap(2), Epoch.wrap(1), 0);
        committee.advanceEpoch();
        assertEq(committee.members()[2].signer, fresh.addr);
        assertEq(committee.verify(DIGEST, 4, sign(fresh.key, DIGEST)), 2);
        assertEq(abi.encode(ownersIn(Epoch.wrap(2))), abi.encode(ownersIn(Epoch.wrap(1))));
    }

    function test_advanceEpoch__when_a_key_was_rotated_and_taken_over__keeps_the_committee() external {
        rotate(2, makeAccount("fresh"));
        committee.refreshSigner(2);
        changeTo(2);
        assertEq(Epoch.unwrap(committee.epoch()), 1);
    }

    function test_advanceEpoch__when_nobody_called_for_ten_epochs__one_turn_catches_up() external {
        deposit(3, 1);
        warpTo(11);
        assertEq(Epoch.unwrap(committee.epoch()), 1);
        assertEq(committee.verify(DIGEST, 1, sign(signerAccount(0).key, DIGEST)), 3);
        committee.selectCommittee();
        assertEq(Epoch.unwrap(committee.selectedEpoch()), 11);
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 11);
        assertEq(committee.pendingShards(), 1 << 9);
        assertSeats();
        // In the second half the one of the next epoch is due.
        deposit(2, 2);
        warpToCut(21);
        committee.selectCommittee();
        expectNothingSelected(21, 22);
        committee.advanceEpoch();
        warpTo(22);
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 22);
        assertSeats();
    }

    function test_advanceEpoch__given_nodes_that_left__drops_them() external {
        unstake(1, ALL);
        changeTo(2);
        assertEq(committee.members().length, 3);
        assertEq(committee.weightOf(nodeAt(1)), 0);
        // Shards 1, 5 and 9 had to move; three nodes of three regions hold at most four each.
        assertEq(committee.pendingShards(), 0x222);
        (, uint256 before) = committee.seatOf(Epoch.wrap(1), nodeAt(1));
        assertEq(before, 0x222);
        assertSeats();
    }

    // epochSyncDone

    function test_epochSyncDone__when_the_node_does_not_exist__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, NodeId.wrap(99)));
        committee.epochSyncDone(NodeId.wrap(99));
    }

    function test_epochSyncDone__when_the_caller_is_neither_operator_nor_signer__reverts() external {
        replaceAll();
        vm.expectRevert(
            abi.encodeWithSelector(
                ICommittee.Committee_CallerNotNode.selector, nodeAt(4), operatorAt(4), signerAccount(4).addr, stranger
            )
        );
        vm.prank(stranger);
        committee.epochSyncDone(nodeAt(4));
        vm.expectPartialRevert(ICommittee.Committee_CallerNotNode.selector);
        vm.prank(operatorAt(5));
        committee.epochSyncDone(nodeAt(4));
    }

    function test_epochSyncDone__when_no_committee_serves__reverts() external {
        deploySystem(defaultParameters());
        joinNode(0, 1);
        expectNothingPending(0);
        vm.prank(operatorAt(0));
        committee.epochSyncDone(nodeAt(0));
    }

    function test_epochSyncDone__when_nothing_is_pending__reverts() external {
        expectNothingPending(0);
        vm.prank(operatorAt(0));
        committee.epochSyncDone(nodeAt(0));
        replaceAll();
        // Served before, serves no more.
        expectNothingPending(0);
        vm.prank(operatorAt(0));
        committee.epochSyncDone(nodeAt(0));
    }

    function test_epochSyncDone__when_called_twice__reverts() external {
        replaceAll();
        vm.startPrank(signerAccount(4).addr);
        committee.epochSyncDone(nodeAt(4));
        expectNothingPending(4);
        committee.epochSyncDone(nodeAt(4));
    }

    function test_epochSyncDone__given_each_node_in_turn__is_done_when_f_shards_are_left() external {
        replaceAll();
        assertEq(weights(), list(3, 3, 2, 2));
        uint256 pending = committee.pendingShards();
        for (uint256 i = 4; i < 8; ++i) {
            uint256 shards = shardsOf(i);
            pending ^= shards;
            vm.expectEmit(address(committee));
            emit ICommittee.ShardsSynced(Epoch.wrap(2), nodeAt(i), shards);
            // 7, 4, 2 and 0 shards are left: done with the third node, once.
            if (i == 6) {
                vm.expectEmit(address(committee));
                emit ICommittee.EpochChangeDone(Epoch.wrap(2));
            }
            vm.recordLogs();
            vm.prank(i % 2 == 0 ? operatorAt(i) : signerAccount(i).addr);
            committee.epochSyncDone(nodeAt(i));
            assertEq(vm.getRecordedLogs().length, i == 6 ? 2 : 1);
            assertEq(committee.pendingShards(), pending);
            assertEq(committee.isSettled(), i >= 6);
        }
        assertEq(pending, 0);
    }

    function test_epochSyncDone__when_exactly_f_are_left__is_done() external {
        // The first two nodes hand three shards each to a newcomer in each of their regions: 6 are pending.
        joinAll(4, equal(2, 1_000_000e18), 4);
        unstake(0, ALL);
        unstake(1, ALL);
        changeTo(2);
        assertEq(count(committee.pendingShards()), 6);
        assertFalse(committee.isSettled());
        sync(nodeAt(4));
        assertEq(count(committee.pendingShards()), 3);
        assertTrue(committee.isSettled());
    }

    function test_epochSyncDone__after_the_next_change__clears_only_what_moved_in_it() external {
        replaceAll();
        // Nobody signals; the change has had its time. One shard moves from the second newcomer to the last.
        deposit(7, 1);
        warpTo(4);
        committee.selectCommittee();
        committee.advanceEpoch();
        uint256 moved = committee.pendingShards();
        assertEq(count(moved), 1);
        assertEq(shardsOf(7) & moved, moved);
        expectNothingPending(4);
        vm.prank(operatorAt(4));
        committee.epochSyncDone(nodeAt(4));
        sync(nodeAt(7));
        assertEq(committee.pendingShards(), 0);
    }

    function test_epochSyncDone__when_a_node_lost_a_shard_before_it_came__its_next_node_answers() external {
        replaceAll();
        uint256 lost = shardsOf(7);
        unstake(7, ALL);
        warpTo(4);
        committee.selectCommittee();
        committee.advanceEpoch();
        assertEq(committee.pendingShards(), lost);
        expectNothingPending(7);
        vm.prank(operatorAt(7));
        committee.epochSyncDone(nodeAt(7));
        syncAll();
        assertEq(committee.pendingShards(), 0);
    }

    // refreshSigner and verify across a change

    function test_verify__when_a_member_moved_to_another_place__wants_it_there() external {
        unstake(0, ALL);
        changeTo(2);
        // Node 2 is member 0 now.
        assertEq(committee.verify(DIGEST, 1, sign(signerAccount(1).key, DIGEST)), committee.members()[0].weight);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICommittee.Committee_WrongSignature.selector, 0, signerAccount(1).addr, signerAccount(0).addr
            )
        );
        committee.verify(DIGEST, 1, sign(signerAccount(0).key, DIGEST));
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_UnknownMember.selector, 3, 8));
        committee.verify(DIGEST, 8, sign(signerAccount(3).key, DIGEST));
    }

    function test_verify__while_a_committee_waits__takes_those_in_office_only() external {
        unstake(0, ALL);
        selectFor(2);
        assertEq(committee.verify(DIGEST, 1, sign(signerAccount(0).key, DIGEST)), 3);
        warpTo(9);
        assertEq(committee.verify(DIGEST, 1, sign(signerAccount(0).key, DIGEST)), 3);
    }

    function test_verify__after_many_changes__never_sees_seats_of_earlier_ones() external {
        replaceAll();
        syncAll();
        // From four members to one: seats 1 to 3 of that side are still written.
        for (uint256 i = 5; i < 8; ++i) {
            unstake(i, ALL);
        }
        changeTo(3);
        assertEq(committee.members().length, 1);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_UnknownMember.selector, 1, 2));
        committee.verify(DIGEST, 2, sign(signerAccount(1).key, DIGEST));
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_UnknownMember.selector, 1, 2));
        committee.refreshSigner(1);
        (uint256 member, uint256 shards) = committee.seatOf(committee.epoch(), nodeAt(5));
        assertEq(member | shards, 0);
        assertEq(committee.weightOf(nodeAt(5)), 0);
    }

    function test_refreshSigner__while_a_committee_waits__renews_the_seat_in_it_too() external {
        unstake(0, ALL);
        selectFor(2);
        Account memory fresh = makeAccount("fresh");
        rotate(2, fresh);
        committee.refreshSigner(2);
        assertEq(committee.members()[2].signer, fresh.addr);
        warpTo(2);
        committee.advanceEpoch();
        // Node 3 is member 1 now; its old key did not come back.
        assertEq(NodeId.unwrap(committee.members()[1].nodeId), 3);
        assertEq(committee.members()[1].signer, fresh.addr);
    }

    function test_refreshSigner__when_the_key_was_taken_over_before__renews_the_one_that_waits() external {
        Account memory fresh = makeAccount("fresh");
        unstake(0, ALL);
        selectFor(2);
        rotate(2, fresh);
        committee.refreshSigner(2);
        vm.recordLogs();
        committee.refreshSigner(2);
        assertEq(vm.getRecordedLogs().length, 0);
        warpTo(2);
        committee.advanceEpoch();
        assertEq(committee.members()[1].signer, fresh.addr);
    }

    function test_refreshSigner__of_a_node_that_does_not_serve_again__changes_no_other_seat() external {
        unstake(0, ALL);
        selectFor(2);
        Account memory fresh = makeAccount("fresh");
        rotate(0, fresh);
        committee.refreshSigner(0);
        warpTo(2);
        committee.advanceEpoch();
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(committee.members()[i].signer, signerAccount(i + 1).addr);
        }
    }

    function test_refreshSigner__when_a_newcomer_rotated_before_it_took_office__renews_it_then() external {
        joinNewcomers();
        selectFor(2);
        Account memory fresh = makeAccount("fresh");
        rotate(4, fresh);
        warpTo(2);
        committee.advanceEpoch();
        assertEq(committee.members()[0].signer, signerAccount(4).addr);
        committee.refreshSigner(0);
        assertEq(committee.members()[0].signer, fresh.addr);
    }

    // history

    /// @dev Twelve changes in which stake and nodes move: what was seen of each committee is seen of it for ever.
    function test_I3_history__given_many_committees__stays_as_it_was(uint256 seed) external {
        for (uint256 i = 4; i < 8; ++i) {
            joinNode(i, 5);
        }
        Epoch[] memory offices = new Epoch[](13);
        bytes[] memory seen = new bytes[](13);
        (offices[0], seen[0]) = (Epoch.wrap(1), historyOf(Epoch.wrap(1)));
        for (uint32 step = 1; step < 13; ++step) {
            uint256 dice = uint256(keccak256(abi.encode(seed, step)));
            shake(dice);
            warpTo(currentEpoch() + 2 + uint32(dice >> 64) % 3);
            Epoch before = committee.epoch();
            committee.selectCommittee();
            committee.advanceEpoch();
            assertSeats();
            offices[step] = committee.epoch();
            seen[step] = historyOf(committee.epoch());
            if (committee.epoch() == before) continue;
            assertEq(Epoch.unwrap(committee.previousEpoch()), Epoch.unwrap(before));
            assertEq(count(committee.pendingShards()), movedBetween(before, committee.epoch()));
        }
        for (uint256 i = 0; i < 13; ++i) {
            assertEq(historyOf(offices[i]), seen[i]);
        }
    }

    function test_history__of_an_epoch_without_a_new_committee__is_empty(uint32 epoch) external view {
        vm.assume(epoch != 1);
        assertEq(committee.membersOf(Epoch.wrap(epoch)).length, 0);
        assertEq(committee.assignmentOf(Epoch.wrap(epoch)).length, 0);
        (uint256 member, uint256 shards) = committee.seatOf(Epoch.wrap(epoch), nodeAt(0));
        assertEq(member | shards, 0);
    }

    // isSelectionDue, isAdvanceDue, servingSince

    function test_isSelectionDue__tells_whether_a_selection_would_be_taken() external {
        assertFalse(committee.isSelectionDue());
        assertFalse(committee.isAdvanceDue());
        warpToCut(1);
        assertTrue(committee.isSelectionDue());
        committee.selectCommittee();
        assertFalse(committee.isSelectionDue());
        assertFalse(committee.isAdvanceDue());
        warpTo(2);
        assertTrue(committee.isAdvanceDue());
        committee.advanceEpoch();
        assertFalse(committee.isAdvanceDue());
        assertFalse(committee.isSelectionDue());
        warpTo(4);
        assertTrue(committee.isSelectionDue());
    }

    function test_isSelectionDue__while_shards_are_pending__is_when_they_are_few_or_late() external {
        replaceAll();
        warpToCut(2);
        assertFalse(committee.isSelectionDue());
        sync(nodeAt(4));
        sync(nodeAt(5));
        assertFalse(committee.isSelectionDue());
        sync(nodeAt(6));
        assertTrue(committee.isSelectionDue());
        deploySystem(defaultParameters());
        assertFalse(committee.isSelectionDue());
        formCommittee(4, 4);
        replaceAllIn(currentEpoch() + 1);
        warpTo(currentEpoch() + 1);
        assertTrue(committee.isSelectionDue());
    }

    function test_isAdvanceDue__when_its_epoch_is_over__is_not() external {
        selectFor(2);
        warpTo(3);
        assertFalse(committee.isAdvanceDue());
        assertTrue(committee.isSelectionDue());
    }

    function test_isAdvanceDue__while_a_window_is_open__is_all_the_same() external {
        selectFor(2);
        warpTo(2);
        skip(6 hours);
        custody.openWindow();
        assertTrue(committee.isAdvanceDue());
    }

    function test_servingSince__is_when_the_committee_took_office() external {
        assertEq(Timestamp.unwrap(committee.servingSince()), 1_800_000_000);
        changeTo(2);
        assertEq(Timestamp.unwrap(committee.servingSince()), 1_800_000_000);
        deposit(3, 1);
        selectFor(4);
        warpTo(4);
        skip(77);
        committee.advanceEpoch();
        assertEq(Timestamp.unwrap(committee.servingSince()), vm.getBlockTimestamp());
    }

    // clock

    function test_targetEpoch__is_the_next_one_from_the_half_on(uint32 elapsed) external {
        uint256 start = Timestamp.unwrap(committee.startOf(Epoch.wrap(1)));
        vm.warp(start + elapsed);
        uint256 expected = 1 + elapsed / 1 days + (elapsed % 1 days >= 12 hours ? 1 : 0);
        assertEq(Epoch.unwrap(committee.targetEpoch()), expected);
    }

    function test_targetEpoch__given_an_odd_length__rounds_the_half_down() external {
        Committee odd = new Committee(nodeRegistry, staking, custody, 10, 11, 1, address(this));
        uint256 start = vm.getBlockTimestamp();
        for (uint256 elapsed = 0; elapsed < 33; ++elapsed) {
            vm.warp(start + elapsed);
            assertEq(Epoch.unwrap(odd.targetEpoch()), 1 + elapsed / 11 + (elapsed % 11 >= 5 ? 1 : 0));
        }
    }

    // Helpers

    /// @dev Four nodes in the four regions with so much stake that they get all shards: 3, 3, 2 and 2.
    function joinNewcomers() private {
        joinAll(4, equal(4, 1_000_000e18), 4);
        for (uint256 i = 0; i < 4; ++i) {
            unstake(i, ALL);
        }
    }

    function replaceAll() private {
        replaceAllIn(2);
    }

    /// @dev Before the cut of the epoch before: the deposits of the newcomers count in `epoch`.
    function replaceAllIn(uint32 epoch) private {
        joinNewcomers();
        changeTo(epoch);
        assertEq(committee.pendingShards(), bitmap(0, 10));
    }

    /// @dev Moves stake, a node, or a region, as the dice say.
    function shake(uint256 dice) private {
        uint256 i = dice % 8;
        uint256 what = (dice >> 8) % 4;
        if (what == 0) {
            deposit(i, 1 + uint128(dice >> 128) % 300e18);
            try staking.stand(nodeAt(i)) {} catch {}
        } else if (what == 1) {
            staking.settle(nodeAt(i), type(uint32).max);
            uint128 active = Amount.unwrap(staking.delegationOf(nodeAt(i), operatorAt(i)).active);
            if (active > 0) unstake(i, Amount.wrap(1 + uint128(dice >> 128) % active));
        } else if (what == 2) {
            vm.prank(operatorAt(i));
            nodeRegistry.update(
                nodeAt(i), "moved", "http://moved.example", string.concat("r", vm.toString((dice >> 16) % 6))
            );
        } else {
            rotate(i, makeAccount(string.concat("fresh ", vm.toString(dice))));
        }
    }

    /// @dev The sum of what nodes have less than before: the fewest shards that can move.
    function movedBetween(Epoch before, Epoch afterwards) private view returns (uint256 moved) {
        NodeId[] memory members = committee.membersOf(before);
        for (uint256 i = 0; i < members.length; ++i) {
            (, uint256 had) = committee.seatOf(before, members[i]);
            (, uint256 has) = committee.seatOf(afterwards, members[i]);
            if (count(had) > count(has)) moved += count(had) - count(has);
        }
    }

    function historyOf(Epoch officeEpoch) private view returns (bytes memory seen) {
        seen = abi.encode(committee.membersOf(officeEpoch), committee.assignmentOf(officeEpoch));
        for (uint256 i = 0; i < 9; ++i) {
            (uint256 member, uint256 shards) = committee.seatOf(officeEpoch, nodeAt(i));
            seen = bytes.concat(seen, abi.encode(member, shards));
        }
    }

    function firstFour() private returns (NodeId[] memory nodeIds, address[] memory signers) {
        nodeIds = new NodeId[](4);
        signers = new address[](4);
        for (uint256 i = 0; i < 4; ++i) {
            (nodeIds[i], signers[i]) = (nodeAt(i), signerAccount(i).addr);
        }
    }

    function list(uint256 a, uint256 b, uint256 c, uint256 d) private pure returns (uint256[] memory four) {
        four = new uint256[](4);
        (four[0], four[1], four[2], four[3]) = (a, b, c, d);
    }

    function expectAlreadySelected(uint32 target) private {
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_AlreadySelected.selector, target));
    }

    function expectNothingSelected(uint32 current, uint32 selected) private {
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_NothingSelected.selector, current, selected));
    }

    function expectNothingPending(uint256 i) private {
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_NothingPending.selector, nodeAt(i)));
    }

    function expectWindowOpen(uint32 epoch) private {
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_WindowOpen.selector, epoch));
    }
}
