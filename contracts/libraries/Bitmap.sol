// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bitmap
/// @notice Sets of numbers 0..255 in one word.
library Bitmap {
    /// @notice How many numbers are in the set.
    function count(uint256 set) internal pure returns (uint256 total) {
        // Unchecked: each step clears the lowest bit of a set that has one; at most 256 steps.
        unchecked {
            for (; set != 0; set &= set - 1) {
                total++;
            }
        }
    }
}
