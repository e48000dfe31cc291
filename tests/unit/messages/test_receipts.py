"""A receipt is by its node and about the use that it names; a path shows it among those that were anchored."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.messages.test_access import DOMAIN, RECEIPT, SESSION, STRANGER
from walrus_chain.errors import CommitmentMismatch, MalformedMessage, RangeOutsideBlob, WrongLength, WrongSigner
from walrus_chain.messages.access import Action
from walrus_chain.messages.receipt import ReceiptTree, verify_receipt_path
from walrus_chain.types import BlobObjectId


def digests_of(count: int) -> list[bytes]:
    """Digests of so many receipts."""
    return [hashlib.sha256(bytes([index])).digest() for index in range(count)]


def test_receipt__by_its_node_about_its_use__passes() -> None:
    RECEIPT.verify(RECEIPT.sign(SESSION, DOMAIN), SESSION.address, DOMAIN)


def test_receipt__by_another_node__refused() -> None:
    with pytest.raises(WrongSigner):
        RECEIPT.verify(RECEIPT.sign(STRANGER, DOMAIN), SESSION.address, DOMAIN)


@pytest.mark.parametrize(
    "lying",
    [
        replace(RECEIPT, blob_object=BlobObjectId(8)),
        replace(RECEIPT, sequence=1),
        replace(RECEIPT, key_epoch=2),
        replace(RECEIPT, action=Action.COMPUTE),
        replace(RECEIPT, requester=STRANGER.address),
        replace(RECEIPT, use=bytes(32)),
    ],
)
def test_receipt__describes_another_use_than_it_names__refused(lying: object) -> None:
    assert isinstance(lying, type(RECEIPT))
    with pytest.raises(MalformedMessage, match="not the one that it describes"):
        lying.verify(lying.sign(SESSION, DOMAIN), SESSION.address, DOMAIN)


@given(count=st.integers(1, 40), data=st.data())
def test_path__any_receipt__shows_it_there_and_nowhere_else(count: int, data: st.DataObject) -> None:
    digests = digests_of(count)
    tree = ReceiptTree(digests)
    index = data.draw(st.integers(0, count - 1))
    path = tree.prove(index)
    verify_receipt_path(tree.root, count, index, digests[index], path)

    elsewhere = data.draw(st.integers(0, count - 1).filter(lambda other: other != index)) if count > 1 else None
    if elsewhere is not None:
        with pytest.raises((CommitmentMismatch, WrongLength)):
            verify_receipt_path(tree.root, count, elsewhere, digests[index], path)
    with pytest.raises((CommitmentMismatch, WrongLength)):
        verify_receipt_path(tree.root, count + 1, index, digests[index], path)
    with pytest.raises(CommitmentMismatch):
        verify_receipt_path(tree.root, count, index, bytes(32), path)
    with pytest.raises(WrongLength):
        verify_receipt_path(tree.root, count, index, digests[index], [*path, bytes(32)])


def test_root__one_receipt_more_or_less_or_swapped__another() -> None:
    digests = digests_of(5)
    roots = {
        ReceiptTree(list_of).root
        for list_of in (digests, digests[:4], [*digests, bytes(32)], digests[::-1], [digests[1], *digests[1:]])
    }
    assert len(roots) == 5
    assert bytes(32) not in roots


def test_root__of_a_single_receipt__is_not_the_receipt() -> None:
    [digest] = digests_of(1)
    assert ReceiptTree([digest]).root != digest


def test_tree__none_or_broken_digests__refused() -> None:
    with pytest.raises(RangeOutsideBlob, match="no receipt to anchor"):
        ReceiptTree([])
    with pytest.raises(WrongLength):
        ReceiptTree([bytes(31)])
    with pytest.raises(WrongLength):
        ReceiptTree([*digests_of(2), bytes(64)])


@pytest.mark.parametrize(("count", "index"), [(0, 0), (5, 5), (5, -1), (2**64, 1)])
def test_path__place_that_is_not_there__refused(count: int, index: int) -> None:
    with pytest.raises(RangeOutsideBlob):
        verify_receipt_path(bytes(32), count, index, bytes(32), [])
    with pytest.raises(RangeOutsideBlob):
        ReceiptTree(digests_of(5)).prove(5)
