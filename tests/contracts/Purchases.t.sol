// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IFixedPrice, IPurchases, ISubscribable} from "../../contracts/interfaces/IPurchases.sol";
import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {PaymentsFixture} from "./support/PaymentsFixture.sol";
import {vm} from "./support/Vm.sol";

/// @notice A policy that sells, and says what a test wants it to say.
contract Seller {
    bytes private _answer;
    bool private _fails;

    function say(bytes memory answer) external {
        _answer = answer;
    }

    function fail() external {
        _fails = true;
    }

    /// @dev Answers whatever is asked.
    fallback(bytes calldata) external returns (bytes memory) {
        require(!_fails, "no");
        return _answer;
    }
}

contract PurchasesTest is PaymentsFixture {
    uint256 private constant OBJECT = 7;
    uint128 private constant PRICE = 0.5e18;
    uint32 private constant PERIOD = 30 days;

    PoolId private pool;
    Seller private seller;

    // What this contract says in the place of the object policies, and what it heard.
    address private access;
    uint8 private hooks;
    uint256 private asked;
    bytes private heard;
    /// @dev From this sequence on a read costs more.
    uint256 private dearFrom = type(uint256).max;

    function setUp() external {
        deployPayments(1_000_000_000e18);
        pool = createPool();
        seller = new Seller();
        (priceOfRead, poolOfRead) = (Amount.wrap(PRICE), pool);
    }

    function accessOf(uint256) external view override returns (address, uint8) {
        return (access, hooks);
    }

    function quoteOf(IBlobPolicies.Question calldata question) external view override returns (Amount, PoolId) {
        assertEq(question.blobObject, OBJECT);
        assertEq(question.requester, alice);
        assertEq(uint256(question.action), 1);
        assertEq(question.program, bytes32(0));
        assertGe(question.sequence, purchases.readsOf(OBJECT, alice));
        assertEq(question.evidence, hex"c0de");
        if (question.sequence >= dearFrom) return (Amount.wrap(2 * PRICE), poolOfRead);
        return (priceOfRead, poolOfRead);
    }

    function notifyRead(uint256 blobObject, address reader, uint32 count, Amount paid) external override {
        // All books are closed.
        assertEq(purchases.readsOf(blobObject, reader), count);
        assertEq(reserveOf(address(pools)), Amount.unwrap(paid));
        heard = abi.encode(blobObject, reader, count, paid);
    }

    // buyReads

    function test_buyReads__of_nothing__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IPurchases.Purchases_WrongCount.selector, type(uint32).max, 0));
        buy(0, 1e18);
    }

    function test_buyReads__more_than_can_be_counted__reverts() external {
        priceOfRead = Amount.wrap(1);
        buy(type(uint32).max - 1, 1e18);
        vm.expectRevert(abi.encodeWithSelector(IPurchases.Purchases_WrongCount.selector, 1, 2));
        buy(2, 1e18);
        buy(1, 1e18);
        assertEq(purchases.readsOf(OBJECT, alice), type(uint32).max);
    }

    function test_buyReads__for_free__reverts() external {
        priceOfRead = Amount.wrap(0);
        vm.expectRevert(abi.encodeWithSelector(IPurchases.Purchases_ForFree.selector, OBJECT));
        buy(1, 1e18);
    }

    function test_buyReads__above_the_maximum__reverts() external {
        expectTooExpensive(3 * PRICE - 1, 3 * PRICE);
        buy(3, 3 * PRICE - 1);
        assertEq(purchases.readsOf(OBJECT, alice), 0);
        buy(3, 3 * PRICE);
    }

    function test_buyReads__for_more_than_an_amount_can_be__reverts() external {
        priceOfRead = Amount.wrap(type(uint128).max);
        expectTooExpensive(type(uint128).max, type(uint128).max);
        buy(2, type(uint128).max);
    }

    function test_buyReads__when_the_policy_raises_its_price__the_maximum_protects() external {
        access = address(seller);
        seller.say(abi.encode(PRICE + 1, pool));
        expectTooExpensive(PRICE, PRICE + 1);
        buy(1, PRICE);
    }

    function test_buyReads__when_the_policy_names_a_pool_that_there_is_not__reverts() external {
        access = address(seller);
        seller.say(abi.encode(PRICE, PoolId.wrap(99)));
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_UnknownPool.selector, 99));
        buy(1, PRICE);
        assertEq(purchases.readsOf(OBJECT, alice), 0);
    }

    function test_buyReads__when_the_payer_has_too_little__reverts_and_nothing_is_bought() external {
        priceOfRead = Amount.wrap(uint128(BALANCE + 1));
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, payer.addr, BALANCE, BALANCE + 1)
        );
        buy(1, BALANCE + 1);
        assertEq(purchases.readsOf(OBJECT, alice), 0);
    }

    function test_buyReads__at_a_quoted_price__pays_the_pool_and_tells() external {
        vm.expectEmit(address(purchases));
        emit IPurchases.ReadsBought(OBJECT, alice, payer.addr, 3, Amount.wrap(3 * PRICE), pool);
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeReceived(pool, address(purchases), payer.addr, Amount.wrap(3 * PRICE), bytes32(OBJECT));
        assertEq(buy(3, 1e20), 3 * PRICE);
        assertEq(purchases.readsOf(OBJECT, alice), 3);
        assertEq(purchases.readsOf(OBJECT, payer.addr), 0);
        assertEq(token.balanceOf(payer.addr), BALANCE - 3 * PRICE);
        assertEq(claimable(pool, alice), 3 * PRICE / 10 * 5 * 8750 / 10_000);
        assertEq(heard, "");
    }

    /// @dev A policy may sell the first reads cheaper: who buys a thousand at once got all of them at that price.
    function test_buyReads__when_later_ones_have_another_price__are_not_sold_at_the_first_ones() external {
        dearFrom = 2;
        vm.expectRevert(abi.encodeWithSelector(IPurchases.Purchases_WrongCount.selector, 1, 1000));
        buy(1000, 1e30);
        assertEq(buy(2, 1e20), 2 * PRICE);
        assertEq(buy(998, 1e30), 998 * 2 * PRICE);
        assertEq(purchases.readsOf(OBJECT, alice), 1000);
    }

    function test_buyReads__at_a_fixed_price__asks_for_no_quote() external {
        access = address(seller);
        seller.say(abi.encode(2 * PRICE, pool));
        vm.expectCall(address(this), abi.encodeWithSelector(IBlobPolicies.quoteOf.selector), 0);
        vm.expectCall(address(seller), abi.encodeCall(IFixedPrice.readTerms, ()));
        assertEq(buy(2, 1e20), 4 * PRICE);
        assertEq(purchases.readsOf(OBJECT, alice), 2);
    }

    function test_buyReads__when_the_policy_has_no_fixed_price__asks_for_a_quote() external {
        // Zero, too large, or of another length.
        bytes[6] memory answers = [
            abi.encode(0, pool),
            abi.encode(2 ** 128, pool),
            abi.encode(PRICE, 2 ** 64),
            abi.encode(PRICE),
            abi.encode(PRICE, pool, 0),
            bytes("")
        ];
        access = address(seller);
        for (uint256 i = 0; i < answers.length; ++i) {
            seller.say(answers[i]);
            assertEq(buy(1, 1e20), PRICE);
        }
        seller.fail();
        assertEq(buy(1, 1e20), PRICE);
        access = carol;
        assertEq(buy(1, 1e20), PRICE);
    }

    function test_buyReads__when_the_policy_wants_to_know__it_is_told_last() external {
        (access, hooks) = (address(seller), 4);
        buy(2, 1e20);
        assertEq(heard, abi.encode(OBJECT, alice, 2, 2 * PRICE));
    }

    function test_buyReads__when_the_policy_wants_other_hooks__it_is_not_told() external {
        hooks = 11;
        buy(2, 1e20);
        assertEq(heard, "");
    }

    // subscribe

    function test_subscribe__for_no_period__reverts() external {
        seller.say(abi.encode(PRICE, PERIOD, pool));
        vm.expectRevert(abi.encodeWithSelector(IPurchases.Purchases_WrongCount.selector, type(uint32).max, 0));
        subscribe(0, PRICE);
    }

    function test_subscribe__to_what_sells_no_time__reverts() external {
        bytes[7] memory answers = [
            bytes(""),
            abi.encode(PRICE, PERIOD),
            abi.encode(PRICE, PERIOD, pool, 0),
            abi.encode(0, PERIOD, pool),
            abi.encode(PRICE, 0, pool),
            abi.encode(2 ** 128, PERIOD, pool),
            abi.encode(PRICE, 2 ** 32, pool)
        ];
        for (uint256 i = 0; i < answers.length; ++i) {
            seller.say(answers[i]);
            expectNotSubscribable(address(seller));
            subscribe(1, PRICE);
        }
        seller.say(abi.encode(PRICE, PERIOD, 2 ** 64));
        expectNotSubscribable(address(seller));
        subscribe(1, PRICE);
        seller.fail();
        expectNotSubscribable(address(seller));
        subscribe(1, PRICE);
        expectNotSubscribable(carol);
        vm.prank(payer.addr);
        purchases.subscribe(carol, 1, alice, Amount.wrap(PRICE));
    }

    function test_subscribe__above_the_maximum__reverts() external {
        seller.say(abi.encode(PRICE, PERIOD, pool));
        expectTooExpensive(2 * PRICE - 1, 2 * PRICE);
        subscribe(2, 2 * PRICE - 1);
    }

    function test_subscribe__more_than_ten_years_ahead__reverts() external {
        seller.say(abi.encode(1, 365 days, pool));
        subscribe(10, PRICE);
        uint64 now_ = uint64(vm.getBlockTimestamp());
        vm.expectRevert(
            abi.encodeWithSelector(
                IPurchases.Purchases_TooFarAhead.selector, now_ + 3650 days, now_ + 3650 days + 365 days
            )
        );
        subscribe(1, PRICE);
        seller.say(abi.encode(1, type(uint32).max, pool));
        vm.expectPartialRevert(IPurchases.Purchases_TooFarAhead.selector);
        subscribe(type(uint32).max, type(uint128).max);
    }

    function test_subscribe__for_the_first_time__lasts_from_now() external {
        seller.say(abi.encode(PRICE, PERIOD, pool));
        skip(1000);
        Timestamp until = Timestamp.wrap(uint64(vm.getBlockTimestamp() + 2 * PERIOD));
        vm.expectEmit(address(purchases));
        emit IPurchases.Subscribed(address(seller), alice, payer.addr, until, Amount.wrap(2 * PRICE), pool);
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeReceived(
            pool, address(purchases), payer.addr, Amount.wrap(2 * PRICE), bytes32(uint256(uint160(address(seller))))
        );
        vm.expectCall(address(seller), abi.encodeCall(ISubscribable.subscriptionTerms, ()));
        assertEq(subscribe(2, 2 * PRICE), Timestamp.unwrap(until));
        assertEq(Timestamp.unwrap(purchases.subscribedUntil(address(seller), alice)), Timestamp.unwrap(until));
        assertEq(Timestamp.unwrap(purchases.subscribedUntil(address(seller), payer.addr)), 0);
    }

    function test_subscribe__again__goes_on_from_the_end_or_from_now() external {
        seller.say(abi.encode(PRICE, PERIOD, pool));
        uint256 end = subscribe(1, PRICE);
        assertEq(subscribe(1, PRICE), end + PERIOD);
        skip(3 * uint256(PERIOD));
        assertEq(subscribe(1, PRICE), vm.getBlockTimestamp() + PERIOD);
    }

    // Helpers

    function buy(uint32 count, uint256 maximum) private returns (uint256) {
        vm.prank(payer.addr);
        return Amount.unwrap(purchases.buyReads(OBJECT, count, alice, Amount.wrap(uint128(maximum)), hex"c0de"));
    }

    function subscribe(uint32 periods, uint256 maximum) private returns (uint256) {
        vm.prank(payer.addr);
        return Timestamp.unwrap(purchases.subscribe(address(seller), periods, alice, Amount.wrap(uint128(maximum))));
    }

    function expectTooExpensive(uint256 maximum, uint256 price) private {
        vm.expectRevert(abi.encodeWithSelector(IPurchases.Purchases_TooExpensive.selector, maximum, price));
    }

    function expectNotSubscribable(address policy) private {
        vm.expectRevert(abi.encodeWithSelector(IPurchases.Purchases_NotSubscribable.selector, policy));
    }
}
