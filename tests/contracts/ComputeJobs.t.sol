// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ComputeJobs} from "../../contracts/compute/ComputeJobs.sol";
import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IComputeJobs} from "../../contracts/interfaces/IComputeJobs.sol";
import {IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {IJobTriggers} from "../../contracts/interfaces/IJobTriggers.sol";
import {IRandomness} from "../../contracts/interfaces/IRandomness.sol";
import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {PolicyMock} from "../../contracts/mocks/PolicyMock.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {ComputeFixture} from "./support/ComputeFixture.sol";
import {vm} from "./support/Vm.sol";

contract ComputeJobsTest is ComputeFixture {
    // -- constructor

    function test_constructor__when_a_parameter_is_outside_its_bounds__reverts() external {
        IComputeJobs.Parameters memory parameters = jobs.parameters();
        parameters.drawSeconds = 0;
        expectParameterOutOfBounds("drawSeconds", 1, type(uint32).max, 0);
        deployJobs(parameters);
        (parameters.drawSeconds, parameters.commitSeconds) = (1, 0);
        expectParameterOutOfBounds("commitSeconds", 1, type(uint32).max, 0);
        deployJobs(parameters);
        (parameters.commitSeconds, parameters.revealSeconds) = (1, 0);
        expectParameterOutOfBounds("revealSeconds", 1, type(uint32).max, 0);
        deployJobs(parameters);
        parameters.revealSeconds = 2 days - 1;
        expectParameterOutOfBounds("windows", 3, 2 days, 2 days + 1);
        deployJobs(parameters);
        (parameters.revealSeconds, parameters.windowBlocks) = (2 days - 2, 0);
        expectParameterOutOfBounds("windowBlocks", 1, 50_000, 0);
        deployJobs(parameters);
        (parameters.windowBlocks, parameters.wrongBps) = (50_000, 5001);
        expectParameterOutOfBounds("wrongBps", 1, 5000, 5001);
        deployJobs(parameters);
        (parameters.wrongBps, parameters.absentBps) = (5000, 5001);
        expectParameterOutOfBounds("absentBps", 0, 5000, 5001);
        deployJobs(parameters);
        (parameters.absentBps, parameters.minimumFee) = (5000, Amount.wrap(1000e18 + 1));
        expectParameterOutOfBounds("minimumFee", 0, 1000e18, 1000e18 + 1);
        deployJobs(parameters);
        parameters.minimumFee = Amount.wrap(1000e18);
        assertEq(uint256(deployJobs(parameters).parameters().absentBps), 5000);
    }

    // -- request

    function test_request__when_allowed__keeps_the_terms_collects_fee_and_charges_and_tells() external {
        IComputeJobs.Request memory requested = requestOf(other, orderOf(3), chargesOf(1));
        bytes32 terms = keccak256(abi.encode(requested));
        assertEq(uint256(Epoch.unwrap(requested.office)), 1);
        vm.expectEmit(address(jobs));
        emit IComputeJobs.JobRequested(1, other, program, requested, new uint64[](1), terms);
        vm.prank(other);
        assertEq(jobs.request(orderOf(3), new bytes[](1), Amount.wrap(10e18)), 1);

        IComputeJobs.Job memory job = jobs.jobOf(1);
        assertStatus(1, IComputeJobs.Status.Requested);
        assertEq(job.terms, terms);
        assertEq(Timestamp.unwrap(job.drawnAt), 0);
        assertEq(job.nodes.length, 0);
        assertEq(reserve(), TOTAL);
        assertEq(token.balanceOf(other), BALANCE - TOTAL);
        assertEq(jobs.jobCount(), 1);
    }

    function test_request__when_a_field_is_outside_its_bounds__reverts() external {
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = new uint256[](0);
        expectOrderOutOfBounds("inputs", 1, 16, 0);
        request(order);
        order.inputs = new uint256[](17);
        expectOrderOutOfBounds("inputs", 1, 16, 17);
        request(order);
        order = orderOf(3);
        order.arguments = new bytes(1025);
        expectOrderOutOfBounds("arguments", 0, 1024, 1025);
        request(order);
        order = orderOf(3);
        order.fuel = 0;
        expectOrderOutOfBounds("fuel", 1, 10 ** 12, 0);
        request(order);
        order.fuel = 10 ** 12 + 1;
        expectOrderOutOfBounds("fuel", 1, 10 ** 12, 10 ** 12 + 1);
        request(order);
        order = orderOf(3);
        order.outputLimit = 2 ** 24 + 1;
        expectOrderOutOfBounds("outputLimit", 0, 2 ** 24, 2 ** 24 + 1);
        request(order);
        order = orderOf(3);
        order.program = BlobId.wrap(0);
        vm.expectRevert(IComputeJobs.ComputeJobs_NoProgram.selector);
        request(order);
        order = orderOf(3);
        order.engine = 2;
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_WrongEngine.selector, 1, 2));
        request(order);
    }

    function test_request__given_replicas_that_are_even_or_too_many__reverts() external {
        for (uint8 replicas = 0; replicas < 12; ++replicas) {
            if (replicas < 8 && replicas % 2 == 1) continue;
            vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_WrongReplicas.selector, replicas));
            request(replicas);
        }
    }

    function test_request__when_replicas_are_more_than_the_committee__reverts() external {
        vm.mockCall(address(committee), abi.encodeCall(committee.memberCount, ()), abi.encode(4));
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_TooFewMembers.selector, 4, 5));
        request(5);
        request(3);
    }

    function test_request__when_evidence_is_not_one_for_each_input__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_WrongEvidenceCount.selector, 1, 2));
        vm.prank(other);
        jobs.request(orderOf(3), new bytes[](2), Amount.wrap(10e18));
    }

    function test_request__when_the_policy_denies_the_program__reverts_with_its_reason() external {
        IComputeJobs.Order memory order = orderOf(3);
        order.program = blobId("another program");
        expectDenied(blobObject, "NotAProgram");
        request(order);
    }

    function test_request__when_the_object_is_unknown_not_certified_or_deleted__reverts() external {
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = list(99);
        expectDenied(99, "UnknownObject");
        request(order);
        order.inputs = list(register());
        expectDenied(order.inputs[0], "NotCertified");
        request(order);
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        expectDenied(blobObject, "UnknownObject");
        request(3);
    }

    function test_request__when_policies_were_attached_but_none_decides__only_the_owner_may() external {
        uint256 governed = certified();
        govern(governed, address(0));
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = list(governed);
        expectDenied(governed, "NotOwner");
        request(order);
        vm.prank(owner);
        jobs.request(order, new bytes[](1), Amount.wrap(FEE));
        assertEq(reserve(), FEE);
    }

    function test_request__when_the_object_never_got_policies__anybody_may_for_free() external {
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = list(certified());
        request(order, free());
        assertEq(reserve(), FEE);
        assertEq(uint256(jobs.jobsOn(order.inputs[0], other)), 0);
    }

    function test_request__when_the_price_is_above_the_maximum__reverts() external {
        expectTooExpensive(TOTAL - 1, TOTAL);
        vm.prank(other);
        jobs.request(orderOf(3), new bytes[](1), Amount.wrap(uint128(TOTAL - 1)));
        vm.prank(other);
        jobs.request(orderOf(3), new bytes[](1), Amount.wrap(uint128(TOTAL)));
    }

    function test_request__when_charges_do_not_fit_an_amount__reverts_too_expensive() external {
        PolicyMock mock = new PolicyMock(0);
        mock.answer(IDataPolicy.quote.selector, abi.encode(token, type(uint128).max, pool));
        uint256 dear = certified();
        govern(dear, address(mock));
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = new uint256[](2);
        (order.inputs[0], order.inputs[1]) = (dear, dear);
        expectTooExpensive(type(uint128).max, type(uint128).max);
        request(order);
    }

    function test_request__of_several_jobs_on_an_object__counts_them_for_its_policy() external {
        request(3);
        vm.expectCall(
            address(policies),
            abi.encodeCall(
                policies.judge, (IBlobPolicies.Question(other, blobObject, 2, BlobId.unwrap(program), 1, ""))
            )
        );
        request(3);
        assertEq(uint256(jobs.jobsOn(blobObject, other)), 2);
        assertEq(uint256(jobs.jobsOn(blobObject, owner)), 0);
    }

    function test_request__given_sixteen_inputs_with_policies_that_burn_gas__is_denied_at_bounded_cost() external {
        PolicyMock mock = new PolicyMock(0);
        mock.behave(IDataPolicy.evaluate.selector, PolicyMock.Deed.BurnGas);
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = new uint256[](16);
        for (uint256 i = 0; i < 16; ++i) {
            order.inputs[i] = blobObject;
        }
        order.inputs[15] = certified();
        govern(order.inputs[15], address(mock));
        expectDenied(order.inputs[15], "PolicyFailed");
        uint256 before = gasleft();
        request(order);
        assertLt(before - gasleft(), policies.evaluationGas() + 4_000_000);
    }

    function test_request__given_too_little_gas_for_a_policy__reverts_and_denies_nothing() external {
        bytes memory data = abi.encodeCall(jobs.request, (orderOf(3), new bytes[](1), Amount.wrap(10e18)));
        vm.prank(other);
        (bool done, bytes memory answer) = address(jobs).call{gas: 5_000_000}(data);
        assertFalse(done);
        assertEq(bytes32(bytes4(answer)), bytes32(IBlobPolicies.BlobPolicies_GasTooLow.selector));
    }

    function test_request__when_a_policy_calls_back__it_can_change_nothing() external {
        PolicyMock mock = new PolicyMock(0);
        mock.aim(address(jobs), abi.encodeCall(jobs.createTrigger, (termsOfTrigger(IJobTriggers.Kind.EveryEpochs))));
        mock.behave(IDataPolicy.evaluate.selector, PolicyMock.Deed.Strike);
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = list(certified());
        govern(order.inputs[0], address(mock));
        expectDenied(order.inputs[0], "PolicyFailed");
        request(order);
    }

    function test_request__of_two_equal_orders__makes_two_jobs_of_their_own() external {
        (uint256 first, uint256 second) = (request(1), request(1));
        draw(first);
        answer(first, results(1, 1));
        settle(first);
        assertStatus(first, IComputeJobs.Status.Over);
        assertStatus(second, IComputeJobs.Status.Requested);
        assertEq(reserve(), TOTAL);
    }

    // -- draw

    function test_draw__before_the_randomness_is_there__reverts() external {
        request(3);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.Randomness_TooEarly.selector, 1, 1));
        jobs.draw(1, requestOf(1));
    }

    function test_draw__when_the_randomness_is_lost__reverts_and_the_job_is_paid_back_in_time() external {
        request(3);
        randomness.draw(0);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.Randomness_Lost.selector, 1, 2));
        jobs.draw(1, requestOf(1));
        skip(DRAW_SECONDS);
        jobs.cancel(1, requestOf(1));
        assertEq(claimOf(other), TOTAL);
    }

    function test_draw__by_anyone__draws_different_members_and_tells_the_windows() external {
        request(7);
        randomness.draw("seed");
        uint64 time = uint64(vm.getBlockTimestamp());
        vm.prank(stranger);
        NodeId[] memory nodes = jobs.draw(1, requestOf(1));
        assertEq(nodes.length, 7);
        for (uint256 i = 0; i < 7; ++i) {
            assertGt(uint256(committee.weightOf(nodes[i])), 0);
            for (uint256 k = 0; k < i; ++k) {
                assertFalse(nodes[i] == nodes[k]);
            }
        }
        assertStatus(1, IComputeJobs.Status.Committing);
        IComputeJobs.Job memory job = jobs.jobOf(1);
        assertEq(Timestamp.unwrap(job.drawnAt), time);
        assertEq(uint256(job.drawnBlock), 1000);
        assertEq(keccak256(abi.encode(job.nodes)), keccak256(abi.encode(nodes)));
        assertEq(job.answers.length, 7);
    }

    function test_draw__given_the_same_seed__draws_the_same_panel_and_another_for_another_job() external {
        request(5);
        uint256 state = vm.snapshotState();
        randomness.draw("seed");
        bytes32 first = keccak256(abi.encode(jobs.draw(1, requestOf(1))));
        assertTrue(vm.revertToState(state));
        request(5);
        randomness.draw("seed");
        assertEq(keccak256(abi.encode(jobs.draw(1, requestOf(1)))), first);
        assertNotEq(keccak256(abi.encode(jobs.draw(2, requestOf(2)))), first);
    }

    function test_draw__as_often_as_its_shards_say__each_member_is_drawn_first() external {
        // One of ten members has 91 shards of 100.
        bytes memory assignment = new bytes(100);
        for (uint256 i = 0; i < 9; ++i) {
            assignment[i] = bytes1(uint8(i + 1));
        }
        vm.mockCall(address(committee), abi.encodeCall(committee.assignmentOf, (Epoch.wrap(1))), abi.encode(assignment));
        uint256 heavy = 0;
        for (uint256 i = 0; i < 100; ++i) {
            NodeId[] memory nodes = draw(request(3));
            if (NodeId.unwrap(nodes[0]) == 1) ++heavy;
            assertFalse(nodes[0] == nodes[1] || nodes[1] == nodes[2] || nodes[0] == nodes[2]);
        }
        assertGt(heavy, 80);
        assertLt(heavy, 100);
    }

    function test_draw__when_the_committee_changed_since__draws_of_the_one_at_the_request() external {
        request(7);
        vm.mockCall(address(committee), abi.encodeCall(committee.epoch, ()), abi.encode(9));
        randomness.draw("seed");
        vm.expectCall(address(committee), abi.encodeCall(committee.membersOf, (Epoch.wrap(1))));
        assertEq(jobs.draw(1, requestOf(1)).length, 7);
    }

    function test_draw__twice_or_too_late_or_of_no_job__reverts() external {
        uint256 job = drawn(3);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_AlreadyDrawn.selector, job));
        jobs.draw(job, requestOf(job));
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_UnknownJob.selector, 9));
        jobs.draw(9, requestOf(job));
        uint256 late = request(3);
        uint256 until = vm.getBlockTimestamp() + DRAW_SECONDS;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_DrawOver.selector, late, until));
        jobs.draw(late, requestOf(late));
        assertStatus(late, IComputeJobs.Status.Requested);
    }

    // -- commit and decline

    function test_commit__by_the_drawn_node__is_kept_and_told() external {
        uint256 job = drawn(3);
        bytes32 commitment = jobs.commitmentOf(job, nodeAt(job, 1), RIGHT, OUTPUT, SALT);
        (address signer, NodeId nodeId, bytes32 terms) = (signerAt(job, 1), nodeAt(job, 1), termsOf(job));
        vm.expectEmit(address(jobs));
        emit IComputeJobs.ResultCommitted(job, nodeId, 1, commitment);
        vm.prank(signer);
        jobs.commit(job, 1, terms, commitment);
        assertTrue(jobs.jobOf(job).answers[1] == IComputeJobs.Answer.Committed);
        assertTrue(jobs.jobOf(job).answers[0] == IComputeJobs.Answer.None);
    }

    function test_commit__by_anyone_else__reverts() external {
        uint256 job = drawn(3);
        (address signer, address wrong, bytes32 terms) = (signerAt(job, 1), signerAt(job, 2), termsOf(job));
        vm.expectRevert(
            abi.encodeWithSelector(IComputeJobs.ComputeJobs_CallerNotSigner.selector, job, 1, signer, wrong)
        );
        vm.prank(wrong);
        jobs.commit(job, 1, terms, "c");
        for (uint8 place = 3; place < 9; ++place) {
            vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_UnknownPlace.selector, job, place));
            vm.prank(signer);
            jobs.commit(job, place, terms, "c");
        }
    }

    function test_commit__when_the_signer_was_rotated__the_present_one_may() external {
        uint256 job = drawn(1);
        (address former, address operator, NodeId nodeId) = (signerAt(job, 0), operatorAt(job, 0), nodeAt(job, 0));
        Account memory next = makeAccount("rotated signer");
        bytes memory proof = nodeKeysProof(next, operator, abi.encode(next.addr));
        vm.prank(operator);
        nodeRegistry.rotateKeys(nodeId, next.addr, abi.encode(next.addr), proof);
        bytes32 terms = termsOf(job);
        vm.expectPartialRevert(IComputeJobs.ComputeJobs_CallerNotSigner.selector);
        vm.prank(former);
        jobs.commit(job, 0, terms, "c");
        answer(job, results(1, 1));
        settle(job);
        assertEq(claimOf(operator), FEE);
    }

    function test_commit__when_another_job_has_the_number_after_a_reorganisation__reverts() external {
        uint256 job = drawn(3);
        address signer = signerAt(job, 0);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_WrongTerms.selector, job));
        vm.prank(signer);
        jobs.commit(job, 0, keccak256("terms of the job on the other fork"), "c");
    }

    function test_commit__twice_or_after_declining__reverts() external {
        uint256 job = drawn(3);
        commit(job, 0, RIGHT);
        decline(job, 1);
        for (uint8 place = 0; place < 2; ++place) {
            (address signer, bytes32 terms) = (signerAt(job, place), termsOf(job));
            vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_AlreadyAnswered.selector, job, place));
            vm.prank(signer);
            jobs.commit(job, place, terms, "c");
            vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_AlreadyAnswered.selector, job, place));
            vm.prank(signer);
            jobs.decline(job, place);
        }
    }

    function test_commit__after_its_time_in_seconds_and_blocks__reverts() external {
        uint256 job = drawn(3);
        uint256 until = vm.getBlockTimestamp() + COMMIT_SECONDS;
        passCommit();
        (address signer, bytes32 terms) = (signerAt(job, 0), termsOf(job));
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_CommitOver.selector, job, until));
        vm.prank(signer);
        jobs.commit(job, 0, terms, "c");
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_CommitOver.selector, job, until));
        vm.prank(signer);
        jobs.decline(job, 0);
    }

    function test_commit__when_the_chain_stood_still__is_in_time_for_so_many_blocks() external {
        uint256 job = drawn(3);
        skip(10 days);
        vm.roll(vm.getBlockNumber() + WINDOW_BLOCKS - 1);
        expectStillOpen(job);
        settle(job);
        for (uint8 place = 0; place < 3; ++place) {
            commit(job, place, RIGHT);
        }
        vm.roll(vm.getBlockNumber() + WINDOW_BLOCKS);
        for (uint8 place = 0; place < 3; ++place) {
            reveal(job, place, RIGHT);
        }
        settle(job);
        assertEq(reserve(), 0);
    }

    function test_decline__by_all__ends_the_job_and_slashes_nobody() external {
        uint256 job = drawn(3);
        (address signer, NodeId nodeId) = (signerAt(job, 0), nodeAt(job, 0));
        vm.expectEmit(address(jobs));
        emit IComputeJobs.JobDeclined(job, nodeId, 0);
        vm.prank(signer);
        jobs.decline(job, 0);
        decline(job, 1);
        assertStatus(job, IComputeJobs.Status.Committing);
        decline(job, 2);
        assertStatus(job, IComputeJobs.Status.Settleable);
        IComputeJobs.Outcome memory outcome = settle(job);
        assertEq(uint256(outcome.agreeing | outcome.lying | outcome.absent), 0);
        assertEq(claimOf(other), TOTAL);
        assertEq(stakeOf(nodeId), 100e18);
    }

    // -- reveal

    function test_reveal__before_all_answered_and_in_their_time__reverts() external {
        uint256 job = drawn(3);
        commit(job, 0, RIGHT);
        commit(job, 1, RIGHT);
        uint256 until = vm.getBlockTimestamp() + COMMIT_SECONDS;
        address signer = signerAt(job, 0);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_CommitOpen.selector, job, until));
        vm.prank(signer);
        jobs.reveal(job, 0, RIGHT, OUTPUT, SALT);
        decline(job, 2);
        assertStatus(job, IComputeJobs.Status.Revealing);
        reveal(job, 0, RIGHT);
    }

    function test_reveal__when_one_never_commits__is_possible_after_the_time_for_it() external {
        uint256 job = drawn(3);
        commit(job, 0, RIGHT);
        passCommit();
        assertStatus(job, IComputeJobs.Status.Revealing);
        (NodeId nodeId, address signer) = (nodeAt(job, 0), signerAt(job, 0));
        vm.expectEmit(address(jobs));
        emit IComputeJobs.ResultRevealed(job, nodeId, 0, RIGHT, OUTPUT);
        vm.prank(signer);
        jobs.reveal(job, 0, RIGHT, OUTPUT, SALT);
        assertStatus(job, IComputeJobs.Status.Settleable);
    }

    function test_reveal__of_another_result_size_or_salt_than_committed_to__reverts() external {
        uint256 job = drawn(1);
        commit(job, 0, RIGHT);
        address signer = signerAt(job, 0);
        bytes memory expected = abi.encodeWithSelector(IComputeJobs.ComputeJobs_WrongReveal.selector, job, 0);
        vm.startPrank(signer);
        vm.expectRevert(expected);
        jobs.reveal(job, 0, WRONG, OUTPUT, SALT);
        vm.expectRevert(expected);
        jobs.reveal(job, 0, RIGHT, OUTPUT + 1, SALT);
        vm.expectRevert(expected);
        jobs.reveal(job, 0, RIGHT, OUTPUT, 0);
        vm.stopPrank();
    }

    function test_reveal__of_a_copied_commitment__can_never_succeed() external {
        uint256 job = drawn(3);
        bytes32 commitment = keccak256(abi.encode(job, nodeAt(job, 0), RIGHT, OUTPUT, SALT));
        commit(job, 0, RIGHT);
        (address copier, bytes32 terms) = (signerAt(job, 1), termsOf(job));
        vm.prank(copier);
        jobs.commit(job, 1, terms, commitment);
        commit(job, 2, RIGHT);
        reveal(job, 0, RIGHT);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_WrongReveal.selector, job, 1));
        vm.prank(copier);
        jobs.reveal(job, 1, RIGHT, OUTPUT, SALT);
        reveal(job, 2, RIGHT);
        passCommit();
        passReveal();
        NodeId nodeId = nodeAt(job, 1);
        IComputeJobs.Outcome memory outcome = settle(job);
        assertEq(uint256(outcome.agreeing), 5);
        assertEq(uint256(outcome.absent), 2);
        assertLt(stakeOf(nodeId), 100e18);
    }

    function test_reveal__twice_or_without_commitment__reverts() external {
        uint256 job = drawn(3);
        commit(job, 0, RIGHT);
        commit(job, 1, RIGHT);
        decline(job, 2);
        reveal(job, 0, RIGHT);
        for (uint8 place = 0; place < 3; place += 2) {
            address signer = signerAt(job, place);
            vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_NotCommitted.selector, job, place));
            vm.prank(signer);
            jobs.reveal(job, place, RIGHT, OUTPUT, SALT);
        }
    }

    function test_reveal__after_its_time__reverts() external {
        uint256 job = drawn(1);
        commit(job, 0, RIGHT);
        uint256 until = vm.getBlockTimestamp() + COMMIT_SECONDS + REVEAL_SECONDS;
        passCommit();
        passReveal();
        address signer = signerAt(job, 0);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_RevealOver.selector, job, until));
        vm.prank(signer);
        jobs.reveal(job, 0, RIGHT, OUTPUT, SALT);
    }

    function test_request__given_less_than_the_least_fee_for_each_replica__reverts() external {
        IComputeJobs.Parameters memory parameters = jobs.parameters();
        parameters.minimumFee = Amount.wrap(5);
        ComputeJobs dearer = deployJobs(parameters);
        IComputeJobs.Order memory order = orderOf(3);
        order.fee = Amount.wrap(14);
        expectOrderOutOfBounds("fee", 15, type(uint128).max, 14);
        dearer.request(order, new bytes[](1), Amount.wrap(type(uint128).max));
    }

    // -- partners

    function test_slash_and_credit__by_anyone_else__revert() external {
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_CallerNotAllowed.selector, address(custody), address(this))
        );
        staking.slash(NodeId.wrap(1), 1, 0, address(this), Epoch.wrap(0));
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_CallerNotSeller.selector, address(this)));
        revenuePools.credit(pool, other, Amount.wrap(1), 0);
    }

    function expectParameterOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IComputeJobs.ComputeJobs_ParameterOutOfBounds.selector, parameter, minimum, maximum, actual
            )
        );
    }

    function expectOrderOutOfBounds(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IComputeJobs.ComputeJobs_OrderOutOfBounds.selector, field, minimum, maximum, actual)
        );
    }

    function expectDenied(uint256 object, bytes32 reason) private {
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_Denied.selector, object, reason));
    }

    function expectTooExpensive(uint256 maximum, uint256 actual) private {
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_TooExpensive.selector, maximum, actual));
    }
}
