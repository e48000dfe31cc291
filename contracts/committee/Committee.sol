// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../interfaces/ICustodyChallenges.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {Apportionment} from "../libraries/Apportionment.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {CommitteeSeats} from "./CommitteeSeats.sol";
import {EpochChange} from "./EpochChange.sol";

/// @title Committee
/// @notice Knows which node serves which shard, and checks that enough of them signed.
/// @dev Flow: the genesis account {form}s the first committee from the candidates of the present epoch; from then on
/// {EpochChange}. {CommitteeSeats} keeps who sits where.
///
/// Invariants: I3 and I4, see {ICommittee}.
contract Committee is EpochChange {
    /// @inheritdoc ICommittee
    address public immutable genesis;

    /// @param nodes Says who the nodes are.
    /// @param staking Says which of them are eligible in an epoch and what stands behind them.
    /// @param custody Says when committees must not change.
    /// @param shards_ n, 4 to 255.
    /// @param epochSeconds_ Length of an epoch, 10 seconds to 366 days; epoch 1 begins with this block.
    /// @param syncSeconds_ How long a change holds up the next one at most, 1 second to 366 days.
    /// @param genesis_ The account that forms the first committee.
    constructor(
        INodeRegistry nodes,
        IStaking staking,
        ICustodyChallenges custody,
        uint16 shards_,
        uint64 epochSeconds_,
        uint64 syncSeconds_,
        address genesis_
    ) CommitteeSeats(nodes, shards_) EpochChange(staking, custody, epochSeconds_, syncSeconds_) {
        if (genesis_ == address(0)) revert Committee_ZeroGenesis();
        genesis = genesis_;
    }

    /// @inheritdoc ICommittee
    function form() external {
        // Check: genesis, once, from somebody.
        if (msg.sender != genesis) revert Committee_CallerNotGenesis(genesis, msg.sender);
        if (_office.size != 0) revert Committee_AlreadyFormed(_office.epoch);
        Epoch current = currentEpoch();
        // All deposits so far, also of those who could not make theirs count from epoch 1 on.
        (uint256[] memory ids, uint256[] memory weights) = _elect(Epoch.wrap(type(uint32).max));
        (NodeId[] memory nodeIds, address[] memory signers) = _nodesOf(ids);

        // Effect: who got shards is in office.
        _writeSelected(current, nodeIds, signers, weights, Apportionment.deal(weights, shards));
        _takeOffice(current);

        // Interaction: stake waits from now on before it counts.
        _staking.begin();
    }
}
