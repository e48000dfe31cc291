// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title CappedCall
/// @notice Calls to contracts that nobody vouches for: they get exactly so much gas, and hand back exactly so many bytes.
/// @dev A call is given at most 63/64 of the gas that is left, silently. So whoever calls asks {suffices} before: then a
/// callee gets its whole share however much its caller was given, and cannot be starved by one who gave little.
///
/// Only bytes of an answer of the right length are copied; how many more a callee prepared costs the callee alone.
library CappedCall {
    /// @dev What a call costs before it begins (2,600 for a cold account), and what the check itself uses.
    uint256 private constant OVERHEAD = 5000;

    /// @notice How much gas must be left so that a callee gets `gasCap`.
    function required(uint256 gasCap) internal pure returns (uint256) {
        return gasCap + gasCap / 63 + OVERHEAD;
    }

    /// @notice Whether enough gas is left for a callee to get `gasCap`.
    function suffices(uint256 gasCap) internal view returns (bool) {
        return gasleft() >= required(gasCap);
    }

    /// @notice Asks by STATICCALL for one word.
    /// @return answered False when there is no code, the callee failed, or its answer is not 32 bytes long; then the word is zero.
    function askWord(address callee, uint256 gasCap, bytes memory data)
        internal
        view
        returns (bool answered, uint256 word)
    {
        assembly ("memory-safe") {
            answered := staticcall(gasCap, callee, add(data, 32), mload(data), 0, 32)
            answered := and(answered, eq(returndatasize(), 32))
            if answered { word := mload(0) }
        }
    }

    /// @notice Asks by STATICCALL for three words.
    /// @return answered False when there is no code, the callee failed, or its answer is not 96 bytes long; then all are zero.
    function askThreeWords(address callee, uint256 gasCap, bytes memory data)
        internal
        view
        returns (bool answered, uint256 first, uint256 second, uint256 third)
    {
        assembly ("memory-safe") {
            let answer := mload(0x40)
            answered := staticcall(gasCap, callee, add(data, 32), mload(data), answer, 96)
            answered := and(answered, eq(returndatasize(), 96))
            if answered {
                first := mload(answer)
                second := mload(add(answer, 32))
                third := mload(add(answer, 64))
            }
        }
    }

    /// @notice Calls and looks at no answer.
    /// @return done False when there is no code or the callee failed.
    function tell(address callee, uint256 gasCap, bytes memory data) internal returns (bool done) {
        if (callee.code.length == 0) return false;
        assembly ("memory-safe") {
            done := call(gasCap, callee, 0, add(data, 32), mload(data), 0, 0)
        }
    }
}
