// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title IRewards
/// @notice Divides what an epoch earned among the nodes that served it and proved it.
/// @dev A *part* is what one shard earns in an epoch: `floor(income * (10,000 - burnBps) / 10,000 / n)`. A node earns a part
/// for each shard it had to prove and did. What no node earned, the burned share and the rest of the divisions are burned
/// by {burnUnearned}.
///
/// Invariant: what was paid and burned of an epoch is never more than its income, and exactly its income once every node
/// of that epoch is settled and {burnUnearned} has passed it.
interface IRewards {
    /// @notice Emitted when what nobody earned in an epoch was burned.
    event UnearnedBurned(Epoch indexed epoch, Amount income, Amount part, uint256 passedShards, Amount burned);

    /// @notice Thrown when the caller is not the staking contract.
    error Rewards_CallerNotStaking(address staking, address caller);

    /// @notice Thrown when an epoch is not over.
    error Rewards_EpochNotOver(Epoch epoch, Epoch currentEpoch);

    /// @notice Thrown at construction when the burned share is above its limit.
    error Rewards_BurnOutOfBounds(uint16 maximum, uint16 burnBps);

    /// @notice Moves a node's reward of an epoch into the reserve of the staking contract. Only the staking contract, which
    /// calls once for each node and epoch.
    function pay(NodeId nodeId, Epoch epoch) external returns (Amount reward);

    /// @notice Burns what nobody earned in the next epochs that are over, at most `maximum` of them. Anyone may call.
    /// @dev Emits {UnearnedBurned} for each. Needs no pool to be settled.
    /// @return through The last epoch that is done.
    function burnUnearned(uint32 maximum) external returns (Epoch through);

    /// @notice What a node earns in an epoch that is over, commission included.
    function rewardOf(NodeId nodeId, Epoch epoch) external view returns (Amount);

    /// @notice What one shard earns in an epoch. Final once the epoch is over.
    function partOf(Epoch epoch) external view returns (Amount);

    /// @notice The last epoch of which the unearned rest was burned.
    function burnedThrough() external view returns (Epoch);

    /// @notice The share of each epoch's income that is burned, in hundredths of a percent.
    function burnBps() external view returns (uint16);
}
