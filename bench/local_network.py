"""A local network of its own for a benchmark, and what its processes use."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from eth_account import Account
from eth_account.signers.local import LocalAccount

from walrus_chain.client.client import Client
from walrus_chain.devnet.home import DevnetHome
from walrus_chain.devnet.network import Devnet
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.devnet.ports import free_run
from walrus_chain.types import Address, format_bytes

AGENTS, SHARDS = 10, 30
_RESET_MARK = "5"


@dataclass(frozen=True, slots=True)
class Grid:
    """A network of ten agents, each a process, and an account that pays."""

    devnet: Devnet
    account: LocalAccount

    def client(self) -> Client:
        """A client of the network."""
        return Client.connect([self.devnet.rpc_url], self.devnet.deployment, account=self.account)

    @property
    def agents(self) -> list[int]:
        """The agents' process ids."""
        return [agent.process.pid for agent in self.devnet.agents if agent.process is not None]

    @property
    def chain(self) -> int:
        """The chain's process id."""
        assert self.devnet.chain_process is not None
        return self.devnet.chain_process.pid


@asynccontextmanager
async def local_network(folder: Path) -> AsyncIterator[Grid]:
    """A network in `folder`, on ports nobody uses, for as long as the block runs."""
    account: LocalAccount = Account.create()
    port = free_run(AGENTS + 1)
    parameters = DevnetParameters(agents=AGENTS, shards=SHARDS, rpc_port=port, first_agent_port=port + 1)
    devnet = await Devnet.up(DevnetHome(folder), parameters, developer=Address(account.address))
    try:
        yield Grid(devnet, account)
    finally:
        await devnet.down()


@dataclass(slots=True)
class Usage:
    """What the processes of a network used."""

    client_seconds: float = 0.0
    chain_seconds: float = 0.0
    agents_seconds: float = 0.0
    client_peak: int = 0
    """Bytes of memory that the client's process had resident at most."""
    agent_peak: int = 0
    """The same of the agent with the most."""

    @property
    def peak(self) -> int:
        """Bytes of memory of the process that had the most."""
        return max(self.client_peak, self.agent_peak)

    def memory_in_words(self) -> str:
        """The peaks of memory."""
        return f"memory: client {format_bytes(self.client_peak)}, agent {format_bytes(self.agent_peak)}"

    def in_words(self, runs: int) -> str:
        """Processor time of one of `runs` equal runs, in milliseconds."""
        times = (self.client_seconds, self.chain_seconds, self.agents_seconds)
        client, chain, agents = (f"{1000 * seconds / runs:,.0f}" for seconds in times)
        return f"processor ms: client {client}, chain {chain}, agents {agents}"


@contextmanager
def measured(grid: Grid, usage: Usage) -> Iterator[None]:
    """Adds what is used while the block runs to `usage`. The client is this process."""
    me, agents = os.getpid(), grid.agents
    for process in (me, *agents):
        Path(f"/proc/{process}/clear_refs").write_text(_RESET_MARK)
    before = [_seconds(process) for process in (me, grid.chain, *agents)]
    yield
    after = [_seconds(process) for process in (me, grid.chain, *agents)]
    client, chain, *others = (now - was for now, was in zip(after, before, strict=True))
    usage.client_seconds += client
    usage.chain_seconds += chain
    usage.agents_seconds += sum(others)
    usage.client_peak = max(usage.client_peak, peak_of(me))
    usage.agent_peak = max(usage.agent_peak, *map(peak_of, agents))


def peak_of(process: int) -> int:
    """The most bytes that a process had resident since its mark was reset."""
    mark = re.search(r"^VmHWM:\s*(\d+) kB$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return int(mark[1]) * 1024 if mark else 0


def _seconds(process: int) -> float:
    times = psutil.Process(process).cpu_times()
    return times.user + times.system


def machine() -> str:
    """The machine and what else it is doing, for people who read the figures."""
    return f"{os.cpu_count()} processors, load {', '.join(f'{load:.1f}' for load in os.getloadavg())}"
