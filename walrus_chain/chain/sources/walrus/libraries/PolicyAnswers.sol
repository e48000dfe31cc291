// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title PolicyAnswers
/// @notice The two answers that {IDataPolicy-evaluate} may give.
library PolicyAnswers {
    /// @notice The use is allowed.
    bytes4 internal constant ALLOW = bytes4(keccak256("Walrus Chain policy: allow"));

    /// @notice The use is denied, for the reason given.
    bytes4 internal constant DENY = bytes4(keccak256("Walrus Chain policy: deny"));
}
