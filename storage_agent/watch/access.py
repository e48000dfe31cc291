"""The chain as the release of keys sees it: decisions, signatures, channels and purchases, each at one named block.

A decision is asked at the hash of the block that the requester named, with the protocol's gas, so every agent gets the
same answer. An endpoint that does not have that block in its chain gives none.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from storage_agent.state.collecting import ChannelStanding
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.network import Chain
from walrus_chain.chain.payment_rejections import UnknownChannel, UnknownPool
from walrus_chain.chain.policies import JUDGE_GAS
from walrus_chain.chain.policy_views import Question, Verdict
from walrus_chain.errors import BlockUnknown, ContractMissing, RpcRefused, RpcUnavailable
from walrus_chain.messages.access import Use
from walrus_chain.payments.vouchers import ChannelFacts
from walrus_chain.types import Address, BlobObjectId, ChannelId, Epoch, NodeId, PoolId, Wei

_BLOCKS: Final = 256
_FINALIZED: Final = "finalized"
_NOTHING: Final = ChannelStanding(Wei(0), Wei(0), 0, closed=False)


class AccessChain:
    """One network, asked for what decides about keys."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._blocks: OrderedDict[bytes, BlockRef] = OrderedDict()

    # -- blocks ------------------------------------------------------------------------------------------------------

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""
        return await self._chain.head(confirmations)

    async def back(self, block: BlockRef, count: int) -> BlockRef:
        """The block `count` blocks before another; the first while there are not so many."""
        return await self._chain.block(max(0, block.number - count))

    async def finalized(self) -> BlockRef:
        """The newest block that the chain calls final."""
        [found] = await self._chain.provider.known(_FINALIZED, [("eth_getBlockByNumber", (_FINALIZED, False))])
        return await self._chain.block(int(found["number"], 16))

    async def block(self, block_hash: bytes) -> BlockRef:
        """The block with that hash.

        A block that was seen is remembered: its number and time follow from its hash. Whether it still is in the chain
        is seen when something is asked at it.

        Raises: BlockUnknown: no endpoint has it in its chain.
        """
        known = self._blocks.get(block_hash)
        if known is not None:
            return known
        block = await self._chain.block_at(block_hash)
        self._blocks[block_hash] = block
        if len(self._blocks) > _BLOCKS:
            self._blocks.popitem(last=False)
        return block

    # -- what decides ------------------------------------------------------------------------------------------------

    async def decide(
        self, question: Question, at: bytes, signer: Address | None, digest: bytes, signature: bytes
    ) -> tuple[Verdict, bool]:
        """What the policies say at a block; and, where a signer is named, whether that account signed the digest.

        Raises: BlockUnknown: no endpoint has the block in its chain; and what endpoints raise.
        """
        async with self._pinned(at):
            return await self._decide(question, at, signer, digest, signature)

    async def channel(self, channel: int, at: bytes | None) -> ChannelFacts | None:
        """A channel as it is in a block, the newest when none is named; none when it is not there."""
        if at is None:
            return await self._channel(channel, None)
        async with self._pinned(at):
            return await self._channel(channel, at)

    async def reads_of(self, use: Use, at: bytes) -> int:
        """How many reads of the use's object were bought for its requester, as a block has it."""
        async with self._pinned(at):
            try:
                return await self._chain.payments.reads_of(use.blob_object, use.requester, at)
            except ContractMissing:  # the block may be older than the network
                return 0

    # -- what is to do -----------------------------------------------------------------------------------------------

    async def channels(self, numbers: Sequence[int], at: bytes) -> tuple[ChannelStanding, ...]:
        """Channels as they are in a block, in the order asked; one that is not there has no deposit."""
        found = await asyncio.gather(*(self.channel(number, at) for number in numbers))
        return tuple(
            _NOTHING
            if facts is None
            else ChannelStanding(facts.deposit, facts.redeemed, facts.closes_at, closed=facts.closed)
            for facts in found
        )

    async def anchored(self, node_id: NodeId, epochs: Sequence[Epoch], at: bytes) -> tuple[bytes, ...]:
        """The roots that a node anchored, as they are in a block; 32 zero bytes where it did not."""
        roots = await self._chain.calls([("ReceiptLog", "rootOf", (node_id, epoch)) for epoch in epochs], at=at)
        return tuple(bytes(root) for root in roots)

    async def owed_to_nodes(self, pool: int) -> Wei:
        """What settling a pool would bring the nodes now; nothing when there is no such pool."""
        try:
            return (await self._chain.payments.settleable(PoolId(pool))).to_nodes
        except UnknownPool:
            return Wei(0)

    async def destroy_times(self, blob_objects: Sequence[BlobObjectId], at: bytes) -> tuple[int, ...]:
        """From when on no key of the objects is released, as a block has it; 0 for never."""
        calls = [("BlobPolicies", "destroyAtOf", (blob_object,)) for blob_object in blob_objects]
        # With what an endpoint gives by itself a policy might not be asked at all, and its keys stay for ever.
        return tuple(await self._chain.calls(calls, at=at, gas=JUDGE_GAS))

    @asynccontextmanager
    async def _pinned(self, at: bytes) -> AsyncIterator[None]:
        """Inside, a block that went away is told apart from endpoints that fail: they say so in many words.

        Raises: BlockUnknown: it is in no chain any more.
        """
        try:
            yield
        except BlockUnknown:
            self._blocks.pop(at, None)
            raise
        except (RpcRefused, RpcUnavailable):
            self._blocks.pop(at, None)
            await self._chain.block_at(at)
            raise

    async def _decide(
        self, question: Question, at: bytes, signer: Address | None, digest: bytes, signature: bytes
    ) -> tuple[Verdict, bool]:
        policies = self._chain.policies
        if signer is None:
            return await policies.judge(question, at), False
        return await asyncio.gather(
            policies.judge(question, at), policies.is_valid_signature(signer, digest, signature, at)
        )

    async def _channel(self, channel: int, at: bytes | None) -> ChannelFacts | None:
        try:
            found = await self._chain.payments.channel(ChannelId(channel), at)
        except (UnknownChannel, ContractMissing):  # the block may be older than the network
            return None
        return ChannelFacts(
            channel=channel,
            payer=found.payer,
            signer=found.signer,
            pool=found.pool,
            deposit=found.deposit,
            redeemed=found.redeemed,
            closes_at=found.closes_at,
            closed=found.closed,
        )
