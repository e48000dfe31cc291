"""What the doctor makes of what it measured, and what `status` shows of the chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from storage_agent.cli import findings
from storage_agent.cli.findings import DUTY_GAS, LOW_EPOCHS, OWN_DUTIES, Finding
from storage_agent.cli.standing import Custody, Standing, read_standing
from tests.fakes.economy import MINIMUM_STAKE, ONE_WAL, FakePool
from tests.fakes.network import FakeChain, FakeNetwork
from tests.unit.agent.cli.conftest import OPERATOR, OWN
from walrus_chain.chain.stakes import NoSuchNode
from walrus_chain.chain.views import CustodyWindow
from walrus_chain.types import Epoch, NodeId, ShardIndex, Wei

NOW = 1_700_000_000.0
OPEN = CustodyWindow(Epoch(1), bytes(32), frozenset(), frozenset(), frozenset(), False)


async def look(network: FakeNetwork) -> Standing:
    """The standing of the agent's own node."""
    return await read_standing(FakeChain(network), OWN)


def pool(network: FakeNetwork) -> FakePool:
    """Its pool."""
    return network.economy.pools[OWN]


async def found(
    network: FakeNetwork, change: Callable[[Standing], Standing] = lambda standing: standing
) -> dict[str, Finding]:
    """What the doctor finds, by name."""
    return {finding.what: finding for finding in findings.chain_standing(change(await look(network)))}


@pytest.mark.parametrize(
    ("enabled", "keeper", "fine", "says"),
    [
        (True, True, True, "releases keys"),
        (False, False, True, "releases no keys"),
        (True, False, False, "keeper.enabled"),
    ],
)
def test_access__releases_without_a_keeper__nobody_redeems(enabled: bool, keeper: bool, fine: bool, says: str) -> None:
    finding = findings.access(enabled, keeper)

    assert finding.fine is fine
    assert says in finding.says


class TestClock:
    """This machine's clock."""

    @pytest.mark.parametrize(
        ("block", "wall", "fine", "words"),
        [
            (NOW - 3, 2.0, True, "3 s after"),
            (NOW + 4, 2.0, True, "after"),
            (NOW + 60, 2.0, False, "60 s behind the chain"),
            (NOW - 1000, 2.0, False, "1000 s old"),
            (NOW - 3, 62.0, False, "jumped by +60 s"),
            (NOW - 3, -58.0, False, "jumped by -60 s"),
        ],
    )
    def test_clock(self, block: float, wall: float, fine: bool, words: str) -> None:
        finding = findings.clock(NOW, int(block), wall, 2.0)

        assert finding.fine is fine
        assert words in finding.says
        assert fine or "NTP" in finding.says


def test_endpoint__behind_the_others__is_to_be_replaced() -> None:
    assert findings.endpoint(1, "http://a", 7, 1000, 1060).fine
    lagging = findings.endpoint(2, "http://b", 6, 1000, 1061)
    assert (lagging.what, lagging.fine) == ("rpc 2", False)
    assert "61 s behind the others" in lagging.says


class TestGas:
    """The signer's money."""

    def test_enough__says_for_how_many_epochs(self) -> None:
        price = 10**9
        whole = sum(DUTY_GAS.values()) * price
        own = sum(DUTY_GAS[name] for name in OWN_DUTIES) * price

        finding = findings.gas_money("0x1", Wei(LOW_EPOCHS * whole), price)

        assert finding.fine
        assert f"{LOW_EPOCHS} epochs of all duties, {LOW_EPOCHS * whole // own} of only its own" in finding.says

    def test_too_little__says_how_much_to_send_to_whom(self) -> None:
        whole = sum(DUTY_GAS.values())

        finding = findings.gas_money("0xSigner", Wei(LOW_EPOCHS * whole * 10**9 - 10**15), 10**9)

        assert not finding.fine
        assert finding.says.endswith("send at least 0.001 to the signer 0xSigner")

    def test_chain_without_fees__needs_none(self) -> None:
        assert findings.gas_money("0x1", Wei(0), 0).fine


class TestStanding:
    """Stake, jail, candidacy, misses, committee, syncing, pool."""

    async def test_all_well__nothing_is_bad(self, network: FakeNetwork) -> None:
        network.economy.window = replace(OPEN, proved=frozenset({1}))

        report = await found(network)

        assert [name for name, finding in report.items() if not finding.fine] == []
        assert list(report) == ["stake", "jail", "candidate", "misses", "committee", "custody", "syncing", "pool"]
        assert report["stake"].says == "100 WAL active, 100 WAL of it the operator's own (10 WAL are needed)"

    async def test_own_stake_too_small__says_what_to_stake(self, network: FakeNetwork) -> None:
        network.economy.delegations.clear()
        network.economy.put(OWN, OPERATOR, 4 * ONE_WAL)
        pool(network).candidate = False

        report = await found(network)

        assert "`walrus-agent stake '6 WAL'`" in report["stake"].says
        assert "own stake is too small" in report["candidate"].says
        assert not report["stake"].fine
        assert not report["candidate"].fine

    async def test_eligible_but_no_candidate__says_how_to_stand(self, network: FakeNetwork) -> None:
        pool(network).candidate = False

        assert "`walrus-agent stand`" in (await found(network))["candidate"].says

    @pytest.mark.parametrize(("until", "words"), [(9, "jailed until epoch 9, it is epoch 5"), (5, "may be let out")])
    async def test_jailed__says_from_when_it_gets_out(self, network: FakeNetwork, until: int, words: str) -> None:
        pool(network).jailed_until = until

        finding = (await found(network))["jail"]

        assert not finding.fine
        assert words in finding.says
        assert "`walrus-agent unjail`" in finding.says

    @pytest.mark.parametrize(("last", "fine"), [(0, True), (3, True), (4, False), (5, False)])
    async def test_misses__of_late_only__are_bad(self, network: FakeNetwork, last: int, fine: bool) -> None:
        pool(network).misses, pool(network).last_miss = (2, last) if last else (0, 0)

        assert (await found(network))["misses"].fine is fine

    async def test_not_serving__says_what_it_takes(self, network: FakeNetwork) -> None:
        def idle(standing: Standing) -> Standing:
            return replace(standing, node=replace(standing.node, serving=False, shards=()), member=None)

        assert "at the next selection" in (await found(network, idle))["committee"].says
        pool(network).candidate = False
        assert "a candidate first" in (await found(network, idle))["committee"].says

    @pytest.mark.parametrize(("epoch", "fine"), [(1, True), (5, False)])
    async def test_shards_on_their_way__are_bad_once_the_epoch_is_over(
        self, network: FakeNetwork, epoch: int, fine: bool
    ) -> None:
        network.epoch, network.economy.pending = epoch, frozenset({ShardIndex(1)})

        assert (await found(network))["syncing"].fine is fine

    @pytest.mark.parametrize(("epoch", "fine"), [(37, True), (38, False)])
    async def test_pool__further_behind_than_a_call_settles__is_bad(
        self, network: FakeNetwork, epoch: int, fine: bool
    ) -> None:
        network.epoch = epoch

        finding = (await found(network))["pool"]

        assert finding.fine is fine
        assert fine or "`walrus-agent settle`" in finding.says


class TestCustody:
    """How far the proof of this epoch is."""

    @pytest.mark.parametrize(
        ("window", "left", "state", "fine"),
        [
            (replace(OPEN, committee_epoch=Epoch(0)), 900, Custody.NOT_OPENED, True),
            (replace(OPEN, committee_epoch=Epoch(0)), 0, Custody.NOT_OPENED, False),
            (OPEN, 900, Custody.DUE, True),
            (OPEN, 449, Custody.DUE, False),
            (OPEN, 0, Custody.MISSED, False),
            (replace(OPEN, proved=frozenset({1})), 0, Custody.PROVED, True),
            (replace(OPEN, proved=frozenset({0, 2})), 900, Custody.DUE, True),
            (replace(OPEN, empty=True), 0, Custody.NOTHING, True),
            (replace(OPEN, exempt=frozenset({ShardIndex(1), ShardIndex(6)})), 0, Custody.NOTHING, True),
            (replace(OPEN, exempt=frozenset({ShardIndex(1)})), 900, Custody.DUE, True),
            (replace(OPEN, committee_epoch=Epoch(4)), 0, Custody.NOTHING, True),
        ],
    )
    async def test_state(
        self, network: FakeNetwork, window: CustodyWindow, left: int, state: Custody, fine: bool
    ) -> None:
        standing = await look(network)
        duties = replace(standing.duties, closes=standing.duties.timestamp + left)
        standing = replace(standing, window=window, duties=duties)

        assert standing.custody is state
        assert {finding.what: finding.fine for finding in findings.chain_standing(standing)}["custody"] is fine


class TestStatus:
    """What the chain says of a node, as data."""

    async def test_data__has_stake_shards_conduct_and_duties(self, network: FakeNetwork) -> None:
        network.economy.pending = frozenset({ShardIndex(6)})
        pool(network).next_commission_bps, pool(network).next_commission_from = 1000, 7

        standing = await look(network)
        data = replace(standing, duties=replace(standing.duties, prove=True)).as_data()

        assert (data["stake"], data["minimumStake"]) == (100 * ONE_WAL, MINIMUM_STAKE)
        assert (data["shards"], data["syncing"], data["candidate"]) == (2, [6], True)
        assert (data["commission"], data["nextCommission"]) == ("5%", "10% from epoch 7")
        assert (data["misses"], data["jailedUntil"], data["custody"]) == (0, None, "not opened")
        assert data["due"] == ["prove", "sync"]

    async def test_unknown_node__is_refused(self, network: FakeNetwork) -> None:
        with pytest.raises(NoSuchNode, match="nodes 1 to 5 are registered"):
            await read_standing(FakeChain(network), NodeId(6))
