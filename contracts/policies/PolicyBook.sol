// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";
import {IDataPolicy} from "../interfaces/IDataPolicy.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {PolicyCalls} from "./PolicyCalls.sol";

/// @title PolicyBook
/// @notice Which policies an object has, which are announced, and where its envelope is: what owners write.
/// @dev Everything is written before any foreign contract could call back; and policies are only asked here, by STATICCALL.
///
/// Invariants:
/// - What is announced holds never before its time, and not while the retention policy in force forbids it.
/// - What is frozen stays.
abstract contract PolicyBook is IBlobPolicies {
    /// @dev Policies with the hooks that they wanted when they were named.
    struct Pair {
        address access;
        uint8 accessHooks;
        address retention;
        uint8 retentionHooks;
    }

    /// @dev What is kept of an object. `keyEpoch` is zero until something is attached; `told` that its expiry was.
    struct Entry {
        Pair current;
        Pair next;
        uint32 noticeSeconds;
        uint32 keyEpoch;
        uint64 envelopeBlock;
        Timestamp nextFrom;
        bool frozen;
        bool told;
        bytes32 envelopeHash;
    }

    uint32 private constant FIRST_KEY_EPOCH = 1;
    uint256 private constant MAXIMUM_ENVELOPE = 8192;
    bytes32 private constant CAN_REPLACE = "canReplace";

    IBlobRegistry internal immutable _registry;

    /// @inheritdoc IBlobPolicies
    uint32 public immutable maximumRequestAge;

    /// @inheritdoc IBlobPolicies
    uint32 public immutable minimumNotice;

    /// @inheritdoc IBlobPolicies
    uint32 public constant maximumNotice = 365 days;

    mapping(uint256 blobObject => Entry) internal _entryOf;

    constructor(IBlobRegistry registry, Limits memory limits) {
        _checkNotice(0, limits.minimumNotice);
        _registry = registry;
        maximumRequestAge = limits.maximumRequestAge;
        minimumNotice = limits.minimumNotice;
    }

    /// @inheritdoc IBlobPolicies
    function attach(uint256 blobObject, Policies calldata policies, uint32 noticeSeconds, bytes calldata envelope)
        external
    {
        // Check
        _checkOwner(blobObject);
        Entry storage entry = _entryOf[blobObject];
        if (entry.keyEpoch != 0) revert BlobPolicies_AlreadyAttached(blobObject);
        _checkNotice(minimumNotice, noticeSeconds);
        Pair memory pair = _pairOf(policies);

        // Effect
        entry.current = pair;
        entry.noticeSeconds = noticeSeconds;
        entry.keyEpoch = FIRST_KEY_EPOCH;
        emit PoliciesAttached(blobObject, policies.access, policies.retention, noticeSeconds);
        if (envelope.length != 0) _publish(blobObject, entry, FIRST_KEY_EPOCH, envelope);

        // Interaction: from now on the registry asks and tells.
        _registry.setGoverned(blobObject);
    }

    /// @inheritdoc IBlobPolicies
    function announce(uint256 blobObject, Policies calldata policies) external {
        // Check
        Entry storage entry = _ownedEntry(blobObject);
        if (entry.frozen) revert BlobPolicies_Frozen(blobObject);
        _enactIfItHolds(blobObject, entry);
        _checkReplaceable(blobObject, entry.current.retention, policies.retention);
        Pair memory pair = _pairOf(policies);

        // Effect
        Timestamp from = _now().plusSeconds(entry.noticeSeconds);
        (entry.next, entry.nextFrom) = (pair, from);
        emit PoliciesAnnounced(blobObject, policies.access, policies.retention, from);
    }

    /// @inheritdoc IBlobPolicies
    function cancelAnnouncement(uint256 blobObject) external {
        // Check
        Entry storage entry = _ownedEntry(blobObject);
        if (_isNoneOpen(blobObject, entry)) revert BlobPolicies_NothingAnnounced(blobObject);

        // Effect
        _clearAnnouncement(entry);
        emit AnnouncementCancelled(blobObject);
    }

    /// @inheritdoc IBlobPolicies
    function enact(uint256 blobObject) external {
        // Check
        Entry storage entry = _entryOf[blobObject];
        if (_isZero(entry.nextFrom)) revert BlobPolicies_NothingAnnounced(blobObject);
        if (!_isDue(entry)) revert BlobPolicies_TooEarly(blobObject, entry.nextFrom, _now());
        _checkReplaceable(blobObject, entry.current.retention, entry.next.retention);

        // Effect
        _enact(blobObject, entry);
    }

    /// @inheritdoc IBlobPolicies
    function freeze(uint256 blobObject) external {
        // Check
        Entry storage entry = _ownedEntry(blobObject);
        if (entry.frozen) revert BlobPolicies_Frozen(blobObject);
        _enactIfItHolds(blobObject, entry);
        if (!_isZero(entry.nextFrom)) revert BlobPolicies_Announced(blobObject, entry.nextFrom);

        // Effect
        entry.frozen = true;
        emit PoliciesFrozen(blobObject);
    }

    /// @inheritdoc IBlobPolicies
    function publishEnvelope(uint256 blobObject, uint32 keyEpoch, bytes calldata envelope) external {
        // Check
        Entry storage entry = _ownedEntry(blobObject);
        uint32 current = entry.keyEpoch;
        if (keyEpoch < current || keyEpoch - current > 1) {
            revert BlobPolicies_WrongKeyEpoch(blobObject, current, keyEpoch);
        }
        if (envelope.length == 0) revert BlobPolicies_NoEnvelope(blobObject);

        // Effect
        _enactIfItHolds(blobObject, entry);
        entry.keyEpoch = keyEpoch;
        _publish(blobObject, entry, keyEpoch, envelope);
    }

    /// @inheritdoc IBlobPolicies
    function recordOf(uint256 blobObject) external view returns (Record memory record) {
        Entry storage entry = _entryOf[blobObject];
        record.current = policiesOf(blobObject);
        if (!_isNoneOpen(blobObject, entry)) {
            record.next = Policies(entry.next.access, entry.next.retention);
            record.nextFrom = entry.nextFrom;
        }
        record.noticeSeconds = entry.noticeSeconds;
        record.frozen = entry.frozen;
        record.keyEpoch = entry.keyEpoch;
        record.envelopeBlock = entry.envelopeBlock;
        record.envelopeHash = entry.envelopeHash;
    }

    /// @inheritdoc IBlobPolicies
    function policiesOf(uint256 blobObject) public view returns (Policies memory) {
        Pair memory pair = _inForce(blobObject, _entryOf[blobObject]);
        return Policies(pair.access, pair.retention);
    }

    /// @inheritdoc IBlobPolicies
    function accessOf(uint256 blobObject) external view returns (address, uint8) {
        Entry storage entry = _entryOf[blobObject];
        Pair storage pair = _nextHolds(blobObject, entry) ? entry.next : entry.current;
        return (pair.access, pair.accessHooks);
    }

    /// @dev The policies that hold now.
    function _inForce(uint256 blobObject, Entry storage entry) internal view returns (Pair memory) {
        return _nextHolds(blobObject, entry) ? entry.next : entry.current;
    }

    /// @dev The policies that are told: as {_inForce}, without asking a retention policy whether it lets itself be replaced,
    /// which may cost much. So one that could still forbid is told until the change is enacted.
    function _toTell(Entry storage entry) internal view returns (Pair memory) {
        return _isDue(entry) && entry.current.retention == address(0) ? entry.next : entry.current;
    }

    function _now() internal view returns (Timestamp) {
        return Timestamp.wrap(uint64(block.timestamp));
    }

    function _isZero(Timestamp time) internal pure returns (bool) {
        return Timestamp.unwrap(time) == 0;
    }

    function _enactIfItHolds(uint256 blobObject, Entry storage entry) private {
        if (_nextHolds(blobObject, entry)) _enact(blobObject, entry);
    }

    function _enact(uint256 blobObject, Entry storage entry) private {
        Pair memory pair = entry.next;
        entry.current = pair;
        _clearAnnouncement(entry);
        emit PoliciesEnacted(blobObject, pair.access, pair.retention);
    }

    function _clearAnnouncement(Entry storage entry) private {
        delete entry.next;
        entry.nextFrom = Timestamp.wrap(0);
    }

    function _publish(uint256 blobObject, Entry storage entry, uint32 keyEpoch, bytes calldata envelope) private {
        if (envelope.length > MAXIMUM_ENVELOPE) {
            revert BlobPolicies_EnvelopeTooLong(MAXIMUM_ENVELOPE, envelope.length);
        }
        entry.envelopeBlock = uint64(block.number);
        entry.envelopeHash = keccak256(envelope);
        emit EnvelopePublished(blobObject, keyEpoch, envelope);
    }

    /// @dev The entry of an object that the caller may write on and that has policies.
    function _ownedEntry(uint256 blobObject) private view returns (Entry storage entry) {
        _checkOwner(blobObject);
        entry = _entryOf[blobObject];
        if (entry.keyEpoch == 0) revert BlobPolicies_NotAttached(blobObject);
    }

    function _checkOwner(uint256 blobObject) private view {
        address owner = _registry.ownerOf(blobObject);
        bool may = msg.sender == owner || _registry.isApprovedForAll(owner, msg.sender)
            || _registry.getApproved(blobObject) == msg.sender;
        if (!may) revert BlobPolicies_CallerNotOwner(blobObject, owner, msg.sender);
    }

    function _checkReplaceable(uint256 blobObject, address retention, address next) private view {
        if (!_mayReplace(blobObject, retention, next)) {
            revert BlobPolicies_Forbidden(blobObject, retention, CAN_REPLACE);
        }
    }

    /// @dev Whether what is announced is in force, be it enacted by nobody yet.
    function _nextHolds(uint256 blobObject, Entry storage entry) private view returns (bool) {
        return _isDue(entry) && _mayReplace(blobObject, entry.current.retention, entry.next.retention);
    }

    /// @dev Whether there is no announcement that could be taken back.
    function _isNoneOpen(uint256 blobObject, Entry storage entry) private view returns (bool) {
        return _isZero(entry.nextFrom) || _nextHolds(blobObject, entry);
    }

    function _isDue(Entry storage entry) private view returns (bool) {
        return !_isZero(entry.nextFrom) && !(_now() < entry.nextFrom);
    }

    function _mayReplace(uint256 blobObject, address retention, address next) private view returns (bool) {
        if (retention == address(0)) return true;
        return PolicyCalls.allows(retention, abi.encodeCall(IDataPolicy.canReplace, (blobObject, next)));
    }

    function _pairOf(Policies calldata policies) private view returns (Pair memory) {
        (address access, address retention) = (policies.access, policies.retention);
        return Pair(access, PolicyCalls.hooksOf(access), retention, PolicyCalls.hooksOf(retention));
    }

    function _checkNotice(uint32 minimum, uint32 noticeSeconds) private pure {
        if (noticeSeconds < minimum || noticeSeconds > maximumNotice) {
            revert BlobPolicies_NoticeOutOfBounds(minimum, maximumNotice, noticeSeconds);
        }
    }
}
