// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {PolicyMock} from "../../contracts/mocks/PolicyMock.sol";
import {BlobPolicies} from "../../contracts/policies/BlobPolicies.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {PolicyFixture} from "./support/PolicyFixture.sol";
import {vm} from "./support/Vm.sol";

contract PolicyBookTest is PolicyFixture {
    uint32 private constant YEAR = 365 days;

    PolicyMock private newAccess;
    PolicyMock private newRetention;

    function setUp() public override {
        super.setUp();
        (newAccess, newRetention) = (new PolicyMock(0), new PolicyMock(0));
    }

    // constructor

    function test_constructor__when_the_shortest_notice_is_above_the_longest__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NoticeOutOfBounds.selector, 0, YEAR, YEAR + 1)
        );
        new BlobPolicies(registry, address(purchases), revenuePools, token, IBlobPolicies.Limits(120, YEAR + 1));
    }

    function test_constructor__when_all_is_in_order__fixes_the_limits() external view {
        assertEq(policies.maximumRequestAge(), 120);
        assertEq(policies.minimumNotice(), 1 days);
        assertEq(policies.maximumNotice(), YEAR);
        assertEq(policies.evaluationGas(), 8_000_000);
        assertEq(policies.hookGas(), 100_000);
    }

    // attach

    function test_attach__when_the_object_is_unknown__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 77));
        attach(77, pair(address(0), address(0)));
    }

    function test_attach__when_the_caller_is_neither_owner_nor_approved__reverts() external {
        uint256 object = register();
        vm.expectRevert(
            abi.encodeWithSelector(IBlobPolicies.BlobPolicies_CallerNotOwner.selector, object, owner, stranger)
        );
        vm.prank(stranger);
        policies.attach(object, pair(address(0), address(0)), NOTICE, "");
    }

    function test_attach__when_the_caller_is_approved__attaches() external {
        uint256 object = register();
        vm.prank(owner);
        registry.approve(other, object);
        vm.prank(other);
        policies.attach(object, pair(address(access), address(0)), NOTICE, "");
        assertEq(policies.policiesOf(object).access, address(access));
    }

    function test_attach__when_the_caller_is_an_approved_operator__attaches() external {
        uint256 object = register();
        vm.prank(owner);
        registry.setApprovalForAll(other, true);
        vm.prank(other);
        policies.attach(object, pair(address(access), address(0)), NOTICE, "");
        assertEq(policies.policiesOf(object).access, address(access));
    }

    function test_attach__when_something_is_attached_already__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_AlreadyAttached.selector, blobObject));
        attach(blobObject, pair(address(0), address(0)));
    }

    function test_attach__when_nothing_was_attached_on_purpose__reverts_the_second_time() external {
        uint256 object = register();
        attach(object, pair(address(0), address(0)));
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_AlreadyAttached.selector, object));
        attach(object, pair(address(access), address(0)));
    }

    function test_attach__when_the_notice_is_out_of_bounds__reverts() external {
        uint256 object = register();
        vm.startPrank(owner);
        expectNotice(1 days - 1);
        policies.attach(object, pair(address(0), address(0)), 1 days - 1, "");
        expectNotice(YEAR + 1);
        policies.attach(object, pair(address(0), address(0)), YEAR + 1, "");
        policies.attach(object, pair(address(0), address(0)), YEAR, "");
        assertEq(policies.recordOf(object).noticeSeconds, YEAR);
    }

    function test_attach__when_a_policy_is_not_one__reverts() external {
        uint256 object = register();
        expectNotAPolicy(stranger);
        attach(object, pair(stranger, address(0)));
        expectNotAPolicy(address(registry));
        attach(object, pair(address(access), address(registry)));
    }

    function test_attach__when_a_policy_does_not_name_its_hooks__reverts() external {
        uint256 object = register();
        PolicyMock.Deed[3] memory deeds =
            [PolicyMock.Deed.Revert, PolicyMock.Deed.BurnGas, PolicyMock.Deed.AnswerWithMegabyte];
        for (uint256 i = 0; i < deeds.length; ++i) {
            newAccess.behave(IDataPolicy.hooks.selector, deeds[i]);
            expectNotAPolicy(address(newAccess));
            attach(object, pair(address(newAccess), address(0)));
        }
        newAccess.answer(IDataPolicy.hooks.selector, abi.encode(16));
        expectNotAPolicy(address(newAccess));
        attach(object, pair(address(newAccess), address(0)));
    }

    function test_attach__when_the_envelope_is_too_long__reverts() external {
        uint256 object = register();
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_EnvelopeTooLong.selector, 8192, 8193));
        vm.prank(owner);
        policies.attach(object, pair(address(0), address(0)), NOTICE, new bytes(8193));
    }

    function test_attach__given_an_envelope__keeps_its_hash_and_block_and_tells() external {
        uint256 object = register();
        bytes memory envelope = new bytes(8192);
        vm.roll(777);
        vm.expectEmit(address(policies));
        emit IBlobPolicies.PoliciesAttached(object, address(access), address(retention), NOTICE);
        vm.expectEmit(address(policies));
        emit IBlobPolicies.EnvelopePublished(object, 1, envelope);
        vm.prank(owner);
        policies.attach(object, pair(address(access), address(retention)), NOTICE, envelope);

        IBlobPolicies.Record memory record = policies.recordOf(object);
        assertEq(record.current.access, address(access));
        assertEq(record.current.retention, address(retention));
        assertEq(record.next.access, address(0));
        assertEq(record.next.retention, address(0));
        assertEq(Timestamp.unwrap(record.nextFrom), 0);
        assertEq(record.noticeSeconds, NOTICE);
        assertFalse(record.frozen);
        assertEq(record.keyEpoch, 1);
        assertEq(record.envelopeBlock, 777);
        assertEq(record.envelopeHash, keccak256(envelope));
    }

    function test_attach__given_no_envelope__starts_the_first_key_epoch() external view {
        IBlobPolicies.Record memory record = policies.recordOf(blobObject);
        assertEq(record.keyEpoch, 1);
        assertEq(record.envelopeBlock, 0);
        assertEq(record.envelopeHash, 0);
    }

    // announce

    function test_announce__when_the_caller_is_neither_owner_nor_approved__reverts() external {
        expectNotOwner(stranger);
        vm.prank(stranger);
        policies.announce(blobObject, pair(address(0), address(0)));
    }

    function test_announce__when_the_owner_was_replaced__reverts_for_the_former() external {
        vm.prank(owner);
        registry.transferFrom(owner, other, blobObject);
        vm.expectRevert(
            abi.encodeWithSelector(IBlobPolicies.BlobPolicies_CallerNotOwner.selector, blobObject, other, owner)
        );
        announce(pair(address(0), address(0)));
        vm.prank(other);
        policies.announce(blobObject, pair(address(newAccess), address(0)));
        assertAnnounced(address(newAccess), address(0), vm.getBlockTimestamp() + NOTICE);
    }

    function test_announce__when_nothing_is_attached__reverts() external {
        uint256 object = register();
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NotAttached.selector, object));
        vm.prank(owner);
        policies.announce(object, pair(address(0), address(0)));
    }

    function test_announce__when_frozen__reverts() external {
        vm.startPrank(owner);
        policies.freeze(blobObject);
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_Frozen.selector, blobObject));
        policies.announce(blobObject, pair(address(0), address(0)));
    }

    function test_announce__when_a_policy_is_not_one__reverts() external {
        expectNotAPolicy(stranger);
        announce(pair(address(0), stranger));
    }

    function test_announce__when_the_retention_policy_forbids__reverts() external {
        retention.answer(IDataPolicy.canReplace.selector, abi.encode(false));
        expectForbidden("canReplace");
        announce(pair(address(newAccess), address(retention)));
    }

    function test_announce__when_all_is_in_order__asks_the_retention_policy_for_the_next_one() external {
        vm.expectCall(address(retention), abi.encodeCall(IDataPolicy.canReplace, (blobObject, address(newRetention))));
        announce(pair(address(newAccess), address(newRetention)));
    }

    function test_announce__when_all_is_in_order__holds_from_the_end_of_the_notice_and_not_before() external {
        uint256 from = vm.getBlockTimestamp() + NOTICE;
        vm.expectEmit(address(policies));
        emit IBlobPolicies.PoliciesAnnounced(
            blobObject, address(newAccess), address(newRetention), Timestamp.wrap(uint64(from))
        );
        announce(pair(address(newAccess), address(newRetention)));
        assertInForce(address(access), address(retention));
        assertAnnounced(address(newAccess), address(newRetention), from);

        vm.warp(from - 1);
        assertInForce(address(access), address(retention));
        assertAnnounced(address(newAccess), address(newRetention), from);
        assertEq(judge().policy, address(access));

        vm.warp(from);
        assertInForce(address(newAccess), address(newRetention));
        assertAnnounced(address(0), address(0), 0);
        assertEq(judge().policy, address(newAccess));
    }

    function test_announce__given_another_announcement__replaces_it_and_its_time() external {
        announce(pair(address(newAccess), address(newRetention)));
        skip(NOTICE - 1);
        announce(pair(address(0), address(0)));
        assertAnnounced(address(0), address(0), vm.getBlockTimestamp() + NOTICE);
        skip(NOTICE - 1);
        assertInForce(address(access), address(retention));
        skip(1);
        assertInForce(address(0), address(0));
    }

    function test_announce__given_an_announcement_in_effect__goes_on_from_there() external {
        announce(pair(address(newAccess), address(newRetention)));
        skip(NOTICE);
        vm.expectEmit(address(policies));
        emit IBlobPolicies.PoliciesEnacted(blobObject, address(newAccess), address(newRetention));
        announce(pair(address(0), address(0)));
        assertInForce(address(newAccess), address(newRetention));
        skip(NOTICE);
        assertInForce(address(0), address(0));
    }

    function test_announce__when_a_hold_is_set_during_the_notice__the_hold_holds() external {
        announce(pair(address(newAccess), address(0)));
        retention.answer(IDataPolicy.canReplace.selector, abi.encode(false));
        retention.answer(IDataPolicy.canDelete.selector, abi.encode(false));
        uint256 from = vm.getBlockTimestamp() + NOTICE;
        skip(NOTICE);
        assertInForce(address(access), address(retention));
        assertAnnounced(address(newAccess), address(0), from);
        expectForbidden("canDelete");
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        expectForbidden("canReplace");
        policies.enact(blobObject);

        retention.answer(IDataPolicy.canReplace.selector, abi.encode(true));
        assertInForce(address(newAccess), address(0));
    }

    function test_announce__when_the_retention_policy_is_gone_at_the_end__it_stays_in_force() external {
        announce(pair(address(0), address(0)));
        skip(NOTICE);
        vm.etch(address(retention), "");
        assertInForce(address(access), address(retention));
    }

    // cancelAnnouncement

    function test_cancelAnnouncement__when_the_caller_is_neither_owner_nor_approved__reverts() external {
        announce(pair(address(0), address(0)));
        expectNotOwner(stranger);
        vm.prank(stranger);
        policies.cancelAnnouncement(blobObject);
    }

    function test_cancelAnnouncement__when_nothing_is_announced__reverts() external {
        vm.startPrank(owner);
        expectNothingAnnounced();
        policies.cancelAnnouncement(blobObject);
        policies.announce(blobObject, pair(address(0), address(0)));
        policies.cancelAnnouncement(blobObject);
        expectNothingAnnounced();
        policies.cancelAnnouncement(blobObject);
    }

    function test_cancelAnnouncement__when_it_is_in_effect__reverts() external {
        announce(pair(address(0), address(0)));
        skip(NOTICE);
        expectNothingAnnounced();
        vm.prank(owner);
        policies.cancelAnnouncement(blobObject);
    }

    function test_cancelAnnouncement__when_it_is_not_in_effect__takes_it_back_and_tells() external {
        announce(pair(address(newAccess), address(newRetention)));
        vm.expectEmit(address(policies));
        emit IBlobPolicies.AnnouncementCancelled(blobObject);
        vm.prank(owner);
        policies.cancelAnnouncement(blobObject);
        assertAnnounced(address(0), address(0), 0);
        skip(NOTICE);
        assertInForce(address(access), address(retention));
    }

    function test_cancelAnnouncement__when_its_time_came_but_it_is_forbidden__takes_it_back() external {
        announce(pair(address(0), address(0)));
        skip(NOTICE);
        retention.answer(IDataPolicy.canReplace.selector, abi.encode(false));
        vm.prank(owner);
        policies.cancelAnnouncement(blobObject);
        retention.answer(IDataPolicy.canReplace.selector, abi.encode(true));
        assertInForce(address(access), address(retention));
    }

    // enact

    function test_enact__when_nothing_is_announced__reverts() external {
        expectNothingAnnounced();
        policies.enact(blobObject);
    }

    function test_enact__when_it_is_too_early__reverts() external {
        announce(pair(address(0), address(0)));
        uint64 from = uint64(vm.getBlockTimestamp()) + NOTICE;
        vm.warp(from - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IBlobPolicies.BlobPolicies_TooEarly.selector, blobObject, from, from - 1)
        );
        policies.enact(blobObject);
    }

    function test_enact__when_done_by_anybody__the_replaced_policy_has_no_say_any_more() external {
        announce(pair(address(newAccess), address(newRetention)));
        skip(NOTICE);
        vm.expectEmit(address(policies));
        emit IBlobPolicies.PoliciesEnacted(blobObject, address(newAccess), address(newRetention));
        vm.prank(stranger);
        policies.enact(blobObject);
        retention.answer(IDataPolicy.canReplace.selector, abi.encode(false));
        assertInForce(address(newAccess), address(newRetention));
        expectNothingAnnounced();
        policies.enact(blobObject);
    }

    // freeze

    function test_freeze__when_the_caller_is_neither_owner_nor_approved__reverts() external {
        expectNotOwner(stranger);
        vm.prank(stranger);
        policies.freeze(blobObject);
    }

    function test_freeze__when_nothing_is_attached__reverts() external {
        uint256 object = register();
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NotAttached.selector, object));
        vm.prank(owner);
        policies.freeze(object);
    }

    function test_freeze__when_others_are_announced__reverts() external {
        announce(pair(address(0), address(0)));
        vm.expectRevert(
            abi.encodeWithSelector(
                IBlobPolicies.BlobPolicies_Announced.selector, blobObject, vm.getBlockTimestamp() + NOTICE
            )
        );
        vm.prank(owner);
        policies.freeze(blobObject);
    }

    function test_freeze__when_done__tells_and_is_for_ever() external {
        vm.startPrank(owner);
        vm.expectEmit(address(policies));
        emit IBlobPolicies.PoliciesFrozen(blobObject);
        policies.freeze(blobObject);
        assertTrue(policies.recordOf(blobObject).frozen);
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_Frozen.selector, blobObject));
        policies.freeze(blobObject);
        skip(YEAR);
        assertInForce(address(access), address(retention));
    }

    function test_freeze__given_an_announcement_in_effect__fixes_what_was_announced() external {
        announce(pair(address(newAccess), address(newRetention)));
        skip(NOTICE);
        vm.prank(owner);
        policies.freeze(blobObject);
        retention.answer(IDataPolicy.canReplace.selector, abi.encode(false));
        assertInForce(address(newAccess), address(newRetention));
    }

    // publishEnvelope

    function test_publishEnvelope__when_the_caller_is_neither_owner_nor_approved__reverts() external {
        expectNotOwner(stranger);
        vm.prank(stranger);
        policies.publishEnvelope(blobObject, 1, "envelope");
    }

    function test_publishEnvelope__when_nothing_is_attached__reverts() external {
        uint256 object = register();
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NotAttached.selector, object));
        vm.prank(owner);
        policies.publishEnvelope(object, 1, "envelope");
    }

    function test_publishEnvelope__when_it_is_empty_or_too_long__reverts() external {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NoEnvelope.selector, blobObject));
        policies.publishEnvelope(blobObject, 1, "");
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_EnvelopeTooLong.selector, 8192, 8193));
        policies.publishEnvelope(blobObject, 1, new bytes(8193));
    }

    function test_publishEnvelope__when_the_key_epoch_is_neither_present_nor_next__reverts() external {
        publish(2, "second");
        uint32[4] memory wrong = [uint32(0), 1, 4, type(uint32).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IBlobPolicies.BlobPolicies_WrongKeyEpoch.selector, blobObject, 2, wrong[i])
            );
            publish(wrong[i], "wrong");
        }
    }

    function test_publishEnvelope__given_the_present_key_epoch__replaces_the_envelope() external {
        publish(1, "first");
        vm.roll(888);
        vm.expectEmit(address(policies));
        emit IBlobPolicies.EnvelopePublished(blobObject, 1, "again");
        publish(1, "again");
        IBlobPolicies.Record memory record = policies.recordOf(blobObject);
        assertEq(record.keyEpoch, 1);
        assertEq(record.envelopeBlock, 888);
        assertEq(record.envelopeHash, keccak256("again"));
    }

    function test_publishEnvelope__given_the_next_key_epoch__is_in_it_from_now_on() external {
        publish(2, "second");
        assertEq(policies.recordOf(blobObject).keyEpoch, 2);
        assertEq(judge().keyEpoch, 2);
    }

    function test_publishEnvelope__when_frozen__is_possible() external {
        vm.prank(owner);
        policies.freeze(blobObject);
        publish(2, "second");
        assertEq(policies.recordOf(blobObject).keyEpoch, 2);
    }

    function test_publishEnvelope__given_an_announcement_in_effect__enacts_it() external {
        announce(pair(address(newAccess), address(newRetention)));
        skip(NOTICE);
        publish(2, "for the new policy");
        retention.answer(IDataPolicy.canReplace.selector, abi.encode(false));
        assertInForce(address(newAccess), address(newRetention));
    }

    // recordOf

    function test_recordOf__given_nothing_attached__is_empty() external {
        IBlobPolicies.Record memory nothing;
        assertEq(abi.encode(policies.recordOf(register())), abi.encode(nothing));
    }

    function test_recordOf__when_the_object_was_deleted__stays() external {
        bytes memory before = abi.encode(policies.recordOf(blobObject));
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertEq(abi.encode(policies.recordOf(blobObject)), before);
    }

    // accessOf

    function test_accessOf__given_nothing_attached__is_nobody() external {
        assertAccess(register(), address(0), 0);
    }

    function test_accessOf__says_who_is_in_force_and_its_hooks() external {
        PolicyMock told = new PolicyMock(4);
        announce(pair(address(told), address(retention)));
        skip(NOTICE - 1);
        assertAccess(blobObject, address(access), ALL_HOOKS);
        skip(1);
        assertAccess(blobObject, address(told), 4);
        policies.enact(blobObject);
        assertAccess(blobObject, address(told), 4);
    }

    function test_accessOf__when_the_retention_policy_forbids_the_change__is_the_former() external {
        announce(pair(address(newAccess), address(0)));
        skip(NOTICE);
        retention.answer(IDataPolicy.canReplace.selector, abi.encode(false));
        assertAccess(blobObject, address(access), ALL_HOOKS);
    }

    function assertAccess(uint256 object, address expected, uint8 expectedHooks) private view {
        (address inForce, uint8 hooks) = policies.accessOf(object);
        assertEq(inForce, expected);
        assertEq(hooks, expectedHooks);
    }

    function publish(uint32 keyEpoch, bytes memory envelope) private {
        vm.prank(owner);
        policies.publishEnvelope(blobObject, keyEpoch, envelope);
    }

    function expectNotice(uint32 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NoticeOutOfBounds.selector, uint32(1 days), YEAR, actual)
        );
    }

    function expectNotAPolicy(address policy) private {
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NotAPolicy.selector, policy));
    }

    function expectNothingAnnounced() private {
        vm.expectRevert(abi.encodeWithSelector(IBlobPolicies.BlobPolicies_NothingAnnounced.selector, blobObject));
    }
}
