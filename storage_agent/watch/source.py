"""The chain as the watcher sees it, and which of its events are facts for a storage node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from storage_agent.state import facts
from storage_agent.state.facts import Fact, Located, Place
from walrus_chain.chain import events
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_events import COMPUTE_EVENTS
from walrus_chain.chain.economy_events import ECONOMY_EVENTS
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.network import Span
from walrus_chain.chain.payment_events import PAYMENT_EVENTS
from walrus_chain.chain.policy_events import POLICY_EVENTS


class ChainSource(Protocol):
    """What the watcher asks the chain; `walrus_chain.chain.network.Chain` answers it."""

    async def head(self, confirmations: int = 0) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""
        ...

    async def block(self, number: int) -> BlockRef:
        """The block that has this number now."""
        ...

    async def span(self, after: int, last: int) -> Span:
        """All events of the network's contracts after block `after` up to block `last`, and the blocks around them.

        Answered by an endpoint that has `last`; otherwise it would leave events out without saying so.
        """
        ...


#: Events that a storage node takes no notice of: they are about money, ownership, texts, stakes
#: and proofs, or nodes outside a committee. What a policy says is asked when it is needed, at the block of a request.
IGNORED: Final[frozenset[type[ChainEvent]]] = frozenset(
    {
        events.BlobTransferred,
        events.BlobApproval,
        events.BlobApprovalForAll,
        events.AttributeSet,
        events.AttributeRemoved,
        events.EpochKept,
        events.SignerRefreshed,
        events.CommitteeSelected,
        events.NodeRegistered,
        events.NodeUpdated,
        events.NodeKeysRotated,
        events.OperatorTransferStarted,
        events.OperatorTransferred,
        events.TermPaid,
        events.TermRefunded,
        events.Collected,
        events.Released,
        events.Withdrawn,
        events.WalTransferred,
        events.WalApproval,
        events.AuthorizationUsed,
        events.AuthorizationCanceled,
        events.PricesSet,
        events.Moved,
        events.Burned,
        events.Paid,
        events.IncomeEarned,
        *ECONOMY_EVENTS,
        *POLICY_EVENTS,
        *PAYMENT_EVENTS,
        *COMPUTE_EVENTS,
    }
)


def facts_of(seen: Iterable[ChainEvent]) -> list[Located]:
    """The facts among events, in their order."""
    located = []
    for event in seen:
        fact = fact_of(event)
        if fact is not None:
            located.append(Located(Place(event.block.number, event.log_index), fact))
    return located


def fact_of(event: ChainEvent) -> Fact | None:
    """What an event means to a storage node; none when it means nothing."""
    match event:
        case events.BlobRegistered():
            return facts.Registered(
                event.blob_object, event.blob_id, event.size, event.start, event.end, event.deletable
            )
        case events.BlobCertified():
            return facts.Certified(event.blob_object)
        case events.BlobExtended():
            return facts.Extended(event.blob_object, event.new_end)
        case events.BlobDeleted():
            return facts.Deleted(event.blob_object, event.epoch)
        case events.BlobInvalidated():
            return facts.Invalidated(event.blob_id)
        case events.CommitteeFormed():
            return facts.CommitteeFormed(event.epoch, event.members, event.assignment)
        case events.EpochChangeStarted():
            return facts.EpochChangeStarted(event.epoch, event.previous, event.moved)
        case events.ShardsSynced():
            return facts.ShardsSynced(event.epoch, event.node_id, event.shards)
        case events.EpochChangeDone():
            return facts.EpochChangeDone(event.epoch)
    return None
