// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StorageFees} from "../../contracts/blobs/StorageFees.sol";
import {IStorageFees} from "../../contracts/interfaces/IStorageFees.sol";
import {ITokenVault} from "../../contracts/interfaces/ITokenVault.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {FeesFixture} from "./support/FeesFixture.sol";
import {vm} from "./support/Vm.sol";

contract StorageFeesTest is FeesFixture {
    /// @dev One mebibyte is 63 units of 64 KiB at n = 10.
    uint64 private constant SIZE = 2 ** 20;
    uint128 private constant RATE = 63_000;
    uint256 private constant FEE = 77;
    Amount private constant PRICE = Amount.wrap(1000);
    Amount private constant WRITE_FEE = Amount.wrap(77);

    function setUp() public {
        deployFees(defaultPrices());
    }

    // constructor

    function test_constructor__when_a_parameter_is_out_of_bounds__reverts() external {
        Prices memory prices = defaultPrices();
        prices.unitBytes = 1023;
        expectOutOfBounds("unitBytes", 1024, 2 ** 30, 1023);
        newFees(prices);
        prices.unitBytes = 2 ** 30 + 1;
        expectOutOfBounds("unitBytes", 1024, 2 ** 30, 2 ** 30 + 1);
        newFees(prices);

        prices = defaultPrices();
        prices.unitPrice = 1000e18 + 1;
        expectOutOfBounds("unitPrice", 0, 1000e18, 1000e18 + 1);
        newFees(prices);

        prices = defaultPrices();
        prices.writeFee = 1000e18 + 1;
        expectOutOfBounds("writeFee", 0, 1000e18, 1000e18 + 1);
        newFees(prices);

        prices = defaultPrices();
        prices.maximumEpochs = 0;
        expectOutOfBounds("maximumEpochs", 1, 65_535, 0);
        newFees(prices);
        prices.maximumEpochs = 65_536;
        expectOutOfBounds("maximumEpochs", 1, 65_535, 65_536);
        newFees(prices);

        expectOutOfBounds("registry", 1, type(uint160).max, 0);
        new StorageFees(vault, committee, address(0), votes, rewards, pools, 1024, Amount.wrap(1), Amount.wrap(1), 1);
        expectOutOfBounds("prices", 1, type(uint160).max, 0);
        new StorageFees(vault, committee, votes, address(0), rewards, pools, 1024, Amount.wrap(1), Amount.wrap(1), 1);
        expectOutOfBounds("rewards", 1, type(uint160).max, 0);
        new StorageFees(vault, committee, votes, rewards, address(0), pools, 1024, Amount.wrap(1), Amount.wrap(1), 1);
        expectOutOfBounds("pools", 1, type(uint160).max, 0);
        new StorageFees(vault, committee, votes, rewards, pools, address(0), 1024, Amount.wrap(1), Amount.wrap(1), 1);
    }

    // charge, chargeBatch

    function test_charge__when_the_caller_is_not_the_registry__reverts(address caller) external {
        vm.assume(caller != address(this));
        expectNotRegistry(caller);
        fees.charge(1, caller, SIZE, 5, PRICE, WRITE_FEE);
        expectNotRegistry(caller);
        fees.chargeBatch(caller, new IStorageFees.Term[](0), PRICE, WRITE_FEE);
    }

    function test_charge__when_the_term_cannot_be_paid__reverts(uint32 epochs) external {
        epochs = epochs % 2 == 0 ? 0 : uint32(bound(epochs, 51, type(uint32).max));
        expectWrongTerm(epochs, 50);
        fees.charge(1, address(this), SIZE, epochs, PRICE, WRITE_FEE);
        expectWrongTerm(epochs, 50);
        fees.quote(SIZE, epochs);
    }

    function test_charge__when_all_is_in_order__takes_the_quote_and_tells() external {
        warpTo(3);
        vm.expectEmit(address(fees));
        emit IStorageFees.TermPaid(
            9, address(this), Amount.wrap(RATE), Epoch.wrap(3), Epoch.wrap(8), Amount.wrap(5 * RATE + 77)
        );
        assertEq(charge(9, SIZE, 5), RATE);
        assertEq(token.balanceOf(address(vault)), 5 * RATE + FEE);
        assertEq(reserve(), 5 * RATE + FEE);
    }

    function test_charge__given_any_term__pays_each_of_its_epochs(uint32 start, uint32 epochs, uint64 size) external {
        start = uint32(bound(start, 1, 1000));
        epochs = uint32(bound(epochs, 1, 50));
        size = uint64(bound(size, 0, 2 ** 40 - 1));
        warpTo(start);
        uint128 rate = charge(1, size, epochs);
        assertEq(rate, Amount.unwrap(fees.rateOf(size)));
        assertEq(rate, fees.unitsOf(size) * 1000);
        assertEq(income(start - 1), 0);
        assertEq(income(start), rate + FEE);
        for (uint32 epoch = start + 1; epoch < start + epochs; ++epoch) {
            assertEq(income(epoch), rate);
        }
        assertEq(income(start + epochs), 0);
        assertEq(reserve(), epochs * rate + FEE);
    }

    function test_chargeBatch__given_any_terms__does_what_single_charges_do(uint256 count) external {
        IStorageFees.Term[] memory terms = new IStorageFees.Term[](bound(count, 1, 20));
        for (uint256 i = 0; i < terms.length; ++i) {
            terms[i] = IStorageFees.Term(i + 1, uint64(i * 99_999), uint32(1 + i % 6));
        }
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < terms.length; ++i) {
            charge(terms[i].blobObject, terms[i].size, terms[i].epochs);
        }
        bytes memory expected = abi.encode(incomes(10), reserve(), token.balanceOf(address(this)));
        assertTrue(vm.revertToState(snapshot));

        vm.expectCall(address(vault), abi.encodeWithSelector(vault.collect.selector), 1);
        Amount[] memory rates = fees.chargeBatch(address(this), terms, PRICE, WRITE_FEE);
        assertEq(abi.encode(incomes(10), reserve(), token.balanceOf(address(this))), expected);
        for (uint256 i = 0; i < terms.length; ++i) {
            assertEq(Amount.unwrap(rates[i]), Amount.unwrap(fees.rateOf(terms[i].size)));
        }
    }

    // chargeExtension

    function test_chargeExtension__when_the_caller_is_not_the_registry__reverts(address caller) external {
        vm.assume(caller != address(this));
        expectNotRegistry(caller);
        fees.chargeExtension(1, caller, SIZE, Epoch.wrap(1), Epoch.wrap(6), 1);
    }

    function test_chargeExtension__when_the_term_is_over__reverts() external {
        charge(5);
        warpTo(6);
        vm.expectRevert(
            abi.encodeWithSelector(IStorageFees.StorageFees_TermOver.selector, Epoch.wrap(6), Epoch.wrap(6))
        );
        extend(6, 1);
    }

    function test_chargeExtension__when_the_term_cannot_be_paid__reverts() external {
        charge(5);
        expectWrongTerm(0, 45);
        extend(6, 0);
        expectWrongTerm(46, 45);
        extend(6, 46);
        expectWrongTerm(type(uint32).max, 45);
        extend(6, type(uint32).max);
        expectWrongTerm(46, 45);
        fees.quoteExtension(SIZE, Amount.wrap(RATE), Epoch.wrap(6), 46);
    }

    function test_chargeExtension__when_the_price_is_unchanged__keeps_the_rate() external {
        charge(5);
        warpTo(2);
        vm.expectEmit(address(fees));
        emit IStorageFees.TermPaid(
            1, address(this), Amount.wrap(RATE), Epoch.wrap(3), Epoch.wrap(10), Amount.wrap(4 * RATE)
        );
        assertEq(extend(6, 4), RATE);
        assertEq(reserve(), 9 * RATE + FEE);
        for (uint32 epoch = 2; epoch < 10; ++epoch) {
            assertEq(income(epoch), RATE);
        }
        assertEq(income(10), 0);
    }

    function test_chargeExtension__given_any_price_before__pays_both_and_rounds_against_the_payer(
        uint128 oldPrice,
        uint32 epochs,
        uint32 elapsed,
        uint32 more
    ) external {
        Prices memory prices = defaultPrices();
        prices.unitPrice = uint128(bound(oldPrice, 0, 1e12));
        deployFees(prices);
        epochs = uint32(bound(epochs, 2, 49));
        elapsed = uint32(bound(elapsed, 1, epochs - 1));
        more = uint32(bound(more, 1, 50 - epochs + elapsed));
        uint128 oldRate = charge(1, SIZE, epochs);
        warpTo(elapsed);
        setPrices(1000, 77);
        warpTo(1 + elapsed);

        uint256 before = reserve();
        (Amount total,) = fees.quoteExtension(SIZE, Amount.wrap(oldRate), Epoch.wrap(1 + epochs), more);
        uint128 newRate = extend(1 + epochs, more);
        assertEq(reserve() - before, Amount.unwrap(total));
        assertGe(Amount.unwrap(total), RATE * more);
        assertLt(Amount.unwrap(total), RATE * more + (epochs - elapsed - 1) + more);
        assertEq(rateOfObject(1, 1), newRate);
        for (uint32 epoch = 2; epoch <= 1 + elapsed; ++epoch) {
            assertEq(income(epoch), oldRate);
        }
        for (uint32 epoch = 2 + elapsed; epoch < 1 + epochs + more; ++epoch) {
            assertEq(income(epoch), newRate);
        }
        assertEq(income(1 + epochs + more), 0);
    }

    function test_chargeExtension__when_mixed_already__goes_on_from_the_mixed_rate() external {
        charge(1, SIZE, 5);
        setPrices(2000, 77);
        warpTo(2);
        // Three epochs ahead at 63,000 and one at 126,000.
        assertEq(extend(6, 1), 78_750);
        setPrices(500, 77);
        warpTo(3);
        // Three ahead at 78,750 and two at 31,500.
        assertEq(extend(7, 2), 59_850);
        assertEq(rateOfObject(1, 1), 59_850);
        (Amount total,) = fees.quoteExtension(SIZE, Amount.wrap(59_850), Epoch.wrap(9), 1);
        assertEq(Amount.unwrap(total), 31_500);
        assertEq(reserve(), RATE * 2 + FEE + 78_750 + 59_850 * 5);
    }

    function test_chargeExtension__when_it_mixes_to_nothing__the_rate_is_kept_as_zero() external {
        charge(1, SIZE, 2);
        setPrices(0, 77);
        warpTo(2);
        assertEq(extend(3, 2), 0);
        assertEq(rateOfObject(1, 1), 0);
        assertEq(income(2), RATE);
        assertEq(income(3), 0);
        assertEq(Amount.unwrap(fees.refund(1, stakes, SIZE, Epoch.wrap(1), Epoch.wrap(5))), 0);
        assertEq(reserve(), 2 * RATE + FEE);
    }

    function test_chargeExtension__when_the_last_paid_epoch_runs__takes_the_new_price_alone() external {
        charge(1, SIZE, 2);
        setPrices(3000, 77);
        warpTo(2);
        assertEq(extend(3, 2), 3 * RATE);
        assertEq(income(2), RATE);
        assertEq(income(3), 3 * RATE);
        assertEq(income(4), 3 * RATE);
        assertEq(income(5), 0);
    }

    // refund

    function test_refund__when_the_caller_is_not_the_registry__reverts(address caller) external {
        vm.assume(caller != address(this));
        expectNotRegistry(caller);
        fees.refund(1, caller, SIZE, Epoch.wrap(1), Epoch.wrap(6));
    }

    function test_refund__when_the_term_is_over__reverts() external {
        charge(5);
        warpTo(7);
        vm.expectRevert(
            abi.encodeWithSelector(IStorageFees.StorageFees_TermOver.selector, Epoch.wrap(6), Epoch.wrap(7))
        );
        fees.refund(1, address(this), SIZE, Epoch.wrap(1), Epoch.wrap(6));
    }

    function test_refund__given_any_epoch__gives_back_those_after_it(uint32 epoch) external {
        charge(5);
        epoch = uint32(bound(epoch, 1, 5));
        warpTo(epoch);
        address payee = makeAddr("payee");
        uint128 left = RATE * (5 - epoch);
        vm.expectEmit(address(fees));
        emit IStorageFees.TermRefunded(1, payee, Amount.wrap(left));
        assertEq(Amount.unwrap(fees.refund(1, payee, SIZE, Epoch.wrap(1), Epoch.wrap(6))), left);
        assertEq(Amount.unwrap(vault.claimOf(payee)), left);
        assertEq(reserve(), epoch * RATE + FEE);
        for (uint32 later = epoch + 1; later < 8; ++later) {
            assertEq(income(later), 0);
        }
        assertEq(income(epoch), RATE + (epoch == 1 ? FEE : 0));
    }

    // setPrices, pricesAt, rateOfObject

    function test_setPrices__when_the_caller_does_not_count_votes__reverts(address caller) external {
        vm.assume(caller != votes);
        expectNotAllowed(votes, caller);
        fees.setPrices(Epoch.wrap(2), PRICE, WRITE_FEE);
    }

    function test_setPrices__when_not_for_the_next_epoch__reverts(uint32 from) external {
        warpTo(5);
        vm.assume(from != 6);
        vm.expectRevert(
            abi.encodeWithSelector(IStorageFees.StorageFees_WrongPriceEpoch.selector, Epoch.wrap(6), Epoch.wrap(from))
        );
        vm.prank(votes);
        fees.setPrices(Epoch.wrap(from), PRICE, WRITE_FEE);
    }

    function test_setPrices__when_above_the_bound__reverts() external {
        assertEq(Amount.unwrap(fees.maximumPrice()), 1000e18);
        vm.startPrank(votes);
        expectOutOfBounds("unitPrice", 0, 1000e18, 1000e18 + 1);
        fees.setPrices(Epoch.wrap(2), Amount.wrap(1000e18 + 1), WRITE_FEE);
        expectOutOfBounds("writeFee", 0, 1000e18, type(uint128).max);
        fees.setPrices(Epoch.wrap(2), PRICE, Amount.wrap(type(uint128).max));
        fees.setPrices(Epoch.wrap(2), Amount.wrap(1000e18), Amount.wrap(1000e18));
    }

    function test_setPrices__when_all_is_in_order__holds_from_the_next_epoch_on_and_tells() external {
        warpTo(4);
        vm.expectEmit(address(fees));
        emit IStorageFees.PricesSet(Epoch.wrap(5), Amount.wrap(1500), Amount.wrap(80));
        setPrices(1500, 80);
        vm.warp(vm.getBlockTimestamp() + 1 days - 1);
        assertPrices(1000, 77);
        charge(1, SIZE, 2);
        skip(1);
        assertPrices(1500, 80);
        charge(2, SIZE, 2);
        assertEq(income(4), RATE + 77);
        assertEq(income(5), RATE + 63 * 1500 + 80);
        assertEq(income(6), 63 * 1500);
        warpTo(5000);
        assertPrices(1500, 80);
    }

    function test_setPrices__when_set_again_for_the_same_epoch__the_last_ones_hold() external {
        warpTo(3);
        setPrices(1500, 80);
        setPrices(700, 70);
        assertPrices(1000, 77);
        assertPricesAt(4, 700, 70);
        // Back to the present ones.
        setPrices(1000, 77);
        assertPricesAt(4, 1000, 77);
        warpTo(4);
        assertPrices(1000, 77);
        setPrices(5, 6);
        warpTo(5);
        assertPrices(5, 6);
        assertPricesAt(3, 1000, 77);
        assertPricesAt(4, 1000, 77);
    }

    /// @dev Prices of every epoch, and the rates of objects registered in each, as a plain list has them: with gaps, with
    /// sets that change nothing and with sets that are replaced.
    function test_pricesAt__given_any_history__agrees_with_a_list(uint256 seed) external {
        uint32 last = 40;
        uint256[] memory unitPrices = new uint256[](last + 2);
        uint256[] memory writeFees = new uint256[](last + 2);
        (unitPrices[1], writeFees[1]) = (1000, 77);
        for (uint32 epoch = 1; epoch <= last; ++epoch) {
            warpTo(epoch);
            (unitPrices[epoch + 1], writeFees[epoch + 1]) = (unitPrices[epoch], writeFees[epoch]);
            for (uint256 dice = uint256(keccak256(abi.encode(seed, epoch))); dice % 3 == 0; dice /= 5) {
                uint256 what = dice % 4;
                unitPrices[epoch + 1] = what == 0 ? unitPrices[epoch] : uint96(dice >> 8) % 1e6;
                writeFees[epoch + 1] = what < 2 ? writeFees[epoch] : uint96(dice >> 104) % 1e6;
                setPrices(uint128(unitPrices[epoch + 1]), uint128(writeFees[epoch + 1]));
                if (dice == 0) break;
            }
            assertPrices(unitPrices[epoch], writeFees[epoch]);
            for (uint32 earlier = 1; earlier <= epoch + 1; ++earlier) {
                assertPricesAt(earlier, unitPrices[earlier], writeFees[earlier]);
                assertEq(rateOfObject(earlier, earlier), 63 * unitPrices[earlier]);
            }
        }
        warpTo(1000);
        assertPrices(unitPrices[last + 1], writeFees[last + 1]);
        for (uint32 epoch = 1; epoch <= last + 1; ++epoch) {
            assertPricesAt(epoch, unitPrices[epoch], writeFees[epoch]);
        }
    }

    function test_refund__when_prices_changed__gives_back_what_was_paid() external {
        charge(1, SIZE, 5);
        setPrices(2000, 77);
        warpTo(2);
        charge(2, SIZE, 5);
        setPrices(100, 77);
        warpTo(3);
        // Two epochs at the price of epoch 1, three at that of epoch 2.
        assertEq(Amount.unwrap(fees.refund(1, stakes, SIZE, Epoch.wrap(1), Epoch.wrap(6))), 2 * RATE);
        assertEq(Amount.unwrap(fees.refund(2, stakes, SIZE, Epoch.wrap(2), Epoch.wrap(7))), 3 * 2 * RATE);
        uint256 total = 0;
        for (uint32 epoch = 1; epoch < 60; ++epoch) {
            total += income(epoch);
        }
        assertEq(total, reserve());
        assertEq(income(4), 0);
    }

    function test_refund__when_an_extension_mixed_prices__gives_back_at_the_mixed_rate() external {
        charge(1, SIZE, 3);
        setPrices(7, 0);
        warpTo(2);
        uint128 mixed = extend(4, 5);
        assertEq(mixed, (uint128(63_000) + 63 * 7 * 5 + 5) / 6);
        assertEq(Amount.unwrap(fees.refund(1, stakes, SIZE, Epoch.wrap(1), Epoch.wrap(9))), mixed * 6);
        assertEq(reserve(), 2 * RATE + FEE);
    }

    // earn

    function test_earn__when_the_caller_is_not_the_pools__reverts(address caller) external {
        vm.assume(caller != pools);
        expectNotAllowed(pools, caller);
        fees.earn(Amount.wrap(0));
    }

    function test_earn__when_all_is_in_order__is_income_of_the_present_epoch_only() external {
        charge(5);
        warpTo(3);
        vm.startPrank(pools);
        vault.collect(address(this), Amount.wrap(40_000));
        vault.move(address(fees), Amount.wrap(40_000));
        vm.expectEmit(address(fees));
        emit IStorageFees.IncomeEarned(Epoch.wrap(3), Amount.wrap(40_000));
        fees.earn(Amount.wrap(40_000));
        vm.stopPrank();
        assertEq(income(2), RATE);
        assertEq(income(3), RATE + 40_000);
        assertEq(income(4), RATE);
        assertEq(reserve(), 5 * RATE + FEE + 40_000);
        // Settled or not.
        warpTo(5);
        fees.settle(10);
        assertEq(income(3), RATE + 40_000);
        assertEq(income(4), RATE);
    }

    // payOut, burn

    function test_payOut__when_the_caller_does_not_divide_incomes__reverts(address caller) external {
        vm.assume(caller != rewards);
        expectNotAllowed(rewards, caller);
        fees.payOut(stakes, Amount.wrap(0));
        expectNotAllowed(rewards, caller);
        fees.burn(Amount.wrap(0));
    }

    function test_payOut__when_the_receiver_is_no_module__reverts(address to) external {
        vm.assume(to != stakes && to != pools && to != address(fees));
        charge(5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_ReceiverNotModule.selector, to));
        vm.prank(rewards);
        fees.payOut(to, Amount.wrap(1));
    }

    function test_payOut__when_more_than_the_reserve__reverts() external {
        charge(5);
        uint128 held = uint128(reserve());
        bytes memory tooSmall = abi.encodeWithSelector(
            ITokenVault.TokenVault_ReserveTooSmall.selector, fees, Amount.wrap(held + 1), Amount.wrap(held)
        );
        vm.startPrank(rewards);
        vm.expectRevert(tooSmall);
        fees.payOut(stakes, Amount.wrap(held + 1));
        vm.expectRevert(tooSmall);
        fees.burn(Amount.wrap(held + 1));
    }

    function test_payOut__when_all_is_in_order__moves_and_burns_no_more_than_it_says() external {
        charge(5);
        warpTo(2);
        uint256 supply = token.totalSupply();
        vm.startPrank(rewards);
        fees.payOut(stakes, Amount.wrap(40_000));
        fees.burn(Amount.wrap(RATE + 77 - 40_000));
        vm.stopPrank();
        assertEq(Amount.unwrap(vault.reserveOf(stakes)), 40_000);
        assertEq(token.totalSupply(), supply - (RATE + 77 - 40_000));
        assertEq(reserve(), 4 * RATE);
        assertEq(income(1), RATE + FEE);
        // What is left is the income of the other epochs: all of it can be given back but that of the present one.
        assertEq(Amount.unwrap(fees.refund(1, stakes, SIZE, Epoch.wrap(1), Epoch.wrap(6))), 3 * RATE);
        assertEq(reserve(), RATE);
    }

    // settle

    function test_settle__given_no_epoch_is_over__does_nothing() external {
        charge(5);
        assertEq(Epoch.unwrap(fees.settle(10)), 0);
        assertEq(Epoch.unwrap(fees.settledEpoch()), 0);
    }

    function test_settle__given_any_steps__changes_no_income(uint32 now_, uint32 first, uint32 second) external {
        payAtRandom(uint256(now_));
        now_ = uint32(bound(now_, 30, 60));
        first = uint32(bound(first, 0, 70));
        second = uint32(bound(second, 0, 70));
        warpTo(now_);
        bytes memory expected = incomes(now_ + 50);
        uint256 reached = first < now_ - 1 ? first : now_ - 1;
        assertEq(Epoch.unwrap(fees.settle(first)), reached);
        assertEq(incomes(now_ + 50), expected);
        reached = reached + second < now_ - 1 ? reached + second : now_ - 1;
        assertEq(Epoch.unwrap(fees.settle(second)), reached);
        assertEq(Epoch.unwrap(fees.settledEpoch()), reached);
        assertEq(incomes(now_ + 50), expected);
    }

    function test_settle__when_called_between_payments__changes_nothing(uint256 seed) external {
        uint256 snapshot = vm.snapshotState();
        payAtRandom(seed);
        bytes memory expected = abi.encode(incomes(100), reserve());
        assertTrue(vm.revertToState(snapshot));

        for (uint256 i = 0; i < 10; ++i) {
            payOnce(seed, i);
            fees.settle(uint32(seed >> i) % 4);
        }
        assertEq(abi.encode(incomes(100), reserve()), expected);
    }

    // incomeOf

    function test_incomeOf__given_silence_longer_than_any_term__stands() external {
        charge(5);
        warpTo(500);
        assertEq(income(1), RATE + FEE);
        assertEq(income(5), RATE);
        assertEq(income(6), 0);
        charge(2);
        assertEq(income(1), RATE + FEE);
        assertEq(income(499), 0);
        assertEq(income(500), RATE + FEE);
        assertEq(income(501), RATE);
        assertEq(income(502), 0);
        assertEq(reserve(), 7 * RATE + 2 * FEE);
    }

    function test_charge__given_a_long_silence__costs_no_more() external {
        charge(5);
        charge(6);
        uint256 before = gasleft();
        charge(5);
        uint256 usual = before - gasleft();

        warpTo(100_000);
        charge(5);
        before = gasleft();
        charge(5);
        assertLe(before - gasleft(), usual);
    }

    function test_incomeOf__given_an_epoch_beyond_every_term__is_zero(uint32 epoch) external {
        charge(1, SIZE, 50);
        assertEq(income(50), RATE);
        assertEq(income(uint32(bound(epoch, 51, type(uint32).max))), 0);
        assertEq(income(0), 0);
    }

    // shared vectors

    function test_I11_fees__given_shared_vectors__agree_with_python() external {
        string memory json = vm.readFile("tests/vectors/fees.json");
        uint256 networks = 0;
        for (; vm.keyExistsJson(json, string.concat(".networks[", vm.toString(networks), "]")); ++networks) {
            string memory network = string.concat(".networks[", vm.toString(networks), "]");
            deployFees(
                Prices({
                    shards: uint16(vm.parseJsonUint(json, string.concat(network, ".shards"))),
                    unitBytes: uint32(vm.parseJsonUint(json, string.concat(network, ".unitBytes"))),
                    unitPrice: uint128(vm.parseJsonUint(json, string.concat(network, ".unitPrice"))),
                    writeFee: uint128(vm.parseJsonUint(json, string.concat(network, ".writeFee"))),
                    maximumEpochs: uint32(vm.parseJsonUint(json, string.concat(network, ".maximumEpochs")))
                })
            );
            checkQuotes(json, string.concat(network, ".quotes["));
            checkHistories(json, string.concat(network, ".histories["));
            checkExtensions(json, string.concat(network, ".extensions["));
        }
        assertEq(networks, 5);
    }

    function checkQuotes(string memory json, string memory list) private view {
        uint256 i = 0;
        for (; vm.keyExistsJson(json, item(list, i, "")); ++i) {
            uint64 size = uint64(vm.parseJsonUint(json, item(list, i, ".size")));
            (Amount total, Amount rate,) = fees.quote(size, uint32(vm.parseJsonUint(json, item(list, i, ".epochs"))));
            assertEq(fees.unitsOf(size), vm.parseJsonUint(json, item(list, i, ".units")));
            assertEq(Amount.unwrap(rate), vm.parseJsonUint(json, item(list, i, ".rate")));
            assertEq(Amount.unwrap(total), vm.parseJsonUint(json, item(list, i, ".total")));
        }
        assertEq(i, 20);
    }

    function checkExtensions(string memory json, string memory list) private {
        for (uint256 i = 0; vm.keyExistsJson(json, item(list, i, "")); ++i) {
            warpTo(uint32(vm.parseJsonUint(json, item(list, i, ".current"))));
            (Amount total, Amount newRate) = fees.quoteExtension(
                uint64(vm.parseJsonUint(json, item(list, i, ".size"))),
                Amount.wrap(uint128(vm.parseJsonUint(json, item(list, i, ".rate")))),
                Epoch.wrap(uint32(vm.parseJsonUint(json, item(list, i, ".end")))),
                uint32(vm.parseJsonUint(json, item(list, i, ".epochs")))
            );
            assertEq(Amount.unwrap(newRate), vm.parseJsonUint(json, item(list, i, ".newRate")));
            assertEq(Amount.unwrap(total), vm.parseJsonUint(json, item(list, i, ".total")));
        }
    }

    function checkHistories(string memory json, string memory list) private {
        for (uint256 i = 0; vm.keyExistsJson(json, item(list, i, "")); ++i) {
            string memory steps = item(list, i, ".steps[");
            for (uint256 step = 0; vm.keyExistsJson(json, item(steps, step, "")); ++step) {
                replay(json, string.concat(steps, vm.toString(step), "]"));
            }
            uint256[] memory expected = vm.parseJsonUintArray(json, item(list, i, ".incomes"));
            uint256 total = 0;
            for (uint32 epoch = 1; epoch <= expected.length; ++epoch) {
                assertEq(income(epoch), expected[epoch - 1]);
                total += expected[epoch - 1];
            }
            assertEq(reserve(), total);
        }
    }

    function replay(string memory json, string memory step) private {
        string memory action = vm.parseJsonString(json, string.concat(step, ".action"));
        uint256 blobObject = vm.parseJsonUint(json, string.concat(step, ".blobObject"));
        uint64 size = uint64(vm.parseJsonUint(json, string.concat(step, ".size")));
        uint32 epochs = uint32(vm.parseJsonUint(json, string.concat(step, ".epochs")));
        uint256 rate = vm.parseJsonUint(json, string.concat(step, ".rate"));
        Epoch end = Epoch.wrap(uint32(vm.parseJsonUint(json, string.concat(step, ".end"))));
        uint256 total = vm.parseJsonUint(json, string.concat(step, ".total"));
        warpTo(uint32(vm.parseJsonUint(json, string.concat(step, ".current"))));

        // These histories have one price, so an object's rate is that of any epoch.
        if (rate != 0) assertEq(Amount.unwrap(fees.rateOfObject(blobObject, size, Epoch.wrap(1))), rate);
        uint256 before = reserve();
        if (keccak256(bytes(action)) == keccak256("charge")) {
            charge(blobObject, size, epochs);
            assertEq(reserve() - before, total);
        } else if (keccak256(bytes(action)) == keccak256("extension")) {
            fees.chargeExtension(blobObject, address(this), size, Epoch.wrap(1), end, epochs);
            assertEq(reserve() - before, total);
        } else {
            fees.refund(blobObject, address(this), size, Epoch.wrap(1), end);
            assertEq(before - reserve(), total);
        }
    }

    // helpers

    function charge(uint32 epochs) private {
        charge(1, SIZE, epochs);
    }

    /// @dev The object was registered in epoch 1.
    function extend(uint32 end, uint32 epochs) private returns (uint128) {
        return Amount.unwrap(fees.chargeExtension(1, address(this), SIZE, Epoch.wrap(1), Epoch.wrap(end), epochs));
    }

    function rateOfObject(uint256 blobObject, uint32 start) private view returns (uint256) {
        return Amount.unwrap(fees.rateOfObject(blobObject, SIZE, Epoch.wrap(start)));
    }

    /// @dev Ten terms, between which up to two epochs pass.
    function payAtRandom(uint256 seed) private {
        for (uint256 i = 0; i < 10; ++i) {
            payOnce(seed, i);
        }
    }

    function payOnce(uint256 seed, uint256 i) private {
        uint256 dice = uint256(keccak256(abi.encode(seed, i)));
        skip(dice % 3 * 1 days);
        charge(i, uint64(dice >> 8) % 2 ** 30, uint32(1 + (dice >> 72) % 50));
    }

    function incomes(uint32 last) private view returns (bytes memory) {
        uint256[] memory all = new uint256[](last);
        for (uint32 epoch = 1; epoch <= last; ++epoch) {
            all[epoch - 1] = income(epoch);
        }
        return abi.encode(all);
    }

    function item(string memory list, uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(list, vm.toString(i), "]", field);
    }

    function assertPrices(uint256 unitPrice, uint256 writeFee) private view {
        assertEq(Amount.unwrap(fees.unitPrice()), unitPrice);
        assertEq(Amount.unwrap(fees.writeFee()), writeFee);
        (Amount total, Amount rate, Amount fee) = fees.quote(SIZE, 2);
        assertEq(Amount.unwrap(rate), 63 * unitPrice);
        assertEq(Amount.unwrap(fees.rateOf(SIZE)), 63 * unitPrice);
        assertEq(Amount.unwrap(fee), writeFee);
        assertEq(Amount.unwrap(total), 126 * unitPrice + writeFee);
    }

    function assertPricesAt(uint32 epoch, uint256 unitPrice, uint256 writeFee) private view {
        (Amount unitPrice_, Amount writeFee_) = fees.pricesAt(Epoch.wrap(epoch));
        assertEq(Amount.unwrap(unitPrice_), unitPrice);
        assertEq(Amount.unwrap(writeFee_), writeFee);
    }

    function expectNotAllowed(address expected, address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IStorageFees.StorageFees_CallerNotAllowed.selector, expected, caller));
        vm.prank(caller);
    }

    function expectWrongTerm(uint32 epochs, uint32 maximum) private {
        vm.expectRevert(abi.encodeWithSelector(IStorageFees.StorageFees_WrongTerm.selector, epochs, maximum));
    }

    function expectNotRegistry(address caller) private {
        vm.expectRevert(
            abi.encodeWithSelector(IStorageFees.StorageFees_CallerNotRegistry.selector, address(this), caller)
        );
        vm.prank(caller);
    }

    function expectOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IStorageFees.StorageFees_ParameterOutOfBounds.selector, parameter, minimum, maximum, actual
            )
        );
    }
}
