"""RPC endpoints that fail, lag, lie about who they are or limit what they answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from eth_utils.address import to_checksum_address

from tests.integration.chain.local import ALICE, BLOB, BOB, LocalNetwork
from tests.integration.chain.rpc_server import RpcServer, rpc_server
from walrus_chain.chain.anvil import AnvilOptions, running_anvil
from walrus_chain.chain.artifacts import artifact
from walrus_chain.chain.events import BlobRegistered
from walrus_chain.chain.library_rejections import NotEnoughWal
from walrus_chain.chain.network import Chain
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.chain.sender import Sender
from walrus_chain.chain.transactions import Receipt
from walrus_chain.chain.views import Attribute
from walrus_chain.errors import (
    BlockUnknown,
    NoEndpoint,
    RpcRefused,
    RpcUnavailable,
    TransactionPending,
    UnexpectedAnswer,
    WrongChain,
)
from walrus_chain.types import Address, Wei

pytestmark = pytest.mark.integration

PATIENCE = 3.0
"""Seconds that an endpoint has: short for the tests that wait it out, long enough for a busy machine."""


@pytest.fixture
async def server(network: LocalNetwork) -> AsyncIterator[RpcServer]:
    """An endpoint in front of the network's chain that works until told otherwise."""
    async with rpc_server(network.url) as server:
        yield server


@pytest.fixture
async def through(network: LocalNetwork, server: RpcServer) -> AsyncIterator[Chain]:
    """The network through that endpoint alone."""
    async with Chain.connect([server.url], network.chain.deployment, timeout=PATIENCE) as chain:
        yield chain


@pytest.fixture
async def both(network: LocalNetwork, server: RpcServer) -> AsyncIterator[Chain]:
    """The network through that endpoint first, and the chain itself second."""
    async with Chain.connect([server.url, network.url], network.chain.deployment, timeout=PATIENCE) as chain:
        yield chain


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"status": 500}, "HTTP status 500"),
    ({"status": 429}, "HTTP status 429"),
    ({"body": b"<html>"}, "not JSON"),
    ({"body": b"{}"}, "not JSON-RPC"),
    ({"body": b"[]"}, "not JSON-RPC"),
    ({"stalls": True}, "no answer in time"),
    ({"drops": 99}, "isconnected"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=[words for _, words in FAULTS])
async def test_request__endpoint_fails__says_which_and_why_but_no_secret(
    server: RpcServer, through: Chain, fault: dict[str, Any], words: str
) -> None:
    await through.head()
    for name, value in fault.items():
        setattr(server, name, value)
    with pytest.raises(RpcUnavailable, match=words) as caught:
        await through.parameters()
    assert "http://127.0.0.1:" in str(caught.value)
    assert "secret" not in str(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=[words for _, words in FAULTS])
async def test_request__first_endpoint_fails__the_second_answers_and_stays_preferred(
    server: RpcServer, both: Chain, fault: dict[str, Any], words: str
) -> None:
    await both.head()
    for name, value in fault.items():
        setattr(server, name, value)
    assert (await both.parameters()).shards == 10
    asked = len(server.asked)
    await both.parameters()
    assert len(server.asked) == asked
    assert "secret" not in both.provider.endpoint


async def test_request__nobody_listens__unavailable(network: LocalNetwork) -> None:
    async with Chain.connect(["http://127.0.0.1:1"], network.chain.deployment) as chain:
        with pytest.raises(RpcUnavailable, match=r"http://127\.0\.0\.1:1: .*refused"):
            await chain.parameters()


async def test_request__kept_connection_was_closed__asks_again_unnoticed(server: RpcServer, through: Chain) -> None:
    await through.head()
    server.drops = 1
    assert (await through.parameters()).shards == 10


@pytest.mark.parametrize("urls", [[], ["ws://127.0.0.1:1"], ["127.0.0.1:8545"], [""], ["http://"]])
def test_provider__no_http_url__says_what_one_looks_like(urls: list[str]) -> None:
    with pytest.raises(NoEndpoint, match=r"http://127\.0\.0\.1:8545"):
        ChainProvider(urls)


async def test_request__endpoint_of_another_chain__is_passed_over(network: LocalNetwork) -> None:
    async with (
        running_anvil(AnvilOptions(chain_id=5)) as other,
        Chain.connect([other.url, network.url], network.chain.deployment) as chain,
    ):
        assert (await chain.parameters()).shards == 10
        assert chain.provider.endpoint == network.url
        async with Chain.connect([other.url], network.chain.deployment) as alone:
            with pytest.raises(WrongChain, match="serves chain 5"):
                await alone.parameters()


async def test_request__chain_id_is_nonsense__says_so(server: RpcServer, through: Chain) -> None:
    server.rewrite = lambda call: {"result": None} if call["method"] == "eth_chainId" else None
    with pytest.raises(UnexpectedAnswer, match="eth_chainId"):
        await through.parameters()


async def test_request__refused_by_the_endpoint__is_not_asked_elsewhere(server: RpcServer, both: Chain) -> None:
    with pytest.raises(RpcRefused) as caught:
        await both.provider.request("eth_nonsense")
    assert (caught.value.method, both.provider.endpoint) == ("eth_nonsense", caught.value.endpoint)


async def test_request__over_its_limit__another_one_answers(
    network: LocalNetwork, server: RpcServer, both: Chain
) -> None:
    server.rewrite = lambda call: (
        {"error": {"code": -32005, "message": "slow down"}} if call["method"] == "eth_call" else None
    )
    assert (await both.parameters()).shards == 10
    assert both.provider.endpoint == network.url


async def test_events__endpoint_lags__never_taken_for_all_there_is(
    network: LocalNetwork, server: RpcServer, through: Chain, both: Chain
) -> None:
    start = (await network.chain.head()).number
    await network.register()
    head = await network.chain.head()
    server.newest = start
    with pytest.raises(BlockUnknown):
        await through.events(start + 1, head.number)
    events = await both.events(start + 1, head.number)
    assert any(isinstance(event, BlobRegistered) for event in events)
    server.newest = None
    assert await through.events(start + 1, head.number) == events


async def test_block__not_there_yet__try_again(network: LocalNetwork) -> None:
    head = await network.chain.head()
    with pytest.raises(BlockUnknown):
        await network.chain.block(head.number + 1)
    with pytest.raises(BlockUnknown):
        await network.chain.events(1, head.number + 1)
    assert await network.chain.events(5, 4) == ()


@pytest.mark.parametrize("code", [-32005, -32000])
async def test_events__endpoint_limits_the_range__asked_in_parts(
    network: LocalNetwork, server: RpcServer, through: Chain, code: int
) -> None:
    for _ in range(3):
        await network.register()
    head = (await network.chain.head()).number

    def limit(call: dict[str, Any]) -> dict[str, Any] | None:
        if call["method"] != "eth_getLogs":
            return None
        query = call["params"][0]
        last = head if query["toBlock"] == "latest" else int(query["toBlock"], 16)
        if last - int(query["fromBlock"], 16) < 4:
            return None
        return {"error": {"code": code, "message": "query exceeds max block range 4"}}

    server.rewrite = limit
    assert await through.events(1, head) == await network.chain.events(1, head)
    assert [blob.id for blob in await through.objects_of(BLOB)] == [1, 2, 3]


async def test_span__blocks_around_and_all_events(network: LocalNetwork, through: Chain) -> None:
    start = (await network.chain.head()).number
    await network.register()
    await network.rpc("evm_mine")
    head = (await network.chain.head()).number
    span = await through.span(start, head)
    assert [block.number for block in span.blocks] == list(range(start, head + 1))
    assert list(span.blocks) == [await network.chain.block(number) for number in range(start, head + 1)]
    assert span.events == await network.chain.events(start + 1, head)
    assert any(isinstance(event, BlobRegistered) for event in span.events)


async def test_span__long_or_refused__same_events(network: LocalNetwork, server: RpcServer, through: Chain) -> None:
    await network.register()
    for _ in range(20):
        await network.rpc("evm_mine")
    head = (await network.chain.head()).number
    whole = await through.span(0, head)
    assert [block.number for block in whole.blocks] == [0, head]
    assert whole.events == await network.chain.events(1, head)

    def limit(call: dict[str, Any]) -> dict[str, Any] | None:
        query = call["params"][0] if call["method"] == "eth_getLogs" else None
        if query is None or int(query["toBlock"], 16) - int(query["fromBlock"], 16) < 8:
            return None
        return {"error": {"code": -32000, "message": "query exceeds max block range 8"}}

    server.rewrite = limit
    assert await through.span(0, head) == whole


async def test_span__endpoint_lags__never_taken_for_all_there_is(
    network: LocalNetwork, server: RpcServer, through: Chain
) -> None:
    start = (await network.chain.head()).number
    await network.register()
    server.newest = start
    with pytest.raises(BlockUnknown):
        await through.span(start, start + 1)


async def test_events__logs_without_time__blocks_are_asked_for(
    network: LocalNetwork, server: RpcServer, through: Chain
) -> None:
    await network.register()
    head = (await network.chain.head()).number
    events = await network.chain.events(1, head)
    plain = await network.chain.provider.request("eth_getLogs", {"fromBlock": "0x1", "toBlock": hex(head)})
    for log in plain:
        log.pop("blockTimestamp", None)
    server.rewrite = lambda call: {"result": plain} if call["method"] == "eth_getLogs" else None
    assert await through.events(1, head) == events


async def test_head__with_confirmations__stays_behind(network: LocalNetwork) -> None:
    head = await network.chain.head()
    assert await network.chain.head(3) == await network.chain.block(head.number - 3)
    assert (await network.chain.head(10**6)).number == 0


async def test_reorganisation__blocks_and_events_follow_the_new_fork(network: LocalNetwork) -> None:
    receipt = await network.register()
    old = await network.chain.block(receipt.block)
    assert any(isinstance(event, BlobRegistered) for event in await network.chain.events(old.number, old.number))
    await network.rpc("evm_mine")
    await network.rpc("anvil_reorg", 2, [])
    new = await network.chain.block(old.number)
    assert new.hash != old.hash
    events = await network.chain.events(old.number, (await network.chain.head()).number)
    assert not any(isinstance(event, BlobRegistered) for event in events)
    assert (await network.chain.parameters()).objects == 0


async def test_events__reorganised_between_block_and_logs__refused(
    network: LocalNetwork, server: RpcServer, through: Chain
) -> None:
    receipt = await network.register()
    stale = await network.chain.provider.request(
        "eth_getLogs", {"fromBlock": hex(receipt.block), "toBlock": hex(receipt.block)}
    )
    for log in stale:
        log["blockHash"] = "0x" + "99" * 32
    server.rewrite = lambda call: {"result": stale} if call["method"] == "eth_getLogs" else None
    with pytest.raises(BlockUnknown):
        await through.events(receipt.block, receipt.block)


async def test_send__answer_gets_lost__happens_once_all_the_same(
    network: LocalNetwork, server: RpcServer, both: Chain
) -> None:
    alice = Sender(both, ALICE)
    await alice.send_wal(Address(BOB.address), Wei(1))
    server.loses = "eth_sendRawTransaction"
    await alice.send_wal(Address(BOB.address), Wei(1))
    assert server.asked.count("eth_sendRawTransaction") == 3
    assert (await network.chain.balances(Address(BOB.address))).wal == 2


async def or_ends(awaited: Coroutine[None, None, None], call: asyncio.Task[Receipt]) -> None:
    """Waits for something while a call is under way; the call's error ends the wait."""
    waiting = asyncio.create_task(awaited)
    await asyncio.wait({waiting, call}, return_when=asyncio.FIRST_COMPLETED)
    if call.done():
        waiting.cancel()
        call.result()


async def test_send__all_endpoints_down_after_sending__waits_and_gets_its_receipt(
    network: LocalNetwork, server: RpcServer, through: Chain
) -> None:
    alice = Sender(through, ALICE)
    await alice.send_wal(Address(BOB.address), Wei(1))
    await network.rpc("evm_setAutomine", False)
    call = asyncio.create_task(alice.send_wal(Address(BOB.address), Wei(1)))
    await or_ends(server.will_be_asked("eth_getTransactionReceipt", 3), call)
    server.status = 503
    # One more: the question that was under way, and may still be answered from the chain, is over then.
    await or_ends(server.will_be_asked("eth_getTransactionReceipt", 1), call)
    await network.rpc("evm_mine")
    await or_ends(server.will_be_asked("eth_getTransactionReceipt", 3), call)
    assert not call.done()
    server.status = 200
    assert (await call).gas_used > 21_000


async def test_send__endpoint_dies_while_sending__says_that_it_may_have_arrived(
    server: RpcServer, through: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("walrus_chain.chain.transactions._BROADCAST_PAUSES", (0.01, 0.01))
    server.loses = "eth_sendRawTransaction"
    with pytest.raises(TransactionPending, match="may still"):
        await Sender(through, ALICE).send_wal(Address(BOB.address), Wei(1))


async def test_send__a_call_like_an_earlier_one__is_not_estimated_again(server: RpcServer, through: Chain) -> None:
    alice = Sender(through, ALICE)
    for amount in (1, 2):
        await alice.send_wal(Address(BOB.address), Wei(amount))
    assert server.asked.count("eth_estimateGas") == 1
    with pytest.raises(NotEnoughWal):
        await alice.send_wal(Address(BOB.address), Wei(10**30))
    await alice.send_wal(Address(BOB.address), Wei(3))
    assert server.asked.count("eth_estimateGas") == 2


async def test_send__a_call_like_an_earlier_one_that_takes_more_gas__is_estimated_again(
    network: LocalNetwork, server: RpcServer, through: Chain
) -> None:
    blob = (await network.register()).objects[0]
    await network.alice.set_attributes(blob, [Attribute("k0", "v" * 200)])
    alice = Sender(through, ALICE)
    cheap = await alice.set_attributes(blob, [Attribute("k0", "w" * 200)])
    dear = await alice.set_attributes(blob, [Attribute("k1", "v" * 200)])
    assert dear.gas_used > 1.5 * cheap.gas_used
    assert server.asked.count("eth_estimateGas") == 2
    assert [attribute.key for attribute in await network.chain.attributes(blob)] == ["k0", "k1"]


async def test_web3__through_the_bridge__has_the_same_fail_over(
    network: LocalNetwork, server: RpcServer, both: Chain
) -> None:
    server.status = 500
    web3 = both.provider.web3()
    assert await web3.is_connected()
    assert await web3.eth.chain_id == 31337
    head = await network.chain.head()
    block = await web3.eth.get_block(head.number)
    assert (bytes(block["hash"]), block["timestamp"]) == (head.hash, head.timestamp)
    wal = web3.eth.contract(
        address=to_checksum_address(network.chain.deployment.address("WAL")),
        abi=artifact("WAL").abi,
    )
    assert await wal.functions.symbol().call() == "WAL"


def _of_other_fork(call: dict[str, Any]) -> dict[str, Any] | None:
    """What endpoints say to a call at a block that they left; some still know the block itself."""
    if call["method"] != "eth_call" or not isinstance(call["params"][1], dict):
        return None
    return {"error": {"code": -32000, "message": "hash is not currently canonical"}}


async def test_call_at_a_block__on_an_endpoint_of_another_fork__the_next_one_answers(
    network: LocalNetwork, server: RpcServer, through: Chain, both: Chain
) -> None:
    server.rewrite = _of_other_fork
    at = (await network.chain.head()).hash
    with pytest.raises(BlockUnknown):
        await through.call("Committee", "shards", at=at)
    assert await both.call("Committee", "shards", at=at) == 10


async def test_call_at_a_block__that_the_first_endpoint_has_not_seen__the_next_one_answers(
    network: LocalNetwork, server: RpcServer, through: Chain, both: Chain
) -> None:
    lagging: dict[str, dict[str, Any]] = {
        "eth_getBlockByHash": {"result": None},
        "eth_call": {"error": {"code": -32000, "message": "header not known"}},
    }
    server.rewrite = lambda call: lagging.get(call["method"])
    at = (await network.chain.head()).hash
    with pytest.raises(BlockUnknown):
        await through.call("Committee", "shards", at=at)
    assert await both.call("Committee", "shards", at=at) == 10
