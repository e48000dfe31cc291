"""What a transaction offers for its gas, and how much gas it takes: asked of the chain, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from walrus_chain.chain.provider import ChainProvider
from walrus_chain.errors import Rejected, RpcRefused

FRESH_SECONDS: Final = 2.0
"""How long fees are used before the chain is asked again. The base fee moves by at most an eighth a block, and offers
leave room for six such steps."""
_BASE_FEE_ROOM: Final = 2
_BUMP_PERCENT: Final = 30
_GAS_MARGIN_PERCENT: Final = 25
# What is between a call and the transaction that carries it may change: other transactions come first.
_GAS_MARGIN: Final = 10_000
_SELECTOR_DIGITS: Final = len("0x") + 8
# A replacement needs a tenth more than what it replaces, of both fees; a tip of zero would stay zero.
_LEAST_BUMP: Final = 10**6


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction pays for a unit of gas, in wei of the chain's own currency."""

    maximum: int
    """At most, base fee and tip together."""
    tip: int
    """To whoever makes the block."""

    def bumped(self) -> Fees:
        """Fees that replace a transaction which offered these."""
        return Fees(self._more(self.maximum), self._more(self.tip))

    def at_least(self, other: Fees) -> Fees:
        """The higher of both, fee by fee."""
        return Fees(max(self.maximum, other.maximum), max(self.tip, other.tip))

    @staticmethod
    def _more(fee: int) -> int:
        return fee + max(fee * _BUMP_PERCENT // 100, _LEAST_BUMP)


class FeeOracle:
    """The fees to offer now; asks the chain at most once in `FRESH_SECONDS`."""

    def __init__(self, provider: ChainProvider, clock: Callable[[], float]) -> None:
        """
        Args:
            provider: the chain.
            clock: seconds of a clock that only goes forward.
        """
        self._provider = provider
        self._clock = clock
        self._known: tuple[float, Fees] | None = None

    async def fees(self, *, fresh: bool = False) -> Fees:
        """The fees to offer; with `fresh` the chain is asked in any case."""
        now = self._clock()
        if not fresh and self._known is not None and now - self._known[0] < FRESH_SECONDS:
            return self._known[1]
        block, tip_text = await self._provider.known(
            "latest", [("eth_getBlockByNumber", ("latest", False)), ("eth_maxPriorityFeePerGas", ())]
        )
        tip = int(tip_text, 16)
        fees = Fees(_BASE_FEE_ROOM * int(block.get("baseFeePerGas", "0x0"), 16) + tip, tip)
        self._known = (now, fees)
        return fees


class GasBook:
    """How much gas calls take.

    Estimating executes a call a dozen times over. A call that looks like an earlier one (contract, function and length)
    is therefore executed once, with the gas that the earlier one was estimated at; when that goes well the limit is
    known and the contract's consent too, otherwise the chain estimates as for the first time.
    """

    def __init__(self, provider: ChainProvider) -> None:
        self._provider = provider
        self._estimates: dict[tuple[str | None, str, int], int] = {}

    async def limit(self, call: Mapping[str, Any]) -> int:
        """The gas limit for a call, with room for what may change before it is in a block.

        Raises:
            Rejected: the contract refuses the call (decoded).
            RpcRefused: the endpoint does, for want of money for example.
        """
        data: str = call["data"]
        kind = (call.get("to"), data[:_SELECTOR_DIGITS], len(data))
        known = self._estimates.get(kind)
        if known is None or not await self._suffices(call, known):
            estimate = int(await self._provider.request("eth_estimateGas", call), 16)
            known = self._estimates[kind] = max(estimate, self._estimates.get(kind, 0))
        return known + known * _GAS_MARGIN_PERCENT // 100 + _GAS_MARGIN

    async def _suffices(self, call: Mapping[str, Any], gas: int) -> bool:
        try:
            await self._provider.request("eth_call", {**call, "gas": hex(gas)}, "latest")
        except (Rejected, RpcRefused):
            # Too little gas, or a refusal: the estimate tells which.
            return False
        return True
