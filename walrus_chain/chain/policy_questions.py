"""Asking one policy by itself, whether an object has it or not: what it decides, what it costs, what it keeps.

`PolicyBook.judge` is what counts. This says which clause of a policy of many it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from walrus_chain.chain.abi import interface
from walrus_chain.chain.values import checksum_address, text_of_word
from walrus_chain.errors import Rejected, RpcRefused
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, Epoch, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.network import Chain

#: Any contract that has all functions of `IDataPolicy`, for its ABI.
_POLICY: Final = "OwnerPolicy"
_ALLOW: Final = keccak(text="Walrus Chain policy: allow")[:4]
_DENY: Final = keccak(text="Walrus Chain policy: deny")[:4]
_WORD: Final = 32
EVALUATION_GAS: Final = 8_000_000
"""What a policy gets to decide, and again to quote: `IBlobPolicies.evaluationGas`."""
FAILED: Final = "PolicyFailed"
"""The reason of a policy that gave no answer that counts."""


@dataclass(frozen=True, slots=True)
class AskedUse:
    """A use of data as a policy sees it: `AccessRequest` of IDataPolicy.sol."""

    requester: Address
    blob_object: BlobObjectId
    blob_id: BlobId
    owner: Address
    action: int
    program: bytes
    sequence: int
    evidence: bytes

    def as_arguments(self) -> tuple[object, ...]:
        """As `AccessRequest`."""
        facts = (self.requester, self.blob_object, self.blob_id.digest, self.owner)
        return *facts, int(self.action), self.program, self.sequence, self.evidence


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What one policy answered."""

    allowed: bool
    reason: str
    """Why not; empty when it allows."""
    price: Wei | None
    """What it asks for; none when it names no price that the network takes."""
    pool: PoolId
    """Who is paid; 0 when nobody is."""


@dataclass(frozen=True, slots=True)
class RetentionAnswer:
    """What one policy says of keeping an object; none of what it does not answer, which forbids."""

    delete: bool | None
    replace: bool | None
    minimum_end: Epoch | None
    destroy_at: int | None
    """Seconds since 1970; 0 for never."""


class PolicyQuestions:
    """Asks policies of one network."""

    def __init__(self, chain: Chain) -> None:
        """
        Args:
            chain: the network.
        """
        self._chain = chain

    async def kind(self, policy: Address) -> str | None:
        """What kind of policy a contract says it is; none when it is no policy."""
        word = await self._ask(policy, "kind")
        return None if word is None else text_of_word(word)

    async def answer(self, policy: Address, use: AskedUse) -> PolicyAnswer:
        """What a policy decides of a use, and what it asks for."""
        verdict = await self._ask(policy, "evaluate", use.as_arguments())
        quote = await self._ask(policy, "quote", use.as_arguments())
        price, pool = self._price(quote)
        if verdict is None or verdict[0] not in (_ALLOW, _DENY):
            return PolicyAnswer(False, FAILED, price, pool)
        allowed = verdict[0] == _ALLOW
        return PolicyAnswer(allowed, "" if allowed else text_of_word(verdict[2]), price, pool)

    async def retention(self, policy: Address, blob_object: BlobObjectId) -> RetentionAnswer:
        """What a policy says of keeping an object."""
        delete = await self._ask(policy, "canDelete", blob_object)
        replace = await self._ask(policy, "canReplace", blob_object, NOBODY)
        minimum = await self._ask(policy, "minimumEndEpoch", blob_object)
        destroy = await self._ask(policy, "destroyAt", blob_object)
        return RetentionAnswer(delete, replace, None if minimum is None else Epoch(minimum), destroy)

    def _price(self, quote: Sequence[Any] | None) -> tuple[Wei | None, PoolId]:
        if quote is None:
            return None, PoolId(0)
        token, amount, pool = quote
        if amount and checksum_address(token) != self._chain.deployment.address("WAL"):
            return None, PoolId(0)
        return Wei(amount), PoolId(pool if amount else 0)

    async def _ask(self, policy: Address, function: str, *arguments: Any) -> Any:
        """What a function of a policy returns; none when it reverts, uses up its gas or returns something else."""
        call = interface(_POLICY)[function]
        question = {"to": policy, "data": "0x" + call.call(*arguments).hex(), "gas": hex(EVALUATION_GAS)}
        try:
            data = bytes.fromhex((await self._chain.provider.request("eth_call", question, "latest"))[2:])
            return call.result(data) if len(data) == _WORD * len(call.outputs) else None
        except (Rejected, RpcRefused, DecodingError):
            return None
