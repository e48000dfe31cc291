"""The proof that a node's signer key agrees to act for an operator; nobody can register a key that is not theirs.

Source: docs/spec/08-messages.md; vectors in tests/vectors/messages.json.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.crypto import keccak

from walrus_chain.errors import WrongSigner
from walrus_chain.messages.domain import Domain, address_word, type_hash
from walrus_chain.messages.signing import Signer, recover
from walrus_chain.types import Address

NODE_KEYS_TYPE = "NodeKeys(address operator,address signer,bytes encryptionKey)"


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """Says: this signer acts for this operator, and this is the key to encrypt to."""

    operator: Address
    signer: Address
    encryption_key: bytes
    """32 to 192 bytes; opaque to the chain."""

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes to sign, in the node registry's domain."""
        return domain.digest(
            keccak(
                type_hash(NODE_KEYS_TYPE)
                + address_word(self.operator)
                + address_word(self.signer)
                + keccak(self.encryption_key)
            )
        )

    def prove(self, signer: Signer, domain: Domain) -> bytes:
        """The 65-byte proof that registering a node takes.

        Raises: WrongSigner: `signer` holds another key than the one named here.
        """
        if signer.address != self.signer:
            raise WrongSigner(self.signer, signer.address)
        return signer.sign_digest(self.digest(domain))

    def verify(self, proof: bytes, domain: Domain) -> None:
        """Checks a proof as the node registry does.

        Raises: MalformedSignature, WrongSigner: the proof is not the signer's.
        """
        recovered = recover(self.digest(domain), proof)
        if recovered != self.signer:
            raise WrongSigner(self.signer, recovered)
