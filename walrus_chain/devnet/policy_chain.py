"""A throw-away chain with a network's contracts and no agents, for tests of policies. Without async.

One node is in office, and its key is here: so an object is certified without a byte being stored. Every account may
send, also without a key: that is what local chains are for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from eth_account import Account
from eth_utils.crypto import keccak

from walrus_chain.chain.abi import interface
from walrus_chain.chain.anvil import AnvilOptions, start_anvil
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.logs import topic_of
from walrus_chain.chain.network import Chain
from walrus_chain.chain.policy_views import Price, Question, Verdict
from walrus_chain.devnet.genesis import GAS_MONEY, Operator, found
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.errors import Bug
from walrus_chain.messages.attestation import StorageAttestation
from walrus_chain.messages.signing import LocalSigner, checksummed
from walrus_chain.policies.evidence import PolicyTree
from walrus_chain.policies.kinds import kind_named
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, Wei

T = TypeVar("T")

#: A month, so that an object of the longest term outlives every journey through time.
_EPOCH_SECONDS: Final = 30 * 24 * 3600
_TERM: Final = 1_000
_SIZE: Final = 1_000
_ALL: Final = 2**256 - 1
_LOOK_SECONDS: Final = 0.002


class PolicyChain:
    """A network's contracts on a chain of their own; `policy_chain` makes one."""

    def __init__(self, loop: _Loop, chain: Chain, treasury: Address, signer: LocalSigner, epoch: Epoch) -> None:
        """
        Args:
            treasury: holds the WAL that nobody was given.
            signer: the key of the only node.
            epoch: in which it took office.
        """
        self._loop = loop
        self._chain = chain
        self._treasury = treasury
        self._signer = signer
        self._epoch = epoch
        self._objects = 0

    @property
    def url(self) -> str:
        """The chain's RPC endpoint."""
        return self._chain.provider.endpoint

    @property
    def deployment(self) -> Deployment:
        """Where the network's contracts are."""
        return self._chain.deployment

    def address(self, contract: str) -> Address:
        """Where a contract of the network is, such as `CredentialRegistry`."""
        return self._chain.deployment.address(contract)

    def rpc(self, method: str, *parameters: Any) -> Any:
        """A call to the chain's node, such as `evm_mine`."""
        return self._loop.run(self._chain.provider.request(method, *parameters))

    def call(self, contract: str, function: str, *arguments: Any) -> Any:
        """What a view function of a contract of the network returns; structs are tuples.

        Raises: Rejected: the contract reverted (decoded).
        """
        return self._loop.run(self._chain.call(contract, function, *arguments))

    def send(self, sender: Address, contract: str, function: str, *arguments: Any) -> Mapping[str, Any]:
        """Calls a function of a contract of the network as `sender`; the transaction's receipt.

        Raises: Rejected: the contract reverted (decoded).
        """
        return self.transact(sender, self.address(contract), interface(contract)[function].call(*arguments))

    def transact(self, sender: Address, to: Address | None, data: bytes) -> Mapping[str, Any]:
        """Sends a transaction as `sender`, to create a contract when `to` is none; its receipt.

        Raises: Rejected: the contract reverted (decoded).
        """
        transaction = {"from": sender, "data": "0x" + data.hex()} | ({} if to is None else {"to": to})
        digest = self.rpc("eth_sendTransaction", transaction)
        receipt: Mapping[str, Any] | None
        while (receipt := self.rpc("eth_getTransactionReceipt", digest)) is None:
            time.sleep(_LOOK_SECONDS)
        if int(receipt["status"], 16) != 1:
            # The chain sends without asking first; the same call says why it reverted.
            self.rpc("eth_call", transaction, hex(int(receipt["blockNumber"], 16) - 1))
            raise Bug(f"transaction {digest} reverted, and the same call before it does not")
        return dict(receipt)

    def events(self, receipt: Mapping[str, Any], contract: str, name: str) -> list[tuple[list[bytes], bytes]]:
        """Topics and data of the events of one kind that a transaction logged."""
        topic = topic_of(contract, name)
        logs = [
            ([bytes.fromhex(word[2:]) for word in log["topics"]], bytes.fromhex(log["data"][2:]))
            for log in receipt["logs"]
            if log["address"].lower() == self.address(contract).lower()
        ]
        return [log for log in logs if log[0][0] == topic]

    def judge(self, question: Question) -> Verdict:
        """The network's decision on a use of data."""
        return self._loop.run(self._chain.policies.judge(question))

    def quote_of(self, question: Question) -> Price:
        """What a use costs, allowed or not.

        Raises: NoQuote: there is no price that could be paid.
        """
        return self._loop.run(self._chain.policies.quote_of(question))

    def tree_of(self, policy: Address) -> PolicyTree:
        """A policy and those that it asks; of one that runs other code than the network's own nothing is known."""
        made = self._loop.run(self._chain.policies.ready_made(policy))
        if made is None:
            return PolicyTree(policy, None, {})
        kind = kind_named(made.kind)
        arguments = kind.decode(made.arguments)
        return PolicyTree(policy, kind, arguments, tuple(map(self.tree_of, kind.operands(arguments))))

    # -- people ------------------------------------------------------------------------------------------------------

    def account(self, name: str) -> Address:
        """An account with money for transactions, always the same for a name."""
        account = checksummed(keccak(text=f"walrus policy tester: {name}")[-20:])
        self.rpc("anvil_setBalance", account, hex(GAS_MONEY))
        return account

    def give_wal(self, account: Address, amount: Wei) -> None:
        """Gives an account WAL, which the vault may take for what the account pays."""
        self.send(self._treasury, "WAL", "transfer", account, amount)
        self.send(account, "WAL", "approve", self.address("TokenVault"), _ALL)

    # -- objects -----------------------------------------------------------------------------------------------------

    def certified_object(self, owner: Address) -> BlobObjectId:
        """A new blob object of `owner` that the network answers for, of 1,000 bytes that nobody has."""
        self._objects += 1
        blob_id = BlobId(keccak(text=f"walrus policy tester: blob {self._objects}"))
        price, _, _ = self.call("StorageFees", "quote", _SIZE, _TERM)
        self.give_wal(owner, Wei(price))
        receipt = self.send(owner, "BlobRegistry", "register", (blob_id.digest, _SIZE, _TERM, True))
        [(topics, _)] = self.events(receipt, "BlobRegistry", "BlobRegistered")
        blob_object = BlobObjectId(int.from_bytes(topics[1], "big"))
        signed = StorageAttestation(blob_id, blob_object, self._epoch, True).sign(
            self._signer, self._chain.registry_domain
        )
        self.send(owner, "BlobRegistry", "certify", blob_object, 1, signed.signature)
        return blob_object

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The time of the newest block, in seconds since 1970."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def go_to(self, moment: int) -> None:
        """Makes a block at a time that has not come yet."""
        self.rpc("evm_setNextBlockTimestamp", hex(moment))
        self.rpc("evm_mine")

    @contextmanager
    def forgotten(self) -> Iterator[None]:
        """Whatever happens in the block has not happened after it."""
        snapshot, objects = self.rpc("evm_snapshot"), self._objects
        try:
            yield
        finally:
            self.rpc("evm_revert", snapshot)
            self._objects = objects


class _Loop:
    """An event loop in a thread of its own, so that tests need none, and may have one."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="policy-chain", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns, which runs in the thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Ends the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def policy_chain() -> Iterator[PolicyChain]:
    """A chain with the network's contracts for the time of a block.

    Raises: AnvilMissing, AnvilFailed: there is no local chain to be had; says what to install.
    """
    loop = _Loop()
    try:
        anvil = loop.run(start_anvil(AnvilOptions(accounts=1)))
        try:
            chain, treasury, signer, epoch = loop.run(_founded(anvil.url))
            try:
                made = PolicyChain(loop, chain, treasury, signer, epoch)
                made.rpc("anvil_autoImpersonateAccount", True)
                yield made
            finally:
                loop.run(chain.aclose())
        finally:
            loop.run(anvil.stop())
    finally:
        loop.close()


async def _founded(url: str) -> tuple[Chain, Address, LocalSigner, Epoch]:
    """A network of one node on an empty chain, who holds its WAL, the node's key, and the epoch it took office in."""
    deployer, operator, node = (Account.create() for _ in range(3))
    parameters = DevnetParameters(agents=1, shards=4, regions=1, epoch_seconds=_EPOCH_SECONDS)
    operators = [Operator(operator, node, bytes(32), "node", "http://127.0.0.1:1", parameters.region_of(0))]
    deployment, _ = await found(url, parameters, deployer, Address(deployer.address), operators)
    chain = Chain.connect([url], deployment)
    committee = await chain.committee()
    return chain, Address(deployer.address), LocalSigner(bytes(node.key)), committee.epoch
