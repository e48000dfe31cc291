"""Attestations that this node gave, in the catalogue: the operator's records."""

from __future__ import annotations

from sqlite3 import Connection

from storage_agent.store.database import Database
from storage_agent.store.rows import GivenAttestation
from walrus_chain.messages.attestation import StorageAttestation
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch


class Attestations:
    """Attestations, on the catalogue's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, signed: GivenAttestation) -> None:
        """Keep an attestation for the operator's records, within a second; it can be signed again at any time."""
        attestation = signed.attestation

        def run(connection: Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO attestations (object, epoch, blob, deletable, signer, signature, given_at) "
                "SELECT ?, ?, id, ?, ?, ?, ? FROM blobs WHERE blob_id = ?",
                (
                    attestation.blob_object,
                    attestation.epoch,
                    attestation.deletable,
                    signed.signer,
                    signed.signature,
                    signed.given_at,
                    attestation.blob_id.digest,
                ),
            )

        self._database.write_later(run)

    def of(self, blob_id: BlobId, limit: int = 100) -> list[GivenAttestation]:
        """Those that were given for objects of a blob, the newest object first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT object, epoch, deletable, signer, signature, given_at FROM attestations "
                "JOIN blobs ON blobs.id = blob WHERE blob_id = ? ORDER BY object DESC LIMIT ?",
                (blob_id.digest, limit),
            ).fetchall()
        return [
            GivenAttestation(
                StorageAttestation(blob_id, BlobObjectId(number), Epoch(epoch), bool(deletable)), Address(signer), *rest
            )
            for number, epoch, deletable, signer, *rest in rows
        ]
