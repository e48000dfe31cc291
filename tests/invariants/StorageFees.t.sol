// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {FeesFixture} from "../contracts/support/FeesFixture.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";

/// @dev In the place of the registry: objects of any size, extended at rates that another price gave them, deleted, with
/// time passing in steps from a second to many terms. Beside the contract it keeps a plain ledger: an amount for each epoch.
contract FeesHandler is FeesFixture {
    struct Object {
        uint128 rate;
        uint32 end;
    }

    uint32 public constant MAXIMUM_EPOCHS = 6;

    Object[] private objects;
    mapping(uint32 epoch => uint256) public earned;
    uint256 public paid;
    uint256 public refunded;

    constructor() {
        deployFees(Prices({shards: 4, unitBytes: 1024, unitPrice: 3, writeFee: 2, maximumEpochs: MAXIMUM_EPOCHS}));
    }

    function charge(uint64 size, uint32 epochs) external {
        size = uint64(bound(size, 0, 1e6));
        epochs = uint32(bound(epochs, 1, MAXIMUM_EPOCHS));
        uint128 rate = Amount.unwrap(fees.charge(objects.length, address(this), size, epochs));
        uint32 start = now_();
        earned[start] += 2;
        earn(rate, start, start + epochs);
        paid += rate * epochs + 2;
        objects.push(Object(rate, start + epochs));
    }

    /// @dev The new size stands for a new price: the rate is spread anew, with something to round.
    function extend(uint256 which, uint64 size, uint32 epochs) external {
        if (objects.length == 0) return;
        Object storage object = objects[which % objects.length];
        uint32 current = now_();
        if (object.end <= current || object.end - current >= MAXIMUM_EPOCHS) return;
        epochs = uint32(bound(epochs, 1, MAXIMUM_EPOCHS - (object.end - current)));
        (uint128 oldRate, uint32 oldEnd) = (object.rate, object.end);

        uint256 before = token.balanceOf(address(this));
        uint128 newRate = Amount.unwrap(
            fees.chargeExtension(
                which, address(this), uint64(bound(size, 0, 1e6)), Amount.wrap(oldRate), Epoch.wrap(oldEnd), epochs
            )
        );
        paid += before - token.balanceOf(address(this));
        unearn(oldRate, current + 1, oldEnd);
        earn(newRate, current + 1, oldEnd + epochs);
        (object.rate, object.end) = (newRate, oldEnd + epochs);
    }

    function refund(uint256 which) external {
        if (objects.length == 0) return;
        Object storage object = objects[which % objects.length];
        uint32 current = now_();
        if (object.end <= current) return;

        refunded += Amount.unwrap(fees.refund(which, address(1), Amount.wrap(object.rate), Epoch.wrap(object.end)));
        unearn(object.rate, current + 1, object.end);
        object.end = current;
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
        return Epoch.unwrap(committee.currentEpoch());
    }

    function incomeOf(uint32 epoch) external view returns (uint256) {
        return income(epoch);
    }

    function reserveOfFees() external view returns (uint256) {
        return reserve();
    }

    function claimed() external view returns (uint256) {
        return Amount.unwrap(vault.claimOf(address(1)));
    }

    function settled() external view returns (uint32) {
        return Epoch.unwrap(fees.settledEpoch());
    }

    function earn(uint128 rate, uint32 start, uint32 end) private {
        for (uint32 epoch = start; epoch < end; ++epoch) {
            earned[epoch] += rate;
        }
    }

    function unearn(uint128 rate, uint32 start, uint32 end) private {
        for (uint32 epoch = start; epoch < end; ++epoch) {
            earned[epoch] -= rate;
        }
    }
}

contract StorageFeesInvariantTest is InvariantTest {
    FeesHandler private handler;

    function setUp() public {
        handler = new FeesHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = FeesHandler.charge.selector;
        selectors[1] = FeesHandler.extend.selector;
        selectors[2] = FeesHandler.refund.selector;
        selectors[3] = FeesHandler.settle.selector;
        selectors[4] = FeesHandler.wait.selector;
        selectors[5] = FeesHandler.waitLong.selector;
        targetSelector(address(handler), selectors);
    }

    /// forge-config: default.invariant.runs = 24
    /// @dev Time alone never makes a view fail: each income is asked for.
    function invariant_income_of_each_epoch_is_what_the_plain_ledger_says() external view {
        uint32 last = handler.now_() + handler.MAXIMUM_EPOCHS();
        for (uint32 epoch = 0; epoch <= last; ++epoch) {
            assertEq(handler.incomeOf(epoch), handler.earned(epoch));
        }
    }

    /// forge-config: default.invariant.runs = 24
    function invariant_I1_reserve_equals_the_income_of_all_epochs() external view {
        uint32 last = handler.now_() + handler.MAXIMUM_EPOCHS();
        uint256 total = 0;
        for (uint32 epoch = 1; epoch < last; ++epoch) {
            total += handler.incomeOf(epoch);
        }
        assertEq(handler.reserveOfFees(), total);
        assertEq(handler.reserveOfFees(), handler.paid() - handler.refunded());
    }

    /// forge-config: default.invariant.runs = 24
    function invariant_I2_nobody_is_refunded_more_than_was_paid() external view {
        assertEq(handler.claimed(), handler.refunded());
        assertLe(handler.refunded(), handler.paid());
    }

    /// forge-config: default.invariant.runs = 24
    function invariant_only_past_epochs_are_settled() external view {
        assertLt(handler.settled(), handler.now_());
    }
}
