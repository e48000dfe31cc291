"""The chain as computing sees it: jobs, triggers, and the keys of inputs.

What nodes must agree on is asked at one block; an endpoint that does not have that block in its chain gives no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from storage_agent.compute.follow import Counts
from storage_agent.compute.shares import InputKey, ShareHolder
from storage_agent.keys.jobs import JobFacts, JobKeyRequest, JobReleaser
from storage_agent.state.terms import trigger_terms_of
from storage_agent.watch.access import AccessChain
from walrus_chain.chain.answers import blob_from, node_from
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_events import JobDrawn, JobRequested, JobSettled, TriggerCreated
from walrus_chain.chain.compute_views import Answer, Job, JobRequest, JobRules, JobStatus, Trigger, TriggerTerms
from walrus_chain.chain.network import Chain
from walrus_chain.chain.payment_events import ReadsBought
from walrus_chain.chain.values import checksum_address
from walrus_chain.chain.views import Node
from walrus_chain.crypto.envelope import Entry, KeyEnvelope
from walrus_chain.crypto.node_key import PUBLIC_KEY_BYTES, PublicKey
from walrus_chain.errors import MalformedKey
from walrus_chain.messages.domain import number_word
from walrus_chain.messages.receipt import Receipt
from walrus_chain.transport.access import JobKeyHolder, JobKeyQuestion, KeyAnswer
from walrus_chain.types import NOBODY, Address, BlobObjectId, BlobStatus, Epoch, JobId, NodeId, TriggerId, Wei

_CONTRACT: Final = "ComputeJobs"
#: Blocks that a reorganisation may put an event before where it was first seen.
_MARGIN: Final = 256
_CALLS_AT_ONCE: Final = 100
_OBJECTS_A_CALL: Final = 1000
#: Contract, function, arguments.
_Call = tuple[str, str, tuple[Any, ...]]


class JobChain:
    """One network, asked for what is computed."""

    def __init__(
        self, chain: Chain, access: AccessChain, node_id: NodeId, connect: Callable[[Node], JobKeyHolder]
    ) -> None:
        """
        Args:
            access: knows blocks by their hash.
            node_id: this node, which is not asked over the network.
            connect: makes the client of another node.
        """
        self._chain = chain
        self._access = access
        self._node_id = node_id
        self._connect = connect
        self._triggers_done: dict[int, BlobObjectId] = {}
        """For a trigger, the first object that it may yet have to fire for."""
        self._buyers: dict[BlobObjectId, tuple[int, frozenset[Address]]] = {}
        """Who bought reads of an object until near a block; who did so on another fork only has bought none."""
        self.releaser: JobReleaser | None = None
        """Gives this node's own shares; none where it releases no keys."""

    async def rules(self) -> JobRules:
        """What holds for all jobs."""
        return await self._chain.compute.rules()

    # -- jobs --------------------------------------------------------------------------------------------------------

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""
        return await self._chain.head(confirmations)

    async def block(self, block_hash: bytes) -> BlockRef:
        """The block with that hash, when it is in the chain."""
        return await self._access.block(block_hash)

    async def counts(self, at: bytes) -> Counts:
        """How many jobs and triggers there are as of a block."""
        jobs, triggers = await self._chain.calls([(_CONTRACT, "jobCount", ()), (_CONTRACT, "triggerCount", ())], at=at)
        return Counts(jobs, triggers)

    async def jobs(self, numbers: Sequence[int], at: bytes) -> tuple[Job, ...]:
        """Jobs as a block has them, in the order asked."""
        found = await self._each("jobOf", numbers, at)
        return tuple(_view_from(job, row) for job, row in zip(numbers, found, strict=True))

    async def terms(self, job: int, digest: bytes, first_block: int) -> JobRequest | None:
        """The terms of a job with that hash, requested near that block or later; none when they are not found."""
        for event in await self._chain.logged(JobRequested, number_word(job), first=self._first(first_block)):
            if event.terms == digest:
                return event.request
        return None

    async def agreeing(self, job: int, first_block: int) -> frozenset[NodeId] | None:
        """The nodes whose result of a job counts, requested near that block or later; empty where no result does, none
        while no endpoint shows how it ended."""
        first = self._first(first_block)
        drawn = await self._chain.logged(JobDrawn, number_word(job), first=first)
        ends = await self._chain.logged(JobSettled, number_word(job), first=first)
        if not drawn or not ends:
            return None
        return frozenset(node for place, node in enumerate(drawn[-1].nodes) if ends[-1].agreeing >> place & 1)

    async def facts(self, job: int, node_id: NodeId, blob_object: BlobObjectId, at: bytes) -> JobFacts:
        """What a block says about a job, a node and an object."""
        calls = [
            (_CONTRACT, "jobOf", (job,)),
            ("NetworkLens", "nodes", (node_id, 1)),
            ("BlobRegistry", "blobOf", (blob_object,)),
        ]
        (row, nodes, blob), record, destroy_at = await asyncio.gather(
            self._chain.calls(calls, at=at),
            self._chain.policies.record_of(blob_object, at),
            self._chain.policies.destroy_at(blob_object, at),
        )
        return JobFacts(
            view=_view_from(job, row),
            signer=next((node.signer for node in map(node_from, nodes) if node.node_id == node_id), NOBODY),
            policy=record.current.access,
            key_epoch=record.key_epoch,
            destroy_at=destroy_at,
            certified=blob_from(blob).status is BlobStatus.CERTIFIED,
        )

    # -- inputs ------------------------------------------------------------------------------------------------------

    async def input_key(self, blob_object: BlobObjectId) -> InputKey | None:
        """The sealed key of an object; none when its data are public.

        Raises: MalformedEnvelope: the owner published something else; SealedKeyMissing.
        """
        record = await self._chain.policies.record_of(blob_object)
        sealed = await self._chain.policies.envelope_of(blob_object)
        if sealed is None:
            return None
        return InputKey(KeyEnvelope.from_bytes(sealed.envelope), record.current.access, sealed.key_epoch)

    async def holders(self, envelope: KeyEnvelope) -> list[ShareHolder]:
        """The nodes that can give shares, this one first where the envelope names it."""
        nodes = {node.node_id: node for node in await self._chain.nodes()}
        found = []
        for entry in sorted(envelope.entries, key=lambda entry: entry.node != self._node_id):
            node = nodes.get(entry.node)
            key = None if node is None else await self._key_of(node, entry)
            if node is None or key is None:
                continue
            if node.node_id != self._node_id:
                found.append(ShareHolder(node.node_id, self._connect(node), key))
            elif self.releaser is not None:
                found.append(ShareHolder(node.node_id, OwnShares(self.releaser), key))
        return found

    async def _key_of(self, node: Node, entry: Entry) -> PublicKey | None:
        """The key that a part was sealed to: the one that the node has now, or had before."""
        if (key := _public_key(node.encryption_key)) is not None and key.key_id == entry.key_id:
            return key
        for _, data in await self._chain.node_keys_of(node.node_id):
            if (key := _public_key(data)) is not None and key.key_id == entry.key_id:
                return key
        return None

    # -- triggers ----------------------------------------------------------------------------------------------------

    async def triggers(self, numbers: Sequence[int], at: bytes) -> tuple[Trigger | None, ...]:
        """Triggers as a block has them; none where there is none."""
        [count] = await self._chain.calls([(_CONTRACT, "triggerCount", ())], at=at)
        there = [number for number in numbers if number <= count]
        rows = dict(zip(there, await self._each("triggerOf", there, at), strict=True))
        return tuple(_trigger_from(number, rows[number]) if number in rows else None for number in numbers)

    async def trigger_terms(self, trigger: int, digest: bytes, first_block: int) -> TriggerTerms | None:
        """The terms of a trigger that was made near that block or later; none when they are not found."""
        for event in await self._chain.logged(TriggerCreated, number_word(trigger), first=self._first(first_block)):
            if trigger_terms_of(event.terms) == digest:
                return event.terms
        return None

    async def to_compute(self, view: Trigger, at: bytes) -> list[BlobObjectId]:
        """Certified objects of the trigger's owner that it has not fired for."""
        first = self._triggers_done.get(view.trigger, view.first_object)
        certified, waiting = [], []
        following: int = first
        while following:
            [(page, following)] = await self._chain.calls(
                [("NetworkLens", "blobsOf", (view.owner, following, _OBJECTS_A_CALL))], at=at
            )
            for blob in map(blob_from, page):
                if blob.status is BlobStatus.CERTIFIED:
                    certified.append(blob.id)
                elif blob.status is BlobStatus.REGISTERED:
                    waiting.append(blob.id)
        calls: list[_Call] = []
        for number in certified:
            calls.append((_CONTRACT, "isComputed", (view.trigger, number)))
            calls.append(("BlobRegistry", "wasGiven", (number,)))
        answers = await self._paged(calls, at)
        left = [
            number
            for number, done, given in zip(certified, answers[::2], answers[1::2], strict=True)
            if not done and not given
        ]
        if unfinished := [*left, *waiting]:
            self._triggers_done[view.trigger] = min(unfinished)
        return left

    async def readers(self, view: Trigger, blob_object: BlobObjectId, at: bytes) -> list[int]:
        """Accounts, as numbers, that bought reads of an object since the trigger fired for them last."""
        after, known = self._buyers.get(blob_object, (self._chain.deployment.block, frozenset()))
        newest = (await self._chain.head()).number
        bought = await self._chain.logged(ReadsBought, number_word(blob_object), first=self._first(after))
        known |= {event.reader for event in bought}
        self._buyers[blob_object] = newest, known
        accounts = sorted(known)
        calls: list[_Call] = []
        for account in accounts:
            calls.append(("Purchases", "readsOf", (blob_object, account)))
            calls.append((_CONTRACT, "readsSeen", (view.trigger, account)))
        answers = await self._paged(calls, at)
        pairs = zip(accounts, answers[::2], answers[1::2], strict=True)
        return [int(account, 16) for account, reads, seen in pairs if reads > seen]

    # -- asking ------------------------------------------------------------------------------------------------------

    def _first(self, block: int) -> int:
        return max(self._chain.deployment.block, block - _MARGIN)

    async def _each(self, function: str, numbers: Sequence[int], at: bytes) -> list[Any]:
        return await self._paged([(_CONTRACT, function, (number,)) for number in numbers], at)

    async def _paged(self, calls: Sequence[_Call], at: bytes) -> list[Any]:
        """The answers to any number of calls, asked for in batches that endpoints take."""
        found: list[Any] = []
        for start in range(0, len(calls), _CALLS_AT_ONCE):
            found += await self._chain.calls(calls[start : start + _CALLS_AT_ONCE], at=at)
        return found


class OwnShares:
    """This node, asked by itself: its share goes out as any other does, with a receipt."""

    label = "this node"

    def __init__(self, releaser: JobReleaser) -> None:
        self._releaser = releaser

    async def release_job_key(self, question: JobKeyQuestion) -> KeyAnswer:
        """The node's own share, sealed to itself. Raises what `JobReleaser.release` raises."""
        released = await self._releaser.release(JobKeyRequest.from_data(question.as_data()))
        receipt = Receipt.from_data(released.receipt.data)
        return KeyAnswer(released.share, released.key_id, receipt, released.receipt.signature)


def _view_from(job: int, row: Sequence[Any]) -> Job:
    """`IComputeJobs.Job`."""
    status, terms, drawn_at, drawn_block, nodes, answers = row
    return Job(
        JobId(job),
        JobStatus(status),
        bytes(terms),
        drawn_at,
        drawn_block,
        tuple(map(NodeId, nodes)),
        tuple(map(Answer, answers)),
    )


def _trigger_from(trigger: int, row: Sequence[Any]) -> Trigger:
    """`IJobTriggers.Trigger`."""
    owner, terms, first_object, last, jobs, balance = row
    return Trigger(
        TriggerId(trigger),
        checksum_address(owner),
        bytes(terms),
        BlobObjectId(first_object),
        Epoch(last),
        jobs,
        Wei(balance),
    )


def _public_key(data: bytes) -> PublicKey | None:
    try:
        return PublicKey(data[:PUBLIC_KEY_BYTES])
    except MalformedKey:
        return None
