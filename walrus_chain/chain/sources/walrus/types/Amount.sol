// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An amount of WAL in its smallest unit (10^-18 WAL). Adding it to a time or a count does not compile.
type Amount is uint128;

using {add as +, sub as -, isEqual as ==, isLess as <, isAtMost as <=, isMore as >, times, isZero} for Amount global;

function add(Amount a, Amount b) pure returns (Amount) {
    return Amount.wrap(Amount.unwrap(a) + Amount.unwrap(b));
}

function sub(Amount a, Amount b) pure returns (Amount) {
    return Amount.wrap(Amount.unwrap(a) - Amount.unwrap(b));
}

function isEqual(Amount a, Amount b) pure returns (bool) {
    return Amount.unwrap(a) == Amount.unwrap(b);
}

function isLess(Amount a, Amount b) pure returns (bool) {
    return Amount.unwrap(a) < Amount.unwrap(b);
}

function isAtMost(Amount a, Amount b) pure returns (bool) {
    return Amount.unwrap(a) <= Amount.unwrap(b);
}

function isMore(Amount a, Amount b) pure returns (bool) {
    return Amount.unwrap(a) > Amount.unwrap(b);
}

/// @notice The amount `count` times.
function times(Amount a, uint128 count) pure returns (Amount) {
    return Amount.wrap(Amount.unwrap(a) * count);
}

function isZero(Amount a) pure returns (bool) {
    return Amount.unwrap(a) == 0;
}
