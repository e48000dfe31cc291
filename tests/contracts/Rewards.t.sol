// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustodyChallenges} from "../../contracts/interfaces/ICustodyChallenges.sol";
import {IRewards} from "../../contracts/interfaces/IRewards.sol";
import {Rewards} from "../../contracts/staking/Rewards.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {StakingFixture} from "./support/StakingFixture.sol";
import {vm} from "./support/Vm.sol";

/// @dev Proofs of bytes are a matter of CustodyChallenges.t.sol; where only some nodes are to pass, its answers are given
/// here.
contract RewardsTest is StakingFixture {
    // constructor

    function test_constructor__when_more_than_half_is_burned__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRewards.Rewards_BurnOutOfBounds.selector, 5000, 5001));
        new Rewards(staking, fees, committee, custody, 5001);
    }

    function test_constructor__fixes_the_burned_share() external {
        assertEq(rewards.burnBps(), 1000);
        assertEq(Epoch.unwrap(rewards.burnedThrough()), 0);
        assertEq(new Rewards(staking, fees, committee, custody, 5000).burnBps(), 5000);
    }

    // pay

    function test_pay__when_caller_is_not_staking__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IRewards.Rewards_CallerNotStaking.selector, address(staking), address(this))
        );
        rewards.pay(node, Epoch.wrap(1));
    }

    function test_pay__when_the_epoch_is_not_over__reverts() external {
        formed();
        vm.warp(startOf(3) - 1);
        vm.expectRevert(abi.encodeWithSelector(IRewards.Rewards_EpochNotOver.selector, Epoch.wrap(2), Epoch.wrap(2)));
        vm.prank(address(staking));
        rewards.pay(node, Epoch.wrap(2));
    }

    function test_pay__when_the_node_passed__moves_a_part_for_each_shard() external {
        formed();
        earn(2);
        uint256 income = _reserve();
        vm.prank(address(staking));
        assertEq(Amount.unwrap(rewards.pay(node, Epoch.wrap(2))), 2 * 5 * PART);
        assertEq(_reserve(), income - 2 * 5 * PART);
    }

    function test_pay__when_there_was_no_window__pays_nothing() external {
        formed();
        register(1);
        nextEpoch();
        _assertPaid(2, 0);
    }

    function test_pay__when_the_node_did_not_serve__pays_nothing() external {
        formed();
        NodeId fresh = registerOnly("fresh", alice);
        earn(1);
        vm.prank(address(staking));
        assertEq(Amount.unwrap(rewards.pay(fresh, Epoch.wrap(2))), 0);
        assertEq(Amount.unwrap(rewards.rewardOf(fresh, Epoch.wrap(2))), 0);
    }

    function test_pay__when_nobody_proved__pays_nothing() external {
        formed();
        _certifySomething();
        openWindow();
        nextEpoch();
        assertFalse(custody.windowOf(Epoch.wrap(2)).empty);
        _assertPaid(2, 0);
    }

    function test_pay__when_there_was_no_income__pays_nothing() external {
        formed();
        earn(0);
        _assertPaid(2, 0);
    }

    function test_pay__of_a_late_epoch__is_the_same_and_settles_fees_a_little() external {
        formed();
        earn(3);
        warpTo(90);
        assertLt(Epoch.unwrap(fees.settledEpoch()), 2);
        _assertPaid(2, 3 * REWARD);
        assertGt(Epoch.unwrap(fees.settledEpoch()), 0);
        assertLt(Epoch.unwrap(fees.settledEpoch()), 4);
    }

    // rewardOf, partOf

    function test_rewardOf__when_the_epoch_is_not_over__reverts() external {
        formed();
        vm.expectRevert(abi.encodeWithSelector(IRewards.Rewards_EpochNotOver.selector, Epoch.wrap(2), Epoch.wrap(2)));
        rewards.rewardOf(node, Epoch.wrap(2));
    }

    function test_rewardOf__predicts_what_is_paid() external {
        formed();
        earn(3);
        assertEq(Amount.unwrap(rewards.rewardOf(node, Epoch.wrap(2))), 3 * REWARD);
        assertEq(Amount.unwrap(rewards.partOf(Epoch.wrap(2))), 3 * PART);
        _assertPaid(2, 3 * REWARD);
    }

    // burnUnearned

    function test_burnUnearned__in_the_first_epoch__has_nothing_to_do() external {
        assertEq(Epoch.unwrap(rewards.burnUnearned(100)), 0);
    }

    function test_burnUnearned__when_all_passed__burns_the_burned_share() external {
        formed();
        earn(1);
        rewards.burnUnearned(1);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(rewards));
        emit IRewards.UnearnedBurned(Epoch.wrap(2), Amount.wrap(100e18), Amount.wrap(PART), 10, Amount.wrap(10e18));
        assertEq(Epoch.unwrap(rewards.burnUnearned(1)), 2);
        assertEq(supply - token.totalSupply(), 10e18);
        assertEq(_reserve(), 90e18);
        // Once: the epochs that are over are done.
        assertEq(Epoch.unwrap(rewards.burnUnearned(100)), 2);
        assertEq(_reserve(), 90e18);
    }

    function test_burnUnearned__when_there_was_no_window_or_no_proof__burns_all() external {
        formed();
        register(1);
        nextEpoch();
        _certifySomething();
        openWindow();
        nextEpoch();
        assertEq(Epoch.unwrap(rewards.burnUnearned(100)), 3);
        assertEq(_reserve(), 0);
    }

    function test_burnUnearned__before_the_first_committee__burns_all() external {
        register(2);
        nextEpoch();
        vm.expectEmit(address(rewards));
        emit IRewards.UnearnedBurned(Epoch.wrap(1), Amount.wrap(200e18), Amount.wrap(2 * PART), 0, Amount.wrap(200e18));
        rewards.burnUnearned(1);
        assertEq(_reserve(), 0);
    }

    function test_burnUnearned__takes_epochs_in_order_and_no_more_than_asked() external {
        formed();
        for (uint256 i = 0; i < 5; i++) {
            earn(1);
        }
        assertEq(Epoch.unwrap(rewards.burnUnearned(0)), 0);
        assertEq(Epoch.unwrap(rewards.burnUnearned(3)), 3);
        assertEq(_reserve(), 500e18 - 20e18);
        assertEq(Epoch.unwrap(rewards.burnUnearned(3)), 6);
        assertEq(_reserve(), 500e18 - 50e18);
        assertEq(Epoch.unwrap(rewards.burnedThrough()), 6);
    }

    function test_I1_burnUnearned__before_or_after_the_payments__leaves_nothing(bool first, uint8 registrations)
        external
    {
        formed();
        earn(bound(registrations, 0, 20));
        nextEpoch();
        if (first) rewards.burnUnearned(10);
        staking.settle(node, 10);
        staking.settle(otherNode, 10);
        if (!first) rewards.burnUnearned(10);
        assertEq(_reserve(), 0);
        assertReserve();
    }

    function test_I1_of_any_income__what_is_paid_and_burned_is_all(uint96 income, uint8 passed, uint8 otherPassed)
        external
    {
        formed();
        income = uint96(bound(income, 0, 1_000_000e18));
        passed = uint8(bound(passed, 0, 5));
        otherPassed = uint8(bound(otherPassed, 0, 5));
        register(1);
        // Fees of this size come from few prices only, and proofs need bytes: both are told here.
        vm.mockCall(address(fees), abi.encodeCall(fees.incomeOf, (Epoch.wrap(2))), abi.encode(income));
        giveTokens(address(fees), income);
        vm.prank(address(fees));
        vault.collect(address(fees), Amount.wrap(income));
        _answer(passed, otherPassed);
        nextEpoch();

        uint256 before = _reserve();
        uint256 held = token.balanceOf(address(vault));
        staking.settle(node, 1);
        staking.settle(otherNode, 1);
        uint256 paid = before - _reserve();
        rewards.burnUnearned(10);
        uint256 part = uint256(income) * 9000 / 100_000;
        assertEq(paid, part * (uint256(passed) + otherPassed));
        assertEq(before - _reserve(), income);
        assertEq(held - token.balanceOf(address(vault)), income - paid);
        assertReserve();
    }

    // Helpers

    function _certifySomething() private {
        vm.prank(owner);
        uint256 blobObject = registry.register(defaultRegistration());
        registry.certify(blobObject, 3, attestations(blobObject, 3));
    }

    function _answer(uint256 passed, uint256 otherPassed) private {
        Epoch epoch = Epoch.wrap(2);
        vm.mockCall(
            address(custody), abi.encodeCall(ICustodyChallenges.passedShards, (epoch, node)), abi.encode(passed)
        );
        vm.mockCall(
            address(custody),
            abi.encodeCall(ICustodyChallenges.passedShards, (epoch, otherNode)),
            abi.encode(otherPassed)
        );
        vm.mockCall(
            address(custody),
            abi.encodeCall(ICustodyChallenges.totalPassedShards, (epoch)),
            abi.encode(passed + otherPassed)
        );
    }

    function _assertPaid(uint32 epoch, uint256 amount) private {
        uint256 before = _reserve();
        vm.prank(address(staking));
        assertEq(Amount.unwrap(rewards.pay(node, Epoch.wrap(epoch))), amount);
        assertEq(before - _reserve(), amount);
    }

    function _reserve() private view returns (uint256) {
        return Amount.unwrap(vault.reserveOf(address(fees)));
    }
}
