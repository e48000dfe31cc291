"""What a storage node signs: that it stores a blob object durably, or that a blob is badly encoded.

A signature binds chain and registry (by the domain), purpose (by the type), object and committee: `epoch` is the epoch
in which the signing committee took office, so an attestation does not age by the clock.

Source: docs/spec/08-messages.md; vectors in tests/vectors/messages.json.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.crypto import keccak

from walrus_chain.errors import WrongSigner
from walrus_chain.messages.domain import Domain, number_word, type_hash
from walrus_chain.messages.signing import Signer, recover
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch

STORAGE_ATTESTATION_TYPE = "StorageAttestation(bytes32 blobId,uint256 blobObject,uint32 epoch,bool deletable)"
INVALIDITY_ATTESTATION_TYPE = "InvalidityAttestation(bytes32 blobId,uint32 epoch)"


@dataclass(frozen=True, slots=True)
class StorageAttestation:
    """Says: all slivers of all my shards of this object's blob are verified and durable on disk."""

    blob_id: BlobId
    blob_object: BlobObjectId
    epoch: Epoch
    """The epoch in which the signing committee took office."""
    deletable: bool

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes to sign, in the blob registry's domain."""
        return domain.digest(
            keccak(
                type_hash(STORAGE_ATTESTATION_TYPE)
                + self.blob_id.digest
                + number_word(self.blob_object)
                + number_word(self.epoch)
                + number_word(self.deletable)
            )
        )

    def sign(self, signer: Signer, domain: Domain) -> SignedAttestation:
        """This attestation with the signer's signature. Sign only what is durable."""
        return SignedAttestation(self, signer.address, signer.sign_digest(self.digest(domain)))


@dataclass(frozen=True, slots=True)
class InvalidityAttestation:
    """Says: the bytes that I was given for this blob do not encode to its id."""

    blob_id: BlobId
    epoch: Epoch
    """The epoch in which the signing committee took office."""

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes to sign, in the blob registry's domain."""
        return domain.digest(
            keccak(type_hash(INVALIDITY_ATTESTATION_TYPE) + self.blob_id.digest + number_word(self.epoch))
        )

    def sign(self, signer: Signer, domain: Domain) -> SignedAttestation:
        """This attestation with the signer's signature. Sign only what was re-encoded and found wrong."""
        return SignedAttestation(self, signer.address, signer.sign_digest(self.digest(domain)))


Attestation = StorageAttestation | InvalidityAttestation


@dataclass(frozen=True, slots=True)
class SignedAttestation:
    """An attestation as it travels: who claims to have signed it, and the signature. Not verified by itself."""

    attestation: Attestation
    signer: Address
    signature: bytes
    """65 bytes r ‖ s ‖ v."""

    def verify(self, domain: Domain) -> None:
        """Checks that `signer` made the signature in `domain`.

        Raises:
            MalformedSignature: not a signature at all, or not in the one form that is accepted.
            WrongSigner: a good signature by another key, or over other words.
        """
        self.verify_over(self.attestation.digest(domain))

    def verify_over(self, digest: bytes) -> None:
        """Checks that `signer` made the signature over the digest of the attestation. Raises as `verify`."""
        recovered = recover(digest, self.signature)
        if recovered != self.signer:
            raise WrongSigner(self.signer, recovered)
