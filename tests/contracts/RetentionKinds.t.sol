// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {OperandMock} from "../../contracts/mocks/OperandMock.sol";
import {LegalHoldPolicy} from "../../contracts/policies/kinds/LegalHoldPolicy.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {KindsFixture} from "./support/KindsFixture.sol";
import {vm} from "./support/Vm.sol";

contract RetentionKindsTest is KindsFixture {
    address private court;
    address private regulator;

    function setUp() public override {
        super.setUp();
        (court, regulator) = (makeAddr("court"), makeAddr("regulator"));
    }

    function test_retention_kinds__when_asked_to_decide__let_nobody_in() external {
        assertDenies(address(fixedTerm()), requestOf(owner), "RetentionOnly");
        assertDenies(address(writeOnce()), requestOf(owner), "RetentionOnly");
        assertDenies(address(legalHold()), requestOf(owner), "RetentionOnly");
        assertDenies(address(deleteAfter(1 days)), requestOf(owner), "RetentionOnly");
    }

    // -- FixedTerm

    function test_FixedTerm__before_its_epoch__forbids_to_delete_and_to_replace() external {
        IDataPolicy policy = fixedTerm();
        assertRetention(policy, false, false, CURRENT_EPOCH + 3, 0);
        setEpoch(CURRENT_EPOCH + 2);
        assertRetention(policy, false, false, CURRENT_EPOCH + 3, 0);
    }

    function test_FixedTerm__from_its_epoch_on__allows_all() external {
        IDataPolicy policy = fixedTerm();
        setEpoch(CURRENT_EPOCH + 3);
        assertRetention(policy, true, true, CURRENT_EPOCH + 3, 0);
    }

    // -- WriteOnce

    function test_WriteOnce__for_ever__forbids_to_delete_and_to_replace() external {
        IDataPolicy policy = writeOnce();
        assertRetention(policy, false, false, type(uint32).max, 0);
        setEpoch(type(uint32).max);
        assertRetention(policy, false, false, type(uint32).max, 0);
    }

    // -- LegalHold

    function test_LegalHold__while_nobody_holds__allows_all() external {
        assertRetention(legalHold(), true, true, 0, 0);
    }

    function test_LegalHold__while_any_holds__forbids_to_delete_and_to_replace() external {
        LegalHoldPolicy policy = legalHold();
        setHold(policy, court, true);
        setHold(policy, regulator, true);
        assertRetention(policy, false, false, 0, 0);
        setHold(policy, court, false);
        assertFalse(policy.isHeldBy(OBJECT, court));
        assertTrue(policy.isHeldBy(OBJECT, regulator));
        assertRetention(policy, false, false, 0, 0);
        setHold(policy, regulator, false);
        assertRetention(policy, true, true, 0, 0);
    }

    function test_LegalHold__while_another_object_is_held__allows_all() external {
        LegalHoldPolicy policy = legalHold();
        vm.prank(court);
        policy.setHold(OBJECT + 1, true);
        assertRetention(policy, true, true, 0, 0);
        assertTrue(policy.isHeldBy(OBJECT + 1, court));
    }

    function test_setHold__when_the_caller_is_no_holder__reverts() external {
        LegalHoldPolicy policy = legalHold();
        vm.expectRevert(abi.encodeWithSelector(LegalHoldPolicy.LegalHoldPolicy_CallerNotHolder.selector, owner));
        setHold(policy, owner, true);
    }

    function test_setHold__when_it_changes_something__tells() external {
        LegalHoldPolicy policy = legalHold();
        vm.expectEmit(address(policy));
        emit LegalHoldPolicy.HoldChanged(OBJECT, court, true);
        setHold(policy, court, true);
        vm.expectEmit(address(policy));
        emit LegalHoldPolicy.HoldChanged(OBJECT, court, false);
        setHold(policy, court, false);
    }

    function test_setHold__when_it_changes_nothing__keeps_silent() external {
        LegalHoldPolicy policy = legalHold();
        vm.recordLogs();
        setHold(policy, court, false);
        assertEq(vm.getRecordedLogs().length, 0);
        setHold(policy, court, true);
        setHold(policy, court, true);
        assertEq(vm.getRecordedLogs().length, 1);
        assertTrue(policy.isHeldBy(OBJECT, court));
        assertFalse(policy.isHeldBy(OBJECT, owner));
    }

    // -- DeleteAfter

    function test_DeleteAfter__given_a_time__names_it_and_cannot_be_replaced() external {
        assertRetention(deleteAfter(1 days), true, false, 0, uint64(NOW + 1 days));
    }

    // -- AllOf

    function test_AllOf__given_retention_rules__all_hold() external {
        LegalHoldPolicy hold = legalHold();
        address[] memory rules = new address[](5);
        (rules[0], rules[1], rules[2]) = (address(hold), address(fixedTerm()), address(deleteAfter(9 days)));
        (rules[3], rules[4]) = (address(deleteAfter(5 days)), ownerPolicy());
        IDataPolicy policy = allOf(rules);
        assertRetention(policy, false, false, CURRENT_EPOCH + 3, uint64(NOW + 5 days));
        setEpoch(CURRENT_EPOCH + 3);
        assertRetention(policy, true, false, CURRENT_EPOCH + 3, uint64(NOW + 5 days));
        setHold(hold, court, true);
        assertRetention(policy, false, false, CURRENT_EPOCH + 3, uint64(NOW + 5 days));
    }

    function test_AllOf__when_it_would_be_replaced_by_one_of_its_rules__asks_the_others() external {
        address once = address(writeOnce());
        LegalHoldPolicy hold = legalHold();
        IDataPolicy policy = allOf(two(once, address(hold)));
        assertTrue(policy.canReplace(OBJECT, once));
        assertFalse(policy.canReplace(OBJECT, address(hold)));
        setHold(hold, court, true);
        assertFalse(policy.canReplace(OBJECT, once));
    }

    function test_AllOf__when_one_rule_forbids_a_transfer__forbids_it() external {
        OperandMock rule = mock(OperandMock.Behaviour.Allow);
        IDataPolicy policy = allOf(two(address(writeOnce()), address(rule)));
        assertTrue(policy.canTransfer(OBJECT, stranger));
        rule.setRetention(OperandMock.Retention(true, false, true, Epoch.wrap(0), Timestamp.wrap(0), false));
        assertFalse(policy.canTransfer(OBJECT, stranger));
    }

    function test_AllOf__when_a_rule_does_not_answer__forbids_all() external {
        OperandMock rule = mock(OperandMock.Behaviour.Allow);
        rule.setRetention(OperandMock.Retention(true, true, true, Epoch.wrap(0), Timestamp.wrap(0), true));
        IDataPolicy policy = allOf(one(address(rule)));
        bytes memory expected = operandFailed(address(rule));
        vm.expectRevert(expected);
        policy.canDelete(OBJECT);
        vm.expectRevert(expected);
        policy.canTransfer(OBJECT, stranger);
        vm.expectRevert(expected);
        policy.canReplace(OBJECT, stranger);
        vm.expectRevert(expected);
        policy.minimumEndEpoch(OBJECT);
        vm.expectRevert(expected);
        policy.destroyAt(OBJECT);
    }

    function test_AllOf__when_a_rule_answers_out_of_bounds__forbids_all() external {
        address rule = address(mock(OperandMock.Behaviour.Allow));
        IDataPolicy policy = allOf(one(rule));
        vm.mockCall(rule, abi.encodeCall(IDataPolicy.canDelete, (OBJECT)), abi.encode(2));
        vm.mockCall(rule, abi.encodeCall(IDataPolicy.minimumEndEpoch, (OBJECT)), abi.encode(2 ** 32));
        vm.mockCall(rule, abi.encodeCall(IDataPolicy.destroyAt, (OBJECT)), abi.encode(2 ** 64));
        bytes memory expected = operandFailed(rule);
        vm.expectRevert(expected);
        policy.canDelete(OBJECT);
        vm.expectRevert(expected);
        policy.minimumEndEpoch(OBJECT);
        vm.expectRevert(expected);
        policy.destroyAt(OBJECT);
    }

    /// @dev Transfers, and another policy beside the same rule, are allowed by each of them.
    function assertRetention(IDataPolicy policy, bool deletable, bool replaceable, uint32 end, uint64 destroyAt)
        private
        view
    {
        assertEq(policy.canDelete(OBJECT), deletable);
        assertEq(policy.canReplace(OBJECT, address(0)), replaceable);
        assertEq(policy.canReplace(OBJECT, stranger), replaceable);
        assertTrue(policy.canReplace(OBJECT, address(policy)));
        assertTrue(policy.canTransfer(OBJECT, stranger));
        assertEq(uint256(Epoch.unwrap(policy.minimumEndEpoch(OBJECT))), end);
        assertEq(uint256(Timestamp.unwrap(policy.destroyAt(OBJECT))), destroyAt);
    }

    function fixedTerm() private returns (IDataPolicy) {
        return IDataPolicy(factory.create("FixedTerm", abi.encode(CURRENT_EPOCH + 3)));
    }

    function writeOnce() private returns (IDataPolicy) {
        return IDataPolicy(factory.create("WriteOnce", ""));
    }

    function legalHold() private returns (LegalHoldPolicy) {
        return LegalHoldPolicy(factory.create("LegalHold", abi.encode(two(court, regulator))));
    }

    function deleteAfter(uint256 duration) private returns (IDataPolicy) {
        return IDataPolicy(factory.create("DeleteAfter", abi.encode(NOW + duration)));
    }

    function setHold(LegalHoldPolicy policy, address holder, bool held) private {
        vm.prank(holder);
        policy.setHold(OBJECT, held);
    }

    function setEpoch(uint32 epoch) private {
        vm.mockCall(makeAddr("committee"), abi.encodeCall(ICommittee.currentEpoch, ()), abi.encode(epoch));
    }
}
