// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {PolicyAnswers} from "../../contracts/libraries/PolicyAnswers.sol";
import {PolicyMock} from "../../contracts/mocks/PolicyMock.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {PolicyFixture} from "./support/PolicyFixture.sol";
import {vm} from "./support/Vm.sol";

/// @notice Policies that mean harm, and callers who do.
contract PolicyAttacksTest is PolicyFixture {
    bytes4 private constant EVALUATE = IDataPolicy.evaluate.selector;
    bytes4 private constant QUOTE = IDataPolicy.quote.selector;
    bytes4 private constant DESTROY_AT = IDataPolicy.destroyAt.selector;
    bytes4 private constant ON_EXTENDED = IDataPolicy.onExtended.selector;
    uint256 private constant EVALUATION_GAS = 8_000_000;
    uint256 private constant HOOK_GAS = 100_000;
    uint256 private constant AGENTS_GAS = 30_000_000;

    // Access fails closed

    function test_judge__given_a_policy_whose_code_is_gone__denies() external {
        vm.etch(address(access), "");
        assertDenied("PolicyWithoutCode");
    }

    function test_judge__given_a_policy_whose_code_changed_after_it_was_attached__asks_the_code_of_now() external {
        PolicyMock strict = new PolicyMock(0);
        assertAllowed();
        // Other code over the same storage: one that answers nothing.
        vm.etch(address(access), hex"00");
        assertDenied("PolicyFailed");
        vm.etch(address(access), address(strict).code);
        deny("NotListed");
        assertDenied("NotListed");
    }

    function test_judge__given_a_policy_that_reverts__denies() external {
        access.behave(EVALUATE, PolicyMock.Deed.Revert);
        assertDenied("PolicyFailed");
    }

    function test_judge__given_a_policy_that_burns_all_gas__denies_within_what_agents_give() external {
        access.behave(EVALUATE, PolicyMock.Deed.BurnGas);
        assertDenied(policies.judge{gas: AGENTS_GAS}(question()), "PolicyFailed");
        access.behave(EVALUATE, PolicyMock.Deed.Answer);
        access.behave(QUOTE, PolicyMock.Deed.BurnGas);
        assertDenied(policies.judge{gas: AGENTS_GAS}(question()), "QuoteFailed");
    }

    function test_judge__given_a_policy_that_returns_a_megabyte__denies_and_copies_nothing() external {
        uint256 before = gasleft();
        deny("NotListed");
        judge();
        uint256 usual = before - gasleft();

        access.behave(EVALUATE, PolicyMock.Deed.AnswerWithMegabyte);
        before = gasleft();
        assertDenied("PolicyFailed");
        // To make a megabyte costs the policy 2.2 million; to copy one would cost the judge as much again.
        assertLt(before - gasleft(), usual + 2_600_000);
    }

    function test_judge__given_answers_of_a_wrong_form__denies() external {
        bytes memory right = abi.encode(PolicyAnswers.ALLOW, uint32(60), bytes32(0));
        expectFailed("");
        expectFailed(abi.encode(PolicyAnswers.ALLOW));
        expectFailed(bytes.concat(right, hex"00"));
        expectFailed(abi.encode(true, uint32(60), bytes32(0)));
        expectFailed(abi.encode(PolicyAnswers.ALLOW, uint256(2 ** 32), bytes32(0)));
        expectFailed(abi.encode(bytes32(PolicyAnswers.ALLOW) | bytes32(uint256(1)), uint32(60), bytes32(0)));
        access.answer(EVALUATE, right);
        assertAllowed();
    }

    function test_judge__given_any_answer__allows_only_ALLOW(bytes32 answer, uint32 ttl, bytes32 reason) external {
        access.answer(EVALUATE, abi.encode(answer, ttl, reason));
        bytes32 expected = answer == bytes32(PolicyAnswers.DENY) ? reason : bytes32("PolicyFailed");
        if (answer == bytes32(PolicyAnswers.ALLOW)) assertAllowed();
        else assertDenied(expected);
    }

    function test_judge__given_a_policy_that_writes__denies() external {
        access.behave(EVALUATE, PolicyMock.Deed.Note);
        assertDenied("PolicyFailed");
    }

    function test_judge__given_a_policy_that_calls_back__nothing_changes() external {
        access.aim(address(policies), abi.encodeCall(IBlobPolicies.enact, (blobObject)));
        access.behave(EVALUATE, PolicyMock.Deed.Strike);
        announce(pair(address(0), address(0)));
        skip(NOTICE - 1);
        assertDenied("PolicyFailed");
        assertInForce(address(access), address(retention));
    }

    // Gas: the same answer whatever the caller gives, or none

    function test_judge__given_a_policy_that_answers_by_gas__gives_it_the_same_whatever_the_caller_has(uint256 gas)
        external
    {
        access.behave(EVALUATE, PolicyMock.Deed.DenyByGasLeft);
        bytes32 expected = policies.judge{gas: AGENTS_GAS}(question()).reason;
        assertGt(uint256(expected), EVALUATION_GAS - 1000);
        assertLt(uint256(expected), EVALUATION_GAS);

        gas = bound(gas, 200_000, 20_000_000);
        try policies.judge{gas: gas}(question()) returns (IBlobPolicies.Verdict memory verdict) {
            assertEq(verdict.reason, expected);
            assertGt(gas, EVALUATION_GAS);
        } catch (bytes memory failure) {
            assertEq(bytes32(bytes4(failure)), bytes32(IBlobPolicies.BlobPolicies_GasTooLow.selector));
            assertLt(gas, 8_400_000);
        }
    }

    function test_judge__when_too_little_gas_is_left_for_the_quote__reverts_rather_than_deny() external {
        // Uses much gas, and allows.
        access.behave(QUOTE, PolicyMock.Deed.BurnGas);
        vm.expectPartialRevert(IBlobPolicies.BlobPolicies_GasTooLow.selector);
        policies.quoteOf{gas: EVALUATION_GAS}(question());
    }

    // Quotes

    function test_judge__given_a_quote_in_another_token__denies() external {
        quote(address(access), 5e18, 1);
        assertDenied("WrongToken");
        quote(address(0), 5e18, 1);
        assertDenied("WrongToken");
        quote(address(access), 0, 1);
        assertDenied("WrongToken");
    }

    function test_judge__given_a_quote_for_an_unknown_pool__denies() external {
        quote(address(token), 5e18, 2);
        assertDenied("UnknownPool");
    }

    function test_judge__given_a_quote_of_a_wrong_form__denies() external {
        quote(address(token), 2 ** 128, 1);
        assertDenied("QuoteFailed");
        quote(address(token), 5e18, 2 ** 64);
        assertDenied("QuoteFailed");
        access.answer(QUOTE, abi.encode(uint256(uint160(address(token))) | 1 << 160, 5e18, 1));
        assertDenied("QuoteFailed");
        access.answer(QUOTE, abi.encode(address(token), 5e18));
        assertDenied("QuoteFailed");
        access.behave(QUOTE, PolicyMock.Deed.AnswerWithMegabyte);
        assertDenied("QuoteFailed");
        access.behave(QUOTE, PolicyMock.Deed.Revert);
        assertDenied("QuoteFailed");
    }

    // Retention fails closed

    function test_retention__given_a_policy_that_fails__forbids_everything() external {
        PolicyMock.Deed[4] memory deeds =
            [PolicyMock.Deed.Revert, PolicyMock.Deed.BurnGas, PolicyMock.Deed.AnswerWithMegabyte, PolicyMock.Deed.Note];
        for (uint256 i = 0; i < deeds.length; ++i) {
            retention.behave(IDataPolicy.canDelete.selector, deeds[i]);
            retention.behave(IDataPolicy.canTransfer.selector, deeds[i]);
            retention.behave(IDataPolicy.canReplace.selector, deeds[i]);
            assertAllForbidden();
        }
    }

    function test_retention__given_a_policy_whose_code_is_gone__forbids_everything() external {
        vm.etch(address(retention), "");
        assertAllForbidden();
    }

    function test_retention__given_an_answer_that_is_neither_yes_nor_no__forbids() external {
        bytes[3] memory answers = [abi.encode(2), abi.encodePacked(true), abi.encode(true, true)];
        for (uint256 i = 0; i < answers.length; ++i) {
            retention.answer(IDataPolicy.canDelete.selector, answers[i]);
            retention.answer(IDataPolicy.canTransfer.selector, answers[i]);
            retention.answer(IDataPolicy.canReplace.selector, answers[i]);
            assertAllForbidden();
        }
    }

    function test_retention__given_no_minimum_end__forbids_to_delete() external {
        retention.behave(IDataPolicy.minimumEndEpoch.selector, PolicyMock.Deed.Revert);
        expectForbidden("minimumEndEpoch");
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        retention.answer(IDataPolicy.minimumEndEpoch.selector, abi.encode(type(uint256).max));
        expectForbidden("minimumEndEpoch");
        vm.prank(owner);
        registry.deleteBlob(blobObject);
    }

    function test_retention__when_the_caller_gives_little_gas__reverts_rather_than_ask() external {
        vm.prank(owner);
        vm.expectPartialRevert(IBlobPolicies.BlobPolicies_GasTooLow.selector);
        registry.deleteBlob{gas: EVALUATION_GAS}(blobObject);
        vm.prank(owner);
        vm.expectPartialRevert(IBlobPolicies.BlobPolicies_GasTooLow.selector);
        registry.transferFrom{gas: EVALUATION_GAS}(owner, other, blobObject);
        vm.prank(owner);
        vm.expectPartialRevert(IBlobPolicies.BlobPolicies_GasTooLow.selector);
        policies.announce{gas: EVALUATION_GAS}(blobObject, pair(address(0), address(0)));
    }

    function test_destroyAtOf__given_a_policy_that_fails__destroys_nothing_and_releases_nothing() external {
        retention.behave(DESTROY_AT, PolicyMock.Deed.Revert);
        assertEq(Timestamp.unwrap(policies.destroyAtOf(blobObject)), type(uint64).max);
        assertDenied("RetentionFailed");
        retention.answer(DESTROY_AT, abi.encode(2 ** 64));
        assertEq(Timestamp.unwrap(policies.destroyAtOf(blobObject)), type(uint64).max);
        assertDenied("RetentionFailed");
        vm.etch(address(retention), "");
        assertEq(Timestamp.unwrap(policies.destroyAtOf(blobObject)), type(uint64).max);
        assertDenied("RetentionFailed");
    }

    // Hooks fail open

    function test_hook__given_a_policy_that_fails__blocks_nothing_and_is_logged() external {
        PolicyMock.Deed[2] memory deeds = [PolicyMock.Deed.Revert, PolicyMock.Deed.BurnGas];
        for (uint256 i = 0; i < deeds.length; ++i) {
            access.behave(ON_EXTENDED, deeds[i]);
            expectHookFailed(blobObject, 1);
            vm.prank(owner);
            registry.extend(blobObject, 1);
        }
        assertEq(retention.count(ON_EXTENDED), 2);

        uint256 object = register();
        attach(object, pair(address(access), address(0)));
        access.behave(IDataPolicy.onCertified.selector, PolicyMock.Deed.BurnGas);
        bytes memory signatures = attestations(object, bitmap(0, QUORUM));
        expectHookFailed(object, 0);
        registry.certify(object, bitmap(0, QUORUM), signatures);
        assertStatus(object, IBlobRegistry.Status.Certified);

        access.behave(IDataPolicy.onRead.selector, PolicyMock.Deed.Revert);
        expectHookFailed(object, 2);
        vm.prank(address(purchases));
        policies.notifyRead(object, other, 1, Amount.wrap(1));

        access.behave(IDataPolicy.onExpired.selector, PolicyMock.Deed.Revert);
        warpTo(1 + EPOCHS);
        expectHookFailed(object, 3);
        policies.expire(object);
    }

    function test_hook__given_a_policy_whose_code_is_gone__blocks_nothing_and_is_logged() external {
        vm.etch(address(access), "");
        expectHookFailed(blobObject, 1);
        vm.prank(owner);
        registry.extend(blobObject, 1);
    }

    function test_hook__given_a_policy_that_returns_a_megabyte__costs_no_more_than_its_gas() external {
        // It has not the gas to make one.
        access.behave(ON_EXTENDED, PolicyMock.Deed.AnswerWithMegabyte);
        expectHookFailed(blobObject, 1);
        vm.prank(owner);
        registry.extend{gas: 500_000}(blobObject, 1);
    }

    function test_hook__when_the_caller_gives_little_gas__it_is_not_starved(uint256 gas) external {
        gas = bound(gas, 60_000, 600_000);
        vm.prank(owner);
        try registry.extend{gas: gas}(blobObject, 1) {
            assertEq(access.count(ON_EXTENDED), 1);
            assertEq(retention.count(ON_EXTENDED), 1);
        } catch {
            assertEq(access.count(ON_EXTENDED), 0);
            assertEq(Epoch.unwrap(registry.blobOf(blobObject).end), 1 + EPOCHS);
        }
    }

    function test_hook__given_a_policy_that_calls_back__finds_all_books_closed() external {
        // The policy may write on the object: it deletes it while it is told that it was extended.
        PolicyMock thief = new PolicyMock(ALL_HOOKS);
        uint256 object = register();
        attach(object, pair(address(thief), address(0)));
        vm.prank(owner);
        registry.setApprovalForAll(address(thief), true);
        // A claim that exists is cheaper to add to: a hook has not the gas to begin one.
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        uint256 claim = Amount.unwrap(vault.claimOf(owner));
        uint256 refund = Amount.unwrap(registry.blobOf(object).rate) * EPOCHS;
        thief.aim(address(registry), abi.encodeCall(IBlobRegistry.deleteBlob, (object)));
        thief.behave(ON_EXTENDED, PolicyMock.Deed.Strike);
        vm.prank(owner);
        registry.extend(object, 1);
        // Four unused epochs of the first term and the one that was just paid: as if it was deleted afterwards.
        assertTrue(thief.struck());
        assertStatus(object, IBlobRegistry.Status.Unknown);
        assertEq(Amount.unwrap(vault.claimOf(owner)), claim + refund);
    }

    function test_hook__given_a_policy_that_wants_to_cause_another_hook__has_too_little_gas() external {
        PolicyMock loop = new PolicyMock(ALL_HOOKS);
        uint256 object = register();
        attach(object, pair(address(loop), address(0)));
        giveTokens(address(loop), 100e18);
        loop.aim(address(registry), abi.encodeCall(IBlobRegistry.extend, (object, 1)));
        loop.behave(ON_EXTENDED, PolicyMock.Deed.Strike);
        uint256 before = Amount.unwrap(vault.reserveOf(address(fees)));
        vm.prank(owner);
        registry.extend(object, 1);
        assertFalse(loop.struck());
        assertEq(Amount.unwrap(vault.reserveOf(address(fees))), before + Amount.unwrap(registry.blobOf(object).rate));
    }

    function test_hook__given_policies_attached_to_somebody_elses_object__cost_nobody_but_their_own() external {
        // An object without policies pays nothing for those of others.
        access.behave(ON_EXTENDED, PolicyMock.Deed.BurnGas);
        uint256 object = register();
        vm.prank(owner);
        registry.extend{gas: 200_000}(object, 1);
    }

    function expectFailed(bytes memory answer) private {
        access.answer(EVALUATE, answer);
        assertDenied("PolicyFailed");
    }

    function assertAllForbidden() private {
        vm.startPrank(owner);
        expectForbidden("canDelete");
        registry.deleteBlob(blobObject);
        expectForbidden("canTransfer");
        registry.transferFrom(owner, other, blobObject);
        expectForbidden("canReplace");
        policies.announce(blobObject, pair(address(0), address(0)));
        vm.stopPrank();
        assertEq(registry.ownerOf(blobObject), owner);
    }

    function expectHookFailed(uint256 object, uint8 hook) private {
        vm.expectEmit(address(policies));
        emit IBlobPolicies.HookFailed(object, address(access), hook);
    }
}
