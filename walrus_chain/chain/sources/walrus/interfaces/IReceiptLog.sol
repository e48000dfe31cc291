// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title IReceiptLog
/// @notice What nodes say for good: the root of the receipts that each signed in an epoch, and that it destroyed a key.
/// @dev A node that hides a receipt which somebody else holds, or that anchored another one in its place, is found out by the
/// root: its own signature stands against it.
interface IReceiptLog {
    /// @notice Emitted when a node anchored its receipts of an epoch.
    /// @param count How many they are; the root commits to it.
    event ReceiptsAnchored(NodeId indexed nodeId, Epoch indexed epoch, bytes32 root, uint64 count);

    /// @notice Emitted when a node said that it destroyed the key it kept for an object.
    event KeyDestroyed(NodeId indexed nodeId, uint256 indexed blobObject, bytes32 keyHash);

    /// @notice Thrown when the caller is not the key that signs for the node.
    error ReceiptLog_CallerNotNode(NodeId nodeId, address signer, address caller);

    /// @notice Thrown when receipts are anchored of an epoch in which more may be signed.
    error ReceiptLog_EpochNotOver(Epoch epoch, Epoch current);

    /// @notice Thrown when the node's receipts of the epoch were anchored before.
    error ReceiptLog_AlreadyAnchored(NodeId nodeId, Epoch epoch);

    /// @notice Thrown when the root or the number of receipts is zero.
    error ReceiptLog_NothingToAnchor();

    /// @notice Anchors the root of a node's receipts of an epoch that is over; once.
    /// @dev Emits {ReceiptsAnchored}.
    /// Requirements:
    /// - The caller must be the node's signer.
    /// @param root Root of the tree of receipts, docs/spec/13-access.md; commits to their number too. Not zero.
    /// @param count At least 1. Said for readers of the log; nobody checks it here.
    function anchor(NodeId nodeId, Epoch epoch, bytes32 root, uint64 count) external;

    /// @notice States that the node destroyed the key it kept for an object.
    /// @dev Emits {KeyDestroyed}. Nobody can prove that something is gone: this makes the node answer for its word.
    /// Requirements:
    /// - The caller must be the node's signer.
    /// @param keyHash sha256 of the public key whose private key is gone.
    function attestDestruction(NodeId nodeId, uint256 blobObject, bytes32 keyHash) external;

    /// @notice The root that a node anchored for an epoch; zero when there is none.
    function rootOf(NodeId nodeId, Epoch epoch) external view returns (bytes32);
}
