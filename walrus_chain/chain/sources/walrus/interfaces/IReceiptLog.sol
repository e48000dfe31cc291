// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title IReceiptLog
/// @notice What nodes say for good: the root of the receipts that each signed in an epoch, and that it destroyed a key.
interface IReceiptLog {
    event ReceiptsAnchored(NodeId indexed nodeId, Epoch indexed epoch, bytes32 root, uint64 count);
    event KeyDestroyed(NodeId indexed nodeId, uint256 indexed blobObject, bytes32 keyHash);

    error ReceiptLog_CallerNotNode(NodeId nodeId, address signer, address caller);
    error ReceiptLog_EpochNotOver(Epoch epoch, Epoch current);
    error ReceiptLog_AlreadyAnchored(NodeId nodeId, Epoch epoch);
    error ReceiptLog_NothingToAnchor();

    /// @notice Anchors the root of a node's receipts of an epoch that is over; once. Only the node's signer.
    /// @param root Root of the tree of receipts, docs/spec/13-access.md; commits to their number too. Not zero.
    function anchor(NodeId nodeId, Epoch epoch, bytes32 root, uint64 count) external;

    /// @notice States that the node destroyed the key it kept for an object. Only the node's signer.
    /// @param keyHash sha256 of the public key whose private key is gone.
    function attestDestruction(NodeId nodeId, uint256 blobObject, bytes32 keyHash) external;

    /// @notice Zero when nothing was anchored.
    function rootOf(NodeId nodeId, Epoch epoch) external view returns (bytes32);
}
