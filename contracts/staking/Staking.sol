// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

import {ICommittee} from "../interfaces/ICommittee.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {Amount} from "../types/Amount.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title Staking
/// @notice Keeps the WAL that operators put behind their nodes.
/// @dev Flow: {bond} -> the node becomes a candidate at the minimum stake -> the committee may choose it -> {unbond} once
/// it serves no shard -> the operator's claim in the vault.
///
/// Invariants: `vault.reserveOf(this) == totalStake() == sum of stakeOf`; a node is in {candidates} exactly while its
/// stake is at least {minimumStake}. Who blocks the set with needless candidates has to put real stake behind each.
contract Staking is IStaking {
    using EnumerableSet for EnumerableSet.UintSet;

    ITokenVault private immutable _vault;
    INodeRegistry private immutable _nodes;
    ICommittee private immutable _committee;

    /// @inheritdoc IStaking
    Amount public immutable minimumStake;

    mapping(NodeId nodeId => Amount) private _stakes;
    EnumerableSet.UintSet private _candidates;

    /// @inheritdoc IStaking
    Amount public totalStake;

    /// @param vault Holds the bonds; this contract must be one of its modules.
    /// @param nodes Says who operates a node.
    /// @param committee Says which nodes serve.
    /// @param minimumStake_ What a node needs to be a candidate; above zero.
    constructor(ITokenVault vault, INodeRegistry nodes, ICommittee committee, Amount minimumStake_) {
        if (minimumStake_.isZero()) revert Staking_ZeroMinimumStake();
        _vault = vault;
        _nodes = nodes;
        _committee = committee;
        minimumStake = minimumStake_;
    }

    /// @inheritdoc IStaking
    function bond(NodeId nodeId, Amount amount) external {
        // Check: the operator adds something.
        _checkOperator(nodeId);
        if (amount.isZero()) revert Staking_ZeroAmount(nodeId);

        // Effect: more stands behind the node.
        Amount stake = _stakes[nodeId] + amount;
        _setStake(nodeId, stake);
        totalStake = totalStake + amount;
        emit Bonded(nodeId, msg.sender, amount, stake);

        // Interaction: the vault takes it.
        _vault.collect(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function unbond(NodeId nodeId, Amount amount) external {
        // Check: the operator takes out what is there, of a node that serves nobody.
        _checkOperator(nodeId);
        if (amount.isZero()) revert Staking_ZeroAmount(nodeId);
        Amount stake = _stakes[nodeId];
        if (amount > stake) revert Staking_StakeTooSmall(nodeId, amount, stake);
        uint16 shards = _committee.weightOf(nodeId);
        if (shards != 0) revert Staking_NodeServing(nodeId, shards);

        // Effect: less stands behind the node.
        stake = stake - amount;
        _setStake(nodeId, stake);
        totalStake = totalStake - amount;
        emit Unbonded(nodeId, msg.sender, amount, stake);

        // Interaction: the vault owes it to the operator.
        _vault.release(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function stakeOf(NodeId nodeId) external view returns (Amount) {
        return _stakes[nodeId];
    }

    /// @inheritdoc IStaking
    function candidates() external view returns (NodeId[] memory nodeIds) {
        uint256[] memory values = _candidates.values();
        nodeIds = new NodeId[](values.length);
        for (uint256 i = 0; i < values.length; i++) {
            nodeIds[i] = NodeId.wrap(uint32(values[i]));
        }
    }

    function _setStake(NodeId nodeId, Amount stake) private {
        _stakes[nodeId] = stake;
        if (stake < minimumStake) {
            _candidates.remove(NodeId.unwrap(nodeId));
        } else {
            _candidates.add(NodeId.unwrap(nodeId));
        }
    }

    function _checkOperator(NodeId nodeId) private view {
        address operator = _nodes.operatorOf(nodeId);
        if (msg.sender != operator) revert Staking_CallerNotOperator(nodeId, operator, msg.sender);
    }
}
