// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Committee} from "../../contracts/committee/Committee.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {CommitteeFixture} from "./support/CommitteeFixture.sol";
import {vm} from "./support/Vm.sol";

contract CommitteeTest is CommitteeFixture {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes32 private constant DIGEST = keccak256("what they signed");

    address private stranger;

    function setUp() external {
        vm.warp(1_800_000_000);
        deploySystem(defaultParameters());
        stranger = makeAddr("stranger");
    }

    // constructor

    function test_constructor__when_shards_are_out_of_bounds__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_ShardsOutOfBounds.selector, 4, 255, 3));
        new Committee(nodeRegistry, staking, custody, 3, 1 days, 1 days, address(this));
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_ShardsOutOfBounds.selector, 4, 255, 256));
        new Committee(nodeRegistry, staking, custody, 256, 1 days, 1 days, address(this));
    }

    function test_constructor__when_epoch_seconds_are_out_of_bounds__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_EpochSecondsOutOfBounds.selector, 10, 366 days, 9));
        new Committee(nodeRegistry, staking, custody, 10, 9, 1 days, address(this));
        vm.expectRevert(
            abi.encodeWithSelector(ICommittee.Committee_EpochSecondsOutOfBounds.selector, 10, 366 days, 366 days + 1)
        );
        new Committee(nodeRegistry, staking, custody, 10, 366 days + 1, 1 days, address(this));
    }

    function test_constructor__when_genesis_is_zero__reverts() external {
        vm.expectRevert(ICommittee.Committee_ZeroGenesis.selector);
        new Committee(nodeRegistry, staking, custody, 10, 1 days, 1 days, address(0));
    }

    function test_constructor__derives_f_and_quorum(uint16 n) external {
        n = uint16(bound(n, 4, 255));
        Committee other = new Committee(nodeRegistry, staking, custody, n, 1 days, 2 days, stranger);
        assertEq(other.shards(), n);
        assertEq(other.faults(), (n - 1) / 3);
        assertEq(other.quorum(), n - (n - 1) / 3);
        assertEq(other.genesis(), stranger);
        assertEq(other.epochSeconds(), 1 days);
        assertEq(other.syncSeconds(), 2 days);
        assertEq(Epoch.unwrap(other.currentEpoch()), 1);
        assertEq(Epoch.unwrap(other.epoch()), 0);
        assertEq(other.members().length, 0);
        assertEq(other.assignment().length, 0);
    }

    // form

    function test_form__when_caller_is_not_genesis__reverts() external {
        joinNode(0, 1);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_CallerNotGenesis.selector, address(this), stranger));
        vm.prank(stranger);
        committee.form();
    }

    function test_form__when_a_committee_serves__reverts() external {
        formCommittee(4, 4);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_AlreadyFormed.selector, 1));
        committee.form();
    }

    function test_form__when_no_node_has_the_minimum_stake__reverts() external {
        joinNode(0, 1);
        unstake(0, Amount.wrap(99e18 + 1));
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_NoEligibleNode.selector, 1));
        committee.form();
    }

    function test_form__when_a_node_does_not_stand__leaves_it_out() external {
        joinNode(0, 2);
        joinNode(1, 2);
        unstake(0, ALL);
        staking.dismiss(nodeAt(0));
        deposit(0, 50e18);
        warpTo(2);
        committee.form();
        assertEq(committee.members().length, 1);
        assertEq(committee.weightOf(nodeAt(1)), 10);
    }

    function test_form__counts_what_others_delegated() external {
        for (uint256 i = 0; i < 4; i++) {
            joinNode(i, 4);
        }
        giveTokens(stranger, 1);
        vm.prank(stranger);
        staking.delegate(nodeAt(3), Amount.wrap(1));
        committee.form();
        assertEq(committee.weightOf(nodeAt(1)), 2);
        assertEq(committee.weightOf(nodeAt(3)), 3);
    }

    function test_form__counts_deposits_that_would_count_later() external {
        joinNode(0, 2);
        joinNode(1, 2);
        // Out and in again: it counts from epoch 2 on, but nothing counted before the first committee.
        unstake(0, ALL);
        deposit(0, 100e18);
        committee.form();
        assertEq(committee.weightOf(nodeAt(0)), 5);
    }

    function test_form__tells_the_pools_that_the_clock_runs() external {
        joinNode(0, 1);
        assertEq(Epoch.unwrap(staking.activationEpoch()), 1);
        warpTo(3);
        vm.expectCall(address(staking), abi.encodeWithSelector(staking.begin.selector), 1);
        committee.form();
        assertEq(Epoch.unwrap(staking.activationEpoch()), 4);
    }

    function test_form__when_stakes_differ_by_one_wei__the_higher_goes_first() external {
        uint128[] memory stakes = equal(4, 50e18);
        stakes[3] += 1;
        joinAll(0, stakes, 4);
        committee.form();
        assertEq(committee.weightOf(nodeAt(0)), 3);
        assertEq(committee.weightOf(nodeAt(1)), 2);
        assertEq(committee.weightOf(nodeAt(2)), 2);
        assertEq(committee.weightOf(nodeAt(3)), 3);
    }

    function test_form__tells_who_serves_what() external {
        uint128[] memory stakes = new uint128[](4);
        (stakes[0], stakes[1], stakes[2], stakes[3]) = (4e18, 3e18, 2e18, 1e18);
        joinAll(0, stakes, 4);
        NodeId[] memory nodeIds = new NodeId[](4);
        address[] memory signers = new address[](4);
        for (uint256 i = 0; i < 4; i++) {
            (nodeIds[i], signers[i]) = (NodeId.wrap(uint32(i + 1)), signerAccount(i).addr);
        }
        // n = 10, f = 3: the caps hold the first two at 3; 3, 3, 3, 1 would be 4, 3, 2, 1 without.
        bytes memory expected = hex"00010203000102000102";
        vm.expectEmit(address(committee));
        emit ICommittee.CommitteeFormed(Epoch.wrap(1), nodeIds, signers, expected);
        committee.form();
        assertEq(committee.assignment(), expected);
        ICommittee.Member[] memory members = committee.members();
        for (uint256 i = 0; i < 4; i++) {
            assertEq(NodeId.unwrap(members[i].nodeId), i + 1);
            assertEq(members[i].signer, signers[i]);
            assertEq(members[i].weight, [3, 3, 3, 1][i]);
        }
    }

    function test_form__with_one_node__gives_it_all() external {
        formCommittee(1, 1);
        assertEq(committee.members().length, 1);
        assertEq(committee.weightOf(NodeId.wrap(1)), 10);
        assertEq(committee.assignment(), new bytes(10));
    }

    function test_form__takes_office_in_the_epoch_of_the_clock() external {
        joinNode(0, 1);
        warpTo(7);
        committee.form();
        assertEq(Epoch.unwrap(committee.epoch()), 7);
    }

    function test_I3_form__with_any_stakes_and_regions__assigns_every_shard_once(
        uint128[12] memory seeds,
        uint256 count,
        uint256 regions
    ) external {
        _formAny(seeds, count, regions);
        assertSeats();
    }

    function test_I4_form__with_any_stakes_in_four_regions_or_more__keeps_them_at_f(
        uint128[12] memory seeds,
        uint256 count,
        uint256 regions
    ) external {
        count = bound(count, 4, 12);
        regions = _formAny(seeds, count, bound(regions, 4, count));
        uint256[] memory held = new uint256[](regions);
        ICommittee.Member[] memory members = committee.members();
        for (uint256 i = 0; i < members.length; i++) {
            held[(NodeId.unwrap(members[i].nodeId) - 1) % regions] += members[i].weight;
        }
        for (uint256 region = 0; region < regions; region++) {
            // n = 10, f = 3: four regions are enough.
            assertLe(held[region], 3);
        }
    }

    function test_form__leaves_out_who_got_no_shard() external {
        for (uint256 i = 0; i < 12; i++) {
            joinNode(i, 12);
        }
        committee.form();
        assertEq(committee.members().length, 10);
        assertEq(committee.weightOf(NodeId.wrap(10)), 1);
        assertEq(committee.weightOf(NodeId.wrap(11)), 0);
    }

    function test_form__whatever_the_order_of_candidates__seats_by_ascending_id() external {
        for (uint256 i = 0; i < 6; i++) {
            joinNode(i, 6);
        }
        // Leaving and coming back puts the first node behind the others in the set of candidates.
        unstake(0, ALL);
        staking.dismiss(nodeAt(0));
        deposit(0, 100e18);
        staking.stand(nodeAt(0));
        (NodeId[] memory candidates,) = staking.candidatesAt(Epoch.wrap(9));
        assertEq(NodeId.unwrap(candidates[5]), 1);

        // What came back counts from epoch 2 on.
        warpTo(2);
        committee.form();
        ICommittee.Member[] memory members = committee.members();
        for (uint256 i = 0; i < 6; i++) {
            assertEq(NodeId.unwrap(members[i].nodeId), i + 1);
        }
    }

    // refreshSigner

    function test_refreshSigner__when_there_is_no_such_member__reverts() external {
        formCommittee(4, 4);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_UnknownMember.selector, 4, 1 << 4));
        committee.refreshSigner(4);
    }

    function test_refreshSigner__when_the_key_is_the_same__does_nothing() external {
        formCommittee(4, 4);
        vm.recordLogs();
        committee.refreshSigner(2);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(committee.members()[2].signer, signerAccount(2).addr);
    }

    function test_refreshSigner__when_the_key_was_rotated__only_the_new_one_signs() external {
        formCommittee(4, 4);
        Account memory oldSigner = signerAccount(2);
        Account memory newSigner = makeAccount("new signer");
        rotate(2, newSigner);
        assertEq(committee.verify(DIGEST, 1 << 2, sign(oldSigner.key, DIGEST)), 2);

        vm.expectEmit(address(committee));
        emit ICommittee.SignerRefreshed(Epoch.wrap(1), 2, oldSigner.addr, newSigner.addr);
        vm.prank(stranger);
        committee.refreshSigner(2);

        assertEq(committee.verify(DIGEST, 1 << 2, sign(newSigner.key, DIGEST)), 2);
        _expectWrongSignature(2, newSigner.addr, oldSigner.addr);
        committee.verify(DIGEST, 1 << 2, sign(oldSigner.key, DIGEST));
    }

    // verify

    function test_verify__when_no_committee_serves__reverts() external {
        vm.expectRevert(ICommittee.Committee_NotFormed.selector);
        committee.verify(DIGEST, 1, new bytes(65));
    }

    function test_verify__when_the_bitmap_names_nobody__reverts() external {
        formCommittee(4, 4);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_UnknownMember.selector, 4, 0));
        committee.verify(DIGEST, 0, "");
    }

    function test_verify__when_the_bitmap_names_a_stranger__reverts(uint256 signers) external {
        formCommittee(4, 4);
        signers = bound(signers, 1 << 4, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_UnknownMember.selector, 4, signers));
        committee.verify(DIGEST, signers, new bytes(65));
    }

    function test_verify__when_signatures_have_another_length__reverts(uint256 length) external {
        formCommittee(4, 4);
        length = bound(length, 0, 300);
        vm.assume(length != 130);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_WrongSignatureLength.selector, 130, length));
        committee.verify(DIGEST, 5, new bytes(length));
    }

    function test_verify__when_all_signatures_are_right__counts_their_shards(uint256 signers) external {
        formCommittee(7, 7);
        signers = bound(signers, 1, 2 ** 7 - 1);
        uint256 expected = 0;
        // Ten shards over seven equal nodes: two each for the first three.
        for (uint256 i = 0; i < 7; i++) {
            if (signers >> i & 1 == 1) expected += i < 3 ? 2 : 1;
        }
        assertEq(committee.verify(DIGEST, signers, signaturesOf(DIGEST, signers)), expected);
    }

    function test_verify__with_all_members_of_the_largest_committee__counts_all() external {
        Parameters memory parameters = defaultParameters();
        parameters.shards = 255;
        deploySystem(parameters);
        formCommittee(128, 15);
        uint256 everybody = bitmap(0, 128);
        assertEq(committee.verify(DIGEST, everybody, signaturesOf(DIGEST, everybody)), 255);
    }

    function test_verify__when_a_signature_is_anothers__reverts() external {
        formCommittee(4, 4);
        bytes memory swapped = bytes.concat(sign(signerAccount(1).key, DIGEST), sign(signerAccount(0).key, DIGEST));
        _expectWrongSignature(0, signerAccount(0).addr, signerAccount(1).addr);
        committee.verify(DIGEST, 3, swapped);
    }

    function test_verify__when_a_signature_stands_twice__reverts() external {
        formCommittee(4, 4);
        bytes memory once = sign(signerAccount(0).key, DIGEST);
        _expectWrongSignature(1, signerAccount(1).addr, signerAccount(0).addr);
        committee.verify(DIGEST, 3, bytes.concat(once, once));
    }

    function test_verify__when_a_signature_is_for_another_digest__reverts() external {
        formCommittee(4, 4);
        bytes memory signature = sign(signerAccount(0).key, keccak256("other words"));
        vm.expectPartialRevert(ICommittee.Committee_WrongSignature.selector);
        committee.verify(DIGEST, 1, signature);
    }

    function test_verify__when_a_signature_is_malleable__reverts() external {
        formCommittee(4, 4);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerAccount(0).key, DIGEST);
        bytes memory high = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _expectWrongSignature(0, signerAccount(0).addr, address(0));
        committee.verify(DIGEST, 1, high);
    }

    function test_verify__when_a_signature_is_malformed__reverts() external {
        formCommittee(4, 4);
        _expectWrongSignature(0, signerAccount(0).addr, address(0));
        committee.verify(DIGEST, 1, new bytes(65));
    }

    // clock

    function test_clock__counts_epochs_by_time_alone(uint32 elapsed) external {
        uint256 genesisTime = vm.getBlockTimestamp();
        vm.warp(genesisTime + elapsed);
        assertEq(currentEpoch(), 1 + elapsed / 1 days);
    }

    function test_clock__says_when_an_epoch_begins(uint16 number) external {
        Epoch epoch = Epoch.wrap(uint32(bound(number, 2, type(uint16).max)));
        uint256 start = Timestamp.unwrap(committee.startOf(epoch));
        vm.warp(start);
        assertEq(currentEpoch(), Epoch.unwrap(epoch));
        vm.warp(start - 1);
        assertEq(currentEpoch(), Epoch.unwrap(epoch) - 1);
    }

    // views

    function test_ownerOfShard__agrees_with_the_assignment() external {
        formCommittee(7, 7);
        bytes memory assignment = committee.assignment();
        ICommittee.Member[] memory members = committee.members();
        for (uint16 shard = 0; shard < 10; shard++) {
            NodeId expected = members[uint8(assignment[shard])].nodeId;
            assertEq(NodeId.unwrap(committee.ownerOfShard(shard)), NodeId.unwrap(expected));
        }
    }

    function test_ownerOfShard__beyond_the_last__reverts() external {
        formCommittee(4, 4);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_UnknownShard.selector, 10, 10));
        committee.ownerOfShard(10);
    }

    function test_ownerOfShard__when_no_committee_serves__reverts() external {
        vm.expectRevert(ICommittee.Committee_NotFormed.selector);
        committee.ownerOfShard(0);
    }

    function test_weightOf__of_who_does_not_serve__is_zero() external {
        assertEq(committee.weightOf(NodeId.wrap(1)), 0);
        formCommittee(4, 4);
        assertEq(committee.weightOf(NodeId.wrap(0)), 0);
        assertEq(committee.weightOf(NodeId.wrap(5)), 0);
        assertEq(committee.weightOf(NodeId.wrap(type(uint32).max)), 0);
    }

    // Helpers

    /// @dev Up to twelve nodes in up to as many regions, with stakes from the minimum to a hundred million times that.
    function _formAny(uint128[12] memory seeds, uint256 count, uint256 regions) private returns (uint256) {
        count = bound(count, 1, 12);
        regions = bound(regions, 1, count);
        uint128[] memory stakes = new uint128[](count);
        for (uint256 i = 0; i < count; i++) {
            stakes[i] = uint128(bound(seeds[i], 1e18, 10 ** (18 + seeds[i] % 9)));
        }
        joinAll(0, stakes, regions);
        committee.form();
        return regions;
    }

    function _expectWrongSignature(uint256 member, address expected, address recovered) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICommittee.Committee_WrongSignature.selector, member, expected, recovered)
        );
    }
}
