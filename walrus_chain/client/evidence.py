"""What a reader can show to a policy, found by itself: credentials that the chain's registry has for it.

A ready-made policy says by its code what it asks for; of others nothing is known, so their evidence has to be named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from walrus_chain.chain.abi_codec import decode, encode
from walrus_chain.client.ports import ChainReader
from walrus_chain.types import NOBODY, Address

if TYPE_CHECKING:
    from walrus_chain.chain.policy_views import Credential

#: Arguments of the kinds that ask other policies: where the addresses of those are among them.
_COMBINATORS: Final[dict[str, tuple[tuple[str, ...], int]]] = {
    "AllOf": (("address[]",), 0),
    "AnyOf": (("address[]",), 0),
    "KOfN": (("uint8", "address[]"), 1),
}
_CREDENTIAL: Final = ("address", "bytes32", "address")
_MOST_LEVELS: Final = 3


async def evidence_for(
    chain: ChainReader, policy: Address, account: Address, credential: bytes | None, levels: int = _MOST_LEVELS
) -> bytes | None:
    """What an account shows to a policy; None when nothing is known that it could show.

    Args:
        credential: the credential to show, 32 bytes; the newest that fits when None.
        levels: how deep policies that ask others are followed.
    """
    made = None if policy == NOBODY else await chain.policies.ready_made(policy)
    if made is None:
        return credential
    if made.kind == "Credential":
        _, schema, attester = decode(_CREDENTIAL, made.arguments)
        return credential or await _newest(chain, account, schema, attester)
    if made.kind not in _COMBINATORS or not levels:
        return None
    types, place = _COMBINATORS[made.kind]
    operands = [Address(operand) for operand in decode(types, made.arguments)[place]]
    parts = [await evidence_for(chain, operand, account, credential, levels - 1) or b"" for operand in operands]
    return encode(("bytes[]",), (parts,)) if any(parts) else None


async def _newest(chain: ChainReader, account: Address, schema: bytes, attester: str) -> bytes | None:
    def fits(credential: Credential) -> bool:
        return credential.schema == schema and credential.attester.lower() == attester.lower()

    fitting = [credential for credential in await chain.policies.credentials_of(account) if fits(credential)]
    if not fitting:
        return None
    now = (await chain.head()).timestamp
    # One that does not hold is shown where there is no other: the policy says what is wrong with it.
    return max(fitting, key=lambda credential: (credential.valid_at(now), credential.time)).uid
