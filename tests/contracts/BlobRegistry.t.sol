// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors, IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {IStorageFees} from "../../contracts/interfaces/IStorageFees.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {BlobFixture} from "./support/BlobFixture.sol";
import {vm} from "./support/Vm.sol";

contract BlobRegistryTest is BlobFixture {
    // register

    function test_register__when_the_blob_id_is_zero__reverts() external {
        IBlobRegistry.Registration memory registration = defaultRegistration();
        registration.blobId = BlobId.wrap(0);
        vm.expectRevert(IBlobRegistry.BlobRegistry_NoBlobId.selector);
        vm.prank(owner);
        registry.register(registration);
    }

    function test_register__when_the_size_is_at_the_limit__reverts() external {
        IBlobRegistry.Registration memory registration = defaultRegistration();
        registration.size = 2 ** 40;
        vm.expectRevert(
            abi.encodeWithSelector(
                IBlobRegistry.BlobRegistry_TooLarge.selector, registration.blobId, uint64(2 ** 40), uint64(2 ** 40)
            )
        );
        vm.prank(owner);
        registry.register(registration);
    }

    function test_register__when_the_size_is_one_below_the_limit__keeps_it() external {
        IBlobRegistry.Registration memory registration = defaultRegistration();
        registration.size = 2 ** 40 - 1;
        vm.prank(owner);
        assertEq(registry.blobOf(registry.register(registration)).size, 2 ** 40 - 1);
    }

    function test_register__when_the_term_cannot_be_paid__reverts(uint32 epochs) external {
        IBlobRegistry.Registration memory registration = defaultRegistration();
        registration.epochs = epochs % 2 == 0 ? 0 : uint32(bound(epochs, 51, 2 ** 24 - 2));
        vm.expectRevert(
            abi.encodeWithSelector(IStorageFees.StorageFees_WrongTerm.selector, registration.epochs, uint32(50))
        );
        vm.prank(owner);
        registry.register(registration);
    }

    function test_register__when_the_term_is_absurd__reverts(uint32 epochs) external {
        IBlobRegistry.Registration memory registration = defaultRegistration();
        registration.epochs = uint32(bound(epochs, 2 ** 24 - 1, type(uint32).max));
        vm.expectRevert();
        vm.prank(owner);
        registry.register(registration);
    }

    function test_register__when_the_vault_is_not_approved__reverts() external {
        assertTrue(token.transfer(stranger, BALANCE));
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        vm.prank(stranger);
        registry.register(defaultRegistration());
        assertEq(registry.objectCount(), 0);
    }

    function test_register__when_the_caller_holds_too_little__reverts() external {
        uint256 price = priceOf(SIZE, EPOCHS);
        giveTokens(stranger, price - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, stranger, price - 1, price)
        );
        vm.prank(stranger);
        registry.register(defaultRegistration());
    }

    function test_register__when_the_blob_is_invalid__the_object_is_invalid_at_once() external {
        invalidate(blobId("default"));
        assertStatus(register(), IBlobRegistry.Status.Invalid);
    }

    function test_register__when_all_is_in_order__keeps_and_charges() external {
        uint256 price = priceOf(SIZE, EPOCHS);
        vm.expectEmit(address(registry));
        emit IERC721.Transfer(address(0), owner, 1);
        vm.expectEmit(address(registry));
        emit IBlobRegistry.BlobRegistered(1, blobId("default"), owner, SIZE, Epoch.wrap(1), Epoch.wrap(6), true);
        uint256 blobObject = register();

        IBlobRegistry.BlobObject memory blob = registry.blobOf(blobObject);
        assertEq(blob.id, 1);
        assertEq(BlobId.unwrap(blob.blobId), BlobId.unwrap(blobId("default")));
        assertEq(blob.owner, owner);
        assertEq(blob.size, SIZE);
        assertEq(Epoch.unwrap(blob.start), 1);
        assertEq(Epoch.unwrap(blob.end), 6);
        assertTrue(blob.deletable);
        assertEq(Amount.unwrap(blob.rate), (price - 77) / EPOCHS);
        assertStatus(blobObject, IBlobRegistry.Status.Registered);
        assertEq(registry.ownerOf(blobObject), owner);
        assertEq(registry.balanceOf(owner), 1);
        assertEq(registry.objectCount(), 1);
        assertEq(token.balanceOf(owner), BALANCE - price);
    }

    function test_register__when_registered_later__starts_with_the_epoch_of_the_clock() external {
        warpTo(1000);
        IBlobRegistry.BlobObject memory blob = registry.blobOf(register());
        assertEq(Epoch.unwrap(blob.start), 1000);
        assertEq(Epoch.unwrap(blob.end), 1005);
    }

    function test_register__when_the_caller_is_a_contract__mints_without_asking() external {
        assertTrue(token.approve(address(vault), type(uint256).max));
        assertEq(registry.ownerOf(registry.register(defaultRegistration())), address(this));
    }

    function test_register__when_the_blob_is_registered_already__makes_another_object() external {
        uint256 first = register();
        vm.prank(other);
        uint256 second = registry.register(defaultRegistration());
        assertEq(second, first + 1);
        assertEq(registry.ownerOf(first), owner);
        assertEq(registry.ownerOf(second), other);
    }

    // registerBatch

    function test_registerBatch__when_empty_or_too_long__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_WrongBatchSize.selector, 100, 0));
        registry.registerBatch(new IBlobRegistry.Registration[](0));
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_WrongBatchSize.selector, 100, 101));
        registry.registerBatch(new IBlobRegistry.Registration[](101));
    }

    function test_registerBatch__when_one_is_refused__registers_none() external {
        IBlobRegistry.Registration[] memory batch = batchOf(3);
        batch[2].blobId = BlobId.wrap(0);
        vm.expectRevert(IBlobRegistry.BlobRegistry_NoBlobId.selector);
        vm.prank(owner);
        registry.registerBatch(batch);
        assertEq(registry.objectCount(), 0);
        assertEq(registry.balanceOf(owner), 0);
    }

    function test_registerBatch__when_all_is_in_order__equals_single_registrations(uint256 count) external {
        IBlobRegistry.Registration[] memory batch = batchOf(bound(count, 1, 100));
        uint256 snapshot = vm.snapshotState();
        uint256[] memory objects = new uint256[](batch.length);
        vm.startPrank(owner);
        for (uint256 i = 0; i < batch.length; ++i) {
            objects[i] = registry.register(batch[i]);
        }
        bytes memory expected = abi.encode(lens.blobs(objects), token.balanceOf(owner), registry.balanceOf(owner));
        bytes memory expectedIncome = incomes();
        assertTrue(vm.revertToState(snapshot));

        assertEq(registry.registerBatch(batch), 1);
        vm.stopPrank();
        assertEq(abi.encode(lens.blobs(objects), token.balanceOf(owner), registry.balanceOf(owner)), expected);
        assertEq(incomes(), expectedIncome);
        assertEq(registry.objectCount(), batch.length);
    }

    function test_registerBatch__when_all_is_in_order__pays_once() external {
        IBlobRegistry.Registration[] memory batch = batchOf(10);
        vm.expectCall(address(token), abi.encodeWithSelector(token.transferFrom.selector), 1);
        vm.prank(owner);
        registry.registerBatch(batch);
    }

    // extend

    function test_extend__when_the_object_is_unknown__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_UnknownObject.selector, 7));
        registry.extend(7, 1);
    }

    function test_extend__when_the_object_expired__reverts() external {
        uint256 blobObject = register();
        warpTo(1 + EPOCHS);
        expectNotLive(blobObject, IBlobRegistry.Status.Expired);
        registry.extend(blobObject, 1);
    }

    function test_extend__when_the_blob_is_invalid__reverts() external {
        uint256 blobObject = certified();
        invalidate(blobId("default"));
        expectNotLive(blobObject, IBlobRegistry.Status.Invalid);
        registry.extend(blobObject, 1);
    }

    function test_extend__when_the_term_cannot_be_paid__reverts() external {
        uint256 blobObject = register();
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IStorageFees.StorageFees_WrongTerm.selector, 0, 45));
        registry.extend(blobObject, 0);
        vm.expectRevert(abi.encodeWithSelector(IStorageFees.StorageFees_WrongTerm.selector, 46, 45));
        registry.extend(blobObject, 46);
        registry.extend(blobObject, 45);
        vm.expectRevert(abi.encodeWithSelector(IStorageFees.StorageFees_WrongTerm.selector, 1, 0));
        registry.extend(blobObject, 1);
    }

    function test_extend__when_all_is_in_order__moves_the_end_and_charges_the_caller() external {
        uint256 blobObject = register();
        uint256 rate = Amount.unwrap(registry.blobOf(blobObject).rate);
        uint256 before = token.balanceOf(owner);
        vm.expectEmit(address(registry));
        emit IBlobRegistry.BlobExtended(blobObject, blobId("default"), Epoch.wrap(6), Epoch.wrap(9));
        vm.prank(other);
        registry.extend(blobObject, 3);
        assertEq(Epoch.unwrap(registry.blobOf(blobObject).end), 9);
        assertEq(registry.ownerOf(blobObject), owner);
        assertEq(token.balanceOf(owner), before);
        assertEq(token.balanceOf(other), BALANCE - 3 * rate);
    }

    function test_extend__when_certified__stays_certified() external {
        uint256 blobObject = certified();
        vm.prank(owner);
        registry.extend(blobObject, 3);
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
        warpTo(1 + EPOCHS + 2);
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
        warpTo(1 + EPOCHS + 3);
        assertStatus(blobObject, IBlobRegistry.Status.Expired);
    }

    // deleteBlob

    function test_deleteBlob__when_the_object_is_unknown_or_deleted__reverts() external {
        uint256 blobObject = register();
        vm.startPrank(owner);
        registry.deleteBlob(blobObject);
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_UnknownObject.selector, blobObject));
        registry.deleteBlob(blobObject);
    }

    function test_deleteBlob__when_the_object_expired__reverts() external {
        uint256 blobObject = register();
        warpTo(1 + EPOCHS);
        expectNotLive(blobObject, IBlobRegistry.Status.Expired);
        vm.prank(owner);
        registry.deleteBlob(blobObject);
    }

    function test_deleteBlob__when_the_blob_is_invalid__reverts() external {
        uint256 blobObject = register();
        invalidate(blobId("default"));
        expectNotLive(blobObject, IBlobRegistry.Status.Invalid);
        vm.prank(owner);
        registry.deleteBlob(blobObject);
    }

    function test_deleteBlob__when_the_caller_is_neither_owner_nor_approved__reverts() external {
        uint256 blobObject = register();
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, stranger, blobObject));
        vm.prank(stranger);
        registry.deleteBlob(blobObject);
    }

    function test_deleteBlob__when_the_object_is_permanent__reverts() external {
        uint256 blobObject = registerPermanent();
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_NotDeletable.selector, blobObject));
        vm.prank(owner);
        registry.deleteBlob(blobObject);
    }

    function test_deleteBlob__when_all_is_in_order__burns_and_refunds(uint32 epoch, bool certify_) external {
        uint256 blobObject = certify_ ? certified() : register();
        uint256 rate = Amount.unwrap(registry.blobOf(blobObject).rate);
        epoch = uint32(bound(epoch, 1, EPOCHS));
        warpTo(epoch);
        Amount refunded = Amount.wrap(uint128(rate * (EPOCHS - epoch)));
        vm.expectEmit(address(registry));
        emit IERC721.Transfer(owner, address(0), blobObject);
        vm.expectEmit(address(registry));
        emit IBlobRegistry.BlobDeleted(blobObject, blobId("default"), owner, refunded, Epoch.wrap(epoch));
        vm.prank(owner);
        assertEq(Amount.unwrap(registry.deleteBlob(blobObject)), Amount.unwrap(refunded));

        assertEq(Amount.unwrap(vault.claimOf(owner)), Amount.unwrap(refunded));
        assertEq(registry.balanceOf(owner), 0);
        IBlobRegistry.BlobObject memory nothing;
        nothing.id = blobObject;
        assertEq(abi.encode(registry.blobOf(blobObject)), abi.encode(nothing));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, blobObject));
        registry.ownerOf(blobObject);
    }

    function test_deleteBlob__when_the_caller_is_approved__refunds_the_owner() external {
        uint256 blobObject = register();
        vm.prank(owner);
        registry.approve(other, blobObject);
        vm.prank(other);
        Amount refunded = registry.deleteBlob(blobObject);
        assertGt(Amount.unwrap(refunded), 0);
        assertEq(Amount.unwrap(vault.claimOf(owner)), Amount.unwrap(refunded));
        assertEq(Amount.unwrap(vault.claimOf(other)), 0);
    }

    function test_deleteBlob__when_done__the_id_is_never_used_again() external {
        uint256 blobObject = register();
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertEq(register(), blobObject + 1);
        assertStatus(blobObject, IBlobRegistry.Status.Unknown);
    }

    // statusOf, blobOf

    function test_statusOf__given_the_clock_reaches_the_end__is_expired() external {
        uint256 blobObject = certified();
        warpTo(1 + EPOCHS);
        vm.warp(vm.getBlockTimestamp() - 1);
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
        skip(1);
        assertStatus(blobObject, IBlobRegistry.Status.Expired);
        assertEq(registry.ownerOf(blobObject), owner);
    }

    function test_blobOf__given_no_object__is_unknown(uint256 blobObject) external {
        register();
        vm.assume(blobObject != 1);
        IBlobRegistry.BlobObject memory nothing;
        nothing.id = blobObject;
        assertEq(abi.encode(registry.blobOf(blobObject)), abi.encode(nothing));
        assertStatus(blobObject, IBlobRegistry.Status.Unknown);
    }

    // custodyOf, forget

    function test_custodyOf__given_an_object_that_is_not_certified__is_nothing() external {
        assertCustody(register(), "", 0, 0);
        assertCustody(99, "", 0, 0);
    }

    function test_custodyOf__given_a_certified_object__is_until_its_end() external {
        uint256 blobObject = certified();
        assertCustody(blobObject, "default", SIZE, 6);
        vm.prank(other);
        registry.extend(blobObject, 3);
        assertCustody(blobObject, "default", SIZE, 9);
        warpTo(50);
        assertCustody(blobObject, "default", SIZE, 9);
    }

    function test_custodyOf__given_an_invalid_blob__is_over() external {
        uint256 blobObject = certified();
        invalidate(blobId("default"));
        assertCustody(blobObject, "default", SIZE, 0);
    }

    function test_custodyOf__when_the_object_was_deleted__is_until_the_epoch_is_over(uint32 epoch) external {
        uint256 blobObject = certified();
        epoch = uint32(bound(epoch, 1, EPOCHS));
        warpTo(epoch);
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertCustody(blobObject, "default", SIZE, epoch + 1);
        assertStatus(blobObject, IBlobRegistry.Status.Unknown);
        warpTo(1 + EPOCHS);
        assertCustody(blobObject, "default", SIZE, epoch + 1);
    }

    function test_custodyOf__when_deleted_before_it_was_certified__is_nothing() external {
        uint256 blobObject = register();
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertCustody(blobObject, "", 0, 0);
    }

    function test_deleteBlob__when_certified__what_is_left_belongs_to_nobody() external {
        uint256 blobObject = certified();
        vm.prank(owner);
        registry.approve(other, blobObject);
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_UnknownObject.selector, blobObject));
        vm.prank(other);
        registry.deleteBlob(blobObject);
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_UnknownObject.selector, blobObject));
        vm.prank(owner);
        registry.extend(blobObject, 1);
        bytes memory signatures = signaturesOf(bytes32(0), bitmap(0, QUORUM));
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_UnknownObject.selector, blobObject));
        registry.certify(blobObject, bitmap(0, QUORUM), signatures);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, blobObject));
        vm.prank(other);
        registry.transferFrom(owner, other, blobObject);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, blobObject));
        registry.getApproved(blobObject);
        assertStatus(blobObject, IBlobRegistry.Status.Unknown);
    }

    function test_forget__when_the_caller_is_not_the_custody_contract__reverts(address caller) external {
        vm.assume(caller != address(custody));
        vm.expectRevert(
            abi.encodeWithSelector(IBlobRegistry.BlobRegistry_CallerNotCustody.selector, address(custody), caller)
        );
        vm.prank(caller);
        registry.forget(1);
    }

    function test_forget__when_nodes_still_answer_for_it__reverts() external {
        uint256 deleted = certified();
        uint256 serving = certified();
        vm.prank(owner);
        registry.deleteBlob(deleted);
        vm.startPrank(address(custody));
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_StillKept.selector, deleted));
        registry.forget(deleted);
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_StillKept.selector, serving));
        registry.forget(serving);
    }

    function test_forget__when_a_deleted_object_is_over__nothing_is_left() external {
        uint256 blobObject = certified();
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        warpTo(2);
        vm.prank(address(custody));
        registry.forget(blobObject);
        assertCustody(blobObject, "", 0, 0);
        assertStatus(blobObject, IBlobRegistry.Status.Unknown);
        assertEq(register(), blobObject + 1);
    }

    function test_forget__when_the_blob_of_a_deleted_object_is_invalid__nothing_is_left() external {
        uint256 blobObject = certified();
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        invalidate(blobId("default"));
        vm.prank(address(custody));
        registry.forget(blobObject);
        assertCustody(blobObject, "", 0, 0);
        assertTrue(registry.isInvalid(blobId("default")));
    }

    function test_forget__when_an_object_expired__it_keeps_its_facts() external {
        uint256 blobObject = certified();
        warpTo(1 + EPOCHS);
        bytes memory before = abi.encode(registry.blobOf(blobObject));
        vm.prank(address(custody));
        registry.forget(blobObject);
        assertEq(abi.encode(registry.blobOf(blobObject)), before);
        assertEq(registry.ownerOf(blobObject), owner);
        assertCustody(blobObject, "default", SIZE, 1 + EPOCHS);
    }

    function test_sweep__given_deleted_and_expired_objects__forgets_the_deleted_ones() external {
        uint256 deleted = certified();
        uint256 expired = certified();
        vm.prank(owner);
        registry.deleteBlob(deleted);
        warpTo(1 + EPOCHS);
        // Class 8: 1 MiB is 2^8 times 4 KiB. The last entry takes the place of the first one.
        custody.sweep(8, new uint256[](2));
        assertCustody(deleted, "", 0, 0);
        assertCustody(expired, "default", SIZE, 1 + EPOCHS);
        assertStatus(expired, IBlobRegistry.Status.Expired);
    }

    // prices that change

    function test_register__when_prices_changed__pays_those_of_the_epoch() external {
        uint256 first = register();
        setPrices(2000, 5);
        uint256 same = register();
        warpTo(2);
        uint256 later = register();
        assertEq(rateOf(first), 63_000);
        assertEq(rateOf(same), 63_000);
        assertEq(rateOf(later), 126_000);
        assertEq(token.balanceOf(owner), BALANCE - 10 * 63_000 - 2 * 77 - 5 * 126_000 - 5);
        vm.prank(owner);
        registry.registerBatch(batchOf(1));
        assertEq(rateOf(later + 1), Amount.unwrap(fees.rateOf(0)));
    }

    function test_extend__when_prices_changed__mixes_and_refunds_what_was_mixed() external {
        uint256 blobObject = register();
        setPrices(2000, 5);
        warpTo(2);
        vm.prank(other);
        registry.extend(blobObject, 1);
        // Three epochs at 63,000 and one at 126,000 are ahead.
        assertEq(rateOf(blobObject), 78_750);
        assertEq(token.balanceOf(other), BALANCE - 126_000);
        warpTo(4);
        vm.prank(owner);
        assertEq(Amount.unwrap(registry.deleteBlob(blobObject)), 2 * 78_750);
        assertEq(Amount.unwrap(vault.reserveOf(address(fees))), 2 * 63_000 + 2 * 78_750 + 77);
    }

    // ERC-721

    function test_transferFrom__marks_what_was_given_for_good() external {
        uint256 blobObject = register();
        assertFalse(registry.wasGiven(blobObject));
        IBlobRegistry.BlobObject memory before = registry.blobOf(blobObject);
        vm.prank(owner);
        registry.transferFrom(owner, other, blobObject);
        assertTrue(registry.wasGiven(blobObject));
        vm.prank(other);
        registry.transferFrom(other, owner, blobObject);
        assertTrue(registry.wasGiven(blobObject));
        assertEq(keccak256(abi.encode(registry.blobOf(blobObject))), keccak256(abi.encode(before)));
        assertFalse(registry.wasGiven(blobObject + 1));
    }

    function test_transferFrom__when_the_caller_is_a_stranger__reverts() external {
        uint256 blobObject = register();
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, stranger, blobObject));
        vm.prank(stranger);
        registry.transferFrom(owner, stranger, blobObject);
    }

    function test_transferFrom__when_from_is_not_the_owner__reverts() external {
        uint256 blobObject = register();
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, other, blobObject, owner));
        vm.prank(owner);
        registry.transferFrom(other, stranger, blobObject);
    }

    function test_transferFrom__when_to_is_zero__reverts() external {
        uint256 blobObject = register();
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(0)));
        vm.prank(owner);
        registry.transferFrom(owner, address(0), blobObject);
    }

    function test_transferFrom__when_there_is_no_object__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1));
        vm.prank(owner);
        registry.transferFrom(owner, other, 1);
    }

    function test_transferFrom__when_approved__moves_the_object_and_clears_the_approval() external {
        uint256 blobObject = certified();
        bytes memory before = abi.encode(registry.blobOf(blobObject).blobId, registry.blobOf(blobObject).end);
        vm.prank(owner);
        registry.approve(stranger, blobObject);
        vm.prank(stranger);
        registry.transferFrom(owner, other, blobObject);
        assertEq(registry.ownerOf(blobObject), other);
        assertEq(registry.balanceOf(owner), 0);
        assertEq(registry.balanceOf(other), 1);
        assertEq(registry.getApproved(blobObject), address(0));
        assertEq(abi.encode(registry.blobOf(blobObject).blobId, registry.blobOf(blobObject).end), before);
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
    }

    function test_transferFrom__when_to_oneself__changes_nothing() external {
        uint256 blobObject = register();
        vm.prank(owner);
        registry.transferFrom(owner, owner, blobObject);
        assertEq(registry.ownerOf(blobObject), owner);
        assertEq(registry.balanceOf(owner), 1);
    }

    function test_safeTransferFrom__when_the_receiver_is_a_contract_that_does_not_answer__reverts() external {
        uint256 blobObject = register();
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(fees)));
        vm.prank(owner);
        registry.safeTransferFrom(owner, address(fees), blobObject);
    }

    function test_deleteBlob__when_approved_for_all_and_transferred_away__reverts() external {
        uint256 blobObject = register();
        vm.startPrank(owner);
        registry.setApprovalForAll(stranger, true);
        registry.transferFrom(owner, other, blobObject);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, stranger, blobObject));
        vm.prank(stranger);
        registry.deleteBlob(blobObject);
    }

    function test_balanceOf__when_the_owner_is_zero__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidOwner.selector, address(0)));
        registry.balanceOf(address(0));
    }

    function test_supportsInterface__given_erc721__is_true() external view {
        assertTrue(registry.supportsInterface(type(IERC721).interfaceId));
        assertTrue(registry.supportsInterface(type(IERC165).interfaceId));
        assertEq(registry.name(), "Walrus Chain Blob");
        assertEq(registry.symbol(), "BLOB");
    }

    // helpers

    function rateOf(uint256 blobObject) private view returns (uint256) {
        return Amount.unwrap(registry.blobOf(blobObject).rate);
    }

    /// @dev As the contract that counts votes does.
    function setPrices(uint128 unitPrice, uint128 writeFee) private {
        Epoch next = Epoch.wrap(currentEpoch() + 1);
        vm.prank(address(prices));
        fees.setPrices(next, Amount.wrap(unitPrice), Amount.wrap(writeFee));
    }

    function assertCustody(uint256 blobObject, string memory name, uint64 size, uint32 until) private view {
        (BlobId id, uint64 size_, Epoch until_) = registry.custodyOf(blobObject);
        assertEq(BlobId.unwrap(id), bytes(name).length == 0 ? bytes32(0) : BlobId.unwrap(blobId(name)));
        assertEq(size_, size);
        assertEq(Epoch.unwrap(until_), until);
    }

    function batchOf(uint256 count) private pure returns (IBlobRegistry.Registration[] memory batch) {
        batch = new IBlobRegistry.Registration[](count);
        for (uint256 i = 0; i < count; ++i) {
            batch[i] = IBlobRegistry.Registration({
                blobId: blobId(vm.toString(i)),
                size: uint64(i * 100_000),
                epochs: uint32(1 + i % 7),
                deletable: i % 2 == 0
            });
        }
    }

    function incomes() private view returns (bytes memory all) {
        for (uint32 epoch = 1; epoch < 10; ++epoch) {
            all = abi.encode(all, fees.incomeOf(Epoch.wrap(epoch)));
        }
    }

    function expectNotLive(uint256 blobObject, IBlobRegistry.Status actual) private {
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_NotLive.selector, blobObject, actual));
    }
}
