"""A chain that knows what policies say, who bought what, and channels: by the block, and blocks may be undone.

It answers as `AccessChain` does, and takes the transactions that agents send about keys.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from storage_agent.keys.jobs import JobFacts
from storage_agent.state.collecting import ChannelStanding
from storage_agent.store.access import Promise
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.payment_rejections import NothingToRedeem
from walrus_chain.chain.policy_rejections import ReceiptsAnchoredBefore
from walrus_chain.chain.policy_views import Question, Verdict
from walrus_chain.errors import BlockUnknown, RpcUnavailable
from walrus_chain.messages.access import Use
from walrus_chain.messages.domain import Domain, access_domain, channels_domain
from walrus_chain.payments.vouchers import ChannelFacts
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, PoolId, Wei

GENESIS = 1_700_000_000
BLOCK_SECONDS = 12
POLICY = Address("0x00000000000000000000000000000000000000C1")
ACCESS: Domain = access_domain(31337, Address("0x00000000000000000000000000000000000000D1"))
CHANNELS: Domain = channels_domain(31337, Address("0x00000000000000000000000000000000000000D2"))
UNKNOWN = Verdict(False, "UnknownObject", 0, POLICY, 0, BlobId(bytes(32)), Wei(0), PoolId(0))


def verdict(*, allowed: bool = True, reason: str = "", price: int = 0, pool: int = 0, key_epoch: int = 1) -> Verdict:
    """A decision; by default yes, for free."""
    return Verdict(allowed, reason, 0, POLICY, key_epoch, BlobId(bytes(32)), Wei(price), PoolId(pool))


@dataclass
class State:
    """All that blocks change."""

    rules: dict[BlobObjectId, Verdict] = field(default_factory=dict)
    revoked: set[Address] = field(default_factory=set)
    """Whom every policy denies."""
    channels: dict[int, ChannelFacts] = field(default_factory=dict)
    bought: dict[tuple[BlobObjectId, Address], int] = field(default_factory=dict)
    destroy_times: dict[BlobObjectId, int] = field(default_factory=dict)
    roots: dict[tuple[NodeId, Epoch], bytes] = field(default_factory=dict)
    destroyed: list[tuple[NodeId, BlobObjectId, bytes]] = field(default_factory=list)
    owed_to_nodes: dict[int, Wei] = field(default_factory=dict)
    job_facts: dict[tuple[int, NodeId, BlobObjectId], JobFacts] = field(default_factory=dict)


@dataclass(frozen=True)
class Mined:
    """A transaction in a block."""

    transaction: str
    gas_used: int = 100_000


class FakeAccessChain:
    """The chain. Changes are made to `now` and hold from the next block on."""

    def __init__(self) -> None:
        self.now = State()
        self.blocks: list[tuple[BlockRef, State]] = []
        self.fork = 0
        self.final = 0
        """The number of the newest final block."""
        self.failures: list[Exception] = []
        """What the next questions raise."""
        self.contracts: dict[Address, set[tuple[bytes, bytes]]] = {}
        """What accounts that are contracts say they signed."""
        self.asked = 0
        """How often policies were asked."""
        self.looks_at_channels = 0
        """How often agents looked after channels that owe them."""
        self.looks_at_keys = 0
        """How often agents asked when keys are to be destroyed."""
        self.unanswerable: set[BlobObjectId] = set()
        """Objects whose policies no endpoint gets an answer from."""
        self.mine()

    @property
    def head_block(self) -> BlockRef:
        """The newest block."""
        return self.blocks[-1][0]

    def mine(self, blocks: int = 1, seconds: int = BLOCK_SECONDS) -> BlockRef:
        """More blocks."""
        for _ in range(blocks):
            number = len(self.blocks)
            before = self.blocks[-1][0].timestamp if self.blocks else GENESIS - seconds
            digest = hashlib.sha256(b"%d %d" % (self.fork, number)).digest()
            self.blocks.append((BlockRef(number, digest, before + seconds), copy.deepcopy(self.now)))
        return self.head_block

    def undo(self, blocks: int) -> None:
        """A reorganisation: the last blocks never were."""
        self.fork += 1
        del self.blocks[-blocks:]
        self.now = copy.deepcopy(self.blocks[-1][1])

    def open_channel(self, channel: int, signer: Address, pool: int, deposit: int) -> None:
        """A deposit, from the next block on."""
        self.now.channels[channel] = ChannelFacts(channel, signer, signer, pool, Wei(deposit), Wei(0), 0, closed=False)

    def change_channel(self, channel: int, **values: object) -> None:
        """Another standing of a channel, from the next block on."""
        self.now.channels[channel] = replace(self.now.channels[channel], **values)  # type: ignore[arg-type]

    # -- as `AccessChain` answers ------------------------------------------------------------------------------------

    def _state(self, at: bytes) -> State:
        if self.failures:
            raise self.failures.pop(0)
        for block, state in self.blocks:
            if block.hash == at:
                return state
        raise BlockUnknown("0x" + at.hex())

    async def facts(self, job: int, node_id: NodeId, blob_object: BlobObjectId, at: bytes) -> JobFacts:
        """What a block says about a job, the node that asks, and the object."""
        return self._state(at).job_facts[job, node_id, blob_object]

    async def block(self, block_hash: bytes) -> BlockRef:
        """The block with that hash."""
        self._state(block_hash)
        return next(block for block, _ in self.blocks if block.hash == block_hash)

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has so many after it."""
        return self.blocks[max(0, len(self.blocks) - 1 - confirmations)][0]

    async def back(self, block: BlockRef, count: int) -> BlockRef:
        """The block so many before."""
        return self.blocks[max(0, block.number - count)][0]

    async def finalized(self) -> BlockRef:
        """The newest final block."""
        return self.blocks[self.final][0]

    async def decide(
        self, question: Question, at: bytes, signer: Address | None, digest: bytes, signature: bytes
    ) -> tuple[Verdict, bool]:
        """What the policies say."""
        self.asked += 1
        state = self._state(at)
        decided = state.rules.get(question.blob_object, UNKNOWN)
        if question.requester in state.revoked:
            decided = verdict(allowed=False, reason="CredentialRevoked")
        signed = signer is not None and (digest, signature) in self.contracts.get(signer, set())
        return decided, signed

    async def channel(self, channel: int, at: bytes | None) -> ChannelFacts | None:
        """A channel."""
        return self._state(at or self.head_block.hash).channels.get(channel)

    async def reads_of(self, use: Use, at: bytes) -> int:
        """How many reads were bought."""
        return self._state(at).bought.get((use.blob_object, use.requester), 0)

    async def channels(self, numbers: Sequence[int], at: bytes) -> tuple[ChannelStanding, ...]:
        """Channels."""
        self.looks_at_channels += len(numbers)
        found = [self._state(at).channels.get(number) for number in numbers]
        return tuple(
            ChannelStanding(Wei(0), Wei(0), 0, closed=False)
            if one is None
            else ChannelStanding(one.deposit, one.redeemed, one.closes_at, closed=one.closed)
            for one in found
        )

    async def anchored(self, node_id: NodeId, epochs: Sequence[Epoch], at: bytes) -> tuple[bytes, ...]:
        """Anchored roots."""
        return tuple(self._state(at).roots.get((node_id, epoch), bytes(32)) for epoch in epochs)

    async def owed_to_nodes(self, pool: int) -> Wei:
        """What a pool owes the nodes."""
        return self.now.owed_to_nodes.get(pool, Wei(0))

    async def destroy_times(self, blob_objects: Sequence[BlobObjectId], at: bytes) -> tuple[int, ...]:
        """When keys are to be destroyed."""
        self.looks_at_keys += 1
        if self.unanswerable & set(blob_objects):
            raise RpcUnavailable("eth_call", {})
        return tuple(self._state(at).destroy_times.get(number, 0) for number in blob_objects)


class FakeAccessHand:
    """One node's key; its transactions are in the next block at once."""

    def __init__(self, chain: FakeAccessChain, on_sending: Sequence[Exception] = ()) -> None:
        self.chain = chain
        self.failures = list(on_sending)
        """What the next transactions raise instead of being sent."""
        self.redeemed: list[list[Promise]] = []
        self.settled: list[int] = []

    @property
    def address(self) -> Address:
        """The account that pays."""
        return Address("0x00000000000000000000000000000000000000A1")

    async def redeem(self, promises: Sequence[Promise]) -> Mined:
        """Like `ReadChannels.redeem`."""
        self._fail()
        channels, paid = self.chain.now.channels, 0
        for promise in promises:
            facts = channels[promise.channel]
            upto = min(promise.cumulative, facts.deposit)
            if not facts.closed and upto > facts.redeemed:
                paid += upto - facts.redeemed
                channels[promise.channel] = replace(facts, redeemed=Wei(upto))
        if not paid:
            raise NothingToRedeem
        self.redeemed.append(list(promises))
        return self._mined()

    async def anchor(self, node_id: NodeId, epoch: Epoch, root: bytes, count: int) -> Mined:
        """Like `ReceiptLog.anchor`."""
        self._fail()
        if (node_id, epoch) in self.chain.now.roots:
            raise ReceiptsAnchoredBefore(node_id, epoch)
        self.chain.now.roots[node_id, epoch] = root
        return self._mined()

    async def settle_pool(self, pool: int) -> Mined:
        """Like `RevenuePools.settle`."""
        self._fail()
        self.settled.append(pool)
        self.chain.now.owed_to_nodes.pop(pool, None)
        return self._mined()

    async def attest_destruction(self, node_id: NodeId, blob_object: BlobObjectId, public_key: bytes) -> Mined:
        """Like `ReceiptLog.attestDestruction`."""
        self._fail()
        self.chain.now.destroyed.append((node_id, blob_object, hashlib.sha256(public_key).digest()))
        return self._mined()

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    def _mined(self) -> Mined:
        return Mined("0x" + self.chain.mine().hash.hex())
