"""From what the lenses answer, tuples in the order of their structs, to the values of `walrus_chain.chain.views`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from walrus_chain.chain.values import checksum_address
from walrus_chain.chain.views import (
    BlobObject,
    ChainDuties,
    CustodySample,
    CustodyWindow,
    Delegation,
    Miss,
    NetworkParameters,
    Node,
    PoolFacts,
    UnbondingStake,
)
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.types import Axis, BlobId, BlobObjectId, BlobStatus, Epoch, NodeId, PairIndex, ShardIndex, Wei


def parameters_from(view: Sequence[Any]) -> NetworkParameters:
    """`INetworkLens.NetworkView`."""
    return NetworkParameters(
        shards=view[0],
        faults=view[1],
        committee_epoch=Epoch(view[2]),
        current_epoch=Epoch(view[3]),
        epoch_start=view[4],
        epoch_seconds=view[5],
        unit_bytes=view[6],
        unit_price=Wei(view[7]),
        write_fee=Wei(view[8]),
        maximum_epochs=view[9],
        minimum_stake=Wei(view[10]),
        total_stake=Wei(view[11]),
        unbonding_epochs=view[12],
        maximum_commission_bps=view[13],
        selected_epoch=Epoch(view[14]),
        pending_shards=shards_in(view[15]),
        nodes=view[16],
        objects=view[17],
    )


def node_from(view: Sequence[Any]) -> Node:
    """`INetworkLens.NodeView`."""
    return Node(
        node_id=NodeId(view[0]),
        operator=checksum_address(view[1]),
        name=view[2],
        url=view[3],
        region=view[4],
        signer=checksum_address(view[5]),
        encryption_key=bytes(view[6]),
        stake=Wei(view[7]),
        pool=PoolFacts(
            waiting=Wei(view[8]),
            own_stake=Wei(view[9]),
            unbonding=Wei(view[10]),
            commission=Wei(view[11]),
            commission_bps=view[12],
            next_commission_bps=view[13],
            next_commission_from=Epoch(view[14]),
            jailed_until=Epoch(view[15]),
            candidate=view[16],
            misses=view[17],
            last_miss=Epoch(view[18]),
        ),
        serving=view[19],
        shards=tuple(ShardIndex(shard) for shard in view[20]),
    )


def member_from(index: int, node: Node) -> Member:
    """A node of the committee at its place in the list of members."""
    return Member(
        index=index,
        node_id=node.node_id,
        name=node.name,
        url=node.url,
        region=node.region,
        signer=node.signer,
        weight=len(node.shards),
        shards=node.shards,
        encryption_key=node.encryption_key,
    )


def committee_from(epoch: Epoch, shards: int, members: Sequence[Any]) -> Committee:
    """The committee that took office in `epoch`, from the views of its nodes by member index."""
    return Committee(epoch, shards, tuple(member_from(index, node_from(view)) for index, view in enumerate(members)))


def blob_from(view: Sequence[Any]) -> BlobObject:
    """`IBlobRegistry.BlobObject`."""
    return BlobObject(
        id=BlobObjectId(view[0]),
        blob_id=BlobId(view[1]),
        owner=checksum_address(view[2]),
        size=view[3],
        start=Epoch(view[4]),
        end=Epoch(view[5]),
        deletable=view[6],
        rate=Wei(view[7]),
        status=BlobStatus(view[8]),
    )


def delegation_from(view: Sequence[Any]) -> Delegation:
    """`INetworkLens.DelegationView`."""
    node, (active, principal, waiting, waiting_until, _), unbonding = view
    return Delegation(
        node_id=NodeId(node),
        active=Wei(active),
        principal=Wei(principal),
        waiting=Wei(waiting),
        waiting_until=Epoch(waiting_until),
        unbonding=tuple(UnbondingStake(Wei(amount), Epoch(release)) for amount, release in unbonding),
    )


def duties_from(view: Sequence[Any]) -> ChainDuties:
    """`IDutyLens.Duties`."""
    return ChainDuties(
        timestamp=view[0],
        block=view[1],
        current_epoch=Epoch(view[2]),
        office_epoch=Epoch(view[3]),
        select=view[4],
        advance=view[5],
        tally=view[6],
        open=view[7],
        capture=view[8],
        prove=view[9],
        seed=bytes(view[10]),
        closes=view[11],
        pending=shards_in(view[12]),
        settled=Epoch(view[13]),
        burned_through=Epoch(view[14]),
        misses=tuple(Miss(Epoch(epoch), NodeId(node)) for epoch, node in view[15]),
    )


def sample_from(view: Sequence[Any]) -> CustodySample:
    """`ICustodyChallenges.Sample`."""
    return CustodySample(
        blob_object=BlobObjectId(view[0]),
        blob_id=BlobId(view[1]),
        size=view[2],
        shard=ShardIndex(view[3]),
        pair=PairIndex(view[4]),
        segment=view[5],
        axis=Axis.SECONDARY if view[6] else Axis.PRIMARY,
        chunk=view[7],
    )


def window_from(view: Sequence[Any]) -> CustodyWindow:
    """`ICustodyChallenges.Window`."""
    return CustodyWindow(
        committee_epoch=Epoch(view[0]),
        seed=bytes(view[2]),
        exempt=shards_in(view[3]),
        proved=_bits(view[4]),
        reported=_bits(view[5]),
        empty=view[6],
    )


def shards_in(bitmap: int) -> frozenset[ShardIndex]:
    """The shards whose bits are set."""
    return frozenset(ShardIndex(shard) for shard in _bits(bitmap))


def _bits(bitmap: int) -> frozenset[int]:
    return frozenset(bit for bit in range(bitmap.bit_length()) if bitmap >> bit & 1)
