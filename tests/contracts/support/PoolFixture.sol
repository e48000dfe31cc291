// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../../../contracts/interfaces/ICommittee.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IRewards} from "../../../contracts/interfaces/IRewards.sol";
import {IStaking} from "../../../contracts/interfaces/IStaking.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {WAL} from "../../../contracts/token/WAL.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {Epoch} from "../../../contracts/types/Epoch.sol";
import {NodeId} from "../../../contracts/types/NodeId.sol";
import {Timestamp} from "../../../contracts/types/Timestamp.sol";
import {TokenVault} from "../../../contracts/vault/TokenVault.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// @title PoolFixture
/// @notice One pool with a real vault and token, and this contract in the place of all who tell Staking something: it keeps
/// the clock, pays rewards to the unit, slashes, and knows who operates the node.
/// @dev Fees come in whole prices and few sizes, so rewards of any amount need somebody else to pay them.
abstract contract PoolFixture is Test {
    uint64 internal constant EPOCH_SECONDS = 1 days;
    uint64 internal constant GENESIS = 1_800_000_000;
    NodeId internal constant NODE = NodeId.wrap(1);
    uint128 internal constant ALL = type(uint128).max;

    WAL internal token;
    TokenVault internal vault;
    Staking internal staking;
    address internal operator;
    mapping(Epoch epoch => Amount) private _rewardOf;

    /// @notice Deploys all in epoch 1, with a committee in office; half of the supply is there to be paid as rewards.
    function deployPool(uint32 unbondingEpochs) internal {
        vm.warp(GENESIS);
        operator = makeAddr("operator");
        address[] memory modules = new address[](2);
        modules[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        modules[1] = address(this);
        token = new WAL(address(this), type(uint128).max);
        vault = new TokenVault(token, modules);
        staking = new Staking(
            vault,
            INodeRegistry(address(this)),
            ICommittee(address(this)),
            IRewards(address(this)),
            address(this),
            address(0),
            IStaking.Parameters({
                minimumStake: Amount.wrap(1), unbondingEpochs: unbondingEpochs, maximumCommissionBps: 10_000
            })
        );
        assertTrue(token.approve(address(vault), type(uint256).max));
        vault.collect(address(this), Amount.wrap(type(uint128).max / 2));
        staking.begin();
    }

    // What Staking asks its partners.

    function startOf(Epoch) external pure returns (Timestamp) {
        return Timestamp.wrap(GENESIS);
    }

    function epochSeconds() external pure returns (uint64) {
        return EPOCH_SECONDS;
    }

    function weightOf(NodeId) external pure returns (uint16) {
        return 0;
    }

    function operatorOf(NodeId) external view returns (address) {
        return operator;
    }

    function pay(NodeId, Epoch epoch) external returns (Amount reward) {
        reward = _rewardOf[epoch];
        if (!reward.isZero()) vault.move(address(staking), reward);
    }

    // What tests do.

    function epochNow() internal view returns (uint32) {
        return uint32((vm.getBlockTimestamp() - GENESIS) / EPOCH_SECONDS + 1);
    }

    /// @notice Lets the epoch end; the node earned `reward` in it.
    function nextEpoch(uint256 reward) internal {
        _rewardOf[Epoch.wrap(epochNow())] = Amount.wrap(uint128(reward));
        vm.warp(GENESIS + uint256(epochNow()) * EPOCH_SECONDS);
    }

    /// @notice Moves the clock to the middle of the epoch.
    function toCut() internal {
        vm.warp(GENESIS + uint256(epochNow() - 1) * EPOCH_SECONDS + EPOCH_SECONDS / 2);
    }

    function delegate(address who, uint128 amount) internal {
        assertTrue(token.transfer(who, amount));
        vm.prank(who);
        token.approve(address(vault), amount);
        vm.prank(who);
        staking.delegate(NODE, Amount.wrap(amount));
    }

    function undelegate(address who, uint128 amount) internal {
        vm.prank(who);
        staking.undelegate(NODE, Amount.wrap(amount));
    }

    function slash(uint16 bps) internal returns (uint256) {
        return Amount.unwrap(staking.slash(NODE, bps, 0, address(this), Epoch.wrap(0)));
    }

    function pool() internal view returns (IStaking.Pool memory) {
        return staking.poolOf(NODE);
    }

    function worth(address who) internal view returns (uint256) {
        return Amount.unwrap(staking.delegationOf(NODE, who).active);
    }

    function leaving(address who) internal view returns (uint256 sum) {
        IStaking.Unbonding[] memory found = staking.unbondingOf(NODE, who);
        for (uint256 i = 0; i < found.length; i++) {
            sum += Amount.unwrap(found[i].amount);
        }
    }
}
