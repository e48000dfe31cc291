// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IPrices} from "../interfaces/IPrices.sol";
import {IStorageFees} from "../interfaces/IStorageFees.sol";
import {Sorting} from "../libraries/Sorting.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title Prices
/// @notice Counts what nodes want for storage, and sets it for the next epoch.
/// @dev Flow: operators {vote} at any time -> in the second half of an epoch anybody {tally}s -> {IStorageFees-setPrices}.
///
/// The result follows from the votes as they stand when somebody counts them, and from the committee in office then. Whoever
/// chooses that moment gains only what votes give: it takes nodes with n - f shards to lower a price and with f + 1 to raise
/// it, and a count brings it to the half at the lowest, to the double plus one at the highest.
///
/// Invariant: each epoch's prices are set at most once, before it begins.
contract Prices is IPrices {
    uint256 private constant WEIGHT_BITS = 16;

    /// @dev A vote in one slot. Prices have 70 bits, see {IStorageFees-maximumPrice}.
    struct Ballot {
        uint96 unitPrice;
        uint96 writeFee;
        bool cast;
    }

    INodeRegistry private immutable _nodes;
    ICommittee private immutable _committee;
    IStorageFees private immutable _fees;
    Amount private immutable _maximumPrice;
    uint16 private immutable _quorum;

    /// @inheritdoc IPrices
    Epoch public talliedFor;

    mapping(NodeId nodeId => Ballot) private _ballots;

    /// @param nodes Says who operates a node.
    /// @param committee Says who serves how many shards, and when the half of an epoch is over.
    /// @param fees Keeps the prices; must name this contract as the one that sets them.
    constructor(INodeRegistry nodes, ICommittee committee, IStorageFees fees) {
        _nodes = nodes;
        _committee = committee;
        _fees = fees;
        _maximumPrice = fees.maximumPrice();
        _quorum = committee.quorum();
    }

    /// @inheritdoc IPrices
    function vote(NodeId nodeId, Amount unitPrice, Amount writeFee) external {
        // Check: the operator wants something possible.
        address operator = _nodes.operatorOf(nodeId);
        if (msg.sender != operator) revert Prices_CallerNotOperator(nodeId, operator, msg.sender);
        _checkBound("unitPrice", unitPrice);
        _checkBound("writeFee", writeFee);

        // Effect: it counts from the next count on. The bound has 70 bits.
        // forge-lint: disable-next-item(unsafe-typecast)
        _ballots[nodeId] = Ballot(uint96(Amount.unwrap(unitPrice)), uint96(Amount.unwrap(writeFee)), true);
        emit PriceVoted(nodeId, unitPrice, writeFee);
    }

    /// @inheritdoc IPrices
    function tally() external returns (Amount unitPrice, Amount writeFee) {
        // Check: the half of the epoch is over, and nobody counted.
        Epoch current = _committee.currentEpoch();
        Epoch next = current.plus(1);
        if (_committee.targetEpoch() < next || talliedFor >= next) revert Prices_NotDue(current, talliedFor);

        // Effect: counted.
        talliedFor = next;
        (unitPrice, writeFee) = preview();
        emit PricesTallied(next, unitPrice, writeFee);

        // Interaction: they hold from the next epoch on.
        _fees.setPrices(next, unitPrice, writeFee);
    }

    /// @inheritdoc IPrices
    function voteOf(NodeId nodeId) external view returns (Vote memory) {
        Ballot memory ballot = _ballots[nodeId];
        return Vote(Amount.wrap(ballot.unitPrice), Amount.wrap(ballot.writeFee), ballot.cast);
    }

    /// @inheritdoc IPrices
    function preview() public view returns (Amount unitPrice, Amount writeFee) {
        (unitPrice, writeFee) = (_fees.unitPrice(), _fees.writeFee());
        ICommittee.Member[] memory members = _committee.members();
        uint256[] memory unitPrices = new uint256[](members.length);
        uint256[] memory writeFees = new uint256[](members.length);
        for (uint256 i = 0; i < members.length; i++) {
            Ballot memory ballot = _ballots[members[i].nodeId];
            unitPrices[i] = _entry(ballot.cast ? ballot.unitPrice : Amount.unwrap(unitPrice), members[i].weight);
            writeFees[i] = _entry(ballot.cast ? ballot.writeFee : Amount.unwrap(writeFee), members[i].weight);
        }
        unitPrice = _next(unitPrices, unitPrice);
        writeFee = _next(writeFees, writeFee);
    }

    /// @dev The lowest value with which nodes with a quorum of shards are content, near the present one. While nobody serves
    /// the present one stays.
    function _next(uint256[] memory entries, Amount present) private view returns (Amount) {
        if (entries.length == 0) return present;

        entries = Sorting.sort(entries);
        uint256 content = 0;
        uint256 place = 0;
        while (true) {
            content += entries[place] & (2 ** WEIGHT_BITS - 1);
            if (content >= _quorum) break;
            place++;
        }
        return _near(entries[place] >> WEIGHT_BITS, Amount.unwrap(present));
    }

    /// @dev The value, or the nearest one that may follow `present`. Votes keep the absolute bound, so this does too.
    function _near(uint256 value, uint256 present) private pure returns (Amount) {
        uint256 lowest = present / 2;
        uint256 highest = 2 * present + 1;
        if (value < lowest) value = lowest;
        if (value > highest) value = highest;
        // Between numbers of 96 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return Amount.wrap(uint128(value));
    }

    /// @dev A word that sorts by value.
    function _entry(uint256 value, uint16 weight) private pure returns (uint256) {
        return value << WEIGHT_BITS | weight;
    }

    function _checkBound(bytes32 price, Amount amount) private view {
        if (amount > _maximumPrice) {
            revert Prices_OutOfBounds(price, Amount.unwrap(_maximumPrice), Amount.unwrap(amount));
        }
    }
}
