"""Private data, stored so that nobody reads it, and sealed anew."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.access import Rule
from tests.fakes.network import FakeNetwork
from tests.unit.client.conftest import Make
from tests.unit.client.people import DATA, OWNER
from walrus_chain.chain.policy_views import Policies
from walrus_chain.client.client import Client
from walrus_chain.client.keep import FolderKeep, MemoryKeep
from walrus_chain.client.results import Outcome, Stage
from walrus_chain.client.sealing import Privacy
from walrus_chain.crypto.chunks import CHUNK_BYTES, ciphertext_size
from walrus_chain.errors import (
    AgentRefused,
    DataKeyUnknown,
    EnvelopeNotOpened,
    NotPrivate,
    QuorumUnreachable,
    TooFewRecipients,
    UnknownRecipients,
    WrongThreshold,
)
from walrus_chain.types import Address, BlobObjectId, NodeId

# -- storing -----------------------------------------------------------------------------------------------------------


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


# -- sealing anew ------------------------------------------------------------------------------------------------------


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


# -- what is kept here -------------------------------------------------------------------------------------------------


def test_keep__files__are_readable_by_their_owner_only(tmp_path: Path) -> None:
    keep = FolderKeep(tmp_path / "private")
    with keep.changing("owners", str(Address("0x1"))) as document:
        document["secret"] = "00"
    [path] = (tmp_path / "private" / "owners").glob("*.json")
    assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "private").stat().st_mode & 0o077 == 0
