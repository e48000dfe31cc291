"""What an RPC endpoint may answer instead of blocks and logs: nonsense is named as such, with the endpoint's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.chain.test_events import DEPLOYMENT
from walrus_chain.chain.network import Chain
from walrus_chain.chain.provider import Call, ChainProvider
from walrus_chain.errors import UnexpectedAnswer

BLOCK = {"number": "0x7", "hash": "0x" + "07" * 32, "timestamp": "0x10"}
LOG = {
    "address": DEPLOYMENT.address("BlobRegistry"),
    "blockHash": BLOCK["hash"],
    "blockNumber": "0x7",
    "blockTimestamp": "0x10",
    "data": "0x",
    "logIndex": "0x0",
    "topics": [],
    "transactionHash": "0x" + "01" * 32,
}


class Endpoint(ChainProvider):
    """Answers every look at the chain with the same block and logs."""

    def __init__(self, block: object, logs: object) -> None:
        super().__init__(["http://rpc.test"], 1)
        self._block, self._logs = block, logs

    async def known(self, block: object, calls: Sequence[Call]) -> list[Any]:
        return [self._logs if name == "eth_getLogs" else self._block for name, _ in calls]


@pytest.mark.parametrize(
    ("block", "logs"),
    [
        (None, []),
        ({}, []),
        ({**BLOCK, "hash": "0x07"}, []),
        ({**BLOCK, "timestamp": hex(2**63)}, []),
        ({**BLOCK, "number": hex(2**70)}, []),
        ({**BLOCK, "number": 7}, []),
        (BLOCK, None),
        (BLOCK, [None]),
        (BLOCK, [{}]),
        (BLOCK, [{**LOG, "logIndex": "x"}]),
        (BLOCK, [{**LOG, "address": None}]),
        (BLOCK, [{**LOG, "topics": [1]}]),
        (BLOCK, [{**LOG, "blockTimestamp": "soon"}]),
    ],
)
async def test_span__nonsense__named_with_its_endpoint(block: object, logs: object) -> None:
    provider = Endpoint(block, logs)

    with pytest.raises(UnexpectedAnswer) as error:
        await Chain(provider, DEPLOYMENT).span(6, 7)

    assert "rpc.test" in str(error.value)
    await provider.aclose()
