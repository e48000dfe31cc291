// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Number of a revenue pool, from 1.
type PoolId is uint64;

using {isSame as ==} for PoolId global;

function isSame(PoolId a, PoolId b) pure returns (bool) {
    return PoolId.unwrap(a) == PoolId.unwrap(b);
}
