"""Write tests/vectors/messages.json: signed messages, their digests and signatures.

    python scripts/make_message_vectors.py

Digests here are computed by eth-account's own EIP-712 encoder, an implementation that this project did not write;
Python (tests/unit/messages) and Solidity (tests/contracts/Messages.t.sol) are both checked against the file. Keys are
made from words, so the file changes only when a message does: a difference after running this is a break of
compatibility.
Numbers that may not fit a JSON number are decimal texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "messages.json"
LARGEST_OBJECT = 2**256 - 1
LARGEST_EPOCH = 2**32 - 1

Case = dict[str, Any]
Field = tuple[str, str]

STORAGE: tuple[Field, ...] = (
    ("blobId", "bytes32"),
    ("blobObject", "uint256"),
    ("epoch", "uint32"),
    ("deletable", "bool"),
)
INVALIDITY: tuple[Field, ...] = (("blobId", "bytes32"), ("epoch", "uint32"))
NODE_KEYS: tuple[Field, ...] = (("operator", "address"), ("signer", "address"), ("encryptionKey", "bytes"))


def words(text: str) -> bytes:
    """32 bytes that a text stands for."""
    return hashlib.sha256(f"walrus-chain/messages/{text}".encode()).digest()


def contract(text: str) -> str:
    """An address that a text stands for."""
    address: str = Account.from_key(words(text)).address
    return address


def signed(
    primary: str,
    fields: tuple[Field, ...],
    message: Mapping[str, Any],
    name: str,
    chain_id: int,
    verifier: str,
    key: str,
) -> Case:
    """One message, its digest and the signature of the key that `key` stands for."""
    account = Account.from_key(words(key))
    typed = encode_typed_data(
        domain_data={"name": name, "version": "1", "chainId": chain_id, "verifyingContract": verifier},
        message_types={primary: [{"name": field, "type": kind} for field, kind in fields]},
        message_data=dict(message),
    )
    digest = keccak(b"\x19" + typed.version + typed.header + typed.body)
    return {
        "chainId": str(chain_id),
        "verifyingContract": verifier,
        **{field: _plain(message[field]) for field, _ in fields},
        "digest": "0x" + digest.hex(),
        "signerKey": "0x" + words(key).hex(),
        "signer": account.address,
        "signature": "0x" + bytes(account.unsafe_sign_hash(digest).signature).hex(),
    }


def storage(blob: str, blob_object: int, epoch: int, deletable: bool, chain_id: int, registry: str, key: str) -> Case:
    """A storage attestation."""
    message = {"blobId": words(blob), "blobObject": blob_object, "epoch": epoch, "deletable": deletable}
    return signed(
        "StorageAttestation", STORAGE, message, "Walrus Chain Blob Registry", chain_id, contract(registry), key
    )


def invalidity(blob: str, epoch: int, chain_id: int, registry: str, key: str) -> Case:
    """An invalidity attestation."""
    message = {"blobId": words(blob), "epoch": epoch}
    return signed(
        "InvalidityAttestation", INVALIDITY, message, "Walrus Chain Blob Registry", chain_id, contract(registry), key
    )


def node_keys(operator: str, encryption_key: bytes, chain_id: int, nodes: str, key: str) -> Case:
    """A proof of a node's keys."""
    message = {
        "operator": contract(operator),
        "signer": Account.from_key(words(key)).address,
        "encryptionKey": encryption_key,
    }
    return signed("NodeKeys", NODE_KEYS, message, "Walrus Chain Node Registry", chain_id, contract(nodes), key)


def vectors() -> dict[str, list[Case]]:
    """All cases."""
    return {
        "storage": [
            storage("blob 1", 1, 1, True, 31337, "registry 1", "signer 1"),
            storage("blob 1", 1, 1, False, 31337, "registry 1", "signer 1"),
            storage("blob 1", 2, 1, True, 31337, "registry 1", "signer 1"),
            storage("blob 2", 1, 1, True, 31337, "registry 1", "signer 2"),
            storage("blob 1", 1, 2, True, 31337, "registry 1", "signer 1"),
            storage("blob 1", 1, 1, True, 1, "registry 1", "signer 1"),
            storage("blob 1", 1, 1, True, 31337, "registry 2", "signer 1"),
            storage("blob 3", LARGEST_OBJECT, LARGEST_EPOCH, True, 2**53 - 1, "registry 3", "signer 3"),
        ],
        "invalidity": [
            invalidity("blob 1", 1, 31337, "registry 1", "signer 1"),
            invalidity("blob 2", 1, 31337, "registry 1", "signer 2"),
            invalidity("blob 1", LARGEST_EPOCH, 1, "registry 2", "signer 1"),
        ],
        "nodeKeys": [
            node_keys("operator 1", words("encryption key"), 31337, "nodes 1", "signer 1"),
            node_keys("operator 2", words("encryption key"), 31337, "nodes 1", "signer 1"),
            node_keys("operator 1", bytes(192), 1, "nodes 2", "signer 2"),
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def main() -> None:
    VECTORS.write_text(json.dumps(vectors(), indent=2) + "\n")
    print(f"wrote {VECTORS.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
