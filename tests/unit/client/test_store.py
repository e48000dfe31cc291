"""Storing: what is paid, who is sent what, and what happens when nodes fail."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes.network import ALICE, BOB, ONE_WAL, FakeChain, FakeNetwork
from walrus_chain.chain.library_rejections import NotEnoughWal
from walrus_chain.chain.money_rejections import WrongTerm
from walrus_chain.chain.sender import RegisterReceipt, Registration
from walrus_chain.chain.transactions import Receipt
from walrus_chain.client.client import Client
from walrus_chain.client.results import FailedBlob, Outcome, Progress, Stage, StoredBlob
from walrus_chain.codec import stream
from walrus_chain.errors import (
    AgentRefused,
    NoWallet,
    QuorumUnreachable,
    SourceChanged,
    SourceUnreadable,
)
from walrus_chain.transport.memory import Lie
from walrus_chain.types import BlobObjectId, BlobStatus

DATA = bytes(range(256)) * 64


async def test_store__fresh_blob__is_paid_certified_and_held_by_every_node(
    client: Client, network: FakeNetwork
) -> None:
    stored = await client.store(DATA, epochs=3)
    assert stored.outcome is Outcome.STORED
    assert network.objects[stored.blob_object].status is BlobStatus.CERTIFIED
    assert stored.end == network.epoch + 3
    assert network.wal[ALICE] == 1000 * ONE_WAL - stored.paid
    assert stored.weight >= network.committee.quorum
    await client.finish()
    for member in network.members:
        assert (await member.blob(stored.blob_id)).missing == 0


async def test_store__first_time__approves_the_vault_once(client: Client, network: FakeNetwork) -> None:
    await client.store(b"one")
    await client.store(b"two")
    assert network.transactions.count("approve") == 1


async def test_store__small_blob__costs_one_request_a_node(client: Client, network: FakeNetwork) -> None:
    await client.store(DATA)
    await client.finish()
    assert [dict(member.calls) for member in network.members] == [{"put_segment": 1}] * network.nodes


async def test_store__empty_blob__is_stored_and_reads_back_empty(client: Client) -> None:
    stored = await client.store(b"")
    assert stored.size == 0
    assert await client.read_bytes(stored.blob_id) == b""


async def test_store__same_blob_again__costs_nothing(client: Client, network: FakeNetwork) -> None:
    first = await client.store(DATA)
    balance = network.wal[ALICE]
    again = await client.store(DATA)
    assert (again.outcome, again.blob_object, again.paid) == (Outcome.ALREADY_STORED, first.blob_object, 0)
    assert network.wal[ALICE] == balance


async def test_store__same_blob_again_without_reuse__makes_another_object(client: Client) -> None:
    first = await client.store(DATA)
    again = await client.store(DATA, reuse=False)
    assert again.blob_object != first.blob_object
    assert again.outcome is Outcome.STORED


async def test_store__blob_of_somebody_else__is_paid_by_each_owner(client: Client, network: FakeNetwork) -> None:
    await client.store(DATA)
    network.fund(BOB)
    async with Client(FakeChain(network), network, network.writer(BOB)) as bob:
        assert (await bob.store(DATA)).outcome is Outcome.STORED


async def test_store__interrupted_before_upload__goes_on_without_paying_twice(
    client: Client, network: FakeNetwork
) -> None:
    for member in network.members:
        member.faults.unreachable = True
    with pytest.raises(QuorumUnreachable) as failure:
        await client.store(DATA, epochs=2)
    for member in network.members:
        member.faults.unreachable = False
    balance = network.wal[ALICE]
    stored = await client.store(DATA, epochs=2)
    assert stored.outcome is Outcome.RESUMED
    assert stored.blob_object == failure.value.blob_object
    assert network.wal[ALICE] == balance


async def test_store__interrupted_after_upload__only_asks_for_attestations(
    client: Client, network: FakeNetwork
) -> None:
    for member in network.members:
        member.faults.lies.add(Lie.SIGNATURE)
    with pytest.raises(QuorumUnreachable):
        await client.store(DATA)
    for member in network.members:
        member.faults.lies.clear()
        member.calls.clear()
    stored = await client.store(DATA)
    await client.finish()
    assert stored.outcome is Outcome.RESUMED
    assert all(member.calls["put_segment"] == 0 for member in network.members)


async def test_store__interrupted_half_way__sends_only_what_is_missing(client: Client, network: FakeNetwork) -> None:
    for member in network.members[1:]:
        member.faults.unreachable = True
    with pytest.raises(QuorumUnreachable):
        await client.store(DATA)
    for member in network.members:
        member.faults.unreachable = False
        member.calls.clear()
    await client.store(DATA)
    await client.finish()
    assert [member.calls["put_segment"] for member in network.members] == [0, 1, 1, 1, 1]


async def test_store__one_node_down__is_certified_and_says_who_was_left_out(
    client: Client, network: FakeNetwork
) -> None:
    network.members[3].faults.unreachable = True
    stored = await client.store(DATA)
    await client.finish()
    assert stored.outcome is Outcome.STORED
    report = await client.status(stored.blob_id)
    assert [node.why is None for node in report.nodes] == [True, True, True, False, True]


async def test_store__one_node_stalls__does_not_wait_for_it(client: Client, network: FakeNetwork) -> None:
    network.members[0].faults.stalled = True
    begun = asyncio.get_running_loop().time()
    await client.store(DATA)
    assert asyncio.get_running_loop().time() == begun
    assert not await client.finish(seconds=1)
    await client.aclose(grace=0)


async def test_store__two_nodes_down__names_both_and_why(client: Client, network: FakeNetwork) -> None:
    network.members[1].faults.unreachable = True
    network.members[2].faults.lies.add(Lie.SIGNATURE)
    with pytest.raises(QuorumUnreachable) as failure:
        await client.store(DATA)
    assert set(failure.value.reasons) == {"node-2 (memory)", "node-3 (memory)"}
    assert "connection refused" in failure.value.reasons["node-2 (memory)"]
    assert "signature" in failure.value.reasons["node-3 (memory)"]
    assert (failure.value.weight, failure.value.required) == (6, 7)


async def test_store__node_has_not_seen_the_registration__is_asked_again(client: Client, network: FakeNetwork) -> None:
    for member in network.members:
        refusal = AgentRefused(member.label, 425, "NotRegisteredYet", "not yet", retryable=True)
        member.faults.refusals = [refusal, refusal]
    assert (await client.store(DATA)).outcome is Outcome.STORED


async def test_store__node_says_never__is_not_asked_again(client: Client, network: FakeNetwork) -> None:
    network.members[0].faults.refusals = [AgentRefused("node-1", 507, "DiskFull", "the disk is full")]
    await client.store(DATA)
    await client.finish()
    assert network.members[0].calls["put_segment"] == 1


async def test_store__not_enough_wal__says_how_much_is_missing(client: Client, network: FakeNetwork) -> None:
    network.fund(ALICE, 5)
    with pytest.raises(NotEnoughWal) as failure:
        await client.store(DATA)
    quote = await client.quote(DATA)
    assert failure.value.missing == quote.total - 5
    assert not network.objects


async def test_store__too_long_a_term__pays_nothing(client: Client, network: FakeNetwork) -> None:
    with pytest.raises(WrongTerm):
        await client.store(DATA, epochs=101)
    assert network.wal[ALICE] == 1000 * ONE_WAL


async def test_store__without_wallet__says_how_to_get_one(network: FakeNetwork) -> None:
    async with Client(FakeChain(network), network) as reader:
        with pytest.raises(NoWallet, match="wallet new"):
            await reader.store(DATA)


async def test_store__attributes__are_written_on_the_object(client: Client) -> None:
    stored = await client.store(DATA, attributes={"name": "bytes", "type": "application/octet-stream"})
    assert await client.attributes(stored.blob_id) == {"name": "bytes", "type": "application/octet-stream"}


async def test_store__somebody_else_certified_meanwhile__is_stored_all_the_same(
    network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = network.writer()
    certify = writer.certify

    async def twice(blob_object: BlobObjectId, signers: int, signatures: bytes) -> Receipt:
        await certify(blob_object, signers, signatures)
        return await certify(blob_object, signers, signatures)

    monkeypatch.setattr(writer, "certify", twice)
    async with Client(FakeChain(network), network, writer) as client:
        stored = await client.store(DATA)
    assert network.objects[stored.blob_object].status is BlobStatus.CERTIFIED


async def test_store_many__several_blobs__are_registered_in_one_transaction(
    client: Client, network: FakeNetwork
) -> None:
    results = await client.store_many([b"a", b"b", b"c" * 1000], epochs=2)
    assert network.transactions.count("register") == 1
    assert [type(result) for result in results] == [StoredBlob] * 3
    assert (
        sum(result.paid for result in results if isinstance(result, StoredBlob)) == 1000 * ONE_WAL - network.wal[ALICE]
    )


async def test_store_many__same_blob_twice__is_paid_once(client: Client, network: FakeNetwork) -> None:
    first, second = await client.store_many([b"a", b"a"], names=["x", "y"])
    assert isinstance(first, StoredBlob)
    assert isinstance(second, StoredBlob)
    assert (first.name, second.name) == ("x", "y")
    assert first.blob_object == second.blob_object
    assert len(network.objects) == 1


async def test_store_many__one_unreadable__stores_the_others(client: Client, tmp_path: Path) -> None:
    missing, stored = await client.store_many([tmp_path / "nothing", b"b"])
    assert isinstance(missing, FailedBlob)
    assert isinstance(missing.error, SourceUnreadable)
    assert isinstance(stored, StoredBlob)


async def test_store__stream_of_unknown_length__is_spooled(client: Client) -> None:
    stored = await client.store(io.BytesIO(DATA), name="pipe")
    assert (stored.size, stored.name) == (len(DATA), "pipe")
    assert await client.read_bytes(stored.blob_id) == DATA


async def test_store__folder__says_what_to_do(client: Client, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="folder"):
        await client.store(tmp_path)


async def test_store__progress__ends_where_it_should(client: Client) -> None:
    seen: list[Progress] = []
    await client.store(DATA, on_progress=seen.append)
    await client.finish()
    uploads = [step for step in seen if step.stage is Stage.UPLOAD]
    assert uploads[-1].done == uploads[-1].total
    assert [step.done for step in seen if step.stage is Stage.REGISTER] == [0, 1]
    assert [step.done for step in seen if step.stage is Stage.COMMIT] == [len(DATA)]


@pytest.mark.usefixtures("small_segments")
class TestLongBlobs:
    """Several segments; the codec's segment is made small, since only the number of segments matters here."""

    async def test_store__many_segments__reach_every_node(
        self, client: Client, network: FakeNetwork, tmp_path: Path
    ) -> None:
        path = tmp_path / "long"
        path.write_bytes(DATA * 3)
        stored = await client.store(path)
        await client.finish()
        assert await client.read_bytes(stored.blob_id) == DATA * 3
        for member in network.members:
            assert (await member.blob(stored.blob_id)).missing == 0

    async def test_store__slow_node__is_left_behind_and_named(self, client: Client, network: FakeNetwork) -> None:
        network.members[2].faults.seconds = 60
        stored = await client.store(DATA * 3)
        assert list(stored.skipped) == ["node-3 (memory)"]
        assert "too slow" in stored.skipped["node-3 (memory)"]
        assert asyncio.get_running_loop().time() < 60

    async def test_store__file_changes_meanwhile__says_so(
        self, client: Client, network: FakeNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "busy"
        path.write_bytes(DATA * 3)
        writer = network.writer()
        register = writer.register

        async def register_while_somebody_writes(rows: Sequence[Registration]) -> RegisterReceipt:
            path.write_bytes(b"x" * len(DATA))
            return await register(rows)

        monkeypatch.setattr(writer, "register", register_while_somebody_writes)
        async with Client(FakeChain(network), network, writer) as busy:
            with pytest.raises(SourceChanged):
                await busy.store(path)

    async def test_store__disk_fails_in_the_second_pass__says_so(
        self, network: FakeNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "file"
        path.write_bytes(DATA * 3)
        writer = network.writer()
        register = writer.register

        async def register_then_unplug(rows: Sequence[Registration]) -> RegisterReceipt:
            def unplugged(_: object) -> bytes:
                raise OSError(5, "Input/output error")

            monkeypatch.setattr(stream, "_read_segment", unplugged)
            return await register(rows)

        monkeypatch.setattr(writer, "register", register_then_unplug)
        async with Client(FakeChain(network), network, writer) as client:
            with pytest.raises(SourceUnreadable, match="Input/output error"):
                await client.store(path)


async def test_store__a_bug_in_an_agents_client__is_raised_and_does_not_hang(
    client: Client, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(network.members[0], "put_segment", broken)
    network.members[1].faults.unreachable = True
    with pytest.raises(ZeroDivisionError):
        await client.store(DATA)
