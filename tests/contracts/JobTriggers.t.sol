// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IComputeJobs} from "../../contracts/interfaces/IComputeJobs.sol";
import {IJobTriggers} from "../../contracts/interfaces/IJobTriggers.sol";
import {IPurchases} from "../../contracts/interfaces/IPurchases.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {ComputeFixture} from "./support/ComputeFixture.sol";
import {vm} from "./support/Vm.sol";

contract JobTriggersTest is ComputeFixture {
    IJobTriggers.Kind private constant ON_CERTIFY = IJobTriggers.Kind.OnCertify;
    IJobTriggers.Kind private constant EVERY_EPOCHS = IJobTriggers.Kind.EveryEpochs;
    IJobTriggers.Kind private constant ON_PAYMENT = IJobTriggers.Kind.OnPayment;
    uint256 private constant FUND = 10e18;

    // -- createTrigger

    function test_createTrigger__when_all_is_in_order__is_kept_and_told() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_CERTIFY);
        vm.expectEmit(address(jobs));
        emit IJobTriggers.TriggerCreated(1, owner, terms);
        vm.prank(owner);
        assertEq(jobs.createTrigger(terms), 1);
        IJobTriggers.Trigger memory trigger = jobs.triggerOf(1);
        assertEq(trigger.owner, owner);
        assertEq(trigger.terms, keccak256(abi.encode(terms)));
        assertEq(uint256(trigger.firstObject), blobObject + 1);
        assertEq(uint256(Epoch.unwrap(trigger.last)), 0);
        assertEq(uint256(trigger.jobs), 0);
        assertTrue(trigger.balance.isZero());
        assertEq(jobs.triggerCount(), 1);
    }

    function test_createTrigger__given_terms_that_do_not_fit_its_kind__reverts() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_CERTIFY);
        terms.epochs = 1;
        expectTerms("epochs", 0, 0, 1);
        jobs.createTrigger(terms);
        (terms.epochs, terms.perEpoch) = (0, 0);
        expectTerms("perEpoch", 1, type(uint16).max, 0);
        jobs.createTrigger(terms);
        terms.order.inputs = list(blobObject);
        expectOrder("inputs", 0, 0, 1);
        jobs.createTrigger(terms);
        terms = termsOfTrigger(EVERY_EPOCHS);
        terms.epochs = 0;
        expectTerms("epochs", 1, type(uint32).max, 0);
        jobs.createTrigger(terms);
        (terms.epochs, terms.perEpoch) = (1, 2);
        expectTerms("perEpoch", 1, 1, 2);
        jobs.createTrigger(terms);
        terms.order.inputs = new uint256[](17);
        expectOrder("inputs", 1, 16, 17);
        jobs.createTrigger(terms);
        terms = termsOfTrigger(ON_PAYMENT);
        terms.order.inputs = new uint256[](2);
        expectOrder("inputs", 1, 1, 2);
        jobs.createTrigger(terms);
        terms.order = orderOf(2);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_WrongReplicas.selector, 2));
        jobs.createTrigger(terms);
    }

    // -- balances

    function test_fundTrigger__by_anyone__adds_to_the_balance() external {
        uint256 trigger = createTrigger(termsOfTrigger(EVERY_EPOCHS));
        vm.expectEmit(address(jobs));
        emit IJobTriggers.TriggerFunded(trigger, other, Amount.wrap(5), Amount.wrap(uint128(FUND + 5)));
        vm.prank(other);
        jobs.fundTrigger(trigger, Amount.wrap(5));
        assertEq(reserve(), FUND + 5);
        vm.expectRevert(IJobTriggers.JobTriggers_ZeroAmount.selector);
        jobs.fundTrigger(trigger, Amount.wrap(0));
        expectUnknown(9);
        jobs.fundTrigger(9, Amount.wrap(1));
    }

    function test_withdrawTrigger__by_its_owner__pays_out() external {
        uint256 trigger = createTrigger(termsOfTrigger(EVERY_EPOCHS));
        vm.expectRevert(abi.encodeWithSelector(IJobTriggers.JobTriggers_CallerNotOwner.selector, trigger, owner, other));
        vm.prank(other);
        jobs.withdrawTrigger(trigger, Amount.wrap(1), other);
        vm.startPrank(owner);
        vm.expectRevert(IJobTriggers.JobTriggers_ZeroAmount.selector);
        jobs.withdrawTrigger(trigger, Amount.wrap(0), owner);
        expectTooSmall(trigger, FUND + 1, FUND);
        jobs.withdrawTrigger(trigger, Amount.wrap(uint128(FUND + 1)), owner);
        vm.expectEmit(address(jobs));
        emit IJobTriggers.TriggerWithdrawn(trigger, stranger, Amount.wrap(uint128(FUND)));
        jobs.withdrawTrigger(trigger, Amount.wrap(uint128(FUND)), stranger);
        vm.stopPrank();
        assertEq(token.balanceOf(stranger), FUND);
        assertEq(reserve(), 0);
        expectUnknown(9);
        jobs.withdrawTrigger(9, Amount.wrap(1), owner);
    }

    // -- fire

    function test_fire__when_an_object_was_certified__requests_a_job_of_the_owner_without_a_hand() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_CERTIFY);
        uint256 trigger = createTrigger(terms);
        uint256 object = certified();
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = list(object);
        IComputeJobs.Request memory requested = requestOf(owner, order, free());
        vm.expectEmit(address(jobs));
        emit IJobTriggers.TriggerFired(trigger, 1, object, Amount.wrap(FEE), Amount.wrap(uint128(FUND - FEE)));
        vm.prank(stranger);
        assertEq(jobs.fire(trigger, terms, object, new bytes[](1)), 1);

        assertEq(jobs.jobOf(1).terms, keccak256(abi.encode(requested)));
        assertTrue(jobs.isComputed(trigger, object));
        assertFalse(jobs.isComputed(trigger, object + 1));
        assertEq(reserve(), FUND);
        requests[1] = abi.encode(requested);
        draw(1);
        answer(1, results(3, 3));
        settle(1);
        assertEq(reserve(), FUND - FEE);
    }

    function test_fire__for_the_same_object_twice__reverts() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_CERTIFY);
        uint256 trigger = createTrigger(terms);
        uint256 object = certified();
        jobs.fire(trigger, terms, object, new bytes[](1));
        expectNoReason(trigger, object);
        jobs.fire(trigger, terms, object, new bytes[](1));
        warpTo(2);
        expectNoReason(trigger, object);
        jobs.fire(trigger, terms, object, new bytes[](1));
    }

    function test_fire__for_an_older_object_or_one_that_is_not_certified_or_not_the_owners__reverts() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_CERTIFY);
        uint256 trigger = createTrigger(terms);
        expectNoReason(trigger, blobObject);
        jobs.fire(trigger, terms, blobObject, new bytes[](1));
        uint256 object = register();
        expectNoReason(trigger, object);
        jobs.fire(trigger, terms, object, new bytes[](1));
        expectNoReason(trigger, object + 1);
        jobs.fire(trigger, terms, object + 1, new bytes[](1));
        certify(object, bitmap(0, QUORUM));
        vm.prank(owner);
        registry.transferFrom(owner, other, object);
        expectNoReason(trigger, object);
        jobs.fire(trigger, terms, object, new bytes[](1));
    }

    function test_fire__for_an_object_that_was_given_to_the_owner__reverts() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_CERTIFY);
        uint256 trigger = createTrigger(terms);
        uint256 object = certified();
        // Whoever gives an object chose its policies, and with them who is paid.
        vm.prank(owner);
        registry.transferFrom(owner, other, object);
        vm.prank(other);
        registry.transferFrom(other, owner, object);
        expectNoReason(trigger, object);
        jobs.fire(trigger, terms, object, new bytes[](1));
    }

    function test_fire__more_often_than_its_terms_say__waits_for_the_next_epoch() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_CERTIFY);
        uint256 trigger = createTrigger(terms);
        uint256[3] memory objects = [certified(), certified(), certified()];
        jobs.fire(trigger, terms, objects[0], new bytes[](1));
        jobs.fire(trigger, terms, objects[1], new bytes[](1));
        expectNotDue(trigger, 2, 1);
        jobs.fire(trigger, terms, objects[2], new bytes[](1));
        warpTo(2);
        jobs.fire(trigger, terms, objects[2], new bytes[](1));
        assertEq(uint256(jobs.triggerOf(trigger).jobs), 1);
    }

    function test_fire__every_epochs__is_due_at_once_and_then_by_the_clock() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(EVERY_EPOCHS);
        uint256 trigger = createTrigger(terms);
        expectNoReason(trigger, 1);
        jobs.fire(trigger, terms, 1, new bytes[](1));
        jobs.fire(trigger, terms, 0, new bytes[](1));
        assertEq(Amount.unwrap(jobs.triggerOf(trigger).balance), FUND - TOTAL);
        expectNotDue(trigger, 3, 1);
        jobs.fire(trigger, terms, 0, new bytes[](1));
        warpTo(2);
        expectNotDue(trigger, 3, 2);
        jobs.fire(trigger, terms, 0, new bytes[](1));
        warpTo(3);
        jobs.fire(trigger, terms, 0, new bytes[](1));
        assertEq(jobs.jobCount(), 2);
    }

    function test_fire__every_so_many_epochs_that_there_are_no_more__is_due_once() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(EVERY_EPOCHS);
        terms.epochs = type(uint32).max;
        uint256 trigger = createTrigger(terms);
        jobs.fire(trigger, terms, 0, new bytes[](1));
        expectNotDue(trigger, type(uint32).max, 1);
        jobs.fire(trigger, terms, 0, new bytes[](1));
    }

    function test_fire__when_reads_were_bought__requests_a_job_once_an_epoch() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_PAYMENT);
        uint256 trigger = createTrigger(terms);
        expectNoReason(trigger, uint160(other));
        jobs.fire(trigger, terms, uint160(other), new bytes[](1));
        buy(other, 3);
        jobs.fire(trigger, terms, uint160(other), new bytes[](1));
        assertEq(uint256(jobs.readsSeen(trigger, other)), 3);
        buy(stranger, 1);
        expectNotDue(trigger, 2, 1);
        jobs.fire(trigger, terms, uint160(stranger), new bytes[](1));
        warpTo(2);
        expectNoReason(trigger, uint160(other));
        jobs.fire(trigger, terms, uint160(other), new bytes[](1));
        expectNoReason(trigger, 2 ** 160);
        jobs.fire(trigger, terms, 2 ** 160, new bytes[](1));
        jobs.fire(trigger, terms, uint160(stranger), new bytes[](1));
    }

    function test_fire__when_the_balance_or_the_maximum_is_too_small__reverts() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(EVERY_EPOCHS);
        terms.maximum = Amount.wrap(uint128(TOTAL - 1));
        uint256 trigger = createTrigger(terms);
        vm.expectRevert(abi.encodeWithSelector(IComputeJobs.ComputeJobs_TooExpensive.selector, TOTAL - 1, TOTAL));
        jobs.fire(trigger, terms, 0, new bytes[](1));
        terms.maximum = Amount.wrap(uint128(TOTAL));
        trigger = createTrigger(terms);
        vm.prank(owner);
        jobs.withdrawTrigger(trigger, Amount.wrap(uint128(FUND - TOTAL + 1)), owner);
        expectTooSmall(trigger, TOTAL, TOTAL - 1);
        jobs.fire(trigger, terms, 0, new bytes[](1));
    }

    function test_fire__with_other_terms_or_of_no_trigger__reverts() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(EVERY_EPOCHS);
        uint256 trigger = createTrigger(terms);
        terms.order.fee = Amount.wrap(0);
        vm.expectRevert(abi.encodeWithSelector(IJobTriggers.JobTriggers_WrongTerms.selector, trigger));
        jobs.fire(trigger, terms, 0, new bytes[](1));
        expectUnknown(9);
        jobs.fire(9, terms, 0, new bytes[](1));
        expectUnknown(9);
        jobs.triggerOf(9);
    }

    function test_fire__when_the_owner_may_not_compute__reverts_and_uses_nothing_up() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(ON_CERTIFY);
        terms.order.program = blobId("another program");
        uint256 trigger = createTrigger(terms);
        uint256 object = certified();
        govern(object, policy);
        vm.expectRevert(
            abi.encodeWithSelector(IComputeJobs.ComputeJobs_Denied.selector, object, bytes32("NotAProgram"))
        );
        jobs.fire(trigger, terms, object, new bytes[](1));
        assertFalse(jobs.isComputed(trigger, object));
        assertEq(uint256(jobs.triggerOf(trigger).jobs), 0);
    }

    function test_fire__when_its_job_is_paid_back__the_owner_has_a_claim() external {
        IJobTriggers.Terms memory terms = termsOfTrigger(EVERY_EPOCHS);
        uint256 trigger = createTrigger(terms);
        IComputeJobs.Request memory requested = requestOf(owner, terms.order, chargesOf(1));
        uint256 job = jobs.fire(trigger, terms, 0, new bytes[](1));
        skip(DRAW_SECONDS);
        jobs.cancel(job, requested);
        assertEq(claimOf(owner), TOTAL);
        assertEq(reserve(), FUND - TOTAL);
    }

    function buy(address reader, uint32 count) private {
        vm.mockCall(address(purchases), abi.encodeCall(IPurchases.readsOf, (blobObject, reader)), abi.encode(count));
    }

    function expectTerms(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IJobTriggers.JobTriggers_TermsOutOfBounds.selector, field, minimum, maximum, actual)
        );
    }

    function expectOrder(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IComputeJobs.ComputeJobs_OrderOutOfBounds.selector, field, minimum, maximum, actual)
        );
    }

    function expectNotDue(uint256 trigger, uint256 from, uint256 epoch) private {
        vm.expectRevert(abi.encodeWithSelector(IJobTriggers.JobTriggers_NotDue.selector, trigger, from, epoch));
    }

    function expectNoReason(uint256 trigger, uint256 subject) private {
        vm.expectRevert(abi.encodeWithSelector(IJobTriggers.JobTriggers_NoReason.selector, trigger, subject));
    }

    function expectTooSmall(uint256 trigger, uint256 requested, uint256 balance) private {
        vm.expectRevert(
            abi.encodeWithSelector(IJobTriggers.JobTriggers_BalanceTooSmall.selector, trigger, requested, balance)
        );
    }

    function expectUnknown(uint256 trigger) private {
        vm.expectRevert(abi.encodeWithSelector(IJobTriggers.JobTriggers_UnknownTrigger.selector, trigger));
    }
}
