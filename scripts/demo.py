"""The whole story on one machine: `make demo`, or `python -m scripts.demo [FILE]`.

A local network comes up (chain, contracts, ten storage agents in four regions). Two files are encoded, registered,
spread, attested and certified. They are read back while three agents are killed. Then an agent loses its disk and
heals. Epochs pass: all agents prove custody on chain, one that cannot is slashed, one leaves and its shards move, and
who staked gets paid. At the end a consortium shares genomes under rules of its own: who may read, what a read pays and
to whom, what must stay; a program computes on them for somebody who may not read, and an agent that lies about the
result is slashed. Whatever is claimed on the way is checked first; a claim that does not hold ends the program
with exit code 1.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from eth_account import Account
from prometheus_client.parser import text_string_to_metric_families

from scripts.demonstration import custody, earnings, genomes, leaving
from scripts.demonstration.stage import Stage, disk_bytes, wait_until_whole
from scripts.demonstration.words import ClaimFailed, chapter, claim, say, stop
from walrus_chain.chain.network import Chain
from walrus_chain.client.client import Client
from walrus_chain.client.results import FailedBlob, StoredBlob
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.verify import verify_pair
from walrus_chain.devnet.home import DevnetHome
from walrus_chain.devnet.network import Devnet, DevnetAgent
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.devnet.ports import free_run
from walrus_chain.errors import WalrusError
from walrus_chain.rules.committee import Member
from walrus_chain.transport.http import HttpAgents
from walrus_chain.types import Address, Axis, BlobId, BlobStatus, format_amount, format_bytes

ROOT = Path(__file__).resolve().parents[1]
AGENTS, SHARDS, REGIONS = 10, 30, 4
GENERATED_BYTES = 64 * 2**20
EPOCH_SECONDS = 20
EPOCHS = 50
#: The place of the agent that others stake with.
STAKED_WITH = 1
HEAL_SECONDS = 120.0
PIECE = 2**20


def main() -> None:
    """Show the story; exit code 1 when a claim fails."""
    own_file = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if own_file is not None and not own_file.is_file():
        stop(f"{own_file} is not a file; name one, or none for 64 MiB made up on the spot")
    with tempfile.TemporaryDirectory(prefix="walrus-demo-") as folder:
        try:
            asyncio.run(story(Path(folder), own_file))
        except (ClaimFailed, WalrusError) as error:
            stop(str(error))


async def story(folder: Path, own_file: Path | None) -> None:
    """All chapters, on a network of their own that is gone afterwards."""
    began = time.monotonic()
    files = [archive_of_this_repository(folder), own_file or made_up_file(folder)]
    account = Account.create()

    chapter(f"A network comes up: a chain, its contracts, {AGENTS} storage agents in {REGIONS} regions")
    async with network(folder, Address(account.address)) as devnet:
        async with Client.connect([devnet.rpc_url], devnet.deployment, account=account) as client:
            await show_network(client)
            await earnings.stake(devnet, client, STAKED_WITH)
            blobs = await store(client, files)
            await read_while_agents_die(client, devnet, files, blobs)
            await lose_a_disk(client, devnet, blobs)
            await delete(client, blobs[0])
            async with Chain.connect([devnet.rpc_url], devnet.deployment) as chain:
                stage = Stage(devnet, chain, client)
                await custody.two_epochs(stage)
                await custody.a_cheat(stage, blobs[1].blob_id)
                await leaving.an_agent_leaves(stage, blobs[1].blob_id)
                await earnings.who_staked_is_paid(stage, STAKED_WITH)
                await earnings.the_books(stage)
            await genomes.shared_under_rules(devnet, account, folder)
        processes = [agent.process for agent in devnet.agents] + [devnet.chain_process]

    claim(not any(process is not None and process.alive for process in processes), "no process is left behind")
    say(f"\nDone, in {time.monotonic() - began:.0f} s. Next: README.md, 'First steps'.")


@asynccontextmanager
async def network(folder: Path, developer: Address) -> AsyncIterator[Devnet]:
    """A local network for the time of a block."""
    port = free_run(AGENTS + 1)
    parameters = DevnetParameters(
        agents=AGENTS,
        shards=SHARDS,
        regions=REGIONS,
        epoch_seconds=EPOCH_SECONDS,
        rpc_port=port,
        first_agent_port=port + 1,
    )
    began = time.monotonic()
    devnet = await Devnet.up(DevnetHome(folder / "network"), parameters, developer=developer)
    try:
        say(f"up after {time.monotonic() - began:.1f} s; chain at {devnet.rpc_url}")
        yield devnet
    finally:
        await devnet.down()


async def show_network(client: Client) -> None:
    """Who serves what, and that no region can take the data away."""
    committee = (await client.info()).members
    shards: dict[str, int] = {}
    for member in committee:
        shards[member.region] = shards.get(member.region, 0) + member.weight
    faults = (SHARDS - 1) // 3
    say(f"{SHARDS} shards, of which {faults} may fail: " + ", ".join(f"{n} in {name}" for name, n in shards.items()))
    claim(sum(shards.values()) == SHARDS, "every shard has an agent")
    claim(max(shards.values()) <= faults, "no region holds more shards than may fail")


async def store(client: Client, files: list[Path]) -> list[StoredBlob]:
    """Encode, register in one transaction, spread, attest, certify."""
    chapter("Two files go in: encoded, registered and paid in one transaction, spread, attested, certified")
    before = (await client.info()).balances
    began = time.monotonic()
    results = await client.store_many(files, epochs=EPOCHS, names=[file.name for file in files])
    seconds = time.monotonic() - began
    blobs: list[StoredBlob] = []
    for blob in results:
        if isinstance(blob, FailedBlob):
            raise blob.error
        blobs.append(blob)
        say(f"{blob.name}: {format_bytes(blob.size)}, object {blob.blob_object}, blob id {blob.blob_id}")
        say(
            f"    {format_bytes(blob.encoded_bytes)} encoded ({blob.encoded_bytes / blob.size:.2f} x), "
            f"{format_amount(blob.paid)} for {EPOCHS} epochs, certified by {blob.weight} shards"
        )
    total = sum(blob.size for blob in blobs)
    say(f"stored {format_bytes(total)} in {seconds:.1f} s ({format_bytes(int(total / seconds))}/s)")
    after = (await client.info()).balances
    if before is None or after is None:
        raise ClaimFailed("the wallet has no balance")
    claim(before.wal - after.wal == sum(blob.paid for blob in blobs), "the wallet paid exactly what the blobs cost")
    quorum = SHARDS - (SHARDS - 1) // 3
    claim(all(blob.weight >= quorum for blob in blobs), f"each certificate holds at least {quorum} of {SHARDS} shards")
    reports = [await client.status(blob.blob_id) for blob in blobs]
    certified = all(item.status is BlobStatus.CERTIFIED for report in reports for item in report.objects)
    claim(certified, "the chain says that both are certified")
    await client.finish()
    return blobs


async def read_while_agents_die(client: Client, devnet: Devnet, files: list[Path], blobs: list[StoredBlob]) -> None:
    """Read back; three of ten agents die after the first bytes."""
    chapter("They come back, although three of ten agents are killed while reading")
    claim(await digest_of(client, blobs[0].blob_id) == digest_of_file(files[0]), f"{blobs[0].name} is what went in")
    victims = [agent.name for agent in devnet.agents[:3]]
    began = time.monotonic()
    digest, read = hashlib.sha256(), 0
    async for piece in client.read(blobs[1].blob_id):
        if read == 0:
            for name in victims:
                devnet.kill_agent(name)
            say(f"after the first {format_bytes(len(piece))}: killed {', '.join(victims)}")
        digest.update(piece)
        read += len(piece)
    seconds = time.monotonic() - began
    say(f"read {format_bytes(read)} in {seconds:.1f} s ({format_bytes(int(read / seconds))}/s)")
    claim(digest.digest() == digest_of_file(files[1]), f"{blobs[1].name} is what went in, by SHA-256")
    answering = [node for node in await client.health() if node.health is not None]
    claim(len(answering) == AGENTS - len(victims), f"{len(answering)} of {AGENTS} agents answer")
    again = await digest_of(client, blobs[1].blob_id)
    claim(again == digest.digest(), "it reads the same from the beginning with the three gone")
    await devnet.start_agents(*victims)
    say(f"started {', '.join(victims)} again")


async def lose_a_disk(client: Client, devnet: Devnet, blobs: list[StoredBlob]) -> None:
    """Wipe one agent's disk; it heals from single symbols of the others."""
    agent = devnet.agents[4]
    chapter(f"{agent.name} loses its disk, and heals from symbols that the others send")
    [member] = [member for member in (await client.info()).members if member.node_id == agent.node_id]
    used = disk_bytes(devnet, agent)
    devnet.wipe_agent(agent.name)
    say(f"wiped {format_bytes(used)}: catalogue and slivers of shards {', '.join(map(str, member.shards))}")
    began = time.monotonic()
    await devnet.start_agents(agent.name)
    for blob in blobs:
        await wait_until_whole(agent, blob.blob_id, member)
    seconds = time.monotonic() - began
    fetched = await healing_bytes(agent)
    size = sum(blob.size for blob in blobs)
    say(
        f"healed after {seconds:.1f} s; it fetched {format_bytes(fetched)} for {member.weight} shards of "
        f"{format_bytes(size)}: {fetched / size / member.weight:.3f} x the data for each shard"
    )
    agents = HttpAgents()
    try:
        checked = sum([await verify_all(agents, agent, blob.blob_id, member) for blob in blobs])
    finally:
        await agents.aclose()
    claim(checked > 0, f"all {checked} sliver pairs that it serves match what the blob ids commit to")
    claim(disk_bytes(devnet, agent) > 0, f"they are on its disk again: {format_bytes(disk_bytes(devnet, agent))}")


async def delete(client: Client, blob: StoredBlob) -> None:
    """The owner ends a term early."""
    chapter("The owner deletes the archive and gets the unused epochs back")
    refund = await client.delete(blob.blob_object)
    withdrawn = await client.withdraw()
    say(f"{format_amount(refund)} of {format_amount(blob.paid)} came back")
    claim(0 < refund < blob.paid, "less than was paid: the epoch that began is used, and so is the fee for writing")
    claim(withdrawn == refund, "the vault paid it out")
    remaining = {item.id for item in await client.list() if item.status is BlobStatus.CERTIFIED}
    claim(blob.blob_object not in remaining and len(remaining) == 1, "the chain knows one object less")


async def digest_of(client: Client, blob_id: BlobId) -> bytes:
    """SHA-256 of a blob, read from the network."""
    digest = hashlib.sha256()
    async for piece in client.read(blob_id):
        digest.update(piece)
    return digest.digest()


async def healing_bytes(agent: DevnetAgent) -> int:
    """How many bytes an agent fetched from others in order to heal, by its own metrics."""
    async with httpx.AsyncClient(base_url=agent.url, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return int(sum(sample.value for sample in samples if sample.name == "walrus_agent_healing_bytes_total"))


async def verify_all(agents: HttpAgents, agent: DevnetAgent, blob_id: BlobId, member: Member) -> int:
    """Fetch every sliver pair of a blob from one agent and verify it. Returns how many there are."""
    client = agents.at(agent.url, agent.name)
    metadata = BlobMetadata.from_bytes(await client.metadata(blob_id), blob_id)
    pairs = (await client.blob(blob_id)).pairs
    for index, segment in enumerate(metadata.segments):
        geometry = metadata.geometry.segment(index)
        for pair in pairs:
            slivers = [
                await client.sliver(blob_id, index, axis, pair, length=geometry.sliver_bytes(axis)) for axis in Axis
            ]
            verify_pair(b"".join(slivers), pair, segment, geometry)
    claim(len(pairs) == member.weight, f"{agent.name} serves {len(pairs)} pairs of blob {str(blob_id)[:8]}...")
    return len(pairs) * len(metadata.segments)


def archive_of_this_repository(folder: Path) -> Path:
    """This repository as an archive: from git, or of the files where there is no git."""
    archive = folder / "walrus-chain.tar.gz"
    if shutil.which("git") and (ROOT / ".git").exists():
        subprocess.run(["git", "archive", "--format=tar.gz", f"--output={archive}", "HEAD"], cwd=ROOT, check=True)
        return archive
    parts = [
        name for name in ("contracts", "walrus_chain", "storage_agent", "docs", "README.md") if (ROOT / name).exists()
    ]
    subprocess.run(["tar", "-czf", str(archive), *parts], cwd=ROOT, check=True)
    return archive


def made_up_file(folder: Path) -> Path:
    """A file of bytes that nobody can foresee."""
    path = folder / "64-MiB-of-chance"
    with path.open("wb") as file:
        for _ in range(GENERATED_BYTES // PIECE):
            file.write(secrets.token_bytes(PIECE))
    return path


def digest_of_file(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


if __name__ == "__main__":
    main()
