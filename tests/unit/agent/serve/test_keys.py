"""Keys over HTTP: answers nobody on the way may keep, refusals with their status, receipts in pages, erasable keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from storage_agent.keys.journal import root_of
from storage_agent.serve.services import ServeLimits
from tests.fakes.access_chain import ACCESS, CHANNELS, verdict
from tests.fakes.agents import Node, make_blob
from tests.fakes.key_desk import EPOCH_SECONDS
from tests.fakes.readers import Reader
from tests.unit.agent.conftest import StartNode
from walrus_chain.crypto.node_key import PublicKey
from walrus_chain.messages.erasable import ErasableKey
from walrus_chain.messages.receipt import Receipt, verify_receipt_path
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import BlobObjectId, Epoch

FREE, PAID = BlobObjectId(1), BlobObjectId(2)


@pytest.fixture
def reader(node: Node) -> Reader:
    """Somebody who may read objects 1 (free) and 2 (for 100 wei)."""
    node.access.now.rules = {FREE: verdict(), PAID: verdict(price=100, pool=7)}
    node.access.mine()
    return Reader("reader", ACCESS, CHANNELS, lambda: node.access.head_block.timestamp, node.member.node_id)


def body(at: Node, reader: Reader, /, **values: Any) -> dict[str, Any]:
    """A request at the newest block."""
    return reader.body(values.pop("block_hash", at.access.head_block.hash), **values)


async def test_keys__allowed__share_and_receipt_that_nobody_on_the_way_may_keep(node: Node, reader: Reader) -> None:
    answer = await node.raw.post(node.url("/v1/keys"), json=body(node, reader))

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    document = answer.json()
    assert set(document) == {"share", "keyId", "receipt", "receiptSignature"}
    assert len(document["share"]) == 2 + 2 * 96
    signature = bytes.fromhex(document["receiptSignature"][2:])
    Receipt.from_data(document["receipt"]).verify(signature, node.signer.address, ACCESS)


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"blob_object": PAID}, 402, "PaymentRequired"),
        ({"blob_object": BlobObjectId(3)}, 403, "Denied"),
        ({"key_epoch": 2}, 409, "StaleKeyEpoch"),
        ({"block_hash": b"\7" * 32}, 425, "BlockUnknown"),
        ({"expires_at": 1}, 401, "RequestExpired"),
        ({"node": 77}, 401, "WrongNode"),
        ({"extra": {"keyId": "0x" + "00" * 8}}, 404, "UnknownKey"),
        ({"extra": {"erasable": True}}, 410, "KeysDestroyed"),
        ({"extra": {"more": 1}}, 400, "MalformedRequest"),
    ],
)
async def test_keys__refused__status_and_code(
    node: Node, reader: Reader, values: dict[str, Any], status: int, code: str
) -> None:
    answer = await node.raw.post(node.url("/v1/keys"), json=body(node, reader, **values))

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "share" not in answer.text


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 60_000, b'{"grant": 1}'],
    ids=["empty", "list", "object", "null", "bytes", "deep", "part"],
)
async def test_keys__body_that_is_no_request__malformed(node: Node, content: bytes) -> None:
    answer = await node.raw.post(node.url("/v1/keys"), content=content)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MalformedRequest")


async def test_keys__body_of_more_than_64_kib__too_large(node: Node) -> None:
    answer = await node.raw.post(node.url("/v1/keys"), content=b" " * (2**16 + 1))

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BodyTooLarge")


async def test_keys__one_address_too_fast__told_to_wait_and_other_routes_answer(start_node: StartNode) -> None:
    node = await start_node(limits=ServeLimits(keys_per_second=0.5, key_burst=1))
    await node.raw.post(node.url("/v1/keys"), content=b"{}")
    answer = await node.raw.post(node.url("/v1/keys"), content=b"{}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "TooManyRequests")
    assert (await node.raw.get(node.url("/v1/receipts"))).status_code == 200


async def test_erasable_key__one_address_has_many_made__told_to_wait(start_node: StartNode) -> None:
    node = await start_node(limits=ServeLimits(keys_per_second=0.5, key_burst=1))
    made, refused = [
        await node.raw.post(node.url(f"/v1/objects/{node.chain.register(make_blob(100, 10).metadata)}/erasable-key"))
        for _ in range(2)
    ]
    assert (made.status_code, refused.status_code) == (200, 429)
    assert len(list((node.folder / "keys" / "erasable").iterdir())) == 1


async def test_keys__payment_required__price_as_text(node: Node, reader: Reader) -> None:
    answer = await node.raw.post(node.url("/v1/keys"), json=body(node, reader, blob_object=PAID))

    error = answer.json()["error"]
    assert (error["price"], error["pool"], error["retryable"]) == ("100", 7, False)


async def test_keys__stretch_taken__both_vouchers_shown(node: Node, reader: Reader) -> None:
    node.access.open_channel(3, reader.wallet.address, 7, 1000)
    node.access.mine(5)
    bodies = [
        body(
            node,
            reader,
            blob_object=PAID,
            sequence=sequence,
            voucher=reader.voucher(3, 100, 100, blob_object=PAID, sequence=sequence),
        )
        for sequence in (0, 1)
    ]
    await node.raw.post(node.url("/v1/keys"), json=bodies[0])
    answer = await node.raw.post(node.url("/v1/keys"), json=bodies[1])
    error = answer.json()["error"]

    assert (answer.status_code, error["code"], error["why"], error["highest"]) == (
        402,
        "VoucherRefused",
        "StretchTaken",
        "100",
    )
    for voucher, signature in (("voucher", "signature"), ("highestVoucher", "highestSignature")):
        shown = Voucher.from_data(error[voucher])
        shown.verify_by(reader.wallet.address, bytes.fromhex(error[signature][2:]), CHANNELS)


async def test_receipts__over_epochs__with_paths_once_an_epoch_is_over(node: Node, reader: Reader) -> None:
    for _ in range(3):
        await node.raw.post(node.url("/v1/keys"), json=body(node, reader))
    node.access.mine(1, EPOCH_SECONDS)
    await node.raw.post(node.url("/v1/keys"), json=body(node, reader))
    await node.catalogue.ledger.seal(Epoch(2), root_of)
    answer = (await node.raw.get(node.url("/v1/receipts?object=1"))).json()

    assert (answer["node"], answer["next"]) == (node.member.node_id, None)
    *over, last = answer["receipts"]
    assert (last["epoch"], last["anchor"]) == (2, None)
    for entry in over:
        receipt, anchor = Receipt.from_data(entry["receipt"]), entry["anchor"]
        path = [bytes.fromhex(part[2:]) for part in anchor["path"]]
        root = bytes.fromhex(anchor["root"][2:])
        verify_receipt_path(root, anchor["count"], receipt.index, receipt.digest(ACCESS), path)
        assert anchor["anchored"] is False


async def test_receipts__filters_and_pages(node: Node, reader: Reader) -> None:
    for _ in range(102):
        await node.raw.post(node.url("/v1/keys"), json=body(node, reader))
    first = (await node.raw.get(node.url("/v1/receipts"))).json()
    second = (await node.raw.get(node.url(f"/v1/receipts?after={first['next']}"))).json()

    assert (len(first["receipts"]), len(second["receipts"]), second["next"]) == (100, 2, None)
    for query in ("object=9", "epoch=9", f"object={10**30}", f"after={10**30}"):
        assert (await node.raw.get(node.url(f"/v1/receipts?{query}"))).json()["receipts"] == []
    assert (await node.raw.get(node.url("/v1/receipts?objekt=1"))).status_code == 400


async def test_receipts__of_many_epochs__take_few_trees_a_page(node: Node, reader: Reader) -> None:
    for _ in range(10):
        await node.raw.post(node.url("/v1/keys"), json=body(node, reader))
        node.access.mine(1, EPOCH_SECONDS)
    await node.catalogue.ledger.seal(Epoch(11), root_of)
    found: list[int] = []
    after: int | None = 0
    while after is not None:
        page = (await node.raw.get(node.url(f"/v1/receipts?object=1&after={after}"))).json()
        assert len(page["receipts"]) <= 4
        assert all(entry["anchor"] is not None for entry in page["receipts"])
        found += [entry["epoch"] for entry in page["receipts"]]
        after = page["next"]
    assert found == list(range(1, 11))


async def test_erasable_key__of_a_live_object__made_once_and_signed(node: Node) -> None:
    number = node.chain.register(make_blob(100, 10).metadata)
    path = node.url(f"/v1/objects/{number}/erasable-key")
    answer = (await node.raw.post(path)).json()

    key = bytes.fromhex(answer["publicKey"][2:])
    message = ErasableKey(node.member.node_id, number, key)
    message.verify_by(node.signer.address, bytes.fromhex(answer["signature"][2:]), ACCESS)
    assert PublicKey(key).key_id
    assert (await node.raw.post(path)).json() == answer


async def test_erasable_key__no_such_object__refused_and_nothing_is_made(node: Node) -> None:
    for number in (99, 10**40):
        answer = await node.raw.post(node.url(f"/v1/objects/{number}/erasable-key"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "UnknownObject")
    assert not (node.folder / "keys").exists()


async def test_erasable_key__destroyed__never_made_again(node: Node) -> None:
    number = node.chain.register(make_blob(100, 10).metadata)
    path = node.url(f"/v1/objects/{number}/erasable-key")
    await node.raw.post(path)
    await node.desk.erasable.destroy(number)

    answer = await node.raw.post(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "KeysDestroyed")


async def test_keys__answers__hold_no_secret_of_the_node(node: Node, reader: Reader) -> None:
    answer = await node.raw.post(node.url("/v1/keys"), json=body(node, reader))
    status = await node.raw.get(node.url("/metrics"))

    for key in node.master_keys:
        assert key.to_bytes().hex() not in json.dumps(answer.json()) + status.text
