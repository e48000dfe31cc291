"""A small simulated network: reproducible, no wei lost, who drops data loses, who is honest is never slashed."""

from __future__ import annotations

import json

import pytest

from scripts import simulate_network
from scripts.simulation import report
from scripts.simulation.network import Network
from scripts.simulation.parameters import Parameters, Rules, Scale
from scripts.simulation.results import Result, all_honest, compare
from scripts.simulation.strategies import CHEATS, Rebuilding
from walrus_chain.errors import Bug

PARAMETERS = Parameters(
    rules=Rules(shards=40),
    scale=Scale(epochs=60, nodes=30, blobs=200, cheats_each=1, churn=0.05, lost_region=36, seed=7),
)
CAUGHT = [strategy.name for strategy in CHEATS if strategy.rebuilding is Rebuilding.NEVER]
REBUILDING = [strategy.name for strategy in CHEATS if strategy.rebuilding is not Rebuilding.NEVER]


def simulated(parameters: Parameters = PARAMETERS) -> tuple[Network, Result]:
    """A network with cheats after all its epochs, and its result beside the honest one."""
    networks = [Network(parameters), Network(all_honest(parameters))]
    for network in networks:
        network.run(lambda epoch: None)
    return networks[0], compare(parameters, *networks)


@pytest.fixture(scope="module")
def simulation() -> tuple[Network, Result]:
    return simulated()


def test_same_seed__same_result(simulation: tuple[Network, Result]) -> None:
    _, result = simulated()
    assert report.text(PARAMETERS, result) == report.text(PARAMETERS, simulation[1])


def test_I1_every_wei_of_the_supply_is_somewhere(simulation: tuple[Network, Result]) -> None:
    network, result = simulation
    assert result.network.missing_wei == 0
    assert network.ledger.burned > 0
    assert network.ledger.fees > 0


def test_a_lost_wei_is_noticed_in_the_same_epoch() -> None:
    network = Network(PARAMETERS)
    network.ledger.take("users", 1)
    with pytest.raises(Bug, match="epoch 1: 1 wei missing"):
        network.run(lambda epoch: None)


def test_honest_nodes_are_never_slashed_unless_their_region_burned(simulation: tuple[Network, Result]) -> None:
    network, _ = simulation
    honest = [node for node in network.nodes if node.strategy.is_honest]
    assert len(honest) > 18
    assert all(node.conduct.slashed == 0 for node in honest if not node.region_burned)
    assert all(node.jailed_until is None for node in honest)


@pytest.mark.parametrize("name", CAUGHT)
def test_who_drops_or_does_not_prove__loses(simulation: tuple[Network, Result], name: str) -> None:
    results = {strategy.name: strategy for strategy in simulation[1].strategies}
    assert results[name].beside_honest < -1
    assert results[name].slashed > 0


@pytest.mark.parametrize("name", REBUILDING)
def test_who_rebuilds_on_demand__is_not_caught(simulation: tuple[Network, Result], name: str) -> None:
    # A known limit, not a wish: docs/economics.md says what would end it.
    results = {strategy.name: strategy for strategy in simulation[1].strategies}
    assert results[name].detected_median is None
    assert results[name].slashed == 0


def test_a_lost_region_costs_no_blob(simulation: tuple[Network, Result]) -> None:
    network = simulation[1].network
    assert 0 < network.lost_region_shards <= network.faults
    assert network.lost_region_bytes > 0
    assert network.blobs_lost == 0


def test_main__as_data__has_all_tables(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--json",
        "--epochs=4",
        "--nodes=12",
        "--blobs=10",
        "--shards=12",
        "--cheats-each=1",
        "--lost-region=0",
    ]
    assert simulate_network.main(arguments) == 0
    printed = capsys.readouterr()
    data = json.loads(printed.out)
    assert set(data) == {"parameters", "strategies", "network", "typicalNode", "breakEven"}
    assert data["parameters"]["scale"]["lost_region"] is None
    assert "all honest: epoch 4 of 4" in printed.err


def test_main__given_what_no_network_can_be__says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate_network.main(["--shards=3"]) == 2
    assert "3 shards; the encoding takes 4 to 255" in capsys.readouterr().err
