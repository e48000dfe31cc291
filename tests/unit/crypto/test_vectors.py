"""Keys, envelopes and encrypted data against vectors that other libraries computed."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from walrus_chain.crypto.chunks import ChunkCipher, EncryptingReader, StreamOpener, ciphertext_size, derive_data_key
from walrus_chain.crypto.envelope import KeyEnvelope, Recipient, seal
from walrus_chain.crypto.node_key import MasterKey, node_key, parse_node_key
from walrus_chain.crypto.outputs import open_output, sealed_output_size
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.crypto.threshold import KeyIdentity, identity_point, make_share
from walrus_chain.errors import SealNotOpened
from walrus_chain.types import Address, BlobObjectId, NodeId

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "envelopes.json").read_text()
)


def unhex(text: str) -> bytes:
    """The bytes of 0x and hex digits."""
    return bytes.fromhex(text.removeprefix("0x"))


def drawing(chances: list[str]) -> Callable[[int], bytes]:
    """Chance that gives these bytes, one after the other."""
    left = iter(chances)

    def random(length: int) -> bytes:
        chance = unhex(next(left))
        assert len(chance) == length
        return chance

    return random


def identity_of(case: dict[str, Any]) -> KeyIdentity:
    """The identity that a case writes out."""
    return KeyIdentity(
        int(case["chainId"]),
        Address(case["blobPolicies"]),
        Address(case["accessPolicy"]),
        BlobObjectId(int(case["blobObject"])),
        case["keyEpoch"],
    )


@pytest.mark.parametrize("case", VECTORS["nodeKeys"])
def test_node_key__vector__same_bytes(case: dict[str, Any]) -> None:
    key = MasterKey(unhex(case["masterKey"]))

    assert key.public.data == unhex(case["publicKey"])
    assert key.public.key_id == unhex(case["keyId"])
    assert node_key(key, case["signer"]) == unhex(case["nodeKey"])
    assert parse_node_key(unhex(case["nodeKey"]), case["signer"]) == key.public


@pytest.mark.parametrize("case", VECTORS["envelopes"])
def test_envelope__vector__sealed_and_opened_alike(case: dict[str, Any]) -> None:
    identity = identity_of(case["identity"])
    assert identity.to_bytes() == unhex(case["identity"]["bytes"])
    assert identity_point(identity).to_compressed_bytes() == unhex(case["identity"]["point"])
    keys = {share["node"]: MasterKey(unhex(share["masterKey"])) for share in case["shares"]}
    erasable = {
        share["node"]: MasterKey(unhex(share["erasableKey"])) for share in case["shares"] if share["erasableKey"]
    }
    recipients = [
        Recipient(NodeId(node), key.public, erasable[node].public if node in erasable else None)
        for node, key in keys.items()
    ]

    envelope = seal(unhex(case["dataKey"]), identity, recipients, case["threshold"], drawing(case["drawn"]))

    assert envelope.to_bytes() == unhex(case["envelope"])
    assert KeyEnvelope.from_bytes(unhex(case["envelope"])) == envelope
    shares = []
    for share in case["shares"]:
        node = NodeId(share["node"])
        assert make_share(keys[node], identity, erasable.get(node)) == unhex(share["share"])
        shares.append(envelope.verify_share(node, unhex(share["share"]), identity, keys[node].public))
    assert envelope.open(identity, shares[-case["threshold"] :]) == unhex(case["dataKey"])


@pytest.mark.parametrize("case", VECTORS["data"])
def test_encrypted_data__vector__same_bytes(case: dict[str, Any]) -> None:
    content = (unhex(case["pattern"]) * (case["size"] // 64 + 1))[: case["size"]]
    data_key, salt = derive_data_key(unhex(case["secret"]), hashlib.sha256(content).digest())
    assert (data_key, salt) == (unhex(case["dataKey"]), unhex(case["salt"]))

    ciphertext = EncryptingReader(io.BytesIO(content), len(content), ChunkCipher(data_key, salt)).read()

    assert len(ciphertext) == case["ciphertextSize"] == ciphertext_size(len(content))
    assert hashlib.sha256(ciphertext).digest() == unhex(case["ciphertextSha256"])
    if case["ciphertext"] is not None:
        assert ciphertext == unhex(case["ciphertext"])
    opener = StreamOpener(data_key, len(ciphertext))
    assert opener.feed(ciphertext) == content
    opener.finish()


@pytest.mark.parametrize("case", VECTORS["sealedAnswers"])
def test_sealed_answer__vector__opens(case: dict[str, Any]) -> None:
    key = SealingKey(unhex(case["sealingKey"]))

    assert key.public == unhex(case["encryptionKey"])
    assert key.open_share(unhex(case["sealed"]), unhex(case["requestDigest"])) == unhex(case["share"])


@pytest.mark.parametrize("case", VECTORS["sealedOutputs"])
def test_sealed_output__vector__opens(case: dict[str, Any]) -> None:
    key, job, output = SealingKey(unhex(case["sealingKey"])), int(case["job"]), unhex(case["output"])

    assert key.public == unhex(case["encryptionKey"])
    assert len(unhex(case["sealed"])) == sealed_output_size(len(output))
    assert open_output(key, job, case["node"], unhex(case["sealed"])) == output
    with pytest.raises(SealNotOpened):
        open_output(key, job - 1, case["node"], unhex(case["sealed"]))
