// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Seconds since 1970, as the chain counts them.
type Timestamp is uint64;

using {isEarlier as <, plusSeconds, secondsUntil} for Timestamp global;

function isEarlier(Timestamp a, Timestamp b) pure returns (bool) {
    return Timestamp.unwrap(a) < Timestamp.unwrap(b);
}

/// @notice The moment `count` seconds later.
function plusSeconds(Timestamp a, uint64 count) pure returns (Timestamp) {
    return Timestamp.wrap(Timestamp.unwrap(a) + count);
}

/// @notice How many seconds lie between `a` and the later `b`.
function secondsUntil(Timestamp a, Timestamp b) pure returns (uint64) {
    return Timestamp.unwrap(b) - Timestamp.unwrap(a);
}
