"""Policies as data for programs and as text for people, in the manner of `render`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from walrus_chain.cli.render import lines
from walrus_chain.types import NOBODY, Address, format_amount, printable

if TYPE_CHECKING:
    from walrus_chain.chain.policy_questions import RetentionAnswer
    from walrus_chain.chain.policy_views import PolicyRecord
    from walrus_chain.chain.policy_writer import PolicyReceipt
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.client.policies import Clause, DryRun, ObjectPolicies, PolicyDescription
    from walrus_chain.policies.kinds import Kind

_MAXIMUM_EPOCH = 2**32 - 1


# -- kinds -----------------------------------------------------------------------------------------------------------


def kind(item: Kind) -> dict[str, Any]:
    """A ready-made kind."""
    return {
        "kind": item.name,
        "for": item.place.value,
        "arguments": [
            {"name": argument.name, "type": argument.abi_type, "form": argument.form, "meaning": argument.meaning}
            for argument in item.arguments
        ],
        "evidence": item.evidence.value,
        "reasons": list(item.reasons),
        "summary": item.summary,
    }


def kind_row(item: Kind) -> tuple[object, ...]:
    """A ready-made kind: name, what for, arguments, what it does."""
    arguments = " ".join(f"{argument.name}={argument.form}" for argument in item.arguments)
    return item.name, item.place.value, arguments, item.summary


# -- policies --------------------------------------------------------------------------------------------------------


def sent(receipt: PolicyReceipt | Receipt) -> dict[str, Any]:
    """A transaction."""
    return {"transaction": receipt.transaction, "block": receipt.block, "gasUsed": receipt.gas_used}


def made(name: str, receipt: PolicyReceipt) -> dict[str, Any]:
    """A policy that was created."""
    return {"policy": receipt.policy, "kind": name, **sent(receipt)}


def made_text(name: str, receipt: PolicyReceipt) -> str:
    """A policy that was created, for people."""
    return lines(
        f"{name} is at {receipt.policy}",
        [("Transaction", receipt.transaction), ("Gas", f"{receipt.gas_used:,}")],
    )


def policy(item: PolicyDescription) -> dict[str, Any]:
    """A policy and those that it asks."""
    return {
        "policy": item.address,
        "kind": item.kind,
        "readyMade": item.ready_made,
        "arguments": {name: _value(value) for name, value in item.arguments.items()},
        "operands": [policy(operand) for operand in item.operands],
    }


def policy_text(item: PolicyDescription) -> str:
    """A policy and those that it asks, for people: one a line, indented below the one that asks."""
    return "\n".join(_tree(item, ""))


def _tree(item: PolicyDescription, indent: str) -> Iterator[str]:
    said = "" if item.ready_made else "  (code of somebody's own)"
    yield f"{indent}{printable(item.kind)}  {item.address}{said}"
    operands = {operand.address for operand in item.operands}
    shown = {
        name: value
        for name, value in item.arguments.items()
        if not operands or not operands.issuperset(value if isinstance(value, list) else [value])
    }
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        yield f"{indent}    {name:<{width}}  {_words(name, value)}"
    for operand in item.operands:
        yield from _tree(operand, indent + "    ")


# -- objects ---------------------------------------------------------------------------------------------------------


def object_policies(item: ObjectPolicies) -> dict[str, Any]:
    """The policies of an object."""
    record = item.record
    return {
        "object": item.blob.id,
        "owner": item.blob.owner,
        "access": None if item.access is None else policy(item.access),
        "retention": None if item.retention is None else policy(item.retention),
        "rules": None if item.retention_answer is None else _rules(item.retention_answer),
        "private": record.sealed,
        "keyEpoch": record.key_epoch,
        "noticeSeconds": record.notice_seconds,
        "frozen": record.frozen,
        "next": _next(record),
    }


def object_policies_text(item: ObjectPolicies) -> str:
    """The policies of an object, for people."""
    record = item.record
    if not record.attached:
        return f"Object {item.blob.id} has no policies; `walrus policy attach {item.blob.id}` gives it some"
    text = [f"Object {item.blob.id}, of {item.blob.owner}"]
    data = f"private, key epoch {record.key_epoch}" if record.sealed else "public: anybody can read them"
    text.append(f"  Data       {data}")
    text.append(f"  Changes    {'never' if record.frozen else f'hold {record.notice_seconds:,} s after announcement'}")
    if record.next_from:
        text.append(f"  Announced  access {_who(record.next.access)}, retention {_who(record.next.retention)}")
        text.append(f"             from {_time(record.next_from)} on")
    text.append("  Access")
    text += _tree(item.access, "    ") if item.access is not None else ["    the owner alone, for free"]
    text.append("  Retention")
    text += _tree(item.retention, "    ") if item.retention is not None else ["    no restriction"]
    if item.retention_answer is not None:
        text += [f"    now: {words}" for words in _rule_words(item.retention_answer)]
    return "\n".join(text)


def announced_text(item: ObjectPolicies) -> str:
    """An announcement, for people."""
    record = item.record
    facts = [
        ("Access", _who(record.next.access)),
        ("Retention", _who(record.next.retention)),
        ("From", _time(record.next_from)),
    ]
    if record.sealed and record.next.access != record.current.access:
        facts.append(("Keys", "are sealed for the present policy: seal them anew, or nobody can read from then on"))
    return lines(f"Announced for object {item.blob.id}", facts)


def _next(record: PolicyRecord) -> dict[str, Any] | None:
    if not record.next_from:
        return None
    return {
        "access": _or_null(record.next.access),
        "retention": _or_null(record.next.retention),
        "from": record.next_from,
    }


def _rules(answer: RetentionAnswer) -> dict[str, Any]:
    return {
        "canDelete": bool(answer.delete),
        "canReplace": bool(answer.replace),
        "minimumEndEpoch": answer.minimum_end,
        "destroyAt": answer.destroy_at,
    }


def _rule_words(answer: RetentionAnswer) -> Iterator[str]:
    yield "may be deleted" if answer.delete else "may not be deleted"
    yield "may be replaced" if answer.replace else "may not be replaced"
    if answer.minimum_end == _MAXIMUM_EPOCH:
        yield "stays for ever"
    elif answer.minimum_end:
        yield f"stays until epoch {answer.minimum_end}"
    if answer.destroy_at:
        yield f"keys are destroyed from {_time(answer.destroy_at)} on"


# -- decisions -------------------------------------------------------------------------------------------------------


def dry_run(item: DryRun) -> dict[str, Any]:
    """What the network would decide."""
    return {
        "reader": item.reader,
        "action": item.action.name.lower(),
        "allowed": item.allowed,
        "reason": item.reason or None,
        "price": str(item.price),
        "pool": item.pool or None,
        "clause": None if item.clause is None else _clause(item.clause),
    }


def dry_run_text(item: DryRun) -> str:
    """What the network would decide, for people: first the decision, then each clause by itself."""
    doing = f"{item.action.name.lower()} by {item.reader}"
    if not item.allowed:
        decision = f"Denied: {printable(item.reason)}: {doing}"
    elif item.price:
        decision = f"Allowed for {format_amount(item.price)} to pool {item.pool}: {doing}"
    else:
        decision = f"Allowed for free: {doing}"
    return decision if item.clause is None else "\n".join([decision, *_clause_lines(item.clause, "  ")])


def _clause(item: Clause) -> dict[str, Any]:
    return {
        "policy": item.policy.address,
        "kind": item.policy.kind,
        "allowed": item.answer.allowed,
        "reason": item.answer.reason or None,
        "price": None if item.answer.price is None else str(item.answer.price),
        "operands": [_clause(operand) for operand in item.operands],
    }


def _clause_lines(item: Clause, indent: str) -> Iterator[str]:
    answer = item.answer
    if not answer.allowed:
        said = f"denies: {printable(answer.reason)}"
    elif answer.price is None:
        said = "allows, but names no price that the network takes"
    else:
        said = f"allows for {format_amount(answer.price)}" if answer.price else "allows"
    yield f"{indent}{printable(item.policy.kind)}  {item.policy.address}  {said}"
    for operand in item.operands:
        yield from _clause_lines(operand, indent + "  ")


# -- words -----------------------------------------------------------------------------------------------------------


def _who(policy: Address) -> str:
    return "none" if policy == NOBODY else policy


def _or_null(policy: Address) -> str | None:
    return None if policy == NOBODY else policy


def _value(value: Any) -> Any:
    """An argument as data: bytes in hex, large numbers as texts."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list):
        return [_value(entry) for entry in value]
    return str(value) if isinstance(value, int) and value > 2**53 else value


def _words(name: str, value: Any) -> str:
    """An argument for people."""
    if name == "price":
        return format_amount(value)
    if isinstance(value, list):
        return ", ".join(_words("", entry) for entry in value)
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _time(seconds: int) -> str:
    """A moment for people; beyond what calendars reach, the bare number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError):
        return f"{seconds} seconds after 1970"
