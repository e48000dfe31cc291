"""A network that never holds still, under load: `make churn`, or `python -m scripts.churn`.

A local network runs for some epochs while clients store and read all the time, agents are killed and started again at
random, one agent joins and one leaves. Afterwards every blob must be there, no read may have failed, no node may have
been slashed, and the vault must hold exactly what it owes. Ends with exit code 1 when one of these is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from eth_account import Account

from walrus_chain.chain.economy import Economy
from walrus_chain.chain.economy_events import CustodyMissed, CustodyProved, Slashed
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.events import CommitteeFormed, EpochChangeDone, EpochChangeStarted
from walrus_chain.chain.network import Chain
from walrus_chain.client.client import Client
from walrus_chain.devnet.home import DevnetHome
from walrus_chain.devnet.network import Devnet
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.devnet.ports import free_run
from walrus_chain.errors import WalrusError
from walrus_chain.types import Address, BlobId, Epoch

KILL_SECONDS = (1.0, 4.0)
"""How long a killed agent stays away: well within a custody window, as a restart would be."""
TERM = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run."""

    epochs: int
    epoch_seconds: int
    agents: int
    shards: int
    writers: int
    readers: int
    largest: int
    """Bytes of the largest blob."""
    seed: int

    @property
    def join_at(self) -> int:
        """The epoch in which an agent joins."""
        return max(2, self.epochs // 4)

    @property
    def leave_at(self) -> int:
        """The epoch in which an agent begins to leave."""
        return max(3, self.epochs // 2)


@dataclass(slots=True)
class Tally:
    """What happened."""

    blobs: dict[BlobId, bytes] = field(default_factory=dict)
    """What was stored, by its SHA-256."""
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


async def main(plan: Plan, folder: Path, as_json: bool) -> int:
    """Run, check, print; the exit code."""
    chance = random.Random(plan.seed)
    account, tally = Account.create(), Tally()
    port = free_run(plan.agents + 2)
    parameters = DevnetParameters(
        agents=plan.agents,
        shards=plan.shards,
        epoch_seconds=plan.epoch_seconds,
        rpc_port=port,
        first_agent_port=port + 1,
    )
    devnet = await Devnet.up(DevnetHome(folder), parameters, developer=Address(account.address), on_step=say)
    try:
        async with (
            Chain.connect([devnet.rpc_url], devnet.deployment) as chain,
            Client.connect([devnet.rpc_url], devnet.deployment, account=account) as client,
        ):
            first = (await chain.parameters()).current_epoch
            last = Epoch(first + plan.epochs)
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                load = [group.create_task(write(client, plan, tally, chance, stop)) for _ in range(plan.writers)]
                load += [group.create_task(read(client, tally, chance, stop)) for _ in range(plan.readers)]
                await disturb(devnet, client, plan, tally, chance, first, last)
                stop.set()
            await check(client, chain, tally)
            events = await chain.events(devnet.deployment.block, (await chain.head()).number)
            report = summary(plan, tally, events, first)
    finally:
        await devnet.down()
    print(json.dumps(report, indent=2) if as_json else as_text(report))
    for failure in tally.failures:
        say(f"FAILED: {failure}")
    return 1 if tally.failures else 0


async def write(client: Client, plan: Plan, tally: Tally, chance: random.Random, stop: asyncio.Event) -> None:
    """Store blobs of random sizes, one after the other."""
    while not stop.is_set():
        data = chance.randbytes(int(plan.largest ** chance.random()))
        try:
            stored = await client.store(data, epochs=TERM, name="churn")
        except WalrusError as error:
            tally.counts["stores that failed"] += 1
            say(f"a store failed: {error}")
            continue
        tally.blobs[stored.blob_id] = hashlib.sha256(data).digest()
        tally.counts["stores"] += 1


async def read(client: Client, tally: Tally, chance: random.Random, stop: asyncio.Event) -> None:
    """Read random blobs back and compare them with what went in."""
    while not stop.is_set():
        if not tally.blobs:
            await asyncio.sleep(0.1)
            continue
        await read_one(client, tally, chance.choice(list(tally.blobs)))


async def read_one(client: Client, tally: Tally, blob_id: BlobId) -> None:
    """Read a blob; whatever is not as it should be is a failure."""
    tally.counts["reads"] += 1
    try:
        data = await client.read_bytes(blob_id)
    except WalrusError as error:
        tally.failures.append(f"reading {blob_id}: {type(error).__name__}: {error}")
        return
    if hashlib.sha256(data).digest() != tally.blobs[blob_id]:
        tally.failures.append(f"reading {blob_id}: other bytes than went in")


async def disturb(
    devnet: Devnet, client: Client, plan: Plan, tally: Tally, chance: random.Random, first: Epoch, last: Epoch
) -> None:
    """Kill and start agents until epoch `last`; have one join and one leave on the way."""
    joined = left = False
    seen = Epoch(0)
    while (epoch := (await client.chain.parameters()).current_epoch) < last:
        if epoch != seen:
            seen = epoch
            say(f"epoch {epoch}: {tally.counts['stores']} stored, {tally.counts['reads']} reads")
        if not joined and epoch >= first + plan.join_at:
            agent = await devnet.add_agent()
            joined = True
            say(f"epoch {epoch}: {agent.name} joined")
        if not left and epoch >= first + plan.leave_at:
            await devnet.retire_agent(devnet.agents[0].name)
            left = True
            say(f"epoch {epoch}: {devnet.agents[0].name} begins to leave")
        # Who leaves runs on until it is relieved; nobody starts it again after that.
        victim = chance.choice(devnet.agents[1:] if left else devnet.agents).name
        devnet.kill_agent(victim)
        tally.counts["kills"] += 1
        await asyncio.sleep(chance.uniform(*KILL_SECONDS))
        await devnet.start_agents(victim)
        await asyncio.sleep(chance.uniform(0, plan.epoch_seconds / 8))


async def check(client: Client, chain: Chain, tally: Tally) -> None:
    """Every blob is there, and the vault holds what it owes."""
    for blob_id in list(tally.blobs):
        await read_one(client, tally, blob_id)
    books = await Economy(chain).vault_books()
    if not books.balanced or books.free:
        tally.failures.append(f"the vault's books do not balance: {books}")


def summary(plan: Plan, tally: Tally, events: tuple[ChainEvent, ...], first: Epoch) -> dict[str, object]:
    """What happened, in figures."""
    proofs = Counter(event.epoch for event in events if isinstance(event, CustodyProved))
    slashes = [event for event in events if isinstance(event, Slashed)]
    missed = [event for event in events if isinstance(event, CustodyMissed)]
    moved = {event.epoch: event.moved.bit_count() for event in events if isinstance(event, EpochChangeStarted)}
    done = {event.epoch for event in events if isinstance(event, EpochChangeDone)}
    sizes = {event.epoch: len(event.members) for event in events if isinstance(event, CommitteeFormed)}
    tally.failures += [f"node {event.node_id} was slashed, reported by {event.reporter}" for event in slashes]
    tally.failures += [f"the change of epoch {epoch} was never done" for epoch in moved if epoch not in done]
    epochs = range(first, first + plan.epochs)
    return {
        "seconds": plan.epochs * plan.epoch_seconds,
        "stored": tally.counts["stores"],
        "storesThatFailed": tally.counts["stores that failed"],
        "reads": tally.counts["reads"],
        "readsThatFailed": sum(failure.startswith("reading") for failure in tally.failures),
        "kills": tally.counts["kills"],
        "slashed": len(slashes),
        "missed": len(missed),
        "epochs": [
            {"epoch": epoch, "proofs": proofs[epoch], "moved": moved.get(epoch, 0), "newMembers": sizes.get(epoch, 0)}
            for epoch in map(Epoch, epochs)
        ],
    }


def as_text(report: dict[str, object]) -> str:
    """The figures for people."""
    lines = [f"{name:<18}{value}" for name, value in report.items() if name != "epochs"]
    rows = report["epochs"]
    assert isinstance(rows, list)
    lines += ["", "epoch  proofs  shards moved"]
    lines += [f"{row['epoch']:>5}  {row['proofs']:>6}  {row['moved']:>12}" for row in rows]
    return "\n".join(lines)


def say(text: str) -> None:
    """One line about what goes on."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def parse(arguments: list[str]) -> tuple[Plan, bool]:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10, help="how long, at least 4")
    parser.add_argument("--epoch-seconds", type=int, default=30)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--shards", type=int, default=30)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--largest", type=int, default=2**20, help="bytes of the largest blob")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = vars(parser.parse_args(arguments))
    as_json = options.pop("json")
    return Plan(**options), as_json


if __name__ == "__main__":
    plan_, as_json_ = parse(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="walrus-churn-") as folder_:
        sys.exit(asyncio.run(main(plan_, Path(folder_), as_json_)))
