// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title IDutyLens
/// @notice What there is to do on chain now, in one call: for agents, which do it. Views only; no contract depends on it.
/// @dev Each flag says that the call would be accepted in this block, as far as the chain's state tells.
interface IDutyLens {
    /// @notice A closed window without a proof that nobody reported yet.
    struct Miss {
        Epoch epoch;
        NodeId nodeId;
    }

    /// @notice What there is to do.
    /// @param timestamp Of the block that was asked.
    /// @param blockNumber Of the block that was asked.
    /// @param officeEpoch The epoch in which the serving committee took office.
    /// @param select {ICommittee-selectCommittee} is due.
    /// @param advance {ICommittee-advanceEpoch} is due.
    /// @param tally {IPrices-tally} is due.
    /// @param open {ICustodyChallenges-openWindow} is due.
    /// @param capture The seed of the present epoch's window can be read and was not yet, and the window is open.
    /// @param prove The node is asked for a proof in this epoch and did not give it; the seed is known or can be read.
    /// @param seed The seed of the present epoch's window; zero while it is not captured.
    /// @param closes When the present epoch's window closes.
    /// @param pending Shards that came to the node and that it did not signal yet.
    /// @param settled Up to where the node's pool is settled.
    /// @param burnedThrough Up to where unearned fees were burned.
    /// @param misses What can be reported, of this epoch and the one before; nothing of a window without a captured seed.
    struct Duties {
        uint64 timestamp;
        uint64 blockNumber;
        Epoch currentEpoch;
        Epoch officeEpoch;
        bool select;
        bool advance;
        bool tally;
        bool open;
        bool capture;
        bool prove;
        bytes32 seed;
        Timestamp closes;
        uint256 pending;
        Epoch settled;
        Epoch burnedThrough;
        Miss[] misses;
    }

    /// @notice What there is to do, for everybody and for one node.
    function dutiesOf(NodeId nodeId) external view returns (Duties memory);
}
