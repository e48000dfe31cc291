// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockHashRandomness} from "../../contracts/custody/BlockHashRandomness.sol";
import {CustodyChallenges} from "../../contracts/custody/CustodyChallenges.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../../contracts/interfaces/ICustodyChallenges.sol";
import {IRandomness} from "../../contracts/interfaces/IRandomness.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {SliverProof} from "../../contracts/libraries/SliverProof.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {CustodyFixture} from "./support/CustodyFixture.sol";
import {vm} from "./support/Vm.sol";

/// @dev Ten nodes of a shard each; four objects of two real blobs: one of a byte, three of 10 KiB, for five epochs.
contract CustodyChallengesTest is CustodyFixture {
    bytes32 private constant SEED = keccak256("seed");
    Epoch private constant FIRST = Epoch.wrap(1);
    uint32 private constant EPOCHS = 5;

    function setUp() public {
        vm.warp(1_000_000);
        vm.roll(1000);
        readBlobs();
        deployCustody();
        certifyEncoded(BYTE, EPOCHS);
        for (uint256 i = 0; i < 3; ++i) {
            certifyEncoded(SMALL, EPOCHS);
        }
    }

    // constructor

    function test_constructor__when_a_parameter_is_out_of_bounds__reverts() external {
        expectOutOfBounds("samples", 1, 16, 0, withParameters(0, 100, 1600, 3, 14, 1000));
        expectOutOfBounds("samples", 1, 16, 17, withParameters(17, 100, 1600, 3, 14, 1000));
        expectOutOfBounds("maximumSlashBps", 1, 5000, 0, withParameters(5, 100, 0, 3, 14, 1000));
        expectOutOfBounds("maximumSlashBps", 1, 5000, 5001, withParameters(5, 100, 5001, 3, 14, 1000));
        expectOutOfBounds("firstSlashBps", 1, 1600, 0, withParameters(5, 0, 1600, 3, 14, 1000));
        expectOutOfBounds("firstSlashBps", 1, 1600, 1601, withParameters(5, 1601, 1600, 3, 14, 1000));
        expectOutOfBounds("missesToJail", 1, 100, 0, withParameters(5, 100, 1600, 0, 14, 1000));
        expectOutOfBounds("missesToJail", 1, 100, 101, withParameters(5, 100, 1600, 101, 14, 1000));
        expectOutOfBounds("jailEpochs", 1, 1000, 0, withParameters(5, 100, 1600, 3, 0, 1000));
        expectOutOfBounds("jailEpochs", 1, 1000, 1001, withParameters(5, 100, 1600, 3, 1001, 1000));
        expectOutOfBounds("bountyBps", 0, 5000, 5001, withParameters(5, 100, 1600, 3, 14, 5001));
    }

    function test_constructor__when_in_bounds__keeps_the_parameters() external {
        ICustodyChallenges.Parameters memory parameters = withParameters(16, 5000, 5000, 100, 1000, 5000);
        assertEq(abi.encode(deploy(parameters).parameters()), abi.encode(parameters));
    }

    // timesOf

    function test_timesOf__given_any_length_of_epochs__follows_the_quarters(uint32 seconds_) external {
        Parameters memory parameters = defaultParameters();
        parameters.epochSeconds = uint64(bound(seconds_, 10, 366 days));
        deploySystem(parameters);
        (Timestamp from, Timestamp until, Timestamp closes) = custody.timesOf(Epoch.wrap(3));
        uint256 start = 1_000_000 + 2 * uint256(parameters.epochSeconds);
        assertEq(Timestamp.unwrap(from), start + parameters.epochSeconds / 4);
        assertEq(Timestamp.unwrap(until), start + parameters.epochSeconds / 2);
        assertEq(Timestamp.unwrap(closes), start + uint256(parameters.epochSeconds) * 3 / 4);
    }

    // openWindow

    function test_openWindow__when_outside_its_time__reverts(uint256 epoch, uint256 time) external {
        epoch = bound(epoch, 1, 1000);
        uint256 start = Timestamp.unwrap(committee.startOf(Epoch.wrap(uint32(epoch))));
        time = bound(time, 0, 1 days - 1);
        if (time >= 6 hours && time < 12 hours) time += 6 hours;
        vm.warp(start + time);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICustodyChallenges.CustodyChallenges_NotOpeningTime.selector, epoch, start + 6 hours, start + 12 hours
            )
        );
        custody.openWindow();
    }

    function test_openWindow__when_at_the_borders_of_its_time__opens() external {
        warpToQuarter(1, 1);
        custody.openWindow();
        warpToQuarter(2, 2);
        skipBack(1);
        custody.openWindow();
        assertTrue(custody.isOpen());
        assertEq(Epoch.unwrap(windowOf(2).committeeEpoch), 1);
    }

    function test_openWindow__when_opened_already__reverts() external {
        ask(1, SEED);
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_AlreadyOpened.selector, FIRST));
        custody.openWindow();
    }

    function test_openWindow__when_no_committee_serves__reverts() external {
        deploySystem(defaultParameters());
        warpToQuarter(1, 1);
        vm.expectRevert(ICommittee.Committee_NotFormed.selector);
        custody.openWindow();
    }

    function test_openWindow__when_nothing_was_certified__everybody_passes() external {
        deployCustody();
        warpToQuarter(1, 1);
        vm.expectEmit(address(custody));
        emit ICustodyChallenges.WindowOpened(FIRST, FIRST, 1, 0, true);
        custody.openWindow();
        assertTrue(windowOf(1).empty);
        assertEq(custody.passedShards(FIRST, NodeId.wrap(1)), 1);
        assertEq(custody.totalPassedShards(FIRST), 10);
        randomness.draw(SEED);
        assertEq(custody.samplesOf(FIRST, NodeId.wrap(1))[0].blobObject, 0);
        expectAlreadyProved(1, 1);
        custody.prove(NodeId.wrap(1), "");
    }

    function test_openWindow__when_all_is_in_order__fixes_who_is_asked() external {
        warpToQuarter(1, 1);
        vm.expectEmit(address(custody));
        emit ICustodyChallenges.WindowOpened(FIRST, FIRST, 1, 0, false);
        custody.openWindow();
        ICustodyChallenges.Window memory expected;
        (expected.committeeEpoch, expected.ticket) = (FIRST, 1);
        assertEq(abi.encode(windowOf(1)), abi.encode(expected));
        assertTrue(custody.isOpen());
        warpToQuarter(1, 3);
        assertFalse(custody.isOpen());
    }

    function test_openWindow__when_nobody_advances_for_ten_epochs__asks_the_old_committee() external {
        certifyEncoded(SMALL, 20);
        ask(11, SEED);
        assertEq(Epoch.unwrap(windowOf(11).committeeEpoch), 1);
        proveHonestly(11, 4);
        assertEq(custody.passedShards(Epoch.wrap(11), NodeId.wrap(4)), 1);
    }

    // captureSeed

    function test_captureSeed__when_there_is_no_window__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_NoWindow.selector, 7));
        custody.captureSeed(Epoch.wrap(7));
    }

    function test_captureSeed__when_it_is_not_drawn_yet__reverts() external {
        warpToQuarter(1, 1);
        custody.openWindow();
        vm.expectRevert(abi.encodeWithSelector(IRandomness.Randomness_TooEarly.selector, 1, 1));
        custody.captureSeed(FIRST);
    }

    function test_captureSeed__when_the_source_forgot_it__reverts() external {
        ask(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.Randomness_Lost.selector, 1, 2));
        custody.captureSeed(FIRST);
    }

    function test_captureSeed__when_the_window_closed__reverts() external {
        ask(1, SEED);
        warpToQuarter(1, 3);
        expectWindowClosed(1);
        custody.captureSeed(FIRST);
        warpToQuarter(2, 1);
        expectWindowClosed(1);
        custody.captureSeed(FIRST);
    }

    function test_captureSeed__when_in_the_last_second__keeps_it() external {
        ask(1, SEED);
        warpToQuarter(1, 3);
        skipBack(1);
        vm.expectEmit(address(custody));
        emit ICustodyChallenges.SeedCaptured(FIRST, SEED);
        assertEq(custody.captureSeed(FIRST), SEED);
        assertEq(windowOf(1).seed, SEED);
    }

    function test_captureSeed__when_captured_already__gives_the_same_for_ever() external {
        ask(1, SEED);
        custody.captureSeed(FIRST);
        vm.recordLogs();
        assertEq(custody.captureSeed(FIRST), SEED);
        warpToQuarter(3, 2);
        assertEq(custody.captureSeed(FIRST), SEED);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    // prove

    function test_I11_prove__given_the_shared_vectors__asks_the_same_places_and_accepts() external {
        string memory json = vm.readFile(PROOF_VECTORS);
        uint256 cases = 0;
        for (; vm.keyExistsJson(json, windowKey(cases, "")); ++cases) {
            checkWindow(json, cases);
        }
        assertEq(cases, 8);
    }

    function test_prove__given_a_committee_of_one__it_answers_for_all_shards() external {
        checkWindow(vm.readFile(PROOF_VECTORS), 0);
        assertEq(custody.passedShards(FIRST, NodeId.wrap(1)), 10);
        assertEq(custody.totalPassedShards(FIRST), 10);
    }

    function test_prove__given_a_committee_of_thirty__the_silent_ones_are_slashed() external {
        checkWindow(vm.readFile(PROOF_VECTORS), 5);
        reportTheRest(30, 3);
        assertEq(custody.totalPassedShards(FIRST), 3);
    }

    function test_prove__given_a_committee_of_a_hundred__the_silent_ones_are_slashed() external {
        checkWindow(vm.readFile(PROOF_VECTORS), 6);
        reportTheRest(100, 3);
        // Nodes 1 and 55 have three of 255 shards, node 100 has two.
        assertEq(custody.totalPassedShards(FIRST), 8);
    }

    function test_I6_prove__given_any_seed__honest_nodes_pass(bytes32 seed) external {
        vm.assume(seed != 0);
        ask(1, seed);
        for (uint32 node = 1; node <= 10; ++node) {
            proveHonestly(1, node);
            assertEq(custody.passedShards(FIRST, NodeId.wrap(node)), 1);
        }
        assertEq(windowOf(1).proved, bitmap(0, 10));
        assertEq(windowOf(1).seed, seed);
        assertEq(custody.totalPassedShards(FIRST), 10);
    }

    function test_prove__when_a_stranger_relays__counts_for_the_node() external {
        ask(1, SEED);
        bytes memory proofs = answerOf(1, 3);
        vm.expectEmit(address(custody));
        emit ICustodyChallenges.SeedCaptured(FIRST, SEED);
        vm.expectEmit(address(custody));
        emit ICustodyChallenges.CustodyProved(FIRST, NodeId.wrap(3), makeAddr("stranger"));
        vm.prank(makeAddr("stranger"));
        custody.prove(NodeId.wrap(3), proofs);
        assertEq(windowOf(1).proved, 1 << 2);
    }

    function test_prove__when_no_window_was_opened__reverts() external {
        warpToQuarter(1, 1);
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_NoWindow.selector, FIRST));
        custody.prove(NodeId.wrap(1), "");
    }

    function test_prove__when_the_seed_is_asked_too_early__reverts() external {
        warpToQuarter(1, 1);
        custody.openWindow();
        vm.expectRevert(abi.encodeWithSelector(IRandomness.Randomness_TooEarly.selector, 1, 1));
        custody.prove(NodeId.wrap(1), "");
    }

    function test_prove__when_the_seed_is_asked_after_256_blocks__reverts_unless_it_was_captured() external {
        useBlockHashes();
        warpToQuarter(1, 1);
        custody.openWindow();
        uint256 ticket = windowOf(1).ticket;
        vm.roll(ticket + 256);
        uint256 snapshot = vm.snapshotState();
        custody.captureSeed(FIRST);
        vm.roll(ticket + 257);
        proveHonestly(1, 1);

        assertTrue(vm.revertToState(snapshot));
        vm.roll(ticket + 257);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.Randomness_Lost.selector, ticket, ticket + 257));
        custody.prove(NodeId.wrap(1), "");
        warpToQuarter(1, 3);
        expectSeedNotCaptured(1);
        custody.reportMiss(FIRST, NodeId.wrap(1));
    }

    function test_prove__when_proved_twice__reverts() external {
        ask(1, SEED);
        bytes memory proofs = answerOf(1, 1);
        custody.prove(NodeId.wrap(1), proofs);
        expectAlreadyProved(1, 1);
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_prove__when_too_late__reverts() external {
        ask(1, SEED);
        bytes memory proofs = answerOf(1, 1);
        warpToQuarter(1, 3);
        expectWindowClosed(1);
        custody.prove(NodeId.wrap(1), proofs);
        skipBack(1);
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_I6_prove__when_the_proof_is_of_another_node__reverts(bytes32 seed) external {
        vm.assume(seed != 0);
        ask(1, seed);
        bytes memory proofs = answerOf(1, 2);
        vm.expectRevert();
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_I6_prove__when_the_proof_is_of_another_epoch__reverts(bytes32 seed) external {
        vm.assume(seed != 0 && seed != SEED);
        ask(1, SEED);
        bytes memory proofs = answerOf(1, 1);
        custody.prove(NodeId.wrap(1), proofs);
        ask(2, seed);
        vm.expectRevert();
        custody.prove(NodeId.wrap(1), proofs);
        proveHonestly(2, 1);
    }

    function test_I6_prove__when_the_proof_is_for_another_place__reverts(bytes32 seed, uint256 shift) external {
        vm.assume(seed != 0);
        ask(1, seed);
        ICustodyChallenges.Sample[] memory samples = custody.samplesOf(FIRST, NodeId.wrap(1));
        uint256 which = shift % 5;
        bytes memory proofs;
        for (uint256 i = 0; i < samples.length; ++i) {
            // In a blob of one byte most slivers are equal, and so the same bytes do stand at other places.
            vm.assume(i != which || samples[i].size != 1);
            if (i == which) samples[i].chunk = (samples[i].chunk + 1) % (samples[i].secondary ? 6 : 11);
            proofs = bytes.concat(proofs, proofOf(samples[i]));
        }
        vm.expectRevert();
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_I6_prove__when_any_byte_is_forged__reverts(bytes32 seed, uint256 place, uint8 flip) external {
        vm.assume(seed != 0);
        ask(1, seed);
        bytes memory proofs = answerOf(1, 1);
        place = bound(place, 0, proofs.length - 1);
        proofs[place] ^= bytes1(uint8(bound(flip, 1, 255)));
        vm.expectPartialRevert(SliverProof.SliverProof_Mismatch.selector);
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_I6_prove__when_any_node_of_any_path_is_forged__reverts() external {
        ask(1, SEED);
        bytes memory proofs = answerOf(1, 1);
        for (uint256 i = 0; i < proofs.length; i += 16) {
            proofs[i] ^= 0x10;
            vm.expectPartialRevert(SliverProof.SliverProof_Mismatch.selector);
            custody.prove(NodeId.wrap(1), proofs);
            proofs[i] ^= 0x10;
        }
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_I6_prove__when_samples_are_swapped__reverts(bytes32 seed, uint256 pick) external {
        vm.assume(seed != 0);
        ask(1, seed);
        ICustodyChallenges.Sample[] memory samples = custody.samplesOf(FIRST, NodeId.wrap(1));
        uint256 i = pick % 5;
        uint256 j = (i + 1 + pick / 5 % 4) % 5;
        vm.assume(keccak256(proofOf(samples[i])) != keccak256(proofOf(samples[j])));
        (samples[i], samples[j]) = (samples[j], samples[i]);
        bytes memory proofs;
        for (uint256 k = 0; k < 5; ++k) {
            proofs = bytes.concat(proofs, proofOf(samples[k]));
        }
        vm.expectRevert();
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_prove__when_bytes_trail__reverts(bytes calldata more) external {
        vm.assume(more.length != 0);
        ask(1, SEED);
        bytes memory proofs = answerOf(1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ICustodyChallenges.CustodyChallenges_TrailingBytes.selector, proofs.length, proofs.length + more.length
            )
        );
        custody.prove(NodeId.wrap(1), bytes.concat(proofs, more));
    }

    function test_prove__when_it_is_cut_short__reverts(uint256 length) external {
        ask(1, SEED);
        bytes memory proofs = answerOf(1, 1);
        ICustodyChallenges.Sample[] memory samples = custody.samplesOf(FIRST, NodeId.wrap(1));
        length = bound(length, 0, proofs.length - 1);
        uint256 sample = 0;
        uint256 rest = length;
        for (; rest >= proofOf(samples[sample]).length; ++sample) {
            rest -= proofOf(samples[sample]).length;
        }
        assembly ("memory-safe") {
            mstore(proofs, length)
        }
        vm.expectRevert(
            abi.encodeWithSelector(
                ICustodyChallenges.CustodyChallenges_ProofTooShort.selector,
                sample,
                proofOf(samples[sample]).length,
                rest
            )
        );
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_prove__when_the_node_does_not_serve__reverts() external {
        NodeId nodeId = joinNode(10, 4);
        ask(1, SEED);
        expectNothingDue(1, 11);
        custody.prove(nodeId, "");
        expectNothingDue(1, 99);
        custody.prove(NodeId.wrap(99), "");
    }

    function test_prove__when_all_objects_are_over__has_nothing_to_prove() external {
        uint32 epoch = 1 + EPOCHS;
        ask(epoch, SEED);
        assertFalse(windowOf(epoch).empty);
        assertEq(answerOf(epoch, 1).length, 0);
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_TrailingBytes.selector, 0, 1));
        custody.prove(NodeId.wrap(1), hex"00");
        custody.prove(NodeId.wrap(1), "");
        assertEq(custody.passedShards(Epoch.wrap(epoch), NodeId.wrap(1)), 1);

        // Silence is a miss all the same.
        warpToQuarter(epoch, 3);
        custody.reportMiss(Epoch.wrap(epoch), NodeId.wrap(2));
    }

    function test_prove__when_objects_expired__they_are_never_asked_for(bytes32 seed) external {
        vm.assume(seed != 0);
        uint256 lasting = certifyEncoded(BYTE, 2 * EPOCHS);
        uint32 epoch = 1 + EPOCHS;
        ask(epoch, seed);
        for (uint32 node = 1; node <= 10; ++node) {
            ICustodyChallenges.Sample[] memory samples = custody.samplesOf(Epoch.wrap(epoch), NodeId.wrap(node));
            for (uint256 i = 0; i < samples.length; ++i) {
                assertTrue(samples[i].blobObject == lasting || samples[i].blobObject == 0);
            }
            proveHonestly(epoch, node);
        }
    }

    function test_prove__when_a_blob_was_deleted_in_the_window__it_is_still_due(bytes32 seed) external {
        vm.assume(seed != 0);
        ask(1, seed);
        bytes memory proofs = answerOf(1, 1);
        vm.startPrank(owner);
        for (uint256 blobObject = 1; blobObject <= 4; ++blobObject) {
            registry.deleteBlob(blobObject);
        }
        vm.stopPrank();
        assertEq(answerOf(1, 1), proofs);
        vm.expectPartialRevert(ICustodyChallenges.CustodyChallenges_ProofTooShort.selector);
        custody.prove(NodeId.wrap(1), "");
        custody.prove(NodeId.wrap(1), proofs);

        ask(2, seed);
        assertEq(answerOf(2, 1).length, 0);
    }

    function test_prove__when_a_blob_becomes_invalid_in_the_window__it_is_void(bytes32 seed) external {
        vm.assume(seed != 0);
        ask(1, seed);
        bytes memory before = answerOf(1, 1);
        invalidateBlob(encoded[SMALL].blobId);
        ICustodyChallenges.Sample[] memory samples = custody.samplesOf(FIRST, NodeId.wrap(1));
        for (uint256 i = 0; i < samples.length; ++i) {
            assertLe(samples[i].blobObject, 1);
        }
        if (keccak256(before) != keccak256(answerOf(1, 1))) {
            vm.expectRevert();
            custody.prove(NodeId.wrap(1), before);
        }
        proveHonestly(1, 1);
    }

    function test_prove__when_another_blob_became_invalid__places_stay(bytes32 seed) external {
        vm.assume(seed != 0);
        ask(1, seed);
        bytes memory proofs = answerOf(1, 1);
        invalidateBlob(blobId("another"));
        custody.prove(NodeId.wrap(1), proofs);
    }

    function test_prove__when_objects_are_certified_after_the_opening__they_are_not_drawn(bytes32 seed) external {
        vm.assume(seed != 0);
        ask(1, seed);
        bytes memory proofs = answerOf(1, 1);
        for (uint256 i = 0; i < 9; ++i) {
            certifyEncoded(i % 2, EPOCHS);
        }
        assertEq(answerOf(1, 1), proofs);
        custody.prove(NodeId.wrap(1), proofs);
    }

    // samplesOf

    function test_samplesOf__when_a_later_window_was_opened__reverts() external {
        ask(1, SEED);
        ask(2, SEED);
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_NoWindow.selector, FIRST));
        custody.samplesOf(FIRST, NodeId.wrap(1));
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_NoWindow.selector, 3));
        custody.samplesOf(Epoch.wrap(3), NodeId.wrap(1));
    }

    function test_samplesOf__when_the_seed_is_captured__says_the_same_as_before() external {
        ask(1, SEED);
        bytes memory before = abi.encode(custody.samplesOf(FIRST, NodeId.wrap(1)));
        custody.captureSeed(FIRST);
        assertEq(abi.encode(custody.samplesOf(FIRST, NodeId.wrap(1))), before);
    }

    function test_samplesOf__when_the_node_has_nothing_due__reverts() external {
        ask(1, SEED);
        expectNothingDue(1, 11);
        custody.samplesOf(FIRST, NodeId.wrap(11));
    }

    // reportMiss

    function test_reportMiss__when_there_was_no_window__reverts() external {
        warpToQuarter(1, 3);
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_NoWindow.selector, FIRST));
        custody.reportMiss(FIRST, NodeId.wrap(1));
    }

    function test_reportMiss__when_the_window_is_open__reverts() external {
        askAndCapture(1);
        warpToQuarter(1, 3);
        skipBack(1);
        expectNotReportingTime(1);
        custody.reportMiss(FIRST, NodeId.wrap(1));
    }

    function test_reportMiss__when_the_epoch_after_the_next_began__reverts() external {
        askAndCapture(1);
        warpTo(3);
        expectNotReportingTime(1);
        custody.reportMiss(FIRST, NodeId.wrap(1));
        skipBack(1);
        custody.reportMiss(FIRST, NodeId.wrap(1));
    }

    function test_reportMiss__when_the_seed_was_not_captured__reverts() external {
        ask(1, SEED);
        warpToQuarter(1, 3);
        expectSeedNotCaptured(1);
        custody.reportMiss(FIRST, NodeId.wrap(1));
        assertEq(custody.passedShards(FIRST, NodeId.wrap(1)), 0);
        assertEq(custody.totalPassedShards(FIRST), 0);
    }

    function test_reportMiss__when_the_chain_stalled_over_the_window__slashes_nobody() external {
        useBlockHashes();
        warpToQuarter(1, 1);
        custody.openWindow();
        // The next block comes after the close, and only then the ticket's.
        warpToQuarter(1, 3);
        vm.roll(windowOf(1).ticket + 1);
        expectWindowClosed(1);
        custody.captureSeed(FIRST);
        for (uint32 node = 1; node <= 10; ++node) {
            expectSeedNotCaptured(1);
            custody.reportMiss(FIRST, NodeId.wrap(node));
        }
    }

    function test_reportMiss__when_the_node_was_not_asked__reverts() external {
        askAndCapture(1);
        warpToQuarter(1, 3);
        expectNothingDue(1, 11);
        custody.reportMiss(FIRST, NodeId.wrap(11));
    }

    function test_I7_reportMiss__when_the_node_proved__reverts() external {
        ask(1, SEED);
        proveHonestly(1, 1);
        warpToQuarter(1, 3);
        expectAlreadyProved(1, 1);
        custody.reportMiss(FIRST, NodeId.wrap(1));
    }

    function test_reportMiss__when_there_was_nothing_to_ask__reverts() external {
        deployCustody();
        ask(1, SEED);
        warpToQuarter(1, 3);
        expectAlreadyProved(1, 1);
        custody.reportMiss(FIRST, NodeId.wrap(1));
    }

    function test_I7_reportMiss__when_reported_already__reverts() external {
        askAndCapture(1);
        warpToQuarter(1, 3);
        custody.reportMiss(FIRST, NodeId.wrap(1));
        uint256 stake = stakeOf(1);
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_AlreadyReported.selector, FIRST, 1));
        custody.reportMiss(FIRST, NodeId.wrap(1));
        assertEq(stakeOf(1), stake);
        assertEq(windowOf(1).reported, 1);
    }

    function test_reportMiss__when_all_is_in_order__slashes_and_pays_the_bounty() external {
        address reporter = makeAddr("reporter");
        askAndCapture(1);
        warpToQuarter(1, 3);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(staking));
        emit IStaking.Slashed(NodeId.wrap(1), reporter, Amount.wrap(1e18), Amount.wrap(0), Amount.wrap(0.001e18));
        vm.expectEmit(address(custody));
        emit ICustodyChallenges.CustodyMissed(FIRST, NodeId.wrap(1), reporter, 1, 100, Amount.wrap(1e18));
        vm.prank(reporter);
        assertEq(Amount.unwrap(custody.reportMiss(FIRST, NodeId.wrap(1))), 1e18);

        assertEq(stakeOf(1), 99e18);
        assertEq(Amount.unwrap(vault.claimOf(reporter)), 0.001e18);
        assertEq(token.totalSupply(), supply - 0.999e18);
        assertEq(abi.encode(custody.recordOf(NodeId.wrap(1))), abi.encode(FIRST, 1));
        assertEq(custody.passedShards(FIRST, NodeId.wrap(1)), 0);
    }

    function test_reportMiss__when_a_node_misses_on_and_on__doubles_up_to_the_maximum_and_jails() external {
        uint16[6] memory bps = [100, 200, 400, 800, 1600, 1600];
        for (uint32 epoch = 1; epoch <= 6; ++epoch) {
            certifyEncoded(BYTE, EPOCHS);
            uint256 stake = stakeOf(1);
            assertEq(miss(epoch), stake * bps[epoch - 1] / 10_000);
            assertEq(custody.slashBpsFor(epoch), bps[epoch - 1]);
            uint32 jailed = Epoch.unwrap(staking.poolOf(NodeId.wrap(1)).jailedUntil);
            assertEq(jailed, epoch < 3 ? 0 : epoch + 14);
        }
        assertEq(custody.slashBpsFor(0), 0);
        assertEq(custody.slashBpsFor(type(uint32).max), 1600);
    }

    function test_reportMiss__when_an_epoch_between_was_proved__the_row_begins_anew() external {
        miss(1);
        miss(2);
        ask(3, SEED);
        proveHonestly(3, 1);
        assertEq(custody.recordOf(NodeId.wrap(1)).row, 2);
        miss(4);
        assertEq(abi.encode(custody.recordOf(NodeId.wrap(1))), abi.encode(4, 1));
    }

    function test_reportMiss__when_reported_out_of_order__both_count_in_the_row() external {
        askAndCapture(1);
        askAndCapture(2);
        warpToQuarter(2, 3);
        custody.reportMiss(Epoch.wrap(2), NodeId.wrap(1));
        assertEq(abi.encode(custody.recordOf(NodeId.wrap(1))), abi.encode(2, 1));
        custody.reportMiss(FIRST, NodeId.wrap(1));
        assertEq(abi.encode(custody.recordOf(NodeId.wrap(1))), abi.encode(2, 2));
        miss(3);
        assertEq(abi.encode(custody.recordOf(NodeId.wrap(1))), abi.encode(3, 3));
        assertEq(Epoch.unwrap(staking.poolOf(NodeId.wrap(1)).jailedUntil), 17);
    }

    function test_reportMiss__when_all_nodes_of_a_region_are_gone__slashes_only_these() external {
        ask(1, SEED);
        // Region 0 has the nodes 1, 5 and 9.
        for (uint32 node = 1; node <= 10; ++node) {
            if (node % 4 != 1) proveHonestly(1, node);
        }
        warpToQuarter(1, 3);
        for (uint32 node = 1; node <= 10; ++node) {
            if (node % 4 != 1) expectAlreadyProved(1, node);
            custody.reportMiss(FIRST, NodeId.wrap(node));
            assertEq(stakeOf(node), node % 4 == 1 ? 99e18 : 100e18);
        }
        assertEq(custody.totalPassedShards(FIRST), 7);
    }

    function test_reportMiss__when_the_reporter_is_the_node__it_still_loses() external {
        askAndCapture(1);
        warpToQuarter(1, 3);
        address operator = makeAddr("operator 0");
        vm.prank(operator);
        custody.reportMiss(FIRST, NodeId.wrap(1));
        assertEq(stakeOf(1) + Amount.unwrap(vault.claimOf(operator)), 99.001e18);
    }

    function test_reportMiss__when_all_stake_is_on_its_way_out__slashes_it_all_the_same() external {
        askAndCapture(1);
        vm.prank(makeAddr("operator 0"));
        staking.undelegate(NodeId.wrap(1), Amount.wrap(type(uint128).max));
        warpToQuarter(1, 3);
        assertEq(Amount.unwrap(custody.reportMiss(FIRST, NodeId.wrap(1))), 1e18);
        assertEq(stakeOf(1), 99e18);
    }

    function test_reportMiss__when_the_node_is_down_across_two_changes__each_window_is_missed_once() external {
        changeCommittee();
        ask(2, SEED);
        custody.captureSeed(Epoch.wrap(2));
        delegateTo(1, 300e18);
        warpToQuarter(2, 2);
        committee.selectCommittee();
        warpTo(3);
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 3);
        expectNothingDue(2, 11);
        custody.reportMiss(Epoch.wrap(2), NodeId.wrap(11));
        // Node 11 never signalled: its shards did not move again, and are due now.
        for (uint32 epoch = 3; epoch < 5; ++epoch) {
            askAndCapture(epoch);
            warpToQuarter(epoch, 3);
            custody.reportMiss(Epoch.wrap(epoch), NodeId.wrap(11));
            assertEq(abi.encode(custody.recordOf(NodeId.wrap(11))), abi.encode(epoch, epoch - 2));
        }
    }

    // committees that change

    function test_openWindow__when_shards_are_on_their_way__they_are_exempt(bytes32 seed) external {
        vm.assume(seed != 0);
        changeCommittee();
        uint256 pending = committee.pendingShards();
        ask(2, seed);
        ICustodyChallenges.Window memory window = windowOf(2);
        assertEq(window.exempt, pending);
        assertEq(Epoch.unwrap(window.committeeEpoch), 2);

        uint256 passed = 0;
        for (uint32 node = 1; node <= 11; ++node) {
            (, uint256 seat) = committee.seatOf(Epoch.wrap(2), NodeId.wrap(node));
            if (seat & ~pending == 0) {
                expectNothingDue(2, node);
                custody.prove(NodeId.wrap(node), "");
                continue;
            }
            ICustodyChallenges.Sample[] memory samples = custody.samplesOf(Epoch.wrap(2), NodeId.wrap(node));
            for (uint256 i = 0; i < samples.length; ++i) {
                assertEq(seat & ~pending & 1 << samples[i].shard, 1 << samples[i].shard);
            }
            proveHonestly(2, node);
            passed += custody.passedShards(Epoch.wrap(2), NodeId.wrap(node));
        }
        assertEq(custody.passedShards(Epoch.wrap(2), NodeId.wrap(11)), 0);
        assertEq(passed, 10 - countOf(pending));
        assertEq(custody.totalPassedShards(Epoch.wrap(2)), passed);

        warpToQuarter(2, 3);
        expectNothingDue(2, 11);
        custody.reportMiss(Epoch.wrap(2), NodeId.wrap(11));
    }

    function test_openWindow__when_shards_were_signalled__they_are_due() external {
        changeCommittee();
        vm.prank(makeAddr("operator 10"));
        committee.epochSyncDone(NodeId.wrap(11));
        (, uint256 seat) = committee.seatOf(Epoch.wrap(2), NodeId.wrap(11));
        ask(2, SEED);
        assertEq(windowOf(2).exempt & seat, 0);
        proveHonestly(2, 11);
        assertEq(custody.passedShards(Epoch.wrap(2), NodeId.wrap(11)), countOf(seat));
    }

    function test_openWindow__when_shards_are_signalled_later__they_stay_exempt() external {
        changeCommittee();
        ask(2, SEED);
        vm.prank(makeAddr("operator 10"));
        committee.epochSyncDone(NodeId.wrap(11));
        expectNothingDue(2, 11);
        custody.prove(NodeId.wrap(11), "");
    }

    function test_openWindow__when_shards_are_pending_an_epoch_later__they_are_due() external {
        changeCommittee();
        uint256 pending = committee.pendingShards();
        ask(3, SEED);
        assertEq(committee.pendingShards(), pending);
        assertEq(windowOf(3).exempt, 0);
        proveHonestly(3, 11);
        (, uint256 seat) = committee.seatOf(Epoch.wrap(2), NodeId.wrap(11));
        assertEq(custody.passedShards(Epoch.wrap(3), NodeId.wrap(11)), countOf(seat));
    }

    function test_openWindow__when_the_committee_came_after_the_opening_time__excuses_one_epoch_more() external {
        selectOther();
        warpToQuarter(2, 1);
        committee.advanceEpoch();
        uint256 pending = committee.pendingShards();
        assertNotEq(pending, 0);
        ask(2, SEED);
        assertEq(windowOf(2).exempt, pending);
        ask(3, SEED);
        assertEq(windowOf(3).exempt, pending);
        ask(4, SEED);
        assertEq(windowOf(4).exempt, 0);
    }

    function test_openWindow__when_the_committee_came_before_the_opening_time__excuses_only_its_epoch() external {
        selectOther();
        warpToQuarter(2, 1);
        skipBack(1);
        committee.advanceEpoch();
        assertNotEq(committee.pendingShards(), 0);
        ask(3, SEED);
        assertEq(windowOf(3).exempt, 0);
    }

    function test_advanceEpoch__when_the_window_is_open__reverts() external {
        selectOther();
        ask(2, SEED);
        vm.expectRevert(abi.encodeWithSelector(ICommittee.Committee_WindowOpen.selector, 2));
        committee.advanceEpoch();
        proveHonestly(2, 1);
        warpToQuarter(2, 3);
        committee.advanceEpoch();
        assertEq(Epoch.unwrap(committee.epoch()), 2);
        assertEq(Epoch.unwrap(windowOf(2).committeeEpoch), 1);
    }

    function test_reportMiss__when_the_committee_changed_since__slashes_who_was_asked() external {
        askAndCapture(1);
        changeCommittee();
        uint256 gone = 0;
        for (uint32 node = 1; node <= 10; ++node) {
            (, uint256 seat) = committee.seatOf(committee.epoch(), NodeId.wrap(node));
            if (seat == 0) ++gone;
            custody.reportMiss(FIRST, NodeId.wrap(node));
            assertEq(stakeOf(node), 99e18);
        }
        assertGt(gone, 0);
        expectNothingDue(1, 11);
        custody.reportMiss(FIRST, NodeId.wrap(11));
    }

    // reorganisations

    function test_prove__when_the_chain_reorganised_across_the_window__the_old_proof_is_refused(bytes32 seed) external {
        vm.assume(seed != 0 && seed != SEED);
        warpToQuarter(1, 1);
        custody.openWindow();
        uint256 fork = vm.snapshotState();
        randomness.draw(SEED);
        bytes memory proofs = answerOf(1, 1);
        custody.prove(NodeId.wrap(1), proofs);

        assertTrue(vm.revertToState(fork));
        assertEq(windowOf(1).proved, 0);
        randomness.draw(seed);
        vm.expectRevert();
        custody.prove(NodeId.wrap(1), proofs);
        proveHonestly(1, 1);
    }

    function test_prove__when_the_opening_is_reorganised__the_ticket_and_the_places_are_others() external {
        useBlockHashes();
        warpToQuarter(1, 1);
        uint256 fork = vm.snapshotState();
        custody.openWindow();
        uint256 ticket = windowOf(1).ticket;
        vm.roll(ticket + 1);
        bytes memory proofs = answerOf(1, 1);
        custody.prove(NodeId.wrap(1), proofs);

        assertTrue(vm.revertToState(fork));
        vm.roll(vm.getBlockNumber() + 1);
        custody.openWindow();
        assertEq(windowOf(1).ticket, ticket + 1);
        vm.roll(ticket + 2);
        vm.expectRevert();
        custody.prove(NodeId.wrap(1), proofs);
        proveHonestly(1, 1);
    }

    // the shortest epochs

    function test_windows__given_epochs_of_eleven_seconds__keep_their_order() external {
        Parameters memory parameters = defaultParameters();
        (parameters.epochSeconds, parameters.syncSeconds) = (11, 1);
        deployCustody(parameters, 10);
        certifyEncoded(SMALL, 50);
        uint256 genesis = vm.getBlockTimestamp();
        for (uint32 epoch = 2; epoch <= 6; epoch += 2) {
            uint256 start = genesis + 11 * (epoch - 1);
            vm.warp(start + 1);
            vm.expectPartialRevert(ICustodyChallenges.CustodyChallenges_NotOpeningTime.selector);
            custody.openWindow();
            vm.warp(start + 4);
            custody.openWindow();
            randomness.draw(SEED);
            vm.warp(start + 7);
            proveHonestly(epoch, 1);
            bytes memory late = answerOf(epoch, 2);
            vm.warp(start + 8);
            expectWindowClosed(epoch);
            custody.prove(NodeId.wrap(2), late);
            vm.warp(start + 21);
            custody.reportMiss(Epoch.wrap(epoch), NodeId.wrap(2));
            vm.warp(start + 22);
            expectNotReportingTime(epoch);
            custody.reportMiss(Epoch.wrap(epoch), NodeId.wrap(3));
        }
        assertEq(abi.encode(custody.recordOf(NodeId.wrap(2))), abi.encode(6, 1));
    }

    // Helpers

    /// @dev A window of the vectors: a system of its own, its objects, the places and proofs of all nodes that it tells of.
    function checkWindow(string memory json, uint256 i) private {
        Parameters memory parameters = defaultParameters();
        parameters.shards = uint16(vm.parseJsonUint(json, windowKey(i, ".shards")));
        deployCustody(parameters, vm.parseJsonUint(json, windowKey(i, ".nodes")));
        bytes32[] memory blobIds = vm.parseJsonBytes32Array(json, windowKey(i, ".blobIds"));
        uint256[] memory sizes = vm.parseJsonUintArray(json, windowKey(i, ".sizes"));
        for (uint256 k = 0; k < blobIds.length; ++k) {
            assertEq(certifyBlob(BlobId.wrap(blobIds[k]), uint64(sizes[k]), EPOCHS), 1 + k);
        }
        ask(1, vm.parseJsonBytes32(json, windowKey(i, ".seed")));

        uint256[] memory nodeIds = vm.parseJsonUintArray(json, windowKey(i, ".nodeIds"));
        bytes[] memory proofs = vm.parseJsonBytesArray(json, windowKey(i, ".proofs"));
        uint256[][6] memory places;
        string[6] memory columns = [".sampleObject", ".sampleShard", ".pair", ".segment", ".secondary", ".chunk"];
        for (uint256 column = 0; column < 6; ++column) {
            places[column] = vm.parseJsonUintArray(json, windowKey(i, columns[column]));
        }
        for (uint256 k = 0; k < nodeIds.length; ++k) {
            NodeId nodeId = NodeId.wrap(uint32(nodeIds[k]));
            ICustodyChallenges.Sample[] memory samples = custody.samplesOf(FIRST, nodeId);
            for (uint256 s = 0; s < 5; ++s) {
                checkSample(samples[s], places, k * 5 + s);
            }
            custody.prove(nodeId, proofs[k]);
            (, uint256 seat) = committee.seatOf(FIRST, nodeId);
            assertEq(custody.passedShards(FIRST, nodeId), countOf(seat));
        }
    }

    function checkSample(ICustodyChallenges.Sample memory sample, uint256[][6] memory places, uint256 row)
        private
        pure
    {
        assertEq(sample.blobObject, places[0][row], "object");
        assertEq(sample.shard, places[1][row], "shard");
        assertEq(sample.pair, places[2][row], "pair");
        assertEq(sample.segment, places[3][row], "segment");
        assertEq(sample.secondary ? 1 : 0, places[4][row], "secondary");
        assertEq(sample.chunk, places[5][row], "chunk");
    }

    function windowKey(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".windows[", vm.toString(i), "]", field);
    }

    /// @dev Puts hashes of blocks, five ahead, in the place of the source that waits for the test.
    function useBlockHashes() private {
        vm.etch(address(randomness), address(new BlockHashRandomness(5)).code);
    }

    function askAndCapture(uint32 epoch) private {
        ask(epoch, SEED);
        custody.captureSeed(Epoch.wrap(epoch));
    }

    /// @dev Node 1 misses the window of an epoch, and is reported in it.
    function miss(uint32 epoch) private returns (uint256) {
        askAndCapture(epoch);
        warpToQuarter(epoch, 3);
        return Amount.unwrap(custody.reportMiss(Epoch.wrap(epoch), NodeId.wrap(1)));
    }

    /// @dev All nodes that did not prove are reported, those that did cannot be.
    function reportTheRest(uint32 nodes, uint256 proved) private {
        warpToQuarter(1, 3);
        uint256 reported = 0;
        for (uint32 node = 1; node <= nodes; ++node) {
            if (windowOf(1).proved >> (node - 1) & 1 == 1) {
                expectAlreadyProved(1, node);
                custody.reportMiss(FIRST, NodeId.wrap(node));
                assertEq(stakeOf(node), 100e18);
                continue;
            }
            custody.reportMiss(FIRST, NodeId.wrap(node));
            assertEq(stakeOf(node), 99e18);
            ++reported;
        }
        assertEq(reported, nodes - proved);
    }

    function delegateTo(uint32 node, uint128 amount) private {
        address operator = nodeRegistry.operatorOf(NodeId.wrap(node));
        giveTokens(operator, amount);
        vm.prank(operator);
        staking.delegate(NodeId.wrap(node), Amount.wrap(amount));
    }

    /// @dev An eleventh node with more stake joins, and is selected for epoch 2.
    function selectOther() private {
        joinNode(10, 4);
        delegateTo(11, 300e18);
        warpToQuarter(1, 2);
        committee.selectCommittee();
    }

    function changeCommittee() private {
        selectOther();
        warpTo(2);
        committee.advanceEpoch();
        assertNotEq(committee.pendingShards(), 0);
    }

    function skipBack(uint256 duration) private {
        vm.warp(vm.getBlockTimestamp() - duration);
    }

    function countOf(uint256 set) private pure returns (uint256 count) {
        for (; set != 0; set >>= 1) {
            count += set & 1;
        }
    }

    function withParameters(
        uint16 samples,
        uint16 firstSlashBps,
        uint16 maximumSlashBps,
        uint16 missesToJail,
        uint32 jailEpochs,
        uint16 bountyBps
    ) private pure returns (ICustodyChallenges.Parameters memory) {
        return ICustodyChallenges.Parameters(
            samples, firstSlashBps, maximumSlashBps, missesToJail, jailEpochs, bountyBps
        );
    }

    function deploy(ICustodyChallenges.Parameters memory parameters) private returns (CustodyChallenges) {
        return new CustodyChallenges(committee, registry, staking, randomness, parameters);
    }

    function expectOutOfBounds(
        bytes32 parameter,
        uint256 minimum,
        uint256 maximum,
        uint256 actual,
        ICustodyChallenges.Parameters memory parameters
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ICustodyChallenges.CustodyChallenges_ParameterOutOfBounds.selector, parameter, minimum, maximum, actual
            )
        );
        deploy(parameters);
    }

    function expectWindowClosed(uint32 epoch) private {
        (,, Timestamp closes) = custody.timesOf(Epoch.wrap(epoch));
        vm.expectRevert(
            abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_WindowClosed.selector, epoch, closes)
        );
    }

    function expectAlreadyProved(uint32 epoch, uint32 node) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_AlreadyProved.selector, epoch, node)
        );
    }

    function expectNothingDue(uint32 epoch, uint32 node) private {
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_NothingDue.selector, epoch, node));
    }

    function expectSeedNotCaptured(uint32 epoch) private {
        vm.expectRevert(abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_SeedNotCaptured.selector, epoch));
    }

    function expectNotReportingTime(uint32 epoch) private {
        (,, Timestamp closes) = custody.timesOf(Epoch.wrap(epoch));
        Timestamp until = committee.startOf(Epoch.wrap(epoch + 2));
        vm.expectRevert(
            abi.encodeWithSelector(ICustodyChallenges.CustodyChallenges_NotReportingTime.selector, epoch, closes, until)
        );
    }
}
