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
/// after the notice the new policies hold, by the clock, unless the retention policy forbids. {publishEnvelope} seals the key anew, for other agents, other policies or
/// the next key epoch.
///
/// A key is sealed for an identity that names chain, this contract, access policy, object and key epoch. So other policies than
/// those in force open nothing: whoever announces others must also seal the key for them.
///
/// Retention fails closed: a retention policy that does not answer forbids. Hooks fail open: they change nothing.
interface IBlobPolicies {
    /// @notice What a deployment fixes.
    /// @param maximumRequestAge See {maximumRequestAge}, in seconds.
    /// @param minimumNotice See {minimumNotice}, in seconds.
    struct Limits {
        uint32 maximumRequestAge;
        uint32 minimumNotice;
    }

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
    /// @param envelopeBlock The number of the block that logged the envelope; zero when there is none.
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
    /// @param action 1 to read, 2 to compute.
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
    /// `RetentionFailed`, `EvidenceTooLong`, `UnknownAction`, `PolicyWithoutCode`, `PolicyFailed`, `QuoteFailed`, `WrongToken`,
    /// `UnknownPool`.
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

    /// @notice Emitted when announced policies, which held since their time, took the place of the former ones for good.
    event PoliciesEnacted(uint256 indexed blobObject, address indexed access, address indexed retention);

    /// @notice Emitted when an announcement was taken back.
    event AnnouncementCancelled(uint256 indexed blobObject);

    /// @notice Emitted when an object's policies were fixed for ever.
    event PoliciesFrozen(uint256 indexed blobObject);

    /// @notice Emitted with each sealed key. Its hash and block are kept: {recordOf}.
    event EnvelopePublished(uint256 indexed blobObject, uint32 indexed keyEpoch, bytes envelope);

    /// @notice Emitted when a hook of a policy failed; nothing else came of it.
    /// @param hook The bit of {IDataPolicy-hooks}.
    event HookFailed(uint256 indexed blobObject, address indexed policy, uint8 hook);

    /// @notice Emitted when somebody told the policies of an object that its term is over.
    event ExpiryTold(uint256 indexed blobObject);

    /// @notice Thrown when the caller is neither the object's owner nor approved by it.
    error BlobPolicies_CallerNotOwner(uint256 blobObject, address owner, address caller);

    /// @notice Thrown when somebody else than the registry tells of an object.
    error BlobPolicies_CallerNotRegistry(address registry, address caller);

    /// @notice Thrown when somebody else than the seller of reads tells of reads.
    error BlobPolicies_CallerNotPurchases(address purchases, address caller);

    /// @notice Thrown when an object that has policies gets its first ones again.
    error BlobPolicies_AlreadyAttached(uint256 blobObject);

    /// @notice Thrown when an object never got policies.
    error BlobPolicies_NotAttached(uint256 blobObject);

    /// @notice Thrown when policies that are fixed for ever are announced away or fixed again.
    error BlobPolicies_Frozen(uint256 blobObject);

    /// @notice Thrown when policies are fixed while others are announced for `from`.
    error BlobPolicies_Announced(uint256 blobObject, Timestamp from);

    /// @notice Thrown when no announcement waits: there was none, or it is in effect.
    error BlobPolicies_NothingAnnounced(uint256 blobObject);

    /// @notice Thrown when announced policies are enacted before their time.
    error BlobPolicies_TooEarly(uint256 blobObject, Timestamp from, Timestamp time);

    /// @notice Thrown when a policy is neither zero nor a contract that says by ERC-165 that it is {IDataPolicy}, and names its
    /// hooks.
    error BlobPolicies_NotAPolicy(address policy);

    /// @notice Thrown when a notice is too short or too long.
    error BlobPolicies_NoticeOutOfBounds(uint32 minimum, uint32 maximum, uint32 actual);

    /// @notice Thrown when an envelope has more than `maximum` bytes.
    error BlobPolicies_EnvelopeTooLong(uint256 maximum, uint256 actual);

    /// @notice Thrown when an envelope of no bytes is published.
    error BlobPolicies_NoEnvelope(uint256 blobObject);

    /// @notice Thrown when an envelope is for another key epoch than the present or the next one.
    error BlobPolicies_WrongKeyEpoch(uint256 blobObject, uint32 current, uint32 actual);

    /// @notice Thrown when the expiry is told of an object that did not expire.
    error BlobPolicies_NotExpired(uint256 blobObject);

    /// @notice Thrown when the expiry of an object was told before.
    error BlobPolicies_AlreadyTold(uint256 blobObject);

    /// @notice Thrown when a policy would get less gas than its share.
    error BlobPolicies_GasTooLow(uint256 required, uint256 actual);

    /// @notice Thrown when the retention policy forbids, or does not answer. `rule` is `canDelete`, `canTransfer`, `canReplace` or
    /// `minimumEndEpoch`.
    error BlobPolicies_Forbidden(uint256 blobObject, address policy, bytes32 rule);

    /// @notice Thrown when a use has no price that could be paid, for one of the reasons of {Verdict}.
    error BlobPolicies_NoQuote(uint256 blobObject, address policy, bytes32 reason);

    /// @notice Gives an object its first policies, in force at once, and the sealed key of its data.
    /// @dev Emits {PoliciesAttached} and, with an envelope, {EnvelopePublished}.
    /// Requirements:
    /// - The caller must be the object's owner or approved by it.
    /// - The object must have no policies yet. Both may be zero: then only the owner uses the data, and others may follow.
    /// - Each policy must be zero or a contract that says by ERC-165 that it is {IDataPolicy}.
    /// @param noticeSeconds From {minimumNotice} to {maximumNotice}; never changes.
    /// @param envelope For the key epoch 1; at most 8,192 bytes, none for public data.
    function attach(uint256 blobObject, Policies calldata policies, uint32 noticeSeconds, bytes calldata envelope)
        external;

    /// @notice Announces other policies; they hold from the end of the notice on. Replaces an announcement not yet in effect.
    /// @dev Emits {PoliciesAnnounced}.
    /// Notes:
    /// - The retention policy in force is asked again when the time has come ({IDataPolicy-canReplace}): what it forbids
    ///   then holds only from when it does not. So a hold that is set during the notice holds. {enact} ends the asking.
    /// - Whoever the object is transferred to takes over the announcement.
    /// Requirements:
    /// - The caller must be the object's owner or approved by it.
    /// - The policies must not be frozen, and the retention policy in force must allow it, whichever of the two changes.
    /// - Each policy must be zero or a contract that says by ERC-165 that it is {IDataPolicy}.
    function announce(uint256 blobObject, Policies calldata policies) external;

    /// @notice Takes an announcement back that is not in effect.
    /// @dev Emits {AnnouncementCancelled}.
    /// Requirements:
    /// - The caller must be the object's owner or approved by it.
    function cancelAnnouncement(uint256 blobObject) external;

    /// @notice Makes announced policies that hold the present ones for good: the replaced retention policy has no say any
    /// more. Anyone may; whatever the owner writes does it too.
    /// @dev Emits {PoliciesEnacted}.
    /// Requirements:
    /// - The notice must be over, and the retention policy in force must allow it.
    function enact(uint256 blobObject) external;

    /// @notice Fixes the object's present policies for ever.
    /// @dev Emits {PoliciesFrozen}. Envelopes may still be published.
    /// Requirements:
    /// - The caller must be the object's owner or approved by it.
    /// - Nothing may be announced.
    function freeze(uint256 blobObject) external;

    /// @notice Publishes the sealed key anew: for the present key epoch, or for the next one, which then is the present one.
    /// @dev Emits {EnvelopePublished}.
    /// Requirements:
    /// - The caller must be the object's owner or approved by it.
    /// - The object must have policies.
    /// @param envelope 1 to 8,192 bytes.
    function publishEnvelope(uint256 blobObject, uint32 keyEpoch, bytes calldata envelope) external;

    /// @notice Tells the policies of an object that its term is over. Anyone may; once.
    /// @dev Emits {ExpiryTold}.
    function expire(uint256 blobObject) external;

    /// @notice Decides a use of data.
    /// @dev Notes:
    /// - Whatever a policy does, it denies or allows. Only too little gas makes the call revert:
    ///   {BlobPolicies_GasTooLow}, rather than ask a policy with less than {evaluationGas}. 30,000,000 suffice for a policy and
    ///   its quote.
    /// - Agents ask by `eth_call`, at the block that a request names: there each gets the same answer.
    function judge(Question calldata question) external view returns (Verdict memory);

    /// @notice The access policy in force, zero when there is none, and the hooks it wants; for as little gas as there can be.
    function accessOf(uint256 blobObject) external view returns (address access, uint8 hooks);

    /// @notice The price and pool of a use, as {judge} finds them, without deciding. Zero when it is free.
    /// @dev Reverts {BlobPolicies_NoQuote} with the reason that {judge} would give, unless it is the policy's denial.
    function quoteOf(Question calldata question) external view returns (Amount price, PoolId pool);

    /// @notice All that is known of an object's policies now. It stays when the object is deleted.
    function recordOf(uint256 blobObject) external view returns (Record memory);

    /// @notice The policies in force.
    function policiesOf(uint256 blobObject) external view returns (Policies memory);

    /// @notice From when on no key of the object is released; zero for never, the largest time when its policy does not answer:
    /// what cannot be undone is not done for want of an answer. {judge} denies then.
    function destroyAtOf(uint256 blobObject) external view returns (Timestamp);

    /// @notice Reverts {BlobPolicies_Forbidden} unless the retention policy allows the deletion now. The registry asks.
    /// @param current The epoch of the clock, compared with {IDataPolicy-minimumEndEpoch}.
    function checkDelete(uint256 blobObject, Epoch current) external view;

    /// @notice Reverts {BlobPolicies_Forbidden} unless the retention policy allows the transfer now. The registry asks.
    function checkTransfer(uint256 blobObject, address to) external view;

    /// @notice Tells both policies. Only the registry.
    /// @dev Emits {HookFailed} for a policy that fails. The same for the other two.
    function notifyCertified(uint256 blobObject) external;

    /// @notice Tells both policies. Only the registry.
    function notifyExtended(uint256 blobObject, Epoch newEnd) external;

    /// @notice Tells the access policy. Only the contract that sells reads.
    function notifyRead(uint256 blobObject, address reader, uint32 count, Amount paid) external;

    /// @notice Gas that a policy gets to decide, again to quote, and for each view of retention. The same for every agent.
    function evaluationGas() external view returns (uint256);

    /// @notice Gas that a hook gets.
    function hookGas() external view returns (uint256);

    /// @notice The oldest block, in seconds before now, at which agents decide a request: the latency of revocations.
    function maximumRequestAge() external view returns (uint32);

    /// @notice The shortest notice, in seconds.
    function minimumNotice() external view returns (uint32);

    /// @notice The longest notice, in seconds.
    function maximumNotice() external view returns (uint32);
}
