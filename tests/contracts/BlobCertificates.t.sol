// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobRegistry} from "../../contracts/blobs/BlobRegistry.sol";
import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {BlobFixture} from "./support/BlobFixture.sol";
import {vm} from "./support/Vm.sol";

/// @dev The branches of BlobRegistry.tree that check signatures.
contract BlobCertificatesTest is BlobFixture {
    // certify: status

    function test_certify__when_the_object_is_unknown__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_UnknownObject.selector, 1));
        registry.certify(1, bitmap(0, QUORUM), "");
    }

    function test_certify__when_the_object_was_deleted__reverts() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM));
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_UnknownObject.selector, blobObject));
        registry.certify(blobObject, bitmap(0, QUORUM), signatures);
    }

    function test_certify__when_certified_already__reverts() external {
        uint256 blobObject = certified();
        bytes memory signatures = attestations(blobObject, bitmap(3, QUORUM));
        expectWrongStatus(blobObject, IBlobRegistry.Status.Certified);
        registry.certify(blobObject, bitmap(3, QUORUM), signatures);
    }

    function test_certify__when_the_object_expired__reverts() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM));
        warpTo(1 + EPOCHS);
        expectWrongStatus(blobObject, IBlobRegistry.Status.Expired);
        registry.certify(blobObject, bitmap(0, QUORUM), signatures);
    }

    function test_certify__when_the_blob_is_invalid__reverts() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM));
        invalidate(blobId("default"));
        expectWrongStatus(blobObject, IBlobRegistry.Status.Invalid);
        registry.certify(blobObject, bitmap(0, QUORUM), signatures);
    }

    function test_certify__when_no_committee_serves__reverts() external {
        deploySystem(defaultParameters());
        giveTokens(owner, BALANCE);
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM));
        vm.expectRevert(ICommittee.Committee_NotFormed.selector);
        registry.certify(blobObject, bitmap(0, QUORUM), signatures);
    }

    // certify: signatures

    function test_certify__when_one_shard_is_missing__reverts() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM - 1));
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_QuorumNotReached.selector, blobObject, 7, 6));
        registry.certify(blobObject, bitmap(0, QUORUM - 1), signatures);
    }

    function test_certify__when_a_signature_is_a_duplicate__reverts() external {
        uint256 blobObject = register();
        bytes memory six = attestations(blobObject, bitmap(0, 6));
        bytes memory last = attestations(blobObject, 1 << 5);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICommittee.Committee_WrongSignature.selector, 6, signerAccount(6).addr, signerAccount(5).addr
            )
        );
        registry.certify(blobObject, bitmap(0, QUORUM), bytes.concat(six, last));
    }

    function test_certify__when_a_signature_is_missing__reverts() external {
        uint256 blobObject = register();
        bytes memory six = attestations(blobObject, bitmap(0, 6));
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_WrongSignatureLength.selector, 7 * 65, 6 * 65));
        registry.certify(blobObject, bitmap(0, QUORUM), six);
    }

    function test_certify__when_a_signature_is_too_many__reverts() external {
        uint256 blobObject = register();
        bytes memory eight = attestations(blobObject, bitmap(0, 8));
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_WrongSignatureLength.selector, 7 * 65, 8 * 65));
        registry.certify(blobObject, bitmap(0, QUORUM), eight);
    }

    function test_certify__when_a_signature_is_foreign__reverts() external {
        uint256 blobObject = register();
        Account memory foreigner = makeAccount("foreigner");
        bytes memory six = attestations(blobObject, bitmap(0, 6));
        bytes memory foreign = sign(foreigner.key, digestOf(blobObject));
        vm.expectRevert(
            abi.encodeWithSelector(
                ICommittee.Committee_WrongSignature.selector, 6, signerAccount(6).addr, foreigner.addr
            )
        );
        registry.certify(blobObject, bitmap(0, QUORUM), bytes.concat(six, foreign));
    }

    function test_certify__when_the_bitmap_names_no_member__reverts() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(4, QUORUM));
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_UnknownMember.selector, 10, bitmap(4, QUORUM)));
        registry.certify(blobObject, bitmap(4, QUORUM), signatures);
    }

    function test_certify__when_a_signature_has_high_s__reverts() external {
        uint256 blobObject = register();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerAccount(6).key, digestOf(blobObject));
        bytes32 highS = bytes32(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141 - uint256(s));
        bytes memory six = attestations(blobObject, bitmap(0, 6));
        bytes memory malleable = abi.encodePacked(r, highS, v == 27 ? uint8(28) : uint8(27));
        vm.expectPartialRevert(ICommittee.Committee_WrongSignature.selector);
        registry.certify(blobObject, bitmap(0, QUORUM), bytes.concat(six, malleable));
    }

    function test_certify__when_replayed_from_another_object_of_the_blob__reverts() external {
        uint256 blobObject = register();
        expectRefusedReplay(register(), attestations(blobObject, bitmap(0, QUORUM)));
    }

    function test_certify__when_replayed_from_another_epoch__reverts() external {
        uint256 blobObject = register();
        bytes32 digest = registry.attestationDigest(blobId("default"), blobObject, Epoch.wrap(2), true);
        expectRefusedReplay(blobObject, signaturesOf(digest, bitmap(0, QUORUM)));
    }

    function test_certify__when_replayed_from_another_deletability__reverts() external {
        uint256 blobObject = register();
        bytes32 digest = registry.attestationDigest(blobId("default"), blobObject, Epoch.wrap(1), false);
        expectRefusedReplay(blobObject, signaturesOf(digest, bitmap(0, QUORUM)));
    }

    function test_certify__when_replayed_from_another_purpose__reverts() external {
        uint256 blobObject = register();
        bytes32 digest = registry.invalidityDigest(blobId("default"), Epoch.wrap(1));
        expectRefusedReplay(blobObject, signaturesOf(digest, bitmap(0, QUORUM)));
    }

    function test_certify__when_replayed_from_another_chain__reverts() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM));
        vm.chainId(31_338);
        expectRefusedReplay(blobObject, signatures);
    }

    function test_certify__when_replayed_from_another_registry__reverts() external {
        uint256 blobObject = register();
        BlobRegistry twin = new BlobRegistry(committee, fees, custody, policies);
        bytes32 digest = twin.attestationDigest(blobId("default"), blobObject, Epoch.wrap(1), true);
        expectRefusedReplay(blobObject, signaturesOf(digest, bitmap(0, QUORUM)));
    }

    // certify: after a change of committee

    function test_certify__when_the_committee_was_kept__takes_attestations_from_before() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM));
        turn(2);
        assertEq(Epoch.unwrap(committee.epoch()), 1);
        registry.certify(blobObject, bitmap(0, QUORUM), signatures);
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
    }

    function test_certify__when_the_committee_changed__refuses_attestations_from_before() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM));
        address operator = makeAddr("operator 9");
        vm.prank(operator);
        staking.undelegate(NodeId.wrap(10), Amount.wrap(type(uint128).max));
        turn(2);
        assertEq(Epoch.unwrap(committee.epoch()), 2);
        // The members of these places are the same, their signatures name another epoch.
        expectRefusedReplay(blobObject, signatures);
        certify(blobObject, bitmap(0, QUORUM));
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
    }

    function test_invalidate__when_the_committee_changed__refuses_attestations_from_before() external {
        BlobId id = blobId("default");
        bytes memory signatures = signaturesOf(registry.invalidityDigest(id, Epoch.wrap(1)), bitmap(0, 4));
        vm.prank(makeAddr("operator 9"));
        staking.undelegate(NodeId.wrap(10), Amount.wrap(type(uint128).max));
        turn(2);
        vm.expectPartialRevert(ICommittee.Committee_WrongSignature.selector);
        registry.invalidate(id, bitmap(0, 4), signatures);
        invalidate(id);
        assertTrue(registry.isInvalid(id));
    }

    function test_certify__when_a_member_left__its_place_means_the_next_one() external {
        vm.prank(makeAddr("operator 0"));
        staking.undelegate(NodeId.wrap(1), Amount.wrap(type(uint128).max));
        turn(2);
        uint256 blobObject = register();
        // Node 2 is member 0 now: whoever still counts from node 1 signs in the wrong places.
        bytes memory shifted = attestations(blobObject, bitmap(0, QUORUM));
        vm.expectPartialRevert(ICommittee.Committee_WrongSignature.selector);
        registry.certify(blobObject, bitmap(0, QUORUM), shifted);
        registry.certify(blobObject, bitmap(0, QUORUM), attestations(blobObject, bitmap(1, QUORUM)));
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
    }

    // certify: success

    function test_certify__when_a_quorum_signed__certifies_whoever_calls() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(3, QUORUM));
        vm.expectEmit(address(registry));
        emit IBlobRegistry.BlobCertified(blobObject, blobId("default"), Epoch.wrap(1), 7);
        vm.prank(stranger);
        assertEq(registry.certify(blobObject, bitmap(3, QUORUM), signatures), 7);
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
    }

    function test_certify__when_the_object_is_permanent__certifies() external {
        uint256 blobObject = registerPermanent();
        certify(blobObject, bitmap(0, QUORUM));
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
        assertFalse(registry.blobOf(blobObject).deletable);
    }

    function test_certify__when_transferred_and_extended_meanwhile__certifies() external {
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, bitmap(0, QUORUM));
        vm.startPrank(owner);
        registry.extend(blobObject, 1);
        registry.transferFrom(owner, other, blobObject);
        vm.stopPrank();
        warpTo(3);
        registry.certify(blobObject, bitmap(0, QUORUM), signatures);
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
        assertEq(registry.ownerOf(blobObject), other);
        assertEq(Epoch.unwrap(registry.blobOf(blobObject).end), 7);
    }

    function test_certify__given_any_signers__needs_a_quorum(uint256 signers) external {
        signers = bound(signers, 1, bitmap(0, 10));
        uint16 weight = 0;
        for (uint256 i = 0; i < 10; ++i) {
            weight += uint16(signers >> i & 1);
        }
        uint256 blobObject = register();
        bytes memory signatures = attestations(blobObject, signers);
        if (weight < QUORUM) vm.expectPartialRevert(IBlobRegistry.BlobRegistry_QuorumNotReached.selector);
        registry.certify(blobObject, signers, signatures);
        assertStatus(blobObject, weight < QUORUM ? IBlobRegistry.Status.Registered : IBlobRegistry.Status.Certified);
    }

    // invalidate

    function test_invalidate__when_invalid_already__reverts() external {
        invalidate(blobId("default"));
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_AlreadyInvalid.selector, blobId("default")));
        registry.invalidate(blobId("default"), bitmap(0, 4), "");
    }

    function test_invalidate__when_f_shards_signed__reverts() external {
        bytes memory signatures =
            signaturesOf(registry.invalidityDigest(blobId("default"), Epoch.wrap(1)), bitmap(0, 3));
        vm.expectRevert(
            abi.encodeWithSelector(IBlobRegistry.BlobRegistry_TooFewAccusers.selector, blobId("default"), 4, 3)
        );
        registry.invalidate(blobId("default"), bitmap(0, 3), signatures);
    }

    function test_invalidate__when_the_signatures_are_for_something_else__reverts() external {
        uint256 blobObject = register();
        expectRefusedAccusation(registry.invalidityDigest(blobId("other"), Epoch.wrap(1)));
        expectRefusedAccusation(registry.invalidityDigest(blobId("default"), Epoch.wrap(2)));
        expectRefusedAccusation(digestOf(blobObject));
    }

    function test_invalidate__when_enough_signed__all_objects_of_the_blob_are_invalid() external {
        uint256 registered = register();
        uint256 certified_ = certified();
        bytes memory signatures =
            signaturesOf(registry.invalidityDigest(blobId("default"), Epoch.wrap(1)), bitmap(2, 4));
        vm.expectEmit(address(registry));
        emit IBlobRegistry.BlobInvalidated(blobId("default"), Epoch.wrap(1), 4);
        vm.prank(stranger);
        assertEq(registry.invalidate(blobId("default"), bitmap(2, 4), signatures), 4);
        assertTrue(registry.isInvalid(blobId("default")));
        assertStatus(registered, IBlobRegistry.Status.Invalid);
        assertStatus(certified_, IBlobRegistry.Status.Invalid);
        warpTo(1 + EPOCHS);
        assertStatus(certified_, IBlobRegistry.Status.Invalid);
    }

    // helpers

    /// @dev Selects the committee of the next epoch and advances to it.
    function turn(uint32 epoch) private {
        warpTo(epoch - 1);
        skip(12 hours);
        committee.selectCommittee();
        warpTo(epoch);
        committee.advanceEpoch();
    }

    function digestOf(uint256 blobObject) private view returns (bytes32) {
        return registry.attestationDigest(blobId("default"), blobObject, Epoch.wrap(1), true);
    }

    function expectWrongStatus(uint256 blobObject, IBlobRegistry.Status actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IBlobRegistry.BlobRegistry_WrongStatus.selector, blobObject, IBlobRegistry.Status.Registered, actual
            )
        );
    }

    /// @dev The recovered address is some number, but never the member's.
    function expectRefusedReplay(uint256 blobObject, bytes memory signatures) private {
        vm.expectPartialRevert(ICommittee.Committee_WrongSignature.selector);
        registry.certify(blobObject, bitmap(0, QUORUM), signatures);
        assertStatus(blobObject, IBlobRegistry.Status.Registered);
    }

    function expectRefusedAccusation(bytes32 digest) private {
        bytes memory signatures = signaturesOf(digest, bitmap(0, 4));
        vm.expectPartialRevert(ICommittee.Committee_WrongSignature.selector);
        registry.invalidate(blobId("default"), bitmap(0, 4), signatures);
        assertFalse(registry.isInvalid(blobId("default")));
    }
}
