"""Reading and storing while shards move from node to node."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from tests.fakes.network import ALICE, FakeChain, FakeNetwork, FakeWriter
from walrus_chain.chain.rejections import WrongStatus
from walrus_chain.chain.transactions import Receipt
from walrus_chain.client.client import Client
from walrus_chain.client.reputation import Standing
from walrus_chain.client.results import Check, Outcome, Progress, Stage
from walrus_chain.errors import (
    BlobNotFound,
    BlobUnreachable,
    CommitteeKeptChanging,
    QuorumUnreachable,
    RpcUnavailable,
)
from walrus_chain.rules.committee import Committee
from walrus_chain.types import BlobId, BlobObjectId, BlobStatus

DATA = random.Random(1).randbytes(20_000)
#: Node 1 leaves: its shards 0 and 5 go to nodes 2 and 3; and shard 3 goes from node 4 to node 5.
MOVES = {0: 1, 5: 2, 3: 4}


class CountingChain(FakeChain):
    """Counts how often it is asked for the committee."""

    asked = 0

    async def committee(self) -> Committee:
        self.asked += 1
        return await super().committee()


@pytest.fixture
def chain(network: FakeNetwork) -> CountingChain:
    """The chain of `client`."""
    return CountingChain(network)


@pytest.fixture
async def client(network: FakeNetwork, chain: CountingChain) -> Client:
    """Alice's client."""
    return Client(chain, network, network.writer(ALICE))


@pytest.fixture
async def blob_id(client: Client) -> BlobId:
    """`DATA`, stored on every node before anything moves."""
    stored = await client.store(DATA, epochs=50)
    await client.finish()
    return stored.blob_id


class TestReading:
    """No read fails because a shard moved."""

    @pytest.mark.parametrize("check", Check)
    async def test_read__shards_on_their_way__those_who_served_them_are_asked(
        self, network: FakeNetwork, blob_id: BlobId, check: Check
    ) -> None:
        network.change_committee(MOVES)
        for down in (1, 2):  # who serves what moved, and has nothing of it
            network.members[down].faults.unreachable = True
        async with Client(FakeChain(network), network) as reader:
            assert await reader.read_bytes(blob_id, check=check) == DATA
            assert await reader.read_bytes(blob_id, 100, 300, check=check) == DATA[100:300]

    async def test_read__new_node_is_empty__costs_nobody_its_standing(
        self, client: Client, network: FakeNetwork, blob_id: BlobId
    ) -> None:
        """All that node 2 serves now came to it, and is still with nodes 1 and 3."""
        network.change_committee({0: 1, 2: 1, 1: 0, 6: 0})
        async with Client(FakeChain(network), network) as reader:
            for start in range(0, len(DATA), 5000):
                assert await reader.read_bytes(blob_id, start, start + 5000) == DATA[start : start + 5000]
            assert [reader._contexts._reputation.standing(member) for member in range(5)] == [Standing.GOOD] * 5
            assert network.members[1].calls["chunks"] > 0

    @pytest.mark.parametrize("gone", range(5))
    async def test_read__old_node_is_gone__rest_suffices(
        self, network: FakeNetwork, blob_id: BlobId, gone: int
    ) -> None:
        network.change_committee(MOVES)
        network.members[gone].faults.unreachable = True
        async with Client(FakeChain(network), network) as reader:
            assert await reader.read_bytes(blob_id) == DATA

    async def test_read__old_node_stalls_and_new_one_has_it__is_overtaken(
        self, network: FakeNetwork, blob_id: BlobId
    ) -> None:
        network.change_committee(dict.fromkeys((0, 5), 1))
        network.members[1]._pairs.update(network.members[0]._pairs)
        network.members[0].faults.stalled = True
        async with Client(FakeChain(network), network) as reader:
            begun = asyncio.get_running_loop().time()
            assert await reader.read_bytes(blob_id) == DATA
            assert asyncio.get_running_loop().time() - begun < 3

    async def test_read__everything_moved_and_arrived__stale_committee_is_asked_for_anew_once(
        self, client: Client, chain: CountingChain, network: FakeNetwork, blob_id: BlobId
    ) -> None:
        await client.read_bytes(blob_id)
        everything = {shard: (shard + 1) % 5 for shard in range(10)}
        network.change_committee(everything)
        network.end_change()
        chain.asked = 0

        assert await client.read_bytes(blob_id) == DATA
        assert chain.asked == 1
        assert await client.read_bytes(blob_id, 100, 300) == DATA[100:300]
        assert chain.asked == 1

    async def test_read__all_nodes_replaced__found_at_the_new_ones(
        self, client: Client, network: FakeNetwork, blob_id: BlobId
    ) -> None:
        for _ in range(5):
            network.add_node()
        network.change_committee({shard: 5 + shard % 5 for shard in range(10)})
        network.end_change()
        assert await client.read_bytes(blob_id) == DATA

    async def test_read__one_shard_moved_on__told_by_the_node_and_asked_for_anew_afterwards(
        self, client: Client, chain: CountingChain, network: FakeNetwork, blob_id: BlobId
    ) -> None:
        """What other nodes have suffices; the next read knows where everything is."""
        network.change_committee({0: 1})
        network.end_change()
        chain.asked = 0
        assert await client.read_bytes(blob_id) == DATA
        assert await client.read_bytes(blob_id) == DATA
        assert chain.asked <= 1

    async def test_read__chain_is_down_meanwhile__goes_on_with_what_is_known(
        self,
        client: Client,
        chain: CountingChain,
        network: FakeNetwork,
        blob_id: BlobId,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def down() -> Committee:
            raise RpcUnavailable("eth_call", {"http://chain": "down"})

        monkeypatch.setattr(chain, "committee", down)
        for member in network.members[1:]:
            member.faults.unreachable = True
        with pytest.raises(BlobUnreachable):
            await client.read_bytes(blob_id)

    async def test_read__nobody_has_it_and_nothing_changed__chain_is_asked_once(
        self, client: Client, chain: CountingChain, blob_id: BlobId
    ) -> None:
        chain.asked = 0
        with pytest.raises(BlobNotFound):
            await client.read_bytes(BlobId(b"\x07" * 32))
        assert chain.asked == 1

    async def test_status__shards_on_their_way__each_counts_once_wherever_it_is(
        self, client: Client, network: FakeNetwork, blob_id: BlobId
    ) -> None:
        network.change_committee({0: 1, 3: 4})
        network.members[1]._pairs.update(network.members[0]._pairs)
        async with Client(FakeChain(network), network) as reader:
            report = await reader.status(blob_id)
        assert (report.healthy_shards, len(report.nodes)) == (10, 5)

    @pytest.mark.usefixtures("small_segments")
    async def test_read__committee_changes_half_way__same_bytes(
        self, client: Client, network: FakeNetwork, blob_id: BlobId
    ) -> None:
        for _ in range(5):
            network.add_node()
        stored = await client.store(DATA[::-1], epochs=50)
        await client.finish()
        pieces: list[bytes] = []
        async with client.read(stored.blob_id) as reader:
            async for piece in reader:
                if not pieces:
                    network.change_committee({shard: 5 + shard % 5 for shard in range(10)})
                    network.end_change()
                pieces.append(bytes(piece))
        assert b"".join(pieces) == DATA[::-1]


class Changing(FakeWriter):
    """Something happens right before each certificate is handed in, as long as there is something to happen."""

    def __init__(self, network: FakeNetwork, *happens: Callable[[], None]) -> None:
        super().__init__(network, ALICE)
        self.happens = list(happens)

    async def certify(self, blob_object: BlobObjectId, signers: int, signatures: bytes) -> Receipt:
        if self.happens:
            self.happens.pop(0)()
        return await super().certify(blob_object, signers, signatures)


class TestStoring:
    """A store finds its way to whoever is in office when it certifies."""

    async def test_store__committee_changes_before_the_certificate__new_nodes_get_what_they_lack(
        self, network: FakeNetwork
    ) -> None:
        writer = Changing(network, lambda: network.change_committee(MOVES))
        seen: list[Progress] = []
        async with Client(FakeChain(network), network, writer) as client:
            stored = await client.store(DATA, epochs=50, on_progress=seen.append)
            await client.finish()
        assert stored.outcome is Outcome.STORED
        assert network.objects[stored.blob_object].status is BlobStatus.CERTIFIED
        assert stored.weight >= network.committee.quorum
        for member in network.committee.members:
            assert (await network.members[member.node_id - 1].blob(stored.blob_id)).missing == 0
        # Node 4 lost a shard and got none; the others each got one more, in one more request.
        assert [agent.calls["put_segment"] for agent in network.members] == [1, 2, 2, 1, 2]
        uploads = [step.done for step in seen if step.stage is Stage.UPLOAD]
        assert uploads == sorted(uploads)
        assert uploads[-1] == next(step.total for step in seen if step.stage is Stage.UPLOAD)
        assert [step.done for step in seen if step.stage is Stage.CERTIFY] == [1]
        assert network.transactions.count("register") == 1

    async def test_store__committee_changed_before_the_upload__nodes_say_so(
        self, client: Client, network: FakeNetwork
    ) -> None:
        await client.blob_id(b"")  # so that the client knows a committee
        network.change_committee({shard: (shard + 1) % 5 for shard in range(10)})
        stored = await client.store(DATA)
        await client.finish()
        assert stored.outcome is Outcome.STORED
        for agent in network.members:
            assert (await agent.blob(stored.blob_id)).missing == 0

    async def test_store__only_attestations_are_of_another_committee__asked_for_again(
        self, client: Client, network: FakeNetwork
    ) -> None:
        """No shard moved, but the committee took office anew."""
        await client.blob_id(b"")
        network.change_committee({})
        stored = await client.store(DATA)
        await client.finish()
        assert stored.outcome is Outcome.STORED
        assert [agent.calls["put_segment"] for agent in network.members] == [1] * 5
        assert [agent.calls["attest"] for agent in network.members] == [1] * 5

    async def test_store__chains_endpoint_is_behind_the_nodes__waited_for(
        self, chain: CountingChain, client: Client, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await client.blob_id(b"")
        old = network.committee
        network.change_committee({shard: (shard + 1) % 5 for shard in range(10)})
        answers = [old, old]

        async def behind() -> Committee:
            return answers.pop(0) if answers else network.committee

        monkeypatch.setattr(chain, "committee", behind)
        assert (await client.store(DATA)).outcome is Outcome.STORED

    async def test_store__node_has_not_seen_the_new_committee__is_asked_again(
        self, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        network.change_committee({0: 1})
        for agent in network.members:
            sign, behind = agent._sign, [1]

            def sign_late(
                blob_id: BlobId, number: BlobObjectId, sign: object = sign, behind: list[int] = behind
            ) -> object:
                epoch = network.committee_epoch
                if behind:
                    network.committee_epoch = type(epoch)(behind.pop())
                try:
                    return sign(blob_id, number)  # type: ignore[operator]
                finally:
                    network.committee_epoch = epoch

            monkeypatch.setattr(agent, "_sign", sign_late)
        async with Client(FakeChain(network), network, network.writer(ALICE)) as client:
            assert (await client.store(DATA)).outcome is Outcome.STORED

    async def test_store__changes_each_time__gives_up_and_says_what_to_do(self, network: FakeNetwork) -> None:
        writer = Changing(network, *[lambda: network.change_committee({0: network.epoch % 5})] * 9)
        async with Client(FakeChain(network), network, writer) as client:
            with pytest.raises(CommitteeKeptChanging, match="Store it again") as failure:
                await client.store(DATA, epochs=90)
            assert failure.value.committees == 4
            writer.happens.clear()
            again = await client.store(DATA, epochs=90)
        assert (again.outcome, again.blob_object) == (Outcome.RESUMED, failure.value.blob_object)

    async def test_store__certificate_is_refused_and_nothing_changed__refusal_is_told(
        self, network: FakeNetwork
    ) -> None:
        def expire() -> None:
            network.epoch += 50

        async with Client(FakeChain(network), network, Changing(network, expire)) as client:
            with pytest.raises(WrongStatus):
                await client.store(DATA)
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    async def test_store__too_few_nodes_and_nothing_changed__said_at_once(
        self, client: Client, chain: CountingChain, network: FakeNetwork
    ) -> None:
        for agent in network.members[:2]:
            agent.faults.unreachable = True
        with pytest.raises(QuorumUnreachable):
            await client.store(DATA)
        assert chain.asked == 2

    @pytest.mark.usefixtures("small_segments")
    async def test_store__long_blob_under_a_change__every_segment_reaches_the_new_nodes(
        self, network: FakeNetwork
    ) -> None:
        network.add_node()
        writer = Changing(network, lambda: network.change_committee({**MOVES, 8: 5}))
        async with Client(FakeChain(network), network, writer) as client:
            stored = await client.store(DATA, epochs=50)
            await client.finish()
            network.end_change()
            assert await client.read_bytes(stored.blob_id) == DATA
        for member in network.committee.members:
            assert (await network.members[member.node_id - 1].blob(stored.blob_id)).missing == 0

    async def test_store__read_during_the_change__new_blob_is_found_at_new_nodes_only(
        self, network: FakeNetwork
    ) -> None:
        network.change_committee(MOVES)
        async with Client(FakeChain(network), network, network.writer(ALICE)) as client:
            stored = await client.store(DATA)
            await client.finish()
            assert await client.read_bytes(stored.blob_id) == DATA
            assert await client.read_bytes(stored.blob_id, 10, 20) == DATA[10:20]
