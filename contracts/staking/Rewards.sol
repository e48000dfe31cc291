// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICommittee} from "../interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../interfaces/ICustodyChallenges.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {IStorageFees} from "../interfaces/IStorageFees.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title Rewards
/// @notice Divides the fees of past epochs: a part for each shard that was proved, the rest is burned.
/// @dev Flow: an epoch is over -> {pay} moves what a node earned, when its pool is settled -> {burnUnearned} burns what
/// nobody earned. The two go in any order: what an epoch earned, and who proved, does not change once it is over.
///
/// Keeps no money and no books of payments: an epoch of a node is paid once because its pool is settled once.
contract Rewards is IRewards {
    using SafeCast for uint256;

    uint256 private constant ONE_BPS = 10_000;
    uint16 private constant MAXIMUM_BURN_BPS = 5000;
    /// @dev More than the one line that an epoch adds, so that who comes late catches up; few, so that a call stays cheap.
    uint32 private constant SETTLE_LINES = 2;

    IStaking private immutable _staking;
    IStorageFees private immutable _fees;
    ICustodyChallenges private immutable _custody;
    Timestamp private immutable _genesis;
    uint64 private immutable _epochSeconds;
    uint16 private immutable _shards;

    /// @inheritdoc IRewards
    uint16 public immutable burnBps;

    /// @inheritdoc IRewards
    Epoch public burnedThrough;

    /// @param staking Keeps the pools, the only one that may ask for a reward.
    /// @param fees Holds the income; this contract must be its rewards contract.
    /// @param committee Gives the clock and the number of shards, which never change.
    /// @param custody Says who proved; deployed later.
    /// @param burnBps_ What of each income is burned: at most 5,000.
    constructor(
        IStaking staking,
        IStorageFees fees,
        ICommittee committee,
        ICustodyChallenges custody,
        uint16 burnBps_
    ) {
        if (burnBps_ > MAXIMUM_BURN_BPS) revert Rewards_BurnOutOfBounds(MAXIMUM_BURN_BPS, burnBps_);
        _staking = staking;
        _fees = fees;
        _custody = custody;
        _genesis = committee.startOf(Epoch.wrap(1));
        _epochSeconds = committee.epochSeconds();
        _shards = committee.shards();
        burnBps = burnBps_;
    }

    /// @inheritdoc IRewards
    function pay(NodeId nodeId, Epoch epoch) external returns (Amount reward) {
        // Check: the pools ask for an epoch that is over.
        if (msg.sender != address(_staking)) revert Rewards_CallerNotStaking(address(_staking), msg.sender);
        _checkOver(epoch);

        // Interaction: the fees become stake.
        uint256 passed = _custody.passedShards(epoch, nodeId);
        if (passed == 0) return reward;
        _fees.settle(SETTLE_LINES);
        reward = _parts(_fees.incomeOf(epoch), passed);
        if (!reward.isZero()) _fees.payOut(address(_staking), reward);
    }

    /// @inheritdoc IRewards
    function burnUnearned(uint32 maximum) external returns (Epoch through) {
        // Check: these epochs are over.
        Epoch done = burnedThrough;
        through = done.plus(uint32(Math.min(done.until(_currentEpoch()) - 1, maximum)));

        // Effect: they are never burned again.
        burnedThrough = through;

        // Interaction: income that nobody earned is no more. An epoch without a committee or a window was earned by nobody.
        _fees.settle(maximum);
        Amount total;
        for (Epoch epoch = done.plus(1); epoch <= through; epoch = epoch.plus(1)) {
            Amount income = _fees.incomeOf(epoch);
            uint256 passed = _custody.totalPassedShards(epoch);
            Amount burned = income - _parts(income, passed);
            total = total + burned;
            emit UnearnedBurned(epoch, income, _parts(income, 1), passed, burned);
        }
        if (!total.isZero()) _fees.burn(total);
    }

    /// @inheritdoc IRewards
    function rewardOf(NodeId nodeId, Epoch epoch) external view returns (Amount) {
        _checkOver(epoch);
        return _parts(_fees.incomeOf(epoch), _custody.passedShards(epoch, nodeId));
    }

    /// @inheritdoc IRewards
    function partOf(Epoch epoch) external view returns (Amount) {
        return _parts(_fees.incomeOf(epoch), 1);
    }

    /// @dev What `count` shards earn: each the same, rounded down.
    function _parts(Amount income, uint256 count) private view returns (Amount) {
        uint256 part = uint256(Amount.unwrap(income)) * (ONE_BPS - burnBps) / (ONE_BPS * _shards);
        // No more than the income: an epoch has `_shards` parts at most.
        return Amount.wrap((part * count).toUint128());
    }

    function _checkOver(Epoch epoch) private view {
        Epoch current = _currentEpoch();
        if (epoch >= current) revert Rewards_EpochNotOver(epoch, current);
    }

    function _currentEpoch() private view returns (Epoch) {
        return EpochClock.current(_genesis, _epochSeconds);
    }
}
