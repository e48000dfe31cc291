// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IReceiptLog} from "../interfaces/IReceiptLog.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title ReceiptLog
/// @notice Keeps the root of each node's receipts of each epoch, and logs what nodes say that they destroyed.
/// @dev Invariant: a root never changes.
contract ReceiptLog is IReceiptLog {
    INodeRegistry private immutable _nodes;
    ICommittee private immutable _committee;

    /// @inheritdoc IReceiptLog
    mapping(NodeId nodeId => mapping(Epoch epoch => bytes32)) public rootOf;

    /// @param nodes Knows who signs for a node.
    /// @param committee Gives the clock.
    constructor(INodeRegistry nodes, ICommittee committee) {
        _nodes = nodes;
        _committee = committee;
    }

    /// @inheritdoc IReceiptLog
    function anchor(NodeId nodeId, Epoch epoch, bytes32 root, uint64 count) external {
        // Check
        _checkSigner(nodeId);
        if (root == 0 || count == 0) revert ReceiptLog_NothingToAnchor();
        Epoch current = _committee.currentEpoch();
        if (epoch >= current) revert ReceiptLog_EpochNotOver(epoch, current);
        if (rootOf[nodeId][epoch] != 0) revert ReceiptLog_AlreadyAnchored(nodeId, epoch);

        // Effect
        rootOf[nodeId][epoch] = root;
        emit ReceiptsAnchored(nodeId, epoch, root, count);
    }

    /// @inheritdoc IReceiptLog
    function attestDestruction(NodeId nodeId, uint256 blobObject, bytes32 keyHash) external {
        // Check
        _checkSigner(nodeId);

        // Effect
        emit KeyDestroyed(nodeId, blobObject, keyHash);
    }

    function _checkSigner(NodeId nodeId) private view {
        address signer = _nodes.signerOf(nodeId);
        if (msg.sender != signer) revert ReceiptLog_CallerNotNode(nodeId, signer, msg.sender);
    }
}
