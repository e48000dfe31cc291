// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {IBlobRegistry} from "./IBlobRegistry.sol";

/// @title INetworkLens
/// @notice Lists and overviews for clients, in one call each. Views only; no contract depends on it.
interface INetworkLens {
    /// @notice A node with its stake and its part in the committee.
    struct NodeView {
        NodeId nodeId;
        address operator;
        string name;
        string url;
        string region;
        address signer;
        bytes encryptionKey;
        Amount stake;
        bool serving;
        uint16[] shards;
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
        uint32 nodes;
        uint256 objects;
    }

    /// @notice The network's parameters and clock.
    function network() external view returns (NetworkView memory);

    /// @notice Nodes `first` .. `first + count - 1`, as many of them as exist.
    function nodes(uint32 first, uint32 count) external view returns (NodeView[] memory);

    /// @notice The members of the serving committee, by member index.
    function committee() external view returns (NodeView[] memory);

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
