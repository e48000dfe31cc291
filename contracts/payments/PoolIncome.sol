// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Amount} from "../types/Amount.sol";

/// @notice What a revenue pool knows of its income: `nodesBps 16 | dust 56 | units 40 | earnedPerWeight 128`, highest bits first,
/// below 16 that are zero.
/// `earnedPerWeight`: what one weight has earned since the pool was made. `units`: of all members; never zero. `dust`: what did
/// not divide yet, less than the weights, which have 54 bits. `nodesBps`: what the nodes get of each income, of 10,000.
/// @dev One word: every income changes it and nothing else of the pool.
type PoolIncome is uint256;

using {earnedPerWeightOf, unitsOf, dustOf, nodesBpsOf, exists, plus} for PoolIncome global;

/// @dev The weights of a pool for each of its units.
uint256 constant WEIGHTS_PER_UNIT = 10_000;

uint64 constant MAXIMUM_UNITS = 2 ** 40 - 1;

uint256 constant UNITS_SHIFT = 128;
uint256 constant DUST_SHIFT = 168;
uint256 constant NODES_SHIFT = 224;

/// @notice A pool without income. `units` must have 40 bits.
function newPoolIncome(uint64 units, uint16 nodesBps) pure returns (PoolIncome) {
    return PoolIncome.wrap(uint256(nodesBps) << NODES_SHIFT | uint256(units) << UNITS_SHIFT);
}

function earnedPerWeightOf(PoolIncome income) pure returns (uint128) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint128(PoolIncome.unwrap(income));
}

function unitsOf(PoolIncome income) pure returns (uint40) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint40(PoolIncome.unwrap(income) >> UNITS_SHIFT);
}

function dustOf(PoolIncome income) pure returns (uint56) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint56(PoolIncome.unwrap(income) >> DUST_SHIFT);
}

function nodesBpsOf(PoolIncome income) pure returns (uint16) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint16(PoolIncome.unwrap(income) >> NODES_SHIFT);
}

/// @notice Tells a pool from what was never created.
function exists(PoolIncome income) pure returns (bool) {
    return PoolIncome.unwrap(income) != 0;
}

/// @notice The pool with `amount` divided: each weight earned as much, and what does not divide is the new dust.
/// @dev Reverts when `earnedPerWeight` leaves its 128 bits; {RevenuePools} says why it never does.
function plus(PoolIncome income, Amount amount) pure returns (PoolIncome) {
    // Cannot overflow: an amount has 128 bits, all else fewer. The dust is below the weights, so it has 54 bits.
    unchecked {
        uint256 weights = income.unitsOf() * WEIGHTS_PER_UNIT;
        uint256 undivided = uint256(Amount.unwrap(amount)) + income.dustOf();
        uint256 earned = SafeCast.toUint128(income.earnedPerWeightOf() + undivided / weights);
        uint256 rest = undivided % weights;
        return PoolIncome.wrap(
            uint256(income.nodesBpsOf()) << NODES_SHIFT | rest << DUST_SHIFT | uint256(income.unitsOf()) << UNITS_SHIFT
                | earned
        );
    }
}
