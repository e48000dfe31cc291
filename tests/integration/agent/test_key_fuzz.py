"""I9 against a live agent: no request spoilt in any way, and no bytes of any kind, get a share that they should not."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage_agent.daemon import RunningAgent, run_agent
from storage_agent.keys.request import KeyRequest
from storage_agent.observe import Metrics
from tests.fakes.readers import Reader
from tests.fakes.spoiling import spoilt
from tests.integration.agent.network import agent_network
from tests.integration.agent.private_data import (
    PRICE,
    PrivateData,
    access_of,
    channels_of,
    open_channel,
    paid_policy,
    policy,
    private_object,
)
from walrus_chain.messages.receipt import Receipt
from walrus_chain.types import BlobObjectId, ChannelId, Wei

EXAMPLES: Final = 100
#: What the agent may answer: docs/spec/09-agent-http.md.
REFUSALS: Final = frozenset({400, 401, 402, 403, 404, 408, 409, 410, 413, 422, 425, 429, 503})
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@dataclass
class Target:
    """A live agent, seen from another thread, and what it may release."""

    url: str
    rpc: str
    metrics: Metrics
    reader: Reader
    free: PrivateData
    closed: PrivateData
    paid: PrivateData
    channel: ChannelId
    released: int = 0
    vouchers: int = 0
    sequence: int = 0

    def head(self) -> bytes:
        """The newest block."""
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["latest", False]}
        return bytes.fromhex(httpx.post(self.rpc, json=question).json()["result"]["hash"][2:])

    def bodies(self) -> list[dict[str, Any]]:
        """Requests that are signed rightly: for what is free, what is paid, what is closed, and by somebody else."""
        at, self.sequence = self.head(), self.sequence + 1
        paid: dict[str, Any] = {"blob_object": self.paid.blob_object, "sequence": self.sequence}
        voucher = self.reader.voucher(self.channel, (self.sequence + 1) * PRICE, PRICE, **paid)
        other = Reader("somebody else", self.reader.access, self.reader.channels, self.reader.now, self.reader.node)
        return [
            self.reader.body(at, blob_object=self.free.blob_object),
            self.reader.body(at, voucher=voucher, **paid),
            self.reader.body(at, blob_object=self.closed.blob_object),
            other.body(at, blob_object=self.free.blob_object),
        ]

    def send(self, content: bytes) -> None:
        """Send a body, and see that what comes is right."""
        answer = httpx.post(f"{self.url}/v1/keys", content=content, timeout=30)
        if answer.status_code == 200:
            self.released += 1
            self.check_release(json.loads(content), answer.json())
            return
        assert answer.status_code in REFUSALS, answer.text
        assert "share" not in answer.json()

    def check_release(self, body: dict[str, Any], answer: dict[str, Any]) -> None:
        """Whoever got a share was allowed to, signed for it, and paid."""
        asked = KeyRequest.from_data(body)
        request, grant = asked.request, asked.grant
        assert request.blob_object in (self.free.blob_object, self.paid.blob_object)
        grant.verify(asked.grant_signature, self.reader.access)
        request.verify(asked.request_signature, grant, self.reader.access)
        assert request.node == self.reader.node
        receipt = Receipt.from_data(answer["receipt"])
        assert receipt.request == request.digest(self.reader.access)
        assert (receipt.amount >= PRICE) == (request.blob_object == self.paid.blob_object)


def fuzz(target: Target) -> None:
    """All that is tried, one after the other."""
    much = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

    @much
    @given(data=st.data())
    def spoilt_requests(data: st.DataObject) -> None:
        valid = target.bodies()
        chosen = data.draw(st.integers(0, len(valid) - 1))
        target.send(json.dumps(data.draw(spoilt(valid[chosen], valid))).encode())

    @much
    @given(content=st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
    def other_bytes(content: bytes) -> None:
        target.send(content)

    spoilt_requests()
    other_bytes()


async def test_i9__live_agent_and_any_request__no_share_without_permission_and_payment(tmp_path: Path) -> None:
    async with agent_network(tmp_path, nodes=1, shards=10, block_seconds=1) as network:
        [member] = network.committee.members
        made = network.settings[0]
        unhurried = replace(made, access=replace(made.access, requests_per_second=10_000, burst=10_000))
        async with run_agent(unhurried) as agent:
            await network.wait_ready(member)
            reader = Reader(
                "reader", access_of(network), channels_of(network), lambda: int(time.time()), member.node_id
            )
            nobody = network.owner.address
            price, pool = await paid_policy(network)
            target = Target(
                member.url,
                made.chain.rpc[0],
                agent.metrics,
                reader,
                free=await private_object(network, await policy(network, "DenyList", ["address"], nobody), seed=1),
                closed=await private_object(network, await policy(network, "AllowList", ["address"], nobody), seed=2),
                paid=await private_object(network, price, seed=3),
                channel=await open_channel(network, reader, pool, Wei(1000 * PRICE)),
            )
            await asyncio.to_thread(fuzz, target)
            _check_record(agent, target)


def _check_record(agent: RunningAgent, target: Target) -> None:
    """As many receipts as answers, every payment taken is payable, and nothing was a mistake of the agent."""
    ledger = agent.catalogue.ledger
    receipts: list[Receipt] = []
    while page := ledger.receipts(after=len(receipts)):
        receipts += [Receipt.from_data(row.receipt.data) for row in page]
    assert len(receipts) == target.released > 0
    assert BlobObjectId(target.closed.blob_object) not in {receipt.blob_object for receipt in receipts}
    paid = {receipt.use: receipt for receipt in receipts if receipt.channel}
    best = max((promise.cumulative for promise in ledger.promises()), default=0)
    assert sum(receipt.amount for receipt in paid.values()) <= best or not paid
    mistakes = target.metrics.value("walrus_agent_requests_total", {"route": "POST /v1/keys", "status": "500"})
    assert not mistakes
    assert not agent.failed.done()
