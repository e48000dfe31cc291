// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

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

    /// @notice The number that `place` lower ones of the set precede; the set has more than `place`.
    function nth(uint256 set, uint256 place) internal pure returns (uint256) {
        // Unchecked: each step clears the lowest bit of a set that has one; at most 255 steps.
        unchecked {
            for (; place != 0; --place) {
                set &= set - 1;
            }
            return Math.log2(set & (~set + 1));
        }
    }
}
