// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title EvidenceParts
/// @notice Takes the evidence of a combinator apart: `abi.encode(bytes[])`, one entry for each operand.
/// @dev Reads only inside of what it is given, and never reverts.
library EvidenceParts {
    /// @notice Whether the evidence has `count` entries that all lie inside it. No evidence at all has as many as are wanted,
    /// all empty.
    function areWellFormed(bytes calldata evidence, uint256 count) internal pure returns (bool) {
        uint256 length = evidence.length;
        if (length == 0) return true;
        if (length < 64 + 32 * count || _wordAt(evidence, 0) != 32 || _wordAt(evidence, 32) != count) return false;
        for (uint256 i = 0; i < count; ++i) {
            uint256 offset = _wordAt(evidence, 64 + 32 * i);
            // An entry begins with its length; offsets count from the end of the list's length.
            if (offset > length - 96) return false;
            if (_wordAt(evidence, 64 + offset) > length - 96 - offset) return false;
        }
        return true;
    }

    /// @notice The entry of operand `index`, of evidence that is well formed.
    function partOf(bytes calldata evidence, uint256 index) internal pure returns (bytes calldata part) {
        if (evidence.length == 0) return evidence;
        uint256 start = 96 + _wordAt(evidence, 64 + 32 * index);
        return evidence[start:start + _wordAt(evidence, start - 32)];
    }

    function _wordAt(bytes calldata evidence, uint256 start) private pure returns (uint256) {
        return uint256(bytes32(evidence[start:start + 32]));
    }
}
