// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../interfaces/ICustodyChallenges.sol";
import {INetworkLens} from "../interfaces/INetworkLens.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {IStorageFees} from "../interfaces/IStorageFees.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title NetworkLens
/// @notice Lists and overviews, put together from the other contracts' views. It keeps nothing and may be replaced by a
/// better one at any time.
contract NetworkLens is INetworkLens {
    IBlobRegistry private immutable _registry;
    IStorageFees private immutable _fees;
    ICommittee private immutable _committee;
    INodeRegistry private immutable _nodes;
    IStaking private immutable _staking;
    ICustodyChallenges private immutable _custody;

    constructor(
        IBlobRegistry registry,
        IStorageFees fees,
        ICommittee committee_,
        INodeRegistry nodes_,
        IStaking staking,
        ICustodyChallenges custody
    ) {
        _registry = registry;
        _fees = fees;
        _committee = committee_;
        _nodes = nodes_;
        _staking = staking;
        _custody = custody;
    }

    /// @inheritdoc INetworkLens
    function network() external view returns (NetworkView memory view_) {
        view_.shards = _committee.shards();
        view_.faults = _committee.faults();
        view_.committeeEpoch = _committee.epoch();
        view_.currentEpoch = _committee.currentEpoch();
        view_.epochStart = _committee.startOf(view_.currentEpoch);
        view_.epochSeconds = _committee.epochSeconds();
        view_.unitBytes = _fees.unitBytes();
        view_.unitPrice = _fees.unitPrice();
        view_.writeFee = _fees.writeFee();
        view_.maximumEpochs = _fees.maximumEpochs();
        view_.minimumStake = _staking.minimumStake();
        view_.totalStake = _staking.totalStake();
        view_.unbondingEpochs = _staking.unbondingEpochs();
        view_.maximumCommissionBps = _staking.maximumCommissionBps();
        view_.selectedEpoch = _committee.selectedEpoch();
        view_.pendingShards = _committee.pendingShards();
        view_.nodes = _nodes.nodeCount();
        view_.objects = _registry.objectCount();
    }

    /// @inheritdoc INetworkLens
    function nodes(uint32 first, uint32 count) external view returns (NodeView[] memory views) {
        (uint256 begin, uint256 end) = _range(first, count, _nodes.nodeCount());
        ICommittee.Member[] memory members = _committee.members();
        bytes memory assignment = _committee.assignment();

        views = new NodeView[](end - begin);
        for (uint256 i = 0; i < views.length; ++i) {
            // At most the number of nodes, which has 32 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            NodeId nodeId = NodeId.wrap(uint32(begin + i));
            uint256 member = _memberOf(nodeId, members);
            views[i] = _viewOf(nodeId);
            if (member < members.length) _addShards(views[i], member, members[member].weight, assignment);
        }
    }

    /// @inheritdoc INetworkLens
    function committee() external view returns (NodeView[] memory views) {
        ICommittee.Member[] memory members = _committee.members();
        bytes memory assignment = _committee.assignment();

        views = new NodeView[](members.length);
        for (uint256 i = 0; i < members.length; ++i) {
            views[i] = _viewOf(members[i].nodeId);
            views[i].signer = members[i].signer;
            _addShards(views[i], i, members[i].weight, assignment);
        }
    }

    /// @inheritdoc INetworkLens
    function change() external view returns (ChangeView memory view_) {
        view_.epoch = _committee.epoch();
        view_.previousEpoch = _committee.previousEpoch();
        view_.pending = _committee.pendingShards();
        if (view_.pending == 0) return view_;

        NodeId[] memory former = _committee.membersOf(view_.previousEpoch);
        view_.former = new NodeView[](former.length);
        for (uint256 i = 0; i < former.length; ++i) {
            view_.former[i] = _viewOf(former[i]);
            (, uint256 shards) = _committee.seatOf(view_.previousEpoch, former[i]);
            view_.former[i].serving = true;
            view_.former[i].shards = _shardsIn(shards);
        }
    }

    /// @inheritdoc INetworkLens
    function delegationsOf(address delegator, uint32 first, uint32 count)
        external
        view
        returns (DelegationView[] memory views)
    {
        (uint256 begin, uint256 end) = _range(first, count, _nodes.nodeCount());
        views = new DelegationView[](end - begin);
        uint256 found = 0;
        for (uint256 id = begin; id < end; ++id) {
            // At most the number of nodes, which has 32 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            NodeId nodeId = NodeId.wrap(uint32(id));
            IStaking.Delegation memory delegation = _staking.delegationOf(nodeId, delegator);
            IStaking.Unbonding[] memory unbonding = _staking.unbondingOf(nodeId, delegator);
            bool nothing = delegation.shares == 0 && delegation.waiting.isZero() && unbonding.length == 0;
            if (!nothing) views[found++] = DelegationView(nodeId, delegation, unbonding);
        }
        // Shortens the array to what was found; its memory stays taken.
        assembly ("memory-safe") {
            mstore(views, found)
        }
    }

    /// @inheritdoc INetworkLens
    function blobs(uint256[] calldata blobObjects) external view returns (IBlobRegistry.BlobObject[] memory found) {
        found = new IBlobRegistry.BlobObject[](blobObjects.length);
        for (uint256 i = 0; i < blobObjects.length; ++i) {
            found[i] = _registry.blobOf(blobObjects[i]);
        }
    }

    /// @inheritdoc INetworkLens
    function blobsOf(address owner, uint256 first, uint256 count)
        external
        view
        returns (IBlobRegistry.BlobObject[] memory found, uint256 next)
    {
        uint256 objects = _registry.objectCount();
        (uint256 begin, uint256 end) = _range(first, count, objects);

        found = new IBlobRegistry.BlobObject[](Math.min(end - begin, _registry.balanceOf(owner)));
        uint256 matches = 0;
        for (uint256 id = begin; id < end; ++id) {
            IBlobRegistry.BlobObject memory blob = _registry.blobOf(id);
            if (blob.owner == owner) found[matches++] = blob;
        }
        // Shortens the array to what was found; its memory stays taken.
        assembly ("memory-safe") {
            mstore(found, matches)
        }
        next = end > objects ? 0 : end;
    }

    function _viewOf(NodeId nodeId) private view returns (NodeView memory view_) {
        (address operator, INodeRegistry.NodeDetails memory details) = _nodes.nodeOf(nodeId);
        view_.nodeId = nodeId;
        view_.operator = operator;
        view_.name = details.name;
        view_.url = details.url;
        view_.region = details.region;
        view_.signer = details.signer;
        view_.encryptionKey = details.encryptionKey;

        IStaking.Pool memory pool = _staking.poolOf(nodeId);
        view_.stake = _staking.stakeAt(nodeId, _committee.currentEpoch());
        view_.waiting = _staking.stakeAt(nodeId, Epoch.wrap(type(uint32).max)) - view_.stake;
        view_.unbonding = pool.unbonding;
        view_.ownStake = _staking.ownStakeAt(nodeId, Epoch.wrap(type(uint32).max));
        view_.commission = pool.commission;
        view_.commissionBps = pool.commissionBps;
        view_.nextCommissionBps = pool.nextCommissionBps;
        view_.nextCommissionFrom = pool.nextCommissionFrom;
        view_.jailedUntil = pool.jailedUntil;
        view_.candidate = pool.standing;
        ICustodyChallenges.Record memory record = _custody.recordOf(nodeId);
        view_.misses = record.row;
        view_.lastMiss = record.last;
    }

    /// @dev The place of a node among the members; their number when it is none.
    function _memberOf(NodeId nodeId, ICommittee.Member[] memory members) private pure returns (uint256 member) {
        while (member < members.length && members[member].nodeId != nodeId) ++member;
    }

    function _addShards(NodeView memory view_, uint256 member, uint16 weight, bytes memory assignment) private pure {
        view_.serving = true;
        view_.shards = new uint16[](weight);
        uint256 found = 0;
        for (uint256 shard = 0; shard < assignment.length; ++shard) {
            // There are at most 255 shards.
            // forge-lint: disable-next-line(unsafe-typecast)
            if (uint8(assignment[shard]) == member) view_.shards[found++] = uint16(shard);
        }
    }

    /// @dev The numbers in a bitmap of shards, ascending.
    function _shardsIn(uint256 bitmap) private pure returns (uint16[] memory shards) {
        shards = new uint16[](Bitmap.count(bitmap));
        uint256 found = 0;
        for (uint16 shard = 0; found < shards.length; ++shard) {
            if ((bitmap >> shard) & 1 == 1) shards[found++] = shard;
        }
    }

    /// @dev [begin, end) of the ids 1..last that `first` and `count` name.
    function _range(uint256 first, uint256 count, uint256 last) private pure returns (uint256 begin, uint256 end) {
        begin = Math.min(Math.max(first, 1), last + 1);
        end = begin + Math.min(count, last + 1 - begin);
    }
}
