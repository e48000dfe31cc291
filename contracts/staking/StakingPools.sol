// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICommittee} from "../interfaces/ICommittee.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {PoolMath} from "../libraries/PoolMath.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title StakingPools
/// @notice The books of the pools: what each holds, who has which part of it, and how rewards and deposits enter.
/// @dev Flow: a deposit waits in the pool and with its owner -> {settle} brings it into the pool, at a rate that is
/// remembered for its epoch -> its owner's shares follow from that rate whenever they are next asked for.
///
/// A deposit that counts from epoch p on gets its shares after the reward of epoch p - 1 came in, so it has no part in what
/// was earned before it. Settling late changes nothing: whatever else touches active stake settles first.
///
/// Invariants:
/// - Deposits without shares are the pool's `first`, `second` and `parked`. What is parked counts from an epoch that has
///   begun; only pools that nobody settled have any.
/// - The shares of all owners, those included that follow from remembered rates, are at most the pool's.
/// - A deposit is taken only while a share is worth more than 2^-20, and while the pool stays below 2^96. Slashes halve it at
///   most, a few times until the deposit has its shares; so no number of shares comes near 2^128, and settling never fails.
abstract contract StakingPools is IStaking {
    using PoolMath for Amount;
    using SafeCast for uint256;

    /// @dev A pool as it is stored. `first` counts from `firstEpoch` on, `second` from the epoch after; `second` is zero when
    /// `first` is. A delegation writes this second slot only, unless older deposits have to make room.
    struct PoolState {
        Amount active;
        uint128 shares;
        Epoch settled;
        Epoch firstEpoch;
        uint96 first;
        uint96 second;
        Amount unbonding;
        uint128 unbondingShares;
        Amount commission;
        uint16 commissionBps;
        uint16 nextCommissionBps;
        Epoch nextCommissionFrom;
        /// @dev Deposits of epochs before `firstEpoch`, kept by epoch.
        uint96 parked;
        Epoch jailedUntil;
        /// @dev Place among the candidates, from 1; zero when it has none.
        uint16 place;
    }

    /// @dev What somebody has in a pool, deposits as in {PoolState}. A first delegation writes the first slot only.
    struct Stake {
        uint96 first;
        uint96 second;
        Epoch firstEpoch;
        uint128 shares;
        Amount principal;
    }

    /// @dev What the shares of a pool were worth when the deposits of an epoch got theirs; zero shares: one unit each.
    struct Rate {
        Amount active;
        uint128 shares;
    }

    /// @dev How many epochs a call settles by itself.
    uint32 private constant SETTLE_STEPS = 32;
    /// @dev With fewer shares a reward could make one of them worth so much that small deposits are rounded away; so it goes
    /// to the commission.
    uint128 private constant MINIMUM_EARNING_SHARES = 1e15;

    INodeRegistry internal immutable _nodes;
    ICommittee internal immutable _committee;
    IRewards private immutable _rewards;
    Timestamp private immutable _genesis;
    uint64 private immutable _epochSeconds;

    mapping(NodeId nodeId => PoolState) internal _pools;
    mapping(NodeId nodeId => mapping(address delegator => Stake)) internal _stakes;
    mapping(NodeId nodeId => mapping(Epoch epoch => uint96)) private _parkedAt;
    mapping(NodeId nodeId => mapping(Epoch epoch => Rate)) private _rates;

    /// @dev The epoch in which the first committee took office; zero before.
    Epoch private _begun;

    constructor(INodeRegistry nodes, ICommittee committee, IRewards rewards) {
        _nodes = nodes;
        _committee = committee;
        _rewards = rewards;
        _genesis = committee.startOf(Epoch.wrap(1));
        _epochSeconds = committee.epochSeconds();
    }

    modifier onlyOperator(NodeId nodeId) {
        address operator = _nodes.operatorOf(nodeId);
        if (msg.sender != operator) revert Staking_CallerNotOperator(nodeId, operator, msg.sender);
        _;
    }

    /// @inheritdoc IStaking
    function settle(NodeId nodeId, uint32 maximum) external returns (Epoch settled) {
        _openPool(nodeId);
        return _settle(nodeId, _poolClock(), maximum);
    }

    /// @inheritdoc IStaking
    function begin() external {
        // Check: the committee says so.
        if (msg.sender != address(_committee)) revert Staking_CallerNotAllowed(address(_committee), msg.sender);

        // Effect: the clock of the pools runs.
        _begun = _currentEpoch();
    }

    /// @inheritdoc IStaking
    function poolOf(NodeId nodeId) external view returns (Pool memory) {
        PoolState storage pool = _pools[nodeId];
        return Pool({
            settled: pool.settled,
            active: pool.active,
            shares: pool.shares,
            waiting: Amount.wrap(uint128(pool.first) + pool.second + pool.parked),
            unbonding: pool.unbonding,
            unbondingShares: pool.unbondingShares,
            commission: pool.commission,
            commissionBps: _commissionBpsAt(pool, _currentEpoch()),
            nextCommissionBps: pool.nextCommissionBps,
            nextCommissionFrom: pool.nextCommissionFrom,
            jailedUntil: pool.jailedUntil,
            standing: pool.place != 0
        });
    }

    /// @inheritdoc IStaking
    function delegationOf(NodeId nodeId, address delegator) external view returns (Delegation memory) {
        Stake memory stake = _stakeOf(nodeId, delegator);
        Epoch until = stake.second != 0 ? stake.firstEpoch.plus(1) : stake.firstEpoch;
        return Delegation({
            active: _worthOf(nodeId, stake),
            principal: stake.principal,
            waiting: Amount.wrap(uint128(stake.first) + stake.second),
            waitingUntil: stake.first != 0 ? until : Epoch.wrap(0),
            shares: stake.shares
        });
    }

    /// @inheritdoc IStaking
    function activationEpoch() external view returns (Epoch) {
        return Epoch.unwrap(_begun) == 0 ? Epoch.wrap(1) : _targetEpoch().plus(1);
    }

    /// @inheritdoc IStaking
    function ownStakeAt(NodeId nodeId, Epoch epoch) public view returns (Amount amount) {
        Stake memory stake = _stakeOf(nodeId, _nodes.operatorOf(nodeId));
        amount = _worthOf(nodeId, stake);
        if (stake.firstEpoch <= epoch) amount = amount + Amount.wrap(stake.first);
        if (stake.firstEpoch < epoch) amount = amount + Amount.wrap(stake.second);
    }

    /// @inheritdoc IStaking
    function stakeAt(NodeId nodeId, Epoch epoch) public view returns (Amount) {
        PoolState storage pool = _pools[nodeId];
        uint128 waiting = pool.parked;
        Epoch first = pool.firstEpoch;
        if (first <= epoch) waiting += pool.first;
        if (first < epoch) waiting += pool.second;
        return pool.active + Amount.wrap(waiting);
    }

    /// @dev Starts the pool of a node that nobody dealt with before; the registry refuses a node that does not exist.
    function _openPool(NodeId nodeId) internal returns (PoolState storage pool) {
        pool = _pools[nodeId];
        if (Epoch.unwrap(pool.settled) == 0 && pool.first == 0) {
            _nodes.operatorOf(nodeId);
            pool.settled = _poolClock();
        }
    }

    /// @dev Settles a pool up to now, or reverts when it is too far behind.
    function _catchUp(NodeId nodeId, Epoch clock) internal {
        Epoch settled = _settle(nodeId, clock, SETTLE_STEPS);
        if (settled < clock) revert Staking_PoolBehind(nodeId, settled, clock);
    }

    /// @dev Puts a deposit into the books of the pool and of its owner.
    /// @return from The epoch from which on it counts.
    function _addWaiting(NodeId nodeId, PoolState storage pool, uint96 amount) internal returns (Epoch from) {
        // Before the first committee takes office nothing is earned, so a deposit counts from the pool's next epoch on.
        from = (Epoch.unwrap(_begun) == 0 ? pool.settled : _targetEpoch()).plus(1);

        Stake storage stake = _stakes[nodeId][msg.sender];
        if (stake.first != 0 && from > stake.firstEpoch.plus(1)) {
            // The two places are taken by deposits of which the first, at least, is due: it makes room.
            _catchUp(nodeId, _poolClock());
            _stakes[nodeId][msg.sender] = _stakeOf(nodeId, msg.sender);
        }
        (stake.first, stake.second, stake.firstEpoch) =
            _placed(stake.first, stake.second, stake.firstEpoch, amount, from);

        while (pool.first != 0 && from > pool.firstEpoch.plus(1)) {
            _park(nodeId, pool);
        }
        (pool.first, pool.second, pool.firstEpoch) = _placed(pool.first, pool.second, pool.firstEpoch, amount, from);
    }

    /// @dev What somebody has in a pool, with shares for all deposits up to which the pool is settled.
    function _stakeOf(NodeId nodeId, address delegator) internal view returns (Stake memory stake) {
        stake = _stakes[nodeId][delegator];
        Epoch settled = _pools[nodeId].settled;
        while (stake.first != 0 && stake.firstEpoch <= settled) {
            Rate storage rate = _rates[nodeId][stake.firstEpoch];
            Amount amount = Amount.wrap(stake.first);
            stake.shares += amount.toSharesDown(rate.active, rate.shares);
            stake.principal = stake.principal + amount;
            stake.first = stake.second;
            stake.second = 0;
            stake.firstEpoch = stake.firstEpoch.plus(1);
        }
    }

    /// @dev What the shares in `stake` are worth.
    function _worthOf(NodeId nodeId, Stake memory stake) internal view returns (Amount) {
        PoolState storage pool = _pools[nodeId];
        return PoolMath.toAmountDown(stake.shares, pool.active, pool.shares);
    }

    /// @dev What the operator keeps of the reward of `epoch`, which is not before any that the pool settled.
    function _commissionBpsAt(PoolState storage pool, Epoch epoch) internal view returns (uint16) {
        return pool.nextCommissionFrom <= epoch ? pool.nextCommissionBps : pool.commissionBps;
    }

    /// @dev The epoch up to which pools are settled. It stands at zero until the first committee takes office, so that all
    /// deposits before it count at once.
    function _poolClock() internal view returns (Epoch) {
        return Epoch.unwrap(_begun) == 0 ? Epoch.wrap(0) : _currentEpoch();
    }

    /// @dev The epoch up to which a pool is settled for somebody who leaves. Before the first committee takes office nothing is
    /// locked: just what was deposited gets its shares. Never ahead of the true clock, or later deposits would be passed over.
    function _clockOfLeaving(PoolState storage pool) internal view returns (Epoch clock) {
        clock = _currentEpoch();
        if (Epoch.unwrap(_begun) != 0) return clock;
        Epoch due = pool.first == 0 ? pool.settled : pool.firstEpoch;
        if (due < clock) clock = due;
    }

    function _currentEpoch() internal view returns (Epoch) {
        return EpochClock.current(_genesis, _epochSeconds);
    }

    function _targetEpoch() internal view returns (Epoch) {
        return EpochClock.target(_genesis, _epochSeconds);
    }

    /// @dev At most `maximum` steps towards `clock`.
    function _settle(NodeId nodeId, Epoch clock, uint32 maximum) private returns (Epoch settled) {
        // Check: there is something to do.
        PoolState storage pool = _pools[nodeId];
        Epoch first = pool.settled;
        if (clock <= first) return first;

        // Effect: these epochs are never settled again.
        settled = first.plus(uint32(Math.min(first.until(clock), maximum)));
        pool.settled = settled;

        // Interaction: each brings its reward, then its deposits. Rewards come from a fixed partner that calls nobody back.
        for (Epoch epoch = first; epoch < settled; epoch = epoch.plus(1)) {
            (Amount reward, Amount commission) = _takeReward(nodeId, pool, epoch);
            _giveShares(nodeId, pool, epoch.plus(1));
            emit PoolSettled(nodeId, epoch, reward, commission, pool.active);
        }
    }

    /// @dev Brings the reward of `epoch` into the pool; none was earned before the first committee.
    function _takeReward(NodeId nodeId, PoolState storage pool, Epoch epoch)
        private
        returns (Amount reward, Amount commission)
    {
        Epoch begun = _begun;
        if (Epoch.unwrap(begun) == 0 || epoch < begun) return (reward, commission);
        reward = _rewards.pay(nodeId, epoch);
        if (reward.isZero()) return (reward, commission);

        commission = pool.shares < MINIMUM_EARNING_SHARES ? reward : reward.portionDown(_commissionBpsAt(pool, epoch));
        pool.active = pool.active + (reward - commission);
        pool.commission = pool.commission + commission;
    }

    /// @dev Makes the deposits active that count from `epoch` on, and remembers at which rate.
    function _giveShares(NodeId nodeId, PoolState storage pool, Epoch epoch) private {
        uint96 deposits;
        if (pool.first != 0 && pool.firstEpoch == epoch) {
            deposits = _shift(pool);
        } else if (pool.parked != 0) {
            deposits = _parkedAt[nodeId][epoch];
            pool.parked -= deposits;
            delete _parkedAt[nodeId][epoch];
        }
        if (deposits == 0) return;

        Amount amount = Amount.wrap(deposits);
        Amount active = pool.active;
        uint128 shares = pool.shares;
        if (shares != 0) _rates[nodeId][epoch] = Rate(active, shares);
        pool.active = active + amount;
        pool.shares = shares + amount.toSharesDown(active, shares);
    }

    /// @dev Keeps the pool's first deposits by their epoch, which has begun: the pool is behind.
    function _park(NodeId nodeId, PoolState storage pool) private {
        Epoch epoch = pool.firstEpoch;
        uint96 deposits = _shift(pool);
        _parkedAt[nodeId][epoch] = deposits;
        pool.parked += deposits;
    }

    /// @dev Takes the pool's first deposits; the second move up.
    function _shift(PoolState storage pool) private returns (uint96 deposits) {
        deposits = pool.first;
        pool.first = pool.second;
        pool.second = 0;
        pool.firstEpoch = pool.firstEpoch.plus(1);
    }

    /// @dev Adds a deposit that counts from `from` on to waiting ones, among which it must find a place.
    function _placed(uint96 first, uint96 second, Epoch firstEpoch, uint96 amount, Epoch from)
        private
        pure
        returns (uint96, uint96, Epoch)
    {
        if (first == 0) return (amount, 0, from);
        return firstEpoch == from ? (first + amount, second, from) : (first, second + amount, firstEpoch);
    }
}
