"""Private data: stored so that nobody reads it, read by whom the policy allows, paid within the limit."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.access import Rule
from tests.fakes.network import ONE_WAL, FakeChain, FakeNetwork
from walrus_chain.chain.policy_views import Policies
from walrus_chain.client.client import Client
from walrus_chain.client.keep import FolderKeep, Keep, MemoryKeep
from walrus_chain.client.results import Outcome, Stage, StoredBlob
from walrus_chain.client.sealing import Privacy
from walrus_chain.crypto.chunks import CHUNK_BYTES, HEADER_BYTES, ciphertext_size
from walrus_chain.crypto.envelope import KeyEnvelope
from walrus_chain.errors import (
    AccessDenied,
    AgentRefused,
    AmbiguousBlob,
    ChannelTooSmall,
    ChannelUnusable,
    DataKeyUnknown,
    EnvelopeNotOpened,
    KeysDestroyed,
    KeysUnreachable,
    NotPrivate,
    NotSealed,
    NoWallet,
    NoWayToPay,
    PriceAboveLimit,
    QuorumUnreachable,
    RangeOutsideBlob,
    TooFewRecipients,
    UnknownRecipients,
    WrongThreshold,
)
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.transport.memory_keys import KeyLie
from walrus_chain.types import Address, BlobObjectId, ChannelId, NodeId, PoolId, Wei

DATA = bytes(range(251)) * 1200
"""Several chunks, the last one short."""
OWNER, READER, STRANGER = (LocalSigner(bytes([number]) * 32) for number in (0x11, 0x22, 0x33))
BOARD = LocalSigner(b"\x44" * 32).address
HALF = Wei(ONE_WAL // 2)
POOL = PoolId(7)

Make = Callable[..., Client]


@pytest.fixture
def make(network: FakeNetwork) -> Make:
    """Clients of people who can sign."""

    def make(who: LocalSigner, keep: Keep | None = None, *, wallet: bool = True) -> Client:
        network.fund(who.address)
        writer = network.writer(who.address)
        return Client(FakeChain(network), network, writer, requester=who if wallet else None, keep=keep)

    return make


@pytest.fixture
def owner(make: Make) -> Client:
    return make(OWNER)


@pytest.fixture
def reader(make: Make) -> Client:
    return make(READER)


def calls(network: FakeNetwork, name: str = "release_key") -> list[int]:
    """How often each agent was asked."""
    return [member.calls[name] for member in network.members]


# -- storing ---------------------------------------------------------------------------------------------------------


async def test_store__private__what_nodes_hold_is_encrypted_and_reads_back(owner: Client, network: FakeNetwork) -> None:
    stored = await owner.store(DATA, private=Privacy())
    assert stored.size == ciphertext_size(len(DATA))
    assert DATA[:64] not in await owner.read_bytes(stored.blob_id, raw=True)
    assert await owner.read_bytes(stored.blob_id) == DATA
    assert stored.sealed is not None
    assert (stored.sealed.threshold, stored.sealed.nodes) == (3, (1, 2, 3, 4, 5))


async def test_store__private__policies_are_attached_before_anything_is_sent(
    owner: Client, network: FakeNetwork
) -> None:
    policy = network.access.policy(Rule())
    stages: list[Stage] = []
    await owner.store(DATA, private=Privacy(policy), on_progress=lambda step: stages.append(step.stage))
    assert network.transactions == ["approve", "register", "attach", "certify"]
    order = list(dict.fromkeys(stages))
    assert order == [Stage.ENCRYPT, Stage.COMMIT, Stage.REGISTER, Stage.SEAL, Stage.UPLOAD, Stage.CERTIFY]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
async def test_store__private_edge_sizes__read_back(owner: Client, size: int) -> None:
    data = (DATA * 2)[:size]
    stored = await owner.store(data, private=Privacy())
    assert await owner.read_bytes(stored.blob_object) == data


async def test_store__private_stream_and_file__read_back(owner: Client, tmp_path: Path) -> None:
    path = tmp_path / "genome"
    path.write_bytes(DATA)
    from_file = await owner.store(path, private=Privacy())
    again = await owner.store(io.BytesIO(DATA), private=Privacy())
    assert again.outcome is Outcome.ALREADY_STORED
    assert again.blob_id == from_file.blob_id


async def test_store__private_again_under_another_policy__is_another_object(
    owner: Client, network: FakeNetwork
) -> None:
    first = await owner.store(DATA, private=Privacy(network.access.policy(Rule())))
    second = await owner.store(DATA, private=Privacy(network.access.policy(Rule(allowed=set()))))
    assert first.blob_id == second.blob_id
    assert first.blob_object != second.blob_object


async def test_store__interrupted_private_store__goes_on_with_the_same_bytes_and_attaches_once(
    network: FakeNetwork, make: Make, tmp_path: Path
) -> None:
    policy = network.access.policy(Rule())
    for member in network.members[:3]:
        member.faults.unreachable = True
    with pytest.raises(QuorumUnreachable) as failed:
        await make(OWNER, FolderKeep(tmp_path)).store(DATA, private=Privacy(policy))
    envelope = network.access.envelopes[failed.value.blob_object]
    for member in network.members:
        member.faults.unreachable = False

    again = make(OWNER, FolderKeep(tmp_path))  # as after a restart
    stored = await again.store(DATA, private=Privacy(policy))

    assert (stored.outcome, stored.paid, stored.blob_object) == (Outcome.RESUMED, 0, failed.value.blob_object)
    assert network.access.envelopes[stored.blob_object] == envelope
    assert network.transactions.count("attach") == 1
    assert network.transactions.count("register") == 1
    assert await again.read_bytes(stored.blob_id) == DATA


async def test_store__crash_between_register_and_attach__is_attached_by_the_next_store(
    network: FakeNetwork, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, privacy = MemoryKeep(), Privacy()
    network.members[0].keys, keys = None, network.members[0].keys
    with pytest.raises(TooFewRecipients):
        await make(OWNER, keep).store(DATA, private=replace(privacy, nodes=[NodeId(1)]))
    assert network.transactions[-1] == "register"
    network.members[0].keys = keys

    stored = await make(OWNER, keep).store(DATA, private=privacy)

    assert stored.outcome is Outcome.RESUMED
    assert network.transactions.count("register") == 1


async def test_store__one_node_without_a_usable_key__is_left_out(owner: Client, network: FakeNetwork) -> None:
    network.members[2].keys = None
    stored = await owner.store(DATA, private=Privacy())
    assert stored.sealed is not None
    assert stored.sealed.nodes == (1, 2, 4, 5)


async def test_store__node_with_a_key_that_is_not_its_own__is_left_out(owner: Client, network: FakeNetwork) -> None:
    network.stolen_keys[1] = network.key_of(NodeId(2))
    stored = await owner.store(DATA, private=Privacy())
    assert stored.sealed is not None
    assert stored.sealed.nodes == (2, 3, 4, 5)


async def test_store__named_nodes_and_threshold__are_used(owner: Client) -> None:
    stored = await owner.store(DATA, private=Privacy(nodes=[NodeId(4), NodeId(2)], threshold=2))
    assert stored.sealed is not None
    assert (stored.sealed.threshold, stored.sealed.nodes) == (2, (2, 4))


async def test_store__erasable__nodes_that_make_no_key_are_left_out_unless_they_were_named(
    owner: Client, network: FakeNetwork
) -> None:
    member = network.members[1]
    keys = member.keys
    assert keys is not None
    policy = network.access.policy(Rule())

    async def broken(_: BlobObjectId) -> None:
        raise AgentRefused(member.label, 507, "StoreFull", "there is no room")

    member.erasable_key = broken  # type: ignore[method-assign, assignment]
    stored = await owner.store(DATA, private=Privacy(policy, erasable=True))
    assert stored.sealed is not None
    assert stored.sealed.nodes == (1, 3, 4, 5)
    with pytest.raises(TooFewRecipients, match="there is no room"):
        await owner.store(b"other", private=Privacy(policy, erasable=True, nodes=[NodeId(1), NodeId(2)]))


async def test_read__payment_not_confirmed_yet__waits_for_it(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    for member in network.members:
        assert member.keys is not None
        member.keys.faults.refusals = [
            AgentRefused(member.label, 425, "PaymentUnconfirmed", "two more blocks", retryable=True, retry_after=2.0)
        ] * 6
    assert await reader.read_bytes(dear, spend_limit=HALF, open_channel=Wei(ONE_WAL)) == DATA


async def test_store__impossible_circles__are_refused(owner: Client) -> None:
    for privacy, error in (
        (Privacy(nodes=[NodeId(99)]), UnknownRecipients),
        (Privacy(threshold=6), WrongThreshold),
        (Privacy(nodes=[NodeId(1)], threshold=2), WrongThreshold),
    ):
        with pytest.raises(error):
            await owner.store(DATA, private=privacy)


async def test_quote__private__is_for_the_encrypted_bytes(owner: Client) -> None:
    quote = await owner.quote(DATA, private=True)
    stored = await owner.store(DATA, private=Privacy())
    assert (quote.blob_id, quote.size) == (stored.blob_id, stored.size)


# -- reading ---------------------------------------------------------------------------------------------------------


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


# -- nodes that fail or lie ------------------------------------------------------------------------------------------


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


# -- sessions and evidence -------------------------------------------------------------------------------------------


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


# -- payment ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def dear(owner: Client, network: FakeNetwork) -> BlobObjectId:
    """An object of which each read costs half a WAL."""
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule(price=HALF, pool=POOL))))
    await owner.finish()
    return stored.blob_object


async def test_read__price_above_the_limit__nothing_is_asked_or_paid(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    with pytest.raises(PriceAboveLimit, match=r"costs 0\.5 WAL"):
        await reader.read_bytes(dear)
    with pytest.raises(PriceAboveLimit):
        await reader.read_bytes(dear, spend_limit=Wei(HALF - 1))
    assert calls(network) == [0] * 5


async def test_read__within_the_limit_but_nothing_to_pay_from__says_what_to_do(
    dear: BlobObjectId, reader: Client
) -> None:
    with pytest.raises(NoWayToPay, match="walrus channel open 7"):
        await reader.read_bytes(dear, spend_limit=HALF)


async def test_read__from_a_channel__each_read_promises_once_its_price(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    channel = await reader.channels.open(POOL, Wei(2 * ONE_WAL))
    for count in (1, 2, 3):
        async with reader.read(dear, spend_limit=HALF) as reading:
            assert b"".join([bytes(piece) async for piece in reading]) == DATA
        assert reading.use is not None
        assert (reading.use.paid_by, reading.use.channel) == (PaidBy.VOUCHER, channel.facts.channel)
        assert (await reader.channels.show(channel.facts.channel)).promised == count * HALF


async def test_read__several_at_once__each_is_a_use_of_its_own(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    channel = (await reader.channels.open(POOL, Wei(5 * ONE_WAL))).facts.channel
    await asyncio.gather(*(reader.read_bytes(dear, spend_limit=HALF) for _ in range(3)))
    assert (await reader.channels.show(channel)).promised == 3 * HALF
    await reader.purchases.buy(dear, 2)
    await asyncio.gather(*(reader.read_bytes(dear) for _ in range(2)))
    with pytest.raises(PriceAboveLimit):
        await reader.read_bytes(dear)


async def test_read__open_channel_on_demand__only_when_told(dear: BlobObjectId, reader: Client) -> None:
    assert await reader.read_bytes(dear, spend_limit=HALF, open_channel=Wei(ONE_WAL)) == DATA
    assert await reader.read_bytes(dear, spend_limit=HALF) == DATA
    with pytest.raises(ChannelTooSmall, match="top-up"):
        await reader.read_bytes(dear, spend_limit=HALF)
    [channel] = await reader.channels.list()
    assert channel.left == 0
    assert (await reader.channels.top_up(channel.facts.channel, HALF)).left == HALF
    assert await reader.read_bytes(dear, spend_limit=HALF) == DATA


async def test_read__named_channel_that_cannot_pay__says_why(
    dear: BlobObjectId, reader: Client, make: Make, network: FakeNetwork
) -> None:
    other = await reader.channels.open(PoolId(8), Wei(ONE_WAL))
    with pytest.raises(ChannelUnusable, match="it pays pool 8"):
        await reader.read_bytes(dear, spend_limit=HALF, channel=other.facts.channel)
    elsewhere = await make(READER).channels.open(POOL, Wei(ONE_WAL))
    with pytest.raises(ChannelUnusable, match="is not on this computer"):
        await reader.read_bytes(dear, spend_limit=HALF, channel=elsewhere.facts.channel)
    mine = await reader.channels.open(POOL, Wei(ONE_WAL))
    assert (await reader.channels.close(mine.facts.channel)).refunded is None
    with pytest.raises(ChannelUnusable, match="being closed"):
        await reader.read_bytes(dear, spend_limit=HALF, channel=mine.facts.channel)


async def test_read__bought_on_chain__needs_no_limit_and_uses_each_once(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    bought = await reader.purchases.buy(dear, 2)
    assert (bought.paid, bought.bought) == (ONE_WAL, 2)
    for _ in range(2):
        async with reader.read(dear) as reading:
            assert b"".join([bytes(piece) async for piece in reading]) == DATA
        assert reading.use is not None
        assert reading.use.paid_by is PaidBy.PURCHASE
    with pytest.raises(PriceAboveLimit):
        await reader.read_bytes(dear)


async def test_read__paid_by_voucher_then_bought__none_of_what_was_bought_is_lost(
    dear: BlobObjectId, reader: Client
) -> None:
    await reader.read_bytes(dear, spend_limit=HALF, open_channel=Wei(ONE_WAL))
    await reader.purchases.buy(dear, 1)
    assert await reader.read_bytes(dear) == DATA


async def test_read__policy_that_counts_uses__vouchers_take_its_numbers(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    policy = network.access.policy(Rule(price=HALF, pool=POOL, limit=2))
    stored = await owner.store(DATA, private=Privacy(policy))
    await reader.channels.open(POOL, Wei(5 * ONE_WAL))
    for _ in range(2):
        assert await reader.read_bytes(stored.blob_id, spend_limit=HALF) == DATA
    with pytest.raises(AccessDenied, match="as often as it may"):
        await reader.read_bytes(stored.blob_id, spend_limit=HALF)


async def test_read__broke_off_after_paying__is_taken_up_again_without_paying_twice(
    dear: BlobObjectId, make: Make, network: FakeNetwork, tmp_path: Path
) -> None:
    keep = FolderKeep(tmp_path)
    first = make(READER, keep)
    channel = (await first.channels.open(POOL, Wei(5 * ONE_WAL))).facts.channel
    for member in network.members[:3]:
        member.faults.unreachable = True
    with pytest.raises(KeysUnreachable):
        await first.read_bytes(dear, spend_limit=HALF)
    for member in network.members:
        member.faults.unreachable = False

    again = make(READER, keep)  # as after a crash
    assert await again.read_bytes(dear) == DATA, "what was promised needs no new permission to spend"

    assert (await again.channels.show(channel)).promised == HALF
    assert await again.read_bytes(dear, spend_limit=HALF) == DATA
    assert (await again.channels.show(channel)).promised == 2 * HALF


async def test_read__broke_off_before_its_voucher_and_costs_more_now__limit_of_then_is_not_used(
    dear: BlobObjectId, make: Make, network: FakeNetwork
) -> None:
    keep = MemoryKeep()
    channel = (await make(READER, keep).channels.open(POOL, Wei(5 * ONE_WAL))).facts.channel
    with keep.changing("uses", f"{READER.address}-{dear}") as document:  # as killed before the voucher was on disk
        document["nextByVoucher"] = 2**32 + 1
        document["open"] = {str(2**32): {"keyEpoch": 1, "channel": channel}}
    network.access.rules_of[network.access.records[dear].current.access].price = 4 * ONE_WAL

    again = make(READER, keep)
    with pytest.raises(PriceAboveLimit):
        await again.read_bytes(dear)
    assert (await again.channels.show(channel)).promised == 0
    assert await again.read_bytes(dear, spend_limit=Wei(4 * ONE_WAL)) == DATA


async def test_read__broke_off_and_its_channel_is_closed__next_but_one_takes_another_channel(
    dear: BlobObjectId, make: Make, network: FakeNetwork
) -> None:
    client = make(READER, MemoryKeep())
    channel = (await client.channels.open(POOL, Wei(5 * ONE_WAL))).facts.channel
    for member in network.members[:3]:
        member.faults.unreachable = True
    with pytest.raises(KeysUnreachable):
        await client.read_bytes(dear, spend_limit=HALF)
    for member in network.members:
        member.faults.unreachable = False
    await client.channels.close(channel)
    await client.channels.open(POOL, Wei(5 * ONE_WAL))
    with pytest.raises(KeysUnreachable):
        await client.read_bytes(dear, spend_limit=HALF)

    assert await client.read_bytes(dear, spend_limit=HALF) == DATA


async def test_read__ledger_was_restored_from_an_old_copy__goes_on_behind_what_was_promised(
    dear: BlobObjectId, make: Make, network: FakeNetwork
) -> None:
    keep = MemoryKeep()
    await make(READER, keep).channels.open(POOL, Wei(5 * ONE_WAL))
    old = MemoryKeep()
    old._documents = dict(keep._documents)
    assert await make(READER, keep).read_bytes(dear, spend_limit=HALF) == DATA
    with old.changing("uses", f"{READER.address}-{dear}") as document:
        document["nextByVoucher"] = 2**32 + 7  # another use, on the stretch that was promised

    restored = make(READER, old)

    assert await restored.read_bytes(dear, spend_limit=HALF) == DATA
    [channel] = await restored.channels.list()
    assert channel.promised == 2 * HALF


async def test_subscribe__pays_and_says_until_when(reader: Client, network: FakeNetwork) -> None:
    policy = network.access.policy(Rule(price=HALF, pool=POOL))
    bought = await reader.purchases.subscribe(policy, 3)
    assert (bought.paid, bought.until) == (3 * HALF, network.access.time + 3 * 3600)


# -- sealing anew ----------------------------------------------------------------------------------------------------


async def test_rewrap__other_policy_took_effect__opens_again_without_touching_the_data(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule(allowed={OWNER.address}))))
    policy = network.access.policy(Rule())
    record = network.access.records[stored.blob_object]
    network.access.records[stored.blob_object] = replace(record, current=Policies(policy))
    with pytest.raises(EnvelopeNotOpened, match="ask the owner to seal the key again"):
        await reader.read_bytes(stored.blob_id)
    await owner.rewrap(stored.blob_object)
    assert await reader.read_bytes(stored.blob_id) == DATA
    assert network.transactions.count("register") == 1


async def test_rewrap__key_is_not_here__nodes_give_it_to_whom_they_may(
    owner: Client, make: Make, network: FakeNetwork
) -> None:
    rule = Rule(allowed={OWNER.address})
    stored = await owner.store(DATA, private=Privacy(network.access.policy(rule)))
    await make(OWNER).rewrap(stored.blob_object, threshold=1)
    rule.allowed = set()
    with pytest.raises(DataKeyUnknown, match="not on the list"):
        await make(OWNER).rewrap(stored.blob_object)


async def test_rewrap__public_object__is_refused(owner: Client) -> None:
    stored = await owner.store(DATA)
    with pytest.raises(NotPrivate):
        await owner.rewrap(stored.blob_object)


async def test_channel__close__pays_the_rest_back_after_the_delay(reader: Client, network: FakeNetwork) -> None:
    number = (await reader.channels.open(POOL, Wei(ONE_WAL))).facts.channel
    begun = await reader.channels.close(number)
    assert begun.closes_at == network.access.time + 3600
    assert (await reader.channels.close(number)).transaction is None
    network.access.time += 3600
    assert (await reader.channels.close(ChannelId(number))).refunded == ONE_WAL


def test_keep__files__are_readable_by_their_owner_only(tmp_path: Path) -> None:
    keep = FolderKeep(tmp_path / "private")
    with keep.changing("owners", str(Address("0x1"))) as document:
        document["secret"] = "00"
    [path] = (tmp_path / "private" / "owners").glob("*.json")
    assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "private").stat().st_mode & 0o077 == 0
