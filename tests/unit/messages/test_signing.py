"""Signatures: only the one form that the contracts take is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import MalformedPrivateKey, MalformedSignature, Untrusted, WrongSigner
from walrus_chain.messages.attestation import InvalidityAttestation, SignedAttestation, StorageAttestation
from walrus_chain.messages.domain import nodes_domain, registry_domain
from walrus_chain.messages.node_keys import NodeKeys
from walrus_chain.messages.signing import CURVE_ORDER, LocalSigner, recover
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch

SIGNER = LocalSigner(b"\x01" * 32)
OTHER = LocalSigner(b"\x02" * 32)
DOMAIN = registry_domain(31337, Address("0x" + "11" * 20))
DIGEST = bytes(range(32))
ATTESTATION = StorageAttestation(BlobId(bytes(31) + b"\x01"), BlobObjectId(1), Epoch(1), True)


@given(st.integers(1, CURVE_ORDER - 1), st.binary(min_size=32, max_size=32))
def test_recover__any_key_and_digest__gives_the_signer(key: int, digest: bytes) -> None:
    signer = LocalSigner(key.to_bytes(32, "big"))
    signature = signer.sign_digest(digest)
    assert len(signature) == 65
    assert int.from_bytes(signature[32:64], "big") <= CURVE_ORDER // 2
    assert recover(digest, signature) == signer.address


def test_recover__the_other_signature_with_high_s__refuses() -> None:
    signature = SIGNER.sign_digest(DIGEST)
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + s.to_bytes(32, "big") + bytes([27 + 28 - signature[64]])
    with pytest.raises(MalformedSignature, match="upper half"):
        recover(DIGEST, twin)


@pytest.mark.parametrize(
    "signature", [b"", bytes(64), bytes(66), bytes(64) + b"\x1b", b"\xff" * 32 + bytes(31) + b"\x01\x1b"]
)
def test_recover__what_no_key_made__refuses(signature: bytes) -> None:
    with pytest.raises(MalformedSignature):
        recover(DIGEST, signature)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_recover__another_recovery_byte__refuses(v: int) -> None:
    with pytest.raises(MalformedSignature, match="recovery byte"):
        recover(DIGEST, SIGNER.sign_digest(DIGEST)[:64] + bytes([v]))


@given(st.builds(bytes.__add__, st.binary(min_size=64, max_size=64), st.sampled_from([b"\x1b", b"\x1c", b"\x00"])))
def test_recover__random_bytes__an_address_or_a_refusal(signature: bytes) -> None:
    low_s = 0 < int.from_bytes(signature[32:64], "big") <= CURVE_ORDER // 2
    try:
        recovered = recover(DIGEST, signature)
    except MalformedSignature:
        return
    assert low_s
    assert signature[64] in (27, 28)
    assert recovered != SIGNER.address


@pytest.mark.parametrize("key", [b"", b"\x01" * 31, b"\x01" * 33, bytes(32), b"\xff" * 32])
def test_local_signer__no_private_key__refuses_without_telling_it(key: bytes) -> None:
    with pytest.raises(MalformedPrivateKey) as caught:
        LocalSigner(key)
    assert not key or key.hex() not in str(caught.value)


def test_local_signer__printed__shows_the_address_only() -> None:
    assert repr(SIGNER) == f"LocalSigner({SIGNER.address})"
    assert "01" * 32 not in repr(SIGNER)


def test_verify__claimed_by_another__says_who_signed() -> None:
    signed = SignedAttestation(ATTESTATION, SIGNER.address, ATTESTATION.sign(OTHER, DOMAIN).signature)
    with pytest.raises(WrongSigner) as caught:
        signed.verify(DOMAIN)
    assert (caught.value.expected, caught.value.actual) == (SIGNER.address, OTHER.address)


@pytest.mark.parametrize(
    "replayed",
    [
        StorageAttestation(BlobId(bytes(31) + b"\x02"), BlobObjectId(1), Epoch(1), True),
        StorageAttestation(BlobId(bytes(31) + b"\x01"), BlobObjectId(2), Epoch(1), True),
        StorageAttestation(BlobId(bytes(31) + b"\x01"), BlobObjectId(1), Epoch(2), True),
        StorageAttestation(BlobId(bytes(31) + b"\x01"), BlobObjectId(1), Epoch(1), False),
        InvalidityAttestation(BlobId(bytes(31) + b"\x01"), Epoch(1)),
    ],
)
def test_verify__signature_of_other_words__refuses(replayed: StorageAttestation | InvalidityAttestation) -> None:
    signature = ATTESTATION.sign(SIGNER, DOMAIN).signature
    with pytest.raises(WrongSigner):
        SignedAttestation(replayed, SIGNER.address, signature).verify(DOMAIN)


@pytest.mark.parametrize(
    "domain", [registry_domain(1, DOMAIN.verifying_contract), registry_domain(31337, Address("0x" + "22" * 20))]
)
def test_verify__signature_for_another_chain_or_contract__refuses(domain: object) -> None:
    assert isinstance(domain, type(DOMAIN))
    with pytest.raises(WrongSigner):
        ATTESTATION.sign(SIGNER, domain).verify(DOMAIN)


def test_prove__with_another_key_than_named__refuses() -> None:
    keys = NodeKeys(OTHER.address, SIGNER.address, bytes(32))
    with pytest.raises(WrongSigner):
        keys.prove(OTHER, nodes_domain(31337, DOMAIN.verifying_contract))


def test_verify_node_keys__other_operator__refuses() -> None:
    domain = nodes_domain(31337, DOMAIN.verifying_contract)
    proof = NodeKeys(OTHER.address, SIGNER.address, bytes(32)).prove(SIGNER, domain)
    with pytest.raises(Untrusted):
        NodeKeys(SIGNER.address, SIGNER.address, bytes(32)).verify(proof, domain)
