// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustodyChallenges} from "../../contracts/interfaces/ICustodyChallenges.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {PoolFixture} from "./support/PoolFixture.sol";
import {StakingFixture} from "./support/StakingFixture.sol";
import {vm} from "./support/Vm.sol";

/// @notice What somebody might try against a pool, and what it gets them.
contract StakingAttacksTest is PoolFixture {
    address private attacker;
    address private accomplice;
    address private victim;

    function setUp() external {
        deployPool(3);
        attacker = makeAddr("attacker");
        accomplice = makeAddr("accomplice");
        victim = makeAddr("victim");
    }

    // Inflating a share, so that the next deposits are rounded away

    function test_I2_inflation__by_a_donation__changes_nothing() external {
        delegate(attacker, 1);
        _next(0);
        assertTrue(token.transfer(address(vault), 1000e18));
        delegate(victim, 1e18);
        _next(0);
        assertEq(worth(victim), 1e18);
    }

    function test_I2_inflation__by_rewards_on_one_share__goes_to_the_commission() external {
        delegate(attacker, 1);
        _next(0);
        delegate(victim, 1e18);
        _next(1000e18);
        assertEq(worth(victim), 1e18);
        assertEq(worth(attacker), 1);
        assertEq(Amount.unwrap(pool().commission), 1000e18);
    }

    function test_I2_inflation__by_the_largest_rewards_on_the_fewest_shares__costs_a_deposit_next_to_nothing()
        external
    {
        delegate(attacker, 1e15);
        _next(0);
        _next(1_000_000e18 - 1e15);
        // A share is worth a thousand millions, just below the bound of 2^30.
        delegate(victim, 1e18 + 999_999_999);
        _next(0);
        assertGe(worth(victim), 1e18);
    }

    /// @dev Who holds the only share, worth more than one unit, deposits just less than a share again and again: the share
    /// doubles each epoch and nothing is lost. Without a bound it soon swallows whatever others deposit.
    function test_I2_inflation__by_deposits_below_one_share__is_stopped_before_it_pays() external {
        _holdOneShare();
        uint256 epochs;
        while (Amount.unwrap(pool().active) < 2 ** 30) {
            delegate(attacker, uint128(Amount.unwrap(pool().active)) - 1);
            _next(0);
            epochs++;
        }
        assertGt(epochs, 20);
        assertEq(pool().shares, 1);
        IStaking.Pool memory now_ = pool();
        vm.prank(victim);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_PoolInflated.selector, NODE, now_.active, 1));
        staking.delegate(NODE, Amount.wrap(1e18));

        // Once its holder left, the pool is as good as new.
        undelegate(attacker, ALL);
        delegate(victim, 1e18);
        _next(0);
        assertEq(worth(victim), 1e18);
    }

    function test_I2_inflation__while_a_deposit_waits__costs_it_next_to_nothing() external {
        _holdOneShare();
        while (Amount.unwrap(pool().active) < 2 ** 29) {
            delegate(attacker, uint128(Amount.unwrap(pool().active)) - 1);
            _next(0);
        }
        // After the cut there is an epoch in between; and rounding up on the way out makes shares dearer at once.
        delegate(attacker, uint128(Amount.unwrap(pool().active)) * 100 - 1);
        toCut();
        delegate(victim, 1e18);
        _next(0);
        while (pool().shares > 1) {
            undelegate(attacker, 1);
        }
        _next(0);
        assertGe(worth(victim), 1e18 - 2 ** 38);
    }

    // Sniping rewards

    function test_I2_sniping__by_a_deposit_at_the_end_of_an_epoch__earns_nothing_of_it() external {
        delegate(victim, 1e18);
        _next(0);
        vm.warp(vm.getBlockTimestamp() + 1 days - 1);
        delegate(attacker, 1000e18);
        // The pool stays unsettled over the epochs in which it earned.
        nextEpoch(10e18);
        nextEpoch(10e18);
        nextEpoch(5e18);
        staking.settle(NODE, 32);
        assertEq(worth(attacker), 1000e18 + uint256(5e18) * 1000e18 / 1021e18);
        assertApproxEqAbs(worth(victim), 21e18 + uint256(5e18) * 21e18 / 1021e18, 1);
    }

    function test_I2_sniping__by_coming_and_going__gives_no_gain(uint96 amount, uint64 reward, uint16 bps) external {
        amount = uint96(bound(amount, 100, 2 ** 80));
        bps = uint16(bound(bps, 0, 5000));
        delegate(victim, 1e18);
        _next(0);
        _next(reward);
        slash(bps);
        delegate(attacker, amount);
        _next(0);
        assertLe(worth(attacker), amount);
        undelegate(attacker, ALL);
        assertLe(leaving(attacker), amount);
        assertApproxEqAbs(leaving(attacker), amount, reward / 1e18 + 2);
    }

    function test_I2_sniping__by_many_small_steps__gives_no_more_than_one(uint96 amount, uint64 reward) external {
        amount = uint96(bound(amount, 1e15, 1e21));
        delegate(attacker, amount);
        delegate(victim, amount);
        _next(0);
        _next(reward);
        uint128 before = uint128(worth(attacker));
        for (uint128 i = 1; i < 8; i++) {
            undelegate(attacker, before / 8 + i);
        }
        undelegate(attacker, ALL);
        assertLe(leaving(attacker), before);
        assertGe(worth(victim), before);
    }

    // Running from a slash that is going to be reported

    function test_I7_running__into_the_pot__is_slashed_all_the_same() external {
        delegate(attacker, 10e18);
        delegate(victim, 10e18);
        _next(0);
        undelegate(attacker, ALL);
        assertEq(slash(1000), 2e18);
        assertEq(leaving(attacker), 9e18);
        assertEq(worth(victim), 9e18);
    }

    function test_I7_running__by_a_claim__saves_the_gain_only() external {
        delegate(attacker, 10e18);
        _next(0);
        _next(1e18);
        vm.startPrank(attacker);
        assertEq(Amount.unwrap(staking.claimRewards(NODE)), 1e18);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NothingEarned.selector, NODE));
        staking.claimRewards(NODE);
        vm.stopPrank();
        slash(1000);
        assertEq(worth(attacker), 9e18);
    }

    function test_I7_running__with_the_earliest_exit__does_not_leave_before_the_last_report() external {
        delegate(attacker, 10e18);
        _next(0);
        // Out in epoch 2, the node serves 3 by a selection made before: its miss of 3 may be reported until 5 begins.
        toCut();
        undelegate(attacker, ALL);
        _next(0);
        _next(0);
        vm.warp(vm.getBlockTimestamp() + 1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NothingDue.selector, NODE, 5, 4));
        vm.prank(attacker);
        staking.withdrawUnbonded(NODE);
        slash(5000);
        _next(0);
        vm.prank(attacker);
        assertEq(Amount.unwrap(staking.withdrawUnbonded(NODE)), 5e18);
    }

    function test_I7_running__through_the_pot_and_back__is_not_possible() external {
        delegate(attacker, 10e18);
        _next(0);
        undelegate(attacker, ALL);
        // What comes as new stake is other money; the old one stays where it is slashed.
        delegate(attacker, 10e18);
        slash(5000);
        assertEq(leaving(attacker), 5e18);
        _next(0);
        assertEq(worth(attacker), 10e18);
    }

    function test_I7_pot__entries_before_and_after_a_slash__lose_what_each_stood_for() external {
        delegate(attacker, 10e18);
        delegate(victim, 10e18);
        _next(0);
        undelegate(victim, 4e18);
        slash(5000);
        undelegate(attacker, 2e18);
        assertEq(leaving(victim), 2e18);
        assertEq(leaving(attacker), 2e18);
        slash(5000);
        assertEq(leaving(victim), 1e18);
        assertEq(leaving(attacker), 1e18);
    }

    // Extremes

    function test_extremes__stakes_of_one_unit__keep_their_unit() external {
        delegate(attacker, 1);
        delegate(victim, 1);
        delegate(accomplice, 1);
        _next(0);
        assertEq(worth(attacker) + worth(victim) + worth(accomplice), 3);
        slash(5000);
        assertEq(Amount.unwrap(pool().active), 2);
        assertEq(worth(victim), 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_ZeroAmount.selector, NODE));
        undelegate(victim, ALL);
    }

    function test_extremes__equal_stakes__have_equal_parts(uint96 amount, uint96 reward, uint16 bps) external {
        amount = uint96(bound(amount, 1, 2 ** 94));
        bps = uint16(bound(bps, 0, 5000));
        delegate(attacker, amount);
        delegate(victim, amount);
        _next(0);
        _next(reward);
        slash(bps);
        assertEq(worth(attacker), worth(victim));
        assertApproxEqAbs(worth(attacker), Amount.unwrap(pool().active) / 2, 0);
    }

    function test_extremes__the_largest_pool_halved_as_often_as_deposits_are_taken__still_settles() external {
        for (uint256 i = 0; i < 20; i++) {
            uint128 room = uint128(2 ** 96 - 1 - Amount.unwrap(pool().active));
            delegate(attacker, room);
            // All slashes that may come until the deposit has its shares: misses of three epochs.
            slash(5000);
            slash(5000);
            slash(5000);
            _next(0);
            slash(5000);
            if (Amount.unwrap(pool().active) <= pool().shares >> 20) break;
        }
        assertLt(pool().shares, 2 ** 124);
        undelegate(attacker, ALL);
        assertLt(pool().unbondingShares, 2 ** 124);
    }

    // Helpers

    function _next(uint256 reward) private {
        nextEpoch(reward);
        staking.settle(NODE, 1);
    }

    /// @dev The attacker has the pool's only share, worth some units.
    function _holdOneShare() private {
        delegate(attacker, 1e15);
        _next(0);
        _next(4e15);
        assertEq(worth(attacker), 5e15);
        undelegate(attacker, 5e15 - 9);
        assertEq(pool().shares, 1);
        assertEq(worth(attacker), 9);
    }
}

/// @notice Runs from real reports of real misses, with the shortest way out that a deployment may have.
contract StakingRunnersTest is StakingFixture {
    uint128 private constant STAKE = 50e18;

    function setUp() public override {
        super.setUp();
        delegate(alice, STAKE);
        formed();
        vm.prank(owner);
        uint256 blobObject = registry.register(defaultRegistration());
        registry.certify(blobObject, 3, attestations(blobObject, 3));
    }

    function stakingParameters() internal pure override returns (Parameters memory parameters) {
        parameters = super.stakingParameters();
        parameters.staking.unbondingEpochs = 3;
    }

    function test_I7_runners__right_after_the_selection__are_in_reach_of_the_last_report() external {
        // Chosen for 3, out in 2: as early as one can be out and still have the node serve.
        vm.warp(startOf(2) + 12 hours);
        committee.selectCommittee();
        undelegate(alice, ALL);
        undelegate(operator, ALL);
        nextEpoch();
        committee.advanceEpoch();
        _miss();

        vm.warp(startOf(5) - 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NothingDue.selector, node, 5, 4));
        withdraw(alice);
        assertEq(Amount.unwrap(custody.reportMiss(Epoch.wrap(3), node)), (OWN + STAKE) / 100);
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_AlreadyReported.selector, 3, node));
        custody.reportMiss(Epoch.wrap(3), node);

        vm.warp(startOf(5));
        assertEq(withdraw(alice), STAKE * 99 / 100);
        // The node still serves: its operator stays.
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NodeServing.selector, node, 5));
        withdraw(operator);
    }

    function test_I7_runners__in_the_block_of_the_report__are_slashed_all_the_same() external {
        warpTo(4);
        _miss();
        vm.warp(startOf(4) + 18 hours);
        undelegate(alice, ALL);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_ZeroAmount.selector, node));
        undelegate(alice, ALL);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NothingDue.selector, node, 7, 4));
        withdraw(alice);
        delegate(bob, STAKE);
        custody.reportMiss(Epoch.wrap(4), node);
        assertEq(leaving(alice), STAKE * 99 / 100);
        assertEq(worth(operator), OWN * 99 / 100);
        assertEq(waiting(bob), STAKE);
        assertReserve();
    }

    /// @dev A window that asks, and nobody who answers.
    function _miss() private {
        openWindow();
        randomness.draw(keccak256("seed"));
        custody.captureSeed(Epoch.wrap(currentEpoch()));
    }
}
