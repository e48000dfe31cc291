"""One storage agent, put together: everything is made here, and here it is ended.

`run_agent` starts an agent inside the caller's event loop (the command line, a test, an in-process network) and stops
it when its block is left. Clock, chance and keys enter here and nowhere below.

An agent that starts: settings -> deployment -> key -> chain (which node is this?) -> catalogue -> store -> socket, each
with an error that says what to correct. Then all goes on at once: following the chain, doing work, acting on chain,
keeping the committee fresh, scrubbing, answering. An error that ends one of these ends the agent, by way of
`RunningAgent.failed`; none of them outlives the block.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from storage_agent.act.worker import Worker, standard_jobs
from storage_agent.compute.chain import JobChain
from storage_agent.compute.desk import Bytes, Computing, make_computing
from storage_agent.config import Settings
from storage_agent.custody.upkeep import KeyUpkeep, Upkeep, make_upkeep
from storage_agent.keys.desk import make_desk
from storage_agent.keys.files import load_signer, read_password
from storage_agent.node.accuse import Accuser
from storage_agent.node.admission import Admission
from storage_agent.node.attest import Attester
from storage_agent.node.holdings import Holdings
from storage_agent.node.seat import Seat
from storage_agent.observe import Metrics
from storage_agent.serve.app import build_app
from storage_agent.serve.connections import ConnectionLimits, Connections
from storage_agent.serve.server import make_server
from storage_agent.serve.services import JobShelf, ServeLimits, Services
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.open import inline_bytes_for, open_store
from storage_agent.store.outputs import Outputs
from storage_agent.store.packs import Packs
from storage_agent.store.rows import Totals
from storage_agent.sync.examine import Examiner
from storage_agent.sync.fetch import Fetcher
from storage_agent.sync.heal import Healer
from storage_agent.sync.peers import Peers
from storage_agent.sync.scrub import Scrubber, ScrubSettings
from storage_agent.watch.access import AccessChain
from storage_agent.watch.watcher import Watcher
from walrus_chain import __version__
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.network import Chain
from walrus_chain.chain.views import Node
from walrus_chain.errors import Misuse, Retryable
from walrus_chain.messages.signing import Signer
from walrus_chain.rules.committee import Member
from walrus_chain.transport.access import JobKeyHolder
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Address, BlobId, NodeId

if TYPE_CHECKING:
    from walrus_chain.transport.http import HttpAgents

_log = logging.getLogger(__name__)

#: How long another member's new address or key may go unnoticed.
COMMITTEE_REFRESH_SECONDS: Final = 30.0
#: How old the figures about the disk in an answer about health may be: counting reads whole tables.
FIGURES_SECONDS: Final = 5.0
_DAY: Final = 86400.0


class NotRegistered(Misuse):
    """The network knows no node with this agent's key."""

    def __init__(self, signer: Address, network: str) -> None:
        super().__init__(
            f"network {network} knows no node with the key {signer}; register it with `walrus-agent register`, or "
            "name the keystore of the key that was registered"
        )
        self.signer, self.network = signer, network


class CannotListen(Misuse):
    """The address to listen on is taken, or is not this machine's."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {why}; change server.host or server.port")
        self.host, self.port, self.why = host, port, why


@dataclass(frozen=True, slots=True)
class RunningAgent:
    """An agent that answers."""

    node_id: NodeId
    url: str
    """Where it listens."""
    catalogue: Catalogue
    packs: Packs
    healer: Healer
    scrubber: Scrubber
    watcher: Watcher
    metrics: Metrics
    failed: asyncio.Future[None]
    """Done with an error when the agent cannot go on; never done while it can."""


@asynccontextmanager
async def run_agent(settings: Settings, *, signer: Signer | None = None) -> AsyncIterator[RunningAgent]:
    """An agent that runs while the block does. On leaving, requests under way are finished first.

    Args:
        signer: the node's key; read from the keystore when not given.
    Raises:
        MalformedDeployment, UnusableKey, WrongChain, ContractMissing, NotRegistered, CannotListen: to be corrected.
        CatalogueInUse, CatalogueOfOtherNetwork, CatalogueTooNew, UnknownStore: to be corrected.
        RpcUnavailable, StoreUnavailable: something that the agent needs does not answer.
    """
    deployment = Deployment.load(settings.chain.deployment)
    if signer is None:
        signer = load_signer(settings.keys.signer, read_password(settings.keys.password_file))
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(Chain.connect(settings.chain.rpc, deployment))
        parameters = await chain.parameters()
        node_id = await chain.node_of_signer(signer.address)
        if node_id is None:
            raise NotRegistered(signer.address, deployment.name)
        listener = _listen(settings.server.host, settings.server.port)
        stack.callback(listener.close)
        catalogue = Catalogue.open(
            settings.storage.catalogue,
            network=f"{deployment.chain_id}:{deployment.address('BlobRegistry')}",
            node_id=node_id,
            clock=time.time,
            heal_delay=settings.work.heal_delay_seconds,
            trim_delay=settings.work.trim_delay_seconds,
            history=settings.chain.history,
        )
        stack.callback(catalogue.close)
        store = open_store(settings.storage.store_url, catalogue.contents, settings.storage.reserve_bytes)
        stack.push_async_callback(store.close)
        packs = Packs(catalogue, store, inline_bytes_for(settings.storage.store_url, settings.storage.inline_bytes))
        metrics = Metrics()
        holdings = Holdings(node_id, catalogue, packs, time.time)
        seat = Seat(chain, node_id, signer.address, COMMITTEE_REFRESH_SECONDS)
        catalogue.on_duties(lambda: seat.expect(catalogue.duties.epoch))
        watcher = Watcher(
            chain,
            catalogue,
            epoch_at=parameters.epoch_at,
            anchor_block=max(0, deployment.block - 1),
            confirmations=settings.chain.confirmations,
            poll_seconds=settings.chain.poll_seconds,
        )
        admission = Admission(catalogue, watcher.catch_up)
        attester = Attester(holdings, admission, seat, signer, chain.registry_domain, metrics)
        connections = _Connections(settings.work.peer_seconds)
        stack.push_async_callback(connections.close)
        peers = Peers(node_id, connections.to)
        fetcher = Fetcher(holdings, peers, lambda: seat.committee, metrics, time.monotonic)
        healer = Healer(holdings, fetcher, lambda: seat.committee, metrics)
        examiner = Examiner(holdings, fetcher, metrics)
        stack.push_async_callback(examiner.close)
        accuser = Accuser(examiner.examine, holdings, admission, seat, signer, chain.registry_domain, metrics)
        every = settings.work.scrub_days * _DAY
        scrubbing = ScrubSettings(settings.work.scrub_bytes_per_second, every, min(60.0, max(1.0, every / 100)))
        scrubber = Scrubber(catalogue, packs, holdings, metrics, scrubbing, time.time, asyncio.sleep)

        async def heal(blob_id: BlobId) -> None:
            # Whoever has just got shards finds them with the committee before.
            await seat.catch_up(catalogue.duties.epoch)
            await healer.heal(blob_id)

        worker = Worker(catalogue, standard_jobs(packs, heal, settings.work.heal_at_once), time.time)
        source, ledger = AccessChain(chain), catalogue.ledger
        job_chain = JobChain(chain, source, node_id, connections.to_node)

        def now() -> float:
            head = watcher.head
            return max(time.time(), head.timestamp if head is not None else 0.0)

        desk = await make_desk(
            settings.access,
            settings.keys,
            chain,
            source,
            job_chain,
            parameters,
            node_id,
            signer,
            ledger,
            metrics,
            now,
            os.urandom,
        )
        close_delay = (await chain.payments.channel_rules()).close_delay
        upkeep = make_upkeep(
            settings.keeper,
            chain,
            parameters,
            node_id,
            signer,
            holdings,
            heal,
            catalogue.syncing_complete,
            KeyUpkeep(settings.access, ledger, source, desk.erasable, close_delay),
            metrics,
            time.monotonic,
        )
        job_chain.releaser = desk.job_releaser
        outputs = Outputs(settings.storage.outputs, settings.storage.reserve_bytes)
        await asyncio.to_thread(outputs.sweep, catalogue.jobs.with_output())
        computing = await make_computing(
            settings.compute,
            job_chain,
            upkeep.sender,
            seat.member_ids,
            lambda: upkeep.proving,
            parameters,
            await job_chain.rules(),
            node_id,
            signer,
            chain.access_domain,
            settings.chain.confirmations,
            Bytes(holdings, fetcher),
            catalogue.jobs,
            outputs,
            metrics,
            settings.chain.poll_seconds,
            now,
            os.urandom,
        )
        reporter = _Reporter(
            settings, node_id, deployment, watcher, seat, catalogue, packs, peers, metrics, upkeep, computing
        )
        services = Services(
            admission,
            attester,
            accuser,
            holdings,
            metrics,
            time.monotonic,
            reporter.health,
            reporter.status,
            desk,
            JobShelf(catalogue.jobs, outputs),
            _limits(settings),
        )
        server = make_server(
            build_app(services), Connections(_connections(settings), metrics), settings.server.stop_seconds
        )
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Nobody has to look at it: an agent that is stopped anyway may have failed unseen.
        failed.add_done_callback(lambda future: future.cancelled() or future.exception())

        async def guarded(name: str, run: Callable[[], Awaitable[object]]) -> None:
            try:
                await run()
            except Exception as error:  # noqa: BLE001 - handed to whoever runs the agent
                _log.critical("%s ended", name, exc_info=error)
                if not failed.done():
                    failed.set_exception(error)

        host, port = listener.getsockname()[:2]
        agent = RunningAgent(
            node_id, f"http://{_for_url(host)}:{port}", catalogue, packs, healer, scrubber, watcher, metrics, failed
        )
        serving = asyncio.create_task(guarded("serving", lambda: server.serve([listener])))
        background = [
            asyncio.create_task(guarded("following the chain", watcher.run)),
            asyncio.create_task(guarded("following the committee", seat.follow)),
            asyncio.create_task(guarded("background work", worker.run)),
            asyncio.create_task(guarded("scrubbing", scrubber.run)),
            asyncio.create_task(guarded("sweeping the store", lambda: _sweep(packs))),
            asyncio.create_task(guarded("acting on chain", upkeep.run)),
            asyncio.create_task(guarded("computing", computing.run)),
        ]
        started = {"node": node_id, "url": agent.url, "network": deployment.name, "store": packs.name}
        _log.info("agent started", extra=started)
        try:
            yield agent
        finally:
            services.stopping = True
            server.should_exit = True
            for task in background:
                task.cancel()
            await asyncio.wait([serving, *background])
            failed.cancel()
            _log.info("agent stopped", extra={"node": node_id})


async def run_until_stopped(settings: Settings) -> None:
    """Run an agent until the process is told to stop (SIGTERM or SIGINT), or the agent cannot go on.

    Raises: what `run_agent` raises, and what ended the agent.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with run_agent(settings) as agent:
        agent.failed.add_done_callback(lambda _: stop.set())
        await stop.wait()
        if agent.failed.done():
            agent.failed.result()


class _Connections:
    """Ways to the other agents. HTTP's client side is loaded when the first is needed: most starts never need one."""

    def __init__(self, answer_seconds: float) -> None:
        self._answer_seconds = answer_seconds
        self._agents: HttpAgents | None = None

    def to(self, member: Member) -> AgentClient:
        """The client of a member of the committee."""
        return self._pool().at(member.url, member.name)

    def to_node(self, node: Node) -> JobKeyHolder:
        """The client of any registered node."""
        return self._pool().at(node.url, node.name)

    def _pool(self) -> HttpAgents:
        if self._agents is None:
            from walrus_chain.transport.http import HttpAgents, HttpLimits

            self._agents = HttpAgents(HttpLimits(answer_seconds=self._answer_seconds))
        return self._agents

    async def close(self) -> None:
        """Close them all."""
        if self._agents is not None:
            await self._agents.aclose()


class _Reporter:
    """Says how the agent is."""

    def __init__(
        self,
        settings: Settings,
        node_id: NodeId,
        deployment: Deployment,
        watcher: Watcher,
        seat: Seat,
        catalogue: Catalogue,
        packs: Packs,
        peers: Peers,
        metrics: Metrics,
        upkeep: Upkeep,
        computing: Computing,
    ) -> None:
        self._settings = settings
        self._node_id = node_id
        self._deployment = deployment
        self._watcher = watcher
        self._seat = seat
        self._catalogue = catalogue
        self._packs = packs
        self._peers = peers
        self._metrics = metrics
        self._upkeep = upkeep
        self._computing = computing
        self._totals = catalogue.totals()
        self._counted_at = time.monotonic()

    async def health(self) -> dict[str, object]:
        """The answer to `/v1/health`."""
        head, cursor = self._watcher.head, self._catalogue.cursor
        block = cursor.block if cursor is not None else None
        figures = self._figures()
        self._metrics.chain_block.set(block.number if block else 0)
        lag = max(0.0, time.time() - block.timestamp) if block else 0.0
        self._metrics.chain_lag.set(lag)
        self._metrics.blobs_to_heal.set(figures.heal)
        self._metrics.stored_bytes.set(figures.bytes)
        self._metrics.shards.labels("served").set(len(self._catalogue.duties.own))
        self._metrics.shards.labels("syncing").set(len(self._catalogue.duties.syncing))
        self._metrics.shards.labels("keeping").set(len(self._catalogue.duties.keeping))
        reasons = await self._reasons()
        starting = head is None or not self._seat.known
        return {
            "status": "starting" if starting else "degraded" if reasons else "ok",
            "reasons": reasons,
            "node": self._node_id,
            "name": self._settings.node.name,
            "version": __version__,
            "chain": {
                "id": self._deployment.chain_id,
                "block": block.number if block else 0,
                "lagSeconds": lag,
            },
            **self._on_chain(),
            "disk": {"free": await self._free(), "used": figures.bytes},
        }

    async def status(self) -> dict[str, object]:
        """The answer to `/v1/status`."""
        figures = self._figures()
        duties = self._catalogue.duties
        return {
            **await self.health(),
            "network": self._deployment.name,
            "store": self._packs.name,
            "committee": {
                "epoch": duties.epoch,
                "shards": duties.shards,
                "own": list(duties.own),
                "keeping": list(duties.keeping),
                "syncing": list(duties.syncing),
                "changing": duties.changing,
            },
            "blobs": {"held": figures.blobs, "certified": figures.certified, "pairs": figures.pairs},
            "work": {"heal": figures.heal, "free": figures.free, "trim": figures.trim},
            "access": self._access(),
            "compute": {"enabled": self._settings.compute.enabled, "outputs": self._catalogue.jobs.kept()},
            "liars": {str(node): lies for node, lies in self._peers.liars().items()},
        }

    def _access(self) -> dict[str, object]:
        """Keys to private data: what was released, and what is still to do for it."""
        totals = self._catalogue.ledger.totals()
        return {
            "enabled": self._settings.access.enabled,
            "releases": totals.releases,
            "channelsOwing": totals.promised_channels,
            "epochsToAnchor": totals.to_anchor,
            "erasableKeys": totals.erasable,
            "destructionsToAttest": totals.to_attest,
        }

    def _on_chain(self) -> dict[str, object]:
        """The epoch, how the node stands in its custody window, and the shards that are on their way here."""
        standing = self._upkeep.standing
        if standing is None:
            return {"epoch": self._catalogue.epoch, "custody": None, "syncing": list(self._catalogue.duties.syncing)}
        custody = {"state": standing.custody, "closes": standing.closes}
        return {"epoch": standing.epoch, "custody": custody, "syncing": list(standing.syncing)}

    async def _reasons(self) -> list[str]:
        reasons = []
        if self._watcher.problem is not None:
            reasons.append(f"the chain cannot be followed: {self._watcher.problem}")
        if self._seat.known and not self._seat.may_sign:
            reasons.append("the committee knows no member with this agent's key")
        if await self._free() == 0:
            reasons.append(f"{self._packs.name} is full")
        return reasons + self._upkeep.problems + self._computing.problems

    async def _free(self) -> int | None:
        try:
            free = await self._packs.free_bytes()
        except Retryable:
            return None
        if free is not None:
            self._metrics.free_bytes.set(free)
        return free

    def _figures(self) -> Totals:
        now = time.monotonic()
        if now >= self._counted_at + FIGURES_SECONDS:
            self._totals, self._counted_at = self._catalogue.totals(), now
        return self._totals


async def _sweep(packs: Packs) -> None:
    """Bring rows and store together, once; a store that fails now is swept at the next start."""
    try:
        odd = await packs.sweep()
    except Retryable as error:
        _log.warning("the store could not be swept: %s", error)
        return
    if odd:
        _log.warning("packs were on one side only, in the store or in the catalogue", extra={"packs": odd})


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens; connections wait in it until the agent answers.

    Raises: CannotListen.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=1024)
        # asyncio does this only for sockets that name their protocol. Without it the body of an answer waits 40 ms for
        # the acknowledgement of its headers. Connections inherit it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise CannotListen(host, port, error.strerror or str(error)) from error


def _limits(settings: Settings) -> ServeLimits:
    server = settings.server
    return ServeLimits(
        body_bytes=server.body_bytes,
        memory_bytes=server.memory_bytes,
        body_seconds=server.body_seconds,
        concurrency=server.concurrency,
        queue=server.queue,
        key_concurrency=settings.access.at_once,
        keys_per_second=settings.access.requests_per_second,
        key_burst=settings.access.burst,
        requests_per_second=server.requests_per_second,
        burst=server.burst,
    )


def _connections(settings: Settings) -> ConnectionLimits:
    """As many as are set, but no more than half of the files that this process may have open."""
    server = settings.server
    half = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
    return ConnectionLimits(
        connections=min(server.connections, half), connections_each=min(server.connections_each, half)
    )


def _for_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
