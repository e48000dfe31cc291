// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Amount} from "../types/Amount.sol";

/// @title PoolMath
/// @notice Amounts and shares of a pool that holds `total` WAL in `shares` shares; the name says which way they are rounded.
/// @dev A pool without shares is empty: its first shares are worth one unit each. A pool with shares holds something, since
/// what is taken is always rounded down.
library PoolMath {
    using SafeCast for uint256;

    uint256 private constant ONE_BPS = 10_000;

    /// @notice The shares that whoever adds `amount` gets.
    function toSharesDown(Amount amount, Amount total, uint128 shares) internal pure returns (uint128) {
        if (shares == 0) return Amount.unwrap(amount);
        return Math.mulDiv(Amount.unwrap(amount), shares, Amount.unwrap(total)).toUint128();
    }

    /// @notice The shares that whoever takes `amount` gives up. The pool must have shares.
    function toSharesUp(Amount amount, Amount total, uint128 shares) internal pure returns (uint128) {
        return Math.mulDiv(Amount.unwrap(amount), shares, Amount.unwrap(total), Math.Rounding.Ceil).toUint128();
    }

    /// @notice What `part` of the shares is worth; nothing in a pool without shares.
    function toAmountDown(uint128 part, Amount total, uint128 shares) internal pure returns (Amount) {
        if (shares == 0) return Amount.wrap(0);
        return Amount.wrap(Math.mulDiv(part, Amount.unwrap(total), shares).toUint128());
    }

    /// @notice `bps` hundredths of a percent of `amount`.
    function portionDown(Amount amount, uint256 bps) internal pure returns (Amount) {
        return Amount.wrap((Amount.unwrap(amount) * bps / ONE_BPS).toUint128());
    }
}
