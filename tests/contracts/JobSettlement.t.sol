// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IComputeJobs} from "../../contracts/interfaces/IComputeJobs.sol";
import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {ComputeFixture} from "./support/ComputeFixture.sol";
import {vm} from "./support/Vm.sol";

contract JobSettlementTest is ComputeFixture {
    // -- settle

    function test_settle__when_all_agree__pays_nodes_and_pools_and_the_rest_of_rounding() external {
        uint256 job = drawn(3);
        address[3] memory operators = [operatorAt(job, 0), operatorAt(job, 1), operatorAt(job, 2)];
        answer(job, results(3, 3));
        vm.expectEmit(address(jobs));
        emit IComputeJobs.JobSettled(
            job, other, 7, 0, 0, Amount.wrap(PRICE), Amount.wrap(FEE / 3), Amount.wrap(FEE % 3)
        );
        vm.expectEmit(address(revenuePools));
        emit IRevenuePools.IncomeReceived(pool, address(jobs), other, Amount.wrap(PRICE), bytes32(job));
        vm.prank(stranger);
        settle(job);

        for (uint256 i = 0; i < 3; ++i) {
            assertEq(claimOf(operators[i]), FEE / 3);
        }
        assertEq(claimOf(other), FEE % 3);
        assertEq(Amount.unwrap(vault.reserveOf(address(revenuePools))), PRICE);
        assertEq(reserve(), 0);
        assertStatus(job, IComputeJobs.Status.Over);
        assertEq(jobs.jobOf(job).terms, 0);
        assertEq(jobs.jobOf(job).nodes.length, 0);
    }

    function test_settle__when_one_of_three_lies__slashes_it_and_pays_the_others() external {
        uint256 job = drawn(3);
        (NodeId liar, address operator) = (nodeAt(job, 2), operatorAt(job, 2));
        answer(job, results(3, 2));
        vm.expectEmit(address(jobs));
        emit IComputeJobs.NodeFaulted(job, liar, true, WRONG_BPS);
        IComputeJobs.Outcome memory outcome = settle(job);
        assertEq(uint256(outcome.agreeing), 3);
        assertEq(uint256(outcome.lying), 4);
        assertEq(Amount.unwrap(outcome.feeEach), FEE / 2);
        assertEq(stakeOf(liar), 100e18 - 5e18);
        assertEq(claimOf(operator), 0);
        assertEq(claimOf(address(this)), 0);
    }

    function test_settle__when_a_node_lies_about_two_jobs_of_an_epoch__slashes_it_once() external {
        (uint256 first, uint256 second) = (drawn(7), drawn(7));
        NodeId liar = nodeAt(first, 0);
        showWrong(first, 0);
        showWrong(second, placeOf(second, liar));
        vm.expectEmit(address(jobs));
        emit IComputeJobs.NodeFaulted(first, liar, true, WRONG_BPS);
        settle(first);
        vm.expectEmit(address(jobs));
        emit IComputeJobs.NodeFaulted(second, liar, true, 0);
        settle(second);
        assertEq(stakeOf(liar), 100e18 - 5e18);
        assertTrue(jobs.hasLied(liar, Epoch.wrap(1)));
        assertFalse(jobs.hasLied(liar, Epoch.wrap(2)));
    }

    function test_settle__when_one_commits_and_keeps_still__slashes_it_for_each_job() external {
        (uint256 first, uint256 second) = (drawn(7), drawn(7));
        NodeId silent = nodeAt(first, 0);
        uint8 place = placeOf(second, silent);
        keepStill(first, 0);
        keepStill(second, place);
        // Having left does not help who committed.
        vm.mockCall(address(committee), abi.encodeCall(committee.weightOf, (silent)), abi.encode(0));
        passCommit();
        passReveal();
        assertEq(uint256(settle(first).absent), 1);
        assertEq(uint256(settle(second).absent), uint256(1) << place);
        assertEq(stakeOf(silent), 100e18 - 0.2e18 - (100e18 - 0.2e18) / 500);
        assertFalse(jobs.wasAbsent(silent, Epoch.wrap(1)));
    }

    function test_settle__when_too_many_decline_for_a_result__lets_who_committed_keep_still() external {
        uint256 job = drawn(3);
        NodeId silent = nodeAt(job, 0);
        commit(job, 0, RIGHT);
        decline(job, 1);
        decline(job, 2);
        passCommit();
        passReveal();
        IComputeJobs.Outcome memory outcome = settle(job);
        assertEq(uint256(outcome.absent), 0);
        assertEq(Amount.unwrap(outcome.refunded), TOTAL);
        assertEq(stakeOf(silent), 100e18);
    }

    function test_settle__when_one_never_reveals__slashes_it_less() external {
        uint256 job = drawn(3);
        NodeId absent = nodeAt(job, 2);
        for (uint8 place = 0; place < 3; ++place) {
            commit(job, place, RIGHT);
        }
        reveal(job, 0, RIGHT);
        reveal(job, 1, RIGHT);
        expectStillOpen(job);
        settle(job);
        passCommit();
        passReveal();
        assertEq(uint256(settle(job).absent), 4);
        assertEq(stakeOf(absent), 100e18 - 0.2e18);
    }

    function test_settle__when_one_never_commits__slashes_it_less_and_does_not_wait_for_it() external {
        uint256 job = drawn(3);
        NodeId absent = nodeAt(job, 2);
        commit(job, 0, RIGHT);
        commit(job, 1, RIGHT);
        passCommit();
        reveal(job, 0, RIGHT);
        reveal(job, 1, RIGHT);
        assertEq(uint256(settle(job).agreeing), 3);
        assertEq(stakeOf(absent), 100e18 - 0.2e18);
    }

    function test_settle__when_all_disagree__pays_back_and_slashes_nobody() external {
        uint256 job = drawn(3);
        NodeId node = nodeAt(job, 0);
        bytes32[] memory different = results(3, 1);
        different[2] = keccak256("a third one");
        answer(job, different);
        IComputeJobs.Outcome memory outcome = settle(job);
        assertEq(uint256(outcome.agreeing | outcome.lying | outcome.absent), 0);
        assertEq(Amount.unwrap(outcome.refunded), TOTAL);
        assertEq(claimOf(other), TOTAL);
        assertEq(stakeOf(node), 100e18);
        assertEq(reserve(), 0);
    }

    function test_settle__when_results_agree_but_not_their_sizes__is_no_majority() external {
        uint256 job = drawn(3);
        for (uint8 place = 0; place < 3; ++place) {
            bytes32 commitment = jobs.commitmentOf(job, nodeAt(job, place), RIGHT, OUTPUT + place, SALT);
            (address signer, bytes32 terms) = (signerAt(job, place), termsOf(job));
            vm.prank(signer);
            jobs.commit(job, place, terms, commitment);
        }
        for (uint8 place = 0; place < 3; ++place) {
            address signer = signerAt(job, place);
            vm.prank(signer);
            jobs.reveal(job, place, RIGHT, OUTPUT + place, SALT);
        }
        assertEq(uint256(settle(job).agreeing), 0);
    }

    function test_settle__when_half_or_less_of_the_replicas_agree__is_no_majority() external {
        // Two of five agree, one differs, two are not there: nobody lied.
        uint256 job = drawn(5);
        NodeId differing = nodeAt(job, 2);
        commit(job, 0, RIGHT);
        commit(job, 1, RIGHT);
        commit(job, 2, WRONG);
        decline(job, 3);
        passCommit();
        reveal(job, 0, RIGHT);
        reveal(job, 1, RIGHT);
        reveal(job, 2, WRONG);
        IComputeJobs.Outcome memory outcome = settle(job);
        assertEq(uint256(outcome.agreeing), 0);
        assertEq(uint256(outcome.lying), 0);
        assertEq(uint256(outcome.absent), 16);
        assertEq(claimOf(other), TOTAL);
        assertEq(stakeOf(differing), 100e18);
    }

    function test_settle__when_nobody_answers__pays_back_and_slashes_all_once_an_epoch() external {
        uint256 first = drawn(7);
        uint256 second = drawn(7);
        passCommit();
        assertEq(uint256(settle(first).absent), 127);
        // Settling later does not help: what counts is when it was drawn.
        skip(1 days);
        NodeId[] memory nodes = jobs.jobOf(second).nodes;
        settle(second);
        assertEq(claimOf(other), 2 * TOTAL);
        assertEq(reserve(), 0);
        for (uint256 i = 0; i < 7; ++i) {
            assertEq(stakeOf(nodes[i]), 100e18 - 0.2e18);
            assertTrue(jobs.wasAbsent(nodes[i], Epoch.wrap(1)));
        }
    }

    function test_settle__when_an_absent_node_left_the_committee_since__excuses_it() external {
        uint256 job = drawn(1);
        NodeId node = nodeAt(job, 0);
        vm.mockCall(address(committee), abi.encodeCall(committee.weightOf, (node)), abi.encode(0));
        passCommit();
        vm.expectEmit(address(jobs));
        emit IComputeJobs.NodeFaulted(job, node, false, 0);
        settle(job);
        assertEq(stakeOf(node), 100e18);
        assertFalse(jobs.wasAbsent(node, Epoch.wrap(1)));
    }

    function test_settle__when_the_liar_left_the_committee_and_its_stake_is_leaving__slashes_it() external {
        warpTo(2);
        uint256 job = drawn(3);
        (NodeId liar, address operator) = (nodeAt(job, 2), operatorAt(job, 2));
        answer(job, results(3, 2));
        vm.prank(operator);
        staking.undelegate(liar, Amount.wrap(type(uint128).max));
        vm.mockCall(address(committee), abi.encodeCall(committee.weightOf, (liar)), abi.encode(0));
        settle(job);
        assertEq(Amount.unwrap(staking.poolOf(liar).unbonding), 95e18);
    }

    function test_settle__when_the_requester_vanishes__pays_all_the_same() external {
        uint256 job = drawn(1);
        address operator = operatorAt(job, 0);
        vm.prank(other);
        assertTrue(token.approve(address(vault), 0));
        answer(job, results(1, 1));
        settle(job);
        assertEq(claimOf(operator), FEE);
    }

    function test_settle__when_the_input_was_deleted_or_expired_in_between__pays_all_the_same() external {
        uint256 job = drawn(1);
        answer(job, results(1, 1));
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertEq(Amount.unwrap(settle(job).charged), PRICE);
    }

    function test_settle__when_the_policy_was_changed_in_between__charges_what_was_agreed() external {
        uint256 job = drawn(1);
        vm.prank(owner);
        policies.announce(blobObject, IBlobPolicies.Policies(address(0), address(0)));
        skip(1 days);
        commit(job, 0, RIGHT);
        reveal(job, 0, RIGHT);
        assertEq(Amount.unwrap(settle(job).charged), PRICE);
    }

    function test_settle__given_several_inputs__credits_each_pool() external {
        IComputeJobs.Order memory order = orderOf(1);
        order.inputs = new uint256[](3);
        (order.inputs[0], order.inputs[1], order.inputs[2]) = (blobObject, certified(), blobObject);
        IComputeJobs.Charge[] memory charges = chargesOf(3);
        charges[1] = free()[0];
        uint256 job = request(order, charges);
        draw(job);
        answer(job, results(1, 1));
        assertEq(Amount.unwrap(settle(job).charged), 2 * PRICE);
        assertEq(Amount.unwrap(vault.reserveOf(address(revenuePools))), 2 * PRICE);
        assertEq(reserve(), 0);
    }

    function test_settle__when_it_costs_nothing__moves_nothing() external {
        IComputeJobs.Order memory order = orderOf(1);
        (order.inputs, order.fee) = (list(certified()), Amount.wrap(0));
        uint256 job = request(order, free());
        draw(job);
        answer(job, results(1, 1));
        assertEq(uint256(settle(job).agreeing), 1);
    }

    function test_settle__with_another_order_other_charges_or_requester__reverts() external {
        uint256 job = drawn(1);
        answer(job, results(1, 1));
        IComputeJobs.Request memory requested = requestOf(job);
        requested.order.fee = Amount.wrap(FEE + 1);
        expectWrongTerms(job);
        jobs.settle(job, requested);
        requested = requestOf(job);
        requested.charges = chargesOf(2);
        expectWrongTerms(job);
        jobs.settle(job, requested);
        requested = requestOf(job);
        requested.charges[0].pool = PoolId.wrap(7);
        expectWrongTerms(job);
        jobs.settle(job, requested);
        requested = requestOf(job);
        requested.requester = stranger;
        expectWrongTerms(job);
        jobs.settle(job, requested);
        uint256 second = request(1);
        expectWrongTerms(job);
        jobs.settle(job, requestOf(second));
    }

    function test_draw__of_a_node_whose_id_does_not_fit__reverts() external {
        uint256 job = request(1);
        NodeId[] memory members = new NodeId[](1);
        members[0] = NodeId.wrap(2 ** 27);
        vm.mockCall(address(committee), abi.encodeCall(committee.membersOf, (Epoch.wrap(1))), abi.encode(members));
        vm.mockCall(
            address(committee), abi.encodeCall(committee.assignmentOf, (Epoch.wrap(1))), abi.encode(new bytes(10))
        );
        randomness.draw("seed");
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 27, 2 ** 27));
        jobs.draw(job, requestOf(job));
        members[0] = NodeId.wrap(2 ** 27 - 1);
        vm.mockCall(address(committee), abi.encodeCall(committee.membersOf, (Epoch.wrap(1))), abi.encode(members));
        assertTrue(jobs.draw(job, requestOf(job))[0] == members[0]);
        assertTrue(jobs.jobOf(job).nodes[0] == members[0]);
    }

    function test_draw__with_another_ticket_committee_or_count__reverts() external {
        uint256 job = request(3);
        randomness.draw("seed");
        IComputeJobs.Request memory requested = requestOf(job);
        requested.ticket = 0;
        expectWrongTerms(job);
        jobs.draw(job, requested);
        requested = requestOf(job);
        requested.office = Epoch.wrap(2);
        expectWrongTerms(job);
        jobs.draw(job, requested);
        requested = requestOf(job);
        requested.order.replicas = 1;
        expectWrongTerms(job);
        jobs.draw(job, requested);
    }

    function test_settle__twice__reverts() external {
        uint256 job = drawn(1);
        answer(job, results(1, 1));
        settle(job);
        bytes memory expected = abi.encodeWithSelector(IComputeJobs.ComputeJobs_Over.selector, job);
        vm.expectRevert(expected);
        settle(job);
        vm.expectRevert(expected);
        jobs.cancel(job, requestOf(job));
        vm.expectRevert(expected);
        jobs.draw(job, requestOf(job));
        vm.expectRevert(expected);
        jobs.commit(job, 0, 0, "c");
        vm.expectRevert(expected);
        jobs.reveal(job, 0, RIGHT, OUTPUT, SALT);
    }

    function test_settle__too_early__reverts() external {
        uint256 job = request(3);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_NotDrawn.selector, job));
        settle(job);
        draw(job);
        expectStillOpen(job);
        settle(job);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_UnknownJob.selector, 9));
        jobs.settle(9, requestOf(job));
    }

    function test_settle__when_a_pool_of_stake_is_far_behind__waits_until_anyone_settled_it() external {
        uint256 job = drawn(1);
        NodeId node = nodeAt(job, 0);
        warpTo(40);
        vm.roll(vm.getBlockNumber() + WINDOW_BLOCKS);
        vm.expectPartialRevert(IStaking.Staking_PoolBehind.selector);
        settle(job);
        staking.settle(node, 100);
        settle(job);
        assertEq(claimOf(other), TOTAL);
    }

    // -- cancel

    function test_cancel__when_nobody_drew_in_time__pays_back() external {
        uint256 job = request(3);
        uint256 until = vm.getBlockTimestamp() + DRAW_SECONDS;
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_DrawOpen.selector, job, until));
        jobs.cancel(job, requestOf(job));
        skip(DRAW_SECONDS);
        IComputeJobs.Request memory requested = requestOf(job);
        requested.since = Timestamp.wrap(0);
        expectWrongTerms(job);
        jobs.cancel(job, requested);
        vm.expectEmit(address(jobs));
        emit IComputeJobs.JobCancelled(job, other, Amount.wrap(uint128(TOTAL)));
        vm.prank(stranger);
        jobs.cancel(job, requestOf(job));
        assertEq(claimOf(other), TOTAL);
        assertEq(reserve(), 0);
    }

    function test_cancel__of_a_drawn_job__reverts() external {
        uint256 job = drawn(3);
        skip(DRAW_SECONDS);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_AlreadyDrawn.selector, job));
        jobs.cancel(job, requestOf(job));
    }

    /// @dev All seven nodes answer; the one at a place with another result.
    function showWrong(uint256 job, uint8 place) private {
        bytes32[] memory shown = results(7, 7);
        shown[place] = WRONG;
        answer(job, shown);
    }

    /// @dev All seven nodes commit, and all but the one at a place reveal.
    function keepStill(uint256 job, uint8 place) private {
        for (uint8 i = 0; i < 7; ++i) {
            commit(job, i, RIGHT);
        }
        for (uint8 i = 0; i < 7; ++i) {
            if (i != place) reveal(job, i, RIGHT);
        }
    }

    function placeOf(uint256 job, NodeId node) private view returns (uint8 place) {
        while (NodeId.unwrap(jobs.jobOf(job).nodes[place]) != NodeId.unwrap(node)) {
            ++place;
        }
    }

    function expectWrongTerms(uint256 job) private {
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_WrongTerms.selector, job));
    }
}
