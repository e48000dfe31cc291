"""Credentials of the network's own registry, as `walrus credential` gives them: what `Client.credentials` offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eth_utils.crypto import keccak

from walrus_chain.client.desks import Desk
from walrus_chain.errors import CredentialUnknown
from walrus_chain.types import Address

if TYPE_CHECKING:
    from walrus_chain.chain.policy_views import Credential
    from walrus_chain.chain.transactions import Receipt

_WORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """A credential that was given."""

    credential: Credential
    transaction: str


class Credentials(Desk):
    """What a client's account states about others, and what others stated about it."""

    async def issue(
        self, schema: str | bytes, recipient: Address, *, expires_at: int = 0, data: bytes = b""
    ) -> IssuedCredential:
        """Give an account a credential.

        Args:
            schema: what it states: 32 bytes, or a name for it (`schema_of`).
            expires_at: seconds since 1970; 0 for never.
            data: opaque, at most 1,024 bytes; public.
        Raises: CredentialExpiresInThePast, NoCredentialRecipient.
        """
        writer = self._signing("issuing a credential")
        receipt = await writer.policies.attest(schema_of(schema), recipient, expires_at, data)
        return IssuedCredential(await self.show(receipt.uid), receipt.transaction)

    async def revoke(self, uid: bytes) -> Receipt:
        """Take a credential back that this account gave. Uses that were allowed before cannot be taken back.

        Raises: UnknownCredential, CredentialNotYours, CredentialRevokedBefore.
        """
        return await self._signing("revoking a credential").policies.revoke(uid)

    async def show(self, uid: bytes) -> Credential:
        """A credential, revoked or not.

        Raises: CredentialUnknown.
        """
        found = await self._chain.policies.credential(uid)
        if found is None:
            raise CredentialUnknown(uid)
        return found

    async def list(self, recipient: Address | None = None) -> tuple[Credential, ...]:
        """All credentials that an account ever got, oldest first; this client's own one when none is named."""
        recipient = self._account(recipient, "listing your own credentials")
        return await self._chain.policies.credentials_of(recipient)

    async def issued(self, attester: Address | None = None) -> tuple[Credential, ...]:
        """All credentials that an account ever gave, oldest first; this client's own one when none is named."""
        attester = self._account(attester, "listing credentials that you gave")
        return await self._chain.policies.credentials_by(attester)


def schema_of(schema: str | bytes) -> bytes:
    """The 32 bytes that name what credentials state: as they are, in hex, or the keccak-256 of a name."""
    if isinstance(schema, bytes):
        return schema
    digits = schema.removeprefix("0x")
    if len(digits) == 2 * _WORD_BYTES:
        try:
            return bytes.fromhex(digits)
        except ValueError:
            pass
    return keccak(text=schema)
