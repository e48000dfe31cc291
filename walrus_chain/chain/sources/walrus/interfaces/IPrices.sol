// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title IPrices
/// @notice Nodes vote what storage costs.
/// @dev A vote is the least that a node wants to serve for. From the half of an epoch on anybody may {tally}: the votes of
/// the committee in office are put in ascending order, and the first value at which nodes with n - f shards are content
/// wins, unit price and write fee each for itself. A member that never voted is content with the present price. The result
/// is at least half and at most twice the present price plus one, within the absolute bounds, and counts from the next epoch.
interface IPrices {
    /// @notice A vote, and whether there is one.
    struct Vote {
        Amount unitPrice;
        Amount writeFee;
        bool cast;
    }

    /// @notice Emitted when an operator voted.
    event PriceVoted(NodeId indexed nodeId, Amount unitPrice, Amount writeFee);

    /// @notice Emitted when votes were counted.
    /// @param from The epoch from which on the prices hold.
    event PricesTallied(Epoch indexed from, Amount unitPrice, Amount writeFee);

    /// @notice Thrown when the caller is not the node's operator.
    error Prices_CallerNotOperator(NodeId nodeId, address operator, address caller);

    /// @notice Thrown when a price is above the bound. `price` is its name.
    error Prices_OutOfBounds(bytes32 price, uint256 maximum, uint256 actual);

    /// @notice Thrown when votes are counted before the half of the epoch, or twice in an epoch.
    error Prices_NotDue(Epoch currentEpoch, Epoch talliedFor);

    /// @notice Sets a node's vote; it stands until it is replaced.
    /// @dev Emits {PriceVoted}. Only the operator.
    function vote(NodeId nodeId, Amount unitPrice, Amount writeFee) external;

    /// @notice Counts the votes. Anyone may call, once in the second half of each epoch.
    /// @dev Emits {PricesTallied}.
    function tally() external returns (Amount unitPrice, Amount writeFee);

    /// @notice What {tally} would answer now.
    function preview() external view returns (Amount unitPrice, Amount writeFee);

    /// @notice The vote of a node.
    function voteOf(NodeId nodeId) external view returns (Vote memory);

    /// @notice The last epoch for which votes were counted; zero at first.
    function talliedFor() external view returns (Epoch);
}
