// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {FeesFixture} from "../contracts/support/FeesFixture.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @dev In the place of the registry: objects of any size, extended and deleted, at prices that change, with time passing in
/// steps from a second to many terms; what past epochs earned is paid out and burned. Beside the contract it keeps a plain
/// ledger: an amount for each epoch, and the prices of each.
contract FeesHandler is FeesFixture {
    struct Object {
        uint64 size;
        uint32 start;
        uint32 end;
        uint128 rate;
    }

    uint32 public constant MAXIMUM_EPOCHS = 6;

    Object[] public objects;
    mapping(uint32 epoch => uint256) public earned;
    uint256 public earnedInAll;
    mapping(uint32 epoch => uint256) private _unitPrices;
    mapping(uint32 epoch => uint256) private _writeFees;
    uint32 private _known;
    uint32 private _spent;
    uint256 public paid;
    uint256 public refunded;
    uint256 public paidOut;
    uint256 public burned;
    uint256 public extensions;
    uint256 public earnedByPools;

    constructor() {
        deployFees(Prices({shards: 4, unitBytes: 1024, unitPrice: 3, writeFee: 2, maximumEpochs: MAXIMUM_EPOCHS}));
        (_unitPrices[1], _writeFees[1]) = (3, 2);
        _known = 1;
    }

    function register(uint64 size, uint32 epochs) external {
        learn();
        size = uint64(bound(size, 0, 1e6));
        epochs = uint32(bound(epochs, 1, MAXIMUM_EPOCHS));
        uint256 before = token.balanceOf(address(this));
        uint32 start = now_();
        uint128 rate = charge(objects.length, size, epochs);
        assertEq(rate, _unitPrices[start] * fees.unitsOf(size));
        uint256 price = rate * epochs + _writeFees[start];
        assertEq(before - token.balanceOf(address(this)), price);
        earned[start] += _writeFees[start];
        earnedInAll += _writeFees[start];
        earn(rate, start, start + epochs);
        paid += price;
        objects.push(Object(size, start, start + epochs, rate));
    }

    function extend(uint256 which, uint32 epochs) external {
        if (objects.length == 0) return;
        which = which % objects.length;
        Object storage object = objects[which];
        uint32 current = now_();
        if (object.end <= current || object.end - current >= MAXIMUM_EPOCHS) return;
        epochs = uint32(bound(epochs, 1, MAXIMUM_EPOCHS - (object.end - current)));
        (uint128 oldRate, uint32 oldEnd) = (object.rate, object.end);

        uint256 before = token.balanceOf(address(this));
        uint128 newRate = Amount.unwrap(
            fees.chargeExtension(
                which, address(this), object.size, Epoch.wrap(object.start), Epoch.wrap(oldEnd), epochs
            )
        );
        paid += before - token.balanceOf(address(this));
        unearn(oldRate, current + 1, oldEnd);
        earn(newRate, current + 1, oldEnd + epochs);
        (object.rate, object.end) = (newRate, oldEnd + epochs);
        extensions++;
    }

    function refund(uint256 which) external {
        if (objects.length == 0) return;
        which = which % objects.length;
        Object storage object = objects[which];
        uint32 current = now_();
        if (object.end <= current) return;

        uint256 amount = Amount.unwrap(
            fees.refund(which, address(1), object.size, Epoch.wrap(object.start), Epoch.wrap(object.end))
        );
        assertEq(amount, object.rate * (object.end - current - 1));
        refunded += amount;
        unearn(object.rate, current + 1, object.end);
        object.end = current;
    }

    function change(uint128 unitPrice, uint128 writeFee) external {
        learn();
        // Often the price of before.
        uint32 next = now_() + 1;
        _unitPrices[next] = unitPrice % 3 == 0 ? _unitPrices[next - 1] : unitPrice % 1000;
        _writeFees[next] = writeFee % 3 == 0 ? _writeFees[next - 1] : writeFee % 1000;
        _known = next;
        setPrices(uint128(_unitPrices[next]), uint128(_writeFees[next]));
    }

    /// @dev In the place of the revenue pools.
    function earnByPools(uint128 amount) external {
        amount = uint128(bound(amount, 0, 1e12));
        vm.startPrank(pools);
        vault.collect(address(this), Amount.wrap(amount));
        vault.move(address(fees), Amount.wrap(amount));
        fees.earn(Amount.wrap(amount));
        vm.stopPrank();
        earned[now_()] += amount;
        earnedInAll += amount;
        paid += amount;
        earnedByPools += amount;
    }

    /// @dev Divides the income of the next epoch that is over into what is paid out, what is burned, and nothing else.
    function spend(uint256 part) external {
        if (_spent + 1 >= now_()) return;
        uint256 all = earned[++_spent];
        part = bound(part, 0, all);
        vm.startPrank(rewards);
        fees.payOut(stakes, Amount.wrap(uint128(part)));
        fees.burn(Amount.wrap(uint128(all - part)));
        vm.stopPrank();
        paidOut += part;
        burned += all - part;
    }

    function settle(uint32 maximum) external {
        fees.settle(uint32(bound(maximum, 0, 5)));
    }

    function wait(uint32 time) external {
        skip(bound(time, 1, 3 days));
    }

    function waitLong(uint32 epochs) external {
        if (now_() < 24) skip(bound(epochs, 1, 3 * MAXIMUM_EPOCHS) * 1 days);
    }

    function now_() public view returns (uint32) {
        return currentEpoch();
    }

    function incomeOf(uint32 epoch) external view returns (uint256) {
        return income(epoch);
    }

    function reserveOfFees() external view returns (uint256) {
        return reserve();
    }

    function reserveOfStakes() external view returns (uint256) {
        return Amount.unwrap(vault.reserveOf(stakes));
    }

    function missing() external view returns (uint256) {
        return SUPPLY - token.totalSupply();
    }

    function claimed() external view returns (uint256) {
        return Amount.unwrap(vault.claimOf(address(1)));
    }

    function settled() external view returns (uint32) {
        return Epoch.unwrap(fees.settledEpoch());
    }

    function objectCount() external view returns (uint256) {
        return objects.length;
    }

    function rateOfObject(uint256 which) external view returns (uint256) {
        Object storage object = objects[which];
        return Amount.unwrap(fees.rateOfObject(which, object.size, Epoch.wrap(object.start)));
    }

    function pricesAt(uint32 epoch) external view returns (uint256 unitPrice, uint256 writeFee) {
        (Amount unitPrice_, Amount writeFee_) = fees.pricesAt(Epoch.wrap(epoch));
        return (Amount.unwrap(unitPrice_), Amount.unwrap(writeFee_));
    }

    /// @notice The prices of an epoch up to the next one, from the plain list.
    function expectedPricesAt(uint32 epoch) external view returns (uint256 unitPrice, uint256 writeFee) {
        if (epoch > _known) epoch = _known;
        return (_unitPrices[epoch], _writeFees[epoch]);
    }

    /// @dev Carries the last prices on to the present epoch.
    function learn() private {
        for (; _known < now_(); ++_known) {
            _unitPrices[_known + 1] = _unitPrices[_known];
            _writeFees[_known + 1] = _writeFees[_known];
        }
    }

    function earn(uint128 rate, uint32 start, uint32 end) private {
        for (uint32 epoch = start; epoch < end; ++epoch) {
            earned[epoch] += rate;
            earnedInAll += rate;
        }
    }

    function unearn(uint128 rate, uint32 start, uint32 end) private {
        for (uint32 epoch = start; epoch < end; ++epoch) {
            earned[epoch] -= rate;
            earnedInAll -= rate;
        }
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract StorageFeesInvariantTest is InvariantTest {
    FeesHandler private handler;

    function setUp() public {
        handler = new FeesHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = FeesHandler.register.selector;
        selectors[1] = FeesHandler.extend.selector;
        selectors[2] = FeesHandler.refund.selector;
        selectors[3] = FeesHandler.change.selector;
        selectors[4] = FeesHandler.spend.selector;
        selectors[5] = FeesHandler.settle.selector;
        selectors[6] = FeesHandler.wait.selector;
        selectors[7] = FeesHandler.waitLong.selector;
        selectors[8] = FeesHandler.earnByPools.selector;
        targetSelector(address(handler), selectors);
    }

    /// @dev What was paid and not given back is the income of some epoch, and lies in the reserve until it is paid out or
    /// burned; so nobody gets more than was paid.
    function invariant_I1_I2_every_wei_is_the_income_of_an_epoch() external view {
        assertEq(handler.earnedInAll(), handler.paid() - handler.refunded());
        assertEq(handler.reserveOfFees(), handler.earnedInAll() - handler.paidOut() - handler.burned());
        assertEq(handler.reserveOfStakes(), handler.paidOut());
        assertEq(handler.missing(), handler.burned());
        assertEq(handler.claimed(), handler.refunded());
        assertLt(handler.settled(), handler.now_());
        uint32 current = handler.now_();
        for (uint32 epoch = current - 1; epoch <= current + 2; ++epoch) {
            assertIncome(epoch);
        }
        assertPrices(current);
        assertPrices(current + 1);
    }

    /// @dev At the end of each run all of it. Time alone never makes a view fail: each income and price is asked for.
    function afterInvariant() external view {
        for (uint32 epoch = 0; epoch <= handler.now_() + handler.MAXIMUM_EPOCHS(); ++epoch) {
            assertIncome(epoch);
            if (epoch != 0 && epoch <= handler.now_() + 1) assertPrices(epoch);
        }
        for (uint256 which = 0; which < handler.objectCount(); ++which) {
            (,,, uint128 rate) = handler.objects(which);
            assertEq(handler.rateOfObject(which), rate);
        }
    }

    /// @dev One walk by dice: every handler does what it is for.
    function test_handler__given_a_long_walk__goes_every_way() external {
        for (uint256 i = 0; i < 300; ++i) {
            uint256 dice = uint256(keccak256(abi.encode("a long walk", i)));
            step(dice % 9, dice >> 16, dice >> 144);
        }
        assertGt(handler.objectCount(), 0, "register");
        assertGt(handler.extensions(), 0, "extend");
        assertGt(handler.refunded(), 0, "refund");
        assertGt(handler.paidOut(), 0, "paid out");
        assertGt(handler.burned(), 0, "burned");
        assertGt(handler.settled(), 0, "settle");
        assertGt(handler.earnedByPools(), 0, "earned by pools");
        assertGt(handler.now_(), 1, "wait");
        (uint256 unitPrice,) = handler.pricesAt(handler.now_());
        assertTrue(unitPrice != 3, "change");
    }

    function step(uint256 way, uint256 a, uint256 b) private {
        // Cut to what each handler takes; they bound it themselves.
        // forge-lint: disable-start(unsafe-typecast)
        if (way == 0) handler.register(uint64(a), uint32(b));
        if (way == 1) handler.extend(a, uint32(b));
        if (way == 2) handler.refund(a);
        if (way == 3) handler.change(uint128(a), uint128(b));
        if (way == 4) handler.spend(a);
        if (way == 5) handler.settle(uint32(a));
        if (way == 6) handler.wait(uint32(a));
        if (way == 7) handler.waitLong(uint32(a));
        if (way == 8) handler.earnByPools(uint128(a));
        // forge-lint: disable-end(unsafe-typecast)
    }

    function assertIncome(uint32 epoch) private view {
        assertEq(handler.incomeOf(epoch), handler.earned(epoch));
    }

    function assertPrices(uint32 epoch) private view {
        (uint256 unitPrice, uint256 writeFee) = handler.pricesAt(epoch);
        (uint256 expectedUnitPrice, uint256 expectedWriteFee) = handler.expectedPricesAt(epoch);
        assertEq(unitPrice, expectedUnitPrice);
        assertEq(writeFee, expectedWriteFee);
    }
}
