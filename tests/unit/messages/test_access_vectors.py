"""The messages of access to data against the shared vectors, which another implementation of EIP-712 computed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from walrus_chain.messages.access import AccessRequest, JobGrant, SessionGrant, Use
from walrus_chain.messages.domain import Domain, access_domain, channels_domain, type_hash
from walrus_chain.messages.erasable import ErasableKey
from walrus_chain.messages.receipt import Receipt, ReceiptTree, verify_receipt_path
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.messages.typed import TypedMessage
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import Address

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "access.json").read_text()
)
KINDS: tuple[tuple[str, type[TypedMessage], Callable[[int, Address], Domain]], ...] = (
    ("grants", SessionGrant, access_domain),
    ("jobGrants", JobGrant, access_domain),
    ("uses", Use, access_domain),
    ("requests", AccessRequest, access_domain),
    ("receipts", Receipt, access_domain),
    ("erasableKeys", ErasableKey, access_domain),
    ("vouchers", Voucher, channels_domain),
)
CASES = [(kind, domain, case) for name, kind, domain in KINDS for case in VECTORS[name]]


def unhex(text: str) -> bytes:
    """The bytes of 0x and hex digits."""
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize(("kind", "domain_of", "case"), CASES)
def test_messages__vector__digest_signature_and_data(
    kind: type[TypedMessage], domain_of: Callable[[int, Address], Domain], case: dict[str, Any]
) -> None:
    domain = domain_of(int(case["chainId"]), Address(case["verifyingContract"]))
    message = kind.from_data(case["data"])

    assert type_hash(kind.TYPE) == unhex(case["typeHash"])
    assert message.digest(domain) == unhex(case["digest"])
    assert message.sign(LocalSigner(unhex(case["signerKey"])), domain) == unhex(case["signature"])
    message.verify_by(case["signer"], unhex(case["signature"]), domain)
    assert message.as_data() == case["data"]
    assert json.loads(json.dumps(message.as_data())) == case["data"]


def test_messages__all_vectors__every_change_changes_the_digest() -> None:
    digests = [case["digest"] for _, _, case in CASES]
    # Two vouchers differ in nothing but who signed them.
    assert (len(digests), len(set(digests))) == (67, 66)


@pytest.mark.parametrize("case", VECTORS["receiptTrees"])
def test_receipt_tree__vector__root_and_paths(case: dict[str, Any]) -> None:
    digests = [unhex(digest) for digest in case["digests"]]
    tree = ReceiptTree(digests)

    assert tree.root == unhex(case["root"])
    for index, path in enumerate(case["paths"]):
        assert tree.prove(index) == [unhex(node) for node in path]
        verify_receipt_path(tree.root, len(digests), index, digests[index], tree.prove(index))
