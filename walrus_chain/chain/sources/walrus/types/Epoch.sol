// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Number of an epoch, from 1. Epochs are counted, not timed: see {Timestamp} for seconds.
type Epoch is uint32;

using {isEqual as ==, isBefore as <, isAtMost as <=, isAfter as >, isAtLeast as >=, plus, until} for Epoch global;

function isEqual(Epoch a, Epoch b) pure returns (bool) {
    return Epoch.unwrap(a) == Epoch.unwrap(b);
}

function isBefore(Epoch a, Epoch b) pure returns (bool) {
    return Epoch.unwrap(a) < Epoch.unwrap(b);
}

function isAtMost(Epoch a, Epoch b) pure returns (bool) {
    return Epoch.unwrap(a) <= Epoch.unwrap(b);
}

function isAfter(Epoch a, Epoch b) pure returns (bool) {
    return Epoch.unwrap(a) > Epoch.unwrap(b);
}

function isAtLeast(Epoch a, Epoch b) pure returns (bool) {
    return Epoch.unwrap(a) >= Epoch.unwrap(b);
}

/// @notice The epoch `count` epochs later.
function plus(Epoch a, uint32 count) pure returns (Epoch) {
    return Epoch.wrap(Epoch.unwrap(a) + count);
}

/// @notice How many epochs lie in [a, b).
function until(Epoch a, Epoch b) pure returns (uint32) {
    return Epoch.unwrap(b) - Epoch.unwrap(a);
}
