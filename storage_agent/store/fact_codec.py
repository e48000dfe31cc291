"""Facts as rows: a kind and the fields as JSON, and back."""

from __future__ import annotations

import json
from typing import Any

from storage_agent.state.facts import (
    Certified,
    CommitteeFormed,
    Deleted,
    EpochChangeDone,
    EpochChangeStarted,
    Extended,
    Fact,
    Invalidated,
    Registered,
    ShardsSynced,
)
from walrus_chain.errors import Bug
from walrus_chain.types import BlobId, BlobObjectId, Epoch, NodeId

#: The kind of facts that put a committee in office.
COMMITTEE = CommitteeFormed.__name__
#: The kinds of facts about the change that brought a committee.
CHANGE = (EpochChangeStarted.__name__, ShardsSynced.__name__, EpochChangeDone.__name__)
#: The kind of facts that void a blob.
INVALIDATED = Invalidated.__name__


def encode_fact(fact: Fact) -> tuple[str, str]:
    """The kind of a fact, and its fields as JSON."""
    fields: dict[str, Any]
    match fact:
        case Registered():
            fields = {
                "object": fact.blob_object,
                "blob": str(fact.blob_id),
                "size": fact.size,
                "start": fact.start,
                "end": fact.end,
                "deletable": fact.deletable,
            }
        case Certified():
            fields = {"object": fact.blob_object}
        case Deleted():
            fields = {"object": fact.blob_object, "epoch": fact.epoch}
        case Extended():
            fields = {"object": fact.blob_object, "end": fact.end}
        case Invalidated():
            fields = {"blob": str(fact.blob_id)}
        case CommitteeFormed():
            fields = {"epoch": fact.epoch, "members": fact.members, "assignment": fact.assignment.hex()}
        case EpochChangeStarted():
            fields = {"epoch": fact.epoch, "previous": fact.previous, "moved": hex(fact.moved)}
        case ShardsSynced():
            fields = {"epoch": fact.epoch, "node": fact.node_id, "shards": hex(fact.shards)}
        case EpochChangeDone():
            fields = {"epoch": fact.epoch}
    return type(fact).__name__, json.dumps(fields, separators=(",", ":"))


def decode_fact(kind: str, data: str) -> Fact:
    """The fact that `encode_fact` wrote.

    Raises: Bug: no fact of that kind was ever written.
    """
    fields = json.loads(data)
    match kind:
        case "Registered":
            return Registered(
                BlobObjectId(fields["object"]),
                BlobId.parse(fields["blob"]),
                fields["size"],
                Epoch(fields["start"]),
                Epoch(fields["end"]),
                fields["deletable"],
            )
        case "Certified":
            return Certified(BlobObjectId(fields["object"]))
        case "Deleted":
            # Rows of the first schemas do not say when; nothing was kept beyond the deletion then.
            return Deleted(BlobObjectId(fields["object"]), Epoch(fields.get("epoch", 0)))
        case "Extended":
            return Extended(BlobObjectId(fields["object"]), Epoch(fields["end"]))
        case "Invalidated":
            return Invalidated(BlobId.parse(fields["blob"]))
        case "CommitteeFormed":
            members = tuple(NodeId(member) for member in fields["members"])
            return CommitteeFormed(Epoch(fields["epoch"]), members, bytes.fromhex(fields["assignment"]))
        case "EpochChangeStarted":
            return EpochChangeStarted(Epoch(fields["epoch"]), Epoch(fields["previous"]), int(fields["moved"], 16))
        case "ShardsSynced":
            return ShardsSynced(Epoch(fields["epoch"]), NodeId(fields["node"]), int(fields["shards"], 16))
        case "EpochChangeDone":
            return EpochChangeDone(Epoch(fields["epoch"]))
    raise Bug(f"the catalogue holds a fact of unknown kind {kind!r}")
