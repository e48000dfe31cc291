"""Who plays in the story: a consortium, an ethics board, a counsel, researchers, an analyst, 1,000 contributors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from walrus_chain.chain.network import Chain
from walrus_chain.chain.sender import Sender
from walrus_chain.client.client import Client
from walrus_chain.devnet.network import Devnet
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.types import WAL_DECIMALS, Address, Wei

CONTRIBUTORS: Final = 1_000
RESEARCHERS: Final = 3
#: Contributors who come for their money in the story; the others could.
CLAIMERS: Final = 3
_PURSE: Final = Wei(20 * 10**WAL_DECIMALS)
_GAS_MONEY: Final = Wei(10**18)


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody with a key and a client."""

    key: LocalAccount
    client: Client

    @property
    def address(self) -> Address:
        """Their account."""
        return Address(self.key.address)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, and the contributors' units."""

    devnet: Devnet
    chain: Chain
    consortium: Player
    """Stores the files and owns them."""
    board: Player
    """The ethics board: issues and revokes credentials."""
    counsel: Player
    """May put a legal hold on files."""
    researchers: tuple[Player, ...]
    analyst: Player
    """May compute, and not read."""
    contributors: dict[Address, int]
    """Units of each: how many samples they gave, 1 to 5."""
    claimers: tuple[Player, ...]
    """Contributors who come for their money."""


def contributions() -> dict[Address, int]:
    """Units of each contributor: as many as samples given, in a fixed made-up distribution."""
    return {
        LocalSigner(_key_of(number)).address: 1 + keccak(text=f"samples {number}")[0] % 5
        for number in range(CONTRIBUTORS)
    }


@asynccontextmanager
async def cast(devnet: Devnet, consortium: LocalAccount) -> AsyncIterator[Cast]:
    """Everybody, with money for what they do.

    Args:
        consortium: has WAL, and money for transactions; the others get theirs from it.
    """
    async with AsyncExitStack() as stack:

        async def player(key: LocalAccount) -> Player:
            client = Client.connect([devnet.rpc_url], devnet.deployment, account=key)
            return Player(key, await stack.enter_async_context(client))

        chain = await stack.enter_async_context(Chain.connect([devnet.rpc_url], devnet.deployment))
        board, counsel = await player(Account.create()), await player(Account.create())
        researchers = [await player(Account.create()) for _ in range(RESEARCHERS)]
        analyst = await player(Account.create())
        claimers = [await player(Account.from_key(_key_of(number))) for number in range(CLAIMERS)]
        treasury = Sender(chain, consortium)
        for poor in (board, counsel, *researchers, analyst, *claimers):
            await treasury.send_native(poor.address, _GAS_MONEY)
        for payer in (*researchers, analyst):
            await treasury.send_wal(payer.address, _PURSE)
        yield Cast(
            devnet=devnet,
            chain=chain,
            consortium=await player(consortium),
            board=board,
            counsel=counsel,
            researchers=tuple(researchers),
            analyst=analyst,
            contributors=contributions(),
            claimers=tuple(claimers),
        )


def _key_of(contributor: int) -> bytes:
    """The private key of a contributor, always the same."""
    return keccak(text=f"genomics contributor {contributor}")
