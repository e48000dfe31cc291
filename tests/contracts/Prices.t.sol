// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {IPrices} from "../../contracts/interfaces/IPrices.sol";
import {IStorageFees} from "../../contracts/interfaces/IStorageFees.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {CommitteeFixture} from "./support/CommitteeFixture.sol";
import {vm} from "./support/Vm.sol";

/// @dev Ten nodes with a shard each: f = 3, seven must be content. Prices are 1,000 and 77 wei.
contract PricesTest is CommitteeFixture {
    uint128 private constant MAXIMUM = 1000e18;

    function setUp() external {
        deploySystem(defaultParameters());
        formCommittee(10, 4);
    }

    // vote

    function test_vote__when_the_node_does_not_exist__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, NodeId.wrap(11)));
        prices.vote(NodeId.wrap(11), Amount.wrap(1), Amount.wrap(1));
    }

    function test_vote__when_the_caller_is_not_the_operator__reverts() external {
        address signer = signerAccount(0).addr;
        vm.expectRevert(
            abi.encodeWithSelector(IPrices.Prices_CallerNotOperator.selector, nodeAt(0), operatorAt(0), signer)
        );
        vm.prank(signer);
        prices.vote(nodeAt(0), Amount.wrap(1), Amount.wrap(1));
    }

    function test_vote__when_a_price_is_above_the_bound__reverts() external {
        vm.startPrank(operatorAt(0));
        vm.expectRevert(
            abi.encodeWithSelector(IPrices.Prices_OutOfBounds.selector, bytes32("unitPrice"), MAXIMUM, MAXIMUM + 1)
        );
        prices.vote(nodeAt(0), Amount.wrap(MAXIMUM + 1), Amount.wrap(0));
        vm.expectRevert(
            abi.encodeWithSelector(IPrices.Prices_OutOfBounds.selector, bytes32("writeFee"), MAXIMUM, type(uint128).max)
        );
        prices.vote(nodeAt(0), Amount.wrap(0), Amount.wrap(type(uint128).max));
    }

    function test_vote__when_all_is_in_order__stands_until_it_is_replaced_and_tells() external {
        assertFalse(prices.voteOf(nodeAt(0)).cast);
        vm.expectEmit(address(prices));
        emit IPrices.PriceVoted(nodeAt(0), Amount.wrap(MAXIMUM), Amount.wrap(0));
        vote(0, MAXIMUM, 0);
        assertVote(0, MAXIMUM, 0);
        vote(0, 3, MAXIMUM);
        assertVote(0, 3, MAXIMUM);
        warpTo(50);
        assertVote(0, 3, MAXIMUM);
    }

    function test_vote__when_the_operator_changed__is_the_new_ones_and_stands_until_then() external {
        vote(0, 5, 6);
        address heir = makeAddr("heir");
        vm.prank(operatorAt(0));
        nodeRegistry.transferOperator(nodeAt(0), heir);
        vm.prank(heir);
        nodeRegistry.acceptOperator(nodeAt(0));
        assertVote(0, 5, 6);
        vm.expectPartialRevert(IPrices.Prices_CallerNotOperator.selector);
        vote(0, 7, 7);
        vm.prank(heir);
        prices.vote(nodeAt(0), Amount.wrap(8), Amount.wrap(9));
        assertVote(0, 8, 9);
    }

    // tally

    function test_tally__when_the_half_of_the_epoch_is_not_over__reverts() external {
        warpToCut(1);
        vm.warp(vm.getBlockTimestamp() - 1);
        expectNotDue(1, 0);
        prices.tally();
        skip(1);
        prices.tally();
    }

    function test_tally__when_counted_already__reverts() external {
        warpToCut(3);
        prices.tally();
        assertEq(Epoch.unwrap(prices.talliedFor()), 4);
        expectNotDue(3, 4);
        prices.tally();
        warpTo(4);
        expectNotDue(4, 4);
        prices.tally();
        warpToCut(4);
        prices.tally();
    }

    function test_tally__when_nobody_serves__keeps_the_prices() external {
        deploySystem(defaultParameters());
        joinNode(0, 1);
        vote(0, 5000, 5000);
        warpToCut(1);
        expectTally(2, 1000, 77);
    }

    function test_tally__when_nobody_voted__keeps_the_prices() external {
        warpToCut(1);
        expectTally(2, 1000, 77);
        warpTo(9);
        assertEq(Amount.unwrap(fees.unitPrice()), 1000);
        assertEq(Amount.unwrap(fees.writeFee()), 77);
    }

    function test_tally__when_all_is_in_order__holds_from_the_next_epoch_on_and_tells() external {
        voteAll(10, 1200, 70);
        warpToCut(1);
        vm.expectCall(
            address(fees),
            abi.encodeCall(IStorageFees.setPrices, (Epoch.wrap(2), Amount.wrap(1200), Amount.wrap(70))),
            1
        );
        expectTally(2, 1200, 70);
        assertEq(Amount.unwrap(fees.unitPrice()), 1000);
        warpTo(2);
        assertEq(Amount.unwrap(fees.unitPrice()), 1200);
        assertEq(Amount.unwrap(fees.writeFee()), 70);
        // Where nobody counts, they stay.
        voteAll(10, 1300, 60);
        warpTo(30);
        assertEq(Amount.unwrap(fees.unitPrice()), 1200);
        warpToCut(30);
        expectTally(31, 1300, 60);
    }

    function test_tally__given_n_minus_f_shards_are_content_with_less__lowers_the_price() external {
        voteAll(6, 900, 77);
        assertPreview(1000, 77);
        vote(6, 950, 77);
        // The seventh is content with 950.
        assertPreview(950, 77);
        voteAll(10, 900, 77);
        assertPreview(900, 77);
    }

    function test_tally__given_f_plus_one_shards_want_more__raises_the_price() external {
        voteAll(3, 1500, 77);
        assertPreview(1000, 77);
        vote(3, 1600, 77);
        assertPreview(1500, 77);
        // The three dearest never matter.
        voteAll(3, MAXIMUM, 77);
        assertPreview(1600, 77);
    }

    function test_tally__counts_each_price_by_itself() external {
        // Seven want cheap units, another seven cheap writes.
        for (uint256 i = 0; i < 10; ++i) {
            vote(i, i < 7 ? 800 : 2000, i < 3 ? 150 : 50);
        }
        assertPreview(800, 50);
    }

    function test_tally__given_extremes__goes_to_half_or_twice_at_most() external {
        voteAll(10, 0, MAXIMUM);
        assertPreview(500, 155);
        voteAll(10, MAXIMUM, 0);
        assertPreview(2001, 38);
    }

    function test_tally__given_zero__can_leave_it_again() external {
        Parameters memory parameters = defaultParameters();
        (parameters.unitPrice, parameters.writeFee) = (Amount.wrap(1), Amount.wrap(0));
        deploySystem(parameters);
        formCommittee(4, 4);
        voteAll(4, 0, 500);
        warpToCut(1);
        expectTally(2, 0, 1);
        warpToCut(2);
        voteAll(4, 500, 500);
        expectTally(3, 1, 3);
        warpToCut(3);
        expectTally(4, 3, 7);
    }

    function test_tally__given_the_absolute_bound__stays_within() external {
        Parameters memory parameters = defaultParameters();
        (parameters.unitPrice, parameters.writeFee) = (Amount.wrap(MAXIMUM), Amount.wrap(MAXIMUM - 1));
        deploySystem(parameters);
        formCommittee(4, 4);
        voteAll(4, MAXIMUM, MAXIMUM);
        warpToCut(1);
        expectTally(2, MAXIMUM, MAXIMUM);
    }

    function test_tally__counts_members_by_their_shards_and_nobody_else() external {
        deploySystem(defaultParameters());
        formCommittee(4, 4);
        joinNode(4, 4);
        vote(4, 1, 1);
        // Weights 3, 3, 2, 2: the first two and the last make eight, the last three seven, the first two six.
        vote(0, 900, 77);
        vote(1, 900, 77);
        assertPreview(1000, 77);
        vote(3, 700, 77);
        assertPreview(900, 77);
        vote(0, 1500, 77);
        // 2 at 700, 3 at 900, 2 at 1,000.
        assertPreview(1000, 77);
    }

    function test_tally__after_a_change__counts_the_committee_in_office() external {
        voteAll(10, 900, 77);
        for (uint256 i = 1; i < 10; ++i) {
            unstake(i, ALL);
        }
        joinNode(10, 4);
        vote(10, 1500, 77);
        selectFor(2);
        // The old committee serves until the epoch begins, and is counted.
        assertPreview(900, 77);
        warpTo(2);
        committee.advanceEpoch();
        // Two members with five shards each; the dearer one is needed.
        assertEq(committee.members().length, 2);
        assertPreview(1500, 77);
    }

    function test_tally__given_any_votes__agrees_with_the_rule(uint256 seed) external {
        deploySystem(defaultParameters());
        uint128[] memory stakes = new uint128[](8);
        for (uint256 i = 0; i < 8; ++i) {
            stakes[i] = uint128(1e18 + uint256(keccak256(abi.encode(seed, i))) % 500e18);
        }
        joinAll(0, stakes, 5);
        committee.form();
        ICommittee.Member[] memory members = committee.members();
        uint256[] memory unitVotes = new uint256[](members.length);
        uint256[] memory feeVotes = new uint256[](members.length);
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, "vote", i)));
            (unitVotes[i], feeVotes[i]) = (1000, 77);
            if (dice % 4 == 0) continue;
            (unitVotes[i], feeVotes[i]) = ((dice >> 8) % 2500, (dice >> 40) % 5 == 0 ? 77 : (dice >> 80) % 200);
            vote(NodeId.unwrap(members[i].nodeId) - 1, uint128(unitVotes[i]), uint128(feeVotes[i]));
        }
        assertPreview(ruled(members, unitVotes, 1000), ruled(members, feeVotes, 77));
        (Amount unitPrice, Amount writeFee) = prices.preview();
        warpToCut(1);
        expectTally(2, Amount.unwrap(unitPrice), Amount.unwrap(writeFee));
    }

    function test_I11_tally__given_a_shared_vector__agrees_with_python() external {
        string memory json = vm.readFile("tests/vectors/prices.json");
        uint256 cases = 0;
        for (; vm.keyExistsJson(json, path(cases, "")); ++cases) {
            Parameters memory parameters = defaultParameters();
            parameters.shards = uint16(vm.parseJsonUint(json, path(cases, ".shards")));
            parameters.unitPrice = amountIn(json, cases, ".unitPrice");
            parameters.writeFee = amountIn(json, cases, ".writeFee");
            deploySystem(parameters);
            uint256[] memory shardsOf_ = vm.parseJsonUintArray(json, path(cases, ".weights"));
            uint256[] memory unitPrices = vm.parseJsonUintArray(json, path(cases, ".unitPrices"));
            uint256[] memory writeFees = vm.parseJsonUintArray(json, path(cases, ".writeFees"));
            uint256 voters = vm.parseJsonUint(json, path(cases, ".voters"));
            ICommittee.Member[] memory members = new ICommittee.Member[](shardsOf_.length);
            for (uint256 i = 0; i < members.length; ++i) {
                joinNode(i, 4);
                members[i] = ICommittee.Member(nodeAt(i), address(0), uint16(shardsOf_[i]));
                if ((voters >> i) & 1 == 1) vote(i, uint128(unitPrices[i]), uint128(writeFees[i]));
            }
            // Any weights, whatever the stakes.
            vm.mockCall(address(committee), abi.encodeCall(ICommittee.members, ()), abi.encode(members));
            assertPreview(
                Amount.unwrap(amountIn(json, cases, ".nextUnitPrice")),
                Amount.unwrap(amountIn(json, cases, ".nextWriteFee"))
            );
            vm.clearMockedCalls();
        }
        assertEq(cases, 40);
    }

    // helpers

    function vote(uint256 i, uint128 unitPrice, uint128 writeFee) private {
        vm.prank(operatorAt(i));
        prices.vote(nodeAt(i), Amount.wrap(unitPrice), Amount.wrap(writeFee));
    }

    /// @dev The first `count_` nodes vote the same.
    function voteAll(uint256 count_, uint128 unitPrice, uint128 writeFee) private {
        for (uint256 i = 0; i < count_; ++i) {
            vote(i, unitPrice, writeFee);
        }
    }

    /// @dev The rule by trying every vote, without sorting.
    function ruled(ICommittee.Member[] memory members, uint256[] memory votes, uint256 present)
        private
        view
        returns (uint256 price)
    {
        price = type(uint256).max;
        for (uint256 i = 0; i < votes.length; ++i) {
            uint256 content = 0;
            for (uint256 j = 0; j < votes.length; ++j) {
                if (votes[j] <= votes[i]) content += members[j].weight;
            }
            if (content >= committee.quorum() && votes[i] < price) price = votes[i];
        }
        if (price < present / 2) price = present / 2;
        if (price > 2 * present + 1) price = 2 * present + 1;
    }

    function assertVote(uint256 i, uint256 unitPrice, uint256 writeFee) private view {
        IPrices.Vote memory kept = prices.voteOf(nodeAt(i));
        assertEq(Amount.unwrap(kept.unitPrice), unitPrice);
        assertEq(Amount.unwrap(kept.writeFee), writeFee);
        assertTrue(kept.cast);
    }

    function assertPreview(uint256 unitPrice, uint256 writeFee) private view {
        (Amount nextUnitPrice, Amount nextWriteFee) = prices.preview();
        assertEq(Amount.unwrap(nextUnitPrice), unitPrice);
        assertEq(Amount.unwrap(nextWriteFee), writeFee);
    }

    function expectTally(uint32 from, uint128 unitPrice, uint128 writeFee) private {
        vm.expectEmit(address(prices));
        emit IPrices.PricesTallied(Epoch.wrap(from), Amount.wrap(unitPrice), Amount.wrap(writeFee));
        (Amount nextUnitPrice, Amount nextWriteFee) = prices.tally();
        assertEq(Amount.unwrap(nextUnitPrice), unitPrice);
        assertEq(Amount.unwrap(nextWriteFee), writeFee);
        (nextUnitPrice, nextWriteFee) = fees.pricesAt(Epoch.wrap(from));
        assertEq(Amount.unwrap(nextUnitPrice), unitPrice);
        assertEq(Amount.unwrap(nextWriteFee), writeFee);
    }

    function expectNotDue(uint32 current, uint32 talliedFor) private {
        vm.expectRevert(abi.encodeWithSelector(IPrices.Prices_NotDue.selector, current, talliedFor));
    }

    function amountIn(string memory json, uint256 i, string memory field) private pure returns (Amount) {
        return Amount.wrap(uint128(vm.parseJsonUint(json, path(i, field))));
    }

    function path(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".cases[", vm.toString(i), "]", field);
    }
}
