// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StorageFees} from "../../contracts/blobs/StorageFees.sol";
import {IStorageFees} from "../../contracts/interfaces/IStorageFees.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {FeesFixture} from "./support/FeesFixture.sol";
import {vm} from "./support/Vm.sol";

contract StorageFeesTest is FeesFixture {
    /// @dev One mebibyte is 63 units of 64 KiB at n = 10.
    uint64 private constant SIZE = 2 ** 20;
    uint128 private constant RATE = 63_000;
    uint256 private constant FEE = 77;

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
        new StorageFees(vault, committee, address(0), 1024, Amount.wrap(1), Amount.wrap(1), 1);
    }

    // charge, chargeBatch

    function test_charge__when_the_caller_is_not_the_registry__reverts(address caller) external {
        vm.assume(caller != address(this));
        expectNotRegistry(caller);
        fees.charge(1, caller, SIZE, 5);
        expectNotRegistry(caller);
        fees.chargeBatch(caller, new IStorageFees.Term[](0));
    }

    function test_charge__when_the_term_cannot_be_paid__reverts(uint32 epochs) external {
        epochs = epochs % 2 == 0 ? 0 : uint32(bound(epochs, 51, type(uint32).max));
        expectWrongTerm(epochs, 50);
        fees.charge(1, address(this), SIZE, epochs);
        expectWrongTerm(epochs, 50);
        fees.quote(SIZE, epochs);
    }

    function test_charge__when_all_is_in_order__takes_the_quote_and_tells() external {
        warpTo(3);
        vm.expectEmit(address(fees));
        emit IStorageFees.TermPaid(
            9, address(this), Amount.wrap(RATE), Epoch.wrap(3), Epoch.wrap(8), Amount.wrap(5 * RATE + 77)
        );
        assertEq(Amount.unwrap(fees.charge(9, address(this), SIZE, 5)), RATE);
        assertEq(token.balanceOf(address(vault)), 5 * RATE + FEE);
        assertEq(reserve(), 5 * RATE + FEE);
    }

    function test_charge__given_any_term__pays_each_of_its_epochs(uint32 start, uint32 epochs, uint64 size) external {
        start = uint32(bound(start, 1, 1000));
        epochs = uint32(bound(epochs, 1, 50));
        size = uint64(bound(size, 0, 2 ** 40 - 1));
        warpTo(start);
        uint128 rate = Amount.unwrap(fees.charge(1, address(this), size, epochs));
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
            fees.charge(terms[i].blobObject, address(this), terms[i].size, terms[i].epochs);
        }
        bytes memory expected = abi.encode(incomes(10), reserve(), token.balanceOf(address(this)));
        assertTrue(vm.revertToState(snapshot));

        vm.expectCall(address(vault), abi.encodeWithSelector(vault.collect.selector), 1);
        Amount[] memory rates = fees.chargeBatch(address(this), terms);
        assertEq(abi.encode(incomes(10), reserve(), token.balanceOf(address(this))), expected);
        for (uint256 i = 0; i < terms.length; ++i) {
            assertEq(Amount.unwrap(rates[i]), Amount.unwrap(fees.rateOf(terms[i].size)));
        }
    }

    // chargeExtension

    function test_chargeExtension__when_the_caller_is_not_the_registry__reverts(address caller) external {
        vm.assume(caller != address(this));
        expectNotRegistry(caller);
        fees.chargeExtension(1, caller, SIZE, Amount.wrap(RATE), Epoch.wrap(6), 1);
    }

    function test_chargeExtension__when_the_term_is_over__reverts() external {
        charge(5);
        warpTo(6);
        vm.expectRevert(
            abi.encodeWithSelector(IStorageFees.StorageFees_TermOver.selector, Epoch.wrap(6), Epoch.wrap(6))
        );
        extend(RATE, 6, 1);
    }

    function test_chargeExtension__when_the_term_cannot_be_paid__reverts() external {
        charge(5);
        expectWrongTerm(0, 45);
        extend(RATE, 6, 0);
        expectWrongTerm(46, 45);
        extend(RATE, 6, 46);
        expectWrongTerm(type(uint32).max, 45);
        extend(RATE, 6, type(uint32).max);
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
        assertEq(extend(RATE, 6, 4), RATE);
        assertEq(reserve(), 9 * RATE + FEE);
        for (uint32 epoch = 2; epoch < 10; ++epoch) {
            assertEq(income(epoch), RATE);
        }
        assertEq(income(10), 0);
    }

    function test_chargeExtension__given_any_old_rate__pays_both_and_rounds_against_the_payer(
        uint128 oldUnits,
        uint32 epochs,
        uint32 elapsed,
        uint32 more
    ) external {
        // Terms of another size stand for terms that were paid at another price.
        uint64 oldSize = uint64(bound(oldUnits, 0, 2 ** 30));
        epochs = uint32(bound(epochs, 1, 49));
        elapsed = uint32(bound(elapsed, 0, epochs - 1));
        more = uint32(bound(more, 1, 50 - epochs + elapsed));
        uint128 oldRate = Amount.unwrap(fees.charge(1, address(this), oldSize, epochs));
        warpTo(1 + elapsed);

        Epoch end = Epoch.wrap(1 + epochs);
        uint256 before = reserve();
        (Amount total,) = fees.quoteExtension(SIZE, Amount.wrap(oldRate), end, more);
        uint128 newRate = extend(oldRate, 1 + epochs, more);
        assertEq(reserve() - before, Amount.unwrap(total));
        assertGe(Amount.unwrap(total), RATE * more);
        assertLt(Amount.unwrap(total), RATE * more + (epochs - elapsed - 1) + more);
        for (uint32 epoch = 2; epoch <= 1 + elapsed; ++epoch) {
            assertEq(income(epoch), oldRate);
        }
        for (uint32 epoch = 2 + elapsed; epoch < 1 + epochs + more; ++epoch) {
            assertEq(income(epoch), newRate);
        }
        assertEq(income(1 + epochs + more), 0);
    }

    // refund

    function test_refund__when_the_caller_is_not_the_registry__reverts(address caller) external {
        vm.assume(caller != address(this));
        expectNotRegistry(caller);
        fees.refund(1, caller, Amount.wrap(RATE), Epoch.wrap(6));
    }

    function test_refund__when_the_term_is_over__reverts() external {
        charge(5);
        warpTo(7);
        vm.expectRevert(
            abi.encodeWithSelector(IStorageFees.StorageFees_TermOver.selector, Epoch.wrap(6), Epoch.wrap(7))
        );
        fees.refund(1, address(this), Amount.wrap(RATE), Epoch.wrap(6));
    }

    function test_refund__given_any_epoch__gives_back_those_after_it(uint32 epoch) external {
        charge(5);
        epoch = uint32(bound(epoch, 1, 5));
        warpTo(epoch);
        address payee = makeAddr("payee");
        uint128 left = RATE * (5 - epoch);
        vm.expectEmit(address(fees));
        emit IStorageFees.TermRefunded(1, payee, Amount.wrap(left));
        assertEq(Amount.unwrap(fees.refund(1, payee, Amount.wrap(RATE), Epoch.wrap(6))), left);
        assertEq(Amount.unwrap(vault.claimOf(payee)), left);
        assertEq(reserve(), epoch * RATE + FEE);
        for (uint32 later = epoch + 1; later < 8; ++later) {
            assertEq(income(later), 0);
        }
        assertEq(income(epoch), RATE + (epoch == 1 ? FEE : 0));
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
        fees.charge(1, address(this), SIZE, 50);
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
        Amount rate = Amount.wrap(uint128(vm.parseJsonUint(json, string.concat(step, ".rate"))));
        Epoch end = Epoch.wrap(uint32(vm.parseJsonUint(json, string.concat(step, ".end"))));
        uint256 total = vm.parseJsonUint(json, string.concat(step, ".total"));
        warpTo(uint32(vm.parseJsonUint(json, string.concat(step, ".current"))));

        uint256 before = reserve();
        if (keccak256(bytes(action)) == keccak256("charge")) {
            fees.charge(blobObject, address(this), size, epochs);
            assertEq(reserve() - before, total);
        } else if (keccak256(bytes(action)) == keccak256("extension")) {
            fees.chargeExtension(blobObject, address(this), size, rate, end, epochs);
            assertEq(reserve() - before, total);
        } else {
            fees.refund(blobObject, address(this), rate, end);
            assertEq(before - reserve(), total);
        }
    }

    // helpers

    function charge(uint32 epochs) private {
        fees.charge(1, address(this), SIZE, epochs);
    }

    function extend(uint128 rate, uint32 end, uint32 epochs) private returns (uint128) {
        return Amount.unwrap(fees.chargeExtension(1, address(this), SIZE, Amount.wrap(rate), Epoch.wrap(end), epochs));
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
        fees.charge(i, address(this), uint64(dice >> 8) % 2 ** 30, uint32(1 + (dice >> 72) % 50));
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
