// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title StrictCalls
/// @notice Asks another contract for words, and takes no answer but one of just the length that it has to have.
/// @dev A return of a megabyte is not copied. What the other contract burns is gone: see {OperandCalls} for a limit.
library StrictCalls {
    /// @notice Thrown when a contract did not answer, or not in one word.
    error StrictCalls_NoAnswer(address target);

    /// @notice The word that a view answers; reverts when it answers nothing, something else, or not at all.
    function askWord(address target, bytes memory question) internal view returns (uint256 word) {
        bool answered;
        (answered, word) = tryWord(target, gasleft(), question);
        if (!answered) revert StrictCalls_NoAnswer(target);
    }

    /// @notice The word that a view answers with at most `gasLimit`.
    /// @return answered Whether it answered with just 32 bytes.
    function tryWord(address target, uint256 gasLimit, bytes memory question)
        internal
        view
        returns (bool answered, uint256 word)
    {
        assembly ("memory-safe") {
            answered := staticcall(gasLimit, target, add(question, 0x20), mload(question), 0, 0x20)
            answered := and(answered, eq(returndatasize(), 0x20))
            if answered { word := mload(0) }
        }
    }

    /// @notice The three words that a view answers with at most `gasLimit`.
    /// @return answered Whether it answered with just 96 bytes.
    function tryWords(address target, uint256 gasLimit, bytes memory question)
        internal
        view
        returns (bool answered, uint256[3] memory words)
    {
        assembly ("memory-safe") {
            answered := staticcall(gasLimit, target, add(question, 0x20), mload(question), words, 0x60)
            answered := and(answered, eq(returndatasize(), 0x60))
        }
    }
}
