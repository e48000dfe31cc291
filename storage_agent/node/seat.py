"""The node's seat: the committee in office with its members' addresses and keys, asked from the chain.

Which pairs the node must hold follows from the chain's events and is in the catalogue; this is for finding the others.
While shards are on their way the committee carries the one before it, whose members still have them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from storage_agent.node.refusals import NotServing
from storage_agent.state.duties import Duties
from walrus_chain.errors import Rejected, Retryable, Untrusted
from walrus_chain.rules.committee import Committee
from walrus_chain.types import Address, Epoch, NodeId

_log = logging.getLogger(__name__)


class CommitteeSource(Protocol):
    """Whoever knows the committee; `walrus_chain.chain.network.Chain` does."""

    async def committee(self) -> Committee:
        """The committee in office, with the addresses of its members.

        Raises: Retryable: there is none yet, or the chain does not answer.
        """


class Seat:
    """The committee as the node knows it, asked for anew from time to time: members get new addresses and keys."""

    def __init__(
        self,
        source: CommitteeSource,
        node_id: NodeId,
        signer: Address,
        refresh_seconds: float,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            node_id: this node.
            signer: the account of the key that this agent signs with.
            refresh_seconds: how long a member's new address may go unnoticed.
        """
        self._source = source
        self._signer = signer
        self._refresh_seconds = refresh_seconds
        self._committee: Committee | None = None
        self._expected = Epoch(0)
        self._stale = asyncio.Event()
        self._catching_up = asyncio.Lock()
        self._sleep = sleep
        self.node_id = node_id

    @property
    def committee(self) -> Committee:
        """The committee in office.

        Raises: NotServing: none is known yet.
        """
        if self._committee is None:
            raise NotServing(self.node_id, "no committee is in office, or the chain did not tell yet")
        return self._committee

    def member_ids(self) -> tuple[NodeId, ...]:
        """The members of the committee; none while none is known."""
        return () if self._committee is None else tuple(member.node_id for member in self._committee.members)

    @property
    def known(self) -> bool:
        """Whether a committee is known."""
        return self._committee is not None

    @property
    def may_sign(self) -> bool:
        """Whether the network counts this agent's signatures as the node's."""
        member = self._committee.by_node(self.node_id) if self._committee is not None else None
        return member is not None and member.signer == self._signer

    def check_signing(self, duties: Duties) -> None:
        """Accept that the node signs for the shards it serves.

        Raises: NotServing: it serves none, or the committee knows it by another key.
        """
        if not duties.own:
            raise NotServing(self.node_id, "it has no place in the committee")
        if not self.may_sign:
            raise NotServing(self.node_id, f"the committee does not know the key {self._signer} as its")

    async def refresh(self) -> None:
        """Ask for the committee now.

        Raises: Retryable: there is none yet, or the chain does not answer.
        """
        committee = await self._source.committee()
        if self._committee is None or committee.epoch != self._committee.epoch:
            _log.info("committee in office", extra={"epoch": committee.epoch, "members": len(committee.members)})
        self._committee = committee

    def expect(self, epoch: Epoch) -> None:
        """Have the committee asked for soon, and again every second until it is the one that took office in `epoch`."""
        self._expected = epoch
        self._stale.set()

    async def catch_up(self, epoch: Epoch) -> None:
        """Ask for the committee now, unless the one that took office in `epoch` is known. Failures are logged only."""
        async with self._catching_up:
            if self._committee is None or self._committee.epoch < epoch:
                await self._try_refresh()

    async def follow(self) -> None:
        """Keep the committee fresh for ever."""
        while True:
            self._stale.clear()
            await self._try_refresh()
            current = self._committee is not None and self._committee.epoch >= self._expected
            await self._pause(self._refresh_seconds if current else min(1.0, self._refresh_seconds))

    async def _try_refresh(self) -> None:
        try:
            await self.refresh()
        except (Retryable, Rejected, Untrusted) as error:
            _log.warning("the committee cannot be asked for: %s", error)

    async def _pause(self, seconds: float) -> None:
        """Waits so long, or until a committee is expected."""
        waits = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._stale.wait())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in done:
                wait.result()
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
