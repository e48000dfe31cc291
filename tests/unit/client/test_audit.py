"""Audits: what nodes signed is checked against each other, against the chain, and against what this computer got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes.access import Rule
from tests.fakes.network import FakeChain, FakeNetwork
from walrus_chain.chain.payment_views import AnchoredReceipts
from walrus_chain.client.client import Client
from walrus_chain.client.keep import Keep, MemoryKeep
from walrus_chain.client.sealing import Privacy
from walrus_chain.errors import NotPrivate
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.transport.memory_keys import KeyLie, MemoryKeys
from walrus_chain.types import BlobObjectId, Epoch, NodeId

OWNER, READER = LocalSigner(b"\x11" * 32), LocalSigner(b"\x22" * 32)
ALL = [NodeId(number) for number in range(1, 6)]

Make = Callable[..., Client]


@pytest.fixture
def make(network: FakeNetwork) -> Make:
    def make(who: LocalSigner, keep: Keep | None = None) -> Client:
        network.fund(who.address)
        return Client(FakeChain(network), network, network.writer(who.address), requester=who, keep=keep)

    return make


@pytest.fixture
async def used(network: FakeNetwork, make: Make) -> tuple[Client, BlobObjectId]:
    """A reader's client, and an object that it read twice from all five nodes."""
    policy = network.access.policy(Rule())
    stored = await make(OWNER).store(b"genome" * 1000, private=Privacy(policy, threshold=5))
    reader = make(READER, MemoryKeep())
    for _ in range(2):
        await reader.read_bytes(stored.blob_object)
    return reader, stored.blob_object


def keys_of(network: FakeNetwork, node: int) -> MemoryKeys:
    """A node's keys."""
    keys = network.members[node - 1].keys
    assert keys is not None
    return keys


async def test_audit__all_honest__says_who_when_and_at_which_block(
    used: tuple[Client, BlobObjectId], network: FakeNetwork
) -> None:
    client, number = used
    audit = await client.audit(number)
    assert audit.clean
    assert len(audit.asked) == 5
    assert [(use.requester, use.sequence, use.block) for use in audit.uses] == [
        (READER.address, 0, network.access.block),
        (READER.address, 1, network.access.block),
    ]
    assert all(use.complete and len(use.releases) == 5 for use in audit.uses)
    assert not any(release.anchored for use in audit.uses for release in use.releases)


async def test_audit__public_object__is_refused(make: Make) -> None:
    owner = make(OWNER)
    stored = await owner.store(b"public")
    with pytest.raises(NotPrivate):
        await owner.audit(stored.blob_object)


async def test_audit__epoch_over_and_anchored__receipts_are_in_the_tree(
    used: tuple[Client, BlobObjectId], network: FakeNetwork
) -> None:
    client, number = used
    network.epoch = 2
    for node in ALL:
        network.access.anchor(node, Epoch(1))
    audit = await client.audit(number)
    assert audit.clean
    assert not audit.unanchored
    assert all(release.anchored for use in audit.uses for release in use.releases)


async def test_audit__epoch_over_and_not_anchored__is_flagged(
    used: tuple[Client, BlobObjectId], network: FakeNetwork
) -> None:
    client, number = used
    network.epoch = 2
    for node in ALL[1:]:
        network.access.anchor(node, Epoch(1))
    audit = await client.audit(number)
    assert [(finding.node, "not fixed on chain" in finding.what) for finding in audit.unanchored] == [("node-1", True)]
    assert audit.clean


async def test_audit__missing_receipt__is_found_by_who_read(
    used: tuple[Client, BlobObjectId], network: FakeNetwork, make: Make
) -> None:
    client, number = used
    keys = keys_of(network, 2)
    keys.faults.hidden = {keys.filed[0][0].use}
    found = await client.audit(number)
    assert not found.clean
    assert {finding.node for finding in found.missing} == {"node-2", "others"}
    # Whoever did not read sees only that fewer nodes admit it than it takes.
    assert {finding.node for finding in (await make(OWNER).audit(number)).missing} == {"others"}


async def test_audit__missing_receipt_of_an_anchored_epoch__is_found_by_anybody(
    used: tuple[Client, BlobObjectId], network: FakeNetwork, make: Make
) -> None:
    _, number = used
    network.epoch = 2
    for node in ALL:
        network.access.anchor(node, Epoch(1))
    keys = keys_of(network, 2)
    keys.faults.hidden = {receipt.use for receipt, _, _ in keys.filed}
    found = await make(OWNER).audit(number)
    assert "of 2 receipts fixed in epoch 1, it does not show 0, 1" in [finding.what for finding in found.missing]


async def test_audit__list_is_not_the_one_that_was_anchored__node_lies(
    used: tuple[Client, BlobObjectId], network: FakeNetwork
) -> None:
    client, number = used
    network.epoch = 2
    for node in ALL[1:]:
        network.access.anchor(node, Epoch(1))
    network.access.anchors[1] = [AnchoredReceipts(Epoch(1), bytes(31) + b"\x01", 2)]
    found = await client.audit(number)
    assert {finding.node for finding in found.contradictions} == {"node-1"}


async def test_audit__two_receipts_for_one_place__node_lies(
    used: tuple[Client, BlobObjectId], network: FakeNetwork
) -> None:
    client, number = used
    keys = keys_of(network, 3)
    receipt, _, epoch = keys.filed[0]
    other = replace(receipt, time=receipt.time + 1)
    keys.filed.append((other, other.sign(network.signers[2], network.access.access), epoch))
    found = await client.audit(number)
    assert ["two receipts number 0" in finding.what for finding in found.contradictions] == [True]


async def test_audit__receipt_signed_by_nobody__node_lies(
    used: tuple[Client, BlobObjectId], network: FakeNetwork
) -> None:
    client, number = used
    keys = keys_of(network, 3)
    receipt, _, epoch = keys.filed[0]
    keys.filed[0] = (receipt, receipt.sign(OWNER, network.access.access), epoch)
    found = await client.audit(number)
    assert ["is not its own" in finding.what for finding in found.contradictions] == [True]


async def test_audit__node_is_down_or_silent__is_said(used: tuple[Client, BlobObjectId], network: FakeNetwork) -> None:
    client, number = used
    network.members[0].faults.unreachable = True
    keys_of(network, 5).faults.lies = {KeyLie.SILENCE}
    found = await client.audit(number)
    assert list(found.silent) == ["node-1"]
    assert "node-5" in {finding.node for finding in found.missing}
    assert not found.clean
