// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";

/// @notice Prices and the epochs [since, until) in which they hold: `until 32 | since 32 | write fee 96 | unit price 96`,
/// highest bits first.
/// @dev One word instead of a struct, since every registration reads one. Prices have 70 bits, see {IStorageFees-maximumPrice}.
type PricePeriod is uint256;

using {unitPriceOf, writeFeeOf, sinceOf, untilOf, holdsIn, withUntil, hasPricesOf} for PricePeriod global;

uint256 constant WRITE_FEE_SHIFT = 96;
uint256 constant SINCE_SHIFT = 192;
uint256 constant UNTIL_SHIFT = 224;
uint256 constant PRICES_MASK = 2 ** SINCE_SHIFT - 1;
Epoch constant NEVER = Epoch.wrap(type(uint32).max);

/// @notice Prices that hold from `since` until others are set.
function newPricePeriod(Amount unitPrice, Amount writeFee, Epoch since) pure returns (PricePeriod) {
    return PricePeriod.wrap(
        uint256(Amount.unwrap(unitPrice)) | uint256(Amount.unwrap(writeFee)) << WRITE_FEE_SHIFT
            | uint256(Epoch.unwrap(since)) << SINCE_SHIFT | uint256(Epoch.unwrap(NEVER)) << UNTIL_SHIFT
    );
}

function unitPriceOf(PricePeriod period) pure returns (Amount) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return Amount.wrap(uint96(PricePeriod.unwrap(period)));
}

function writeFeeOf(PricePeriod period) pure returns (Amount) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return Amount.wrap(uint96(PricePeriod.unwrap(period) >> WRITE_FEE_SHIFT));
}

function sinceOf(PricePeriod period) pure returns (Epoch) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return Epoch.wrap(uint32(PricePeriod.unwrap(period) >> SINCE_SHIFT));
}

function untilOf(PricePeriod period) pure returns (Epoch) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return Epoch.wrap(uint32(PricePeriod.unwrap(period) >> UNTIL_SHIFT));
}

/// @notice Whether the prices hold in `epoch`.
function holdsIn(PricePeriod period, Epoch epoch) pure returns (bool) {
    return period.sinceOf() <= epoch && epoch < period.untilOf();
}

/// @notice The same prices with another end.
function withUntil(PricePeriod period, Epoch until) pure returns (PricePeriod) {
    return PricePeriod.wrap(PricePeriod.unwrap(period) << 32 >> 32 | uint256(Epoch.unwrap(until)) << UNTIL_SHIFT);
}

/// @notice Whether both prices are the same.
function hasPricesOf(PricePeriod a, PricePeriod b) pure returns (bool) {
    return (PricePeriod.unwrap(a) ^ PricePeriod.unwrap(b)) & PRICES_MASK == 0;
}
