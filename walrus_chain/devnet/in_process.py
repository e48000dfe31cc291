"""A local network whose agents run inside this program: starts faster, and a debugger sees everything.

The chain is a process of its own here, too. Nothing is left behind when the block ends but the network's folder.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from queue import SimpleQueue

from walrus_chain.devnet.home import DevnetHome
from walrus_chain.devnet.network import Devnet, OnStep, prepared
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.types import Address


@asynccontextmanager
async def devnet_in_process(
    home: DevnetHome,
    parameters: DevnetParameters | None = None,
    *,
    developer: Address,
    on_step: OnStep = lambda _: None,
) -> AsyncIterator[Devnet]:
    """A network that runs while the block does, its agents in this event loop. Arguments and errors as `Devnet.up`."""
    from storage_agent.config import load_settings
    from storage_agent.daemon import run_agent

    async with prepared(home, parameters, developer=developer, on_step=on_step) as devnet:
        async with AsyncExitStack() as stack:
            on_step(f"starting {devnet.parameters.agents} agents")
            for agent in devnet.agents:
                await stack.enter_async_context(run_agent(load_settings(home.agent_settings(agent.name), {})))
            yield devnet
        await devnet.down()


@contextmanager
def devnet_in_thread(
    home: DevnetHome, parameters: DevnetParameters | None = None, *, developer: Address
) -> Iterator[Devnet]:
    """`devnet_in_process` in an event loop of its own thread, for programs and tests that have none, or several."""
    started: SimpleQueue[Devnet | BaseException] = SimpleQueue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        try:
            async with devnet_in_process(home, parameters, developer=developer) as devnet:
                started.put(devnet)
                await stop.wait()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for the network
            started.put(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), name="devnet", daemon=True)
    thread.start()
    first = started.get()
    try:
        if isinstance(first, BaseException):
            raise first
        yield first
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
    if not started.empty() and isinstance(failure := started.get(), BaseException):
        raise failure
