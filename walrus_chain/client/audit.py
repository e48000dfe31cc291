"""Who received keys of private data: the receipts of all nodes, collected and verified. What `Client.audit` gives.

A node signs a receipt before it gives a share, and fixes the receipts of each epoch on chain. So what it shows can be
checked, and what it hides be missed:

* a receipt counts when its signature is a key's that the node had, and it is about the use that it names;
* of an epoch that is over, the node's root must be on chain, and the receipt in its tree;
* the whole list of an epoch is fetched and its tree built again: a receipt that is left out changes the root;
* two receipts for one place, or a place beyond what was fixed, are a contradiction;
* a use that fewer nodes admit than it takes is missing receipts; so is a node that does not show what it gave you.

Source: docs/spec/13-access.md.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from walrus_chain.chain.views import Node
from walrus_chain.client.keep import Keep
from walrus_chain.client.ports import Agents, ChainReader
from walrus_chain.client.results import SignedReceipt
from walrus_chain.crypto.envelope import KeyEnvelope
from walrus_chain.errors import (
    CommitmentMismatch,
    NotPrivate,
    RangeOutsideBlob,
    Untrusted,
    WalrusError,
    WrongLength,
    WrongSigner,
)
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.receipt import PaidBy, Receipt, ReceiptTree, verify_receipt_path
from walrus_chain.transport.access import FiledReceipt
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Address, BlobObjectId, ChannelId, Epoch, NodeId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.payment_views import AnchoredReceipts

#: How long a node has for one page, in seconds.
_PAGE_SECONDS: Final = 30.0
#: Pages of receipts that are taken from one node: no honest one has more.
_MOST_PAGES: Final = 10_000
_RECEIPTS: Final = "receipts"


@dataclass(frozen=True, slots=True)
class Release:
    """One share that a node gave, by its own signature."""

    node_id: NodeId
    receipt: Receipt
    epoch: Epoch
    anchored: bool
    """Whether it is fixed on chain: in the tree whose root the node anchored."""


@dataclass(frozen=True, slots=True)
class AuditedUse:
    """One use of the data: somebody received the key."""

    blob_object: BlobObjectId
    requester: Address
    key_epoch: int
    sequence: int
    time: int
    """Of the first receipt, seconds since 1970."""
    block: int
    """At which the policy was asked."""
    paid_by: PaidBy
    amount: Wei
    pool: PoolId | None
    channel: ChannelId | None
    releases: tuple[Release, ...]
    complete: bool
    """Whether as many nodes admit it as it takes to open the key."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    node: str
    what: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Who received keys of an object's data."""

    objects: tuple[BlobObjectId, ...]
    uses: tuple[AuditedUse, ...]
    """Oldest first."""
    threshold: int
    asked: tuple[str, ...]
    """Nodes that answered."""
    silent: Mapping[str, str]
    """Nodes that gave no receipts, and why."""
    unanchored: tuple[Finding, ...]
    """Epochs that are over and whose receipts a node did not fix on chain."""
    missing: tuple[Finding, ...]
    """Receipts that must exist and are not shown."""
    contradictions: tuple[Finding, ...]
    """What a node signed and what it shows or fixed do not go together: it lies."""

    @property
    def clean(self) -> bool:
        """Whether all nodes answered and everything goes together; what is not anchored yet may be soon."""
        return not (self.silent or self.missing or self.contradictions)


@dataclass(frozen=True, slots=True)
class _Circle:
    """How a key is sealed."""

    threshold: int
    block: int
    """Since when."""


@dataclass(slots=True)
class _Notes:
    """What is found while auditing."""

    releases: list[Release] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    unanchored: list[Finding] = field(default_factory=list)
    missing: list[Finding] = field(default_factory=list)
    contradictions: list[Finding] = field(default_factory=list)


class Auditor:
    """Collects and checks receipts."""

    def __init__(self, chain: ChainReader, agents: Agents, keep: Keep) -> None:
        """
        Args:
            keep: has the receipts that this computer's own reads got.
        """
        self._chain = chain
        self._agents = agents
        self._keep = keep
        self._domain = chain.access_domain

    async def audit(self, objects: Sequence[BlobObjectId]) -> Audit:
        """Who received keys of some objects.

        Raises: NotPrivate: none of them has a sealed key.
        """
        circles = {number: circle for number in objects if (circle := await self._circle_of(number)) is not None}
        private = list(circles)
        if not private:
            raise NotPrivate(objects[0])
        nodes, notes, now = await self._chain.nodes(), _Notes(), (await self._chain.parameters()).current_epoch
        since = min(item.start for item in await self._chain.blobs(private))
        await asyncio.gather(*(self._ask(node, private, range(since, now), notes) for node in nodes))
        self._compare_with_own(private, {node.node_id: node.name for node in nodes}, notes)
        uses = _uses_of(notes.releases, circles)
        for use in uses:
            if not use.complete:
                needed = circles[use.blob_object].threshold
                what = f"{len(use.releases)} nodes admit read {use.sequence} by {use.requester}, it takes {needed}"
                notes.missing.append(Finding("others", f"{what}: it broke off, or nodes hide receipts"))
        return Audit(
            objects=tuple(private),
            uses=uses,
            threshold=min(circle.threshold for circle in circles.values()),
            asked=tuple(sorted(notes.asked)),
            silent=dict(sorted(notes.silent.items())),
            unanchored=tuple(notes.unanchored),
            missing=tuple(notes.missing),
            contradictions=tuple(notes.contradictions),
        )

    async def _circle_of(self, number: BlobObjectId) -> _Circle | None:
        sealed = await self._chain.policies.envelope_of(number)
        if sealed is None:
            return None
        return _Circle(KeyEnvelope.from_bytes(sealed.envelope).threshold, sealed.block)

    # -- one node ----------------------------------------------------------------------------------------------------

    async def _ask(self, node: Node, objects: Sequence[BlobObjectId], over: range, notes: _Notes) -> None:
        """
        Args:
            over: the epochs that are over, since the first of the objects was registered.
        """
        agent = self._agents.at(node.url, node.name)
        try:
            filed = [
                item
                for number in objects
                for item in await all_receipts(agent, blob_object=number)
                if item.receipt.blob_object == number
            ]
            anchored = {anchor.epoch: anchor for anchor in await self._chain.policies.receipts_of(node.node_id)}
            good = [item for item in filed if await self._is_signed(node, item, notes)]
            for epoch in sorted({item.epoch for item in good} | {epoch for epoch in anchored if epoch in over}):
                mine = [item for item in good if item.epoch == epoch]
                await self._check_epoch(node, agent, epoch, mine, anchored.get(epoch), over, notes)
        except TimeoutError:
            notes.silent[node.name] = f"no answer within {_PAGE_SECONDS:g} s"
        except WalrusError as error:
            notes.silent[node.name] = str(error)
        else:
            notes.asked.append(node.name)

    async def _is_signed(self, node: Node, filed: FiledReceipt, notes: _Notes) -> bool:
        """Whether a key that the node has or had signed it; noted when not."""
        signers = [node.signer]
        try:
            try:
                filed.receipt.verify(filed.signature, node.signer, self._domain)
            except WrongSigner as error:
                signers += [signer for signer, _ in await self._chain.node_keys_of(node.node_id)]
                former = next((signer for signer in signers if signer == error.actual), None)
                if former is None:
                    raise
                filed.receipt.verify(filed.signature, former, self._domain)
            if filed.receipt.node != node.node_id:
                raise WrongSigner(node.node_id, filed.receipt.node)
        except Untrusted as error:
            notes.contradictions.append(Finding(node.name, f"a receipt that it shows is not its own: {error}"))
            return False
        return True

    async def _check_epoch(
        self,
        node: Node,
        agent: AgentClient,
        epoch: Epoch,
        filed: Sequence[FiledReceipt],
        anchored: AnchoredReceipts | None,
        over: range,
        notes: _Notes,
    ) -> None:
        """Checks the receipts of one epoch against each other and against what is on chain."""
        by_index: dict[int, bytes] = {}
        for item in filed:
            digest = item.receipt.digest(self._domain)
            if by_index.setdefault(item.receipt.index, digest) != digest:
                what = f"it signed two receipts number {item.receipt.index} in epoch {epoch}"
                notes.contradictions.append(Finding(node.name, what))
            fixed = anchored is not None and self._is_in_tree(node, item, anchored, notes)
            notes.releases.append(Release(node.node_id, item.receipt, epoch, fixed))
        if anchored is not None:
            await self._check_whole(node, agent, anchored, notes)
        elif epoch in over and filed:
            what = f"{len(filed)} receipts of epoch {epoch} are not fixed on chain, though it is over"
            notes.unanchored.append(Finding(node.name, what))

    def _is_in_tree(self, node: Node, item: FiledReceipt, anchored: AnchoredReceipts, notes: _Notes) -> bool:
        digest, place = item.receipt.digest(self._domain), f"receipt {item.receipt.index} of epoch {item.epoch}"
        if item.anchor is None:
            notes.contradictions.append(Finding(node.name, f"{place} comes without its path, though it is anchored"))
            return False
        try:
            verify_receipt_path(anchored.root, anchored.count, item.receipt.index, digest, item.anchor.path)
        except (CommitmentMismatch, RangeOutsideBlob, WrongLength) as error:
            notes.contradictions.append(Finding(node.name, f"{place} is not in the tree that it fixed: {error}"))
            return False
        return True

    async def _check_whole(self, node: Node, agent: AgentClient, anchored: AnchoredReceipts, notes: _Notes) -> None:
        """Builds the tree of an epoch again, from the whole list: what is left out changes its root."""
        listed = {
            item.receipt.index: item.receipt.digest(self._domain)
            for item in await all_receipts(agent, epoch=anchored.epoch)
        }
        absent = [index for index in range(anchored.count) if index not in listed]
        if absent:
            shown = ", ".join(map(str, absent[:5])) + ("" if len(absent) <= 5 else ", ...")
            what = f"of {anchored.count} receipts fixed in epoch {anchored.epoch}, it does not show {shown}"
            notes.missing.append(Finding(node.name, what))
            return
        root = ReceiptTree([listed[index] for index in range(anchored.count)]).root
        if root != anchored.root:
            what = f"its list of epoch {anchored.epoch} is not the one that it fixed on chain"
            notes.contradictions.append(Finding(node.name, what))

    # -- all of them -------------------------------------------------------------------------------------------------

    def _compare_with_own(self, objects: Sequence[BlobObjectId], names: Mapping[NodeId, str], notes: _Notes) -> None:
        """What this computer was given receipts for must be among what nodes show."""
        shown = {(item.node_id, item.receipt.digest(self._domain)) for item in notes.releases}
        for signed in self._own(objects):
            name = names.get(signed.node_id, f"node {signed.node_id}")
            if name in notes.asked and (signed.node_id, signed.receipt.digest(self._domain)) not in shown:
                what = f"it gave you receipt {signed.receipt.index} at {signed.receipt.time} and does not show it"
                notes.missing.append(Finding(name, what))

    def _own(self, objects: Sequence[BlobObjectId]) -> Iterable[SignedReceipt]:
        wanted = {str(number) for number in objects}
        for name in self._keep.names(_RECEIPTS):
            if name.partition("-")[0] not in wanted:
                continue
            with self._keep.changing(_RECEIPTS, name) as document:
                for node, entry in document.items():
                    receipt = Receipt.from_data(entry["receipt"])
                    signature = bytes.fromhex(entry["signature"])
                    if self._is_of_this_chain(receipt, signature):
                        yield SignedReceipt(NodeId(int(node)), receipt, signature)

    def _is_of_this_chain(self, receipt: Receipt, signature: bytes) -> bool:
        return receipt.described_use().digest(self._domain) == receipt.use and bool(signature)


async def all_receipts(
    agent: AgentClient, *, blob_object: BlobObjectId | None = None, epoch: Epoch | None = None
) -> list[FiledReceipt]:
    """All receipts that an agent shows, of an object or an epoch where one is named; nothing is verified yet."""
    found: list[FiledReceipt] = []
    after = 0
    for _ in range(_MOST_PAGES):
        async with asyncio.timeout(_PAGE_SECONDS):
            page = await agent.receipts(blob_object=blob_object, epoch=epoch, after=after)
        found += page.receipts
        if page.next is None or page.next <= after:
            break
        after = page.next
    return found


def is_signed_by(filed: FiledReceipt, node: Node, domain: Domain) -> bool:
    """Whether a receipt is a node's, by the key that it has now."""
    try:
        filed.receipt.verify(filed.signature, node.signer, domain)
    except Untrusted:
        return False
    return filed.receipt.node == node.node_id


def _uses_of(releases: Iterable[Release], circles: Mapping[BlobObjectId, _Circle]) -> tuple[AuditedUse, ...]:
    by_use: dict[bytes, list[Release]] = defaultdict(list)
    for release in releases:
        by_use[release.receipt.use].append(release)
    uses = [_use_of(sorted(found, key=lambda item: item.receipt.time), circles) for found in by_use.values()]
    return tuple(sorted(uses, key=lambda use: (use.time, use.block, use.sequence)))


def _use_of(releases: Sequence[Release], circles: Mapping[BlobObjectId, _Circle]) -> AuditedUse:
    first = releases[0].receipt
    circle = circles[first.blob_object]
    # How many nodes it took before the key was sealed anew is not known any more.
    needed = circle.threshold if first.block_number >= circle.block else 1
    return AuditedUse(
        blob_object=first.blob_object,
        requester=first.requester,
        key_epoch=first.key_epoch,
        sequence=first.sequence,
        time=first.time,
        block=first.block_number,
        paid_by=first.paid_by,
        amount=first.amount,
        pool=PoolId(first.pool) if first.pool else None,
        channel=ChannelId(first.channel) if first.channel else None,
        releases=tuple(releases),
        complete=len({release.node_id for release in releases}) >= needed,
    )
