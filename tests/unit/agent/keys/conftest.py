"""A node's desk over a chain on which object 1 is free to read, and object 2 costs 100 wei, paid to pool 7."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.access_chain import FakeAccessChain, verdict
from tests.fakes.key_desk import Bench
from walrus_chain.types import BlobObjectId

FREE, PAID = BlobObjectId(1), BlobObjectId(2)
PRICE, POOL, CHANNEL, DEPOSIT = 100, 7, 3, 1000


@pytest.fixture
def chain(tmp_path: Path) -> FakeAccessChain:
    made = FakeAccessChain()
    made.now.rules = {FREE: verdict(), PAID: verdict(price=PRICE, pool=POOL)}
    made.mine(10)
    return made


@pytest.fixture
def bench(chain: FakeAccessChain, tmp_path: Path) -> Iterator[Bench]:
    """A node, and a reader with a channel that is long confirmed."""
    made = Bench(chain, tmp_path)
    chain.open_channel(CHANNEL, made.reader.wallet.address, POOL, DEPOSIT)
    chain.mine(5)
    yield made
    made.stop()
