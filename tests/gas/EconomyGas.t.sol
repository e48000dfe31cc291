// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch} from "../../contracts/types/Epoch.sol";
import {StakingFixture} from "../contracts/support/StakingFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title EconomyGasTest
/// @notice What delegators and those who settle pay in the steady state: a pool that earned in every epoch, others who
/// delegated before, accounts that approved the vault and hold WAL.
/// @dev Run with `isolate`, so that each call is a transaction of its own, with its base cost and calldata.
contract EconomyGasTest is StakingFixture {
    string private constant GROUP = "gas";

    function setUp() public override {
        super.setUp();
        formed();
        delegate(bob, 10e18);
        vm.prank(operator);
        staking.setCommission(node, 500);
        earn(1);
        earn(1);
        staking.settle(node, 10);
        // Both have had a claim before, and go on having one.
        delegate(bob, 10e18);
        claim(bob);
    }

    function test_gas__firstDelegation() public {
        delegate(alice, 10e18);
        vm.snapshotGasLastCall(GROUP, "firstDelegation");
    }

    function test_gas__firstDelegationOfEpoch() public {
        earn(1);
        staking.settle(node, 10);
        delegate(alice, 10e18);
        vm.snapshotGasLastCall(GROUP, "firstDelegationOfEpoch");
    }

    function test_gas__firstDelegationInUnsettledPool() public {
        earn(1);
        earn(1);
        earn(1);
        delegate(alice, 10e18);
        vm.snapshotGasLastCall(GROUP, "firstDelegationInUnsettledPool");
    }

    function test_gas__delegateMore() public {
        delegate(bob, 10e18);
        vm.snapshotGasLastCall(GROUP, "delegateMore");
    }

    function test_gas__undelegate() public {
        undelegate(operator, 1e18);
        undelegate(bob, 5e18);
        vm.snapshotGasLastCall(GROUP, "undelegate");
    }

    function test_gas__withdrawUnbonded() public {
        undelegate(operator, 1e18);
        undelegate(bob, 5e18);
        warpTo(currentEpoch() + UNBONDING);
        vm.prank(bob);
        staking.withdrawUnbonded(node);
        vm.snapshotGasLastCall(GROUP, "withdrawUnbonded");
    }

    function test_gas__claimRewards() public {
        earn(1);
        staking.settle(node, 10);
        vm.prank(bob);
        staking.claimRewards(node);
        vm.snapshotGasLastCall(GROUP, "claimRewards");
    }

    function test_gas__settleEpoch() public {
        earn(1);
        staking.settle(node, 1);
        vm.snapshotGasLastCall(GROUP, "settleEpoch");
    }

    function test_gas__settleTenEpochs() public {
        for (uint256 i = 0; i < 10; i++) {
            earn(1);
        }
        staking.settle(node, 10);
        vm.snapshotGasLastCall(GROUP, "settle10Epochs");
    }

    function test_gas__burnUnearned() public {
        rewards.burnUnearned(1000);
        earn(1);
        rewards.burnUnearned(1);
        vm.snapshotGasLastCall(GROUP, "burnUnearned");
    }

    function test_gas__slash() public {
        undelegate(bob, 5e18);
        vm.prank(address(custody));
        staking.slash(node, 100, 1000, alice, Epoch.wrap(9));
        vm.snapshotGasLastCall(GROUP, "slash");
    }
}
