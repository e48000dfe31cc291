// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICommittee} from "../interfaces/ICommittee.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {PoolMath} from "../libraries/PoolMath.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Candidates} from "./Candidates.sol";
import {StakingPools} from "./StakingPools.sol";
import {UnbondingPots} from "./UnbondingPots.sol";

/// @title Staking
/// @notice Keeps the WAL that stands behind the nodes: brings it into the pools, out of them, and takes it for faults.
/// @dev Glossary, flow and invariants: {IStaking}; books: {StakingPools} and {UnbondingPots}; who may serve: {Candidates}.
///
/// What a slash reaches: all stake that was active or unbonding when it happens. Stake that leaves stays in reach for
/// {unbondingEpochs}; only gains go at once, which could as well have been taken before. Deposits that wait did not stand
/// behind the node yet.
contract Staking is Candidates, UnbondingPots {
    using PoolMath for Amount;
    using SafeCast for uint256;

    uint256 private constant MINIMUM_UNBONDING_EPOCHS = 3;
    uint256 private constant MAXIMUM_UNBONDING_EPOCHS = 100;
    uint256 private constant MAXIMUM_COMMISSION_BPS = 10_000;
    uint256 private constant MAXIMUM_SLASH_BPS = 5000;
    uint256 private constant MAXIMUM_BOUNTY_BPS = 5000;
    /// @dev No deposit is taken once a share is worth 2^-20 units or less.
    uint256 private constant EXHAUSTION_BITS = 20;
    /// @dev Nor once it is worth 2^30 units or more: who holds all of few shares could let deposits be rounded to none.
    uint256 private constant INFLATION_BITS = 30;
    /// @dev Epochs from {setCommission} until it counts.
    uint32 private constant COMMISSION_NOTICE = 2;

    ITokenVault private immutable _vault;
    address private immutable _custody;
    address private immutable _jobs;

    /// @inheritdoc IStaking
    uint32 public immutable unbondingEpochs;

    /// @inheritdoc IStaking
    uint16 public immutable maximumCommissionBps;

    /// @param vault Holds all stake; this contract must be one of its modules.
    /// @param nodes Says who operates a node.
    /// @param committee Gives the clock, and says which nodes serve.
    /// @param rewards Pays what a node earned; deployed later.
    /// @param custody May slash; deployed later.
    /// @param jobs May slash too, nobody else; deployed later.
    constructor(
        ITokenVault vault,
        INodeRegistry nodes,
        ICommittee committee,
        IRewards rewards,
        address custody,
        address jobs,
        Parameters memory parameters
    ) StakingPools(nodes, committee, rewards) Candidates(parameters.minimumStake) {
        _checkBounds("minimumStake", 1, type(uint96).max, Amount.unwrap(parameters.minimumStake));
        _checkBounds("unbondingEpochs", MINIMUM_UNBONDING_EPOCHS, MAXIMUM_UNBONDING_EPOCHS, parameters.unbondingEpochs);
        _checkBounds("maximumCommissionBps", 0, MAXIMUM_COMMISSION_BPS, parameters.maximumCommissionBps);
        _vault = vault;
        _custody = custody;
        _jobs = jobs;
        unbondingEpochs = parameters.unbondingEpochs;
        maximumCommissionBps = parameters.maximumCommissionBps;
    }

    /// @inheritdoc IStaking
    function delegate(NodeId nodeId, Amount amount) external {
        // Check: something is added to a pool in which it gets shares and can leave, and whose stake fits.
        if (amount.isZero()) revert Staking_ZeroAmount(nodeId);
        PoolState storage pool = _openPool(nodeId);
        _checkWorth(nodeId, pool.active, pool.shares);
        _checkWorth(nodeId, pool.unbonding, pool.unbondingShares);
        uint256 stake = uint256(Amount.unwrap(pool.active)) + pool.first + pool.second + Amount.unwrap(amount);
        stake.toUint96();

        // Effect: it waits for its epoch. No more than `stake`, so it fits as well.
        // forge-lint: disable-next-line(unsafe-typecast)
        Epoch from = _addWaiting(nodeId, pool, uint96(Amount.unwrap(amount)));
        emit Delegated(nodeId, msg.sender, amount, from);

        // Interaction: the vault takes it.
        _vault.collect(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function undelegate(NodeId nodeId, Amount amount) external {
        // Check: the caller takes out what is there.
        PoolState storage pool = _pools[nodeId];
        _catchUp(nodeId, _clockOfLeaving(pool));
        Stake memory stake = _stakeOf(nodeId, msg.sender);
        Amount active = _worthOf(nodeId, stake);
        bool all = Amount.unwrap(amount) == type(uint128).max;
        if (all) amount = active;
        if (amount.isZero()) revert Staking_ZeroAmount(nodeId);
        if (amount > active) revert Staking_StakeTooSmall(nodeId, amount, active);

        // Effect: from the pool into the pot, and as much of what was paid in is no longer in the pool.
        uint128 given = all ? stake.shares : amount.toSharesUp(pool.active, pool.shares);
        stake.principal = stake.principal - PoolMath.toAmountDown(given, stake.principal, stake.shares);
        _giveUp(nodeId, stake, given, amount);
        Epoch release = _currentEpoch().plus(unbondingEpochs);
        _enterPot(nodeId, amount, release);
        emit Undelegated(nodeId, msg.sender, amount, release);
    }

    /// @inheritdoc IStaking
    function withdrawUnbonded(NodeId nodeId) external returns (Amount amount) {
        // Check: what must stay, stays.
        _checkServing(nodeId);

        // Effect: it leaves the pot.
        amount = _leavePot(nodeId, _currentEpoch());
        emit UnbondedWithdrawn(nodeId, msg.sender, amount);

        // Interaction: the vault owes it to the caller.
        _vault.release(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function claimRewards(NodeId nodeId) external returns (Amount amount) {
        // Check: the caller has more than it paid in.
        _catchUp(nodeId, _poolClock());
        PoolState storage pool = _pools[nodeId];
        Stake memory stake = _stakeOf(nodeId, msg.sender);
        Amount active = _worthOf(nodeId, stake);
        if (active <= stake.principal) revert Staking_NothingEarned(nodeId);

        // Effect: the gain leaves the pool. An operator's may be part of what must stay.
        amount = active - stake.principal;
        _giveUp(nodeId, stake, amount.toSharesUp(pool.active, pool.shares), amount);
        _checkServing(nodeId);
        emit RewardsClaimed(nodeId, msg.sender, amount);

        // Interaction: the vault owes it to the caller.
        _vault.release(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function claimCommission(NodeId nodeId) external onlyOperator(nodeId) returns (Amount amount) {
        // Check: there is some.
        _catchUp(nodeId, _poolClock());
        PoolState storage pool = _pools[nodeId];
        amount = pool.commission;
        if (amount.isZero()) revert Staking_NothingEarned(nodeId);

        // Effect: there is none.
        pool.commission = Amount.wrap(0);
        emit CommissionClaimed(nodeId, msg.sender, amount);

        // Interaction: the vault owes it to the operator.
        _vault.release(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function setCommission(NodeId nodeId, uint16 commissionBps) external onlyOperator(nodeId) {
        // Check: it is within the limit. What was earned so far keeps the rate of its time.
        if (commissionBps > maximumCommissionBps) {
            revert Staking_CommissionTooHigh(nodeId, maximumCommissionBps, commissionBps);
        }
        PoolState storage pool = _openPool(nodeId);
        _catchUp(nodeId, _poolClock());

        // Effect: it counts later.
        Epoch current = _currentEpoch();
        Epoch from = current.plus(COMMISSION_NOTICE);
        uint16 oldBps = _commissionBpsAt(pool, current);
        pool.commissionBps = oldBps;
        pool.nextCommissionBps = commissionBps;
        pool.nextCommissionFrom = from;
        emit CommissionChanged(nodeId, oldBps, commissionBps, from);
    }

    /// @inheritdoc IStaking
    function slash(NodeId nodeId, uint16 bps, uint16 bountyBps, address reporter, Epoch jailUntil)
        external
        returns (Amount slashed)
    {
        // Check: one who may asks, within the limits.
        if (msg.sender != _custody && msg.sender != _jobs) revert Staking_CallerNotAllowed(_custody, msg.sender);
        _checkBounds("bps", 0, MAXIMUM_SLASH_BPS, bps);
        _checkBounds("bountyBps", 0, MAXIMUM_BOUNTY_BPS, bountyBps);
        _catchUp(nodeId, _poolClock());

        // Effect: each share is worth less. At most half is taken, rounded down, so some unit stays.
        PoolState storage pool = _pools[nodeId];
        Amount active = pool.active.portionDown(bps);
        Amount unbonding = pool.unbonding.portionDown(bps);
        slashed = active + unbonding;
        Amount bounty = _bountyFor(slashed, bps, bountyBps);
        pool.active = pool.active - active;
        pool.unbonding = pool.unbonding - unbonding;
        emit Slashed(nodeId, reporter, active, unbonding, bounty);
        if (jailUntil > pool.jailedUntil) {
            pool.jailedUntil = jailUntil;
            emit Jailed(nodeId, jailUntil);
        }

        // Interaction: the bounty becomes a claim, the rest is no more.
        Amount burned = slashed - bounty;
        if (!bounty.isZero()) _vault.release(reporter, bounty);
        if (!burned.isZero()) _vault.burn(burned);
    }

    /// @inheritdoc IStaking
    function totalStake() external view returns (Amount) {
        return _vault.reserveOf(address(this));
    }

    /// @dev A part of what the slash takes of the minimum that is the operator's own, however large the pool: what delegators
    /// lose must not pay an operator who misses on purpose and reports itself.
    function _bountyFor(Amount slashed, uint16 bps, uint16 bountyBps) private view returns (Amount) {
        Amount own = minimumStake.portionDown(bps);
        return (own < slashed ? own : slashed).portionDown(bountyBps);
    }

    /// @dev Takes `shares` worth `amount` from the caller, whose `stake` has all its shares, and from the pool.
    function _giveUp(NodeId nodeId, Stake memory stake, uint128 shares, Amount amount) private {
        PoolState storage pool = _pools[nodeId];
        stake.shares -= shares;
        _stakes[nodeId][msg.sender] = stake;
        pool.active = pool.active - amount;
        pool.shares -= shares;
    }

    /// @dev An operator whose node serves takes nothing out while its own stake is below the minimum.
    function _checkServing(NodeId nodeId) private view {
        if (msg.sender != _nodes.operatorOf(nodeId)) return;
        if (minimumStake <= ownStakeAt(nodeId, _currentEpoch())) return;
        uint16 shards = _committee.weightOf(nodeId);
        if (shards != 0) revert Staking_NodeServing(nodeId, shards);
    }

    /// @dev New stake gets shares, and must get a place in the pot when it leaves: neither may be worn out by slashes, nor
    /// may a share be so dear that much of a deposit is rounded away.
    function _checkWorth(NodeId nodeId, Amount total, uint128 shares) private pure {
        if (shares == 0) return;
        if (Amount.unwrap(total) <= shares >> EXHAUSTION_BITS) revert Staking_PoolExhausted(nodeId, total, shares);
        if (Amount.unwrap(total) >> INFLATION_BITS >= shares) revert Staking_PoolInflated(nodeId, total, shares);
    }

    function _checkBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert Staking_ParameterOutOfBounds(parameter, minimum, maximum, actual);
        }
    }
}
