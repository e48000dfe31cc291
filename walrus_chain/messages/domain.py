"""EIP-712 domains: what binds a signature to one chain and one contract, and the digest that is signed.

Source: docs/spec/08-messages.md; vectors in tests/vectors/messages.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from eth_utils.crypto import keccak

from walrus_chain.types import Address

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
DOMAIN_VERSION = "1"
REGISTRY_DOMAIN_NAME = "Walrus Chain Blob Registry"
NODES_DOMAIN_NAME = "Walrus Chain Node Registry"
TOKEN_DOMAIN_NAME = "Walrus Chain"
ACCESS_DOMAIN_NAME = "Walrus Chain Access"
CHANNELS_DOMAIN_NAME = "Walrus Chain Read Channels"


@lru_cache
def type_hash(encoded_type: str) -> bytes:
    """The 32-byte EIP-712 type hash of a struct's encoded type, such as `NodeKeys(address operator,...)`."""
    return keccak(text=encoded_type)


def number_word(value: int) -> bytes:
    """An unsigned integer, or a bool, as the 32-byte word that EIP-712 hashes."""
    return value.to_bytes(32, "big")


def address_word(address: Address) -> bytes:
    """An address as the 32-byte word that EIP-712 hashes."""
    return bytes.fromhex(address[2:]).rjust(32, b"\0")


@dataclass(frozen=True, slots=True)
class Domain:
    """One contract on one chain, as EIP-712 names it."""

    name: str
    version: str
    chain_id: int
    verifying_contract: Address

    @property
    def separator(self) -> bytes:
        """The 32-byte domain separator."""
        return _separator(self)

    def digest(self, struct_hash: bytes) -> bytes:
        """The 32 bytes that are signed for the struct with this hash in this domain."""
        return keccak(b"\x19\x01" + _separator(self) + struct_hash)


@lru_cache(maxsize=64)
def _separator(domain: Domain) -> bytes:
    return keccak(
        type_hash(DOMAIN_TYPE)
        + keccak(text=domain.name)
        + keccak(text=domain.version)
        + number_word(domain.chain_id)
        + address_word(domain.verifying_contract)
    )


def registry_domain(chain_id: int, registry: Address) -> Domain:
    """The domain of the blob registry: storage and invalidity attestations are signed in it."""
    return Domain(REGISTRY_DOMAIN_NAME, DOMAIN_VERSION, chain_id, registry)


def nodes_domain(chain_id: int, nodes: Address) -> Domain:
    """The domain of the node registry: proofs that a signer key agrees to act for a node are signed in it."""
    return Domain(NODES_DOMAIN_NAME, DOMAIN_VERSION, chain_id, nodes)


def token_domain(chain_id: int, token: Address) -> Domain:
    """The domain of the WAL token: permits and transfer authorizations are signed in it."""
    return Domain(TOKEN_DOMAIN_NAME, DOMAIN_VERSION, chain_id, token)


def access_domain(chain_id: int, blob_policies: Address) -> Domain:
    """The domain of access to data: grants, requests, receipts and erasable keys are signed in it."""
    return Domain(ACCESS_DOMAIN_NAME, DOMAIN_VERSION, chain_id, blob_policies)


def channels_domain(chain_id: int, read_channels: Address) -> Domain:
    """The domain of the read channels: vouchers are signed in it."""
    return Domain(CHANNELS_DOMAIN_NAME, DOMAIN_VERSION, chain_id, read_channels)
