"""Writing jobs that run programs on blob objects, and their triggers: `Sender.compute`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from walrus_chain.chain.compute_events import (
    JobCancelled,
    JobDrawn,
    JobRequested,
    JobSettled,
    TriggerCreated,
    TriggerFired,
)
from walrus_chain.chain.compute_views import JobOrder, JobRequest, TriggerTerms
from walrus_chain.chain.contracts import ContractCalls
from walrus_chain.chain.transactions import Receipt
from walrus_chain.types import Address, JobId, NodeId, TriggerId, Wei

_COMMITMENT = ("uint256", "uint32", "bytes32", "uint64", "bytes32")


@dataclass(frozen=True, slots=True)
class JobReceipt:
    """A job that was requested."""

    job: JobId
    request: JobRequest
    """Keep it: whoever draws, settles or cancels the job shows it."""
    terms: bytes
    """Its hash."""
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class DrawReceipt:
    """A job whose nodes were drawn."""

    nodes: tuple[NodeId, ...]
    """By place."""
    commit_until: int
    """When committing is over at the earliest, seconds since 1970."""
    reveal_until: int
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class JobSettlement:
    """How a job ended."""

    agreeing: tuple[int, ...]
    """Places of those who revealed the result that counts; empty when none does."""
    lying: tuple[int, ...]
    absent: tuple[int, ...]
    charged: Wei
    """What went to pools."""
    fee_each: Wei
    """What each that agrees got."""
    refunded: Wei
    """What became the requester's claim."""
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class CancelReceipt:
    """A job that nobody drew and that was paid back."""

    refunded: Wei
    """What became the requester's claim."""
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class TriggerReceipt:
    """A trigger that was made."""

    trigger: TriggerId
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class FireReceipt:
    """A trigger that requested a job."""

    job: JobId
    paid: Wei
    balance: Wei
    """What is left in the trigger."""
    transaction: str
    block: int
    gas_used: int


def commitment(job: JobId, node_id: NodeId, result_hash: bytes, output_size: int, salt: bytes) -> bytes:
    """What a node commits to for a result, 32 bytes.

    Args:
        salt: 32 bytes that nobody can guess; kept until the result is revealed.
    """
    return keccak(encode(_COMMITMENT, (job, node_id, result_hash, output_size, salt)))


class ComputeWriter:
    """Sends one account's transactions about jobs and triggers, and waits until each is in a block.

    Whoever pays must have approved the vault (`Sender.approve_vault`). Every method raises what `TransactionQueue.send`
    raises: `Rejected` (decoded) when a contract refuses, and so on.
    """

    def __init__(self, contracts: ContractCalls) -> None:
        """
        Args:
            contracts: the account's calls.
        """
        self._contracts = contracts

    # -- jobs --------------------------------------------------------------------------------------------------------

    async def request(self, order: JobOrder, evidence: Sequence[bytes], maximum: Wei) -> JobReceipt:
        """Requests a job, and pays its fee and what the policies of its inputs charge.

        Args:
            evidence: what the policy of each input is shown; one for each.
            maximum: the most that fee and charges may cost together.
        Raises:
            ComputingDenied: the policy of an input does.
            JobTooExpensive, OrderOutOfBounds, WrongReplicas, TooFewMembers, WrongEngine, NoProgram, WrongEvidenceCount,
            NotEnoughWal, AllowanceTooSmall.
        """
        receipt = await self._contracts.send("ComputeJobs", "request", order.row, list(evidence), maximum)
        [requested] = self._contracts.logs(receipt, JobRequested)
        return JobReceipt(
            job=requested["job"],
            request=requested["request"],
            terms=requested["terms"],
            transaction=receipt.transaction,
            block=receipt.block,
            gas_used=receipt.gas_used,
        )

    async def draw(self, job: JobId, request: JobRequest) -> DrawReceipt:
        """Draws the nodes that run a job; anybody may, once its randomness is there.

        Raises: SeedTooEarly, SeedLost, JobAlreadyDrawn, DrawOver, WrongJobTerms, JobOver, UnknownJob.
        """
        receipt = await self._contracts.send("ComputeJobs", "draw", job, request.row)
        [drawn] = self._contracts.logs(receipt, JobDrawn)
        return DrawReceipt(
            nodes=drawn["nodes"],
            commit_until=drawn["commit_until"],
            reveal_until=drawn["reveal_until"],
            transaction=receipt.transaction,
            block=receipt.block,
            gas_used=receipt.gas_used,
        )

    async def commit(self, job: JobId, place: int, terms: bytes, commitment: bytes) -> Receipt:
        """Commits the node at a place, whose signer this account is, to its result.

        Args:
            terms: hash of the request that was run; the chain refuses when the job is another one.
        Raises:
            WrongJobTerms, NotTheSigner, AlreadyAnswered, CommitOver, UnknownPlace, JobNotDrawn, JobOver, UnknownJob.
        """
        return await self._contracts.send("ComputeJobs", "commit", job, place, terms, commitment)

    async def decline(self, job: JobId, place: int) -> Receipt:
        """Tells that the node at a place, whose signer this account is, does not run a job; it is not slashed then.

        Raises: NotTheSigner, AlreadyAnswered, CommitOver, UnknownPlace, JobNotDrawn, JobOver, UnknownJob.
        """
        return await self._contracts.send("ComputeJobs", "decline", job, place)

    async def reveal(self, job: JobId, place: int, result_hash: bytes, output_size: int, salt: bytes) -> Receipt:
        """Shows the result of the node at a place, whose signer this account is.

        Raises:
            CommitOpen: others may still commit.
            RevealOver, NotCommitted, WrongReveal, NotTheSigner, UnknownPlace, JobNotDrawn, JobOver, UnknownJob.
        """
        return await self._contracts.send("ComputeJobs", "reveal", job, place, result_hash, output_size, salt)

    async def settle(self, job: JobId, request: JobRequest) -> JobSettlement:
        """Ends a job whose nodes are done or had their time: pays, pays back, slashes. Anybody may.

        Raises:
            PoolBehind: the stake of a node to be slashed has to be settled first.
            JobStillOpen, WrongJobTerms, JobNotDrawn, JobOver, UnknownJob.
        """
        receipt = await self._contracts.send("ComputeJobs", "settle", job, request.row)
        [settled] = self._contracts.logs(receipt, JobSettled)
        return JobSettlement(
            agreeing=_places(settled["agreeing"]),
            lying=_places(settled["lying"]),
            absent=_places(settled["absent"]),
            charged=settled["charged"],
            fee_each=settled["fee_each"],
            refunded=settled["refunded"],
            transaction=receipt.transaction,
            block=receipt.block,
            gas_used=receipt.gas_used,
        )

    async def cancel(self, job: JobId, request: JobRequest) -> CancelReceipt:
        """Pays back a job that was not drawn in time. Anybody may.

        Raises: DrawOpen, JobAlreadyDrawn, WrongJobTerms, JobOver, UnknownJob.
        """
        receipt = await self._contracts.send("ComputeJobs", "cancel", job, request.row)
        [cancelled] = self._contracts.logs(receipt, JobCancelled)
        return CancelReceipt(cancelled["refunded"], receipt.transaction, receipt.block, receipt.gas_used)

    # -- triggers ----------------------------------------------------------------------------------------------------

    async def create_trigger(self, terms: TriggerTerms) -> TriggerReceipt:
        """Makes a trigger of this account; put something into it, so that it can pay.

        Raises: TriggerTermsOutOfBounds, OrderOutOfBounds, WrongReplicas, WrongEngine, NoProgram.
        """
        receipt = await self._contracts.send("ComputeJobs", "createTrigger", terms.row)
        [created] = self._contracts.logs(receipt, TriggerCreated)
        return TriggerReceipt(created["trigger"], receipt.transaction, receipt.block, receipt.gas_used)

    async def fund_trigger(self, trigger: TriggerId, amount: Wei) -> Receipt:
        """Puts something into a trigger; anybody may, and it belongs to the trigger's owner then.

        Raises: NoTriggerAmount, UnknownTrigger, NotEnoughWal, AllowanceTooSmall.
        """
        return await self._contracts.send("ComputeJobs", "fundTrigger", trigger, amount)

    async def withdraw_trigger(self, trigger: TriggerId, amount: Wei, to: Address | None = None) -> Receipt:
        """Takes something out of a trigger of this account, to `to` or to itself.

        Raises: TriggerNotYours, TriggerBalanceTooSmall, NoTriggerAmount, UnknownTrigger.
        """
        return await self._contracts.send(
            "ComputeJobs", "withdrawTrigger", trigger, amount, to or self._contracts.address
        )

    async def fire(
        self, trigger: TriggerId, terms: TriggerTerms, subject: int, evidence: Sequence[bytes]
    ) -> FireReceipt:
        """Requests a job of a trigger that has a reason, paid from its balance. Anybody may.

        Args:
            subject: the object that was certified; the reader who bought, as a number; 0 when the clock fires it.
            evidence: what the policy of each input is shown; one for each.
        Raises: TriggerNotDue, NoReason, WrongTriggerTerms, TriggerBalanceTooSmall, UnknownTrigger, and as `request`.
        """
        receipt = await self._contracts.send("ComputeJobs", "fire", trigger, terms.row, subject, list(evidence))
        [fired] = self._contracts.logs(receipt, TriggerFired)
        return FireReceipt(
            fired["job"], fired["paid"], fired["balance"], receipt.transaction, receipt.block, receipt.gas_used
        )


def _places(places: int) -> tuple[int, ...]:
    """The numbers of the bits that are set."""
    return tuple(place for place in range(places.bit_length()) if places >> place & 1)
