// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {IRewards} from "../../contracts/interfaces/IRewards.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Staking} from "../../contracts/staking/Staking.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {StakingFixture} from "./support/StakingFixture.sol";
import {vm} from "./support/Vm.sol";

contract StakingTest is StakingFixture {
    // constructor

    function test_constructor__when_a_parameter_is_out_of_bounds__reverts() external {
        IStaking.Parameters memory good = stakingParameters().staking;
        IStaking.Parameters memory bad = good;

        bad.minimumStake = Amount.wrap(0);
        _expectOutOfBounds("minimumStake", 1, type(uint96).max, 0);
        _deploy(bad);
        bad.minimumStake = Amount.wrap(2 ** 96);
        _expectOutOfBounds("minimumStake", 1, type(uint96).max, 2 ** 96);
        _deploy(bad);
        bad.minimumStake = Amount.wrap(1);
        bad.unbondingEpochs = 2;
        _expectOutOfBounds("unbondingEpochs", 3, 100, 2);
        _deploy(bad);
        bad.unbondingEpochs = 101;
        _expectOutOfBounds("unbondingEpochs", 3, 100, 101);
        _deploy(bad);
        bad.unbondingEpochs = 100;
        bad.maximumCommissionBps = 10_001;
        _expectOutOfBounds("maximumCommissionBps", 0, 10_000, 10_001);
        _deploy(bad);
    }

    function test_constructor__fixes_the_parameters() external view {
        assertEq(Amount.unwrap(staking.minimumStake()), MINIMUM);
        assertEq(staking.unbondingEpochs(), UNBONDING);
        assertEq(staking.maximumCommissionBps(), 5000);
    }

    // delegate

    function test_delegate__when_there_is_no_such_node__reverts() external {
        formed();
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, NodeId.wrap(3)));
        vm.prank(alice);
        staking.delegate(NodeId.wrap(3), Amount.wrap(1));
    }

    function test_delegate__when_amount_is_zero__reverts() external {
        _expectZeroAmount();
        delegate(alice, 0);
    }

    function test_delegate__when_the_delegator_did_not_approve__reverts_and_adds_nothing() external {
        formed();
        vm.prank(alice);
        token.approve(address(vault), 4);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 4, 5));
        delegate(alice, 5);
        assertEq(waiting(alice), 0);
        assertReserve();
    }

    function test_delegate__when_the_pool_would_not_fit__reverts() external {
        formed();
        uint256 sum = uint256(OWN) + 2 ** 96 - OWN;
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, uint8(96), sum));
        delegate(alice, uint128(2 ** 96 - OWN));
    }

    function test_delegate__when_the_pool_was_slashed_to_nearly_nothing__reverts() external {
        formed();
        for (uint256 i = 0; i < 20; i++) {
            delegate(alice, 1);
            assertEq(slash(5000) > 0, true);
        }
        IStaking.Pool memory now_ = pool();
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_PoolExhausted.selector, node, now_.active, now_.shares));
        delegate(alice, 1);
    }

    function test_delegate__when_the_pot_was_slashed_to_nearly_nothing__reverts() external {
        formed();
        undelegate(operator, ALL);
        for (uint256 i = 0; i < 20; i++) {
            slash(5000);
        }
        IStaking.Pool memory now_ = pool();
        assertEq(now_.shares, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_PoolExhausted.selector, node, now_.unbonding, now_.unbondingShares)
        );
        delegate(alice, 1);
    }

    function test_delegate__when_all_is_fine__waits_and_moves_tokens_into_the_reserve(uint96 amount) external {
        formed();
        amount = uint96(bound(amount, 1, 1_000_000e18));
        vm.expectEmit(address(staking));
        emit IStaking.Delegated(node, alice, Amount.wrap(amount), Epoch.wrap(3));
        delegate(alice, amount);
        assertEq(waiting(alice), amount);
        assertEq(worth(alice), 0);
        assertEq(Epoch.unwrap(delegation(alice).waitingUntil), 3);
        assertEq(Amount.unwrap(pool().active), OWN);
        assertEq(token.balanceOf(alice), 1_000_000e18 - amount);
        assertReserve();

        nextEpoch();
        staking.settle(node, 1);
        assertEq(worth(alice), amount);
        assertEq(Amount.unwrap(delegation(alice).principal), amount);
        assertEq(Epoch.unwrap(delegation(alice).waitingUntil), 0);
    }

    function test_delegate__around_the_cut__counts_one_epoch_later() external {
        formed();
        uint256 cut = startOf(2) + 12 hours;
        vm.warp(cut - 1);
        assertEq(Epoch.unwrap(staking.activationEpoch()), 3);
        delegate(alice, 5);
        vm.warp(cut);
        assertEq(Epoch.unwrap(staking.activationEpoch()), 4);
        delegate(alice, 7);
        vm.warp(cut + 1);
        delegate(alice, 11);
        vm.warp(startOf(3) - 1);
        delegate(alice, 13);
        assertEq(stakeAt(2), OWN);
        assertEq(stakeAt(3), OWN + 5);
        assertEq(stakeAt(4), OWN + 36);
        assertEq(waiting(alice), 36);
        assertEq(Epoch.unwrap(delegation(alice).waitingUntil), 4);

        warpTo(3);
        staking.settle(node, 1);
        assertEq(worth(alice), 5);
        assertEq(waiting(alice), 31);
        warpTo(4);
        staking.settle(node, 1);
        assertEq(worth(alice), 36);
        assertReserve();
    }

    function test_delegate__when_two_deposits_wait__the_third_makes_room() external {
        formed();
        delegate(alice, 5);
        vm.warp(startOf(2) + 12 hours);
        delegate(alice, 7);
        warpTo(3);
        // Joins what waits for 4.
        delegate(alice, 11);
        assertEq(Epoch.unwrap(pool().settled), 2);
        // Waits for 5: the first two cannot both go on waiting.
        vm.warp(startOf(3) + 12 hours);
        delegate(alice, 13);
        assertEq(Epoch.unwrap(pool().settled), 3);
        assertEq(worth(alice), 5);
        assertEq(waiting(alice), 31);
        warpTo(5);
        staking.settle(node, 2);
        assertEq(worth(alice), 36);
        assertReserve();
    }

    function test_delegate__when_two_deposits_wait_and_the_pool_is_far_behind__reverts() external {
        formed();
        delegate(alice, 5);
        warpTo(40);
        _expectBehind(34, 40);
        delegate(alice, 7);
        staking.settle(node, 38);
        delegate(alice, 7);
        assertEq(worth(alice), 5);
    }

    function test_delegate__by_many_in_a_pool_that_nobody_settles__each_counts_from_its_epoch_on() external {
        formed();
        for (uint160 i = 1; i <= 6; i++) {
            giveTokens(address(i), 10);
            delegate(address(i), 10);
            if (i % 2 == 0) {
                vm.warp(startOf(currentEpoch()) + 12 hours);
                giveTokens(address(100 + i), 1);
                delegate(address(100 + i), 1);
            }
            assertEq(stakeAt(currentEpoch() + 2), OWN + 10 * i + i / 2);
            nextEpoch();
        }
        assertEq(Epoch.unwrap(pool().settled), 2);
        assertReserve();
        for (uint32 i = 1; i <= 6; i++) {
            staking.settle(node, 1);
            assertEq(Amount.unwrap(pool().active), OWN + 10 * i + (i - 1) / 2);
            assertEq(worth(address(uint160(i))), 10);
        }
        assertReserve();
    }

    function test_delegate__before_the_first_committee__counts_from_epoch_1_on() external {
        vm.warp(startOf(5) + 13 hours);
        assertEq(Epoch.unwrap(staking.activationEpoch()), 1);
        vm.expectEmit(address(staking));
        emit IStaking.Delegated(node, alice, Amount.wrap(5), Epoch.wrap(1));
        delegate(alice, 5);
        assertEq(stakeAt(5), OWN + 5);
        committee.form();
        assertEq(Epoch.unwrap(staking.activationEpoch()), 7);
        staking.settle(node, 5);
        assertEq(worth(alice), 5);
    }

    // undelegate

    function test_undelegate__when_amount_is_zero__reverts() external {
        formed();
        _expectZeroAmount();
        undelegate(operator, 0);
    }

    function test_undelegate__when_there_is_nothing__reverts() external {
        formed();
        _expectZeroAmount();
        undelegate(alice, ALL);
    }

    function test_undelegate__when_more_than_is_active__reverts() external {
        formed();
        vm.expectRevert(
            abi.encodeWithSelector(
                IStaking.Staking_StakeTooSmall.selector, node, Amount.wrap(OWN + 1), Amount.wrap(OWN)
            )
        );
        undelegate(operator, OWN + 1);
    }

    function test_undelegate__of_a_deposit_that_waits__reverts() external {
        formed();
        delegate(alice, 5);
        vm.warp(startOf(3) - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_StakeTooSmall.selector, node, Amount.wrap(5), Amount.wrap(0))
        );
        undelegate(alice, 5);
        warpTo(3);
        undelegate(alice, 5);
        assertEq(leaving(alice), 5);
    }

    function test_undelegate__when_the_pool_is_far_behind__reverts_until_it_is_settled() external {
        formed();
        warpTo(12);
        undelegate(operator, 1);
        warpTo(52);
        _expectBehind(44, 52);
        undelegate(operator, 1);
        assertEq(Epoch.unwrap(staking.settle(node, 8)), 20);
        undelegate(operator, 1);
        assertEq(Epoch.unwrap(pool().settled), 52);
    }

    function test_undelegate__of_a_part__takes_as_much_of_the_principal() external {
        formed();
        _double();
        vm.expectEmit(address(staking));
        emit IStaking.Undelegated(node, operator, Amount.wrap(REWARD), Epoch.wrap(3 + UNBONDING));
        undelegate(operator, REWARD);
        // 145 WAL of which 100 were paid in; 45 of 145 leave.
        assertApproxEqAbs(worth(operator), OWN, 1);
        assertApproxEqAbs(Amount.unwrap(delegation(operator).principal), uint256(OWN) * 100 / 145, 1);
        assertEq(leaving(operator), REWARD);
        assertEq(staking.unbondingOf(node, operator).length, 1);
        assertEq(Epoch.unwrap(staking.unbondingOf(node, operator)[0].release), 3 + UNBONDING);
        assertReserve();
    }

    function test_undelegate__of_all__leaves_nothing() external {
        formed();
        _double();
        undelegate(operator, ALL);
        assertEq(leaving(operator), OWN + REWARD);
        assertEq(delegation(operator).shares, 0);
        assertEq(Amount.unwrap(delegation(operator).principal), 0);
        assertEq(pool().shares, 0);
        assertEq(Amount.unwrap(pool().active), 0);
        assertReserve();
    }

    function test_undelegate__stops_earning_at_once() external {
        formed();
        delegate(alice, OWN);
        nextEpoch();
        undelegate(alice, ALL);
        earn(1);
        staking.settle(node, 1);
        assertEq(leaving(alice), OWN);
        assertEq(worth(operator), OWN + REWARD);
    }

    function test_undelegate__twice_in_an_epoch__is_one_entry() external {
        formed();
        undelegate(operator, 5);
        undelegate(operator, 7);
        assertEq(staking.unbondingOf(node, operator).length, 1);
        nextEpoch();
        undelegate(operator, 11);
        IStaking.Unbonding[] memory found = staking.unbondingOf(node, operator);
        assertEq(found.length, 2);
        assertEq(Amount.unwrap(found[0].amount), 12);
        assertEq(Amount.unwrap(found[1].amount), 11);
        assertEq(Epoch.unwrap(found[1].release), 3 + UNBONDING);
    }

    function test_undelegate__when_there_are_32_entries__reverts_until_one_is_withdrawn() external {
        formed();
        for (uint256 i = 0; i < 32; i++) {
            undelegate(operator, 1);
            nextEpoch();
        }
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_TooManyUnbondings.selector, node, operator, 32));
        undelegate(operator, 1);
        // Releases 9 to 40 of which those to 34 are due.
        assertEq(withdraw(operator), 26);
        assertEq(staking.unbondingOf(node, operator).length, 6);
        assertEq(Epoch.unwrap(staking.unbondingOf(node, operator)[0].release), 35);
        undelegate(operator, 1);
        assertEq(leaving(operator), 7);
    }

    function test_undelegate__before_the_first_committee__releases_like_any_other() external {
        undelegate(operator, 5);
        assertEq(leaving(operator), 5);
        assertEq(Epoch.unwrap(staking.unbondingOf(node, operator)[0].release), 1 + UNBONDING);
        // What comes now counts in the pool's next epoch, which has begun by then.
        delegate(alice, 7);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_StakeTooSmall.selector, node, Amount.wrap(7), Amount.wrap(0))
        );
        undelegate(alice, 7);
        warpTo(2);
        undelegate(alice, 7);
        warpTo(30);
        assertEq(withdraw(alice), 7);
        assertEq(withdraw(operator), 5);
        assertReserve();
        committee.form();
        warpTo(31);
        staking.settle(node, 30);
        assertEq(worth(operator), OWN - 5);
    }

    // withdrawUnbonded

    function test_withdrawUnbonded__when_there_is_no_such_node__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, NodeId.wrap(3)));
        vm.prank(alice);
        staking.withdrawUnbonded(NodeId.wrap(3));
    }

    function test_withdrawUnbonded__when_nothing_is_on_its_way__reverts() external {
        formed();
        _expectNothingDue(0, 2);
        withdraw(alice);
    }

    function test_withdrawUnbonded__one_second_before_the_release__reverts() external {
        formed();
        undelegate(operator, 5);
        vm.warp(startOf(2 + UNBONDING) - 1);
        _expectNothingDue(2 + UNBONDING, 1 + UNBONDING);
        withdraw(operator);
        vm.warp(startOf(2 + UNBONDING));
        vm.expectEmit(address(staking));
        emit IStaking.UnbondedWithdrawn(node, operator, Amount.wrap(5));
        assertEq(withdraw(operator), 5);
        assertEq(claimOf(operator), 5);
        _expectNothingDue(0, 2 + UNBONDING);
        withdraw(operator);
        assertReserve();
    }

    function test_withdrawUnbonded__at_every_boundary_of_an_epoch__is_released_by_epochs_alone() external {
        formed();
        delegate(alice, 9);
        nextEpoch();
        uint256[4] memory moments = [startOf(3), startOf(3) + 12 hours - 1, startOf(3) + 12 hours, startOf(4) - 1];
        for (uint256 i = 0; i < moments.length; i++) {
            vm.warp(moments[i]);
            undelegate(alice, 1);
        }
        vm.warp(startOf(4));
        undelegate(alice, 5);
        vm.warp(startOf(3 + UNBONDING) + 12 hours);
        assertEq(withdraw(alice), 4);
        vm.warp(startOf(4 + UNBONDING) - 1);
        _expectNothingDue(4 + UNBONDING, 3 + UNBONDING);
        withdraw(alice);
        vm.warp(startOf(4 + UNBONDING));
        assertEq(withdraw(alice), 5);
    }

    function test_withdrawUnbonded__when_the_pool_was_slashed_meanwhile__gives_what_is_left() external {
        formed();
        undelegate(operator, 10e18);
        slash(1000);
        nextEpoch();
        slash(5000);
        warpTo(2 + UNBONDING);
        // Due, and still slashed: it was not withdrawn.
        slash(5000);
        assertEq(leaving(operator), 2.25e18);
        assertEq(withdraw(operator), 2.25e18);
        assertReserve();
    }

    function test_withdrawUnbonded__by_the_operator_below_the_minimum__reverts_while_the_node_serves() external {
        formed();
        undelegate(operator, OWN - MINIMUM + 1);
        warpTo(2 + UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NodeServing.selector, node, 5));
        withdraw(operator);
        // Stake that counts by now counts, also before the pool is settled.
        delegate(operator, 1);
        nextEpoch();
        assertEq(withdraw(operator), OWN - MINIMUM + 1);
    }

    function test_withdrawUnbonded__by_the_operator_below_the_minimum__works_when_the_node_left() external {
        formed();
        undelegate(operator, ALL);
        changeCommittee();
        assertEq(committee.weightOf(node), 0);
        warpTo(2 + UNBONDING);
        assertEq(withdraw(operator), OWN);
    }

    function test_withdrawUnbonded__by_a_delegator__works_while_the_node_serves() external {
        formed();
        delegate(alice, 5);
        nextEpoch();
        undelegate(alice, 5);
        undelegate(operator, ALL);
        warpTo(3 + UNBONDING);
        assertEq(withdraw(alice), 5);
    }

    function test_withdrawUnbonded__when_the_operator_changed__counts_the_stake_of_the_new_one() external {
        formed();
        delegate(alice, 5);
        undelegate(operator, 5);
        nextEpoch();
        undelegate(alice, 4);
        handOver(alice);
        assertEq(ownStakeAt(3), 1);
        warpTo(3 + UNBONDING);
        // The new operator is bound, the old one a delegator like others; what it has stays and can be slashed.
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NodeServing.selector, node, 5));
        withdraw(alice);
        assertEq(withdraw(operator), 5);
    }

    // claimRewards

    function test_claimRewards__when_nothing_was_earned__reverts() external {
        formed();
        _expectNothingEarned();
        claim(operator);
        _expectNothingEarned();
        claim(alice);
    }

    function test_claimRewards__before_the_first_committee__reverts() external {
        _expectNothingEarned();
        claim(operator);
    }

    function test_claimRewards__when_there_is_a_gain__becomes_a_claim() external {
        formed();
        earn(1);
        vm.expectEmit(address(staking));
        emit IStaking.RewardsClaimed(node, operator, Amount.wrap(REWARD));
        assertEq(claim(operator), REWARD);
        assertEq(claimOf(operator), REWARD);
        assertEq(worth(operator), OWN);
        assertReserve();
        _expectNothingEarned();
        claim(operator);
    }

    function test_claimRewards__is_in_proportion_and_leaves_others_theirs() external {
        formed();
        delegate(alice, 4 * OWN);
        nextEpoch();
        earn(1);
        assertApproxEqAbs(claim(alice), uint256(REWARD) * 4 / 5, 1);
        assertApproxEqAbs(worth(operator), OWN + REWARD / 5, 1);
        assertApproxEqAbs(claim(operator), REWARD / 5, 1);
        assertReserve();
    }

    function test_claimRewards__when_not_claimed__compounds() external {
        formed();
        delegate(alice, OWN);
        nextEpoch();
        earn(2);
        assertEq(claim(alice), REWARD);
        earn(2);
        // 145 of the operator's to 100 of alice's.
        assertApproxEqAbs(claim(alice), uint256(2 * REWARD) * 100 / 245, 2);
        assertApproxEqAbs(claim(operator), REWARD + uint256(2 * REWARD) * 145 / 245, 2);
    }

    function test_claimRewards__after_a_loss__waits_until_it_is_made_up() external {
        formed();
        slash(5000);
        earn(1);
        _expectNothingEarned();
        claim(operator);
        earn(1);
        assertEq(claim(operator), 2 * REWARD - OWN / 2);
    }

    function test_claimRewards__by_the_operator_below_the_minimum__reverts_while_the_node_serves() external {
        formed();
        undelegate(operator, OWN - 1e18);
        slash(5000);
        earn(1);
        // 45.5 WAL of which the principal is 1: what stays would be 1, the minimum.
        assertEq(claim(operator), REWARD - 0.5e18);
        undelegate(operator, 1);
        earn(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NodeServing.selector, node, 5));
        claim(operator);
    }

    function test_claimRewards__when_the_pool_is_far_behind__reverts() external {
        formed();
        warpTo(40);
        _expectBehind(34, 40);
        claim(operator);
    }

    // claimCommission

    function test_claimCommission__when_caller_is_not_operator__reverts() external {
        _expectNotOperator();
        vm.prank(alice);
        staking.claimCommission(node);
    }

    function test_claimCommission__when_there_is_none__reverts() external {
        formed();
        _expectNothingEarned();
        vm.prank(operator);
        staking.claimCommission(node);
    }

    function test_claimCommission__when_the_pool_is_far_behind__reverts() external {
        formed();
        warpTo(40);
        _expectBehind(34, 40);
        vm.prank(operator);
        staking.claimCommission(node);
    }

    function test_claimCommission__when_there_is_some__becomes_the_claim_of_who_operates_now() external {
        formed();
        _setCommission(5000);
        nextEpoch();
        nextEpoch();
        earn(1);
        handOver(alice);
        vm.expectEmit(address(staking));
        emit IStaking.CommissionClaimed(node, alice, Amount.wrap(REWARD / 2));
        vm.prank(alice);
        assertEq(Amount.unwrap(staking.claimCommission(node)), REWARD / 2);
        assertEq(claimOf(alice), REWARD / 2);
        assertEq(Amount.unwrap(pool().commission), 0);
        assertEq(worth(operator), OWN + REWARD / 2);
        assertReserve();
    }

    // setCommission

    function test_setCommission__when_caller_is_not_operator__reverts() external {
        _expectNotOperator();
        vm.prank(alice);
        staking.setCommission(node, 1);
    }

    function test_setCommission__when_too_high__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_CommissionTooHigh.selector, node, 5000, 5001));
        vm.prank(operator);
        staking.setCommission(node, 5001);
    }

    function test_setCommission__when_the_pool_is_far_behind__reverts() external {
        formed();
        warpTo(40);
        _expectBehind(34, 40);
        _setCommission(1);
    }

    function test_setCommission__counts_two_epochs_later() external {
        formed();
        vm.warp(startOf(3) - 1);
        vm.expectEmit(address(staking));
        emit IStaking.CommissionChanged(node, 0, 1000, Epoch.wrap(4));
        _setCommission(1000);
        nextEpoch();
        assertEq(pool().commissionBps, 0);
        earn(1);
        assertEq(pool().commissionBps, 1000);
        assertEq(pool().nextCommissionBps, 1000);
        assertEq(Epoch.unwrap(pool().nextCommissionFrom), 4);
        earn(1);
        // The reward of 3 came under the old rate, that of 4 under the new one, both settled now.
        staking.settle(node, 5);
        assertEq(Amount.unwrap(pool().commission), REWARD / 10);
        assertReserve();
    }

    function test_setCommission__when_another_change_is_pending__replaces_it() external {
        formed();
        _setCommission(1000);
        nextEpoch();
        vm.expectEmit(address(staking));
        emit IStaking.CommissionChanged(node, 0, 2000, Epoch.wrap(5));
        _setCommission(2000);
        nextEpoch();
        earn(1);
        assertEq(pool().commissionBps, 2000);
        staking.settle(node, 5);
        assertEq(Amount.unwrap(pool().commission), 0);
        earn(1);
        staking.settle(node, 5);
        assertEq(Amount.unwrap(pool().commission), REWARD / 5);
    }

    function test_setCommission__does_not_change_what_was_earned_and_not_settled() external {
        formed();
        _setCommission(5000);
        nextEpoch();
        nextEpoch();
        earn(1);
        _setCommission(0);
        assertEq(Amount.unwrap(pool().commission), REWARD / 2);
        earn(1);
        earn(1);
        earn(1);
        staking.settle(node, 5);
        assertEq(Amount.unwrap(pool().commission), 3 * REWARD / 2);
    }

    // settle

    function test_settle__when_there_is_no_such_node__reverts() external {
        formed();
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, NodeId.wrap(3)));
        staking.settle(NodeId.wrap(3), 1);
    }

    function test_settle__before_the_first_committee__does_nothing() external {
        warpTo(9);
        assertEq(Epoch.unwrap(staking.settle(node, 100)), 0);
        assertEq(Amount.unwrap(pool().waiting), OWN);
    }

    function test_settle__of_no_epoch_or_again__does_nothing() external {
        formed();
        earn(1);
        assertEq(Epoch.unwrap(staking.settle(node, 0)), 2);
        assertEq(Amount.unwrap(pool().active), OWN);
        assertEq(Epoch.unwrap(staking.settle(node, 100)), 3);
        assertEq(Epoch.unwrap(staking.settle(node, 100)), 3);
        assertEq(Amount.unwrap(pool().active), OWN + REWARD);
        assertReserve();
    }

    function test_settle__tells_each_epoch() external {
        formed();
        _setCommission(1000);
        nextEpoch();
        nextEpoch();
        delegate(alice, 7);
        earn(1);
        vm.expectEmit(address(staking));
        emit IStaking.PoolSettled(
            node, Epoch.wrap(4), Amount.wrap(REWARD), Amount.wrap(REWARD / 10), Amount.wrap(OWN + REWARD * 9 / 10 + 7)
        );
        staking.settle(node, 3);
    }

    function test_settle__late_or_at_once__is_the_same() external {
        formed();
        delegate(alice, OWN);
        uint256 start = vm.snapshotState();
        IStaking.Pool memory first;
        IStaking.Delegation memory firstStake;
        for (uint256 i = 0; i < 2; i++) {
            if (i == 0) staking.settle(node, 1);
            nextEpoch();
            for (uint256 epoch = 0; epoch < 4; epoch++) {
                if (epoch != 2) earn(epoch + 1);
                else nextEpoch();
                delegate(bob, 3e18);
                if (i == 0) staking.settle(node, 1);
            }
            staking.settle(node, 32);
            if (i == 0) {
                (first, firstStake) = (pool(), delegation(bob));
                vm.revertToState(start);
            }
        }
        assertEq(abi.encode(pool()), abi.encode(first));
        assertEq(abi.encode(delegation(bob)), abi.encode(firstStake));
    }

    function test_settle__when_nobody_shares_the_reward__it_is_all_commission() external {
        formed();
        undelegate(operator, OWN - 1e15 + 1);
        earn(1);
        staking.settle(node, 1);
        assertEq(Amount.unwrap(pool().commission), REWARD);
        assertEq(Amount.unwrap(pool().active), 1e15 - 1);
        // With a thousandth WAL it is shared.
        delegate(alice, 1);
        nextEpoch();
        earn(1);
        staking.settle(node, 2);
        assertEq(Amount.unwrap(pool().commission), REWARD);
        assertEq(Amount.unwrap(pool().active), 1e15 + REWARD);
    }

    function test_settle__after_ten_silent_epochs__brings_what_was_earned() external {
        formed();
        for (uint256 i = 0; i < 10; i++) {
            earn(1);
        }
        assertEq(claim(operator), 10 * REWARD);
        assertEq(Epoch.unwrap(pool().settled), 12);
        assertReserve();
    }

    function test_settle__after_forty_silent_epochs__takes_two_calls() external {
        formed();
        for (uint256 i = 0; i < 40; i++) {
            earn(1);
        }
        _expectBehind(34, 42);
        claim(operator);
        assertEq(Epoch.unwrap(staking.settle(node, 10)), 12);
        assertEq(claim(operator), 40 * REWARD);
        assertReserve();
    }

    function test_settle__of_a_node_that_nobody_dealt_with__begins_now() external {
        formed();
        warpTo(50);
        NodeId fresh = registerOnly("fresh", alice);
        assertEq(Epoch.unwrap(staking.settle(fresh, 0)), 50);
    }

    // begin

    function test_begin__when_caller_is_not_the_committee__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_CallerNotAllowed.selector, address(committee), address(this))
        );
        staking.begin();
    }

    function test_begin__late__pays_nothing_of_before() external {
        warpTo(8);
        register(3);
        committee.form();
        openWindow();
        nextEpoch();
        assertEq(claim(operator), 3 * REWARD);
        assertEq(Epoch.unwrap(pool().settled), 9);
    }

    // slash

    function test_slash__when_caller_is_not_custody__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_CallerNotAllowed.selector, address(custody), address(this))
        );
        staking.slash(node, 1, 0, address(this), Epoch.wrap(0));
    }

    function test_slash__above_its_limits__reverts() external {
        formed();
        _expectOutOfBounds("bps", 0, 5000, 5001);
        slash(5001);
        _expectOutOfBounds("bountyBps", 0, 5000, 5001);
        slash(1, 5001, 0);
    }

    function test_slash__when_the_pool_is_far_behind__reverts_until_it_is_settled() external {
        formed();
        warpTo(40);
        _expectBehind(34, 40);
        slash(100);
        staking.settle(node, 6);
        assertEq(slash(100), OWN / 100);
    }

    function test_I7_slash__takes_of_active_and_unbonding_and_spares_what_waits() external {
        formed();
        undelegate(operator, 40e18);
        delegate(alice, 50e18);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(staking));
        emit IStaking.Slashed(node, address(this), Amount.wrap(6e18), Amount.wrap(4e18), Amount.wrap(0.01e18));
        assertEq(slash(1000, 1000, 0), 10e18);
        assertEq(Amount.unwrap(pool().active), 54e18);
        assertEq(Amount.unwrap(pool().unbonding), 36e18);
        assertEq(Amount.unwrap(pool().waiting), 50e18);
        assertEq(worth(operator), 54e18);
        assertEq(leaving(operator), 36e18);
        assertEq(waiting(alice), 50e18);
        // A tenth of what a tenth of the least own stake is.
        assertEq(claimOf(address(this)), 0.01e18);
        assertEq(supply - token.totalSupply(), 9.99e18);
        assertReserve();
    }

    function test_I7_slash__of_any_pool__is_rounded_down(uint96 active, uint96 unbonding, uint16 bps, uint16 bountyBps)
        external
    {
        formed();
        active = uint96(bound(active, 1, 400_000e18));
        unbonding = uint96(bound(unbonding, 1, 400_000e18));
        bps = uint16(bound(bps, 0, 5000));
        bountyBps = uint16(bound(bountyBps, 0, 5000));
        delegate(alice, active + unbonding);
        nextEpoch();
        undelegate(alice, unbonding);
        uint256 supply = token.totalSupply();
        uint256 expected = uint256(OWN + active) * bps / 10_000 + uint256(unbonding) * bps / 10_000;
        assertEq(slash(bps, bountyBps, 0), expected);
        uint256 own = uint256(Amount.unwrap(staking.minimumStake())) * bps / 10_000;
        uint256 bounty = (own < expected ? own : expected) * bountyBps / 10_000;
        assertEq(claimOf(address(this)), bounty);
        assertEq(supply - token.totalSupply(), expected - bounty);
        assertReserve();
    }

    function test_slash__reaches_a_deposit_that_counts_and_was_not_settled() external {
        formed();
        delegate(alice, OWN);
        warpTo(3);
        assertEq(waiting(alice), OWN);
        assertEq(slash(1000), OWN / 5);
        assertEq(worth(alice), OWN * 9 / 10);
        assertEq(worth(operator), OWN * 9 / 10);
    }

    function test_slash__is_no_part_of_the_rate_of_a_deposit_that_waits() external {
        formed();
        delegate(alice, OWN);
        slash(5000);
        nextEpoch();
        staking.settle(node, 1);
        assertEq(worth(alice), OWN);
        assertEq(worth(operator), OWN / 2);
        assertEq(delegation(alice).shares, 2 * OWN);
    }

    function test_slash__with_an_epoch__jails_and_never_shortens_it() external {
        formed();
        vm.expectEmit(address(staking));
        emit IStaking.Jailed(node, Epoch.wrap(9));
        slash(1, 0, 9);
        vm.recordLogs();
        slash(1, 0, 8);
        assertEq(vm.getRecordedLogs().length, 3);
        assertEq(Epoch.unwrap(pool().jailedUntil), 9);
        slash(1, 0, 10);
        assertEq(Epoch.unwrap(pool().jailedUntil), 10);
    }

    function test_slash__of_an_empty_pool__takes_nothing() external {
        formed();
        undelegate(operator, ALL);
        changeCommittee();
        warpTo(2 + UNBONDING);
        withdraw(operator);
        assertEq(slash(5000, 1000, 0), 0);
        assertReserve();
    }

    function test_slash__to_nearly_nothing__leaves_a_way_out_for_all() external {
        formed();
        delegate(alice, 3);
        delegate(bob, 50e18);
        nextEpoch();
        undelegate(bob, 20e18);
        for (uint256 i = 0; i < 70; i++) {
            slash(5000);
        }
        // Half is taken, rounded down, so the last unit stays.
        assertEq(Amount.unwrap(pool().active), 1);
        assertEq(Amount.unwrap(pool().unbonding), 1);
        assertReserve();
        // Nobody's part is a unit, but the pool stays usable, and settles.
        assertEq(worth(alice) + worth(bob) + worth(operator), 0);
        warpTo(3 + UNBONDING);
        assertEq(withdraw(bob), 1);
        earn(2);
        // The reward goes by shares: 100, 30 and next to nothing.
        staking.settle(node, 10);
        assertApproxEqAbs(worth(operator), uint256(2 * REWARD) * 10 / 13, 1);
        undelegate(bob, ALL);
        undelegate(alice, ALL);
        undelegate(operator, ALL);
        assertApproxEqAbs(leaving(bob), uint256(2 * REWARD) * 3 / 13, 2);
        assertEq(leaving(alice), 2);
        assertReserve();
    }

    // views

    function test_stakeAt__is_what_becomes_active() external {
        formed();
        delegate(alice, 5);
        vm.warp(startOf(2) + 12 hours);
        delegate(bob, 7);
        uint256[3] memory expected = [stakeAt(2), stakeAt(3), stakeAt(4)];
        for (uint32 epoch = 2; epoch <= 4; epoch++) {
            warpTo(epoch);
            staking.settle(node, 5);
            assertEq(Amount.unwrap(pool().active), expected[epoch - 2]);
        }
    }

    function test_ownStakeAt__counts_deposits_of_the_operator_by_their_epoch() external {
        formed();
        delegate(operator, 5);
        delegate(alice, 100);
        vm.warp(startOf(2) + 12 hours);
        delegate(operator, 7);
        assertEq(ownStakeAt(2), OWN);
        assertEq(ownStakeAt(3), OWN + 5);
        assertEq(ownStakeAt(4), OWN + 12);
    }

    function test_ownStakeAt__when_the_operator_changed__is_that_of_the_new_one() external {
        formed();
        delegate(alice, 5);
        handOver(alice);
        assertEq(ownStakeAt(2), 0);
        assertEq(ownStakeAt(3), 5);
    }

    // Helpers

    /// @dev The pool earns {REWARD} in epoch 2; it is epoch 3.
    function _double() private {
        earn(1);
        staking.settle(node, 1);
        assertEq(worth(operator), OWN + REWARD);
    }

    function _setCommission(uint16 bps) private {
        vm.prank(operator);
        staking.setCommission(node, bps);
    }

    function _deploy(IStaking.Parameters memory parameters) private {
        new Staking(
            vault, nodeRegistry, committee, IRewards(address(rewards)), address(custody), address(jobs), parameters
        );
    }

    function _expectOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_ParameterOutOfBounds.selector, parameter, minimum, maximum, actual)
        );
    }

    function _expectZeroAmount() private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_ZeroAmount.selector, node));
    }

    function _expectBehind(uint32 settled, uint32 current) private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_PoolBehind.selector, node, settled, current));
    }

    function _expectNothingDue(uint32 release, uint32 current) private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NothingDue.selector, node, release, current));
    }

    function _expectNothingEarned() private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NothingEarned.selector, node));
    }

    function _expectNotOperator() private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_CallerNotOperator.selector, node, operator, alice));
    }
}
