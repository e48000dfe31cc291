// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {PoolMath} from "../../contracts/libraries/PoolMath.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract PoolMathTest is Test {
    // toSharesDown

    function test_toSharesDown__when_the_pool_has_no_shares__gives_one_a_unit(uint128 amount, uint128 total)
        external
        pure
    {
        assertEq(PoolMath.toSharesDown(Amount.wrap(amount), Amount.wrap(total), 0), amount);
    }

    function test_toSharesDown__when_it_does_not_divide__rounds_down() external pure {
        assertEq(PoolMath.toSharesDown(Amount.wrap(5), Amount.wrap(3), 2), 3);
        assertEq(PoolMath.toSharesDown(Amount.wrap(1), Amount.wrap(3), 2), 0);
    }

    function test_toSharesDown__when_it_has_more_than_128_bits__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, uint8(128), uint256(2 ** 128))
        );
        this.sharesDown(2 ** 64, 1, 2 ** 64);
    }

    // toSharesUp

    function test_toSharesUp__when_it_does_not_divide__rounds_up() external pure {
        assertEq(PoolMath.toSharesUp(Amount.wrap(5), Amount.wrap(3), 2), 4);
        assertEq(PoolMath.toSharesUp(Amount.wrap(3), Amount.wrap(3), 2), 2);
        assertEq(PoolMath.toSharesUp(Amount.wrap(0), Amount.wrap(3), 2), 0);
    }

    // toAmountDown

    function test_toAmountDown__when_the_pool_has_no_shares__is_nothing(uint128 total) external pure {
        assertEq(Amount.unwrap(PoolMath.toAmountDown(0, Amount.wrap(total), 0)), 0);
    }

    function test_toAmountDown__when_it_does_not_divide__rounds_down() external pure {
        assertEq(Amount.unwrap(PoolMath.toAmountDown(1, Amount.wrap(3), 2)), 1);
    }

    function test_toAmountDown__of_all_shares__is_all(uint128 total, uint128 shares) external pure {
        vm.assume(shares != 0);
        assertEq(Amount.unwrap(PoolMath.toAmountDown(shares, Amount.wrap(total), shares)), total);
    }

    // portionDown

    function test_portionDown__rounds_down() external pure {
        assertEq(Amount.unwrap(PoolMath.portionDown(Amount.wrap(9999), 1)), 0);
        assertEq(Amount.unwrap(PoolMath.portionDown(Amount.wrap(19_999), 5000)), 9999);
        assertEq(Amount.unwrap(PoolMath.portionDown(Amount.wrap(type(uint128).max), 10_000)), type(uint128).max);
    }

    // Rounding is for the pool

    function test_I2_a_deposit_and_its_way_out__give_no_gain(uint128 amount, uint128 total, uint128 shares)
        external
        pure
    {
        (amount, total, shares) = _sane(amount, total, shares);
        uint128 given = PoolMath.toSharesDown(Amount.wrap(amount), Amount.wrap(total), shares);
        assertLe(Amount.unwrap(PoolMath.toAmountDown(given, Amount.wrap(total + amount), shares + given)), amount);
    }

    function test_I2_what_is_taken__is_covered_by_its_shares(uint128 part, uint128 total, uint128 shares)
        external
        pure
    {
        (, total, shares) = _sane(1, total, shares);
        part = uint128(bound(part, 0, shares));
        uint128 worth = Amount.unwrap(PoolMath.toAmountDown(part, Amount.wrap(total), shares));
        assertLe(PoolMath.toSharesUp(Amount.wrap(worth), Amount.wrap(total), shares), part);
    }

    function test_a_pool_with_shares__holds_something_whatever_is_taken(uint128 amount, uint128 total, uint128 shares)
        external
        pure
    {
        (, total, shares) = _sane(1, total, shares);
        amount = uint128(bound(amount, 0, total));
        uint128 given = PoolMath.toSharesUp(Amount.wrap(amount), Amount.wrap(total), shares);
        if (given < shares) assertLt(amount, total);
        else assertEq(given, shares);
    }

    function sharesDown(uint128 amount, uint128 total, uint128 shares) external pure returns (uint128) {
        return PoolMath.toSharesDown(Amount.wrap(amount), Amount.wrap(total), shares);
    }

    /// @dev Numbers as pools have them: below 2^96, a share worth 2^-20 to 2^30.
    function _sane(uint128 amount, uint128 total, uint128 shares) private pure returns (uint128, uint128, uint128) {
        shares = uint128(bound(shares, 1, 2 ** 96));
        uint256 least = shares / 2 ** 20 + 1;
        total = uint128(bound(total, least, least * 2 ** 30));
        return (uint128(bound(amount, 1, 2 ** 96)), total, shares);
    }
}
