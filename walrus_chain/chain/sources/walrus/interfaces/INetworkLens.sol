// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {IBlobRegistry} from "./IBlobRegistry.sol";
import {IStaking} from "./IStaking.sol";

/// @title INetworkLens
/// @notice Lists and overviews for clients, in one call each. Views only; no contract depends on it.
interface INetworkLens {
    /// @notice A node with its stake and its part in the committee.
    /// @param stake What stands behind it now: active stake, and deposits that count by now.
    /// @param waiting Deposits that do not count yet.
    /// @param ownStake What of the stake its operator delegated, with deposits that wait.
    /// @param jailedUntil The epoch from which on it may be let out; zero when it is not jailed.
    /// @param candidate Whether it stands for committees.
    /// @param misses Custody proofs missed in a row, as far as they were reported.
    /// @param lastMiss The epoch of the last one; zero when there is none.
    struct NodeView {
        NodeId nodeId;
        address operator;
        string name;
        string url;
        string region;
        address signer;
        bytes encryptionKey;
        Amount stake;
        Amount waiting;
        Amount ownStake;
        Amount unbonding;
        Amount commission;
        uint16 commissionBps;
        uint16 nextCommissionBps;
        Epoch nextCommissionFrom;
        Epoch jailedUntil;
        bool candidate;
        uint32 misses;
        Epoch lastMiss;
        bool serving;
        uint16[] shards;
    }

    /// @notice What an account has in the pool of a node.
    struct DelegationView {
        NodeId nodeId;
        IStaking.Delegation delegation;
        IStaking.Unbonding[] unbonding;
    }

    /// @notice A change of committee that is under way.
    /// @param pending Bit s is set when shard s is on its way: its former node answers for it as well.
    /// @param former The nodes of the former committee, with the shards they served in it; none when nothing is pending.
    struct ChangeView {
        Epoch epoch;
        Epoch previousEpoch;
        uint256 pending;
        NodeView[] former;
    }

    /// @notice The network's parameters and clock.
    struct NetworkView {
        uint16 shards;
        uint16 faults;
        Epoch committeeEpoch;
        Epoch currentEpoch;
        Timestamp epochStart;
        uint64 epochSeconds;
        uint32 unitBytes;
        Amount unitPrice;
        Amount writeFee;
        uint32 maximumEpochs;
        Amount minimumStake;
        Amount totalStake;
        uint32 unbondingEpochs;
        uint16 maximumCommissionBps;
        Epoch selectedEpoch;
        uint256 pendingShards;
        uint32 nodes;
        uint256 objects;
    }

    /// @notice The network's parameters and clock.
    function network() external view returns (NetworkView memory);

    /// @notice Nodes `first` .. `first + count - 1`, as many of them as exist.
    function nodes(uint32 first, uint32 count) external view returns (NodeView[] memory);

    /// @notice The members of the serving committee, by member index.
    function committee() external view returns (NodeView[] memory);

    /// @notice The committee that was relieved last, while shards are on their way from it.
    function change() external view returns (ChangeView memory);

    /// @notice What an account has in the pools of nodes `first` .. `first + count - 1`; pools where it has nothing are left out.
    function delegationsOf(address delegator, uint32 first, uint32 count)
        external
        view
        returns (DelegationView[] memory);

    /// @notice The objects named, in that order.
    function blobs(uint256[] calldata blobObjects) external view returns (IBlobRegistry.BlobObject[] memory);

    /// @notice The objects of an owner among the ids `first` .. `first + count - 1`.
    /// @return found Those that exist and belong to the owner.
    /// @return next Where to go on; zero when all objects were seen.
    function blobsOf(address owner, uint256 first, uint256 count)
        external
        view
        returns (IBlobRegistry.BlobObject[] memory found, uint256 next);
}
