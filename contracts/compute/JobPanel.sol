// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @notice The nodes drawn for a job, and when that was: `block 35 | time 32 | seven node ids of 27`, that of place 0 in the lowest
/// bits. Places that are not taken are zero; so is the panel of a job that was not drawn.
/// @dev One word: a node that commits reads it and writes one of its own. Seconds fit until 2106, blocks of a tenth of a second for a
/// century; a node whose id does not fit could not be drawn, and jobs for which it were end unpaid.
type JobPanel is uint256;

using {isNone, sizeOf, nodeAt, drawnAt, drawnBlock} for JobPanel global;

uint256 constant NODE_BITS = 27;
uint256 constant NODE_MASK = 2 ** NODE_BITS - 1;
uint256 constant MAXIMUM_PLACES = 7;
uint256 constant TIME_SHIFT = NODE_BITS * MAXIMUM_PLACES;
uint256 constant BLOCK_SHIFT = TIME_SHIFT + 32;

/// @notice The panel of at most seven nodes, drawn in this block.
function newJobPanel(NodeId[] memory nodes) view returns (JobPanel) {
    uint256 word = block.number << BLOCK_SHIFT | uint256(SafeCast.toUint32(block.timestamp)) << TIME_SHIFT;
    for (uint256 place = 0; place < nodes.length; ++place) {
        uint256 id = NodeId.unwrap(nodes[place]);
        // The cast says how many bits there are, to the byte.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (id > NODE_MASK) revert SafeCast.SafeCastOverflowedUintDowncast(uint8(NODE_BITS), id);
        word |= id << (NODE_BITS * place);
    }
    return JobPanel.wrap(word);
}

function isNone(JobPanel panel) pure returns (bool) {
    return JobPanel.unwrap(panel) == 0;
}

/// @notice How many nodes were drawn.
function sizeOf(JobPanel panel) pure returns (uint256 size) {
    while (!panel.nodeAt(size).isNobody()) {
        ++size;
    }
}

/// @notice The node at a place; nobody where there is none.
function nodeAt(JobPanel panel, uint256 place) pure returns (NodeId) {
    if (place >= MAXIMUM_PLACES) return NodeId.wrap(0);
    // The mask leaves 27 bits.
    // forge-lint: disable-next-line(unsafe-typecast)
    return NodeId.wrap(uint32(JobPanel.unwrap(panel) >> (NODE_BITS * place) & NODE_MASK));
}

function drawnAt(JobPanel panel) pure returns (Timestamp) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return Timestamp.wrap(uint32(JobPanel.unwrap(panel) >> TIME_SHIFT));
}

function drawnBlock(JobPanel panel) pure returns (uint64) {
    // 35 bits are left.
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint64(JobPanel.unwrap(panel) >> BLOCK_SHIFT);
}
