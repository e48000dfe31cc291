// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title IStaking
/// @notice The WAL that stands behind each node.
/// @dev Here an operator bonds its own WAL. A node that serves in the committee cannot take its bond out.
/// Invariant: the vault's reserve of this contract equals {totalStake}.
interface IStaking {
    /// @notice Emitted when an operator added to a node's bond.
    event Bonded(NodeId indexed nodeId, address indexed operator, Amount amount, Amount stake);

    /// @notice Emitted when an operator took from a node's bond; it became the operator's claim in the vault.
    event Unbonded(NodeId indexed nodeId, address indexed operator, Amount amount, Amount stake);

    /// @notice Thrown when the caller is not the node's operator.
    error Staking_CallerNotOperator(NodeId nodeId, address operator, address caller);

    /// @notice Thrown at construction when the minimum stake is zero.
    error Staking_ZeroMinimumStake();

    /// @notice Thrown when the amount is zero.
    error Staking_ZeroAmount(NodeId nodeId);

    /// @notice Thrown when more is taken out than is bonded.
    error Staking_StakeTooSmall(NodeId nodeId, Amount requested, Amount stake);

    /// @notice Thrown when a node that serves in the committee wants its bond back.
    error Staking_NodeServing(NodeId nodeId, uint16 shards);

    /// @notice Adds `amount` of the caller's WAL to the node's bond.
    /// @dev Emits {Bonded}.
    /// Requirements:
    /// - The caller must be the node's operator, and have approved the vault.
    function bond(NodeId nodeId, Amount amount) external;

    /// @notice Turns `amount` of the node's bond into the operator's claim in the vault.
    /// @dev Emits {Unbonded}.
    /// Requirements:
    /// - The caller must be the node's operator.
    /// - The node must not serve in the committee.
    function unbond(NodeId nodeId, Amount amount) external;

    /// @notice The WAL that stands behind the node.
    function stakeOf(NodeId nodeId) external view returns (Amount);

    /// @notice The WAL that stands behind all nodes.
    function totalStake() external view returns (Amount);

    /// @notice The nodes whose stake is at least {minimumStake}, in no particular order.
    function candidates() external view returns (NodeId[] memory);

    /// @notice What a node needs to be considered for a committee.
    function minimumStake() external view returns (Amount);
}
