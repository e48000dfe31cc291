// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStaking} from "../interfaces/IStaking.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {StakingPools} from "./StakingPools.sol";

/// @title Candidates
/// @notice The nodes that want to serve, and whether they may.
/// @dev Flow: own stake reaches the minimum -> {stand} -> {candidatesAt} names the node while it is eligible -> {dismiss}
/// once it is not.
///
/// A node may stand as soon as its own stake is deposited, before it counts; {candidatesAt} passes it over until then. So
/// nobody has to hurry between the moment it counts and the choice of the committee.
///
/// Invariant: `_candidates[place - 1]` is the node for every node that has a place. Who fills the set with needless
/// candidates has to put real stake behind each, and gives way to whoever has more.
abstract contract Candidates is StakingPools {
    uint256 private constant MAXIMUM_CANDIDATES = 128;

    /// @inheritdoc IStaking
    Amount public immutable minimumStake;

    NodeId[] private _candidates;

    constructor(Amount minimumStake_) {
        minimumStake = minimumStake_;
    }

    /// @inheritdoc IStaking
    function stand(NodeId nodeId) external {
        // Check: an eligible node that does not stand yet finds a place.
        Epoch target = _targetEpoch();
        Amount ownStake = ownStakeAt(nodeId, target.plus(1));
        PoolState storage pool = _pools[nodeId];
        if (!_isEligible(pool, ownStake)) {
            revert Staking_NotEligible(nodeId, minimumStake, ownStake, pool.jailedUntil);
        }
        if (pool.place != 0) return;
        if (_candidates.length == MAXIMUM_CANDIDATES) {
            (NodeId weakest, Amount least) = _weakest(target);
            Amount stake = stakeAt(nodeId, target);
            if (stake <= least) revert Staking_CandidatesFull(nodeId, least, stake);
            _removeCandidate(weakest);
        }

        // Effect: it stands.
        _candidates.push(nodeId);
        // At most 128 places.
        // forge-lint: disable-next-line(unsafe-typecast)
        pool.place = uint16(_candidates.length);
        emit CandidateEntered(nodeId);
    }

    /// @inheritdoc IStaking
    function dismiss(NodeId nodeId) external {
        // Check: it is not eligible, whatever is still to count.
        PoolState storage pool = _pools[nodeId];
        if (_isEligible(pool, ownStakeAt(nodeId, _targetEpoch().plus(1)))) revert Staking_Eligible(nodeId);

        // Effect: it does not stand any more.
        if (pool.place != 0) _removeCandidate(nodeId);
    }

    /// @inheritdoc IStaking
    function unjail(NodeId nodeId) external onlyOperator(nodeId) {
        // Check: it was jailed, long enough.
        PoolState storage pool = _pools[nodeId];
        Epoch until = pool.jailedUntil;
        Epoch current = _currentEpoch();
        if (Epoch.unwrap(until) == 0 || current < until) revert Staking_StillJailed(nodeId, until, current);

        // Effect: it may stand again.
        pool.jailedUntil = Epoch.wrap(0);
        emit Unjailed(nodeId);
    }

    /// @inheritdoc IStaking
    function candidatesAt(Epoch epoch) external view returns (NodeId[] memory nodeIds, uint256[] memory stakes) {
        uint256 standing = _candidates.length;
        nodeIds = new NodeId[](standing);
        stakes = new uint256[](standing);
        uint256 found;
        for (uint256 i = 0; i < standing; i++) {
            NodeId nodeId = _candidates[i];
            if (!_isEligible(_pools[nodeId], ownStakeAt(nodeId, epoch))) continue;
            nodeIds[found] = nodeId;
            stakes[found++] = Amount.unwrap(stakeAt(nodeId, epoch));
        }

        // Only ever shorter than allocated.
        assembly ("memory-safe") {
            mstore(nodeIds, found)
            mstore(stakes, found)
        }
    }

    /// @inheritdoc IStaking
    function isCandidate(NodeId nodeId) external view returns (bool) {
        return _pools[nodeId].place != 0;
    }

    function _removeCandidate(NodeId nodeId) private {
        uint16 place = _pools[nodeId].place;
        NodeId last = _candidates[_candidates.length - 1];
        _candidates[place - 1] = last;
        _candidates.pop();
        _pools[last].place = place;
        _pools[nodeId].place = 0;
        emit CandidateLeft(nodeId);
    }

    /// @dev The candidate with the least stake in `epoch`, the first of several. There must be one.
    function _weakest(Epoch epoch) private view returns (NodeId weakest, Amount least) {
        uint256 standing = _candidates.length;
        for (uint256 i = 0; i < standing; i++) {
            Amount stake = stakeAt(_candidates[i], epoch);
            if (i != 0 && least <= stake) continue;
            (weakest, least) = (_candidates[i], stake);
        }
    }

    function _isEligible(PoolState storage pool, Amount ownStake) private view returns (bool) {
        return Epoch.unwrap(pool.jailedUntil) == 0 && minimumStake <= ownStake;
    }
}
