"""Having a badly encoded blob marked invalid: by those who found it bad, never by too few, never a good one."""

from __future__ import annotations

import pytest

from tests.fakes.network import ALICE, FakeChain, FakeNetwork, FakeWriter
from walrus_chain.chain.transactions import Receipt
from walrus_chain.client.client import Client
from walrus_chain.errors import AgentRefused, BlobIsConsistent, BlobNotFound, BlobNotInvalidated, NoWallet
from walrus_chain.transport.memory import Lie
from walrus_chain.types import BlobId

DATA = b"some data" * 100
#: f + 1 of ten shards, two a node: two nodes decide.
REQUIRED = 4


def says(network: FakeNetwork, member: int, code: str, times: int = 1, *, retryable: bool = False) -> None:
    """Has a node refuse its next calls."""
    agent = network.members[member]
    words = AgentRefused(agent.label, 503, code, f"it says {code}", retryable=retryable, retry_after=2.0)
    agent.faults.refusals += [words] * times


async def test_invalidate__bad_blob__marked_by_those_who_found_it_bad(
    client: Client, network: FakeNetwork, bad: BlobId
) -> None:
    result = await client.invalidate(bad)

    assert bad in network.invalid
    assert result.blob_id == bad
    assert result.objects == tuple(network.objects)
    assert result.weight >= REQUIRED
    assert result.transaction is not None


async def test_invalidate__again__nothing_is_sent(client: Client, network: FakeNetwork, bad: BlobId) -> None:
    await client.invalidate(bad)
    sent = list(network.transactions)

    result = await client.invalidate(bad)

    assert (result.transaction, result.weight) == (None, 0)
    assert network.transactions == sent


async def test_invalidate__by_the_number_of_an_object__means_its_blob(
    client: Client, network: FakeNetwork, bad: BlobId
) -> None:
    [number] = network.objects.values()
    assert (await client.invalidate(number.id)).blob_id == bad


async def test_invalidate__good_blob__nobody_signs_and_nothing_is_sent(client: Client, network: FakeNetwork) -> None:
    stored = await client.store(DATA)
    await client.finish()
    sent = list(network.transactions)

    with pytest.raises(BlobIsConsistent, match="is in order") as error:
        await client.invalidate(stored.blob_id)

    assert error.value.weight >= REQUIRED
    assert network.transactions == sent
    assert network.invalid == set()


async def test_invalidate__one_node_vouches_falsely__the_others_suffice(
    client: Client, network: FakeNetwork, bad: BlobId
) -> None:
    says(network, 0, "Consistent")
    await client.invalidate(bad)
    assert bad in network.invalid


async def test_invalidate__one_node_signs_other_words__is_not_counted(
    client: Client, network: FakeNetwork, bad: BlobId
) -> None:
    network.members[0].faults.lies.add(Lie.SIGNATURE)
    await client.invalidate(bad)
    assert bad in network.invalid


async def test_invalidate__too_few_accuse__refused_with_each_nodes_words(
    client: Client, network: FakeNetwork, bad: BlobId
) -> None:
    sent = list(network.transactions)
    says(network, 0, "Consistent")
    network.members[1].faults.unreachable = True
    network.members[2].faults.lies.add(Lie.SIGNATURE)
    says(network, 3, "StoreUnavailable")

    with pytest.raises(BlobNotInvalidated) as error:
        await client.invalidate(bad)

    assert (error.value.weight, error.value.required) == (2, REQUIRED)
    assert [reason.partition(" ")[0] for reason in error.value.reasons] == ["node-1", "node-2", "node-3", "node-4"]
    assert "it says StoreUnavailable" in str(error.value)
    assert network.transactions == sent


async def test_invalidate__examination_takes_long__waited_for(
    client: Client, network: FakeNetwork, bad: BlobId
) -> None:
    for member in range(network.nodes):
        says(network, member, "ExaminationUnderWay", times=50, retryable=True)
    await client.invalidate(bad)
    assert bad in network.invalid


async def test_invalidate__nobody_answers_in_time__says_so(client: Client, network: FakeNetwork, bad: BlobId) -> None:
    for agent in network.members[1:]:
        agent.faults.stalled = True

    with pytest.raises(BlobNotInvalidated, match="no verdict within 30 s") as error:
        await client.invalidate(bad, seconds=30)

    assert error.value.weight == 2
    assert len(error.value.reasons) == 4


async def test_invalidate__somebody_was_first__is_fine(network: FakeNetwork, bad: BlobId) -> None:
    class Slow(FakeWriter):
        async def invalidate(self, blob_id: BlobId, signers: int, signatures: bytes) -> Receipt:
            self.network.invalid.add(blob_id)
            return await super().invalidate(blob_id, signers, signatures)

    async with Client(FakeChain(network), network, Slow(network, ALICE)) as client:
        assert (await client.invalidate(bad)).transaction is None


async def test_invalidate__never_registered_or_over__says_which(client: Client, network: FakeNetwork) -> None:
    with pytest.raises(BlobNotFound, match="never registered"):
        await client.invalidate("A" * 43)
    stored = await client.store(DATA)
    network.epoch = stored.end
    with pytest.raises(BlobNotFound, match="term is over"):
        await client.invalidate(stored.blob_id)


async def test_invalidate__without_a_wallet__refused_before_anybody_works(network: FakeNetwork, bad: BlobId) -> None:
    async with Client(FakeChain(network), network) as reader:
        with pytest.raises(NoWallet):
            await reader.invalidate(bad)
    assert all(agent.calls["invalidity"] == 0 for agent in network.members)


async def test_invalidate__committee_changed_unseen__the_one_in_office_is_asked(
    client: Client, network: FakeNetwork, bad: BlobId
) -> None:
    await client.blob_id(b"")  # so that the client knows a committee
    network.change_committee({0: 1})
    await client.invalidate(bad)
    assert bad in network.invalid


async def test_invalidate__committee_changes_before_it_is_handed_in__attested_anew(
    network: FakeNetwork, bad: BlobId
) -> None:
    class Changing(FakeWriter):
        async def invalidate(self, blob_id: BlobId, signers: int, signatures: bytes) -> Receipt:
            if network.committee_epoch == 1:
                network.change_committee({0: 1, 5: 2})
            return await super().invalidate(blob_id, signers, signatures)

    async with Client(FakeChain(network), network, Changing(network, ALICE)) as client:
        await client.invalidate(bad)
    assert bad in network.invalid
