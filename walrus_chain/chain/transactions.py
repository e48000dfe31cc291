"""Getting calls into blocks: nonces, fees, gas, waiting, and replacing what got stuck.

One `TransactionQueue` stands for one account. Calls may be made at the same time: nonces are given in the order of
sending, and a call whose sending failed leaves no gap. When another process sends from the same account too, the nonce
is read from the chain again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Protocol

from walrus_chain.chain.gas import FeeOracle, Fees, GasBook
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.errors import (
    NotEnoughGasMoney,
    Rejected,
    RpcRefused,
    RpcUnavailable,
    TransactionDisplaced,
    TransactionPending,
)
from walrus_chain.types import Address

_ATTEMPTS: Final = 4
_BROADCAST_PAUSES: Final = (0.25, 1.0, 3.0)
_PLAIN_GAS: Final = 21_000
"""What a transaction without data costs."""
_FIRST_POLL: Final = 0.003
_LAST_POLL: Final = 0.5


class SignedTransaction(Protocol):
    """A transaction ready to be sent."""

    @property
    def raw_transaction(self) -> bytes:
        """Its bytes."""

    @property
    def hash(self) -> bytes:
        """Its hash, 32 bytes."""


class TransactionSigner(Protocol):
    """Whoever signs transactions; an `eth_account` local account is one."""

    @property
    def address(self) -> Any:
        """The account, with the EIP-55 checksum."""

    def sign_transaction(self, transaction_dict: dict[str, Any]) -> Any:
        """The signed transaction: a `SignedTransaction`."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction left on the chain."""

    transaction: str
    """Hash: 64 hex digits after 0x."""
    block: int
    gas_used: int
    gas_price: int
    """Wei of the chain's own currency for a unit of gas."""
    created: Address | None
    """The contract it created, if it did."""
    logs: tuple[Mapping[str, Any], ...]
    """As the endpoint gave them."""

    @property
    def fee(self) -> int:
        """What the transaction cost, in wei of the chain's own currency."""
        return self.gas_used * self.gas_price


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a transaction may take."""

    stuck_after: float = 60.0
    """Seconds without a block before it is sent again with higher fees."""
    give_up_after: float = 600.0
    """Seconds after which `TransactionPending` is raised."""


class TransactionQueue:
    """Sends one account's transactions."""

    def __init__(
        self,
        provider: ChainProvider,
        account: TransactionSigner,
        patience: Patience | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """
        Args:
            provider: the chain.
            account: who signs and pays.
            patience: when a transaction counts as stuck, and when as lost.
            clock: seconds of a clock that only goes forward.
        """
        self._provider = provider
        self._account = account
        self._address = Address(account.address)
        self._patience = patience or Patience()
        self._clock = clock
        self._oracle = FeeOracle(provider, self._clock)
        self._gas = GasBook(provider)
        self._sending = asyncio.Lock()
        self._nonce: int | None = None

    @property
    def address(self) -> Address:
        """The account that sends."""
        return self._address

    async def next_nonce(self) -> int:
        """The nonce that the next transaction takes, as the chain and this queue know it."""
        async with self._sending:
            return await self._take_nonce()

    async def send(self, to: Address | None, data: bytes, value: int = 0) -> Receipt:
        """Sends a call and waits until it is in a block.

        Args:
            to: the contract; none to create one from `data`.
            data: calldata, or creation code with constructor arguments.
            value: wei of the chain's own currency to send along.
        Raises:
            Rejected: the contract refuses, found out before sending or, if it changed its mind, after.
            NotEnoughGasMoney: the account cannot pay the chain's fee.
            TransactionDisplaced: somebody else sent from this account, and took the place of this transaction.
            TransactionPending: still in no block after `Patience.give_up_after`.
            RpcUnavailable, RpcRefused: the endpoints fail.
        """
        call: dict[str, Any] = {"from": self._address, "data": "0x" + data.hex(), "value": hex(value)}
        if to is not None:
            call["to"] = to
        try:
            gas = await self._gas.limit(call)
        except RpcRefused as refusal:
            raise self._translated(refusal) from refusal
        envelope: dict[str, Any] = {
            "type": 2,
            "chainId": await self._provider.chain_id(),
            "value": value,
            "data": data,
            "gas": gas,
        }
        if to is not None:
            envelope["to"] = to
        pending = await self._dispatch(envelope)
        receipt = await self._wait(pending)
        if int(receipt["status"], 16) != 1:
            raise await self._why_reverted(call, receipt)
        return _receipt(receipt)

    async def _dispatch(self, envelope: dict[str, Any]) -> _Pending:
        """Gives the transaction a nonce and sends it."""
        async with self._sending:
            fees = await self._oracle.fees()
            attempt = 0
            while True:
                attempt += 1
                nonce = await self._take_nonce()
                pending = _Pending({**envelope, "nonce": nonce}, fees)
                try:
                    await self._broadcast(pending)
                except RpcRefused as refusal:
                    words = refusal.rpc_message.lower()
                    if _nonce_is_taken(words):
                        if await self._mined(pending) is None:
                            self._nonce = None
                            if attempt == _ATTEMPTS:
                                raise
                            continue
                    elif _offers_too_little(words) and attempt < _ATTEMPTS:
                        fees = (await self._oracle.fees(fresh=True)).at_least(fees.bumped())
                        continue
                    else:
                        self._nonce = None
                        raise self._translated(refusal) from refusal
                self._nonce = nonce + 1
                return pending

    async def _take_nonce(self) -> int:
        if self._nonce is None:
            self._nonce = int(await self._provider.request("eth_getTransactionCount", self._address, "pending"), 16)
        return self._nonce

    async def _broadcast(self, pending: _Pending) -> None:
        """Hands the transaction to an endpoint. When none answers the same bytes are sent again: that harms nothing.

        Raises: TransactionPending: no endpoint answered, so it may have arrived or not.
        """
        signed = pending.sign(self._account)
        raw = "0x" + bytes(signed.raw_transaction).hex()
        for pause in (*_BROADCAST_PAUSES, None):
            try:
                await self._provider.request("eth_sendRawTransaction", raw)
            except RpcRefused as refusal:
                if not _known_already(refusal.rpc_message.lower()):
                    raise
            except RpcUnavailable as outage:
                if pause is None:
                    self._nonce = None
                    raise TransactionPending(pending.hashes[-1], sum(_BROADCAST_PAUSES)) from outage
                await asyncio.sleep(pause)
                continue
            return

    async def _wait(self, pending: _Pending) -> Mapping[str, Any]:
        """The receipt of whichever version of the transaction gets into a block."""
        began = sent = self._clock()
        pause = _FIRST_POLL
        while True:
            if (receipt := await self._mined(pending)) is not None:
                return receipt
            now = self._clock()
            if now - began > self._patience.give_up_after:
                raise TransactionPending(pending.hashes[-1], now - began)
            if now - sent > self._patience.stuck_after:
                await self._replace(pending)
                sent = self._clock()
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LAST_POLL)

    async def _mined(self, pending: _Pending) -> Mapping[str, Any] | None:
        """The receipt of any version of the transaction; none while it is in no block, or no endpoint answers."""
        calls = [("eth_getTransactionReceipt", (digest,)) for digest in reversed(pending.hashes)]
        try:
            receipts: list[Mapping[str, Any] | None] = await self._provider.batch(calls)
        except RpcUnavailable:
            return None
        return next((receipt for receipt in receipts if receipt is not None), None)

    async def _replace(self, pending: _Pending) -> None:
        """Sends a stuck transaction again with higher fees, if fees are what holds it up."""
        nonce = pending.envelope["nonce"]
        calls = [("eth_getTransactionCount", (self._address, block)) for block in ("latest", "pending")]
        try:
            mined, waiting = (int(count, 16) for count in await self._provider.batch(calls))
        except RpcUnavailable:
            return
        if mined > nonce:
            if await self._mined(pending) is None:
                self._nonce = None
                raise TransactionDisplaced(pending.hashes[-1], self._address, nonce)
            return
        if mined == waiting < nonce:
            await self._fill_gap(pending.envelope["chainId"], mined)
            return
        pending.fees = (await self._oracle.fees(fresh=True)).at_least(pending.fees.bumped())
        try:
            await self._broadcast(pending)
        except RpcRefused as refusal:
            # An older version is as good: it stays in the queue, or is in a block by now.
            words = refusal.rpc_message.lower()
            if not _nonce_is_taken(words) and not _offers_too_little(words):
                raise self._translated(refusal) from refusal

    async def _fill_gap(self, chain_id: int, nonce: int) -> None:
        """Takes the place of a transaction that a reorganisation threw out, for which all later ones wait.

        With a transaction that does nothing: whether the lost call is still wanted, only its caller knows.
        """
        envelope = {"type": 2, "chainId": chain_id, "to": self._address, "value": 0, "data": b"", "gas": _PLAIN_GAS}
        try:
            await self._broadcast(_Pending({**envelope, "nonce": nonce}, await self._oracle.fees(fresh=True)))
        except RpcRefused as refusal:
            words = refusal.rpc_message.lower()
            if not _nonce_is_taken(words) and not _offers_too_little(words):
                raise self._translated(refusal) from refusal

    async def _why_reverted(self, call: Mapping[str, Any], receipt: Mapping[str, Any]) -> Rejected:
        """The reason of a transaction that reverted in its block, found by repeating the call there."""
        try:
            await self._provider.request("eth_call", call, receipt["blockNumber"])
        except Rejected as reason:
            return reason
        except (RpcRefused, RpcUnavailable):
            pass
        return Rejected(
            f"transaction {receipt['transactionHash']} reverted in block {int(receipt['blockNumber'], 16)}, and the "
            "same call works after it: another transaction came in between; try again"
        )

    def _translated(self, refusal: RpcRefused) -> RpcRefused | NotEnoughGasMoney:
        words = refusal.rpc_message.lower()
        if "insufficient funds" in words or "enough funds" in words or "gas required exceeds allowance" in words:
            return NotEnoughGasMoney(self._address, refusal.rpc_message)
        return refusal


class _Pending:
    """A transaction on its way, in all versions that were sent."""

    def __init__(self, envelope: dict[str, Any], fees: Fees) -> None:
        self.envelope = envelope
        self.fees = fees
        self.hashes: list[str] = []

    def sign(self, account: TransactionSigner) -> SignedTransaction:
        """The version with the present fees."""
        signed: SignedTransaction = account.sign_transaction(
            {**self.envelope, "maxFeePerGas": self.fees.maximum, "maxPriorityFeePerGas": self.fees.tip}
        )
        self.hashes.append("0x" + bytes(signed.hash).hex())
        return signed


def _known_already(words: str) -> bool:
    return any(known in words for known in ("already known", "already imported", "known transaction"))


def _nonce_is_taken(words: str) -> bool:
    return "nonce too low" in words or "replacement" in words


def _offers_too_little(words: str) -> bool:
    return any(little in words for little in ("underpriced", "fee cap", "less than block base fee", "max fee per gas"))


def _receipt(data: Mapping[str, Any]) -> Receipt:
    logs: Sequence[Mapping[str, Any]] = data["logs"]
    return Receipt(
        transaction=data["transactionHash"],
        block=int(data["blockNumber"], 16),
        gas_used=int(data["gasUsed"], 16),
        gas_price=int(data.get("effectiveGasPrice", "0x0"), 16),
        created=data.get("contractAddress"),
        logs=tuple(logs),
    )
