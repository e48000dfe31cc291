"""Wallets of other libraries as signers of this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from walrus_chain.messages.signing import Signer
from walrus_chain.types import Address


@runtime_checkable
class HashSigner(Protocol):
    """An account that signs digests, as `eth_account` local accounts do."""

    @property
    def address(self) -> str:
        """The account."""

    def unsafe_sign_hash(self, message_hash: Any) -> Any:
        """A signature of 32 bytes; its `signature` is 65 bytes r ‖ s ‖ v."""


@dataclass(frozen=True, slots=True)
class AccountSigner:
    """An account of `eth_account` as a signer of digests that this library computed itself."""

    account: HashSigner

    @property
    def address(self) -> Address:
        """The account."""
        return Address(self.account.address)

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v."""
        return bytes(self.account.unsafe_sign_hash(digest).signature)


def signer_of(account: object) -> Signer | None:
    """The signer in an account that sends transactions; none when it signs nothing else, as remote signers may."""
    return AccountSigner(account) if isinstance(account, HashSigner) else None
