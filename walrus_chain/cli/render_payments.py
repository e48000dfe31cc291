"""Pools, channels, purchases, credentials, renewals and audits as data for programs and as text for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from walrus_chain.cli.render import lines
from walrus_chain.types import Wei, format_amount, format_bps

if TYPE_CHECKING:
    from walrus_chain.chain.payment_views import Renewal
    from walrus_chain.chain.payment_writer import PaymentReceipt, RenewalReceipt
    from walrus_chain.chain.policy_views import Credential
    from walrus_chain.client.audit import Audit, AuditedUse, Finding
    from walrus_chain.client.channels import Channel, Closing
    from walrus_chain.client.pools import CreatedPool, PoolReport
    from walrus_chain.client.purchases import BoughtReads, Subscription
    from walrus_chain.client.results import KeyUse, Sealed
    from walrus_chain.payments.statement import Row

_NEVER = "never"


def moment(seconds: int) -> str:
    """A time for people."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC" if seconds else _NEVER


# -- private data ----------------------------------------------------------------------------------------------------


def sealed_words(result: Sealed) -> str:
    """How a key is sealed, in words."""
    return f"its key is sealed for {len(result.nodes)} nodes, {result.threshold} of which open it together"


def key_use(result: KeyUse) -> dict[str, Any]:
    """What it took to get a key."""
    return {
        "object": result.blob_object,
        "requester": result.requester,
        "policy": result.policy,
        "keyEpoch": result.key_epoch,
        "sequence": result.sequence,
        "block": result.block,
        "paidBy": result.paid_by.name.lower(),
        "price": str(result.price),
        "pool": result.pool,
        "channel": result.channel,
        "threshold": result.threshold,
        "nodes": list(result.nodes),
        "receipts": [
            {"node": item.node_id, "receipt": item.receipt.as_data(), "signature": item.signature}
            for item in result.receipts
        ],
    }


def key_use_words(result: KeyUse) -> str:
    """What it took to get a key, in words."""
    price = {
        "free": "it was free",
        "purchase": f"{format_amount(result.price)} were paid on chain before",
        "voucher": f"{format_amount(result.price)} were paid from channel {result.channel} to pool {result.pool}",
    }[result.paid_by.name.lower()]
    return f"{len(result.nodes)} nodes released the key of object {result.blob_object}; {price}"


# -- pools -----------------------------------------------------------------------------------------------------------


def created_pool(result: CreatedPool) -> dict[str, Any]:
    """A pool that was made."""
    return {
        "pool": result.pool,
        "members": result.members,
        "units": result.units,
        "nodesBps": result.nodes_bps,
        "root": result.root,
        "list": None if result.list is None else str(result.list),
        "transaction": result.transaction,
        "gasUsed": result.gas_used,
    }


def created_pool_text(result: CreatedPool) -> str:
    """A pool that was made, for people."""
    facts: list[tuple[str, object]] = [
        ("Members", f"{result.members}, {result.units} units"),
        ("Nodes get", f"{format_bps(result.nodes_bps)} of each income"),
    ]
    if result.list is not None:
        facts.append(("List", f"blob {result.list}"))
    return lines(f"Pool {result.pool} is made", facts)


def pool(result: PoolReport) -> dict[str, Any]:
    """A pool, and what an account has in it."""
    facts, member = result.facts, result.member
    return {
        "pool": facts.pool,
        "units": facts.units,
        "nodesBps": facts.nodes_bps,
        "protocolBps": result.protocol_bps,
        "earned": str(facts.earned),
        "dust": str(facts.dust),
        "root": facts.root if facts.from_root else None,
        "list": None if result.list is None else str(result.list),
        "account": result.account,
        "accountUnits": None if member is None else member.units,
        "claimable": None if result.claimable is None else str(result.claimable),
    }


def pool_text(result: PoolReport) -> str:
    """A pool, and what an account has in it, for people."""
    facts = result.facts
    rows: list[tuple[str, object]] = [
        ("Earned", f"{format_amount(facts.earned)}, and {format_amount(facts.dust)} that did not divide yet"),
        ("Divided", f"by {facts.units} units, after {format_bps(facts.nodes_bps)} for nodes"),
        ("", f"and {format_bps(result.protocol_bps)} that are burned"),
    ]
    if facts.from_root:
        where = "published by whoever made it" if result.list is None else f"blob {result.list}"
        rows.append(("Members", f"in a tree; their list: {where}"))
    if result.account is not None and result.member is not None:
        rows.append(("Account", f"{result.account}, {result.member.units} units"))
        claim = "not known without the list of members; name it by --members"
        if result.claimable is not None:
            claim = f"{format_amount(result.claimable)}, `walrus pool claim {facts.pool}` takes it out"
        rows.append(("Claimable", claim))
    return lines(f"Pool {facts.pool}", rows)


def payment(result: PaymentReceipt) -> dict[str, Any]:
    """Money that moved."""
    return {"amount": str(result.amount), "transaction": result.transaction, "gasUsed": result.gas_used}


def statement_row(row: Row) -> dict[str, Any]:
    """A row of a statement."""
    from walrus_chain.payments.statement import COLUMNS

    names = [column.split("_") for column in COLUMNS]
    camel = [head + "".join(part.capitalize() for part in rest) for head, *rest in names]
    return {name: cell or None for name, cell in zip(camel, row.cells(), strict=True)}


# -- channels and purchases ------------------------------------------------------------------------------------------


def channel(result: Channel) -> dict[str, Any]:
    """A channel."""
    facts = result.facts
    return {
        "channel": facts.channel,
        "payer": facts.payer,
        "signer": facts.signer,
        "pool": facts.pool,
        "deposit": str(facts.deposit),
        "redeemed": str(facts.redeemed),
        "promised": str(result.promised),
        "left": str(result.left),
        "keyHere": result.key_here,
        "closesAt": facts.closes_at or None,
        "closed": facts.closed,
    }


def channel_row(result: Channel) -> tuple[object, ...]:
    """A channel: number, pool, deposit, redeemed, promised, left, notes."""
    facts = result.facts
    notes = "closed" if facts.closed else f"closes {moment(facts.closes_at)}" if facts.closes_at else ""
    if not result.key_here and not facts.closed:
        notes = f"{notes}; its key is elsewhere".removeprefix("; ")
    amounts = (facts.deposit, facts.redeemed, result.promised, result.left)
    return facts.channel, facts.pool, *map(format_amount, amounts), notes


def closing(result: Closing) -> dict[str, Any]:
    """A channel on its way to being closed."""
    return {
        "channel": result.channel,
        "closesAt": result.closes_at,
        "refunded": None if result.refunded is None else str(result.refunded),
        "transaction": result.transaction,
    }


def closing_text(result: Closing) -> str:
    """A channel on its way to being closed, for people."""
    if result.refunded is not None:
        return f"Channel {result.channel} is closed; {format_amount(result.refunded)} came back"
    return (
        f"Channel {result.channel} closes {moment(result.closes_at)}; "
        f"`walrus channel close {result.channel}` then pays the rest back"
    )


def bought(result: BoughtReads) -> dict[str, Any]:
    """Reads that were bought."""
    return {
        "object": result.blob_object,
        "reader": result.reader,
        "count": result.count,
        "bought": result.bought,
        "paid": str(result.paid),
        "pool": result.pool,
        "transaction": result.transaction,
    }


def subscription(result: Subscription) -> dict[str, Any]:
    """Time that was bought."""
    return {
        "policy": result.policy,
        "reader": result.reader,
        "until": result.until,
        "paid": str(result.paid),
        "pool": result.pool,
        "transaction": result.transaction,
    }


# -- credentials and renewals ----------------------------------------------------------------------------------------


def credential(result: Credential) -> dict[str, Any]:
    """A credential."""
    return {
        "uid": result.uid,
        "schema": result.schema,
        "recipient": result.recipient,
        "attester": result.attester,
        "issuedAt": result.time,
        "expiresAt": result.expiration_time or None,
        "revokedAt": result.revocation_time or None,
        "data": result.data,
    }


def credential_text(result: Credential) -> str:
    """A credential, for people."""
    facts: list[tuple[str, object]] = [
        ("Schema", "0x" + result.schema.hex()),
        ("Recipient", result.recipient),
        ("Attester", result.attester),
        ("Issued", moment(result.time)),
        ("Expires", moment(result.expiration_time)),
    ]
    if result.revocation_time:
        facts.append(("Revoked", moment(result.revocation_time)))
    if result.data:
        facts.append(("Data", "0x" + result.data.hex()))
    return lines(f"Credential 0x{result.uid.hex()}", facts)


def credential_row(result: Credential) -> tuple[object, ...]:
    """A credential: uid, schema, recipient, attester, expires, revoked."""
    ids = ("0x" + result.uid.hex(), "0x" + result.schema.hex(), result.recipient, result.attester)
    return *ids, moment(result.expiration_time), moment(result.revocation_time) if result.revocation_time else ""


def renewal(result: Renewal) -> dict[str, Any]:
    """An object's renewals."""
    terms = result.terms
    return {
        "object": result.blob_object,
        "epochs": terms.epochs or None,
        "lead": terms.lead or None,
        "tip": str(terms.tip) if terms.epochs else None,
        "balance": str(result.balance),
        "due": result.due,
    }


def renewal_text(result: Renewal) -> str:
    """An object's renewals, for people."""
    terms, number = result.terms, result.blob_object
    how = f"none; `walrus evergreen terms {number}` sets them"
    if terms.epochs:
        how = f"by {terms.epochs} epochs, when at most {terms.lead} are left; tip {format_amount(terms.tip)}"
    facts = (
        ("Terms", how),
        ("Balance", format_amount(result.balance)),
        ("Due now", f"yes: `walrus evergreen renew {number}`" if result.due else "no"),
    )
    return lines(f"Object {number}", facts)


def renewed(result: RenewalReceipt) -> dict[str, Any]:
    """A term that was extended."""
    return {
        "endEpoch": result.end,
        "price": str(result.price),
        "tip": str(result.tip),
        "transaction": result.transaction,
        "gasUsed": result.gas_used,
    }


# -- audits ----------------------------------------------------------------------------------------------------------


def audit(result: Audit) -> dict[str, Any]:
    """Who received keys."""
    return {
        "objects": list(result.objects),
        "threshold": result.threshold,
        "uses": [_audited(use) for use in result.uses],
        "asked": list(result.asked),
        "silent": dict(result.silent),
        "unanchored": list(map(_finding, result.unanchored)),
        "missing": list(map(_finding, result.missing)),
        "contradictions": list(map(_finding, result.contradictions)),
        "clean": result.clean,
    }


def _audited(use: AuditedUse) -> dict[str, Any]:
    return {
        "object": use.blob_object,
        "requester": use.requester,
        "keyEpoch": use.key_epoch,
        "sequence": use.sequence,
        "time": use.time,
        "block": use.block,
        "paidBy": use.paid_by.name.lower(),
        "amount": str(use.amount),
        "pool": use.pool,
        "channel": use.channel,
        "complete": use.complete,
        "nodes": [
            {"node": item.node_id, "index": item.receipt.index, "epoch": item.epoch, "anchored": item.anchored}
            for item in use.releases
        ],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {"node": finding.node, "what": finding.what}


def audit_row(use: AuditedUse) -> tuple[object, ...]:
    """A use: time, who, object, block, paid, nodes, anchored."""
    paid = "free" if not use.amount else f"{format_amount(Wei(use.amount))} by {use.paid_by.name.lower()}"
    anchored = sum(release.anchored for release in use.releases)
    nodes = ", ".join(str(release.node_id) for release in use.releases)
    return (
        moment(use.time),
        use.requester,
        use.blob_object,
        use.block,
        paid,
        nodes,
        f"{anchored} of {len(use.releases)}",
    )


def audit_notes(result: Audit) -> list[str]:
    """What is not as it should be."""
    return [
        *(f"Lies: {finding.node}: {finding.what}" for finding in result.contradictions),
        *(f"Missing: {finding.node}: {finding.what}" for finding in result.missing),
        *(f"No answer: {node}: {why}" for node, why in result.silent.items()),
        *(f"Not fixed on chain: {finding.node}: {finding.what}" for finding in result.unanchored),
    ]
