"""Reading one network: its parameters, committee, nodes, blob objects, prices, balances, blocks and events.

`Chain` answers with the frozen values of `walrus_chain.chain.views`. It holds no state of the network: an answer is as
of the moment of the call. Writing is `walrus_chain.chain.sender`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from eth_abi.exceptions import DecodingError

from walrus_chain.chain.abi import interface
from walrus_chain.chain.answers import blob_from, committee_from, node_from, parameters_from, shards_in
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.events import BlobRegistered, NodeKeysRotated, NodeRegistered
from walrus_chain.chain.logs import LogDecoder, topic_of
from walrus_chain.chain.provider import Call, ChainProvider
from walrus_chain.chain.rejections import CommitteeNotFormed
from walrus_chain.chain.views import (
    Attribute,
    Balances,
    BlobObject,
    ExtensionQuote,
    NetworkParameters,
    Node,
    Quote,
)
from walrus_chain.errors import BlockUnknown, ContractMissing, RpcRefused, RpcUnavailable, UnexpectedAnswer
from walrus_chain.messages.domain import (
    Domain,
    access_domain,
    channels_domain,
    nodes_domain,
    number_word,
    registry_domain,
)
from walrus_chain.rules.committee import Committee
from walrus_chain.types import (
    Address,
    BlobId,
    BlobObjectId,
    BlobStatus,
    Epoch,
    NodeId,
    Wei,
)

if TYPE_CHECKING:
    from web3.contract import AsyncContract

    from walrus_chain.chain.compute import ComputeBook
    from walrus_chain.chain.economy import Economy
    from walrus_chain.chain.payments import PaymentBook
    from walrus_chain.chain.policies import PolicyBook

E = TypeVar("E", bound=ChainEvent)

LATEST: Final = "latest"
_NODES_A_CALL: Final = 50
_OBJECTS_A_CALL: Final = 1000
#: Blocks of a span that are asked for along with its events.
_BLOCKS_A_SPAN: Final = 16
_HASH_BYTES: Final = 32
#: No chain's number of blocks, nor its clock in seconds, reaches this.
_CLOCK_LIMIT: Final = 2**48
# Words with which endpoints refuse a range of logs that is too long for them.
_TOO_MUCH: Final = ("range", "limit", "too many", "too large", "more than", "exceed")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the chain."""

    blocks: tuple[BlockRef, ...]
    """The block before it and its last one; where it is short, those between them too. Ascending."""
    events: tuple[ChainEvent, ...]
    """Everything that the network's contracts logged after the first of these blocks, in chain order."""


class Chain:
    """One network on one chain, for reading."""

    def __init__(self, provider: ChainProvider, deployment: Deployment) -> None:
        """
        Args:
            provider: the chain's endpoints; must be made with the deployment's chain id.
            deployment: where the network's contracts are.
        """
        self.provider = provider
        self.deployment = deployment
        self._logs = LogDecoder(deployment)
        self._addresses = sorted(deployment.contracts.values())

    @classmethod
    def connect(cls, urls: Sequence[str], deployment: Deployment, *, timeout: float | None = None) -> Chain:
        """The network of `deployment` through RPC endpoints; nothing is asked yet.

        Args:
            urls: HTTP URLs, the preferred one first.
            timeout: seconds that each endpoint has for an answer.
        Raises: NoEndpoint: no URL, or one that is no HTTP URL.
        """
        options = {} if timeout is None else {"timeout": timeout}
        return cls(ChainProvider(urls, deployment.chain_id, **options), deployment)

    async def __aenter__(self) -> Chain:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self.provider.aclose()

    @property
    def registry_domain(self) -> Domain:
        """The domain in which attestations are signed."""
        return registry_domain(self.deployment.chain_id, self.deployment.address("BlobRegistry"))

    @property
    def nodes_domain(self) -> Domain:
        """The domain in which node keys are proved."""
        return nodes_domain(self.deployment.chain_id, self.deployment.address("NodeRegistry"))

    @property
    def access_domain(self) -> Domain:
        """The domain in which grants, requests, receipts and erasable keys are signed."""
        return access_domain(self.deployment.chain_id, self.deployment.address("BlobPolicies"))

    @property
    def channels_domain(self) -> Domain:
        """The domain in which vouchers are signed."""
        return channels_domain(self.deployment.chain_id, self.deployment.address("ReadChannels"))

    @property
    def economy(self) -> Economy:
        """Stakes, what is due each epoch, custody, rewards and prices."""
        from walrus_chain.chain.economy import Economy

        return Economy(self)

    @property
    def policies(self) -> PolicyBook:
        """Policies of blob objects, sealed keys, credentials and nodes' receipts."""
        from walrus_chain.chain.policies import PolicyBook

        return PolicyBook(self)

    @property
    def payments(self) -> PaymentBook:
        """Revenue pools, purchases, read channels and renewals."""
        from walrus_chain.chain.payments import PaymentBook

        return PaymentBook(self)

    @property
    def compute(self) -> ComputeBook:
        """Jobs that run programs on blob objects, and their triggers."""
        from walrus_chain.chain.compute import ComputeBook

        return ComputeBook(self)

    # -- the network -------------------------------------------------------------------------------------------------

    async def parameters(self) -> NetworkParameters:
        """The network's parameters and clock."""
        return parameters_from(await self.call("NetworkLens", "network"))

    async def committee(self) -> Committee:
        """The committee that serves now.

        Raises: CommitteeNotFormed: none serves yet.
        """
        network, members, change = await self.calls(
            [("NetworkLens", "network", ()), ("NetworkLens", "committee", ()), ("NetworkLens", "change", ())]
        )
        parameters = parameters_from(network)
        if not parameters.committee_epoch:
            raise CommitteeNotFormed
        serving = committee_from(parameters.committee_epoch, parameters.shards, members)
        _, previous_epoch, pending, former = change
        if not pending:
            return serving
        previous = committee_from(Epoch(previous_epoch), parameters.shards, former)
        return replace(serving, previous=previous, pending=shards_in(pending))

    async def nodes(self) -> tuple[Node, ...]:
        """All nodes that were ever registered, by id."""
        found: list[Node] = []
        while True:
            page = await self.call("NetworkLens", "nodes", len(found) + 1, _NODES_A_CALL)
            found += map(node_from, page)
            if len(page) < _NODES_A_CALL:
                return tuple(found)

    async def node(self, node_id: NodeId) -> Node:
        """A registered node."""
        [view] = await self.call("NetworkLens", "nodes", node_id, 1)
        return node_from(view)

    async def node_keys_of(self, node_id: NodeId) -> tuple[tuple[Address, bytes], ...]:
        """Signers and encryption keys that a node ever registered, oldest first."""
        number = number_word(node_id)
        found = [(event.signer, event.encryption_key) for event in await self.logged(NodeRegistered, number)]
        found += [(event.new_signer, event.encryption_key) for event in await self.logged(NodeKeysRotated, number)]
        return tuple(found)

    async def node_of_signer(self, signer: Address) -> NodeId | None:
        """The node whose key `signer` is or was; none when nobody's."""
        return NodeId(await self.call("NodeRegistry", "nodeOfSigner", signer)) or None

    # -- blobs -------------------------------------------------------------------------------------------------------

    async def blob(self, blob_object: BlobObjectId) -> BlobObject:
        """One object; its status is UNKNOWN when there is none."""
        return blob_from(await self.call("BlobRegistry", "blobOf", blob_object))

    async def blobs(self, blob_objects: Sequence[BlobObjectId]) -> tuple[BlobObject, ...]:
        """Several objects, in the order asked; the status of those that do not exist is UNKNOWN."""
        found: list[BlobObject] = []
        for start in range(0, len(blob_objects), _OBJECTS_A_CALL):
            page = blob_objects[start : start + _OBJECTS_A_CALL]
            found += map(blob_from, await self.call("NetworkLens", "blobs", page))
        return tuple(found)

    async def blobs_of(self, owner: Address) -> tuple[BlobObject, ...]:
        """All objects that an account owns now, by id. Costs a call for each thousand objects of the network."""
        found: list[BlobObject] = []
        first = 1
        while first:
            page, first = await self.call("NetworkLens", "blobsOf", owner, first, _OBJECTS_A_CALL)
            found += map(blob_from, page)
        return tuple(found)

    async def objects_of(self, blob_id: BlobId) -> tuple[BlobObject, ...]:
        """Every object of a blob that was not deleted, as it is now, by id: also those that expired."""
        registered = await self.logged(BlobRegistered, None, blob_id.digest)
        found = await self.blobs([event.blob_object for event in registered])
        return tuple(blob for blob in found if blob.status is not BlobStatus.UNKNOWN)

    async def is_invalid(self, blob_id: BlobId) -> bool:
        """Whether nodes attested that the blob's bytes do not encode to its id."""
        return bool(await self.call("BlobRegistry", "isInvalid", blob_id.digest))

    async def attributes(self, blob_object: BlobObjectId) -> tuple[Attribute, ...]:
        """All attributes of an object; none when it does not exist."""
        return tuple(Attribute(*pair) for pair in await self.call("BlobAttributes", "attributesOf", blob_object))

    # -- money -------------------------------------------------------------------------------------------------------

    async def quote(self, size: int, epochs: int) -> Quote:
        """What registering a blob of `size` bytes for `epochs` epochs costs."""
        (total, rate, fee), units = await self.calls(
            [("StorageFees", "quote", (size, epochs)), ("StorageFees", "unitsOf", (size,))]
        )
        return Quote(Wei(total), Wei(rate), Wei(fee), units)

    async def quote_extension(self, blob: BlobObject, epochs: int) -> ExtensionQuote:
        """What making an object's term `epochs` epochs longer costs.

        Raises: TermOver: the object expired.
        """
        total, rate = await self.call("StorageFees", "quoteExtension", blob.size, blob.rate, blob.end, epochs)
        return ExtensionQuote(Wei(total), Wei(rate))

    async def balances(self, account: Address) -> Balances:
        """What an account has."""
        vault = self.deployment.address("TokenVault")
        native, wal, claim, allowance = await self.provider.batch(
            [
                ("eth_getBalance", (account, LATEST)),
                self._encode("WAL", "balanceOf", (account,)),
                self._encode("TokenVault", "claimOf", (account,)),
                self._encode("WAL", "allowance", (account, vault)),
            ]
        )
        return Balances(
            wal=Wei(self._decode("WAL", "balanceOf", wal)),
            native=Wei(int(native, 16)),
            claim=Wei(self._decode("TokenVault", "claimOf", claim)),
            allowance=Wei(self._decode("WAL", "allowance", allowance)),
        )

    # -- blocks and events -------------------------------------------------------------------------------------------

    async def head(self, confirmations: int = 0) -> BlockRef:
        """The newest block that has `confirmations` blocks after it; the first block while the chain is shorter."""
        if confirmations == 0:
            return self._block_ref((await self.provider.known(LATEST, [_block_by_number(LATEST)]))[0])
        newest = int(await self.provider.request("eth_blockNumber"), 16)
        return await self.block(max(0, newest - confirmations))

    async def block(self, number: int) -> BlockRef:
        """The block with that number on the fork that the endpoint follows now.

        Raises: BlockUnknown: no endpoint has it yet.
        """
        return self._block_ref((await self.provider.known(number, [_block_by_number(hex(number))]))[0])

    async def block_at(self, digest: bytes) -> BlockRef:
        """The block with that hash, 32 bytes, while it is in the chain.

        Raises: BlockUnknown: no endpoint has it in its chain.
        """
        found = await self.provider.known(f"0x{digest.hex()}", [_block_by_hash(f"0x{digest.hex()}")])
        block = self._block_ref(found[0])
        if (await self.block(block.number)).hash != digest:
            raise BlockUnknown(block)
        return block

    async def logged(
        self,
        kind: type[E],
        *indexed: bytes | None,
        first: int | None = None,
        last: int | None = None,
        address: Address | None = None,
    ) -> tuple[E, ...]:
        """Every event of a kind that has these indexed fields, in chain order.

        Args:
            indexed: the values wanted, 32 bytes each, in the order of the event; none for any.
            address: who logged it, where that is none of the network's own contracts, as a policy.
            first: the first block that counts; the network's first when none.
            last: the last one; the newest when none.
        Raises: BlockUnknown: no endpoint knows the block `last`.
        """
        topics = [topic_of(kind.contract, kind.solidity_name), *indexed]
        criteria = {
            "address": address or self.deployment.address(kind.contract),
            "topics": [None if topic is None else "0x" + topic.hex() for topic in topics],
        }
        first = self.deployment.block if first is None else first
        events = await self._decoded(await self._logs_of(first, last, criteria), kind.contract)
        return tuple(event for event in events if isinstance(event, kind))

    async def events(self, first_block: int, last_block: int) -> tuple[ChainEvent, ...]:
        """Everything that the network's contracts logged in blocks first..last, both included, in chain order.

        All of it comes from an endpoint that knows `last_block`, so a lagging one hides no events. Each event carries
        its block's hash: compare it with the fork you follow.

        Raises: BlockUnknown: no endpoint knows `last_block`, or it was reorganised away meanwhile.
        """
        return await self._decoded(await self._logs_between(first_block, last_block, {"address": self._addresses}))

    async def span(self, after: int, last: int) -> Span:
        """What happened after block `after` up to block `last`, with the blocks that it can be checked against.

        One request, where the endpoint does not refuse it as too much; all of it comes from one endpoint.

        Raises: BlockUnknown: no endpoint knows `last`.
        """
        numbers = range(after, last + 1) if last - after <= _BLOCKS_A_SPAN else (after, last)
        questions = [_block_by_number(hex(number)) for number in numbers]
        query = {"fromBlock": hex(after + 1), "toBlock": hex(last), "address": self._addresses}
        try:
            *found, logs = await self.provider.known(last, [*questions, ("eth_getLogs", (query,))])
        except (RpcRefused, RpcUnavailable) as error:
            if not _is_too_much(error):
                raise
            events = await self.events(after + 1, last)
            found = await self.provider.known(last, questions)
        else:
            events = await self._decoded(logs)
        return Span(tuple(map(self._block_ref, found)), events)

    async def _decoded(self, logs: Sequence[Mapping[str, Any]], contract: str | None = None) -> tuple[ChainEvent, ...]:
        try:
            blocks = await self._blocks_of(logs)
            events = [self._logs.decode(log, blocks[log["blockHash"]], contract) for log in sorted(logs, key=_place_of)]
        except (DecodingError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnexpectedAnswer(self.provider.endpoint, "eth_getLogs", f"no log of a contract: {error}") from error
        return tuple(event for event in events if event is not None)

    async def _logs_of(self, first: int, last: int | None, criteria: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if last is not None:
            return await self._logs_between(first, last, criteria)
        try:
            query = {"fromBlock": hex(first), "toBlock": LATEST, **criteria}
            logs: list[Mapping[str, Any]] = await self.provider.request("eth_getLogs", query)
        except (RpcRefused, RpcUnavailable) as error:
            if not _is_too_much(error):
                raise
            return await self._logs_between(first, (await self.head()).number, criteria)
        return logs

    async def _logs_between(self, first: int, last: int, criteria: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if last < first:
            return []
        query = {"fromBlock": hex(first), "toBlock": hex(last), **criteria}
        try:
            block, logs = await self.provider.known(last, [_block_by_number(hex(last)), ("eth_getLogs", (query,))])
        except (RpcRefused, RpcUnavailable) as error:
            if first == last or not _is_too_much(error):
                raise
            middle = (first + last) // 2
            return [
                *await self._logs_between(first, middle, criteria),
                *await self._logs_between(middle + 1, last, criteria),
            ]
        newest = self._block_ref(block)
        for log in logs:
            if int(log["blockNumber"], 16) == last and bytes.fromhex(log["blockHash"][2:]) != newest.hash:
                raise BlockUnknown(newest)
        return sorted(logs, key=_place_of)

    async def _blocks_of(self, logs: Sequence[Mapping[str, Any]]) -> dict[str, BlockRef]:
        """The blocks of logs by hash; only endpoints that leave the time out of their logs are asked again."""
        blocks: dict[str, BlockRef] = {}
        unknown: dict[str, Call] = {}
        for log in logs:
            digest = log["blockHash"]
            if digest in blocks:
                continue
            if (timestamp := log.get("blockTimestamp")) is not None:
                blocks[digest] = BlockRef(int(log["blockNumber"], 16), bytes.fromhex(digest[2:]), int(timestamp, 16))
            else:
                unknown[digest] = _block_by_hash(digest)
        if unknown:
            found = await self.provider.known(next(iter(unknown)), list(unknown.values()))
            blocks |= {digest: self._block_ref(block) for digest, block in zip(unknown, found, strict=True)}
        return blocks

    def _block_ref(self, data: Any) -> BlockRef:
        try:
            block = BlockRef(int(data["number"], 16), bytes.fromhex(data["hash"][2:]), int(data["timestamp"], 16))
            if len(block.hash) != _HASH_BYTES or not max(block.number, block.timestamp) < _CLOCK_LIMIT:
                raise ValueError(f"{data['number']} at {data['timestamp']}")
            return block
        except (KeyError, TypeError, ValueError) as error:
            raise UnexpectedAnswer(self.provider.endpoint, "eth_getBlock", f"no block: {error}") from error

    def contract(self, name: str) -> AsyncContract:
        """A contract of this network for web3.py, such as `BlobRegistry`, over this network's endpoints.

        Errors of its calls are web3.py's own; those of the other methods here are this library's.

        Raises: ContractMissing, ArtifactMissing: there is none of that name.
        """
        from walrus_chain.chain.web3_bridge import contract

        return contract(self.provider, self.deployment, name)

    # -- calls -------------------------------------------------------------------------------------------------------

    async def call(self, contract: str, function: str, *arguments: Any, at: bytes | None = None) -> Any:
        """What a view function returns: one value, or a tuple of several; structs are tuples.

        Args:
            at: hash of the block to ask, 32 bytes; the newest when none.
        Raises:
            Rejected: the contract reverted (decoded).
            ContractMissing: there is no such contract on this chain.
            BlockUnknown: no endpoint has the block `at` in its chain.
        """
        return (await self.calls([(contract, function, arguments)], at=at))[0]

    async def calls(
        self, calls: Sequence[tuple[str, str, Sequence[Any]]], *, at: bytes | None = None, gas: int | None = None
    ) -> list[Any]:
        """Several view functions (contract, function, arguments), asked of the same endpoint in one request.

        Args:
            at: hash of the block to ask, 32 bytes; the newest when none.
            gas: that each call gets; what the endpoint gives when none.
        Raises: as `call`.
        """
        answers = await self._answers([self._encode(*call) for call in calls], at, gas)
        return [
            self._decode(contract, function, answer)
            for (contract, function, _), answer in zip(calls, answers, strict=True)
        ]

    async def view(
        self, address: Address, contract: str, function: str, *arguments: Any, at: bytes | None = None
    ) -> Any:
        """What a view function of any contract returns that has the functions of `contract`, such as a policy.

        Raises: as `call`.
        """
        [answer] = await self._answers([self._encode(contract, function, arguments, address)], at)
        return self._decode(contract, function, answer, address)

    async def _answers(self, calls: Sequence[Call], at: bytes | None, gas: int | None = None) -> list[Any]:
        extra = {} if gas is None else {"gas": hex(gas)}
        if at is None:
            return await self.provider.batch([(method, ({**call, **extra}, LATEST)) for method, (call, _) in calls])
        digest = "0x" + at.hex()
        block = {"blockHash": digest, "requireCanonical": True}
        pinned = [(method, ({**call, **extra}, block)) for method, (call, _) in calls]
        _, *answers = await self.provider.known(digest, [_block_by_hash(digest), *pinned])
        return answers

    def _encode(self, contract: str, function: str, arguments: Sequence[Any], address: Address | None = None) -> Call:
        data = interface(contract)[function].call(*arguments)
        return "eth_call", ({"to": address or self.deployment.address(contract), "data": "0x" + data.hex()}, LATEST)

    def _decode(self, contract: str, function: str, answer: str, address: Address | None = None) -> Any:
        try:
            return interface(contract)[function].result(bytes.fromhex(answer[2:]))
        except (DecodingError, ValueError, TypeError) as error:
            address = address or self.deployment.address(contract)
            if answer == "0x":
                raise ContractMissing(self.deployment.name, contract, f"there is no code at {address}") from error
            raise ContractMissing(
                self.deployment.name, contract, f"what is at {address} answers {function} in another way"
            ) from error


def _is_too_much(error: RpcRefused | RpcUnavailable) -> bool:
    """Whether an endpoint refused a range of logs as too long."""
    return any(words in str(error).lower() for words in _TOO_MUCH)


def _place_of(log: Mapping[str, Any]) -> tuple[int, int]:
    """Where a log is on its chain."""
    return int(log["blockNumber"], 16), int(log["logIndex"], 16)


def _block_by_number(number: str) -> Call:
    return "eth_getBlockByNumber", (number, False)


def _block_by_hash(digest: str) -> Call:
    return "eth_getBlockByHash", (digest, False)
