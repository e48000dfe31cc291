"""Collects shares of a key: as many nodes as it takes are asked at once, slow ones overtaken, wrong ones named.

Each node is sent a request of its own, signed by the session, all for the same use of the data at the same block. What
comes back is opened, checked against the node's public key, and counts only then.

Source: docs/spec/13-access.md.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eth_utils.crypto import keccak

from walrus_chain.client.plan_store import pause_before_retry
from walrus_chain.client.reputation import Reputation, Suspect
from walrus_chain.client.results import SignedReceipt
from walrus_chain.client.sessions import Session
from walrus_chain.client.threads import in_thread
from walrus_chain.crypto.envelope import KeyEnvelope, VerifiedShare
from walrus_chain.crypto.node_key import PublicKey
from walrus_chain.crypto.threshold import KeyIdentity
from walrus_chain.errors import (
    AgentMisbehaved,
    AgentRefused,
    Untrusted,
    WalrusError,
)
from walrus_chain.messages.access import FREE, PURCHASE, AccessRequest, Use
from walrus_chain.messages.domain import Domain
from walrus_chain.transport.access import KeyAnswer, KeyQuestion, Payment, PurchasePayment, VoucherPayment
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Address, NodeId

#: A request is answered within so many seconds or not at all.
REQUEST_SECONDS: Final = 120
#: Bytes of an answer, for what is known of how long agents take.
_ANSWER_BYTES: Final = 2048
_NONCE_BYTES: Final = 32
#: With this an agent says that a nonce was seen before, as after a connection that broke off.
_ASK_ANEW: Final = frozenset({"NonceUsed"})
#: With this an agent says that what pays is in blocks that are too young; that passes by itself, within this time.
_UNCONFIRMED: Final = "PaymentUnconfirmed"
_UNCONFIRMED_PAUSE: Final = 2.0
_CONFIRMATION_SECONDS: Final = 60.0
_MOST_DOUBLINGS: Final = 6


@dataclass(frozen=True, slots=True)
class Holder:
    """A node that an envelope names."""

    node_id: NodeId
    agent: AgentClient
    signer: Address
    """Signs its receipts."""
    key: PublicKey
    """The one that the envelope was sealed to; registered now, or before."""


@dataclass(frozen=True, slots=True)
class UseTerms:
    """One use of an object's data, as every node is asked for it."""

    use: Use
    identity: KeyIdentity
    evidence: bytes
    block_hash: bytes
    payment: Payment
    now: int
    """Seconds since 1970, by the chain's clock."""


@dataclass(slots=True)
class Collected:
    """What came of asking."""

    shares: list[VerifiedShare] = field(default_factory=list)
    receipts: list[SignedReceipt] = field(default_factory=list)
    failures: dict[str, WalrusError] = field(default_factory=dict)
    """Why nodes gave none, by their label."""
    suspects: list[Suspect] = field(default_factory=list)
    """Nodes that sent what does not verify."""


class Release:
    """One use of one object's data, asked of the nodes that hold its key."""

    def __init__(
        self,
        session: Session,
        terms: UseTerms,
        envelope: KeyEnvelope,
        reputation: Reputation,
        domain: Domain,
        channels: Domain,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """
        Args:
            reputation: of agents by node id.
            domain: of access.
            channels: of the read channels.
        """
        self._session = session
        self._terms = terms
        self._envelope = envelope
        self._reputation = reputation
        self._domain = domain
        self._random = random
        self._use_digest = terms.use.digest(domain)
        self._payment = payment_word(terms.payment, channels)

    async def collect(self, holders: Sequence[Holder], held: int = 0) -> Collected:
        """Asks until enough shares verified, or nobody is left to ask: see how many `Collected.shares` came.

        Args:
            held: shares that came before, of other nodes.
        """
        collected, needed = Collected(), self._envelope.threshold - held
        # Among nodes of equal standing the work is spread by chance.
        waiting = sorted(holders, key=lambda holder: (self._reputation.standing(holder.node_id), self._random(4)))
        waiting.reverse()
        clock = asyncio.get_running_loop().time
        under_way: dict[asyncio.Task[VerifiedShare], tuple[Holder, float]] = {}
        overtaken: set[NodeId] = set()
        durations: list[float] = []
        rounds = 0
        try:
            while len(collected.shares) < needed:
                in_time = sum(holder.node_id not in overtaken for holder, _ in under_way.values())
                while waiting and in_time + len(collected.shares) < needed:
                    holder = waiting.pop()
                    under_way[asyncio.create_task(self._share_of(holder, collected))] = holder, clock()
                    in_time += 1
                if not under_way:
                    break
                patience = self._reputation.hedge_after(_ANSWER_BYTES, durations, needed)
                patience *= 2 ** min(rounds, _MOST_DOUBLINGS)
                begun = [at for holder, at in under_way.values() if waiting and holder.node_id not in overtaken]
                wait = max(min(begun) + patience - clock(), 0.0) if begun else None
                done, _ = await asyncio.wait(under_way, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    holder, since = under_way.pop(task)
                    self._count(task, holder, clock() - since, durations, collected)
                if not done:
                    rounds += 1
                    for holder, since in under_way.values():
                        if holder.node_id not in overtaken and clock() - since >= patience:
                            overtaken.add(holder.node_id)
                            self._reputation.stalled(holder.node_id)
        finally:
            await _cancel(under_way)
        return collected

    # -- one node ----------------------------------------------------------------------------------------------------

    async def _share_of(self, holder: Holder, collected: Collected) -> VerifiedShare:
        """A node's share, verified; tried again where that makes sense."""
        clock = asyncio.get_running_loop().time
        attempt, begun = 1, clock()
        while True:
            request = self._request_for(holder.node_id)
            digest = request.digest(self._domain)
            question = KeyQuestion(
                self._session.grant,
                self._session.signature,
                request,
                self._session.signer.sign_digest(digest),
                self._terms.evidence,
                self._terms.payment,
                holder.key.key_id,
                self._envelope.is_erasable,
            )
            try:
                answer = await holder.agent.release_key(question)
            except WalrusError as error:
                pause = self._pause(error, attempt, clock() - begun)
                if pause is None:
                    raise
                await asyncio.sleep(pause)
                attempt += 1
                continue
            share = await in_thread(None, lambda: self._opened(holder, answer, digest))  # noqa: B023 # awaited here
            self._take_receipt(holder, answer, digest, collected)
            return share

    @staticmethod
    def _pause(error: WalrusError, attempt: int, waited: float) -> float | None:
        """Seconds before the same node is asked again; None to give it up."""
        if isinstance(error, AgentRefused):
            if error.code in _ASK_ANEW and attempt == 1:
                return 0.0
            if error.code == _UNCONFIRMED and waited < _CONFIRMATION_SECONDS:
                return error.retry_after or _UNCONFIRMED_PAUSE
        return pause_before_retry(error, attempt)

    def _request_for(self, node_id: NodeId) -> AccessRequest:
        use = self._terms.use
        return AccessRequest(
            grant=self._session.digest,
            node=node_id,
            blob_object=use.blob_object,
            action=use.action,
            program=use.program,
            key_epoch=use.key_epoch,
            sequence=use.sequence,
            evidence=keccak(self._terms.evidence),
            block_hash=self._terms.block_hash,
            nonce=self._random(_NONCE_BYTES),
            expires_at=self._terms.now + REQUEST_SECONDS,
            payment=self._payment,
        )

    def _opened(self, holder: Holder, answer: KeyAnswer, digest: bytes) -> VerifiedShare:
        share = self._session.sealing.open_share(answer.share, digest)
        return self._envelope.verify_share(holder.node_id, share, self._terms.identity, holder.key)

    def _take_receipt(self, holder: Holder, answer: KeyAnswer, digest: bytes, collected: Collected) -> None:
        """Keeps a good receipt; a share with a wrong one is a share still, and its node named."""
        receipt = answer.receipt
        try:
            receipt.verify(answer.receipt_signature, holder.signer, self._domain)
            if (receipt.node, receipt.use, receipt.request) != (holder.node_id, self._use_digest, digest):
                raise AgentMisbehaved(holder.agent.label, "its receipt is for something else")
        except Untrusted as error:
            self._reputation.lied(holder.node_id, holder.agent.label, str(error))
            collected.suspects.append(Suspect(holder.agent.label, f"its receipt is wrong: {error}"))
            return
        collected.receipts.append(SignedReceipt(holder.node_id, receipt, answer.receipt_signature))

    def _count(
        self,
        task: asyncio.Task[VerifiedShare],
        holder: Holder,
        seconds: float,
        durations: list[float],
        collected: Collected,
    ) -> None:
        label = holder.agent.label
        try:
            share = task.result()
        except Untrusted as error:
            self._reputation.lied(holder.node_id, label, str(error))
            collected.suspects.append(Suspect(label, str(error)))
            collected.failures[label] = error
        except WalrusError as error:
            self._reputation.failed(holder.node_id, str(error))
            collected.failures[label] = error
        else:
            durations.append(seconds)
            self._reputation.answered(holder.node_id, seconds, _ANSWER_BYTES)
            collected.shares.append(share)


def payment_word(payment: Payment, channels: Domain) -> bytes:
    """How a request names its payment.

    Args:
        channels: the domain of the read channels.
    """
    match payment:
        case None:
            return FREE
        case PurchasePayment():
            return PURCHASE
        case VoucherPayment(voucher=voucher):
            return voucher.digest(channels)


def words_of(failures: Mapping[str, WalrusError]) -> dict[str, str]:
    """Why nodes gave no share, by their label."""
    return {
        agent: error.message if isinstance(error, AgentRefused) else str(error) for agent, error in failures.items()
    }


async def _cancel(tasks: Iterable[asyncio.Task[VerifiedShare]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
