// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Apportionment
/// @notice Divides n shards among nodes by stake (D'Hondt), within a cap for each node and each region, and deals them.
/// @dev Rules and proofs: docs/spec/04-committee.md. In short:
/// - Shard by shard, the node with the highest stake / (shards + 1) gets one; ties go to the lower place in the list. A
///   node at its cap, or whose region is at its cap, gets no more.
/// - Node cap: max(f, ceil(n / nodes)), the lowest cap from f on with which the nodes can hold all shards.
/// - Region cap: the lowest cap from f on with which the regions, given the node cap, can hold all shards. It is f when
///   regions * f >= n.
/// - So a node can always take the next shard, and all n are placed.
///
/// The next node comes from a binary heap; the order (quotient, then place) is total, so the heap's shape does not matter.
library Apportionment {
    /// @dev What one apportionment knows; `heap[0..open)` are the places of nodes that may get more.
    struct Draft {
        uint256[] stakes;
        uint256[] weights;
        uint256[] heap;
        uint256 open;
    }

    /// @notice How many shards each node gets.
    /// @param stakes What stands behind each node; each above zero and below 2^128, at least one node.
    /// @param regions A name for each node's region.
    /// @param shards n, above zero.
    /// @param faults f, the most shards that a node or region should hold.
    /// @return weights Shards of each node, in the order of `stakes`; they add up to n.
    function apportion(uint256[] memory stakes, bytes32[] memory regions, uint256 shards, uint256 faults)
        internal
        pure
        returns (uint256[] memory weights)
    {
        (uint256[] memory regionOf, uint256[] memory sizes) = group(regions);
        uint256 nodeCap = nodeCapOf(stakes.length, shards, faults);
        uint256 regionCap = regionCapOf(sizes, nodeCap, shards, faults);

        Draft memory draft = _open(stakes);
        weights = draft.weights;
        uint256[] memory held = new uint256[](sizes.length);
        for (uint256 placed = 0; placed < shards;) {
            uint256 node = draft.heap[0];
            if (weights[node] < nodeCap && held[regionOf[node]] < regionCap) {
                weights[node]++;
                held[regionOf[node]]++;
                placed++;
            } else {
                draft.open--;
                draft.heap[0] = draft.heap[draft.open];
            }
            _sink(draft, 0);
        }
    }

    /// @notice Deals the shards in rounds: in each round every node that is still owed some takes one, in list order.
    /// @param weights Shards of each node, at most 256 nodes; they add up to `shards`.
    /// @return assignment One byte a shard: the place of the node that serves it.
    function deal(uint256[] memory weights, uint256 shards) internal pure returns (bytes memory assignment) {
        assignment = new bytes(shards);
        uint256 shard = 0;
        for (uint256 round = 0; shard < shards; round++) {
            for (uint256 node = 0; node < weights.length; node++) {
                if (weights[node] > round) assignment[shard++] = bytes1(uint8(node));
            }
        }
    }

    /// @notice The lowest cap from `faults` on with which `nodes` nodes can hold all shards.
    function nodeCapOf(uint256 nodes, uint256 shards, uint256 faults) internal pure returns (uint256) {
        uint256 evenPart = (shards + nodes - 1) / nodes;
        return evenPart > faults ? evenPart : faults;
    }

    /// @notice The lowest cap from `faults` on with which regions of `sizes` nodes can hold all shards.
    /// @dev Ends at the latest at `shards`: then all nodes together can hold nodes * nodeCap >= shards. More than one
    /// step is taken only by regions with regions * faults < shards, which are few.
    function regionCapOf(uint256[] memory sizes, uint256 nodeCap, uint256 shards, uint256 faults)
        internal
        pure
        returns (uint256 cap)
    {
        cap = faults == 0 ? 1 : faults;
        while (_room(sizes, nodeCap, cap) < shards) cap++;
    }

    /// @notice Numbers the regions 0.. in the order in which they first appear.
    /// @return regionOf The number of each node's region.
    /// @return sizes How many nodes each region has.
    function group(bytes32[] memory regions) internal pure returns (uint256[] memory regionOf, uint256[] memory sizes) {
        uint256 nodes = regions.length;
        bytes32[] memory names = new bytes32[](nodes);
        regionOf = new uint256[](nodes);
        sizes = new uint256[](nodes);
        uint256 found = 0;
        for (uint256 node = 0; node < nodes; node++) {
            uint256 region = 0;
            while (region < found && names[region] != regions[node]) region++;
            if (region == found) names[found++] = regions[node];
            regionOf[node] = region;
            sizes[region]++;
        }
        // Regions that were not found have no nodes; cut them off.
        assembly ("memory-safe") {
            mstore(sizes, found)
        }
    }

    /// @dev How many shards the regions can hold under both caps.
    function _room(uint256[] memory sizes, uint256 nodeCap, uint256 regionCap) private pure returns (uint256 room) {
        for (uint256 region = 0; region < sizes.length; region++) {
            uint256 byNodes = sizes[region] * nodeCap;
            room += byNodes < regionCap ? byNodes : regionCap;
        }
    }

    function _open(uint256[] memory stakes) private pure returns (Draft memory draft) {
        uint256 nodes = stakes.length;
        draft = Draft({stakes: stakes, weights: new uint256[](nodes), heap: new uint256[](nodes), open: nodes});
        for (uint256 node = 0; node < nodes; node++) {
            draft.heap[node] = node;
        }
        for (uint256 spot = nodes / 2; spot > 0; spot--) {
            _sink(draft, spot - 1);
        }
    }

    /// @dev Moves the node at `spot` down until both nodes below it come later.
    function _sink(Draft memory draft, uint256 spot) private pure {
        uint256 node = draft.heap[spot];
        while (true) {
            uint256 below = 2 * spot + 1;
            if (below >= draft.open) break;
            if (below + 1 < draft.open && _precedes(draft, draft.heap[below + 1], draft.heap[below])) below++;
            if (!_precedes(draft, draft.heap[below], node)) break;
            draft.heap[spot] = draft.heap[below];
            spot = below;
        }
        draft.heap[spot] = node;
    }

    /// @dev Whether node `a` gets the next shard before node `b`: a higher quotient, or the same and a lower place.
    /// Compared by cross multiplication: stakes are below 2^128 and weights below 2^16, so nothing overflows.
    function _precedes(Draft memory draft, uint256 a, uint256 b) private pure returns (bool) {
        uint256 left = draft.stakes[a] * (draft.weights[b] + 1);
        uint256 right = draft.stakes[b] * (draft.weights[a] + 1);
        return left > right || (left == right && a < b);
    }
}
