// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStaking} from "../interfaces/IStaking.sol";
import {PoolMath} from "../libraries/PoolMath.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {StakingPools} from "./StakingPools.sol";

/// @title UnbondingPots
/// @notice Stake on its way out of a pool: a pot of its own shares, so that one slash reaches all of it.
/// @dev Invariants:
/// - The shares of all entries of a pool add up to the pool's `unbondingShares`.
/// - A share of a pot is never worth more than one unit: what enters gets at least as many shares as units, and what stays
///   when others leave is rounded up to whole units only. So no share can be blown up to round others away.
abstract contract UnbondingPots is StakingPools {
    using PoolMath for Amount;

    /// @dev Part of a pot that leaves together.
    struct Entry {
        uint128 shares;
        Epoch release;
    }

    uint256 private constant MAXIMUM_ENTRIES = 32;

    /// @dev Ascending by release.
    mapping(NodeId nodeId => mapping(address delegator => Entry[])) private _entries;

    /// @inheritdoc IStaking
    function unbondingOf(NodeId nodeId, address delegator) external view returns (Unbonding[] memory found) {
        PoolState storage pool = _pools[nodeId];
        Entry[] storage entries = _entries[nodeId][delegator];
        found = new Unbonding[](entries.length);
        for (uint256 i = 0; i < found.length; i++) {
            Amount amount = PoolMath.toAmountDown(entries[i].shares, pool.unbonding, pool.unbondingShares);
            found[i] = Unbonding(amount, entries[i].release);
        }
    }

    /// @dev Puts `amount` of the caller's into the pot until `release`.
    function _enterPot(NodeId nodeId, Amount amount, Epoch release) internal {
        // Check: there is room for an entry.
        Entry[] storage entries = _entries[nodeId][msg.sender];
        uint256 count = entries.length;
        bool merged = count != 0 && entries[count - 1].release == release;
        if (!merged && count == MAXIMUM_ENTRIES) {
            revert Staking_TooManyUnbondings(nodeId, msg.sender, MAXIMUM_ENTRIES);
        }

        // Effect: the pot holds more, and the caller more of it.
        PoolState storage pool = _pools[nodeId];
        uint128 shares = amount.toSharesDown(pool.unbonding, pool.unbondingShares);
        pool.unbonding = pool.unbonding + amount;
        pool.unbondingShares += shares;
        if (merged) {
            entries[count - 1].shares += shares;
        } else {
            entries.push(Entry(shares, release));
        }
    }

    /// @dev Takes all entries of the caller out of the pot that are due.
    function _leavePot(NodeId nodeId, Epoch current) internal returns (Amount amount) {
        // Check: the first entry is due.
        Entry[] storage entries = _entries[nodeId][msg.sender];
        uint256 count = entries.length;
        Epoch release = count == 0 ? Epoch.wrap(0) : entries[0].release;
        if (count == 0 || release > current) revert Staking_NothingDue(nodeId, release, current);

        // Effect: the others move up, and the pot holds less.
        uint256 due;
        uint128 shares;
        for (; due < count && entries[due].release <= current; due++) {
            shares += entries[due].shares;
        }
        for (uint256 i = due; i < count; i++) {
            entries[i - due] = entries[i];
        }
        for (uint256 i = 0; i < due; i++) {
            entries.pop();
        }
        PoolState storage pool = _pools[nodeId];
        amount = PoolMath.toAmountDown(shares, pool.unbonding, pool.unbondingShares);
        pool.unbonding = pool.unbonding - amount;
        pool.unbondingShares -= shares;
    }
}
