// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title UnitsTree
/// @notice Checks that an account stands with its units at a given place of a tree that commits to units and their sum.
/// @dev A leaf is keccak256(10 ‖ account 20 ‖ units 8), a node keccak256(11 ‖ left 32 ‖ left units 8 ‖ right 32 ‖ right units 8), the
/// root keccak256(12 ‖ top 32 ‖ units 8 ‖ places 8). A level with an odd number of nodes, more than one, is filled up with one that
/// is missing: hash zero, units zero. See docs/spec/14-revenue-pools.md.
///
/// Every node names the units of both its children, so those of places that can be shown add up to the root's sum at most, whatever
/// the tree's maker wrote: under a node with forged sums nothing can be shown. Each kind of node is hashed with a tag of its own,
/// and the depth follows from the number of places, which the root names.
library UnitsTree {
    uint256 private constant COUNT_BYTES = 8;
    /// @dev A sibling's hash and its units.
    uint256 private constant STEP_BYTES = 40;
    bytes1 private constant LEAF = 0x10;
    bytes1 private constant NODE = 0x11;
    bytes1 private constant ROOT = 0x12;

    /// @notice Whether `root` commits to `units` of `account` at the place `index`, and to `total` units in all.
    /// @param proof Number of places, then for each level from the leaves up the sibling's hash and its units.
    function holds(bytes32 root, uint64 total, address account, uint64 units, uint256 index, bytes calldata proof)
        internal
        pure
        returns (bool)
    {
        // Check: the place exists, and the proof has a step for each of its levels.
        if (proof.length < COUNT_BYTES) return false;
        // The first 8 bytes, on purpose.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 places = uint64(bytes8(proof));
        if (index >= places) return false;
        uint256 levels = places == 1 ? 0 : Math.log2(uint256(places) - 1) + 1;
        if (proof.length != COUNT_BYTES + levels * STEP_BYTES) return false;

        // Check: it leads to the root, and the units of the way to the sum. A sum that does not fit its 8 bytes is none.
        bytes32 hash = keccak256(abi.encodePacked(LEAF, account, units));
        uint64 sum = units;
        for (uint256 offset = COUNT_BYTES; offset < proof.length; offset += STEP_BYTES) {
            bytes32 sibling = bytes32(proof[offset:]);
            uint64 siblingUnits = uint64(bytes8(proof[offset + 32:]));
            if (siblingUnits > type(uint64).max - sum) return false;
            hash = index & 1 == 0
                ? keccak256(abi.encodePacked(NODE, hash, sum, sibling, siblingUnits))
                : keccak256(abi.encodePacked(NODE, sibling, siblingUnits, hash, sum));
            sum += siblingUnits;
            index >>= 1;
        }
        return sum == total && keccak256(abi.encodePacked(ROOT, hash, sum, places)) == root;
    }
}
