"""Sessions: an account's wallet signs once that a session's keys may ask for it, and these sign each request.

Source: docs/spec/13-access.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from walrus_chain.client.keep import Keep
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.errors import MalformedPrivateKey, NoWallet, WalrusError
from walrus_chain.messages.access import Action, SessionGrant
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.signing import LocalSigner, Signer
from walrus_chain.types import Address, Wei

SESSION_SECONDS: Final = 24 * 3600
"""For how long a wallet's signature is made use of."""
_KIND: Final = "sessions"
_KEY_BYTES: Final = 32
#: Clocks differ: a grant is valid from so many seconds before it was signed, and not used in its last ones.
_CLOCK_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Session:
    """A grant, the wallet's signature of it, and the keys that it names."""

    grant: SessionGrant
    signature: bytes
    signer: LocalSigner
    """Signs requests."""
    sealing: SealingKey
    """Opens what is answered."""
    digest: bytes
    """Of the grant."""

    @property
    def account(self) -> Address:
        """Who asks."""
        return self.grant.requester


class Sessions:
    """The session of one account with one network."""

    def __init__(self, keep: Keep, account: Address, wallet: Signer | None, domain: Domain) -> None:
        """
        Args:
            wallet: signs as `account`: its key, or a contract's way to sign. None where only a session that was kept
                may be used.
            domain: of access, `walrus_chain.messages.access.access_domain`.
        """
        self._keep = keep
        self.account = account
        self._wallet = wallet
        self._domain = domain
        self._session: Session | None = None

    def session(self, price: Wei, spend_limit: Wei, now: float, random: Callable[[int], bytes] = os.urandom) -> Session:
        """A session that may still spend a price; the wallet is asked only where none is valid any more.

        Args:
            price: of a voucher that is to be given; nothing otherwise.
            spend_limit: what a new session may spend in all.
            now: seconds since 1970, by the chain's clock.
        Raises: NoWallet: there is none to ask.
        """
        if self._session is None:
            self._session = self._kept()
        if self._session is None or not self._serves(self._session, price, now):
            self._session = self._new(max(spend_limit, price), now, random)
        if price:
            self._spend(price)
        return self._session

    def end(self) -> None:
        """Forgets the session."""
        self._session = None
        with self._keep.changing(_KIND, self.account) as document:
            document.clear()

    def _kept(self) -> Session | None:
        with self._keep.changing(_KIND, self.account) as document:
            if not document:
                return None
            try:
                grant = SessionGrant.from_data(document["grant"])
                session = Session(
                    grant,
                    bytes.fromhex(document["signature"]),
                    LocalSigner(bytes.fromhex(document["signingKey"])),
                    SealingKey(bytes.fromhex(document["sealingKey"])),
                    grant.digest(self._domain),
                )
            except (KeyError, TypeError, ValueError, WalrusError):
                return None  # damaged, or of another version: a new one costs a signature
        return session if session.account == self.account else None

    def _serves(self, session: Session, price: Wei, now: float) -> bool:
        """Whether a session is valid for a while longer, and may spend the price."""
        grant = session.grant
        if not grant.valid_from <= now < grant.valid_until - _CLOCK_SECONDS:
            return False
        with self._keep.changing(_KIND, self.account) as document:
            return not price or int(document.get("spent", 0)) + price <= grant.spend_limit

    def _spend(self, price: Wei) -> None:
        with self._keep.changing(_KIND, self.account) as document:
            document["spent"] = str(int(document.get("spent", 0)) + price)

    def _new(self, spend_limit: Wei, now: float, random: Callable[[int], bytes]) -> Session:
        if self._wallet is None:
            raise NoWallet("reading private data")
        signing_key, signer = new_signer(random)
        sealing = SealingKey.generate(random)
        grant = SessionGrant(
            requester=self.account,
            session_key=signer.address,
            encryption_key=sealing.public,
            blob_objects=(),
            actions=Action.READ.bit,
            spend_limit=spend_limit,
            valid_from=int(now) - _CLOCK_SECONDS,
            valid_until=int(now) + SESSION_SECONDS,
        )
        digest = grant.digest(self._domain)
        session = Session(grant, self._wallet.sign_digest(digest), signer, sealing, digest)
        with self._keep.changing(_KIND, self.account) as document:
            document.update(
                grant=grant.as_data(),
                signature=session.signature.hex(),
                signingKey=signing_key.hex(),
                sealingKey=sealing.to_bytes().hex(),
                spent="0",
            )
        return session


def new_signer(random: Callable[[int], bytes]) -> tuple[bytes, LocalSigner]:
    """A new key, and what signs with it."""
    while True:
        key = random(_KEY_BYTES)
        try:
            return key, LocalSigner(key)
        except MalformedPrivateKey:
            continue  # one in 2^128 numbers is outside the curve's order
