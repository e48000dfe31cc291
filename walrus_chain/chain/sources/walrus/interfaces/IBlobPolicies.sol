// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {Epoch} from "../types/Epoch.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {AccessRequest} from "./IDataPolicy.sol";

/// @title IBlobPolicies
/// @notice Which policies hold for which blob object, the sealed key of its data, and the one place where policies are asked.
/// @dev Glossary: an object's *access* policy decides uses of its data, its *retention* policy what its owner may not do to it;
/// either may be none. An *envelope* holds the data's key, sealed so that t of m storage agents can open it; it belongs to a *key
/// epoch* of the object. A *notice* is the time between announcing other policies and their taking effect.
///
/// Flow: {attach} right after {IBlobRegistry-register} -> agents ask {judge} at the block that a request names -> {announce} ->
/// after the notice the new policies hold, by the clock. {publishEnvelope} seals the key anew, for other agents, other policies or
/// the next key epoch.
///
/// A key is sealed for an identity that names chain, this contract, access policy, object and key epoch. So other policies than
/// those in force open nothing: whoever announces others must also seal the key for them.
///
/// Retention fails closed: a retention policy that does not answer forbids. Hooks fail open: they change nothing.
interface IBlobPolicies {
    /// @notice The policies of an object.
    /// @param access Zero: only the owner may use the data, for free.
    /// @param retention Zero: no restriction but the registry's own.
    struct Policies {
        address access;
        address retention;
    }

    /// @notice All that is known of an object's policies.
    /// @param current In force now.
    /// @param next Announced; both zero and `nextFrom` zero when nothing is.
    /// @param nextFrom When the announced ones take effect.
    /// @param noticeSeconds Between announcement and effect.
    /// @param frozen Whether they can never change.
    /// @param keyEpoch Of the envelope; keys of other epochs are not released.
    /// @param envelopeBlock The block that logged the envelope; zero when there is none.
    /// @param envelopeHash keccak256 of the envelope.
    struct Record {
        Policies current;
        Policies next;
        Timestamp nextFrom;
        uint32 noticeSeconds;
        bool frozen;
        uint32 keyEpoch;
        uint64 envelopeBlock;
        bytes32 envelopeHash;
    }

    /// @notice What is asked of {judge}: an {AccessRequest} without what the chain knows itself.
    struct Question {
        address requester;
        uint256 blobObject;
        uint8 action;
        bytes32 program;
        uint64 sequence;
        bytes evidence;
    }

    /// @notice The decision on a use of data.
    /// @param allowed Whether it is allowed, once the price is paid.
    /// @param reason Why not, in ASCII. The protocol's own: `UnknownObject`, `NotCertified`, `NotOwner`, `KeysDestroyed`,
    /// `EvidenceTooLong`, `UnknownAction`, `PolicyWithoutCode`, `PolicyFailed`, `QuoteFailed`, `WrongToken`, `UnknownPool`.
    /// @param ttlSeconds As the policy answered.
    /// @param policy The access policy in force.
    /// @param keyEpoch The key epoch in force.
    /// @param blobId The object's blob.
    /// @param price What the use costs; zero when it is free or denied.
    /// @param pool Who is paid.
    struct Verdict {
        bool allowed;
        bytes32 reason;
        uint32 ttlSeconds;
        address policy;
        uint32 keyEpoch;
        BlobId blobId;
        Amount price;
        PoolId pool;
    }

    /// @notice Emitted when an object got its first policies.
    event PoliciesAttached(
        uint256 indexed blobObject, address indexed access, address indexed retention, uint32 noticeSeconds
    );

    /// @notice Emitted when other policies were announced.
    event PoliciesAnnounced(
        uint256 indexed blobObject, address indexed access, address indexed retention, Timestamp from
    );

    /// @notice Emitted when an announcement was taken back.
    event AnnouncementCancelled(uint256 indexed blobObject);

    /// @notice Emitted when an object's policies were fixed for ever.
    event PoliciesFrozen(uint256 indexed blobObject);

    /// @notice Emitted with each sealed key.
    event EnvelopePublished(uint256 indexed blobObject, uint32 indexed keyEpoch, bytes envelope);

    /// @notice Emitted when a hook of a policy failed; nothing else came of it.
    /// @param hook The bit of {IDataPolicy-hooks}.
    event HookFailed(uint256 indexed blobObject, address indexed policy, uint8 hook);

    error BlobPolicies_CallerNotOwner(uint256 blobObject, address owner, address caller);
    error BlobPolicies_CallerNotRegistry(address registry, address caller);
    error BlobPolicies_CallerNotPurchases(address purchases, address caller);
    error BlobPolicies_AlreadyAttached(uint256 blobObject);
    error BlobPolicies_NotAttached(uint256 blobObject);
    error BlobPolicies_Frozen(uint256 blobObject);
    error BlobPolicies_NothingAnnounced(uint256 blobObject);
    error BlobPolicies_NotAPolicy(address policy);
    error BlobPolicies_NoticeOutOfBounds(uint32 minimum, uint32 maximum, uint32 actual);
    error BlobPolicies_EnvelopeTooLong(uint256 maximum, uint256 actual);
    error BlobPolicies_WrongKeyEpoch(uint256 blobObject, uint32 current, uint32 actual);
    error BlobPolicies_NotExpired(uint256 blobObject);
    error BlobPolicies_GasTooLow(uint256 required, uint256 actual);
    /// @notice Thrown when the retention policy forbids. `rule` is `canDelete`, `canTransfer`, `canReplace` or `minimumEndEpoch`.
    error BlobPolicies_Forbidden(uint256 blobObject, address policy, bytes32 rule);

    /// @notice Gives an object its first policies, in force at once, and the sealed key of its data.
    /// @dev Emits {PoliciesAttached} and, with an envelope, {EnvelopePublished}. Requirements: the caller owns the object or is
    /// approved for it; it has no policies yet; each policy is zero or a contract that supports {IDataPolicy} by ERC-165; the notice
    /// is at most {maximumNotice}, and at least {minimumNotice}.
    /// @param envelope Empty for public data; for the key epoch 1.
    function attach(uint256 blobObject, Policies calldata policies, uint32 noticeSeconds, bytes calldata envelope)
        external;

    /// @notice Announces other policies; they hold from the end of the notice on. Replaces an announcement not yet in effect.
    /// @dev Emits {PoliciesAnnounced}. The present retention policy must allow it now ({IDataPolicy-canReplace}), whichever of the
    /// two changes.
    function announce(uint256 blobObject, Policies calldata policies) external;

    /// @notice Takes an announcement back that is not in effect yet.
    function cancelAnnouncement(uint256 blobObject) external;

    /// @notice Fixes the object's present policies for ever. Nothing may be announced.
    function freeze(uint256 blobObject) external;

    /// @notice Publishes the sealed key anew: for the present key epoch, or for the next one, which then is the present one.
    function publishEnvelope(uint256 blobObject, uint32 keyEpoch, bytes calldata envelope) external;

    /// @notice Calls the hook of an object whose term is over. Anyone may; once.
    function expire(uint256 blobObject) external;

    /// @notice Decides a use of data. Never reverts for what a policy does; enough gas must be given.
    /// @dev Reverts {BlobPolicies_GasTooLow} rather than answer with less than {evaluationGas} for the policy.
    function judge(Question calldata question) external view returns (Verdict memory);

    /// @notice The price and pool of a use, as {judge} finds them, without deciding; reverts `Forbidden`-like when the quote fails.
    function quoteOf(Question calldata question) external view returns (Amount price, PoolId pool);

    /// @notice All that is known of an object's policies now.
    function recordOf(uint256 blobObject) external view returns (Record memory);

    /// @notice The policies in force.
    function policiesOf(uint256 blobObject) external view returns (Policies memory);

    /// @notice From when on no key of the object is released; zero for never, the largest time when its policy does not answer.
    function destroyAtOf(uint256 blobObject) external view returns (Timestamp);

    /// @notice Reverts unless the retention policy allows the deletion now. The registry asks.
    function checkDelete(uint256 blobObject) external view;

    /// @notice Reverts unless the retention policy allows the transfer now. The registry asks.
    function checkTransfer(uint256 blobObject, address to) external view;

    /// @notice Calls the hooks. Only the registry.
    function notifyCertified(uint256 blobObject) external;

    /// @notice Calls the hooks. Only the registry.
    function notifyExtended(uint256 blobObject, Epoch newEnd) external;

    /// @notice Calls the hook of the access policy. Only the contract that sells reads.
    function notifyRead(uint256 blobObject, address reader, uint32 count, Amount paid) external;

    /// @notice Gas that a policy gets to decide, and again to quote. The same for every agent.
    function evaluationGas() external view returns (uint256);

    /// @notice Gas that a hook gets.
    function hookGas() external view returns (uint256);

    /// @notice The oldest block, in seconds before now, at which agents decide a request: the latency of revocations.
    function maximumRequestAge() external view returns (uint32);

    function minimumNotice() external view returns (uint32);
    function maximumNotice() external view returns (uint32);
}
