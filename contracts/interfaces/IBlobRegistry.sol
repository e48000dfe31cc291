// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {Epoch} from "../types/Epoch.sol";

/// @title IBlobRegistry
/// @notice Which blobs the network stores, for whom, until when, and the certificate by which it takes responsibility.
/// @dev Glossary: a *blob* is bytes named by their id; a *blob object* is one registration of a blob, an ERC-721 token.
/// Two owners may register the same blob. Object ids count from 1 and are never reused.
///
/// Flow: {register} -> slivers go to the nodes -> each signs
/// `StorageAttestation(bytes32 blobId,uint256 blobObject,uint32 epoch,bool deletable)` -> {certify} -> {extend}, transfer
/// or {deleteBlob} -> expiry by the clock.
///
/// Status is derived: see {statusOf}. Nothing has to be called for an object to expire.
interface IBlobRegistry is IERC721 {
    /// @notice What an owner asks for.
    /// @param blobId Commits to content, size and number of shards.
    /// @param size Bytes of the blob, as committed to in its id; less than 2^40.
    /// @param epochs Length of the term, the current epoch included.
    /// @param deletable Whether the owner may end the term early.
    struct Registration {
        BlobId blobId;
        uint64 size;
        uint32 epochs;
        bool deletable;
    }

    /// @notice Where an object stands.
    /// @dev Unknown: never registered, or deleted. Registered: paid, not certified. Certified: the network answers for it.
    /// Expired: its term is over. Invalid: nodes attested that the blob's bytes do not encode to its id.
    enum Status {
        Unknown,
        Registered,
        Certified,
        Expired,
        Invalid
    }

    /// @notice All that is known of an object.
    struct BlobObject {
        uint256 id;
        BlobId blobId;
        address owner;
        uint64 size;
        Epoch start;
        Epoch end;
        bool deletable;
        Amount rate;
        Status status;
    }

    /// @notice Emitted when an object was registered and paid.
    event BlobRegistered(
        uint256 indexed blobObject,
        BlobId indexed blobId,
        address indexed owner,
        uint64 size,
        Epoch start,
        Epoch end,
        bool deletable
    );

    /// @notice Emitted when the network took responsibility for an object: its point of availability.
    event BlobCertified(uint256 indexed blobObject, BlobId indexed blobId, Epoch indexed committeeEpoch, uint16 weight);

    /// @notice Emitted when an object's term became longer.
    event BlobExtended(uint256 indexed blobObject, BlobId indexed blobId, Epoch oldEnd, Epoch newEnd);

    /// @notice Emitted when an owner ended an object's term early.
    /// @param epoch The epoch in which this happened; it was paid, so nodes keep the bytes until it is over.
    event BlobDeleted(
        uint256 indexed blobObject, BlobId indexed blobId, address indexed owner, Amount refunded, Epoch epoch
    );

    /// @notice Emitted when nodes attested that a blob's bytes do not encode to its id.
    event BlobInvalidated(BlobId indexed blobId, Epoch indexed committeeEpoch, uint16 weight);

    /// @notice Thrown when there is no such object, or it was deleted.
    error BlobRegistry_UnknownObject(uint256 blobObject);

    /// @notice Thrown when the object's status does not allow the call.
    error BlobRegistry_WrongStatus(uint256 blobObject, Status expected, Status actual);

    /// @notice Thrown when the caller is not the contract that asks for custody proofs.
    error BlobRegistry_CallerNotCustody(address custody, address caller);

    /// @notice Thrown when the caller is not the contract that keeps the policies.
    error BlobRegistry_CallerNotPolicies(address policies, address caller);

    /// @notice Thrown when facts are cleared of an object that nodes still answer for, or that was not deleted.
    error BlobRegistry_StillKept(uint256 blobObject);

    /// @notice Thrown when an object that is expired or invalid is extended or deleted.
    error BlobRegistry_NotLive(uint256 blobObject, Status actual);

    /// @notice Thrown when a permanent object is deleted.
    error BlobRegistry_NotDeletable(uint256 blobObject);

    /// @notice Thrown when the signers hold fewer shards than are required.
    error BlobRegistry_QuorumNotReached(uint256 blobObject, uint16 required, uint16 weight);

    /// @notice Thrown when those who attest an invalid blob hold fewer shards than are required.
    error BlobRegistry_TooFewAccusers(BlobId blobId, uint16 required, uint16 weight);

    /// @notice Thrown when a blob was invalidated already.
    error BlobRegistry_AlreadyInvalid(BlobId blobId);

    /// @notice Thrown when a blob id is zero.
    error BlobRegistry_NoBlobId();

    /// @notice Thrown when a size is not below the limit.
    error BlobRegistry_TooLarge(BlobId blobId, uint64 limit, uint64 size);

    /// @notice Thrown when a batch is empty or longer than the limit.
    error BlobRegistry_WrongBatchSize(uint256 maximum, uint256 actual);

    /// @notice Registers a blob for the caller and charges its whole term.
    /// @dev Emits {BlobRegistered}, {IStorageFees-TermPaid} and the ERC-721 Transfer.
    /// Notes:
    /// - A blob that is known as invalid is not refused, to spare everybody the look-up: it can never be certified, and who
    ///   encodes correctly never gets such an id. {isInvalid} tells beforehand.
    /// Requirements:
    /// - The caller must have approved the vault for the price ({IStorageFees-quote}).
    /// - The blob id must not be zero, the size less than 2^40, the term within {IStorageFees-maximumEpochs}.
    function register(Registration calldata registration) external returns (uint256 blobObject);

    /// @notice {register} for several blobs of the caller, with one payment. Objects get consecutive ids.
    /// @return firstObject The id of the first one.
    function registerBatch(Registration[] calldata registrations) external returns (uint256 firstObject);

    /// @notice Turns a quorum of storage attestations into the certificate of a blob object.
    /// @dev Emits {BlobCertified}.
    /// Notes:
    /// - Anyone may call: authority comes from the signatures.
    /// Requirements:
    /// - The object must be registered, not certified and not expired.
    /// - The signers must hold a quorum of the committee's shards and have signed for the epoch in which it took office.
    /// @param signers Bit i is set when committee member i signed.
    /// @param signatures 65 bytes r,s,v each, in the order of the bits, lowest first.
    /// @return weight The shards of those who signed.
    function certify(uint256 blobObject, uint256 signers, bytes calldata signatures) external returns (uint16 weight);

    /// @notice Makes an object's term `epochs` longer at today's price. Anyone may pay.
    /// @dev Emits {BlobExtended} and {IStorageFees-TermPaid}.
    /// Warning: what is paid belongs to the object. The owner of a deletable one may delete it and keep the refund, whoever
    /// paid; extend the objects of strangers only if they are permanent.
    /// Requirements:
    /// - The object must be registered or certified.
    function extend(uint256 blobObject, uint32 epochs) external;

    /// @notice Ends a deletable object's term; its unused epochs become the owner's claim in the vault.
    /// @dev Emits {BlobDeleted} and the ERC-721 Transfer to zero. Nodes keep the bytes until the present epoch, which is
    /// paid, is over.
    /// Requirements:
    /// - The caller must be the owner or approved by it.
    /// - The object must be deletable and registered or certified, and its retention policy must allow it.
    function deleteBlob(uint256 blobObject) external returns (Amount refunded);

    /// @notice Records that the bytes nodes were given for a blob do not encode to its id; all its objects become invalid.
    /// @dev Emits {BlobInvalidated}.
    /// Requirements:
    /// - The signers must hold at least f + 1 shards, and have signed
    ///   `InvalidityAttestation(bytes32 blobId,uint32 epoch)` for the epoch in which the committee took office.
    function invalidate(BlobId blobId, uint256 signers, bytes calldata signatures) external returns (uint16 weight);

    /// @notice Clears what was kept of a deleted object so that nodes could be asked about it. Only the custody contract.
    /// @dev Does nothing for an object that expired: it keeps its facts.
    function forget(uint256 blobObject) external;

    /// @notice Notes that an object has policies: from now on they are asked before it is transferred or deleted, and told when it
    /// is certified or extended. Only the contract that keeps them, which sees to it that the object exists.
    function setGoverned(uint256 blobObject) external;

    /// @notice What nodes may be asked about an object that was certified, also after it was deleted.
    /// @return blobId Zero when nothing is known.
    /// @return size Bytes of the blob.
    /// @return until The first epoch in which nodes do not answer for it any more; zero when it is invalid.
    function custodyOf(uint256 blobObject) external view returns (BlobId blobId, uint64 size, Epoch until);

    /// @notice All that is known of an object. Its status is {Status-Unknown} when there is none.
    function blobOf(uint256 blobObject) external view returns (BlobObject memory);

    /// @notice Whether an object was ever handed on: then its owner did not choose what is in it, nor its policies.
    function wasGiven(uint256 blobObject) external view returns (bool);

    /// @notice Where an object stands now.
    function statusOf(uint256 blobObject) external view returns (Status);

    /// @notice Whether nodes attested that the blob's bytes do not encode to its id.
    function isInvalid(BlobId blobId) external view returns (bool);

    /// @notice The digest that a node signs to attest that it stores an object of a blob.
    function attestationDigest(BlobId blobId, uint256 blobObject, Epoch committeeEpoch, bool deletable)
        external
        view
        returns (bytes32);

    /// @notice The digest that a node signs to attest that a blob is invalid.
    function invalidityDigest(BlobId blobId, Epoch committeeEpoch) external view returns (bytes32);

    /// @notice How many objects were ever registered; their ids are 1..objectCount().
    function objectCount() external view returns (uint256);
}
