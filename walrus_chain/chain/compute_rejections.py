"""What jobs and triggers refuse, and what to do about it. A test holds it to the ABIs."""

from __future__ import annotations

from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.chain.values import ShortName
from walrus_chain.types import Address, BlobObjectId, Epoch, JobId, TriggerId, Wei

# -- jobs --------------------------------------------------------------------------------------------------------------


class UnknownJob(ContractRejection):
    """There is no such job."""

    solidity_name = "ComputeJobs_UnknownJob"
    text = "there is no job {job}; list those of an account"

    job: JobId


class JobOver(ContractRejection):
    """A job was settled or cancelled."""

    solidity_name = "ComputeJobs_Over"
    text = "job {job} is over; look at how it was settled"

    job: JobId


class WrongJobTerms(ContractRejection):
    """What is shown is not the request of a job, or its hash."""

    solidity_name = "ComputeJobs_WrongTerms"
    text = "that is not what was requested as job {job}; take its request from the chain"

    job: JobId


class JobParameterOutOfBounds(ContractRejection):
    """A parameter of jobs cannot be what it was to be."""

    solidity_name = "ComputeJobs_ParameterOutOfBounds"
    text = "{parameter} is {actual}; it has to be {minimum} to {maximum}"

    parameter: ShortName
    minimum: int
    maximum: int
    actual: int


class OrderOutOfBounds(ContractRejection):
    """A part of an order is too small or too large."""

    solidity_name = "ComputeJobs_OrderOutOfBounds"
    text = "the {field} of the order are {actual}; they have to be {minimum} to {maximum}"

    field: ShortName
    minimum: int
    maximum: int
    actual: int


class WrongReplicas(ContractRejection):
    """A job cannot be run by so many nodes."""

    solidity_name = "ComputeJobs_WrongReplicas"
    text = "a job cannot be run by {replicas} nodes; ask for 1, 3, 5 or 7"

    replicas: int


class TooFewMembers(ContractRejection):
    """The committee is too small for a job."""

    solidity_name = "ComputeJobs_TooFewMembers"
    text = "the committee has {members} nodes, {replicas} are wanted; ask for fewer"

    members: int
    replicas: int


class WrongEngine(ContractRejection):
    """An order is for an engine that nodes do not have."""

    solidity_name = "ComputeJobs_WrongEngine"
    text = "nodes run engine {expected}, not {actual}; order that, or update walrus-chain"

    expected: int
    actual: int


class NoProgram(ContractRejection):
    """An order names no program."""

    solidity_name = "ComputeJobs_NoProgram"
    text = "the order names no program; publish it and name its blob"


class WrongEvidenceCount(ContractRejection):
    """There is not one evidence for each input."""

    solidity_name = "ComputeJobs_WrongEvidenceCount"
    text = "{actual} evidences were given for {expected} inputs; give one for each, empty where there is none"

    expected: int
    actual: int


class ComputingDenied(ContractRejection):
    """The policy of an input denies its use."""

    solidity_name = "ComputeJobs_Denied"
    text = "nobody may compute on object {blob_object} like this: {reason}; ask its owner, or for another program"

    blob_object: BlobObjectId
    reason: ShortName


class JobTooExpensive(ContractRejection):
    """A job costs more than was to be paid."""

    solidity_name = "ComputeJobs_TooExpensive"
    text = "the job costs {actual}, at most {maximum} were to be paid; offer more, or a lower fee"

    maximum: Wei
    actual: Wei


class JobAlreadyDrawn(ContractRejection):
    """The nodes of a job were drawn already."""

    solidity_name = "ComputeJobs_AlreadyDrawn"
    text = "the nodes of job {job} were drawn already; wait for its results"

    job: JobId


class JobNotDrawn(ContractRejection):
    """The nodes of a job were not drawn yet."""

    solidity_name = "ComputeJobs_NotDrawn"
    text = "the nodes of job {job} were not drawn yet; draw them first"

    job: JobId


class DrawOver(ContractRejection):
    """Nobody drew the nodes of a job in time."""

    solidity_name = "ComputeJobs_DrawOver"
    text = "job {job} could be drawn until {until}; cancel it, and request it again"

    job: JobId
    until: int


class DrawOpen(ContractRejection):
    """A job that can still be drawn was to be cancelled."""

    solidity_name = "ComputeJobs_DrawOpen"
    text = "job {job} can be drawn until {until}; cancel it after that"

    job: JobId
    until: int


class UnknownPlace(ContractRejection):
    """A job is run by fewer nodes."""

    solidity_name = "ComputeJobs_UnknownPlace"
    text = "job {job} has no node at place {place}; places count from 0"

    job: JobId
    place: int


class NotTheSigner(ContractRejection):
    """The caller does not sign for the node at a place."""

    solidity_name = "ComputeJobs_CallerNotSigner"
    text = "{signer} signs for the node at place {place} of job {job}, not {caller}; send from that account"

    job: JobId
    place: int
    signer: Address
    caller: Address


class AlreadyAnswered(ContractRejection):
    """A node committed or declined already."""

    solidity_name = "ComputeJobs_AlreadyAnswered"
    text = "the node at place {place} of job {job} committed or declined already; it can only reveal now"

    job: JobId
    place: int


class CommitOver(ContractRejection):
    """The time to commit is over."""

    solidity_name = "ComputeJobs_CommitOver"
    text = "results of job {job} could be committed to until {until}; leave it"

    job: JobId
    until: int


class CommitOpen(ContractRejection):
    """Other nodes may still commit."""

    solidity_name = "ComputeJobs_CommitOpen"
    text = "other nodes may commit to results of job {job}, until {until} at least; reveal when all did, or after that"

    job: JobId
    until: int


class NotCommitted(ContractRejection):
    """A node has nothing to reveal."""

    solidity_name = "ComputeJobs_NotCommitted"
    text = "the node at place {place} of job {job} did not commit, or revealed already; leave it"

    job: JobId
    place: int


class RevealOver(ContractRejection):
    """The time to reveal is over."""

    solidity_name = "ComputeJobs_RevealOver"
    text = "results of job {job} could be revealed until {until}; settle it"

    job: JobId
    until: int


class WrongReveal(ContractRejection):
    """A node reveals something else than it committed to."""

    solidity_name = "ComputeJobs_WrongReveal"
    text = "the node at place {place} of job {job} committed to something else; reveal just that, with its salt"

    job: JobId
    place: int


class JobStillOpen(ContractRejection):
    """The nodes of a job are not done, and have time left."""

    solidity_name = "ComputeJobs_StillOpen"
    text = "the nodes of job {job} may answer, until {until} at least; settle it after that"

    job: JobId
    until: int


# -- triggers ----------------------------------------------------------------------------------------------------------


class UnknownTrigger(ContractRejection):
    """There is no such trigger."""

    solidity_name = "JobTriggers_UnknownTrigger"
    text = "there is no trigger {trigger}; list those of an account"

    trigger: TriggerId


class TriggerNotYours(ContractRejection):
    """The caller does not own the trigger."""

    solidity_name = "JobTriggers_CallerNotOwner"
    text = "trigger {trigger} is owned by {owner}, not by {caller}; send from that account"

    trigger: TriggerId
    owner: Address
    caller: Address


class WrongTriggerTerms(ContractRejection):
    """The terms are not those of the trigger."""

    solidity_name = "JobTriggers_WrongTerms"
    text = "those are not the terms of trigger {trigger}; take them from the chain"

    trigger: TriggerId


class TriggerTermsOutOfBounds(ContractRejection):
    """A part of the terms does not fit the kind of trigger."""

    solidity_name = "JobTriggers_TermsOutOfBounds"
    text = "{field} is {actual}; for this kind of trigger it has to be {minimum} to {maximum}"

    field: ShortName
    minimum: int
    maximum: int
    actual: int


class NoTriggerAmount(ContractRejection):
    """Nothing is to be paid in or taken out."""

    solidity_name = "JobTriggers_ZeroAmount"
    text = "nothing was to be paid; name an amount"


class TriggerBalanceTooSmall(ContractRejection):
    """A trigger has too little for a job, or for what is taken out."""

    solidity_name = "JobTriggers_BalanceTooSmall"
    text = "trigger {trigger} has {balance}, {requested} are needed; put more into it"

    trigger: TriggerId
    requested: Wei
    balance: Wei


class TriggerNotDue(ContractRejection):
    """A trigger had all its jobs for now."""

    solidity_name = "JobTriggers_NotDue"
    text = "trigger {trigger} may fire again from epoch {from_} on, and it is epoch {current_epoch}; wait"

    trigger: TriggerId
    from_: Epoch
    current_epoch: Epoch


class NoReason(ContractRejection):
    """There is no reason for a trigger to fire."""

    solidity_name = "JobTriggers_NoReason"
    text = "{subject} is no reason for trigger {trigger} to fire, or was one before; see what its kind needs"

    trigger: TriggerId
    subject: int


COMPUTE_REJECTIONS: tuple[type[ContractRejection], ...] = (
    UnknownJob,
    JobOver,
    WrongJobTerms,
    JobParameterOutOfBounds,
    OrderOutOfBounds,
    WrongReplicas,
    TooFewMembers,
    WrongEngine,
    NoProgram,
    WrongEvidenceCount,
    ComputingDenied,
    JobTooExpensive,
    JobAlreadyDrawn,
    JobNotDrawn,
    DrawOver,
    DrawOpen,
    UnknownPlace,
    NotTheSigner,
    AlreadyAnswered,
    CommitOver,
    CommitOpen,
    NotCommitted,
    RevealOver,
    WrongReveal,
    JobStillOpen,
    UnknownTrigger,
    TriggerNotYours,
    WrongTriggerTerms,
    TriggerTermsOutOfBounds,
    NoTriggerAmount,
    TriggerBalanceTooSmall,
    TriggerNotDue,
    NoReason,
)
"""All of them."""
