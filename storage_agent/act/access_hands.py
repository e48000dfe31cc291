"""The transactions that releases of keys ask for, sent with the node's key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from storage_agent.act.collector import Sent
from storage_agent.store.access import Promise
from walrus_chain.chain.sender import Sender
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId, PoolId


class AccessSender:
    """Sends them. What its methods raise is said in `walrus_chain.chain.sender`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @property
    def address(self) -> Address:
        """The account that pays."""
        return self._sender.address

    async def redeem(self, promises: Sequence[Promise]) -> Sent:
        """Redeems vouchers."""
        vouchers = [Voucher(one.channel, one.cumulative, one.amount, one.purpose) for one in promises]
        return await self._sender.payments.redeem(vouchers, [one.signature for one in promises])

    async def anchor(self, node_id: NodeId, epoch: Epoch, root: bytes, count: int) -> Sent:
        """Anchors the receipts of an epoch."""
        return await self._sender.policies.anchor_receipts(node_id, epoch, root, count)

    async def settle_pool(self, pool: int) -> Sent:
        """Has a pool pay the nodes and the protocol."""
        return await self._sender.payments.settle_pool(PoolId(pool))

    async def attest_destruction(self, node_id: NodeId, blob_object: BlobObjectId, public_key: bytes) -> Sent:
        """States that the private key of `public_key` is gone."""
        key_hash = hashlib.sha256(public_key).digest()
        return await self._sender.policies.attest_destruction(node_id, blob_object, key_hash)
