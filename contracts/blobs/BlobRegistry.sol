// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IBlobPolicies} from "../interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../interfaces/ICustodyChallenges.sol";
import {IStorageFees} from "../interfaces/IStorageFees.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {RedStuffMath} from "../libraries/RedStuffMath.sol";
import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {Epoch} from "../types/Epoch.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {BlobFacts, newBlobFacts} from "./BlobFacts.sol";
import {BlobToken} from "./BlobToken.sol";

/// @title BlobRegistry
/// @notice Blob objects from registration to expiry, each an ERC-721 token.
/// @dev Flow: {register} -> {certify} -> {extend}, transfer or {deleteBlob} -> expiry by the clock; {invalidate} at any time.
///
/// Tokens are minted without asking the receiver, and calls go only to contracts fixed at construction. One of them, the
/// policies, hands on: of an object that has some, its policies are asked before anything changes, by STATICCALL, and told
/// after everything changed, as the last step of a call. So whoever gets control finds all books closed; a batch has no such
/// step, since an object has no policies when it is registered.
///
/// Invariants:
/// - An object is certified only if members that hold a quorum of shards signed for this very object, blob, committee,
///   chain and contract.
/// - Ids are never reused. Of a deleted object nothing is known; only what nodes are asked about one that was certified is
///   kept for the custody contract, until it forgets it.
/// - A blob that was invalidated stays invalid, under every object.
contract BlobRegistry is BlobToken, EIP712, IBlobRegistry {
    using SafeCast for uint256;

    /// @dev One slot: every registration counts and needs the prices of its epoch, which are final once it has begun.
    /// Prices have 70 bits, see {IStorageFees-maximumPrice}.
    struct Intake {
        uint40 objects;
        Epoch pricesOf;
        uint88 unitPrice;
        uint88 writeFee;
    }

    bytes32 private constant STORAGE_ATTESTATION_TYPEHASH =
        keccak256("StorageAttestation(bytes32 blobId,uint256 blobObject,uint32 epoch,bool deletable)");
    bytes32 private constant INVALIDITY_ATTESTATION_TYPEHASH =
        keccak256("InvalidityAttestation(bytes32 blobId,uint32 epoch)");

    uint64 private constant SIZE_LIMIT = 2 ** 40;
    uint256 private constant MAXIMUM_BATCH = 100;

    ICommittee private immutable _committee;
    IStorageFees private immutable _fees;
    ICustodyChallenges private immutable _custody;
    IBlobPolicies private immutable _policies;
    Timestamp private immutable _genesis;
    uint64 private immutable _epochSeconds;
    uint16 private immutable _quorum;
    uint16 private immutable _honestMinority;

    Intake private _intake;

    /// @inheritdoc IBlobRegistry
    mapping(BlobId blobId => bool) public isInvalid;

    /// @dev Whether any blob was ever invalidated: until then {custodyOf} has no need to look a blob up.
    bool private _anyInvalid;

    /// @notice Fixes the partners for ever.
    /// @param committee Checks signatures; gives the clock and the number of shards, which never change.
    /// @param fees Charges and refunds; must name this contract as its registry.
    /// @param custody Asks nodes about certified objects; must name this contract as its registry.
    /// @param policies Asks and tells the policies of objects; must name this contract as its registry.
    constructor(ICommittee committee, IStorageFees fees, ICustodyChallenges custody, IBlobPolicies policies)
        EIP712("Walrus Chain Blob Registry", "1")
    {
        _committee = committee;
        _fees = fees;
        _custody = custody;
        _policies = policies;
        _genesis = committee.startOf(Epoch.wrap(1));
        _epochSeconds = committee.epochSeconds();
        uint16 shards = committee.shards();
        _quorum = uint16(RedStuffMath.quorum(shards));
        _honestMinority = uint16(RedStuffMath.honestMinority(shards));
    }

    /// @inheritdoc IBlobRegistry
    function register(Registration calldata registration) external returns (uint256 blobObject) {
        // Effect
        Epoch current = _currentEpoch();
        Intake memory intake = _take(current, 1);
        blobObject = intake.objects;
        _enter(blobObject, current, registration);

        // Interaction
        _fees.charge(
            blobObject,
            msg.sender,
            registration.size,
            registration.epochs,
            Amount.wrap(intake.unitPrice),
            Amount.wrap(intake.writeFee)
        );
    }

    /// @inheritdoc IBlobRegistry
    function registerBatch(Registration[] calldata registrations) external returns (uint256 firstObject) {
        // Check
        uint256 count = registrations.length;
        if (count == 0 || count > MAXIMUM_BATCH) revert BlobRegistry_WrongBatchSize(MAXIMUM_BATCH, count);

        // Effect
        Epoch current = _currentEpoch();
        Intake memory intake = _take(current, count);
        firstObject = intake.objects - count + 1;
        IStorageFees.Term[] memory terms = new IStorageFees.Term[](count);
        for (uint256 i = 0; i < count; ++i) {
            Registration calldata registration = registrations[i];
            _enter(firstObject + i, current, registration);
            terms[i] = IStorageFees.Term(firstObject + i, registration.size, registration.epochs);
        }

        // Interaction
        _fees.chargeBatch(msg.sender, terms, Amount.wrap(intake.unitPrice), Amount.wrap(intake.writeFee));
    }

    /// @inheritdoc IBlobRegistry
    function certify(uint256 blobObject, uint256 signers, bytes calldata signatures) external returns (uint16 weight) {
        // Check
        BlobFacts facts = _factsOf[blobObject];
        BlobId blobId = _blobIdOf[blobObject];
        Status status = _statusOf(facts, blobId);
        if (status == Status.Unknown) revert BlobRegistry_UnknownObject(blobObject);
        if (status != Status.Registered) revert BlobRegistry_WrongStatus(blobObject, Status.Registered, status);

        Epoch committeeEpoch = _committee.epoch();
        bytes32 digest = attestationDigest(blobId, blobObject, committeeEpoch, facts.isDeletable());
        weight = _committee.verify(digest, signers, signatures);
        if (weight < _quorum) revert BlobRegistry_QuorumNotReached(blobObject, _quorum, weight);

        // Effect
        _factsOf[blobObject] = facts.withCertificate();
        emit BlobCertified(blobObject, blobId, committeeEpoch, weight);

        // Interaction
        _custody.add(blobObject, facts.sizeOf());
        if (facts.isGoverned()) _policies.notifyCertified(blobObject);
    }

    /// @inheritdoc IBlobRegistry
    function extend(uint256 blobObject, uint32 epochs) external {
        // Check
        (BlobFacts facts, BlobId blobId) = _live(blobObject);

        // Effect
        Epoch oldEnd = facts.endOf();
        uint24 newEnd = _endAfter(oldEnd, epochs);
        _factsOf[blobObject] = facts.withEnd(newEnd);
        emit BlobExtended(blobObject, blobId, oldEnd, Epoch.wrap(newEnd));

        // Interaction
        _fees.chargeExtension(blobObject, msg.sender, facts.sizeOf(), facts.startOf(), oldEnd, epochs);
        if (facts.isGoverned()) _policies.notifyExtended(blobObject, Epoch.wrap(newEnd));
    }

    /// @inheritdoc IBlobRegistry
    function deleteBlob(uint256 blobObject) external returns (Amount refunded) {
        // Check
        (BlobFacts facts, BlobId blobId) = _live(blobObject);
        address owner = facts.ownerOf();
        _checkAuthorized(owner, msg.sender, blobObject);
        if (!facts.isDeletable()) revert BlobRegistry_NotDeletable(blobObject);
        Epoch current = _currentEpoch();
        if (facts.isGoverned()) _policies.checkDelete(blobObject, current);

        // Effect: nobody's; nodes answer for what they attested until the epoch is over.
        _burn(blobObject);
        if (facts.isCertified()) _factsOf[blobObject] = facts.withOwner(address(0)).withEnd(_endAfter(current, 1));
        else _clear(blobObject);

        // Interaction
        refunded = _fees.refund(blobObject, owner, facts.sizeOf(), facts.startOf(), facts.endOf());
        emit BlobDeleted(blobObject, blobId, owner, refunded, current);
    }

    /// @inheritdoc IBlobRegistry
    function invalidate(BlobId blobId, uint256 signers, bytes calldata signatures) external returns (uint16 weight) {
        // Check
        if (isInvalid[blobId]) revert BlobRegistry_AlreadyInvalid(blobId);
        Epoch committeeEpoch = _committee.epoch();
        weight = _committee.verify(invalidityDigest(blobId, committeeEpoch), signers, signatures);
        if (weight < _honestMinority) revert BlobRegistry_TooFewAccusers(blobId, _honestMinority, weight);

        // Effect
        isInvalid[blobId] = true;
        if (!_anyInvalid) _anyInvalid = true;
        emit BlobInvalidated(blobId, committeeEpoch, weight);
    }

    /// @inheritdoc IBlobRegistry
    function setGoverned(uint256 blobObject) external {
        // Check
        if (msg.sender != address(_policies)) revert BlobRegistry_CallerNotPolicies(address(_policies), msg.sender);

        // Effect
        _factsOf[blobObject] = _factsOf[blobObject].withPolicies();
    }

    /// @inheritdoc IBlobRegistry
    function forget(uint256 blobObject) external {
        // Check
        if (msg.sender != address(_custody)) revert BlobRegistry_CallerNotCustody(address(_custody), msg.sender);
        BlobFacts facts = _factsOf[blobObject];
        bool over = facts.endOf() <= _currentEpoch() || isInvalid[_blobIdOf[blobObject]];
        if (!over) revert BlobRegistry_StillKept(blobObject);
        if (facts.ownerOf() != address(0)) return;

        // Effect
        _clear(blobObject);
    }

    /// @inheritdoc IBlobRegistry
    function custodyOf(uint256 blobObject) external view returns (BlobId blobId, uint64 size, Epoch until) {
        BlobFacts facts = _factsOf[blobObject];
        if (!facts.isCertified()) return (blobId, size, until);

        (blobId, size) = (_blobIdOf[blobObject], facts.sizeOf());
        if (!_anyInvalid || !isInvalid[blobId]) until = facts.endOf();
    }

    /// @inheritdoc IBlobRegistry
    function blobOf(uint256 blobObject) external view returns (BlobObject memory blob) {
        BlobFacts facts = _factsOf[blobObject];
        BlobId blobId = _blobIdOf[blobObject];
        blob.id = blobObject;
        blob.status = _statusOf(facts, blobId);
        if (blob.status == Status.Unknown) return blob;

        blob.blobId = blobId;
        blob.owner = facts.ownerOf();
        blob.size = facts.sizeOf();
        blob.start = facts.startOf();
        blob.end = facts.endOf();
        blob.deletable = facts.isDeletable();
        blob.rate = _fees.rateOfObject(blobObject, blob.size, blob.start);
    }

    /// @inheritdoc IBlobRegistry
    function wasGiven(uint256 blobObject) external view returns (bool) {
        return _factsOf[blobObject].wasGiven();
    }

    /// @inheritdoc IBlobRegistry
    function statusOf(uint256 blobObject) external view returns (Status) {
        return _statusOf(_factsOf[blobObject], _blobIdOf[blobObject]);
    }

    /// @inheritdoc IBlobRegistry
    function objectCount() external view returns (uint256) {
        return _intake.objects;
    }

    /// @inheritdoc IBlobRegistry
    function attestationDigest(BlobId blobId, uint256 blobObject, Epoch committeeEpoch, bool deletable)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(
            keccak256(abi.encode(STORAGE_ATTESTATION_TYPEHASH, blobId, blobObject, committeeEpoch, deletable))
        );
    }

    /// @inheritdoc IBlobRegistry
    function invalidityDigest(BlobId blobId, Epoch committeeEpoch) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(INVALIDITY_ATTESTATION_TYPEHASH, blobId, committeeEpoch)));
    }

    /// @inheritdoc BlobToken
    function _checkTransfer(uint256 blobObject, address to) internal view override {
        _policies.checkTransfer(blobObject, to);
    }

    /// @dev Counts new objects, of which the last gets the number that is answered, and sees to the prices of this epoch.
    function _take(Epoch current, uint256 count) private returns (Intake memory intake) {
        intake = _intake;
        if (!(intake.pricesOf == current)) {
            (Amount unitPrice, Amount writeFee) = _fees.pricesAt(current);
            intake.pricesOf = current;
            // Prices have 70 bits.
            // forge-lint: disable-next-item(unsafe-typecast)
            (intake.unitPrice, intake.writeFee) = (uint88(Amount.unwrap(unitPrice)), uint88(Amount.unwrap(writeFee)));
        }
        // Counts below 2^40; batches are short.
        // forge-lint: disable-next-line(unsafe-typecast)
        intake.objects += uint40(count);
        _intake = intake;
    }

    /// @dev Writes a new object of the caller. Whether the term may be paid is for the fees to check.
    function _enter(uint256 blobObject, Epoch start, Registration calldata registration) private {
        // Check
        BlobId blobId = registration.blobId;
        uint64 size = registration.size;
        if (blobId.isNone()) revert BlobRegistry_NoBlobId();
        if (size >= SIZE_LIMIT) revert BlobRegistry_TooLarge(blobId, SIZE_LIMIT, size);

        // Effect
        bool deletable = registration.deletable;
        uint24 end = _endAfter(start, registration.epochs);
        // The size is below its limit, and the start before an end of 24 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        _create(blobObject, blobId, newBlobFacts(msg.sender, uint40(size), uint24(Epoch.unwrap(start)), end, deletable));
        emit BlobRegistered(blobObject, blobId, msg.sender, size, start, Epoch.wrap(end), deletable);
    }

    /// @dev The facts of an object whose term may still be changed.
    function _live(uint256 blobObject) private view returns (BlobFacts facts, BlobId blobId) {
        (facts, blobId) = (_factsOf[blobObject], _blobIdOf[blobObject]);
        Status status = _statusOf(facts, blobId);
        if (status == Status.Unknown) revert BlobRegistry_UnknownObject(blobObject);
        if (status != Status.Registered && status != Status.Certified) revert BlobRegistry_NotLive(blobObject, status);
    }

    /// @dev Derived from facts and the clock. Invalid says more than expired, so it goes first.
    function _statusOf(BlobFacts facts, BlobId blobId) private view returns (Status) {
        if (facts.ownerOf() == address(0)) return Status.Unknown;
        if (isInvalid[blobId]) return Status.Invalid;
        if (facts.endOf() <= _currentEpoch()) return Status.Expired;
        return facts.isCertified() ? Status.Certified : Status.Registered;
    }

    /// @dev The fees refuse terms long before they leave 24 bits.
    function _endAfter(Epoch start, uint32 epochs) private pure returns (uint24) {
        return (uint256(Epoch.unwrap(start)) + epochs).toUint24();
    }

    function _currentEpoch() private view returns (Epoch) {
        return EpochClock.current(_genesis, _epochSeconds);
    }
}
