"""A whole network on one machine: a chain, the contracts, and agents, each a process of its own.

    devnet = await Devnet.up(DevnetHome(folder), DevnetParameters(), developer=wallet.address)
    ...
    await devnet.down()

The processes outlive the program that started them. What they keep survives `down`, and even a power cut: the next `up`
goes on from there.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from walrus_chain.chain.anvil import AnvilOptions, anvil_command, find_anvil
from walrus_chain.chain.deployments import Deployment
from walrus_chain.devnet.agents import AgentHost, prepare_agent, wait_until_healthy
from walrus_chain.devnet.home import DevnetHome, DevnetRecord
from walrus_chain.devnet.keys import KeyFile
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.devnet.processes import ProcessDied, ProcessHandle, start, stop_all, wait_gone
from walrus_chain.errors import Misuse, Retryable, RpcUnavailable
from walrus_chain.types import Address, NodeId

if TYPE_CHECKING:
    from walrus_chain.chain.provider import ChainProvider
    from walrus_chain.devnet.genesis import Operator

CHAIN = "chain"
"""The name of the chain's process."""
_STATE_SECONDS = 10
#: Between blocks while nobody sends: seeds of custody windows come from blocks, so the chain must go on by itself.
_BLOCK_SECONDS = 1
_READY_SECONDS = 60.0
_FREE_SECONDS = 3.0

OnStep = Callable[[str], None]
"""Told in a few words what is being done now."""


class DevnetMissing(Misuse):
    """There is no local network to work with."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"there is no local network in {folder}; `walrus devnet up` makes one")
        self.folder = folder


class DevnetDiffers(Misuse):
    """A local network is there, and it is another one than was asked for."""

    def __init__(self, folder: Path, there: DevnetParameters) -> None:
        super().__init__(
            f"the local network in {folder} was made with {there.agents} agents, {there.shards} shards, "
            f"{there.regions} regions and epochs of {there.epoch_seconds} s; leave these options out "
            "to go on with it, or add --fresh to delete it and make a new one"
        )
        self.folder, self.there = folder, there


class PortTaken(Retryable):
    """Something else listens where a process of the network should."""

    def __init__(self, port: int, name: str, option: str) -> None:
        super().__init__(
            f"port {port} for {name} is taken by another program; stop that, or choose another with {option}"
        )
        self.port, self.name = port, name


@dataclass(frozen=True, slots=True)
class DevnetAgent:
    """One agent of a local network."""

    name: str
    node_id: NodeId
    url: str
    region: str
    process: ProcessHandle | None
    """What was started last; None when it never was."""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.alive


class Devnet:
    """A local network in a folder, running or not."""

    def __init__(self, home: DevnetHome, record: DevnetRecord) -> None:
        self.home = home
        self._record = record

    @classmethod
    def load(cls, home: DevnetHome) -> Devnet:
        """The network in a folder.

        Raises: DevnetMissing, DevnetHomeUnreadable.
        """
        record = home.load()
        if record is None:
            raise DevnetMissing(home.folder)
        return cls(home, record)

    @classmethod
    async def up(
        cls,
        home: DevnetHome,
        parameters: DevnetParameters | None = None,
        *,
        developer: Address,
        on_step: OnStep = lambda _: None,
    ) -> Devnet:
        """Start the network in a folder, making it first when there is none. Does nothing for what runs already.

        Args:
            parameters: what a new network is made of, the defaults when None; must agree with one that is there.
            developer: gets the purse of WAL when the network is made.
        Raises:
            AnvilMissing: says what to install.
            DevnetDiffers, PortTaken, ProcessDied: say what is in the way.
        """
        find_anvil()  # before anything is written
        with AgentHost(home.log("agents")) as host:
            async with prepared(home, parameters, developer=developer, on_step=on_step) as devnet:
                on_step(f"starting {devnet.parameters.agents} agents")
                await devnet._start_agents(host)
        return devnet

    async def down(self) -> bool:
        """Stop all processes; what they keep stays. Returns whether anything was running."""
        running = [handle for handle in self._record.processes.values() if handle.alive]
        agents = [handle for handle in running if handle.name != CHAIN]
        await asyncio.to_thread(stop_all, agents)
        chain = [handle for handle in running if handle.name == CHAIN]
        for handle in chain:
            # Anvil writes its state when it is interrupted, and may take a while for it.
            handle.send(signal.SIGINT)
        for handle in await asyncio.to_thread(wait_gone, chain, seconds=30):
            handle.kill()
        return bool(running)

    @property
    def parameters(self) -> DevnetParameters:
        """What the network was made of."""
        return self._record.parameters

    @property
    def rpc_url(self) -> str:
        """The chain's RPC endpoint."""
        return f"http://127.0.0.1:{self.parameters.rpc_port}"

    @property
    def deployment(self) -> Deployment:
        """Where the contracts are."""
        return Deployment.load(self.home.deployment_file)

    @property
    def chain_process(self) -> ProcessHandle | None:
        """The chain's process; None when it never ran."""
        return self._record.processes.get(CHAIN)

    @property
    def running(self) -> bool:
        """Whether any of its processes runs."""
        return any(handle.alive for handle in self._record.processes.values())

    @property
    def agents(self) -> tuple[DevnetAgent, ...]:
        """All agents, whether they run or not."""
        return tuple(
            DevnetAgent(
                name=name,
                node_id=node,
                url=self._url_of(place),
                region=self.parameters.region_of(place),
                process=self._record.processes.get(name),
            )
            for place, (name, node) in enumerate(zip(self.parameters.agent_names(), self._record.nodes, strict=True))
        )

    def kill_agent(self, name: str) -> None:
        """End an agent at once, as a power cut would."""
        process = self._record.processes.get(name)
        if process is not None:
            process.kill()

    def wipe_agent(self, name: str) -> None:
        """Kill an agent and lose its disk: catalogue and slivers. Its keys and settings stay."""
        self.kill_agent(name)
        shutil.rmtree(self.home.agent_data(name))

    async def start_agents(self, *names: str) -> None:
        """Start agents that do not run, and wait until they answer."""
        with AgentHost(self.home.log("agents")) as host:
            await self._start_agents(host, names)

    async def add_agent(self) -> DevnetAgent:
        """Have one more agent join: registered, staked, a candidate, running. It serves from the next committee on.

        Raises: DevnetParametersWrong: there are as many agents as shards.
        """
        from walrus_chain.devnet.genesis import admit

        place = self.parameters.agents
        parameters = replace(self.parameters, agents=place + 1)
        operator = self._prepare(parameters, place)
        node = await admit(self.rpc_url, self.deployment, self.home.deployer.open(), operator, parameters.stake)
        self._record = DevnetRecord(parameters, (*self._record.nodes, node), self._record.processes)
        self.home.save(self._record)
        await self.start_agents(operator.name)
        return self.agents[place]

    async def retire_agent(self, name: str) -> None:
        """Have an agent leave: its operator takes all its stake out. It runs on, and serves until it is relieved."""
        from walrus_chain.devnet.genesis import release

        [agent] = [agent for agent in self.agents if agent.name == name]
        await release(self.rpc_url, self.deployment, self.home.agent_operator(name).open(), agent.node_id)

    # -- parts -------------------------------------------------------------------------------------------------------

    def _url_of(self, place: int) -> str:
        return f"http://127.0.0.1:{self.parameters.port_of(place)}"

    def _remember(self, *handles: ProcessHandle) -> None:
        self._record = self._record.with_processes(*handles)
        if self._record.nodes:
            self.home.save(self._record)

    async def _start_chain(self, anvil: Path) -> None:
        process = self.chain_process
        if process is None or not process.alive:
            await _wait_free(self.parameters.rpc_port, "the chain", "--rpc-port")
            options = AnvilOptions(
                port=self.parameters.rpc_port,
                chain_id=self.parameters.chain_id,
                block_time=_BLOCK_SECONDS,
                instant=True,
                state=self.home.chain_state,
                state_interval=_STATE_SECONDS,
            )
            process = start(CHAIN, anvil_command(options, anvil), self.home.log(CHAIN))
            self._remember(process)
        await _wait_for_chain(self.rpc_url, process, self.home.log(CHAIN))

    async def _found(self, developer: Address) -> None:
        from walrus_chain.devnet.genesis import found

        parameters, home = self.parameters, self.home
        operators = [self._prepare(parameters, place) for place in range(parameters.agents)]
        deployer = KeyFile.create(home.deployer.path).open()
        deployment, nodes = await found(self.rpc_url, parameters, deployer, developer, operators)
        deployment.save(home.deployment_file)
        # Anvil writes its state every few seconds only: from here on, even a power cut leaves a network.
        await _write_state(self.rpc_url, home.chain_state)
        self._record = DevnetRecord(parameters, nodes, self._record.processes)
        home.save(self._record)

    def _prepare(self, parameters: DevnetParameters, place: int) -> Operator:
        """Settings and keys of the agent at a place; its operator."""
        from walrus_chain.devnet.genesis import Operator

        name, home = parameters.agent_names()[place], self.home
        encryption_key = prepare_agent(home, parameters, place, self.rpc_url)
        return Operator(
            account=KeyFile.create(home.agent_operator(name).path).open(),
            signer=home.agent_signer(name).open(),
            encryption_key=encryption_key,
            name=name,
            url=f"http://127.0.0.1:{parameters.port_of(place)}",
            region=parameters.region_of(place),
        )

    async def _start_agents(self, host: AgentHost, names: Sequence[str] = ()) -> None:
        due = [agent for agent in self.agents if not agent.alive and (not names or agent.name in names)]
        for agent in due:
            await _wait_free(int(agent.url.rsplit(":", 1)[1]), agent.name, "--agent-port")
        handles = [
            host.start(agent.name, self.home.agent_settings(agent.name), self.home.log(agent.name)) for agent in due
        ]
        self._remember(*handles)
        waiting = [
            wait_until_healthy(agent.url, process, self.home.log(agent.name), _READY_SECONDS)
            for agent, process in zip(due, handles, strict=True)
        ]
        await asyncio.gather(*waiting)


@asynccontextmanager
async def prepared(
    home: DevnetHome,
    parameters: DevnetParameters | None = None,
    *,
    developer: Address,
    on_step: OnStep = lambda _: None,
) -> AsyncIterator[Devnet]:
    """A network whose chain runs, and whose agents are ready to be started inside the block.

    When the block fails, everything is stopped again, and a network that was just made is forgotten. Arguments and
    errors are those of `Devnet.up`.
    """
    from walrus_chain.devnet.genesis import deployment_parameters

    anvil = find_anvil()
    record = home.load()
    if record is not None and parameters is not None and parameters != record.parameters:
        raise DevnetDiffers(home.folder, record.parameters)
    devnet = Devnet(home, record or DevnetRecord(parameters or DevnetParameters(), ()))
    deployment_parameters(devnet.parameters)  # says what is wrong before anything is started
    if record is None:
        home.forget()
    try:
        on_step("starting the chain")
        await devnet._start_chain(anvil)
        if record is None:
            on_step("deploying contracts, registering nodes, forming the committee")
            await devnet._found(developer)
        yield devnet
    except BaseException:
        await asyncio.shield(devnet.down())
        if record is None:
            home.forget()
        raise


async def _wait_free(port: int, name: str, option: str) -> None:
    """Wait until a port is free: a process that was killed may hold it for a moment longer, until its last thread ends.

    Raises: PortTaken: somebody else has it.
    """
    deadline = time.monotonic() + _FREE_SECONDS
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise PortTaken(port, name, option) from None
        await asyncio.sleep(0.05)


def _provider(url: str) -> ChainProvider:
    """The chain of the network. Loaded when it is talked to: looking at a network or ending it should not take long."""
    from walrus_chain.chain.provider import ChainProvider

    return ChainProvider([url])


async def _write_state(url: str, file: Path) -> None:
    """Write the chain's state in the form in which anvil itself does; a reader never sees half of it."""
    async with _provider(url) as provider:
        packed = await provider.request("anvil_dumpState")
    draft = file.with_suffix(".new")
    draft.write_bytes(gzip.decompress(bytes.fromhex(str(packed).removeprefix("0x"))))
    draft.replace(file)


async def _wait_for_chain(url: str, process: ProcessHandle, log: Path) -> None:
    provider = _provider(url)
    deadline = time.monotonic() + _READY_SECONDS
    try:
        while True:
            if not process.alive:
                raise ProcessDied("the chain (anvil)", log)
            try:
                await provider.chain_id()
                return
            except RpcUnavailable:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)
    finally:
        await provider.aclose()
