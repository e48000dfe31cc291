// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {IBlobSampler} from "./IBlobSampler.sol";

/// @title ICustodyChallenges
/// @notice Once an epoch the chain asks every node for a few random bytes of what it should hold. Who does not answer
/// loses the epoch's reward and part of its stake.
/// @dev Glossary: a *window* is the time in an epoch in which nodes are asked and answer; a *seed* is its random number; a
/// *sample* is one place, 256 bytes of one sliver; a shard is *due* unless it came to its node in a change of committee in
/// this epoch and was not signalled as synced when the window was opened; a *miss* is a closed window without a proof.
///
/// Flow: {openWindow} names a later block -> {captureSeed} or the first proof reads it -> {prove} until the window closes
/// -> {reportMiss} until the epoch after the next begins. Everything may be called by anybody.
///
/// A window that closes before anybody read its seed is *void*: nobody was asked, so nobody is slashed and nobody passed.
///
/// Times in an epoch of L seconds: opened from L / 4 until before L / 2, closed at 3 L / 4.
///
/// Invariant I6: a proof passes only with the bytes of the places that the seed asks of this node in this epoch.
/// Invariant I7: a miss is slashed at most once.
interface ICustodyChallenges is IBlobSampler {
    /// @notice What a deployment fixes.
    /// @param samples Places a node is asked for in each window: 1 to 16.
    /// @param firstSlashBps What a miss costs: 1 to `maximumSlashBps`. Doubled with each miss in a row.
    /// @param maximumSlashBps At most 5,000.
    /// @param missesToJail Misses in a row that jail a node: 1 to 100.
    /// @param jailEpochs For how long: 1 to 1,000 epochs.
    /// @param bountyBps What the reporter gets of what a slash takes of the least own stake: at most 5,000.
    struct Parameters {
        uint16 samples;
        uint16 firstSlashBps;
        uint16 maximumSlashBps;
        uint16 missesToJail;
        uint32 jailEpochs;
        uint16 bountyBps;
    }

    /// @notice The window of an epoch.
    /// @param committeeEpoch The epoch in which the committee took office that is asked; zero when there was no window.
    /// @param ticket Names the draw of the seed.
    /// @param seed Zero until it was read, which must happen before the window closes; zero for ever in a void window.
    /// @param exempt Bit s is set when shard s is not due.
    /// @param proved Bit i is set when committee member i proved.
    /// @param reported Bit i is set when the miss of committee member i was reported.
    /// @param empty Whether there was nothing to ask about; then everybody passes.
    struct Window {
        Epoch committeeEpoch;
        uint64 ticket;
        bytes32 seed;
        uint256 exempt;
        uint256 proved;
        uint256 reported;
        bool empty;
    }

    /// @notice One place that a node is asked for.
    /// @param blobObject Zero when the draw found nothing that is due: there is nothing to prove then.
    /// @param shard Which of the node's shards.
    /// @param pair The sliver pair of the blob on that shard.
    /// @param secondary Whether the sliver is a column.
    struct Sample {
        uint256 blobObject;
        BlobId blobId;
        uint64 size;
        uint16 shard;
        uint16 pair;
        uint32 segment;
        bool secondary;
        uint32 chunk;
    }

    /// @notice A node's misses.
    /// @param last The epoch of the last one that was reported; zero when there is none.
    /// @param row How many in a row.
    struct Record {
        Epoch last;
        uint32 row;
    }

    /// @notice Emitted when a window was opened.
    event WindowOpened(Epoch indexed epoch, Epoch indexed committeeEpoch, uint256 ticket, uint256 exempt, bool empty);

    /// @notice Emitted when the seed of a window was read.
    event SeedCaptured(Epoch indexed epoch, bytes32 seed);

    /// @notice Emitted when a node proved that it holds what it should.
    event CustodyProved(Epoch indexed epoch, NodeId indexed nodeId, address relayer);

    /// @notice Emitted when a miss was reported.
    /// @param row Misses in a row, this one included.
    event CustodyMissed(
        Epoch indexed epoch,
        NodeId indexed nodeId,
        address indexed reporter,
        uint32 row,
        uint16 slashBps,
        Amount slashed
    );

    /// @notice Thrown at construction when a parameter is outside its bounds. `parameter` is its name.
    error CustodyChallenges_ParameterOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Thrown when a window is opened outside its time.
    error CustodyChallenges_NotOpeningTime(Epoch epoch, Timestamp opens, Timestamp until);

    /// @notice Thrown when the window of this epoch was opened already.
    error CustodyChallenges_AlreadyOpened(Epoch epoch);

    /// @notice Thrown when an epoch has no window.
    error CustodyChallenges_NoWindow(Epoch epoch);

    /// @notice Thrown when a proof comes, or a seed is read, after the window closed.
    error CustodyChallenges_WindowClosed(Epoch epoch, Timestamp closed);

    /// @notice Thrown when a miss is reported of a window whose seed nobody read while it was open.
    error CustodyChallenges_SeedNotCaptured(Epoch epoch);

    /// @notice Thrown when a miss is reported before its window closed, or too late.
    error CustodyChallenges_NotReportingTime(Epoch epoch, Timestamp closed, Timestamp until);

    /// @notice Thrown when a node does not serve, or has no shard that is due.
    error CustodyChallenges_NothingDue(Epoch epoch, NodeId nodeId);

    /// @notice Thrown when a node proved already, or there was nothing to ask, so that everybody passes.
    error CustodyChallenges_AlreadyProved(Epoch epoch, NodeId nodeId);

    /// @notice Thrown when a miss was reported already.
    error CustodyChallenges_AlreadyReported(Epoch epoch, NodeId nodeId);

    /// @notice Thrown when a proof has more bytes than the samples take.
    error CustodyChallenges_TrailingBytes(uint256 expected, uint256 actual);

    /// @notice Thrown when a proof has fewer bytes than a sample takes.
    error CustodyChallenges_ProofTooShort(uint256 sample, uint256 expected, uint256 actual);

    /// @notice Opens the window of the present epoch: fixes who is asked about what, and the draw that will tell.
    /// @dev Emits {WindowOpened}. Once an epoch, in its opening time, with a committee in office.
    function openWindow() external;

    /// @notice Reads and keeps the seed of an epoch's window; does nothing when it is kept already.
    /// @dev Emits {SeedCaptured}. Reverts with the source's errors when it is too early, or too late for the source.
    /// Requirements:
    /// - The window must be open, unless the seed is kept.
    function captureSeed(Epoch epoch) external returns (bytes32 seed);

    /// @notice Proves that a node holds what this epoch's window asks of it. Anybody may bring the proof.
    /// @dev Emits {CustodyProved}.
    /// Requirements:
    /// - The window must be open, the seed drawn, the node not have proved.
    /// - `proofs` must hold, for each sample of {samplesOf} that is not blank, in order: the bytes of the chunk, then the
    ///   nodes of its path as {SliverProof} wants them; and nothing else.
    function prove(NodeId nodeId, bytes calldata proofs) external;

    /// @notice Reports a closed window without a proof: the node is slashed, the caller gets its bounty.
    /// @dev Emits {CustodyMissed} and {IStaking-Slashed}.
    /// Requirements:
    /// - The window must be closed, and the epoch after the next not have begun.
    /// - The seed must have been captured while the window was open.
    /// - The node must have had due shards, not have passed and not be reported.
    function reportMiss(Epoch epoch, NodeId nodeId) external returns (Amount slashed);

    /// @notice The places that a node is asked for in the window of an epoch.
    /// @dev Reverts when there is no window, a later one was opened, or the seed cannot be read. Entries move when they are
    /// swept, so this is what was asked only until then; a proof is never taken after.
    function samplesOf(Epoch epoch, NodeId nodeId) external view returns (Sample[] memory);

    /// @notice How many shards of a node count for rewards of an epoch: its due shards when it passed, else none. In a void
    /// window nobody passed, unless there was nothing to ask.
    function passedShards(Epoch epoch, NodeId nodeId) external view returns (uint256);

    /// @notice The sum of {passedShards} over all members.
    function totalPassedShards(Epoch epoch) external view returns (uint256);

    /// @notice Whether the present epoch's window is open: from {openWindow} until it closes. Entries are not swept and
    /// committees do not change meanwhile.
    function isOpen() external view returns (bool);

    /// @notice The window of an epoch.
    function windowOf(Epoch epoch) external view returns (Window memory);

    /// @notice When the window of an epoch may be opened, until when, and when it closes.
    function timesOf(Epoch epoch) external view returns (Timestamp from, Timestamp until, Timestamp closes);

    /// @notice A node's misses.
    function recordOf(NodeId nodeId) external view returns (Record memory);

    /// @notice What a miss costs a node that misses for the `row`-th time in a row, in hundredths of a percent.
    function slashBpsFor(uint32 row) external view returns (uint16);

    /// @notice What this deployment fixed.
    function parameters() external view returns (Parameters memory);
}
