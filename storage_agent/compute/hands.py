"""The transactions that jobs and triggers ask for, sent with the node's key."""

from __future__ import annotations

import logging

from walrus_chain.chain.compute_views import JobRequest, TriggerTerms
from walrus_chain.chain.economy_rejections import PoolBehind
from walrus_chain.chain.sender import Sender
from walrus_chain.types import Address, JobId, TriggerId

_log = logging.getLogger(__name__)

#: Epochs whose rewards one transaction brings into a pool.
_EPOCHS_A_CALL = 32


class JobSender:
    """Sends them. What its methods raise is said in `walrus_chain.chain.sender`."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @property
    def address(self) -> Address:
        """The account that pays."""
        return self._sender.address

    async def draw(self, job: int, terms: JobRequest) -> object:
        """Draws the panel."""
        return await self._sender.compute.draw(JobId(job), terms)

    async def commit(self, job: int, place: int, terms: bytes, commitment: bytes) -> object:
        """Commits this node to a result."""
        return await self._sender.compute.commit(JobId(job), place, terms, commitment)

    async def decline(self, job: int, place: int) -> object:
        """Tells that this node does not run a job."""
        return await self._sender.compute.decline(JobId(job), place)

    async def reveal(self, job: int, place: int, result: bytes, size: int, salt: bytes) -> object:
        """Shows this node's result."""
        return await self._sender.compute.reveal(JobId(job), place, result, size, salt)

    async def settle(self, job: int, terms: JobRequest) -> object:
        """Ends a job whose panel is done. A stake pool that nobody settled for long is settled first."""
        try:
            return await self._sender.compute.settle(JobId(job), terms)
        except PoolBehind as behind:
            _log.info("settling the pool of node %d first: %s", behind.node_id, behind)
            for _ in range(behind.settled, behind.current_epoch, _EPOCHS_A_CALL):
                await self._sender.settle(behind.node_id, _EPOCHS_A_CALL)
        return await self._sender.compute.settle(JobId(job), terms)

    async def cancel(self, job: int, terms: JobRequest) -> object:
        """Pays back a job that was not drawn."""
        return await self._sender.compute.cancel(JobId(job), terms)

    async def fire(self, trigger: int, terms: TriggerTerms, subject: int) -> object:
        """Requests a job of a trigger; its policies are shown nothing."""
        count = max(1, len(terms.order.inputs))
        return await self._sender.compute.fire(TriggerId(trigger), terms, subject, [b""] * count)
