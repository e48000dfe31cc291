// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeId} from "../types/NodeId.sol";

/// @title JobDraw
/// @notice Draws the panel of a job: members of a committee by their shards, none twice.
/// @dev Each place has a word of its own, hashed with what it is for. A word has 256 bits and is taken modulo at most 255, so no
/// remainder is likelier than another by 2^-248. Who is drawn leaves with all its shards; so the work is bounded however unequal
/// the members are.
library JobDraw {
    bytes32 private constant TAG = keccak256("Walrus Chain compute panel");

    /// @notice The nodes at the places of a panel.
    /// @param members By index, at least as many as there are replicas, each with a shard or more.
    /// @param assignment One byte a shard: the index of the member that serves it.
    function panel(bytes32 seed, uint256 job, uint256 replicas, NodeId[] memory members, bytes memory assignment)
        internal
        pure
        returns (NodeId[] memory nodes)
    {
        // Cannot overflow: shards and members are at most 255.
        unchecked {
            uint256[] memory weights = new uint256[](members.length);
            uint256 left = assignment.length;
            for (uint256 shard = 0; shard < left; ++shard) {
                ++weights[uint8(assignment[shard])];
            }

            nodes = new NodeId[](replicas);
            for (uint256 place = 0; place < replicas; ++place) {
                uint256 drawn = uint256(keccak256(abi.encode(TAG, seed, job, place))) % left;
                uint256 member = 0;
                while (drawn >= weights[member]) {
                    drawn -= weights[member];
                    ++member;
                }
                nodes[place] = members[member];
                left -= weights[member];
                weights[member] = 0;
            }
        }
    }
}
