"""Texts on chain that are no texts: one of them in a log must not stop whoever reads all logs."""

from __future__ import annotations

from eth_abi.abi import encode as encode_strictly
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.chain.abi import interface
from walrus_chain.chain.abi_codec import decode, encode
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.deployments import CONTRACTS, Deployment
from walrus_chain.chain.events import AttributeSet
from walrus_chain.chain.logs import LogDecoder, topic_of
from walrus_chain.chain.reverts import decode_revert
from walrus_chain.types import Address

DEPLOYMENT = Deployment(
    "test", 1, 1, {contract: Address(f"0x{place + 1:040x}") for place, contract in enumerate(CONTRACTS)}
)
BLOCK = BlockRef(7, b"\x07" * 32, 1_700_000_000)


@given(st.text())
def test_text__comes_back(text: str) -> None:
    assert encode(["string"], [text]) == encode_strictly(["string"], [text])
    assert decode(["string"], encode(["string"], [text])) == (text,)


@given(st.binary())
def test_any_bytes_as_text__decode(data: bytes) -> None:
    assert decode(["string"], encode(["bytes"], [data])) == (data.decode(errors="replace"),)


def test_log_with_a_text_that_is_no_utf8__decodes() -> None:
    log = {
        "address": DEPLOYMENT.address("BlobAttributes").lower(),
        "topics": ["0x" + topic_of("BlobAttributes", "AttributeSet").hex(), "0x" + (1).to_bytes(32, "big").hex()],
        "data": "0x" + encode(["bytes", "bytes"], [b"name\xff", b"\xc3\x28"]).hex(),
        "transactionHash": "0x" + "ab" * 32,
        "logIndex": "0x0",
    }
    event = LogDecoder(DEPLOYMENT).decode(log, BLOCK)
    assert isinstance(event, AttributeSet)
    assert (event.key, event.value) == ("name\ufffd", "\ufffd(")


def test_answer_with_a_text_that_is_no_utf8__decodes() -> None:
    answer = encode(["(bytes,bytes)[]"], [[(b"licence", b"\xfe\xff")]])
    assert interface("BlobAttributes")["attributesOf"].result(answer) == (("licence", "\ufffd\ufffd"),)


def test_revert_with_a_text_that_is_no_utf8__decodes() -> None:
    data = keccak(text="Error(string)")[:4] + encode(["bytes"], [b"no\xff"])
    assert "no\ufffd" in str(decode_revert(data))
