"""The signed messages against the shared vectors, which another implementation of EIP-712 computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from walrus_chain.messages.attestation import InvalidityAttestation, SignedAttestation, StorageAttestation
from walrus_chain.messages.domain import nodes_domain, registry_domain
from walrus_chain.messages.node_keys import NodeKeys
from walrus_chain.messages.signing import LocalSigner, recover
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "messages.json").read_text()
)


def signer_of(case: dict[str, Any]) -> LocalSigner:
    return LocalSigner(bytes.fromhex(case["signerKey"][2:]))


@pytest.mark.parametrize("case", VECTORS["storage"])
def test_storage_attestation__digest_and_signature(case: dict[str, Any]) -> None:
    domain = registry_domain(int(case["chainId"]), Address(case["verifyingContract"]))
    attestation = StorageAttestation(
        BlobId.parse(case["blobId"]),
        BlobObjectId(int(case["blobObject"])),
        Epoch(int(case["epoch"])),
        case["deletable"],
    )
    assert attestation.digest(domain).hex() == case["digest"][2:]
    signed = attestation.sign(signer_of(case), domain)
    assert signed == SignedAttestation(attestation, case["signer"], bytes.fromhex(case["signature"][2:]))
    signed.verify(domain)


@pytest.mark.parametrize("case", VECTORS["invalidity"])
def test_invalidity_attestation__digest_and_signature(case: dict[str, Any]) -> None:
    domain = registry_domain(int(case["chainId"]), Address(case["verifyingContract"]))
    attestation = InvalidityAttestation(BlobId.parse(case["blobId"]), Epoch(int(case["epoch"])))
    assert attestation.digest(domain).hex() == case["digest"][2:]
    signed = attestation.sign(signer_of(case), domain)
    assert (signed.signer, signed.signature.hex()) == (case["signer"], case["signature"][2:])
    signed.verify(domain)


@pytest.mark.parametrize("case", VECTORS["nodeKeys"])
def test_node_keys__digest_and_proof(case: dict[str, Any]) -> None:
    domain = nodes_domain(int(case["chainId"]), Address(case["verifyingContract"]))
    keys = NodeKeys(case["operator"], case["signer"], bytes.fromhex(case["encryptionKey"][2:]))
    assert keys.digest(domain).hex() == case["digest"][2:]
    proof = keys.prove(signer_of(case), domain)
    assert proof.hex() == case["signature"][2:]
    keys.verify(proof, domain)
    assert recover(keys.digest(domain), proof) == case["signer"]


def test_vectors__every_field_changes_the_digest() -> None:
    digests = [case["digest"] for cases in VECTORS.values() for case in cases]
    assert len(digests) == len(set(digests)) == 14
