// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {AccessRequest, Action, IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {PolicyAnswers} from "../../contracts/libraries/PolicyAnswers.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {PolicyFixture} from "./support/PolicyFixture.sol";
import {vm} from "./support/Vm.sol";

contract BlobPoliciesTest is PolicyFixture {
    bytes4 private constant EVALUATE = IDataPolicy.evaluate.selector;

    // judge: what the protocol decides itself

    function test_judge__when_the_object_is_unknown__denies() external view {
        IBlobPolicies.Question memory asked = question();
        asked.blobObject = 77;
        assertDenied(policies.judge(asked), "UnknownObject");
    }

    function test_judge__when_the_object_was_deleted__denies() external {
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertDenied("UnknownObject");
    }

    function test_judge__when_the_object_is_not_certified__denies() external {
        IBlobPolicies.Question memory asked = question();
        asked.blobObject = register();
        assertDenied(policies.judge(asked), "NotCertified");
    }

    function test_judge__when_the_object_expired__denies() external {
        warpTo(1 + EPOCHS);
        assertDenied("NotCertified");
    }

    function test_judge__when_the_blob_is_invalid__denies() external {
        invalidate(blobId("default"));
        assertDenied("NotCertified");
    }

    function test_judge__when_the_action_is_unknown__denies(uint8 action) external view {
        vm.assume(action != uint8(Action.Read) && action != uint8(Action.Compute));
        IBlobPolicies.Question memory asked = question();
        asked.action = action;
        assertDenied(policies.judge(asked), "UnknownAction");
    }

    function test_judge__when_the_evidence_is_too_long__denies() external view {
        IBlobPolicies.Question memory asked = question();
        asked.evidence = new bytes(4097);
        assertDenied(policies.judge(asked), "EvidenceTooLong");
        asked.evidence = new bytes(4096);
        assertTrue(policies.judge(asked).allowed);
    }

    function test_judge__given_no_access_policy__allows_the_owner_only_for_free() external {
        uint256 object = certified();
        IBlobPolicies.Question memory asked = question();
        asked.blobObject = object;
        assertDenied(policies.judge(asked), "NotOwner");
        asked.requester = owner;
        assertTrue(policies.judge(asked).allowed);

        attach(object, pair(address(0), address(0)));
        assertTrue(policies.judge(asked).allowed);
        asked.requester = other;
        assertDenied(policies.judge(asked), "NotOwner");
    }

    function test_judge__given_no_access_policy__when_transferred__allows_the_new_owner() external {
        uint256 object = certified();
        vm.prank(owner);
        registry.transferFrom(owner, other, object);
        IBlobPolicies.Question memory asked = question();
        asked.blobObject = object;
        assertTrue(policies.judge(asked).allowed);
        asked.requester = owner;
        assertDenied(policies.judge(asked), "NotOwner");
    }

    function test_judge__when_the_keys_are_destroyed__denies() external {
        uint256 time = vm.getBlockTimestamp() + 100;
        retention.answer(IDataPolicy.destroyAt.selector, abi.encode(time));
        vm.warp(time - 1);
        assertAllowed();
        vm.warp(time);
        assertDenied("KeysDestroyed");
    }

    // judge: what the access policy decides

    function test_judge__when_the_policy_allows__says_all_that_agents_need() external {
        access.answer(EVALUATE, abi.encode(PolicyAnswers.ALLOW, uint32(90), bytes32("ignored")));
        quote(address(token), 5e18, 1);
        IBlobPolicies.Verdict memory verdict = judge();
        assertTrue(verdict.allowed);
        assertEq(verdict.reason, 0);
        assertEq(verdict.ttlSeconds, 90);
        assertEq(verdict.policy, address(access));
        assertEq(verdict.keyEpoch, 1);
        assertEq(BlobId.unwrap(verdict.blobId), BlobId.unwrap(blobId("default")));
        assertEq(Amount.unwrap(verdict.price), 5e18);
        assertEq(PoolId.unwrap(verdict.pool), 1);
    }

    function test_judge__when_the_policy_denies__gives_its_reason() external {
        deny("CredentialExpired");
        assertDenied("CredentialExpired");
        assertEq(judge().policy, address(access));
        assertEq(judge().keyEpoch, 1);
    }

    function test_judge__when_asked__the_policy_sees_what_is_asked_and_what_the_chain_knows() external {
        AccessRequest memory request = AccessRequest(
            other, blobObject, blobId("default"), owner, Action.Compute, keccak256("program"), 7, "evidence"
        );
        IBlobPolicies.Question memory asked = IBlobPolicies.Question(
            request.requester, blobObject, uint8(Action.Compute), request.program, request.sequence, request.evidence
        );
        vm.expectCall(address(access), abi.encodeCall(IDataPolicy.evaluate, (request)));
        vm.expectCall(address(access), abi.encodeCall(IDataPolicy.quote, (request)));
        assertTrue(policies.judge(asked).allowed);
    }

    function test_judge__when_the_price_is_zero__is_free_whatever_the_pool() external {
        quote(address(token), 0, 2);
        assertAllowed();
        assertEq(PoolId.unwrap(judge().pool), 0);
        quote(address(0), 0, 2);
        assertAllowed();
        assertEq(PoolId.unwrap(judge().pool), 0);
    }

    function test_judge__when_nothing_changed__answers_the_same_whoever_asks() external {
        quote(address(token), 5e18, 1);
        bytes memory first = abi.encode(judge());
        vm.prank(stranger);
        assertEq(abi.encode(judge()), first);
    }

    // quoteOf

    function test_quoteOf__when_the_policy_denies__answers_all_the_same() external {
        deny("NotListed");
        quote(address(token), 5e18, 1);
        (Amount price, PoolId pool) = policies.quoteOf(question());
        assertEq(Amount.unwrap(price), 5e18);
        assertEq(PoolId.unwrap(pool), 1);
    }

    function test_quoteOf__given_no_access_policy__is_free() external {
        IBlobPolicies.Question memory asked = question();
        asked.blobObject = certified();
        (Amount price, PoolId pool) = policies.quoteOf(asked);
        assertEq(Amount.unwrap(price), 0);
        assertEq(PoolId.unwrap(pool), 0);
    }

    function test_quoteOf__when_there_is_no_price__reverts_with_the_reason() external {
        quote(address(token), 5e18, 2);
        expectNoQuote(blobObject, address(access), "UnknownPool");
        policies.quoteOf(question());

        retention.answer(IDataPolicy.destroyAt.selector, abi.encode(vm.getBlockTimestamp()));
        expectNoQuote(blobObject, address(access), "KeysDestroyed");
        policies.quoteOf(question());

        IBlobPolicies.Question memory asked = question();
        asked.blobObject = register();
        expectNoQuote(asked.blobObject, address(0), "NotCertified");
        policies.quoteOf(asked);
    }

    // destroyAtOf

    function test_destroyAtOf__given_a_policy__is_what_it_says(uint64 time) external {
        retention.answer(IDataPolicy.destroyAt.selector, abi.encode(time));
        assertEq(Timestamp.unwrap(policies.destroyAtOf(blobObject)), time);
    }

    function test_destroyAtOf__given_no_retention_policy__is_never() external {
        uint256 object = register();
        assertEq(Timestamp.unwrap(policies.destroyAtOf(object)), 0);
    }

    // expire

    function test_expire__when_nothing_is_attached__reverts() external {
        uint256 object = register();
        warpTo(1 + EPOCHS);
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NotAttached.selector, object));
        policies.expire(object);
    }

    function test_expire__when_the_object_is_not_expired__reverts() external {
        warpTo(EPOCHS);
        expectNotExpired();
        policies.expire(blobObject);
    }

    function test_expire__when_the_object_was_deleted__reverts() external {
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        warpTo(1 + EPOCHS);
        expectNotExpired();
        policies.expire(blobObject);
    }

    function test_expire__when_it_expired__tells_both_policies_once() external {
        warpTo(1 + EPOCHS);
        vm.expectEmit(address(policies));
        emit IBlobPolicies.ExpiryTold(blobObject);
        vm.prank(stranger);
        policies.expire(blobObject);
        bytes32 news = keccak256(abi.encodeCall(IDataPolicy.onExpired, (blobObject)));
        assertEq(access.last(IDataPolicy.onExpired.selector), news);
        assertEq(retention.last(IDataPolicy.onExpired.selector), news);

        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_AlreadyTold.selector, blobObject));
        policies.expire(blobObject);
        assertEq(access.count(IDataPolicy.onExpired.selector), 1);
    }

    // notify

    function test_notify__when_the_caller_is_not_the_partner__reverts() external {
        bytes memory notRegistry = abi.encodeWithSelector(
            IBlobPolicies.BlobPolicies_CallerNotRegistry.selector, address(registry), address(this)
        );
        vm.expectRevert(notRegistry);
        policies.notifyCertified(blobObject);
        vm.expectRevert(notRegistry);
        policies.notifyExtended(blobObject, Epoch.wrap(9));
        vm.expectRevert(
            abi.encodeWithSelector(
                IBlobPolicies.BlobPolicies_CallerNotPurchases.selector, address(purchases), address(this)
            )
        );
        policies.notifyRead(blobObject, other, 1, Amount.wrap(5));
    }

    function test_notifyRead__given_both_policies__tells_the_access_policy_only() external {
        vm.prank(address(purchases));
        policies.notifyRead(blobObject, other, 3, Amount.wrap(15));
        bytes memory news = abi.encodeCall(IDataPolicy.onRead, (blobObject, other, 3, Amount.wrap(15)));
        assertEq(access.last(IDataPolicy.onRead.selector), keccak256(news));
        assertEq(retention.count(IDataPolicy.onRead.selector), 0);
    }

    function test_notifyRead__given_no_policies__does_nothing() external {
        uint256 object = register();
        vm.prank(address(purchases));
        policies.notifyRead(object, other, 3, Amount.wrap(15));
    }

    function expectNoQuote(uint256 object, address policy, bytes32 reason) private {
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NoQuote.selector, object, policy, reason));
    }

    function expectNotExpired() private {
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NotExpired.selector, blobObject));
    }
}
