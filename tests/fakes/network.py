"""A network in memory that keeps the rules: a chain with prices, allowances and certificates, and storage agents.

It is no mock: nothing is programmed call by call. What the contracts refuse it refuses, with the same errors, and a
certificate is checked signature by signature.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.fakes.access import (
    FakeAccess,
    FakePayments,
    FakePaymentWriter,
    FakePolicies,
    FakePolicyWriter,
    head_of,
)
from tests.fakes.economy import (
    EPOCH_SECONDS,
    GENESIS_TIME,
    MAXIMUM_COMMISSION_BPS,
    MINIMUM_STAKE,
    UNBONDING_EPOCHS,
    FakeEconomy,
    StakingWriter,
)
from tests.fakes.ordered_jobs import FakeJobs, FakeJobWriter
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.library_rejections import AllowanceTooSmall, NotEnoughWal, ObjectNotYours
from walrus_chain.chain.money_rejections import WrongTerm
from walrus_chain.chain.rejections import (
    AlreadyInvalid,
    AttributesNotYours,
    CertificateBelowQuorum,
    CommitteeNotFormed,
    NotDeletable,
    NotLive,
    TooFewAccusers,
    UnknownObject,
    WrongMemberSignature,
    WrongStatus,
)
from walrus_chain.chain.sender import UNLIMITED, RegisterReceipt, Registration
from walrus_chain.chain.transactions import Receipt
from walrus_chain.chain.views import (
    Attribute,
    Balances,
    BlobObject,
    ExtensionQuote,
    NetworkParameters,
    Node,
    PoolFacts,
    Quote,
)
from walrus_chain.codec.geometry import Geometry
from walrus_chain.messages.attestation import InvalidityAttestation, StorageAttestation
from walrus_chain.messages.domain import Domain, registry_domain
from walrus_chain.messages.signing import LocalSigner, recover
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.transport.agent import AgentClient
from walrus_chain.transport.memory import LedgerEntry, MemoryAgent
from walrus_chain.transport.memory_keys import MemoryKeys
from walrus_chain.types import Address, BlobId, BlobObjectId, BlobStatus, Epoch, NodeId, ShardIndex, Wei

ONE_WAL = 10**18
SOUND = PoolFacts(Wei(0), Wei(ONE_WAL), Wei(0), Wei(0), 0, 0, Epoch(0), Epoch(0), True, 0, Epoch(0))
"""The pool of a node that did nothing wrong."""
GENESIS = Epoch(1)
VAULT = Address("0x000000000000000000000000000000000000dEaD")
ALICE = Address("0x00000000000000000000000000000000000000A1")
BOB = Address("0x00000000000000000000000000000000000000b0")


@dataclass(slots=True)
class FakeNetwork:
    """Chain and agents; `chain`, `agents` and `writer(account)` are what a client takes."""

    shards: int = 10
    nodes: int = 5
    epoch: int = 1
    maximum_epochs: int = 100
    unit_bytes: int = 65536
    unit_price: int = 10**12
    write_fee: int = 10**13
    objects: dict[int, BlobObject] = field(default_factory=dict)
    invalid: set[BlobId] = field(default_factory=set)
    wal: dict[Address, int] = field(default_factory=dict)
    allowances: dict[Address, int] = field(default_factory=dict)
    claims: dict[Address, int] = field(default_factory=dict)
    texts: dict[int, dict[str, str]] = field(default_factory=dict)
    transactions: list[str] = field(default_factory=list)
    """What was sent, by name, oldest first."""
    registry: Domain = field(init=False)
    committee_epoch: Epoch = GENESIS
    committee: Committee = field(init=False)
    members: list[MemoryAgent] = field(init=False)
    """The agents of all nodes, by node id from 1; in the first committee that is by member index."""
    signers: list[LocalSigner] = field(init=False)
    economy: FakeEconomy = field(init=False)
    access: FakeAccess = field(init=False)
    jobs: FakeJobs = field(default_factory=FakeJobs)
    stolen_keys: dict[int, bytes] = field(default_factory=dict)
    """What nodes registered that is not theirs."""
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.registry = registry_domain(31337, VAULT)
        self.signers, self.members = [], []
        self.access = FakeAccess(self)
        for _ in range(self.nodes):
            self.add_node()
        self.committee = self._committee_of([shard % self.nodes for shard in range(self.shards)])
        for member in self.committee.members:
            self.members[member.index].shards = member.shards
        self.economy = FakeEconomy(self)
        self.fund(ALICE)

    def add_node(self) -> MemoryAgent:
        """One more node, which serves nothing so far."""
        number = len(self.members) + 1
        self.signers.append(LocalSigner(number.to_bytes(32, "big")))
        self.members.append(MemoryAgent(NodeId(number), (), self.shards, signer=self.signers[-1], ledger=self))
        agent = self.members[-1]
        agent.keys = MemoryKeys(
            agent.node_id, agent.label, self.signers[-1], self.access, lambda: max(self.access.time, time.time())
        )
        for agent in self.members:
            agent.peers = [other for other in self.members if other is not agent]
        return self.members[-1]

    def _committee_of(self, served_by: Sequence[int]) -> Committee:
        """The committee in which the node at each place of `members` serves the shards that name it."""
        members: list[Member] = []
        for node in sorted(set(served_by)):
            shards = tuple(ShardIndex(shard) for shard, server in enumerate(served_by) if server == node)
            signer = self.signers[node].address
            where = (NodeId(node + 1), f"node-{node + 1}", f"memory://{node}", "moon", signer, len(shards), shards)
            members.append(Member(len(members), *where))
        return Committee(self.committee_epoch, self.shards, tuple(members))

    def change_committee(self, moves: Mapping[int, int]) -> None:
        """In the next epoch a committee takes office in which some shards are served by other nodes, from 0.

        Agents know of it at once, and have what they had.
        """
        before = self.committee
        self.epoch += 1
        self.committee_epoch = Epoch(self.epoch)
        served_by = [before.member_of_shard(ShardIndex(shard)).node_id - 1 for shard in range(self.shards)]
        for shard, node in moves.items():
            served_by[shard] = node
        pending = frozenset(ShardIndex(shard) for shard in moves)
        self.committee = replace(self._committee_of(served_by), previous=before, pending=pending)
        for agent in self.members:
            member = self.committee.by_node(agent.node_id)
            agent.take_office(() if member is None else member.shards)

    def end_change(self) -> None:
        """All have what moved to them, said so, and dropped what went from them."""
        kept = {key: data for agent in self.members for key, data in agent._pairs.items()}
        known = {blob_id: data for agent in self.members for blob_id, data in agent._metadata.items()}
        for agent in self.members:
            for blob_id, segment, pair in kept:
                if pair in agent._own_pairs(blob_id):
                    agent._pairs[blob_id, segment, pair] = kept[blob_id, segment, pair]
                    agent._metadata[blob_id] = known[blob_id]
            agent.trim()
        self.committee = replace(self.committee, previous=None, pending=frozenset())

    def fund(self, account: Address, wal: int = 1000 * ONE_WAL) -> None:
        """Gives an account WAL."""
        self.wal[account] = wal

    def writer(self, account: Address = ALICE) -> FakeWriter:
        """Somebody who sends transactions."""
        return FakeWriter(self, account)

    def key_of(self, node_id: NodeId) -> bytes:
        """What a node registered as its encryption key."""
        keys = self.members[node_id - 1].keys
        return self.stolen_keys.get(node_id, b"" if keys is None else keys.node_key)

    def pay(self, account: Address, amount: int) -> None:
        """Takes WAL that the account allowed the vault to take."""
        if self.allowances.get(account, 0) < amount:
            raise AllowanceTooSmall(VAULT, self.allowances.get(account, 0), amount)
        if self.wal.get(account, 0) < amount:
            raise NotEnoughWal(account, self.wal.get(account, 0), amount)
        self.wal[account] -= amount

    def receipt(self, name: str) -> Receipt:
        """What is said of a transaction that went through."""
        self.transactions.append(name)
        number = len(self.transactions)
        return Receipt("0x" + number.to_bytes(32, "big").hex(), number, 50_000, 1, None, ())

    # -- what agents see ---------------------------------------------------------------------------------------------

    def live(self, blob_id: BlobId) -> Sequence[LedgerEntry]:
        return [
            LedgerEntry(item.id, item.size, item.end, item.status is BlobStatus.CERTIFIED, item.deletable)
            for item in map(self.seen, self.objects.values())
            if item.blob_id == blob_id and item.status in (BlobStatus.REGISTERED, BlobStatus.CERTIFIED)
        ]

    # -- Agents ------------------------------------------------------------------------------------------------------

    def at(self, url: str, name: str) -> AgentClient:
        return self.members[int(url.removeprefix("memory://"))]

    async def aclose(self) -> None:
        """Nothing to close."""

    # -- ChainReader -------------------------------------------------------------------------------------------------

    def seen(self, item: BlobObject) -> BlobObject:
        """An object as the chain shows it now."""
        if item.blob_id in self.invalid:
            return replace(item, status=BlobStatus.INVALID)
        return replace(item, status=BlobStatus.EXPIRED) if self.epoch >= item.end else item

    def price(self, size: int) -> tuple[int, int]:
        """Units, and the rate for each epoch."""
        units = max(1, -(-Geometry(self.shards).blob(size).encoded_bytes // self.unit_bytes))
        return units, units * self.unit_price


class FakeChain:
    """The chain, asked."""

    def __init__(self, network: FakeNetwork) -> None:
        self.network = network
        self.formed = True

    @property
    def registry_domain(self) -> Domain:
        return self.network.registry

    @property
    def access_domain(self) -> Domain:
        return self.network.access.access

    @property
    def channels_domain(self) -> Domain:
        return self.network.access.channels

    @property
    def economy(self) -> FakeEconomy:
        return self.network.economy

    @property
    def policies(self) -> FakePolicies:
        return FakePolicies(self.network.access)

    @property
    def payments(self) -> FakePayments:
        return FakePayments(self.network.access)

    @property
    def compute(self) -> FakeJobs:
        return self.network.jobs

    async def head(self) -> BlockRef:
        return head_of(self.network.access)

    async def node_keys_of(self, node_id: NodeId) -> tuple[tuple[Address, bytes], ...]:
        return ((self.network.signers[node_id - 1].address, self.network.key_of(node_id)),)

    async def parameters(self) -> NetworkParameters:
        net = self.network
        return NetworkParameters(
            shards=net.shards,
            faults=net.committee.faults,
            committee_epoch=net.committee_epoch if self.formed else Epoch(0),
            current_epoch=Epoch(net.epoch),
            epoch_start=GENESIS_TIME + (net.epoch - 1) * EPOCH_SECONDS,
            epoch_seconds=EPOCH_SECONDS,
            unit_bytes=net.unit_bytes,
            unit_price=Wei(net.unit_price),
            write_fee=Wei(net.write_fee),
            maximum_epochs=net.maximum_epochs,
            minimum_stake=MINIMUM_STAKE,
            total_stake=Wei(sum(has.active + has.waiting for has in net.economy.delegations.values())),
            unbonding_epochs=UNBONDING_EPOCHS,
            maximum_commission_bps=MAXIMUM_COMMISSION_BPS,
            selected_epoch=Epoch(net.economy.selected_epoch),
            pending_shards=net.economy.pending | net.committee.pending,
            nodes=net.nodes,
            objects=len(net.objects),
        )

    async def committee(self) -> Committee:
        if not self.formed:
            raise CommitteeNotFormed
        return self.network.committee

    async def nodes(self) -> tuple[Node, ...]:
        nodes = [
            Node(
                m.node_id,
                ALICE,
                m.name,
                m.url,
                m.region,
                m.signer,
                self.network.key_of(m.node_id),
                Wei(0),
                self.formed,
                m.shards,
                SOUND,
            )
            for m in self.network.committee.members
        ]
        return tuple(map(self.network.economy.node, nodes))

    async def blob(self, blob_object: BlobObjectId) -> BlobObject:
        if (item := self.network.objects.get(blob_object)) is None:
            nobody = Address("0x" + "0" * 40)
            unknown = BlobStatus.UNKNOWN
            return BlobObject(blob_object, BlobId(bytes(32)), nobody, 0, Epoch(0), Epoch(0), False, Wei(0), unknown)
        return self.network.seen(item)

    async def blobs(self, blob_objects: Sequence[BlobObjectId]) -> tuple[BlobObject, ...]:
        return tuple([await self.blob(blob_object) for blob_object in blob_objects])

    async def objects_of(self, blob_id: BlobId) -> tuple[BlobObject, ...]:
        return tuple(self.network.seen(item) for item in self.network.objects.values() if item.blob_id == blob_id)

    async def blobs_of(self, owner: Address) -> tuple[BlobObject, ...]:
        return tuple(self.network.seen(item) for item in self.network.objects.values() if item.owner == owner)

    async def attributes(self, blob_object: BlobObjectId) -> tuple[Attribute, ...]:
        return tuple(Attribute(*pair) for pair in self.network.texts.get(blob_object, {}).items())

    async def quote(self, size: int, epochs: int) -> Quote:
        units, rate = self.network.price(size)
        return Quote(Wei(rate * epochs + self.network.write_fee), Wei(rate), Wei(self.network.write_fee), units)

    async def quote_extension(self, blob: BlobObject, epochs: int) -> ExtensionQuote:
        paid = blob.end - self.network.epoch - 1
        fresh = self.network.price(blob.size)[1] * epochs
        rate = -(-(blob.rate * paid + fresh) // (paid + epochs))
        return ExtensionQuote(Wei(rate * (paid + epochs) - blob.rate * paid), Wei(rate))

    async def balances(self, account: Address) -> Balances:
        net = self.network
        return Balances(
            wal=Wei(net.wal.get(account, 0)),
            native=Wei(ONE_WAL),
            claim=Wei(net.claims.get(account, 0)),
            allowance=Wei(net.allowances.get(account, 0)),
        )


class FakeWriter(StakingWriter):
    """One account that sends transactions."""

    def __init__(self, network: FakeNetwork, account: Address) -> None:
        self.network = network
        self.address = account
        self.chain = FakeChain(network)

    @property
    def policies(self) -> FakePolicyWriter:
        return FakePolicyWriter(self.network.access, self.address)

    @property
    def payments(self) -> FakePaymentWriter:
        return FakePaymentWriter(self.network.access, self.address)

    @property
    def compute(self) -> FakeJobWriter:
        return FakeJobWriter(self.network.jobs, self.address, self._pay)

    async def approve_vault(self, amount: Wei = UNLIMITED) -> Receipt:
        self.network.allowances[self.address] = amount
        return self._receipt("approve")

    async def register(self, registrations: Sequence[Registration]) -> RegisterReceipt:
        net, charges = self.network, []
        for row in registrations:
            if not 1 <= row.epochs <= net.maximum_epochs:
                raise WrongTerm(row.epochs, net.maximum_epochs)
            charges.append((await self.chain.quote(row.size, row.epochs)).total)
        self._pay(sum(charges))
        objects = []
        for row in registrations:
            number, end = BlobObjectId(next(net._ids)), Epoch(net.epoch + row.epochs)
            rate = Wei(net.price(row.size)[1])
            net.objects[number] = BlobObject(
                number,
                row.blob_id,
                self.address,
                row.size,
                Epoch(net.epoch),
                end,
                row.deletable,
                rate,
                BlobStatus.REGISTERED,
            )
            objects.append(number)
        receipt = self._receipt("register")
        return RegisterReceipt(
            tuple(objects), Wei(sum(charges)), tuple(charges), receipt.transaction, receipt.block, receipt.gas_used
        )

    async def certify(self, blob_object: BlobObjectId, signers: int, signatures: bytes) -> Receipt:
        net, item = self.network, await self._known(blob_object)
        if item.status is not BlobStatus.REGISTERED:
            raise WrongStatus(blob_object, BlobStatus.REGISTERED, item.status)
        digest = StorageAttestation(item.blob_id, blob_object, net.committee_epoch, item.deletable).digest(net.registry)
        weight = self._weight(digest, signers, signatures)
        if weight < net.committee.quorum:
            raise CertificateBelowQuorum(blob_object, net.committee.quorum, weight)
        net.objects[blob_object] = replace(item, status=BlobStatus.CERTIFIED)
        return self._receipt("certify")

    async def extend(self, blob_object: BlobObjectId, epochs: int) -> Receipt:
        item = await self._live(blob_object)
        quote = await self.chain.quote_extension(item, epochs)
        self._pay(quote.total)
        self.network.objects[blob_object] = replace(item, end=Epoch(item.end + epochs), rate=quote.rate)
        return self._receipt("extend")

    async def delete(self, blob_object: BlobObjectId) -> Receipt:
        net, item = self.network, await self._live(blob_object)
        if item.owner != self.address:
            raise ObjectNotYours(self.address, blob_object)
        if not item.deletable:
            raise NotDeletable(blob_object)
        del net.objects[blob_object]
        net.claims[self.address] = net.claims.get(self.address, 0) + item.rate * (item.end - net.epoch - 1)
        return self._receipt("delete")

    async def transfer(self, blob_object: BlobObjectId, to: Address) -> Receipt:
        item = await self._known(blob_object)
        if item.owner != self.address:
            raise ObjectNotYours(self.address, blob_object)
        self.network.objects[blob_object] = replace(item, owner=to)
        return self._receipt("transfer")

    async def set_attributes(self, blob_object: BlobObjectId, attributes: Sequence[Attribute]) -> Receipt:
        item = await self._known(blob_object)
        if item.owner != self.address:
            raise AttributesNotYours(blob_object, item.owner, self.address)
        texts = self.network.texts.setdefault(blob_object, {})
        texts.update({pair.key: pair.value for pair in attributes})
        self.network.texts[blob_object] = {key: value for key, value in texts.items() if value}
        return self._receipt("set_attributes")

    async def invalidate(self, blob_id: BlobId, signers: int, signatures: bytes) -> Receipt:
        net = self.network
        if blob_id in net.invalid:
            raise AlreadyInvalid(blob_id)
        digest = InvalidityAttestation(blob_id, net.committee_epoch).digest(net.registry)
        weight = self._weight(digest, signers, signatures)
        if weight <= net.committee.faults:
            raise TooFewAccusers(blob_id, net.committee.faults + 1, weight)
        net.invalid.add(blob_id)
        return self._receipt("invalidate")

    async def withdraw(self, amount: Wei, to: Address | None = None) -> Receipt:
        to = to or self.address
        self.network.claims[self.address] -= amount
        self.network.wal[to] = self.network.wal.get(to, 0) + amount
        return self._receipt("withdraw")

    def _weight(self, digest: bytes, signers: int, signatures: bytes) -> int:
        """The shards of those who signed; everything that is named must be a good signature."""
        weight, rest = 0, signatures
        for member in self.network.committee.members:
            if signers >> member.index & 1:
                recovered, rest = recover(digest, rest[:65]), rest[65:]
                if recovered != member.signer:
                    raise WrongMemberSignature(member.index, member.signer, recovered)
                weight += member.weight
        assert not rest, "more signatures than signers"
        return weight

    async def _known(self, blob_object: BlobObjectId) -> BlobObject:
        if (item := self.network.objects.get(blob_object)) is None:
            raise UnknownObject(blob_object)
        return self.network.seen(item)

    async def _live(self, blob_object: BlobObjectId) -> BlobObject:
        item = await self._known(blob_object)
        if item.status not in (BlobStatus.REGISTERED, BlobStatus.CERTIFIED):
            raise NotLive(blob_object, item.status)
        return item

    def _pay(self, amount: int) -> None:
        self.network.pay(self.address, amount)

    def _receipt(self, name: str) -> Receipt:
        return self.network.receipt(name)
