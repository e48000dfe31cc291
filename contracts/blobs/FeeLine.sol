// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice What an epoch earns: `one-off 128 | rate 128`, highest bits first.
/// `rate`, signed: in a settled line the sum of all rates; in others by how much that sum changes when the epoch begins.
/// `one-off`: write fees paid during the epoch, and the nodes' parts of what revenue pools took in.
/// @dev One word instead of a struct: every registration changes two lines.
type FeeLine is uint256;

using {rateOf, oneOffOf, plus, withRate} for FeeLine global;

uint256 constant ONE_OFF_SHIFT = 128;

function rateOf(FeeLine line) pure returns (int128) {
    // The casts cut the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return int128(uint128(FeeLine.unwrap(line)));
}

function oneOffOf(FeeLine line) pure returns (uint128) {
    // The shift leaves 128 bits.
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint128(FeeLine.unwrap(line) >> ONE_OFF_SHIFT);
}

/// @notice The line with `rate` and `oneOff`, of 128 bits each, added to it.
function plus(FeeLine line, int256 rate, uint256 oneOff) pure returns (FeeLine) {
    // Cannot overflow: all four have 128 bits. The sums are checked to have as many.
    unchecked {
        int128 rates = SafeCast.toInt128(line.rateOf() + rate);
        uint128 oneOffs = SafeCast.toUint128(line.oneOffOf() + oneOff);
        // A negative rate keeps its bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return FeeLine.wrap(uint256(oneOffs) << ONE_OFF_SHIFT | uint128(rates));
    }
}

/// @notice The line with another rate.
function withRate(FeeLine line, int128 rate) pure returns (FeeLine) {
    // A negative rate keeps its bits.
    // forge-lint: disable-next-line(unsafe-typecast)
    return FeeLine.wrap(FeeLine.unwrap(line) >> ONE_OFF_SHIFT << ONE_OFF_SHIFT | uint128(rate));
}
