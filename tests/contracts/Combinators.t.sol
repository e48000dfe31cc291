// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {IEvidenceReader} from "../../contracts/interfaces/IEvidenceReader.sol";
import {PolicyAnswers} from "../../contracts/libraries/PolicyAnswers.sol";
import {AnsweringMock} from "../../contracts/mocks/AnsweringMock.sol";
import {OperandMock} from "../../contracts/mocks/OperandMock.sol";
import {AllOfPolicy} from "../../contracts/policies/kinds/AllOfPolicy.sol";
import {Combinator} from "../../contracts/policies/kinds/Combinator.sol";
import {NotPolicy} from "../../contracts/policies/kinds/NotPolicy.sol";
import {OperandCalls} from "../../contracts/policies/kinds/OperandCalls.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {KindsFixture} from "./support/KindsFixture.sol";
import {vm} from "./support/Vm.sol";

contract CombinatorsTest is KindsFixture {
    OperandMock private allowing;
    OperandMock private denying;
    OperandMock private failing;

    function setUp() public override {
        super.setUp();
        allowing = mock(OperandMock.Behaviour.Allow);
        denying = mock(OperandMock.Behaviour.Deny);
        failing = mock(OperandMock.Behaviour.Revert);
    }

    // -- creation

    function test_create__given_an_operand_that_is_no_policy__reverts() external {
        AnsweringMock liar = new AnsweringMock();
        expectNotAPolicy(stranger);
        expectNotAPolicy(address(credentials));
        liar.answer(abi.encode(2));
        expectNotAPolicy(address(liar));
        liar.behave(AnsweringMock.Behaviour.Megabyte);
        expectNotAPolicy(address(liar));
        liar.behave(AnsweringMock.Behaviour.BurnGas);
        expectNotAPolicy(address(liar));
    }

    function test_create__given_three_levels__works() external {
        address deepest = address(allOf(one(anyOf(one(not(ownerPolicy()))))));
        assertEq(uint256(IDataPolicy(deepest).depth()), 3);
        assertAllows(deepest, requestOf(reader));
        assertDenies(deepest, requestOf(owner), "NoneAllows");
    }

    function test_create__given_four_levels__reverts() external {
        address deepest = not(anyOf(one(not(ownerPolicy()))));
        vm.expectRevert(abi.encodeWithSelector(Combinator.Combinator_TooDeep.selector, deepest, 2, 3));
        allOf(one(deepest));
        allowing.setDepth(3);
        vm.expectRevert(abi.encodeWithSelector(Combinator.Combinator_TooDeep.selector, allowing, 2, 3));
        kOfN(1, one(address(allowing)));
    }

    function test_create__given_eight_operands__works() external {
        address[] memory eight = new address[](8);
        for (uint256 i = 0; i < 8; ++i) {
            eight[i] = ownerPolicy();
        }
        assertAllows(kOfN(8, eight), requestOf(owner));
    }

    // -- AllOf

    function test_AllOf__when_all_allow__allows_for_the_shortest_time() external {
        OperandMock hasty = mock(OperandMock.Behaviour.Allow);
        hasty.setTtl(5);
        (bytes4 answer, uint32 ttlSeconds,) = allOf(two(address(allowing), address(hasty))).evaluate(requestOf(reader));
        assertEq(bytes32(answer), bytes32(PolicyAnswers.ALLOW));
        assertEq(uint256(ttlSeconds), 5);
    }

    function test_AllOf__when_one_denies__denies_for_its_reason() external {
        assertDenies(address(allOf(two(address(allowing), address(denying)))), requestOf(reader), "Denied");
    }

    function test_AllOf__when_one_denies_without_a_reason__denies() external {
        denying.behave(OperandMock.Behaviour.DenyWithoutReason);
        assertDenies(address(allOf(two(address(allowing), address(denying)))), requestOf(reader), "OperandDenies");
    }

    function test_AllOf__when_one_fails__fails() external {
        address policy = address(allOf(two(address(failing), address(allowing))));
        assertFails(policy, requestOf(reader), operandFailed(address(failing)));
    }

    function test_AllOf__when_one_fails_and_another_denies__denies() external {
        assertDenies(address(allOf(two(address(failing), address(denying)))), requestOf(reader), "Denied");
    }

    // -- AnyOf

    function test_AnyOf__when_one_allows__allows() external {
        assertAllows(anyOf(two(address(denying), address(allowing))), requestOf(reader));
        assertAllows(anyOf(two(address(failing), address(allowing))), requestOf(reader));
    }

    function test_AnyOf__when_none_allows__denies() external {
        assertDenies(
            anyOf(mocks(OperandMock.Behaviour.Deny, OperandMock.Behaviour.Deny)), requestOf(reader), "NoneAllows"
        );
    }

    function test_AnyOf__when_none_allows_and_one_fails__fails() external {
        address policy = anyOf(two(address(denying), address(failing)));
        assertFails(policy, requestOf(reader), operandFailed(address(failing)));
    }

    // -- KOfN

    function test_KOfN__when_k_allow__allows() external {
        address[] memory list = three(address(denying), address(allowing), address(mock(OperandMock.Behaviour.Allow)));
        assertAllows(kOfN(2, list), requestOf(reader));
        list[0] = address(failing);
        assertAllows(kOfN(2, list), requestOf(reader));
    }

    function test_KOfN__when_fewer_allow__denies() external {
        address[] memory list = three(address(denying), address(allowing), address(mock(OperandMock.Behaviour.Deny)));
        assertDenies(kOfN(2, list), requestOf(reader), "TooFewAllow");
    }

    function test_KOfN__when_those_that_fail_could_decide__fails() external {
        address[] memory list = three(address(denying), address(allowing), address(failing));
        assertFails(kOfN(2, list), requestOf(reader), operandFailed(address(failing)));
        assertDenies(kOfN(3, list), requestOf(reader), "TooFewAllow");
    }

    // -- Not

    function test_Not__when_its_operand_denies__allows() external {
        assertAllows(not(address(denying)), requestOf(reader));
        denying.behave(OperandMock.Behaviour.DenyWithoutReason);
        assertAllows(not(address(denying)), requestOf(reader));
    }

    function test_Not__when_its_operand_allows__denies() external {
        assertDenies(not(address(allowing)), requestOf(reader), "OperandAllows");
    }

    function test_Not__when_its_operand_fails_in_any_way__lets_nobody_in() external {
        address policy = not(address(failing));
        for (
            uint256 i = uint256(OperandMock.Behaviour.AnswerUnknown); i <= uint256(OperandMock.Behaviour.BurnGas); ++i) {
            failing.behave(OperandMock.Behaviour(i));
            assertFails(policy, requestOf(reader), operandFailed(address(failing)));
        }
        vm.etch(address(failing), "");
        assertFails(policy, requestOf(reader), operandFailed(address(failing)));
    }

    function test_Not__when_an_operand_fails_levels_below__lets_nobody_in() external {
        address[] memory withAllow = two(address(failing), address(allowing));
        address[] memory withDeny = two(address(failing), address(denying));
        assertFails(not(address(allOf(withAllow))), requestOf(reader));
        assertFails(not(anyOf(withDeny)), requestOf(reader));
        assertFails(not(kOfN(2, withAllow)), requestOf(reader));
        assertFails(not(not(address(failing))), requestOf(reader));
        assertFails(anyOf(one(not(address(allOf(withAllow))))), requestOf(reader));
    }

    function test_Not__given_an_operand_that_reads_evidence__cannot_be_made() external {
        address merkle = factory.create("MerkleAllowList", abi.encode(1, administrator));
        address credential = factory.create("Credential", abi.encode(credentials, 0, administrator));
        expectReadsEvidence(merkle);
        expectReadsEvidence(credential);
        expectReadsEvidence(address(allOf(two(ownerPolicy(), credential))));
        expectReadsEvidence(anyOf(one(kOfN(1, one(merkle)))));
        allowing.setReadsEvidence(true);
        expectReadsEvidence(address(allowing));
    }

    function test_Not__given_an_operand_that_does_not_say_whether_it_reads_evidence__cannot_be_made() external {
        vm.mockCallRevert(address(allowing), abi.encodeCall(IEvidenceReader.readsEvidence, ()), "");
        expectReadsEvidence(address(allowing));
        assertTrue(allOf(one(address(allowing))).readsEvidence());
    }

    function test_Not__given_evidence__does_not_hand_it_on() external {
        // Else malformed evidence would make the operand deny, and so let in.
        address policy = not(address(allOf(one(address(allowing)))));
        assertDenies(policy, showing("nonsense"), "OperandAllows");
        vm.expectCall(address(allowing), abi.encodeCall(IDataPolicy.evaluate, (showing(""))));
        assertDenies(not(address(allowing)), showing("nonsense"), "OperandAllows");
    }

    // -- what operands are given

    function test_operand_that_misbehaves__whatever_it_does__only_costs_its_own_gas() external {
        address policy = anyOf(two(address(failing), address(allowing)));
        for (uint256 i = uint256(OperandMock.Behaviour.Deny); i <= uint256(OperandMock.Behaviour.BurnGas); ++i) {
            failing.behave(OperandMock.Behaviour(i));
            uint256 before = gasleft();
            assertAllows(policy, requestOf(reader));
            assertLe(before - gasleft(), 200_000);
        }
    }

    function test_operand__given_evidence__sees_its_own_part() external {
        bytes[] memory parts = new bytes[](3);
        (parts[0], parts[1], parts[2]) = ("first", "", new bytes(100));
        OperandMock[3] memory operands =
            [mock(OperandMock.Behaviour.Allow), mock(OperandMock.Behaviour.Allow), mock(OperandMock.Behaviour.Allow)];
        address[] memory list = three(address(operands[0]), address(operands[1]), address(operands[2]));
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectCall(address(operands[i]), abi.encodeCall(IDataPolicy.evaluate, (showing(parts[i]))), 2);
        }
        assertAllows(address(allOf(list)), showing(abi.encode(parts)));
        assertAllows(kOfN(3, list), showing(abi.encode(parts)));
    }

    function test_operand__given_evidence_levels_below__sees_its_own_part() external {
        bytes[] memory inner = new bytes[](2);
        bytes[] memory outer = new bytes[](2);
        inner[1] = "deep";
        outer[0] = abi.encode(inner);
        address policy = anyOf(two(address(allOf(two(ownerPolicy(), address(allowing)))), address(denying)));
        AccessRequest memory request = requestOf(owner);
        request.evidence = abi.encode(outer);
        AccessRequest memory expected = requestOf(owner);
        expected.evidence = "deep";
        vm.expectCall(address(allowing), abi.encodeCall(IDataPolicy.evaluate, (expected)));
        assertAllows(policy, request);
    }

    function test_operand__given_no_evidence__sees_none() external {
        vm.expectCall(address(allowing), abi.encodeCall(IDataPolicy.evaluate, (requestOf(reader))));
        assertAllows(address(allOf(one(address(allowing)))), requestOf(reader));
    }

    function test_combinator__given_malformed_evidence__denies() external {
        address policy = address(allOf(two(address(allowing), address(mock(OperandMock.Behaviour.Allow)))));
        bytes memory good = abi.encode(new bytes[](2));
        assertAllows(policy, showing(good));
        assertMalformed(policy, "x");
        assertMalformed(policy, abi.encode(new bytes[](1)));
        assertMalformed(policy, abi.encode(new bytes[](3)));
        assertMalformed(policy, abi.encode(64, 2, 64, 96, 0, 0));
        assertMalformed(policy, abi.encode(32, 2, 64, 96, 0));
        assertMalformed(policy, abi.encode(32, 2, 64, 97, 0, 0));
        assertMalformed(policy, abi.encode(32, 2, 64, type(uint256).max, 0, 0));
        assertMalformed(policy, abi.encode(32, 2, 64, type(uint256).max - 63, 0, 0));
        assertMalformed(policy, abi.encode(32, 2, 64, 96, 0, 1));
        assertMalformed(policy, abi.encode(32, 2, 64, 96, type(uint256).max, 0));
        assertMalformed(policy, abi.encode(32, type(uint256).max, 64, 96, 0, 0));
        assertDenies(anyOf(one(address(allowing))), showing("x"), "WrongEvidence");
        assertDenies(kOfN(1, one(address(allowing))), showing("x"), "WrongEvidence");
    }

    function test_combinator__given_any_evidence__allows_or_denies(bytes memory evidence) external {
        address policy = address(allOf(two(address(allowing), address(mock(OperandMock.Behaviour.Allow)))));
        (bytes4 answer,, bytes32 reason) = IDataPolicy(policy).evaluate(showing(evidence));
        assertEq(answer == PolicyAnswers.ALLOW, reason != "WrongEvidence");
    }

    // -- gas

    function test_combinator__when_there_is_too_little_gas__fails_whatever_it_would_answer() external {
        address policy = not(address(denying));
        (bool done, bytes memory why) =
            policy.staticcall{gas: 100_000}(abi.encodeCall(IDataPolicy.evaluate, (requestOf(reader))));
        assertFalse(done);
        assertEq(bytes32(bytes4(why)), bytes32(OperandCalls.OperandCalls_GasTooLow.selector));
    }

    function test_combinator__when_all_operands_burn_their_gas__has_enough_left_to_answer() external {
        // Depth 2 with 64 leaves: nothing that any of them does takes the gas of another.
        address[] memory outer = new address[](8);
        for (uint256 i = 0; i < 8; ++i) {
            address[] memory inner = new address[](8);
            for (uint256 k = 0; k < 8; ++k) {
                inner[k] = address(mock(OperandMock.Behaviour.BurnGas));
            }
            if (i == 7) inner[7] = address(allowing);
            outer[i] = anyOf(inner);
        }
        address policy = anyOf(outer);
        (bool done, bytes memory answer) =
            policy.staticcall{gas: EVALUATION_GAS}(abi.encodeCall(IDataPolicy.evaluate, (requestOf(reader))));
        assertTrue(done);
        assertEq(bytes32(bytes4(answer)), bytes32(PolicyAnswers.ALLOW));
    }

    function test_combinator__given_the_largest_tree__stays_below_the_gas_of_an_evaluation() external {
        address policy = largestTree();
        uint256 before = gasleft();
        (bool done, bytes memory answer) =
            policy.staticcall{gas: EVALUATION_GAS}(abi.encodeCall(IDataPolicy.evaluate, (requestOf(owner))));
        emit log_named_uint("gas of 512 leaves", before - gasleft());
        assertTrue(done);
        assertEq(bytes32(bytes4(answer)), bytes32(PolicyAnswers.ALLOW));
    }

    // -- prices

    function test_AllOf__given_prices__asks_for_the_sum() external {
        address[] memory list = three(payPerRead(5), ownerPolicy(), payPerRead(7));
        assertCosts(address(allOf(list)), requestOf(reader), 12);
        assertCosts(address(allOf(one(ownerPolicy()))), requestOf(reader), 0);
    }

    function test_AnyOf__given_prices__asks_for_that_of_the_first_that_allows() external {
        address policy = anyOf(three(ownerPolicy(), payPerRead(5), payPerRead(7)));
        assertCosts(policy, requestOf(owner), 0);
        assertCosts(policy, requestOf(reader), 5);
    }

    function test_KOfN__given_prices__asks_for_those_of_the_first_k_that_allow() external {
        address[] memory list = new address[](4);
        (list[0], list[1], list[2], list[3]) = (payPerRead(5), address(denying), payPerRead(7), payPerRead(11));
        assertCosts(kOfN(2, list), requestOf(reader), 12);
    }

    function test_Not__given_a_price__is_free() external {
        assertCosts(not(payPerRead(5)), requestOf(reader), 0);
    }

    function test_quote__when_too_few_allow__reverts() external {
        address policy = kOfN(2, three(address(allowing), address(denying), address(failing)));
        vm.expectRevert(abi.encodeWithSelector(Combinator.Combinator_TooFewAllow.selector, 2, 1));
        IDataPolicy(policy).quote(requestOf(reader));
    }

    function test_quote__given_malformed_evidence__reverts() external {
        address[] memory list = one(address(allowing));
        (address any, address all) = (anyOf(list), address(allOf(list)));
        bytes memory expected = abi.encodeWithSelector(Combinator.Combinator_TooFewAllow.selector, 1, 0);
        vm.expectRevert(expected);
        IDataPolicy(any).quote(showing("x"));
        vm.expectRevert(expected);
        IDataPolicy(all).quote(showing("x"));
    }

    function test_quote__when_prices_name_other_tokens_or_pools__reverts() external {
        address policy = address(allOf(two(payPerRead(5), address(allowing))));
        allowing.setPrice(wal, Amount.wrap(1), PoolId.wrap(POOL + 1));
        expectPricesDiffer(wal, POOL + 1);
        IDataPolicy(policy).quote(requestOf(reader));
        allowing.setPrice(stranger, Amount.wrap(1), PoolId.wrap(POOL));
        expectPricesDiffer(stranger, POOL);
        IDataPolicy(policy).quote(requestOf(reader));
        allowing.setPrice(stranger, Amount.wrap(0), PoolId.wrap(9));
        assertCosts(policy, requestOf(reader), 5);
    }

    function test_quote__when_an_operand_names_none_or_a_wrong_one__reverts() external {
        address policy = address(allOf(two(payPerRead(5), address(allowing))));
        allowing.setPrice(address(0), Amount.wrap(1), PoolId.wrap(POOL));
        vm.expectRevert(operandFailed(address(allowing)));
        IDataPolicy(policy).quote(requestOf(reader));
        allowing.setQuoteFails(true);
        vm.expectRevert(operandFailed(address(allowing)));
        IDataPolicy(policy).quote(requestOf(reader));
        vm.mockCall(
            address(allowing), abi.encodeWithSelector(IDataPolicy.quote.selector), abi.encode(wal, 2 ** 128, POOL)
        );
        vm.expectRevert(operandFailed(address(allowing)));
        IDataPolicy(policy).quote(requestOf(reader));
    }

    function test_quote__given_evidence__hands_on_its_parts() external {
        bytes[] memory parts = new bytes[](2);
        (parts[0], parts[1]) = ("first", "second");
        address[] memory list = two(address(denying), address(allowing));
        vm.expectCall(address(allowing), abi.encodeCall(IDataPolicy.quote, (showing("second"))), 2);
        IDataPolicy(anyOf(list)).quote(showing(abi.encode(parts)));
        allOf(list).quote(showing(abi.encode(parts)));
    }

    // -- retention of those that have none

    function test_AnyOf_KOfN_Not__when_asked_about_retention__forbid() external {
        address[] memory list =
            three(anyOf(one(address(allowing))), kOfN(1, one(address(allowing))), not(address(allowing)));
        for (uint256 i = 0; i < list.length; ++i) {
            IDataPolicy policy = IDataPolicy(list[i]);
            vm.expectRevert(Combinator.Combinator_NoRetention.selector);
            policy.canDelete(OBJECT);
            vm.expectRevert(Combinator.Combinator_NoRetention.selector);
            policy.canTransfer(OBJECT, stranger);
            vm.expectRevert(Combinator.Combinator_NoRetention.selector);
            policy.canReplace(OBJECT, stranger);
            vm.expectRevert(Combinator.Combinator_NoRetention.selector);
            policy.minimumEndEpoch(OBJECT);
            vm.expectRevert(Combinator.Combinator_NoRetention.selector);
            policy.destroyAt(OBJECT);
        }
    }

    /// @dev Eight times eight times eight owners.
    function largestTree() private returns (address) {
        address[] memory top = new address[](8);
        for (uint256 i = 0; i < 8; ++i) {
            address[] memory middle = new address[](8);
            for (uint256 k = 0; k < 8; ++k) {
                address[] memory leaves = new address[](8);
                for (uint256 m = 0; m < 8; ++m) {
                    leaves[m] = ownerPolicy();
                }
                middle[k] = address(allOf(leaves));
            }
            top[i] = address(allOf(middle));
        }
        return address(allOf(top));
    }

    function assertMalformed(address policy, bytes memory evidence) private view {
        assertDenies(policy, showing(evidence), "WrongEvidence");
    }

    function expectNotAPolicy(address operand) private {
        vm.expectRevert(abi.encodeWithSelector(Combinator.Combinator_NotAPolicy.selector, operand));
        allOf(one(operand));
    }

    function expectReadsEvidence(address operand) private {
        vm.expectRevert(abi.encodeWithSelector(NotPolicy.NotPolicy_OperandReadsEvidence.selector, operand));
        not(operand);
    }

    function expectPricesDiffer(address token, uint64 pool) private {
        vm.expectRevert(abi.encodeWithSelector(Combinator.Combinator_PricesDiffer.selector, wal, POOL, token, pool));
    }

    function three(address first, address second, address third) private pure returns (address[] memory list) {
        list = new address[](3);
        (list[0], list[1], list[2]) = (first, second, third);
    }
}
