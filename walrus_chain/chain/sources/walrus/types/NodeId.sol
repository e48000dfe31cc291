// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Number of a registered storage node, from 1.
type NodeId is uint32;

using {isSame as ==, isOther as !=, isNobody} for NodeId global;

function isSame(NodeId a, NodeId b) pure returns (bool) {
    return NodeId.unwrap(a) == NodeId.unwrap(b);
}

function isOther(NodeId a, NodeId b) pure returns (bool) {
    return NodeId.unwrap(a) != NodeId.unwrap(b);
}

/// @notice Tells the id that no node has.
function isNobody(NodeId a) pure returns (bool) {
    return NodeId.unwrap(a) == 0;
}
