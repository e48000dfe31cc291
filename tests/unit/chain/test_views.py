"""The network's clock, as Python reckons it from one reading."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.chain.views import NetworkParameters
from walrus_chain.types import Epoch, Wei


def parameters(current_epoch: int, epoch_start: int, epoch_seconds: int) -> NetworkParameters:
    return NetworkParameters(
        shards=10,
        faults=3,
        committee_epoch=Epoch(1),
        current_epoch=Epoch(current_epoch),
        epoch_start=epoch_start,
        epoch_seconds=epoch_seconds,
        unit_bytes=65536,
        unit_price=Wei(1),
        write_fee=Wei(1),
        maximum_epochs=10,
        minimum_stake=Wei(1),
        total_stake=Wei(1),
        unbonding_epochs=7,
        maximum_commission_bps=5000,
        selected_epoch=Epoch(0),
        pending_shards=frozenset(),
        nodes=1,
        objects=0,
    )


def test_epoch_at__borders() -> None:
    network = parameters(3, 1200, 100)
    assert network.genesis == 1000
    assert [network.epoch_at(moment) for moment in (1000, 1099, 1100, 1200, 1299, 1300)] == [1, 1, 2, 3, 3, 4]
    assert network.quorum == 7


@given(st.integers(1, 2**32 - 1), st.integers(1, 10**8), st.integers(0, 2**40), st.integers(0, 10**8))
def test_start_of__and_epoch_at__agree(epoch: int, seconds: int, genesis: int, later: int) -> None:
    network = parameters(epoch, genesis + (epoch - 1) * seconds, seconds)
    assert network.genesis == genesis
    assert network.start_of(Epoch(epoch)) == network.epoch_start
    assert network.epoch_at(network.start_of(Epoch(epoch)) + later % seconds) == epoch
