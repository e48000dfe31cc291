// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {NodeId} from "../types/NodeId.sol";

/// @notice The nodes drawn for a job and the block in which that was: `block 32 | seven node ids of 32`, that of place 0 in the
/// lowest bits. Places that are not taken are zero; so is the panel of a job that was not drawn.
/// @dev One word: a node that commits reads it and writes one of its own.
type JobPanel is uint256;

using {isNone, nodeAt, drawnBlockOf} for JobPanel global;

uint256 constant NODE_BITS = 32;
uint256 constant BLOCK_SHIFT = 224;
uint256 constant MAXIMUM_PLACES = 7;

/// @notice The panel of at most seven nodes, drawn in this block.
function newJobPanel(NodeId[] memory nodes) view returns (JobPanel) {
    uint256 word = uint256(SafeCast.toUint32(block.number)) << BLOCK_SHIFT;
    for (uint256 place = 0; place < nodes.length; ++place) {
        word |= uint256(NodeId.unwrap(nodes[place])) << (NODE_BITS * place);
    }
    return JobPanel.wrap(word);
}

function isNone(JobPanel panel) pure returns (bool) {
    return JobPanel.unwrap(panel) == 0;
}

/// @notice The node at a place; nobody where there is none.
function nodeAt(JobPanel panel, uint256 place) pure returns (NodeId) {
    if (place >= MAXIMUM_PLACES) return NodeId.wrap(0);
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return NodeId.wrap(uint32(JobPanel.unwrap(panel) >> (NODE_BITS * place)));
}

function drawnBlockOf(JobPanel panel) pure returns (uint64) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint32(JobPanel.unwrap(panel) >> BLOCK_SHIFT);
}
