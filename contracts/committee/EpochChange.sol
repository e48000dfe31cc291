// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../interfaces/ICustodyChallenges.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {Apportionment} from "../libraries/Apportionment.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {Sorting} from "../libraries/Sorting.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {CommitteeSeats} from "./CommitteeSeats.sol";

/// @title EpochChange
/// @notice The clock, the choice of the next committee, and the change to it.
/// @dev Flow: {selectCommittee} in the second half of an epoch -> {advanceEpoch} in the next -> {epochSyncDone} by each node
/// to which shards came. A selection that nobody advances to in its epoch is worth nothing afterwards; the next one is made
/// over it. All of it may be called by anybody, and nobody has to.
///
/// Invariants:
/// - An office epoch is one that was selected, and was the clock's when its committee took office; each at most once.
/// - A shard moves only from a node whose weight falls: as few as the weights allow.
abstract contract EpochChange is CommitteeSeats {
    /// @dev The blob registry counts epochs with 24 bits: these last for five years at least.
    uint64 private constant MINIMUM_EPOCH_SECONDS = 10;
    uint64 private constant MAXIMUM_EPOCH_SECONDS = 366 days;
    uint64 private constant MINIMUM_SYNC_SECONDS = 1;
    uint64 private constant MAXIMUM_SYNC_SECONDS = 366 days;
    uint256 private constant STAKE_BITS = 128;

    IStaking internal immutable _staking;
    ICustodyChallenges private immutable _custody;
    Timestamp private immutable _genesisTime;

    /// @inheritdoc ICommittee
    uint64 public immutable epochSeconds;

    /// @inheritdoc ICommittee
    uint64 public immutable syncSeconds;

    /// @inheritdoc ICommittee
    uint256 public pendingShards;

    /// @dev The shards that the selected committee will have at other nodes.
    uint256 private _moving;

    constructor(IStaking staking, ICustodyChallenges custody, uint64 epochSeconds_, uint64 syncSeconds_) {
        if (epochSeconds_ < MINIMUM_EPOCH_SECONDS || epochSeconds_ > MAXIMUM_EPOCH_SECONDS) {
            revert Committee_EpochSecondsOutOfBounds(MINIMUM_EPOCH_SECONDS, MAXIMUM_EPOCH_SECONDS, epochSeconds_);
        }
        if (syncSeconds_ < MINIMUM_SYNC_SECONDS || syncSeconds_ > MAXIMUM_SYNC_SECONDS) {
            revert Committee_SyncSecondsOutOfBounds(MINIMUM_SYNC_SECONDS, MAXIMUM_SYNC_SECONDS, syncSeconds_);
        }
        _staking = staking;
        _custody = custody;
        _genesisTime = Timestamp.wrap(uint64(block.timestamp));
        epochSeconds = epochSeconds_;
        syncSeconds = syncSeconds_;
    }

    /// @inheritdoc ICommittee
    function selectCommittee() external {
        // Check: one is due, and the last change is over.
        Office memory office = _office;
        Epoch target = targetEpoch();
        if (office.size == 0) revert Committee_NotFormed();
        if (target <= office.epoch || target <= office.selected) revert Committee_AlreadySelected(target);
        Timestamp until = office.since.plusSeconds(syncSeconds);
        if (!isSettled() && Timestamp.wrap(uint64(block.timestamp)) < until) {
            revert Committee_ChangeUnderWay(pendingShards, until);
        }
        (uint256[] memory ids, uint256[] memory weights) = _elect(target);
        (bytes memory assignment_, uint256 moved) = Apportionment.reassign(_owners(), ids, weights, shards);
        (NodeId[] memory nodeIds, address[] memory signers) = _nodesOf(ids);

        // Effect: it waits for its epoch. Where no shard moves the members are the same too.
        bool kept = moved == 0 && _hasSigners(signers);
        _office.selected = target;
        _office.selection = kept ? Selection.Kept : Selection.Other;
        if (!kept) {
            _writeSelected(target, nodeIds, signers, weights, assignment_);
            _moving = moved;
        }
        emit CommitteeSelected(target, nodeIds, assignment_, kept);
    }

    /// @inheritdoc ICommittee
    function advanceEpoch() external {
        // Check: one was selected for now and not advanced to, and nobody is being asked for proofs.
        Office memory office = _office;
        Epoch current = currentEpoch();
        if (office.selection == Selection.None || !(office.selected == current)) {
            revert Committee_NothingSelected(current, office.selected);
        }
        if (_custody.isOpen()) revert Committee_WindowOpen(current);

        // Effect: it serves, or goes on serving.
        if (office.selection == Selection.Kept) {
            _office.selection = Selection.None;
            emit EpochKept(current, office.epoch);
            return;
        }
        uint256 moved = _moving;
        pendingShards = moved;
        _takeOffice(current);
        emit EpochChangeStarted(current, office.epoch, moved);
        if (isSettled()) emit EpochChangeDone(current);
    }

    /// @inheritdoc ICommittee
    function epochSyncDone(NodeId nodeId) external {
        // Check: the node says that something came.
        address operator = _nodes.operatorOf(nodeId);
        address signer = _nodes.signerOf(nodeId);
        if (msg.sender != operator && msg.sender != signer) {
            revert Committee_CallerNotNode(nodeId, operator, signer, msg.sender);
        }
        Epoch officeEpoch = _office.epoch;
        (, uint256 synced) = seatOf(officeEpoch, nodeId);
        synced &= pendingShards;
        if (synced == 0) revert Committee_NothingPending(nodeId);

        // Effect: so much less is pending.
        bool wasSettled = isSettled();
        pendingShards ^= synced;
        emit ShardsSynced(officeEpoch, nodeId, synced);
        if (!wasSettled && isSettled()) emit EpochChangeDone(officeEpoch);
    }

    /// @inheritdoc ICommittee
    function isSettled() public view returns (bool) {
        return Bitmap.count(pendingShards) <= faults;
    }

    /// @inheritdoc ICommittee
    function servingSince() external view returns (Timestamp) {
        return _office.since;
    }

    /// @inheritdoc ICommittee
    function isSelectionDue() external view returns (bool) {
        Office memory office = _office;
        Epoch target = targetEpoch();
        bool over = isSettled() || !(Timestamp.wrap(uint64(block.timestamp)) < office.since.plusSeconds(syncSeconds));
        return office.size != 0 && target > office.epoch && target > office.selected && over;
    }

    /// @inheritdoc ICommittee
    function isAdvanceDue() external view returns (bool) {
        Office memory office = _office;
        return office.selection != Selection.None && office.selected == currentEpoch();
    }

    /// @inheritdoc ICommittee
    function currentEpoch() public view returns (Epoch) {
        return EpochClock.current(_genesisTime, epochSeconds);
    }

    /// @inheritdoc ICommittee
    function targetEpoch() public view returns (Epoch) {
        return EpochClock.targetAt(_genesisTime, epochSeconds, Timestamp.wrap(uint64(block.timestamp)));
    }

    /// @inheritdoc ICommittee
    function startOf(Epoch epoch_) external view returns (Timestamp) {
        return EpochClock.startOf(_genesisTime, epochSeconds, epoch_);
    }

    /// @dev The nodes that get shards in an epoch, in ascending order of their ids, and how many each.
    function _elect(Epoch epoch_) internal view returns (uint256[] memory ids, uint256[] memory weights) {
        uint256[] memory stakes;
        (ids, stakes) = _candidatesAt(epoch_);
        bytes32[] memory regions = new bytes32[](ids.length);
        for (uint256 i = 0; i < ids.length; i++) {
            regions[i] = _nodes.regionOf(_nodeId(ids[i]));
        }
        weights = Apportionment.apportion(stakes, regions, shards, faults);

        // Those without a shard drop out.
        uint256 size = 0;
        for (uint256 i = 0; i < weights.length; i++) {
            if (weights[i] == 0) continue;
            (ids[size], weights[size]) = (ids[i], weights[i]);
            size++;
        }
        assembly ("memory-safe") {
            mstore(ids, size)
            mstore(weights, size)
        }
    }

    /// @dev The nodes and their keys.
    function _nodesOf(uint256[] memory ids) internal view returns (NodeId[] memory nodeIds, address[] memory signers) {
        nodeIds = new NodeId[](ids.length);
        signers = new address[](ids.length);
        for (uint256 i = 0; i < ids.length; i++) {
            nodeIds[i] = _nodeId(ids[i]);
            signers[i] = _nodes.signerOf(nodeIds[i]);
        }
    }

    /// @dev The eligible candidates in ascending order of their ids, and their stakes.
    function _candidatesAt(Epoch epoch_) private view returns (uint256[] memory ids, uint256[] memory stakes) {
        NodeId[] memory found;
        (found, stakes) = _staking.candidatesAt(epoch_);
        if (found.length == 0) revert Committee_NoEligibleNode(_nodes.nodeCount());
        ids = new uint256[](found.length);
        for (uint256 i = 0; i < ids.length; i++) {
            ids[i] = uint256(NodeId.unwrap(found[i])) << STAKE_BITS | stakes[i];
        }
        ids = Sorting.sort(ids);
        for (uint256 i = 0; i < ids.length; i++) {
            (ids[i], stakes[i]) = (ids[i] >> STAKE_BITS, ids[i] & (2 ** STAKE_BITS - 1));
        }
    }

    function _nodeId(uint256 id) private pure returns (NodeId) {
        // Ids come from node ids.
        // forge-lint: disable-next-line(unsafe-typecast)
        return NodeId.wrap(uint32(id));
    }
}
