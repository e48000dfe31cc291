// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sorting} from "./Sorting.sol";

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
/// The next node comes from a binary heap of *claims*: a node's quotient and place in one word, so that the greater word
/// goes first. Quotients are integers with 16 more bits than stakes: two of them, a/p > b/q with p, q <= 2^8, differ by at
/// least 1/(p * q) >= 2^-16, so rounding down keeps their order, and only equal ones become equal.
library Apportionment {
    uint256 private constant QUOTIENT_BITS = 16;
    uint256 private constant PLACE_BITS = 16;
    uint256 private constant LAST_PLACE = 2 ** PLACE_BITS - 1;

    /// @notice How many shards each node gets.
    /// @param stakes What stands behind each node; each above zero and below 2^128; 1 to 2^16 nodes.
    /// @param regions A name for each node's region.
    /// @param shards n, 1 to 255.
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

        uint256[] memory heap = _heapOf(stakes);
        uint256 open = heap.length;
        weights = new uint256[](stakes.length);
        uint256[] memory held = new uint256[](sizes.length);
        for (uint256 placed = 0; placed < shards;) {
            uint256 node = _placeOf(heap[0]);
            uint256 region = regionOf[node];
            if (weights[node] < nodeCap && held[region] < regionCap) {
                weights[node]++;
                held[region]++;
                placed++;
                _sink(heap, open, 0, _claim(node, stakes[node], weights[node]));
            } else {
                open--;
                _sink(heap, open, 0, heap[open]);
            }
        }
    }

    /// @notice Deals the shards in rounds: in each round every node that is still owed some takes one, in list order.
    /// @param weights Shards of each node, at most 256 nodes; they add up to `shards`.
    /// @return assignment One byte a shard: the place of the node that serves it.
    function deal(uint256[] memory weights, uint256 shards) internal pure returns (bytes memory assignment) {
        (assignment,) = reassign(new uint256[](shards), new uint256[](weights.length), weights, shards);
    }

    /// @notice Gives each node its new number of shards so that as few as possible change hands.
    /// @dev Shards 0.. in turn stay with their nodes as long as these have room. The others are dealt, in ascending order,
    /// in rounds: in each round every node that is still owed some takes one, in list order. So a shard moves only from a
    /// node that has more than its new weight, and never back to it.
    /// @param owners The id of the node that has each shard now; 0 for nobody.
    /// @param nodeIds The nodes that get shards, in ascending order, at most 256.
    /// @param weights Shards of each of them; they add up to `shards`.
    /// @return assignment One byte a shard: the place of the node that serves it.
    /// @return moved Bit s is set when shard s has another node than before.
    function reassign(uint256[] memory owners, uint256[] memory nodeIds, uint256[] memory weights, uint256 shards)
        internal
        pure
        returns (bytes memory assignment, uint256 moved)
    {
        assignment = new bytes(shards);
        uint256[] memory owed = new uint256[](weights.length);
        for (uint256 node = 0; node < owed.length; node++) {
            owed[node] = weights[node];
        }
        for (uint256 shard = 0; shard < shards; shard++) {
            uint256 node = owners[shard] == 0 ? nodeIds.length : placeIn(nodeIds, owners[shard]);
            if (node < nodeIds.length && owed[node] > 0) {
                owed[node]--;
                assignment[shard] = _byte(node);
            } else {
                moved |= 1 << shard;
            }
        }
        _dealRest(assignment, moved, owed);
    }

    /// @notice Where `value` stands in an ascending list; the list's length when it does not.
    function placeIn(uint256[] memory sorted, uint256 value) internal pure returns (uint256) {
        uint256 low = 0;
        uint256 high = sorted.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (sorted[middle] == value) return middle;
            if (sorted[middle] < value) low = middle + 1;
            else high = middle;
        }
        return sorted.length;
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

    /// @notice Numbers the regions 0.. in ascending order of their names.
    /// @return regionOf The number of each node's region.
    /// @return sizes How many nodes each region has.
    function group(bytes32[] memory regions) internal pure returns (uint256[] memory regionOf, uint256[] memory sizes) {
        uint256 nodes = regions.length;
        uint256[] memory names = new uint256[](nodes);
        for (uint256 node = 0; node < nodes; node++) {
            names[node] = uint256(regions[node]);
        }
        names = Sorting.sort(names);
        uint256 found = 0;
        for (uint256 i = 0; i < nodes; i++) {
            if (i == 0 || names[i] != names[found - 1]) names[found++] = names[i];
        }
        // What follows the different names is repetition; cut it off.
        assembly ("memory-safe") {
            mstore(names, found)
        }

        regionOf = new uint256[](nodes);
        sizes = new uint256[](found);
        for (uint256 node = 0; node < nodes; node++) {
            regionOf[node] = placeIn(names, uint256(regions[node]));
            sizes[regionOf[node]]++;
        }
    }

    /// @dev Deals the shards of a set in rounds. Who is owed some stands in a queue; who took one and is owed more goes to
    /// its end, so each round keeps the order of the list and the work is one step a shard.
    function _dealRest(bytes memory assignment, uint256 rest, uint256[] memory owed) private pure {
        uint256[] memory queue = new uint256[](owed.length + assignment.length);
        uint256 tail = 0;
        for (uint256 node = 0; node < owed.length; node++) {
            if (owed[node] > 0) queue[tail++] = node;
        }
        uint256 head = 0;
        for (uint256 shard = 0; rest >> shard != 0; shard++) {
            if ((rest >> shard) & 1 == 0) continue;
            uint256 node = queue[head++];
            assignment[shard] = _byte(node);
            if (--owed[node] > 0) queue[tail++] = node;
        }
    }

    function _byte(uint256 place) private pure returns (bytes1) {
        // Places are below 256.
        // forge-lint: disable-next-line(unsafe-typecast)
        return bytes1(uint8(place));
    }

    /// @dev How many shards the regions can hold under both caps.
    function _room(uint256[] memory sizes, uint256 nodeCap, uint256 regionCap) private pure returns (uint256 room) {
        for (uint256 region = 0; region < sizes.length; region++) {
            uint256 byNodes = sizes[region] * nodeCap;
            room += byNodes < regionCap ? byNodes : regionCap;
        }
    }

    /// @dev Every node's claim to its first shard, the greatest at 0 and none greater than the one above it.
    function _heapOf(uint256[] memory stakes) private pure returns (uint256[] memory heap) {
        uint256 nodes = stakes.length;
        heap = new uint256[](nodes);
        for (uint256 spot = nodes; spot > 0; spot--) {
            _sink(heap, nodes, spot - 1, _claim(spot - 1, stakes[spot - 1], 0));
        }
    }

    /// @dev Puts `claim` at `spot`, or further down among the first `open` until none below it is greater.
    function _sink(uint256[] memory heap, uint256 open, uint256 spot, uint256 claim) private pure {
        for (uint256 below = 2 * spot + 1; below < open; below = 2 * spot + 1) {
            if (below + 1 < open && heap[below + 1] > heap[below]) below++;
            if (heap[below] <= claim) break;
            heap[spot] = heap[below];
            spot = below;
        }
        heap[spot] = claim;
    }

    /// @dev The word that stands for a node's claim to one more shard: stake / (weight + 1), then the lower place.
    function _claim(uint256 place, uint256 stake, uint256 weight) private pure returns (uint256) {
        uint256 quotient = (stake << QUOTIENT_BITS) / (weight + 1);
        return (quotient << PLACE_BITS) | (LAST_PLACE - place);
    }

    function _placeOf(uint256 claim) private pure returns (uint256) {
        return LAST_PLACE - (claim & LAST_PLACE);
    }
}
