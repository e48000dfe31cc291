"""What a local network may consist of."""

from __future__ import annotations

import pytest

from walrus_chain.chain.deploy import MINIMUM_EPOCH_SECONDS
from walrus_chain.devnet.genesis import deployment_parameters
from walrus_chain.devnet.plan import REGIONS, DevnetParameters, DevnetParametersWrong
from walrus_chain.errors import ParameterOutOfBounds


def test_parameters__the_defaults__keep_every_region_below_what_may_fail() -> None:
    parameters = DevnetParameters()
    shards_each = parameters.shards // parameters.agents
    agents_in = [sum(parameters.region_of(i) == region for i in range(parameters.agents)) for region in REGIONS]

    assert max(agents_in) * shards_each <= (parameters.shards - 1) // 3


def test_parameters__as_data__come_back() -> None:
    parameters = DevnetParameters(agents=4, shards=10, regions=2, epoch_seconds=60, rpc_port=1, first_agent_port=2)

    assert DevnetParameters.from_data(parameters.as_data()) == parameters


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shards": 3}, "4 to 255 shards"),
        ({"shards": 256}, "4 to 255 shards"),
        ({"agents": 0}, "every agent gets a shard"),
        ({"agents": 31}, "every agent gets a shard"),
        ({"regions": 0}, "each has an agent"),
        ({"agents": 2, "regions": 3}, "each has an agent"),
    ],
)
def test_parameters__out_of_bounds__are_refused_in_words(changes: dict[str, int], words: str) -> None:
    with pytest.raises(DevnetParametersWrong, match=words):
        DevnetParameters(**changes)  # type: ignore[arg-type]  # amounts are not among the changes


def test_deployment_parameters__an_epoch_too_short__is_refused() -> None:
    with pytest.raises(ParameterOutOfBounds):
        deployment_parameters(DevnetParameters(epoch_seconds=MINIMUM_EPOCH_SECONDS - 1))
