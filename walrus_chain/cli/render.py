"""Results as data for programs and as text for people. Names in JSON are those of the HTTP interface: camelCase.

Amounts are texts of whole wei in JSON, since they do not fit the numbers of many programs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from walrus_chain.cli.output import evidence, kind_of
from walrus_chain.types import BlobId, BlobStatus, format_amount, format_bytes, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from walrus_chain.chain.views import BlobObject
    from walrus_chain.client.results import (
        BlobReport,
        FailedBlob,
        InvalidatedBlob,
        NetworkReport,
        NodeReport,
        Sealed,
        StoredBlob,
        StoreQuote,
    )


def lines(title: str, facts: Iterable[tuple[str, object]]) -> str:
    """A title and, indented below it, names and values: each on one line, whatever other people wrote into it."""
    rows = [(name, printable(str(value))) for name, value in facts]
    width = max(len(name) for name, _ in rows)
    return "\n".join([printable(title), *(f"  {name:<{width}}  {value}" for name, value in rows)])


def blob_id(blob: BlobId) -> dict[str, Any]:
    """A blob id in both its forms."""
    return {"blobId": str(blob), "hex": blob.hex}


def failure(error: BaseException) -> dict[str, Any]:
    """An error inside a result."""
    return {"code": type(error).__name__, "kind": kind_of(error)[0], "message": str(error), **evidence(error)}


def stored(result: StoredBlob | FailedBlob) -> dict[str, Any]:
    """One blob of a store."""
    from walrus_chain.client.results import FailedBlob

    if isinstance(result, FailedBlob):
        ids = blob_id(result.blob_id) if result.blob_id is not None else {}
        return {"name": result.name, **ids, "error": failure(result.error)}
    return {
        "name": result.name,
        **blob_id(result.blob_id),
        "object": result.blob_object,
        "size": result.size,
        "encodedBytes": result.encoded_bytes,
        "endEpoch": result.end,
        "deletable": result.deletable,
        "outcome": result.outcome.value,
        "paid": str(result.paid),
        "shardsAttested": result.weight,
        "transaction": result.transaction,
        "gasUsed": result.gas_used,
        "skipped": dict(result.skipped),
        "sealed": None if result.sealed is None else sealed(result.sealed),
    }


def sealed(result: Sealed) -> dict[str, Any]:
    """How a key is sealed."""
    return {
        "access": result.policies.access,
        "retention": result.policies.retention,
        "threshold": result.threshold,
        "nodes": list(result.nodes),
        "keyEpoch": result.key_epoch,
    }


def stored_text(result: StoredBlob) -> str:
    """One blob of a store, for people."""
    facts: list[tuple[str, object]] = [
        ("Blob id", result.blob_id),
        ("Object", result.blob_object),
        ("Size", f"{format_bytes(result.size)}, {format_bytes(result.encoded_bytes)} encoded"),
        ("Stored", f"up to and with epoch {result.end - 1}, {'deletable' if result.deletable else 'permanent'}"),
        ("Paid", format_amount(result.paid) if result.paid else f"nothing: {result.outcome.value}"),
    ]
    if result.transaction is not None:
        facts.append(("Certified", f"by {result.weight} shards, transaction {result.transaction}"))
    if result.sealed is not None:
        nodes, needed = len(result.sealed.nodes), result.sealed.threshold
        facts.append(("Private", f"its key is sealed for {nodes} nodes, {needed} of which open it together"))
    facts += [("Left out", f"{node}: {why}") for node, why in result.skipped.items()]
    return lines(result.name, facts)


def invalidated(result: InvalidatedBlob) -> dict[str, Any]:
    """A blob that was marked invalid."""
    return {
        **blob_id(result.blob_id),
        "objects": list(result.objects),
        "shardsAttested": result.weight,
        "transaction": result.transaction,
        "gasUsed": result.gas_used,
    }


def invalidated_text(result: InvalidatedBlob) -> str:
    """A blob that was marked invalid, for people."""
    if result.transaction is None:
        return f"Blob {result.blob_id} was invalid already"
    facts = (
        ("Attested", f"by {result.weight} shards, transaction {result.transaction}"),
        ("Void", f"object{'s' * (len(result.objects) != 1)} {', '.join(map(str, result.objects))}"),
    )
    return lines(f"Blob {result.blob_id} does not encode to its id and is invalid now", facts)


def quote(result: StoreQuote) -> dict[str, Any]:
    """What a store would cost."""
    return {
        "name": result.name,
        **blob_id(result.blob_id),
        "size": result.size,
        "encodedBytes": result.encoded_bytes,
        "units": result.units,
        "rate": str(result.rate),
        "fee": str(result.fee),
        "total": str(result.total),
        "already": result.already,
    }


def quote_text(result: StoreQuote) -> str:
    """What a store would cost, for people."""
    price = f"{format_amount(result.total)}: {format_amount(result.rate)} an epoch, {format_amount(result.fee)} once"
    if result.already is not None:
        price = f"nothing: object {result.already} of yours is paid already (without that {price})"
    return lines(
        result.name,
        [
            ("Blob id", result.blob_id),
            (
                "Size",
                f"{format_bytes(result.size)}, {format_bytes(result.encoded_bytes)} encoded, {result.units} units",
            ),
            ("Price", price),
        ],
    )


def blob_object(item: BlobObject) -> dict[str, Any]:
    """A blob object."""
    return {
        "object": item.id,
        **blob_id(item.blob_id),
        "owner": item.owner,
        "size": item.size,
        "startEpoch": item.start,
        "endEpoch": item.end,
        "deletable": item.deletable,
        "rate": str(item.rate),
        "status": item.status.name.lower(),
    }


def report(result: BlobReport) -> dict[str, Any]:
    """What chain and nodes know of a blob."""
    return {
        **blob_id(result.blob_id),
        "size": result.size,
        "objects": [
            {**blob_object(item), "attributes": dict(result.attributes.get(item.id, {}))} for item in result.objects
        ],
        "shards": result.shards,
        "neededShards": result.needed_shards,
        "healthyShards": result.healthy_shards if result.nodes else None,
        "nodes": [_held(node) for node in result.nodes],
    }


def _held(node: NodeReport) -> dict[str, Any]:
    held = node.held
    return {
        **_member(node),
        "pairs": None if held is None else list(held.pairs),
        "missing": None if held is None else held.missing,
        "error": node.why,
    }


def report_text(result: BlobReport) -> str:
    """What chain and nodes know of a blob, for people."""
    facts: list[tuple[str, object]] = [("Size", format_bytes(result.size))]
    for item in result.objects:
        term = f"epochs {item.start} to {item.end - 1}, {'deletable' if item.deletable else 'permanent'}"
        facts.append((f"Object {item.id}", f"{item.status.name.lower()}, {term}, owner {item.owner}"))
        facts += [("", f"{key} = {value}") for key, value in result.attributes.get(item.id, {}).items()]
    if result.nodes:
        spare = result.healthy_shards - result.needed_shards
        state = f"{spare} more than are needed" if spare >= 0 else f"{-spare} too few to read it"
        facts.append(("Health", f"{result.healthy_shards} of {result.shards} shards hold it in full, {state}"))
        facts += [("", f"{node.member.name}: {_held_words(node)}") for node in result.nodes if _ails(node)]
    if all(item.status is not BlobStatus.CERTIFIED for item in result.objects):
        facts.append(("Note", "no object of it is certified, so nodes need not keep it"))
    return lines(str(result.blob_id), facts)


def _ails(node: NodeReport) -> bool:
    return node.held is None or node.held.missing > 0 or not node.held.known


def _held_words(node: NodeReport) -> str:
    if node.held is None:
        return str(node.why)
    return f"{node.held.missing} sliver pairs are missing" if node.held.known else "has not heard of it yet"


def _member(node: NodeReport) -> dict[str, Any]:
    member = node.member
    return {
        "node": member.node_id,
        "name": member.name,
        "url": member.url,
        "region": member.region,
        "shards": member.weight,
        "seconds": node.seconds,
    }


def health(node: NodeReport) -> dict[str, Any]:
    """How a node says it is."""
    said = node.health
    if said is None:
        return {**_member(node), "status": "unreachable", "error": node.why}
    return {
        **_member(node),
        "status": said.status,
        "version": said.version,
        "block": said.block,
        "lagSeconds": said.lag_seconds,
        "diskFree": said.disk_free,
        "diskUsed": said.disk_used,
    }


def health_row(node: NodeReport) -> tuple[object, ...]:
    """How a node says it is: name, region, shards, status, block, disk, answer."""
    said, member = node.health, node.member
    lead = (member.name, member.region, member.weight)
    if said is None:
        return (*lead, "unreachable", "", "", node.why)
    free = "" if said.disk_free is None else f", {format_bytes(said.disk_free)} free"
    answer = "" if node.seconds is None else f"{node.seconds * 1000:.0f} ms"
    return (*lead, said.status, said.block, f"{format_bytes(said.disk_used)} used{free}", answer)


def network(name: str, result: NetworkReport) -> dict[str, Any]:
    """A network, its clock and prices."""
    p, balances = result.parameters, result.balances
    return {
        "network": name,
        "shards": p.shards,
        "faults": p.faults,
        "quorum": p.quorum,
        "nodes": p.nodes,
        "members": len(result.members),
        "objects": p.objects,
        "epoch": p.current_epoch,
        "epochSeconds": p.epoch_seconds,
        "nextEpochAt": p.start_of(_after(p.current_epoch)),
        "unitBytes": p.unit_bytes,
        "unitPrice": str(p.unit_price),
        "writeFee": str(p.write_fee),
        "maximumEpochs": p.maximum_epochs,
        "minimumStake": str(p.minimum_stake),
        "totalStake": str(p.total_stake),
        "account": result.account,
        "balances": None
        if balances is None
        else {"wal": str(balances.wal), "native": str(balances.native), "claim": str(balances.claim)},
    }


def network_text(name: str, result: NetworkReport) -> str:
    """A network, its clock and prices, for people."""
    p = result.parameters
    turn = datetime.fromtimestamp(p.start_of(_after(p.current_epoch)), UTC)
    facts: list[tuple[str, object]] = [
        ("Epoch", f"{p.current_epoch}, the next begins {turn:%Y-%m-%d %H:%M:%S} UTC"),
        ("Shards", f"{p.shards}: {p.quorum} make a certificate, {p.faults} may fail"),
        ("Nodes", f"{p.nodes} registered, {len(result.members)} serve, {format_amount(p.total_stake)} bonded"),
        ("Objects", f"{p.objects} registered so far"),
        ("Price", f"{format_amount(p.unit_price)} for {format_bytes(p.unit_bytes)} encoded and an epoch"),
        ("Write fee", format_amount(p.write_fee)),
        ("Longest term", f"{p.maximum_epochs} epochs"),
    ]
    if result.account is not None and result.balances is not None:
        facts.append(("Account", result.account))
        facts.append(("Balance", format_amount(result.balances.wal)))
        if result.balances.claim:
            facts.append(("Claim", f"{format_amount(result.balances.claim)}, `walrus wallet withdraw` takes it out"))
    return lines(name, facts)


def _after(epoch: Any) -> Any:
    return epoch + 1
