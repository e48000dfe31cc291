// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";
import {AccessRequest, Action, IDataPolicy} from "../interfaces/IDataPolicy.sol";
import {IRevenuePools} from "../interfaces/IRevenuePools.sol";
import {IWAL} from "../interfaces/IWAL.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {PolicyBook} from "./PolicyBook.sol";
import {PolicyCalls} from "./PolicyCalls.sol";

/// @title BlobPolicies
/// @notice The one place where policies are asked, and told.
/// @dev Flow: what owners write is in {PolicyBook}; agents and sellers ask {judge} and {quoteOf}, the registry asks
/// {checkDelete} and {checkTransfer} before it changes anything, and tells by the hooks after it changed everything.
///
/// Policies are anybody's code. They are asked by STATICCALL, so they change nothing while they are asked; and told by calls
/// that come last, so whoever is called back finds all books closed. A hook has too little gas to cause another hook:
/// that needs {hookGas} left, and it has no more to begin with.
///
/// Invariant I9: no use is allowed unless the access policy in force answered ALLOW, in this very call, or there is none and
/// the requester owns the object.
contract BlobPolicies is PolicyBook {
    uint256 private constant MAXIMUM_EVIDENCE = 4096;

    /// @dev Reasons of the protocol's own, see {IBlobPolicies-Verdict}; others are in {PolicyCalls}.
    bytes32 private constant UNKNOWN_OBJECT = "UnknownObject";
    bytes32 private constant NOT_CERTIFIED = "NotCertified";
    bytes32 private constant NOT_OWNER = "NotOwner";
    bytes32 private constant KEYS_DESTROYED = "KeysDestroyed";
    bytes32 private constant RETENTION_FAILED = "RetentionFailed";
    bytes32 private constant EVIDENCE_TOO_LONG = "EvidenceTooLong";
    bytes32 private constant UNKNOWN_ACTION = "UnknownAction";
    bytes32 private constant WRONG_TOKEN = "WrongToken";
    bytes32 private constant UNKNOWN_POOL = "UnknownPool";

    /// @dev Rules of retention, see {IBlobPolicies-BlobPolicies_Forbidden}.
    bytes32 private constant CAN_DELETE = "canDelete";
    bytes32 private constant CAN_TRANSFER = "canTransfer";
    bytes32 private constant MINIMUM_END_EPOCH = "minimumEndEpoch";

    /// @inheritdoc IBlobPolicies
    uint256 public constant evaluationGas = PolicyCalls.EVALUATION_GAS;

    /// @inheritdoc IBlobPolicies
    uint256 public constant hookGas = PolicyCalls.HOOK_GAS;

    address private immutable _purchases;
    IRevenuePools private immutable _pools;
    IWAL private immutable _token;

    /// @notice Fixes the partners for ever.
    /// @param registry Knows the objects; must name this contract as its policies.
    /// @param purchases Sells reads; the only one who tells of them.
    /// @param pools Knows which pools there are.
    /// @param token The only token in which a policy may ask for a price.
    /// @param limits How old a request may be, and the shortest notice.
    constructor(IBlobRegistry registry, address purchases, IRevenuePools pools, IWAL token, Limits memory limits)
        PolicyBook(registry, limits)
    {
        _purchases = purchases;
        _pools = pools;
        _token = token;
    }

    /// @inheritdoc IBlobPolicies
    function judge(Question calldata question) external view returns (Verdict memory verdict) {
        Entry storage entry = _entryOf[question.blobObject];
        Pair memory pair = _inForce(question.blobObject, entry);
        AccessRequest memory request;
        (verdict.reason, request) = _prepare(question, pair.retention);
        (verdict.policy, verdict.keyEpoch, verdict.blobId) = (pair.access, entry.keyEpoch, request.blobId);
        if (verdict.reason != 0) return verdict;

        if (pair.access == address(0)) {
            verdict.allowed = request.requester == request.owner;
            if (!verdict.allowed) verdict.reason = NOT_OWNER;
            return verdict;
        }
        bool allowed;
        (allowed, verdict.ttlSeconds, verdict.reason) = PolicyCalls.evaluate(pair.access, request);
        if (!allowed) return verdict;

        (verdict.reason, verdict.price, verdict.pool) = _priceOf(pair.access, request);
        verdict.allowed = verdict.reason == 0;
    }

    /// @inheritdoc IBlobPolicies
    function quoteOf(Question calldata question) external view returns (Amount price, PoolId pool) {
        Pair memory pair = _inForce(question.blobObject, _entryOf[question.blobObject]);
        (bytes32 reason, AccessRequest memory request) = _prepare(question, pair.retention);
        if (reason == 0 && pair.access != address(0)) (reason, price, pool) = _priceOf(pair.access, request);
        if (reason != 0) revert BlobPolicies_NoQuote(question.blobObject, pair.access, reason);
    }

    /// @inheritdoc IBlobPolicies
    function expire(uint256 blobObject) external {
        // Check
        Entry storage entry = _entryOf[blobObject];
        if (entry.keyEpoch == 0) revert BlobPolicies_NotAttached(blobObject);
        if (_registry.statusOf(blobObject) != IBlobRegistry.Status.Expired) {
            revert BlobPolicies_NotExpired(blobObject);
        }
        if (entry.told) revert BlobPolicies_AlreadyTold(blobObject);

        // Effect
        entry.told = true;
        emit ExpiryTold(blobObject);

        // Interaction
        _tellBoth(blobObject, PolicyCalls.ON_EXPIRED, abi.encodeCall(IDataPolicy.onExpired, (blobObject)));
    }

    /// @inheritdoc IBlobPolicies
    function notifyCertified(uint256 blobObject) external {
        // Check
        _checkRegistry();

        // Interaction
        _tellBoth(blobObject, PolicyCalls.ON_CERTIFIED, abi.encodeCall(IDataPolicy.onCertified, (blobObject)));
    }

    /// @inheritdoc IBlobPolicies
    function notifyExtended(uint256 blobObject, Epoch newEnd) external {
        // Check
        _checkRegistry();

        // Interaction
        _tellBoth(blobObject, PolicyCalls.ON_EXTENDED, abi.encodeCall(IDataPolicy.onExtended, (blobObject, newEnd)));
    }

    /// @inheritdoc IBlobPolicies
    function notifyRead(uint256 blobObject, address reader, uint32 count, Amount paid) external {
        // Check
        if (msg.sender != _purchases) revert BlobPolicies_CallerNotPurchases(_purchases, msg.sender);

        // Interaction
        Pair memory pair = _toTell(_entryOf[blobObject]);
        bytes memory news = abi.encodeCall(IDataPolicy.onRead, (blobObject, reader, count, paid));
        _tell(blobObject, pair.access, pair.accessHooks, PolicyCalls.ON_READ, news);
    }

    /// @inheritdoc IBlobPolicies
    function checkDelete(uint256 blobObject, Epoch current) external view {
        address retention = _retentionOf(blobObject);
        if (retention == address(0)) return;

        if (!PolicyCalls.allows(retention, abi.encodeCall(IDataPolicy.canDelete, (blobObject)))) {
            revert BlobPolicies_Forbidden(blobObject, retention, CAN_DELETE);
        }
        if (PolicyCalls.isKeptIn(retention, blobObject, Epoch.unwrap(current))) {
            revert BlobPolicies_Forbidden(blobObject, retention, MINIMUM_END_EPOCH);
        }
    }

    /// @inheritdoc IBlobPolicies
    function checkTransfer(uint256 blobObject, address to) external view {
        address retention = _retentionOf(blobObject);
        if (retention == address(0)) return;

        if (!PolicyCalls.allows(retention, abi.encodeCall(IDataPolicy.canTransfer, (blobObject, to)))) {
            revert BlobPolicies_Forbidden(blobObject, retention, CAN_TRANSFER);
        }
    }

    /// @inheritdoc IBlobPolicies
    function destroyAtOf(uint256 blobObject) external view returns (Timestamp) {
        address retention = _retentionOf(blobObject);
        if (retention == address(0)) return Timestamp.wrap(0);

        (bool answered, Timestamp time) = PolicyCalls.destroyAt(retention, blobObject);
        return answered ? time : Timestamp.wrap(type(uint64).max);
    }

    /// @dev What a policy is asked, and why it need not be.
    /// @return refusal Zero when it must be.
    function _prepare(Question calldata question, address retention)
        private
        view
        returns (bytes32 refusal, AccessRequest memory request)
    {
        // Check
        if (question.evidence.length > MAXIMUM_EVIDENCE) return (EVIDENCE_TOO_LONG, request);
        IBlobRegistry.BlobObject memory blob = _registry.blobOf(question.blobObject);
        if (blob.status == IBlobRegistry.Status.Unknown) return (UNKNOWN_OBJECT, request);

        request.requester = question.requester;
        request.blobObject = question.blobObject;
        request.blobId = blob.blobId;
        request.owner = blob.owner;
        if (blob.status != IBlobRegistry.Status.Certified) return (NOT_CERTIFIED, request);
        if (question.action == 0 || question.action > uint8(type(Action).max)) return (UNKNOWN_ACTION, request);
        request.action = Action(question.action);
        request.program = question.program;
        request.sequence = question.sequence;
        request.evidence = question.evidence;

        // Check: its keys are there.
        if (retention == address(0)) return (0, request);
        (bool answered, Timestamp time) = PolicyCalls.destroyAt(retention, question.blobObject);
        if (!answered) return (RETENTION_FAILED, request);
        return (_isZero(time) || _now() < time ? bytes32(0) : KEYS_DESTROYED, request);
    }

    /// @dev The price that a policy asks, and why it is none that can be paid.
    /// @return reason Zero when it can be.
    function _priceOf(address policy, AccessRequest memory request)
        private
        view
        returns (bytes32 reason, Amount price, PoolId pool)
    {
        address token;
        Amount amount;
        PoolId payee;
        (reason, token, amount, payee) = PolicyCalls.quote(policy, request);
        if (reason != 0) return (reason, price, pool);

        bool free = amount.isZero();
        if (token != address(_token) && !(token == address(0) && free)) return (WRONG_TOKEN, price, pool);
        if (free) return (0, price, pool);
        if (!_pools.exists(payee)) return (UNKNOWN_POOL, price, pool);
        return (0, amount, payee);
    }

    function _retentionOf(uint256 blobObject) private view returns (address) {
        return _inForce(blobObject, _entryOf[blobObject]).retention;
    }

    function _checkRegistry() private view {
        if (msg.sender != address(_registry)) revert BlobPolicies_CallerNotRegistry(address(_registry), msg.sender);
    }

    /// @dev One contract that fills both places is told once.
    function _tellBoth(uint256 blobObject, uint8 hook, bytes memory news) private {
        Pair memory pair = _toTell(_entryOf[blobObject]);
        _tell(blobObject, pair.access, pair.accessHooks, hook, news);
        if (pair.retention != pair.access) _tell(blobObject, pair.retention, pair.retentionHooks, hook, news);
    }

    function _tell(uint256 blobObject, address policy, uint8 hooks, uint8 hook, bytes memory news) private {
        if (hooks >> hook & 1 == 0) return;
        if (!PolicyCalls.tell(policy, news)) emit HookFailed(blobObject, policy, hook);
    }
}
