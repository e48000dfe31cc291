// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../interfaces/ICustodyChallenges.sol";
import {IDutyLens} from "../interfaces/IDutyLens.sol";
import {IPrices} from "../interfaces/IPrices.sol";
import {IRandomness} from "../interfaces/IRandomness.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title DutyLens
/// @notice Puts together from the other contracts' views what an agent may do now. It keeps nothing and may be replaced by
/// a better one at any time.
contract DutyLens is IDutyLens {
    ICommittee private immutable _committee;
    IStaking private immutable _staking;
    IPrices private immutable _prices;
    IRewards private immutable _rewards;
    ICustodyChallenges private immutable _custody;
    IRandomness private immutable _randomness;

    constructor(
        ICommittee committee,
        IStaking staking,
        IPrices prices,
        IRewards rewards,
        ICustodyChallenges custody,
        IRandomness randomness
    ) {
        _committee = committee;
        _staking = staking;
        _prices = prices;
        _rewards = rewards;
        _custody = custody;
        _randomness = randomness;
    }

    /// @inheritdoc IDutyLens
    function dutiesOf(NodeId nodeId) external view returns (Duties memory duties) {
        Timestamp now_ = Timestamp.wrap(uint64(block.timestamp));
        Epoch current = _committee.currentEpoch();
        Epoch office = _committee.epoch();
        duties.timestamp = Timestamp.unwrap(now_);
        duties.blockNumber = uint64(block.number);
        duties.currentEpoch = current;
        duties.officeEpoch = office;
        duties.settled = _staking.poolOf(nodeId).settled;
        duties.burnedThrough = _rewards.burnedThrough();
        if (Epoch.unwrap(office) == 0) return duties;

        _addCommittee(duties, nodeId);
        _addWindow(duties, nodeId, now_);
        Epoch target = _committee.targetEpoch();
        duties.tally = target > current && _prices.talliedFor() < target;
        duties.misses = _misses(current, now_);
    }

    /// @dev What may be done about the committee.
    function _addCommittee(Duties memory duties, NodeId nodeId) private view {
        duties.select = _committee.isSelectionDue();
        duties.advance = _committee.isAdvanceDue() && !_custody.isOpen();

        (, uint256 shards) = _committee.seatOf(duties.officeEpoch, nodeId);
        duties.pending = shards & _committee.pendingShards();
    }

    /// @dev What may be done about the present epoch's window.
    function _addWindow(Duties memory duties, NodeId nodeId, Timestamp now_) private view {
        (Timestamp from, Timestamp until, Timestamp closes) = _custody.timesOf(duties.currentEpoch);
        ICustodyChallenges.Window memory window = _custody.windowOf(duties.currentEpoch);
        bool opened = Epoch.unwrap(window.committeeEpoch) != 0;
        duties.closes = closes;
        duties.seed = window.seed;
        duties.open = !opened && !(now_ < from) && now_ < until;
        if (!opened || !(now_ < closes)) return;

        bool readable = window.seed != 0 || _randomness.isRevealed(window.ticket);
        duties.capture = window.seed == 0 && readable;
        (uint256 member, uint256 shards) = _committee.seatOf(window.committeeEpoch, nodeId);
        duties.prove = readable && !window.empty && shards & ~window.exempt != 0 && (window.proved >> member) & 1 == 0;
    }

    /// @dev What can be reported of the present epoch and the one before.
    function _misses(Epoch current, Timestamp now_) private view returns (Miss[] memory misses) {
        misses = new Miss[](2 * 255);
        uint256 found = 0;
        for (uint32 back = 0; back < 2 && Epoch.unwrap(current) > back; ++back) {
            Epoch epoch = Epoch.wrap(Epoch.unwrap(current) - back);
            (,, Timestamp closes) = _custody.timesOf(epoch);
            ICustodyChallenges.Window memory window = _custody.windowOf(epoch);
            // A window whose seed was not captured is void.
            if (Epoch.unwrap(window.committeeEpoch) == 0 || window.empty || window.seed == 0 || now_ < closes) {
                continue;
            }
            found = _addMisses(misses, found, epoch, window);
        }
        // Shortens the array to what was found; its memory stays taken.
        assembly ("memory-safe") {
            mstore(misses, found)
        }
    }

    /// @dev Members of a window's committee that had due shards and neither proved nor were reported.
    function _addMisses(Miss[] memory misses, uint256 found, Epoch epoch, ICustodyChallenges.Window memory window)
        private
        view
        returns (uint256)
    {
        NodeId[] memory members = _committee.membersOf(window.committeeEpoch);
        bytes memory assignment = _committee.assignmentOf(window.committeeEpoch);
        uint256 due = 0;
        for (uint256 shard = 0; shard < assignment.length; ++shard) {
            if ((window.exempt >> shard) & 1 == 0) due |= 1 << uint8(assignment[shard]);
        }
        due &= ~(window.proved | window.reported);
        for (uint256 member = 0; member < members.length; ++member) {
            if ((due >> member) & 1 == 1) misses[found++] = Miss(epoch, members[member]);
        }
        return found;
    }
}
