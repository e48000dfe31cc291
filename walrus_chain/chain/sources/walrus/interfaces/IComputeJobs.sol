// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title IComputeJobs
/// @notice Runs of programs on blob objects: ordered and paid on chain, run by several nodes that must agree.
/// @dev Glossary: a *program* is a WASM module, named by its blob. A *job* is one run of a program on some objects, its *inputs*. The
/// *panel* of a job are the nodes drawn for it, each at its *place* from 0; their number, *replicas*, is odd. The *charges* of a job
/// are what the policies of its inputs ask for, its *fee* is what the nodes get.
///
/// Flow: {request} -> once the randomness of the ticket is there, {draw} -> each node of the panel runs the program, then {commit}s to
/// its result or {decline}s -> when all did, or had their time, they {reveal} -> {settle}. A job that nobody draws ends by {cancel}.
///
/// A result counts when more than half of the replicas reveal it: then the charges go to their pools and the fee in equal parts to
/// the operators of the nodes that agree. Otherwise all goes back to the requester. A node that revealed another result than the
/// one that counts *lied*; one that neither declined nor revealed was *absent*. Both are slashed, whoever declines is not: nobody can
/// be made to run what it cannot run, or what pays too little.
///
/// Commitment: keccak256(abi.encode(uint256 job, uint32 nodeId, bytes32 resultHash, uint64 outputSize, bytes32 salt)). It names
/// the node, so whoever copies another's can never reveal it.
///
/// Windows are counted in seconds and in blocks from the draw on, and end when both went by. So a chain that stands still takes nobody's
/// time, as long as `windowBlocks` are no fewer than the blocks that it makes in the longer of the two windows.
///
/// Warning: nodes that run a job see its inputs in the clear. More than half of a panel who are in league can agree on anything; with
/// one replica that is one node. See docs/spec/18-jobs.md.
///
/// Invariant: a job ends once, by {settle} or by {cancel}; then all that was paid for it is in pools, or claims.
interface IComputeJobs {
    /// @notice What a deployment fixes.
    /// @param drawSeconds After {request}, for {draw}: longer than the source of randomness takes.
    /// @param commitSeconds After {draw}, for {commit}.
    /// @param revealSeconds After that, for {reveal}.
    /// @param windowBlocks Blocks that {commit} has at least; {reveal} has ended no earlier than after twice as many.
    /// @param wrongBps What a node loses that lied, of 10,000 of its stake: 1 to 5,000.
    /// @param absentBps What a node loses that was absent, or committed and kept still; at most `wrongBps`.
    /// @param minimumFee The least that a job pays for each replica, so that nobody makes nodes work, or decline, for nothing.
    struct Parameters {
        uint32 drawSeconds;
        uint32 commitSeconds;
        uint32 revealSeconds;
        uint32 windowBlocks;
        uint16 wrongBps;
        uint16 absentBps;
        Amount minimumFee;
    }

    /// @notice What a requester wants.
    /// @param inputs Blob objects that the program reads, in this order: 1 to 16.
    /// @param program The program's blob.
    /// @param arguments What else the program reads; at most 1,024 bytes.
    /// @param fuel How much it may use: 1 to 10^12.
    /// @param outputLimit Bytes that it may write: at most 16 MiB.
    /// @param replicas How many nodes run it: 1, 3, 5 or 7.
    /// @param engine What runs it: {engine}.
    /// @param encryptionKey X25519 key to which the output is sealed; zero when it is public.
    /// @param fee What the nodes get together: {Parameters-minimumFee} for each replica, or more.
    struct Order {
        uint256[] inputs;
        BlobId program;
        bytes arguments;
        uint64 fuel;
        uint32 outputLimit;
        uint8 replicas;
        uint32 engine;
        bytes32 encryptionKey;
        Amount fee;
    }

    /// @notice What one input is, and what its use costs.
    /// @param blobId The object's blob.
    /// @param pool Who is paid; zero when it is free.
    struct Charge {
        BlobId blobId;
        PoolId pool;
        Amount price;
    }

    /// @notice All that is known of a job when it is requested. The chain keeps its hash, {JobRequested} the rest.
    /// @param charges One for each input.
    /// @param ticket Of the randomness that draws the panel.
    /// @param office The committee, by the epoch in which it took office, of which the panel is drawn.
    /// @param since When it was requested.
    struct Request {
        address requester;
        Order order;
        Charge[] charges;
        uint64 ticket;
        Epoch office;
        Timestamp since;
    }

    /// @notice Where a job stands. Derived from what is kept and the clock.
    /// @dev Unknown: there is none. Requested: it waits for {draw}, or for {cancel} when nobody drew it in time. Committing,
    /// Revealing: the panel's turn. Settleable: nothing can change any more. Over: it was settled or cancelled.
    enum Status {
        Unknown,
        Requested,
        Committing,
        Revealing,
        Settleable,
        Over
    }

    /// @notice What a node of a panel did.
    enum Answer {
        None,
        Committed,
        Revealed,
        Declined
    }

    /// @notice A job as it is kept until it is over.
    /// @param status Unknown or Over leave all the rest empty.
    /// @param terms keccak256(abi.encode(request)).
    /// @param drawnAt When it was drawn; zero before.
    /// @param drawnBlock The block in which it was drawn; zero before.
    /// @param nodes By place; empty before it is drawn.
    /// @param answers By place.
    struct Job {
        Status status;
        bytes32 terms;
        Timestamp drawnAt;
        uint64 drawnBlock;
        NodeId[] nodes;
        Answer[] answers;
    }

    /// @notice How a job ended. Bit p of a set is the node at place p.
    /// @param agreeing Those who revealed the result that counts; empty when none does.
    /// @param lying Those who revealed another one than that.
    /// @param absent Those who neither declined nor revealed; but not who committed where too many declined for a result.
    /// @param charged What went to pools.
    /// @param feeEach What each that agrees got.
    /// @param refunded What went back to the requester.
    struct Outcome {
        uint8 agreeing;
        uint8 lying;
        uint8 absent;
        Amount charged;
        Amount feeEach;
        Amount refunded;
    }

    /// @notice Emitted when a job was requested and paid.
    /// @param sequences For each input, which job of this requester on this object it is, from 0; as its policy was asked.
    /// @param terms keccak256(abi.encode(request)).
    event JobRequested(
        uint256 indexed job,
        address indexed requester,
        BlobId indexed program,
        Request request,
        uint64[] sequences,
        bytes32 terms
    );

    /// @notice Emitted when the panel of a job was drawn.
    /// @param commitUntil When the time for {commit} is over at the earliest.
    /// @param revealUntil When the time for {reveal} is over at the earliest.
    event JobDrawn(uint256 indexed job, NodeId[] nodes, Timestamp commitUntil, Timestamp revealUntil);

    /// @notice Emitted when a node committed to its result.
    event ResultCommitted(uint256 indexed job, NodeId indexed nodeId, uint8 place, bytes32 commitment);

    /// @notice Emitted when a node declined to run a job.
    event JobDeclined(uint256 indexed job, NodeId indexed nodeId, uint8 place);

    /// @notice Emitted when a node showed its result.
    event ResultRevealed(
        uint256 indexed job, NodeId indexed nodeId, uint8 place, bytes32 resultHash, uint64 outputSize
    );

    /// @notice Emitted when a job was settled. The rest is as in {Outcome}.
    event JobSettled(
        uint256 indexed job,
        address indexed requester,
        uint8 agreeing,
        uint8 lying,
        uint8 absent,
        Amount charged,
        Amount feeEach,
        Amount refunded
    );

    /// @notice Emitted when a job that nobody drew was paid back.
    event JobCancelled(uint256 indexed job, address indexed requester, Amount refunded);

    /// @notice Emitted for each node that lied or was absent, before its slash.
    /// @param bps What of its stake it loses; zero when it is excused: it was slashed for the same, lies or absence, of a job drawn in
    /// the same epoch already, or was absent and does not serve any more. Who committed and kept still is never excused.
    event NodeFaulted(uint256 indexed job, NodeId indexed nodeId, bool lied, uint16 bps);

    /// @notice Thrown when there is no such job.
    error ComputeJobs_UnknownJob(uint256 job);

    /// @notice Thrown when a job is over.
    error ComputeJobs_Over(uint256 job);

    /// @notice Thrown when what is shown is not the request of the job, or its hash.
    error ComputeJobs_WrongTerms(uint256 job);

    /// @notice Thrown at construction when a parameter is outside its bounds. `parameter` is its name; `windows` are the three times
    /// together.
    error ComputeJobs_ParameterOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Thrown when a part of an order is outside its bounds. `field` is its name.
    error ComputeJobs_OrderOutOfBounds(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Thrown when replicas are not 1, 3, 5 or 7.
    error ComputeJobs_WrongReplicas(uint8 replicas);

    /// @notice Thrown when the committee has fewer members than replicas are wanted.
    error ComputeJobs_TooFewMembers(uint256 members, uint8 replicas);

    /// @notice Thrown when an order is for another engine.
    error ComputeJobs_WrongEngine(uint32 expected, uint32 actual);

    /// @notice Thrown when an order names no program.
    error ComputeJobs_NoProgram();

    /// @notice Thrown when there is not one evidence for each input.
    error ComputeJobs_WrongEvidenceCount(uint256 expected, uint256 actual);

    /// @notice Thrown when an input may not be used. `reason` is that of {IBlobPolicies-Verdict}.
    error ComputeJobs_Denied(uint256 blobObject, bytes32 reason);

    /// @notice Thrown when fee and charges are together more than the requester wants to pay.
    error ComputeJobs_TooExpensive(Amount maximum, Amount actual);

    /// @notice Thrown when a job was drawn already.
    error ComputeJobs_AlreadyDrawn(uint256 job);

    /// @notice Thrown when a job was not drawn yet.
    error ComputeJobs_NotDrawn(uint256 job);

    /// @notice Thrown when the time for {draw} is over.
    error ComputeJobs_DrawOver(uint256 job, Timestamp until);

    /// @notice Thrown when a job is cancelled that can still be drawn.
    error ComputeJobs_DrawOpen(uint256 job, Timestamp until);

    /// @notice Thrown when the panel of a job has no such place.
    error ComputeJobs_UnknownPlace(uint256 job, uint8 place);

    /// @notice Thrown when the caller is not the present signer of the node at a place.
    error ComputeJobs_CallerNotSigner(uint256 job, uint8 place, address signer, address caller);

    /// @notice Thrown when a node committed or declined already.
    error ComputeJobs_AlreadyAnswered(uint256 job, uint8 place);

    /// @notice Thrown when the time for {commit} is over.
    error ComputeJobs_CommitOver(uint256 job, Timestamp until);

    /// @notice Thrown when a result is revealed while others may still commit.
    error ComputeJobs_CommitOpen(uint256 job, Timestamp until);

    /// @notice Thrown when a node has nothing to reveal: it did not commit, or revealed already.
    error ComputeJobs_NotCommitted(uint256 job, uint8 place);

    /// @notice Thrown when the time for {reveal} is over.
    error ComputeJobs_RevealOver(uint256 job, Timestamp until);

    /// @notice Thrown when a node reveals something else than it committed to.
    error ComputeJobs_WrongReveal(uint256 job, uint8 place);

    /// @notice Thrown when a job is settled while its panel may still commit or reveal.
    error ComputeJobs_StillOpen(uint256 job, Timestamp until);

    /// @notice Requests a job for the caller, who pays its fee and what the policies of its inputs charge; ids count from 1.
    /// @dev Emits {JobRequested}.
    /// Notes:
    /// - Each input is judged as {IBlobPolicies-judge} does, for the action to compute, with the program. An object that never got
    ///   policies is public: anybody computes on it for free.
    /// - The program need not be stored, only named; nodes that cannot get it decline.
    /// - Policies may be anybody's code; each gets at most {IBlobPolicies-evaluationGas} a question, at the cost of the caller.
    /// Requirements:
    /// - The order must keep its bounds, the committee have as many members as there are replicas, and every input be allowed.
    /// - Fee and charges must be at most `maximum`, and the caller have approved the vault for them, and hold them.
    /// @param evidence What the policy of each input is shown.
    function request(Order calldata order, bytes[] calldata evidence, Amount maximum) external returns (uint256 job);

    /// @notice Draws the panel of a job out of the committee that was in office at the request, by shards, no node twice. Anyone may;
    /// `requested` is that of {JobRequested}, here and below.
    /// @dev Emits {JobDrawn}. Reverts as {IRandomness-reveal} does when it is too early, or the randomness is lost.
    /// Requirements:
    /// - The job must be requested, not drawn, and {Parameters-drawSeconds} not be over.
    function draw(uint256 job, Request calldata requested) external returns (NodeId[] memory nodes);

    /// @notice Commits the node at a place to its result. Only its present signer; once.
    /// @dev Emits {ResultCommitted}.
    /// Requirements:
    /// - The job must be drawn, have these `terms`, and the time for it not be over.
    /// @param terms Of {JobRequested}: where the chain reorganises and another job gets the number, the commitment is refused.
    function commit(uint256 job, uint8 place, bytes32 terms, bytes32 commitment) external;

    /// @notice Tells that the node at a place does not run the job: it cannot get program or inputs, or the fee is too low.
    /// @dev Emits {JobDeclined}. Earns nothing, costs no stake. Requirements: as {commit}, but for the terms.
    function decline(uint256 job, uint8 place) external;

    /// @notice Shows the result of the node at a place. Only its present signer; once.
    /// @dev Emits {ResultRevealed}.
    /// Requirements:
    /// - It must have committed to just this; all others have committed or declined, or the time for that be over; and the time for
    ///   this not be over.
    function reveal(uint256 job, uint8 place, bytes32 resultHash, uint64 outputSize, bytes32 salt) external;

    /// @notice Ends a job whose panel is done or had its time: pays, pays back, slashes. Anyone may.
    /// @dev Emits {NodeFaulted} for each node that lied or was absent, and {JobSettled}.
    /// Notes:
    /// - Where the stake of a node to be slashed was not settled for long, {IStaking-Staking_PoolBehind}: {IStaking-settle} first.
    function settle(uint256 job, Request calldata requested) external returns (Outcome memory outcome);

    /// @notice Pays back a job that was not drawn in time. Anyone may.
    /// @dev Emits {JobCancelled}.
    function cancel(uint256 job, Request calldata requested) external returns (Amount refunded);

    /// @notice A job as it is kept now.
    function jobOf(uint256 job) external view returns (Job memory);

    /// @notice Where a job stands now.
    function statusOf(uint256 job) external view returns (Status);

    /// @notice How many jobs were ever requested; their ids are 1..jobCount().
    function jobCount() external view returns (uint256);

    /// @notice How many jobs a requester had on an object: the sequence of the next one.
    function jobsOn(uint256 blobObject, address requester) external view returns (uint64);

    /// @notice Whether a node was slashed for being absent from a job that was drawn in an epoch.
    function wasAbsent(NodeId nodeId, Epoch epoch) external view returns (bool);

    /// @notice Whether a node was slashed for a lie about a job that was drawn in an epoch.
    function hasLied(NodeId nodeId, Epoch epoch) external view returns (bool);

    /// @notice What a node commits to.
    function commitmentOf(uint256 job, NodeId nodeId, bytes32 resultHash, uint64 outputSize, bytes32 salt)
        external
        pure
        returns (bytes32);

    /// @notice The engine that runs programs: `wasmtime-50/abi-1` is 1.
    function engine() external view returns (uint32);

    /// @notice What the deployment fixed.
    function parameters() external view returns (Parameters memory);
}
