"""Private data, read by whom the policy allows, whatever agents do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.access import Rule
from tests.fakes.network import ONE_WAL, FakeChain, FakeNetwork
from tests.unit.client.conftest import Make
from tests.unit.client.people import BOARD, DATA, HALF, OWNER, POOL, READER, STRANGER, calls
from walrus_chain.chain.policy_views import Policies
from walrus_chain.client.client import Client
from walrus_chain.client.keep import FolderKeep
from walrus_chain.client.results import StoredBlob
from walrus_chain.client.sealing import Privacy
from walrus_chain.crypto.chunks import CHUNK_BYTES, HEADER_BYTES
from walrus_chain.crypto.envelope import KeyEnvelope
from walrus_chain.errors import (
    AccessDenied,
    AgentRefused,
    AmbiguousBlob,
    KeysDestroyed,
    KeysUnreachable,
    NotSealed,
    NoWallet,
    RangeOutsideBlob,
)
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.transport.memory_keys import KeyLie
from walrus_chain.types import Address, BlobObjectId, NodeId, PoolId, Wei

# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, 1),
        (CHUNK_BYTES - 1, CHUNK_BYTES + 1),
        (100, len(DATA)),
        (len(DATA) - 1, len(DATA)),
        (2 * CHUNK_BYTES, 3 * CHUNK_BYTES),
        (5, 5),
    ],
)
async def test_read__range_of_a_private_blob__gives_those_bytes(owner: Client, start: int, stop: int) -> None:
    stored = await owner.store(DATA, private=Privacy())
    assert await owner.read_bytes(stored.blob_id, start, stop) == DATA[start:stop]
    assert await owner.read_bytes(stored.blob_id, start) == DATA[start:]


async def test_read__range_of_a_private_blob__fetches_only_its_chunks(
    owner: Client, reader: Client, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    asked: list[tuple[int, int | None]] = []
    inner = reader._private._stored

    def spied(blob_id: object, start: int, stop: int | None, check: object) -> object:
        asked.append((start, stop))
        return inner(blob_id, start, stop, check)  # type: ignore[arg-type]

    monkeypatch.setattr(reader._private, "_stored", spied)
    assert await reader.read_bytes(stored.blob_id, CHUNK_BYTES + 1, CHUNK_BYTES + 2) == DATA[CHUNK_BYTES + 1 :][:1]
    chunk = CHUNK_BYTES + 16
    assert asked == [(0, HEADER_BYTES), (HEADER_BYTES + chunk, HEADER_BYTES + 2 * chunk)]


async def test_read__range_beyond_the_end_of_a_private_blob__is_refused(owner: Client) -> None:
    stored = await owner.store(DATA, private=Privacy())
    with pytest.raises(RangeOutsideBlob):
        await owner.read_bytes(stored.blob_id, 0, len(DATA) + 1)


async def test_read__without_policy__only_the_owner_may(owner: Client, reader: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy())
    with pytest.raises(AccessDenied, match="only the owner may use it"):
        await reader.read_bytes(stored.blob_id)
    assert calls(network) == [0] * 5, "agents were asked for what the chain denies"


async def test_read__denied__says_which_clause_of_which_policy(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    policy = network.access.policy(Rule(allowed={OWNER.address}))
    stored = await owner.store(DATA, private=Privacy(policy))
    with pytest.raises(AccessDenied) as denied:
        await reader.read_bytes(stored.blob_object)
    assert (denied.value.reason, denied.value.policy) == ("NotListed", policy)
    assert "not on the list" in str(denied.value)


async def test_read__allowed__asks_as_many_nodes_as_it_takes(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    async with reader.read(stored.blob_id) as reading:
        assert b"".join([bytes(piece) async for piece in reading]) == DATA
    assert sum(calls(network)) == 3
    use = reading.summary.use
    assert use is not None
    assert (use.paid_by, use.price, len(use.nodes), len(use.receipts)) == (PaidBy.FREE, 0, 3, 3)
    assert reading.size == len(DATA)


async def test_read__to_a_file__is_the_plaintext(owner: Client, tmp_path: Path) -> None:
    stored = await owner.store(DATA, private=Privacy())
    summary = await owner.read_to(stored.blob_id, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == DATA
    assert summary.size == len(DATA)


async def test_read__raw__needs_nobody(owner: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy())
    async with Client(FakeChain(network), network) as nobody:
        assert len(await nobody.read_bytes(stored.blob_id, raw=True)) == stored.size
        with pytest.raises(NoWallet):
            await nobody.read_bytes(stored.blob_id)


async def test_read__encrypted_and_no_object_has_a_key__says_so(owner: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy())
    del network.access.records[stored.blob_object]
    with pytest.raises(NotSealed, match="--raw"):
        await owner.read_bytes(stored.blob_id)


async def test_read__several_objects__takes_the_one_that_allows_for_the_least(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    await owner.store(DATA, private=Privacy(network.access.policy(Rule(allowed=set()))))
    await owner.store(DATA, private=Privacy(network.access.policy(Rule(price=5, pool=POOL))))
    free = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    async with reader.read(free.blob_id) as reading:
        assert b"".join([bytes(piece) async for piece in reading]) == DATA
    assert reading.use is not None
    assert reading.use.blob_object == free.blob_object


async def forged(
    network: FakeNetwork, make: Make, stored: StoredBlob, price: Wei, receiver: Address | None = None
) -> BlobObjectId:
    """A stranger's object of the same bytes, with a key that opens nothing; perhaps given away."""
    stranger = make(STRANGER)
    copy = await stranger.store(await stranger.read_bytes(stored.blob_id, raw=True))
    policy = network.access.policy(Rule(price=price, pool=PoolId(666)))
    sealer = stranger._private.sealer(network.writer(STRANGER.address), Privacy(policy))
    _, envelope = await sealer.envelope(copy.blob_object, policy, 1, bytes(32))
    await network.writer(STRANGER.address).policies.attach(copy.blob_object, Policies(policy), 5, envelope)
    if receiver is not None:
        network.objects[copy.blob_object] = replace(network.objects[copy.blob_object], owner=receiver)
    return copy.blob_object


@pytest.mark.parametrize("receiver", [None, OWNER.address, READER.address])
async def test_read__stranger_sells_the_same_bytes_for_less__is_not_paid(
    dear: BlobObjectId, owner: Client, reader: Client, make: Make, network: FakeNetwork, receiver: Address | None
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.records[dear].current.access))
    trap = await forged(network, make, stored, Wei(HALF - 1), receiver)
    await reader.channels.open(PoolId(666), Wei(5 * ONE_WAL))
    await reader.channels.open(POOL, Wei(5 * ONE_WAL))
    with pytest.raises(AmbiguousBlob, match="name one by its number") as refused:
        await reader.read_bytes(stored.blob_id, spend_limit=HALF)
    assert set(refused.value.objects) == {dear, trap}
    assert calls(network) == [0] * 5
    with pytest.raises(AmbiguousBlob):
        await reader.purchases.buy(str(stored.blob_id), 1)
    assert await reader.read_bytes(dear, spend_limit=HALF) == DATA


async def test_read__stranger_gives_the_same_bytes_away__is_not_relied_on(
    owner: Client, reader: Client, make: Make, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    await forged(network, make, stored, Wei(0))
    with pytest.raises(AmbiguousBlob):
        await reader.read_bytes(stored.blob_id)
    assert await owner.read_bytes(stored.blob_id) == DATA
    assert await reader.read_bytes(stored.blob_object) == DATA


async def test_read__relying_on_the_answer__nodes_are_asked_once_while_the_policy_says_so(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule(ttl_seconds=60))))
    ranges = [reader.read_bytes(stored.blob_id, start, start + 1, rely=True) for start in range(4)]
    assert b"".join(await asyncio.gather(*ranges)) == DATA[:4]
    assert sum(calls(network)) == 3
    await asyncio.sleep(61)
    await reader.read_bytes(stored.blob_id, 0, 1, rely=True)
    assert sum(calls(network)) == 6


async def test_read__unless_told_to_rely__each_read_asks_anew(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    rule = Rule(ttl_seconds=60)
    stored = await owner.store(DATA, private=Privacy(network.access.policy(rule)))
    await reader.read_bytes(stored.blob_id)
    rule.allowed = set()
    with pytest.raises(AccessDenied):
        await reader.read_bytes(stored.blob_id)


# -- nodes that fail or lie --------------------------------------------------------------------------------------------


async def test_read__agent_returns_a_bad_share__is_named_and_routed_around(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    liar = network.members[0]
    assert liar.keys is not None
    liar.keys.faults.lies = {KeyLie.SHARE}
    for node in range(2, 6):
        reader._private._desk._reputation.stalled(node)  # so that the liar is asked first
    async with reader.read(stored.blob_id) as reading:
        assert b"".join([bytes(piece) async for piece in reading]) == DATA
    assert [suspect.agent for suspect in reading.suspects] == [liar.label]
    await reader.read_bytes(stored.blob_id)
    assert liar.calls["release_key"] == 1, "a liar was asked again before the others"


async def test_read__receipt_with_a_wrong_signature__node_is_named_and_its_share_used(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule()), nodes=[NodeId(1)]))
    keys = network.members[0].keys
    assert keys is not None
    keys.faults.lies = {KeyLie.RECEIPT}
    async with reader.read(stored.blob_id) as reading:
        assert b"".join([bytes(piece) async for piece in reading]) == DATA
    assert ["receipt" in suspect.what for suspect in reading.suspects] == [True]


async def test_read__fewer_than_t_agents_up__says_who_said_what(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    await owner.finish()
    for member in network.members[:2]:
        member.faults.unreachable = True
    keys = network.members[2].keys
    assert keys is not None
    keys.faults.lies = {KeyLie.DENIAL}
    with pytest.raises(KeysUnreachable) as failed:
        await reader.read_bytes(stored.blob_id)
    assert (failed.value.have, failed.value.needed) == (2, 3)
    assert set(failed.value.reasons) == {member.label for member in network.members[:3]}
    assert "connection refused" in str(failed.value)
    assert "denied: NotListed" in str(failed.value)


async def test_read__slow_agent__is_overtaken(owner: Client, reader: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    await owner.finish()
    await reader.read_bytes(stored.blob_id)
    for member in network.members[:2]:
        member.faults.stalled = True
    reading = reader.read(stored.blob_id)
    assert b"".join([bytes(piece) async for piece in reading]) == DATA


async def test_read__block_not_seen_yet__asks_again(owner: Client, reader: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    for member in network.members:
        member.faults.refusals = [
            AgentRefused(member.label, 425, "BlockUnknown", "not yet", retryable=True, retry_after=1.0)
        ]
    await owner.finish()
    assert await reader.read_bytes(stored.blob_object) == DATA


async def test_read__key_epoch_moved_on_meanwhile__reads_the_new_envelope(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    sealed = await owner.rewrap(stored.blob_object, next_key_epoch=True, threshold=2, nodes=[NodeId(2), NodeId(3)])
    assert (sealed.key_epoch, sealed.nodes) == (2, (2, 3))
    assert await reader.read_bytes(stored.blob_id) == DATA
    assert calls(network) == [0, 1, 1, 0, 0]


async def test_read__erasable_key_was_destroyed__says_so(owner: Client, reader: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule()), erasable=True))
    assert KeyEnvelope.from_bytes(network.access.envelopes[stored.blob_object]).is_erasable
    assert await reader.read_bytes(stored.blob_id) == DATA
    for member in network.members:
        assert member.keys is not None
        member.keys.destroy(BlobObjectId(stored.blob_object))
    with pytest.raises(KeysUnreachable, match="the key was destroyed"):
        await reader.read_bytes(stored.blob_id)


async def test_read__policy_says_that_keys_are_destroyed__is_told_apart_from_a_no(
    owner: Client, reader: Client, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    decide = network.access._verdict
    monkeypatch.setattr(
        type(network.access), "_verdict", lambda _, q: replace(decide(q), allowed=False, reason="KeysDestroyed")
    )
    with pytest.raises(KeysDestroyed):
        await reader.read_bytes(stored.blob_id)


# -- sessions and evidence ---------------------------------------------------------------------------------------------


async def test_read__many_times__the_wallet_signs_once(
    owner: Client, network: FakeNetwork, make: Make, tmp_path: Path
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    signed = []

    class Counting:
        address = READER.address

        def sign_digest(self, digest: bytes) -> bytes:
            signed.append(digest)
            return READER.sign_digest(digest)

    for _ in range(2):
        client = Client(FakeChain(network), network, requester=Counting(), keep=FolderKeep(tmp_path))
        assert await client.read_bytes(stored.blob_id) == DATA
        assert await client.read_bytes(stored.blob_id) == DATA
    assert len(signed) == 1


async def test_read__credential__is_found_by_itself(owner: Client, reader: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule(credential_of=BOARD))))
    network.access.credential(BOARD, READER.address)
    assert await reader.read_bytes(stored.blob_id) == DATA


async def test_read__credential_revoked__next_read_is_refused(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule(credential_of=BOARD))))
    uid = network.access.credential(BOARD, READER.address)
    assert await reader.read_bytes(stored.blob_id, credential=uid) == DATA
    network.access.revoke(uid)
    with pytest.raises(AccessDenied, match="was revoked"):
        await reader.read_bytes(stored.blob_id)


async def test_read__somebody_elses_credential__is_refused(owner: Client, reader: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule(credential_of=BOARD))))
    uid = network.access.credential(BOARD, STRANGER.address)
    with pytest.raises(AccessDenied, match="somebody else's"):
        await reader.read_bytes(stored.blob_id, evidence=uid)
