// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {StakingFixture} from "./support/StakingFixture.sol";
import {vm} from "./support/Vm.sol";

contract CandidatesTest is StakingFixture {
    // stand

    function test_stand__when_there_is_no_such_node__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, NodeId.wrap(3)));
        staking.stand(NodeId.wrap(3));
    }

    function test_stand__below_and_at_the_minimum__takes_who_has_it() external {
        formed();
        NodeId fresh = registerOnly("fresh", alice);
        _delegateTo(fresh, alice, MINIMUM - 1);
        // Stake of others is no own stake.
        _delegateTo(fresh, bob, 100e18);
        _expectNotEligible(fresh, MINIMUM - 1, 0);
        staking.stand(fresh);

        _delegateTo(fresh, alice, 1);
        vm.expectEmit(address(staking));
        emit IStaking.CandidateEntered(fresh);
        vm.prank(bob);
        staking.stand(fresh);
        assertTrue(staking.isCandidate(fresh));
        assertTrue(staking.poolOf(fresh).standing);
    }

    function test_stand__before_the_stake_counts__is_passed_over_until_it_does() external {
        formed();
        NodeId fresh = registerOnly("fresh", alice);
        vm.warp(startOf(2) + 12 hours);
        _delegateTo(fresh, alice, MINIMUM);
        staking.stand(fresh);
        _assertCandidates(3, 2);
        (NodeId[] memory ids, uint256[] memory stakes) = staking.candidatesAt(Epoch.wrap(4));
        assertEq(ids.length, 3);
        assertEq(NodeId.unwrap(ids[2]), NodeId.unwrap(fresh));
        assertEq(stakes[2], MINIMUM);
    }

    function test_stand__when_it_stands__does_nothing() external {
        vm.recordLogs();
        staking.stand(node);
        assertEq(vm.getRecordedLogs().length, 0);
        _assertCandidates(1, 2);
    }

    function test_stand__when_jailed__reverts() external {
        formed();
        slash(1, 0, 9);
        _expectNotEligible(node, uint256(OWN) - OWN / 10_000, 9);
        staking.stand(node);
    }

    function test_stand__when_all_places_are_taken__the_weakest_gives_way_to_a_stronger() external {
        for (uint256 i = 2; i < 128; i++) {
            joinNode(i, 7);
        }
        _assertCandidates(1, 128);
        NodeId fresh = registerOnly("fresh", alice);
        _delegateTo(fresh, alice, OWN);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.Staking_CandidatesFull.selector, fresh, Amount.wrap(OWN), Amount.wrap(OWN))
        );
        staking.stand(fresh);

        // The first is no longer among the weakest; the second is the first of those.
        delegate(bob, 1);
        _delegateTo(fresh, bob, 1);
        vm.expectEmit(address(staking));
        emit IStaking.CandidateLeft(otherNode);
        vm.expectEmit(address(staking));
        emit IStaking.CandidateEntered(fresh);
        staking.stand(fresh);
        assertFalse(staking.isCandidate(otherNode));
        _assertCandidates(1, 128);

        // Every one has the place it believes to have: all can be taken out.
        for (uint32 id = 1; id <= nodeRegistry.nodeCount(); id++) {
            address operator_ = nodeRegistry.operatorOf(NodeId.wrap(id));
            vm.prank(operator_);
            staking.undelegate(NodeId.wrap(id), Amount.wrap(ALL));
            staking.dismiss(NodeId.wrap(id));
            assertFalse(staking.isCandidate(NodeId.wrap(id)));
        }
        _assertCandidates(1, 0);
    }

    // dismiss

    function test_dismiss__when_eligible__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_Eligible.selector, node));
        staking.dismiss(node);
    }

    function test_dismiss__when_the_own_stake_is_still_to_count__reverts() external {
        formed();
        NodeId fresh = registerOnly("fresh", alice);
        vm.warp(startOf(2) + 12 hours);
        _delegateTo(fresh, alice, MINIMUM);
        staking.stand(fresh);
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_Eligible.selector, fresh));
        staking.dismiss(fresh);
    }

    function test_dismiss__when_the_own_stake_fell__takes_it_out() external {
        formed();
        undelegate(operator, OWN - MINIMUM + 1);
        _assertCandidates(2, 1);
        vm.expectEmit(address(staking));
        emit IStaking.CandidateLeft(node);
        vm.prank(bob);
        staking.dismiss(node);
        assertFalse(staking.isCandidate(node));
        // The other one, which was last, took the place.
        assertTrue(staking.isCandidate(otherNode));
        _assertCandidates(2, 1);
    }

    function test_dismiss__when_jailed_or_slashed_or_handed_over__takes_it_out() external {
        formed();
        uint256 start = vm.snapshotState();
        slash(1, 0, 9);
        staking.dismiss(node);
        assertFalse(staking.isCandidate(node));

        vm.revertToState(start);
        for (uint256 i = 0; i < 7; i++) {
            slash(5000);
        }
        staking.dismiss(node);
        assertFalse(staking.isCandidate(node));

        vm.revertToState(start);
        handOver(alice);
        staking.dismiss(node);
        assertFalse(staking.isCandidate(node));
    }

    function test_dismiss__when_it_does_not_stand__does_nothing() external {
        formed();
        NodeId fresh = registerOnly("fresh", alice);
        vm.recordLogs();
        staking.dismiss(fresh);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    // unjail

    function test_unjail__when_caller_is_not_operator__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_CallerNotOperator.selector, node, operator, alice));
        vm.prank(alice);
        staking.unjail(node);
    }

    function test_unjail__when_not_jailed__reverts() external {
        _expectStillJailed(0, 1);
        vm.prank(operator);
        staking.unjail(node);
    }

    function test_unjail__one_second_early__reverts() external {
        formed();
        slash(1, 0, 9);
        vm.warp(startOf(9) - 1);
        _expectStillJailed(9, 8);
        vm.prank(operator);
        staking.unjail(node);

        vm.warp(startOf(9));
        vm.expectEmit(address(staking));
        emit IStaking.Unjailed(node);
        vm.prank(operator);
        staking.unjail(node);
        assertEq(Epoch.unwrap(staking.poolOf(node).jailedUntil), 0);
        // It was not dismissed, so it stands.
        _assertCandidates(9, 2);
        _expectStillJailed(0, 9);
        vm.prank(operator);
        staking.unjail(node);
    }

    function test_unjail__when_it_was_dismissed__may_stand_again() external {
        formed();
        slash(1, 0, 9);
        staking.dismiss(node);
        changeCommittee();
        assertEq(committee.weightOf(node), 0);
        warpTo(9);
        vm.prank(operator);
        staking.unjail(node);
        staking.stand(node);
        changeCommittee();
        assertEq(committee.weightOf(node), 5);
    }

    // candidatesAt

    function test_candidatesAt__names_the_eligible_with_their_stakes() external {
        formed();
        delegate(alice, 5);
        vm.warp(startOf(2) + 12 hours);
        delegate(alice, 7);
        slash(100);
        uint256[3] memory added = [uint256(0), 5, 12];
        for (uint32 epoch = 2; epoch <= 4; epoch++) {
            (NodeId[] memory ids, uint256[] memory stakes) = staking.candidatesAt(Epoch.wrap(epoch));
            assertEq(ids.length, 2);
            assertEq(stakes.length, 2);
            assertEq(stakes[0], uint256(OWN) * 99 / 100 + added[epoch - 2]);
            assertEq(stakes[1], OWN);
        }
    }

    // Helpers

    function _delegateTo(NodeId nodeId, address who, uint128 amount) private {
        vm.prank(who);
        staking.delegate(nodeId, Amount.wrap(amount));
    }

    function _assertCandidates(uint32 epoch, uint256 count) private view {
        (NodeId[] memory ids, uint256[] memory stakes) = staking.candidatesAt(Epoch.wrap(epoch));
        assertEq(ids.length, count);
        assertEq(stakes.length, count);
    }

    function _expectNotEligible(NodeId nodeId, uint256 ownStake, uint32 jailedUntil) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IStaking.Staking_NotEligible.selector,
                nodeId,
                Amount.wrap(MINIMUM),
                Amount.wrap(uint128(ownStake)),
                Epoch.wrap(jailedUntil)
            )
        );
    }

    function _expectStillJailed(uint32 until, uint32 current) private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_StillJailed.selector, node, until, current));
    }
}
