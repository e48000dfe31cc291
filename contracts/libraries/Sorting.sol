// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sorting
/// @notice Sorts words in memory at the same cost in whatever order they come.
/// @dev Lists of nodes and of votes are in an order that others choose, and often nearly sorted already, which is the worst
/// case of a quicksort with a fixed pivot. This merges runs of 1, 2, 4, ... words: O(n log n) always.
library Sorting {
    /// @notice The same words in ascending order. The memory of `words` may be used for it.
    function sort(uint256[] memory words) internal pure returns (uint256[] memory sorted) {
        sorted = words;
        uint256[] memory spare = new uint256[](words.length);
        for (uint256 width = 1; width < words.length; width *= 2) {
            for (uint256 start = 0; start < words.length; start += 2 * width) {
                _merge(sorted, spare, start, width);
            }
            (sorted, spare) = (spare, sorted);
        }
    }

    /// @dev Merges the runs of `width` words at `start` and after it; the last ones may be shorter.
    function _merge(uint256[] memory from, uint256[] memory to, uint256 start, uint256 width) private pure {
        uint256 middle = _least(start + width, from.length);
        uint256 end = _least(middle + width, from.length);
        uint256 left = start;
        uint256 right = middle;
        for (uint256 place = start; place < end; place++) {
            bool takeLeft = left < middle && (right == end || from[left] <= from[right]);
            to[place] = takeLeft ? from[left++] : from[right++];
        }
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
