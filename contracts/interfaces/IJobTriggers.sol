// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {IComputeJobs} from "./IComputeJobs.sol";

/// @title IJobTriggers
/// @notice Jobs that are requested without a hand of who wants them: when an object is certified, every so many epochs, or when
/// reads were bought.
/// @dev Flow: {createTrigger} -> {fundTrigger} -> {fire}, whenever there is a reason, by anyone -> {withdrawTrigger}.
///
/// The owner of a trigger is the requester of its jobs: policies are asked about it, and what a job does not use becomes its claim.
///
/// Invariant: a trigger never spends more than was paid into it, nor requests more jobs in an epoch than its terms say.
interface IJobTriggers {
    /// @notice What fires a trigger.
    /// @dev OnCertify: each object that its owner registered and has, once; after the trigger was made, and certified. What others
    /// give the owner does not count: they chose its policies, and so who would be paid.
    /// EveryEpochs: the clock. OnPayment: reads of its object that were bought by {IPurchases-buyReads}.
    enum Kind {
        OnCertify,
        EveryEpochs,
        OnPayment
    }

    /// @notice What a trigger does.
    /// @param epochs For EveryEpochs, from one job to the next: 1 or more. Zero for the others.
    /// @param perEpoch The most jobs in an epoch: 1 or more; 1 for all but OnCertify.
    /// @param maximum What one job may cost, fee and charges together. Anybody fires and chooses what policies are shown, so where they
    /// allow in several ways, count with the dearest.
    /// @param order Of each job. Its inputs are those of each job too: none for OnCertify, which has the object that was certified;
    /// one for OnPayment, whose reads count.
    struct Terms {
        Kind kind;
        uint32 epochs;
        uint16 perEpoch;
        Amount maximum;
        IComputeJobs.Order order;
    }

    /// @notice A trigger as it is kept.
    /// @param terms keccak256(abi.encode(terms)).
    /// @param firstObject The first object that counts for OnCertify.
    /// @param last The epoch of its last job; zero when there was none.
    /// @param jobs How many it requested in that epoch.
    struct Trigger {
        address owner;
        bytes32 terms;
        uint64 firstObject;
        Epoch last;
        uint16 jobs;
        Amount balance;
    }

    /// @notice Emitted when a trigger was made.
    event TriggerCreated(uint256 indexed trigger, address indexed owner, Terms terms);

    /// @notice Emitted when a balance grew.
    event TriggerFunded(uint256 indexed trigger, address indexed payer, Amount amount, Amount balance);

    /// @notice Emitted when the owner took something out.
    event TriggerWithdrawn(uint256 indexed trigger, address to, Amount amount);

    /// @notice Emitted when a trigger requested a job.
    /// @param subject The object that was certified, or the reader who bought; zero for EveryEpochs.
    event TriggerFired(
        uint256 indexed trigger, uint256 indexed job, uint256 indexed subject, Amount paid, Amount balance
    );

    /// @notice Thrown when there is no such trigger.
    error JobTriggers_UnknownTrigger(uint256 trigger);

    /// @notice Thrown when the caller does not own the trigger.
    error JobTriggers_CallerNotOwner(uint256 trigger, address owner, address caller);

    /// @notice Thrown when the terms are not those of the trigger.
    error JobTriggers_WrongTerms(uint256 trigger);

    /// @notice Thrown when a part of the terms is outside the bounds of its kind. `field` is its name.
    error JobTriggers_TermsOutOfBounds(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Thrown when the amount is zero.
    error JobTriggers_ZeroAmount();

    /// @notice Thrown when a balance is too small for a job, or for what is taken out.
    error JobTriggers_BalanceTooSmall(uint256 trigger, Amount requested, Amount balance);

    /// @notice Thrown when a trigger had all its jobs for now.
    /// @param from The first epoch in which it may fire again.
    error JobTriggers_NotDue(uint256 trigger, Epoch from, Epoch currentEpoch);

    /// @notice Thrown when there is no reason to fire: the object is not the owner's, older than the trigger, was given to the owner, is not
    /// certified or was computed on before; or the reader bought nothing since the last time.
    error JobTriggers_NoReason(uint256 trigger, uint256 subject);

    /// @notice Makes a trigger of the caller; ids count from 1.
    /// @dev Emits {TriggerCreated}.
    function createTrigger(Terms calldata terms) external returns (uint256 trigger);

    /// @notice Adds to a trigger's balance. Anyone may pay.
    /// @dev Emits {TriggerFunded}.
    /// Warning: what is paid in is the owner's.
    function fundTrigger(uint256 trigger, Amount amount) external;

    /// @notice Pays something of a trigger's balance out to `to`. Only its owner. Without balance a trigger does nothing.
    /// @dev Emits {TriggerWithdrawn}.
    function withdrawTrigger(uint256 trigger, Amount amount, address to) external;

    /// @notice Requests a job of a trigger that has a reason, paid from its balance. Anyone may.
    /// @dev Emits {IComputeJobs-JobRequested} and {TriggerFired}. Reverts as {IComputeJobs-request} does.
    /// Warning: reads that were bought before the trigger was made are a reason too, once for each reader.
    /// @param terms Those of {TriggerCreated}.
    /// @param subject The object that was certified, or the reader who bought; zero for EveryEpochs.
    /// @param evidence What the policy of each input is shown.
    function fire(uint256 trigger, Terms calldata terms, uint256 subject, bytes[] calldata evidence)
        external
        returns (uint256 job);

    /// @notice A trigger as it is kept now.
    function triggerOf(uint256 trigger) external view returns (Trigger memory);

    /// @notice How many triggers were ever made; their ids are 1..triggerCount().
    function triggerCount() external view returns (uint256);

    /// @notice Whether OnCertify requested a job for an object.
    function isComputed(uint256 trigger, uint256 blobObject) external view returns (bool);

    /// @notice How many reads a reader had bought when OnPayment fired for it last.
    function readsSeen(uint256 trigger, address reader) external view returns (uint32);
}
