"""A blob object's life on a real chain, through `Sender` and `Chain`."""

from __future__ import annotations

import pytest

from tests.integration.chain.local import BLOB, BOB, PARAMETERS, WAL, LocalNetwork
from walrus_chain.chain.events import (
    AttributeRemoved,
    AttributeSet,
    BlobCertified,
    BlobDeleted,
    BlobExtended,
    BlobInvalidated,
    BlobRegistered,
    BlobTransferred,
    CommitteeFormed,
    NodeRegistered,
    TermPaid,
)
from walrus_chain.chain.sender import MAXIMUM_BATCH, Registration, Sender
from walrus_chain.chain.views import Attribute
from walrus_chain.messages.attestation import InvalidityAttestation
from walrus_chain.types import Address, BlobId, BlobObjectId, BlobStatus, Epoch, Wei

pytestmark = pytest.mark.integration


async def test_deploy__parameters_and_committee_as_asked(network: LocalNetwork) -> None:
    parameters = await network.chain.parameters()
    assert (parameters.shards, parameters.faults, parameters.quorum) == (10, 3, 7)
    assert (parameters.committee_epoch, parameters.current_epoch) == (1, 1)
    assert parameters.epoch_seconds == PARAMETERS.epoch_seconds
    assert (parameters.unit_bytes, parameters.unit_price) == (PARAMETERS.unit_bytes, PARAMETERS.unit_price)
    assert (parameters.write_fee, parameters.maximum_epochs) == (PARAMETERS.write_fee, PARAMETERS.maximum_epochs)
    assert (parameters.minimum_stake, parameters.total_stake) == (1_000 * WAL, 10_000 * WAL)
    assert (parameters.nodes, parameters.objects) == (10, 0)
    assert [member.weight for member in network.committee.members] == [1] * 10
    nodes = await network.chain.nodes()
    assert [node.node_id for node in nodes] == list(range(1, 11))
    assert all(node.serving and node.stake == 1_000 * WAL for node in nodes)
    assert {node.region for node in nodes} == {"region-0", "region-1", "region-2", "region-3"}
    assert await network.chain.node_of_signer(nodes[3].signer) == 4
    assert await network.chain.node_of_signer(Address("0x" + "99" * 20)) is None


@pytest.mark.parametrize("deletable", [True, False])
async def test_I11_digests__python_and_solidity_agree_on_this_chain(network: LocalNetwork, deletable: bool) -> None:
    attestation = network.attestation(BlobObjectId(7), deletable=deletable)
    solidity = await network.chain.call(
        "BlobRegistry", "attestationDigest", BLOB.digest, 7, network.committee.epoch, deletable
    )
    assert attestation.digest(network.chain.registry_domain) == solidity
    invalid = InvalidityAttestation(BLOB, network.committee.epoch)
    solidity = await network.chain.call("BlobRegistry", "invalidityDigest", BLOB.digest, network.committee.epoch)
    assert invalid.digest(network.chain.registry_domain) == solidity


async def test_register__charges_the_quote_and_the_object_is_as_asked(network: LocalNetwork) -> None:
    quote = await network.chain.quote(10_000, 5)
    before = await network.chain.balances(network.alice.address)
    receipt = await network.register()
    after = await network.chain.balances(network.alice.address)
    assert receipt.objects == (1,)
    assert receipt.paid == quote.total == quote.rate * 5 + quote.fee == before.wal - after.wal
    blob = await network.chain.blob(receipt.objects[0])
    assert (blob.blob_id, blob.owner, blob.size, blob.deletable) == (BLOB, network.alice.address, 10_000, True)
    assert (blob.start, blob.end, blob.rate, blob.status) == (1, 6, quote.rate, BlobStatus.REGISTERED)


async def test_register__a_batch__one_payment_and_consecutive_ids(network: LocalNetwork) -> None:
    registrations = [Registration(BlobId(bytes([place + 1]) * 32), 10**place, 2 + place, True) for place in range(5)]
    quotes = [await network.chain.quote(row.size, row.epochs) for row in registrations]
    receipt = await network.alice.register(registrations)
    assert receipt.objects == (1, 2, 3, 4, 5)
    assert receipt.charges == tuple(quote.total for quote in quotes)
    assert receipt.paid == sum(receipt.charges)
    blobs = await network.chain.blobs(receipt.objects)
    assert [blob.blob_id for blob in blobs] == [row.blob_id for row in registrations]


async def test_register__the_largest_batch__fits(network: LocalNetwork) -> None:
    rows = [Registration(BlobId(place.to_bytes(32, "big")), 1, 1, True) for place in range(1, MAXIMUM_BATCH + 1)]
    receipt = await network.alice.register(rows)
    assert receipt.objects == tuple(range(1, MAXIMUM_BATCH + 1))


async def test_certify__by_a_quorum__the_network_answers(network: LocalNetwork) -> None:
    receipt = await network.register()
    certificate = network.certificate(network.attestation(receipt.objects[0]), (9, 1, 2, 3, 4, 5, 6))
    await network.deployer.certify(receipt.objects[0], certificate.signers, certificate.signatures)
    assert (await network.chain.blob(receipt.objects[0])).status is BlobStatus.CERTIFIED


async def test_extend__by_anybody__charges_the_quote(network: LocalNetwork) -> None:
    receipt = await network.register()
    blob = await network.chain.blob(receipt.objects[0])
    quote = await network.chain.quote_extension(blob, 4)
    before = await network.chain.balances(network.deployer.address)
    await network.deployer.extend(blob.id, 4)
    after = await network.chain.balances(network.deployer.address)
    longer = await network.chain.blob(blob.id)
    assert (longer.end, longer.owner) == (blob.end + 4, network.alice.address)
    assert before.wal - after.wal == quote.total > 0


async def test_delete__refunds_unused_epochs_as_a_claim_to_withdraw(network: LocalNetwork) -> None:
    receipt = await network.register(epochs=5)
    rate = (await network.chain.blob(receipt.objects[0])).rate
    await network.alice.delete(receipt.objects[0])
    balances = await network.chain.balances(network.alice.address)
    assert balances.claim == rate * 4
    await network.alice.withdraw(balances.claim)
    after = await network.chain.balances(network.alice.address)
    assert (after.claim, after.wal) == (0, balances.wal + balances.claim)
    assert (await network.chain.blob(receipt.objects[0])).status is BlobStatus.UNKNOWN


async def test_transfer__to_another_owner__who_may_then_write_attributes(network: LocalNetwork) -> None:
    receipt = await network.register()
    bob = Sender(network.chain, BOB)
    await network.alice.transfer(receipt.objects[0], bob.address)
    await bob.set_attributes(receipt.objects[0], [Attribute("name", "ä file"), Attribute("type", "text/plain")])
    await bob.set_attributes(receipt.objects[0], [Attribute("type", "")])
    assert await network.chain.attributes(receipt.objects[0]) == (Attribute("name", "ä file"),)
    assert [blob.id for blob in await network.chain.blobs_of(bob.address)] == [receipt.objects[0]]
    assert await network.chain.blobs_of(network.alice.address) == ()


async def test_invalidate__by_f_plus_one__all_objects_of_the_blob(network: LocalNetwork) -> None:
    objects = [(await network.register()).objects[0] for _ in range(2)]
    accusation = network.accusation(InvalidityAttestation(BLOB, network.committee.epoch), range(4))
    await network.deployer.invalidate(BLOB, accusation.signers, accusation.signatures)
    assert await network.chain.is_invalid(BLOB)
    assert {blob.status for blob in await network.chain.blobs(objects)} == {BlobStatus.INVALID}


async def test_expiry__by_the_clock_alone(network: LocalNetwork) -> None:
    receipt = await network.register(epochs=1)
    await network.rpc("evm_increaseTime", PARAMETERS.epoch_seconds)
    await network.rpc("evm_mine")
    assert (await network.chain.blob(receipt.objects[0])).status is BlobStatus.EXPIRED
    parameters = await network.chain.parameters()
    head = await network.chain.head()
    assert parameters.current_epoch == parameters.epoch_at(head.timestamp) == 2


async def test_objects_of__all_registrations_but_deleted_ones(network: LocalNetwork) -> None:
    first, second = (await network.register()).objects[0], (await network.register()).objects[0]
    await network.register(BlobId(b"\x01" * 32))
    await network.alice.delete(first)
    third = (await network.deployer.register([Registration(BLOB, 10_000, 1, False)])).objects[0]
    assert [blob.id for blob in await network.chain.objects_of(BLOB)] == [second, third]
    assert await network.chain.objects_of(BlobId(b"\x77" * 32)) == ()


async def test_events__tell_the_whole_story_in_order(network: LocalNetwork) -> None:
    start = (await network.chain.head()).number
    blob = (await network.register()).objects[0]
    certificate = network.certificate(network.attestation(blob))
    await network.alice.certify(blob, certificate.signers, certificate.signatures)
    await network.alice.set_attributes(blob, [Attribute("k", "v")])
    await network.alice.set_attributes(blob, [Attribute("k", "")])
    await network.alice.extend(blob, 1)
    await network.alice.transfer(blob, Address(BOB.address))
    await Sender(network.chain, BOB).delete(blob)
    accusation = network.accusation(InvalidityAttestation(BLOB, network.committee.epoch), range(4))
    await network.deployer.invalidate(BLOB, accusation.signers, accusation.signatures)
    head = await network.chain.head()
    events = await network.chain.events(start + 1, head.number)
    told = [type(event) for event in events if event.contract in ("BlobRegistry", "BlobAttributes")]
    assert [kind for kind in told if kind is not BlobTransferred] == [
        BlobRegistered,
        BlobCertified,
        AttributeSet,
        AttributeRemoved,
        BlobExtended,
        BlobDeleted,
        BlobInvalidated,
    ]
    assert told.count(BlobTransferred) == 3
    assert [(event.block.number, event.log_index) for event in events] == sorted(
        (event.block.number, event.log_index) for event in events
    )
    assert events[-1].block == head
    certified = next(event for event in events if isinstance(event, BlobCertified))
    assert (certified.blob_object, certified.blob_id, certified.weight) == (blob, BLOB, 7)
    paid = next(event for event in events if isinstance(event, TermPaid))
    assert (paid.payer, paid.start, paid.end) == (network.alice.address, Epoch(1), Epoch(6))


async def test_events__of_the_beginning__rebuild_nodes_and_committee(network: LocalNetwork) -> None:
    head = await network.chain.head()
    events = await network.chain.events(network.chain.deployment.block, head.number)
    registered = [event for event in events if isinstance(event, NodeRegistered)]
    formed = next(event for event in events if isinstance(event, CommitteeFormed))
    assert [event.node_id for event in registered] == list(formed.members)
    assert formed.signers == tuple(member.signer for member in network.committee.members)
    for shard, member in enumerate(formed.assignment):
        assert shard in network.committee.members[member].shards


async def test_send_native__pays_for_anothers_fees(network: LocalNetwork) -> None:
    stranger = Address("0x" + "77" * 19 + "01")
    await network.alice.send_native(stranger, Wei(5))
    assert (await network.chain.balances(stranger)).native == 5
