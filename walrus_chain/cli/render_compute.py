"""Jobs and triggers as data for programs and as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from walrus_chain.cli.render import lines
from walrus_chain.types import format_amount, format_bytes

if TYPE_CHECKING:
    from walrus_chain.chain.compute_views import JobOrder
    from walrus_chain.chain.compute_writer import JobReceipt
    from walrus_chain.client.compute import JobQuote, JobReport, JobResult, TriggerReport

_CLEAR = bytes(32)


def order(result: JobOrder) -> dict[str, Any]:
    """What was ordered."""
    return {
        "program": str(result.program),
        "inputs": list(result.inputs),
        "argument": result.arguments,
        "fuel": result.fuel,
        "outputLimit": result.output_limit,
        "replicas": result.replicas,
        "fee": str(result.fee),
        "sealed": result.encryption_key != _CLEAR,
    }


def quote(result: JobQuote) -> dict[str, Any]:
    """What a job would cost."""
    return {
        **order(result.order),
        "charges": [{"pool": charge.pool, "price": str(charge.price)} for charge in result.charges],
        "total": str(result.total),
    }


def quote_text(result: JobQuote) -> str:
    """What a job would cost, for people."""
    facts: list[tuple[str, object]] = [
        ("Fee", f"{format_amount(result.fee)} for {result.order.replicas} nodes"),
        *(
            (f"Object {number}", format_amount(charge.price) if charge.price else "free")
            for number, charge in zip(result.order.inputs, result.charges, strict=True)
        ),
        ("Together", format_amount(result.total)),
        ("Fuel", f"{result.order.fuel:,}"),
        ("Output", _output_words(result.order)),
    ]
    return lines("The job costs", facts)


def requested(result: JobReceipt) -> dict[str, Any]:
    """A job that was requested."""
    return {
        "job": result.job,
        **order(result.request.order),
        "cost": str(result.request.cost),
        "transaction": result.transaction,
        "block": result.block,
        "gasUsed": result.gas_used,
    }


def requested_text(result: JobReceipt) -> str:
    """A job that was requested, for people."""
    return (
        f"Job {result.job} is requested for {format_amount(result.request.cost)}. "
        f"Next: walrus compute watch {result.job}"
    )


def report(result: JobReport) -> dict[str, Any]:
    """How far a job is."""
    settlement = result.settlement
    return {
        "job": result.job,
        "status": _status(result),
        "requester": result.request.requester,
        **order(result.request.order),
        "cost": str(result.request.cost),
        "nodes": list(result.nodes),
        "answers": [answer.name.lower() for answer in result.answers],
        "agreeing": list(result.agreeing),
        "lying": list(result.lying),
        "absent": list(result.absent),
        "feeEach": None if settlement is None else str(settlement.fee_each),
        "charged": None if settlement is None else str(settlement.charged),
        "refunded": None if settlement is None else str(settlement.refunded),
    }


def progress_text(result: JobReport) -> str:
    """How far a job is, in one line for people."""
    words = [f"job {result.job}: {_status(result)}"]
    if result.nodes and not result.over:
        words.append(
            ", ".join(
                f"node {node} {answer.name.lower() if answer else 'works'}"
                for node, answer in zip(result.nodes, result.answers, strict=True)
            )
        )
    return "; ".join(words)


def report_text(result: JobReport) -> str:
    """How a job ended, for people."""
    settlement = result.settlement
    if settlement is None:
        return f"Job {result.job} was cancelled: no nodes were drawn in time. It was paid back"
    facts: list[tuple[str, object]] = [
        ("Agree", _numbers(result.agreeing)),
        ("Lied", _numbers(result.lying)),
        ("Absent", _numbers(result.absent)),
        (
            "Paid",
            f"{format_amount(settlement.fee_each)} to each that agrees, {format_amount(settlement.charged)} to pools",
        ),
        ("Paid back", format_amount(settlement.refunded)),
    ]
    return lines(f"Job {result.job} is settled", facts)


def job_result(shown: JobResult) -> dict[str, Any]:
    """A result that counts, without its output."""
    return {
        "job": shown.job,
        "ending": shown.ending.words,
        "resultHash": shown.result_hash,
        "size": len(shown.output),
        "agreeing": list(shown.agreeing),
        "node": shown.node,
        "sealed": shown.sealed,
    }


def trigger(result: TriggerReport) -> dict[str, Any]:
    """A trigger."""
    return {
        "trigger": result.facts.trigger,
        "owner": result.facts.owner,
        "kind": result.terms.kind.name.lower().replace("_", "-"),
        "epochs": result.terms.epochs,
        "perEpoch": result.terms.per_epoch,
        "maximum": str(result.terms.maximum),
        "balance": str(result.facts.balance),
        "lastEpoch": result.facts.last,
        "jobsInThatEpoch": result.facts.jobs,
        **order(result.terms.order),
    }


def trigger_text(result: TriggerReport) -> str:
    """A trigger, for people."""
    terms = result.terms
    facts: list[tuple[str, object]] = [
        ("Owner", result.facts.owner),
        ("Fires", terms.kind.name.lower().replace("_", " ")),
        ("Program", terms.order.program),
        ("Objects", _numbers(terms.order.inputs)),
        ("One job", f"at most {format_amount(terms.maximum)}, of it {format_amount(terms.order.fee)} for nodes"),
        ("Balance", format_amount(result.facts.balance)),
        ("Last epoch", f"{result.facts.last}, {result.facts.jobs} jobs" if result.facts.last else "never fired"),
    ]
    return lines(f"Trigger {result.facts.trigger}", facts)


def _status(result: JobReport) -> str:
    if not result.over:
        return result.status.name.lower()
    if result.settlement is None:
        return "cancelled"
    return "settled" if result.agreeing else "without result"


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _output_words(ordered: JobOrder) -> str:
    words = f"at most {format_bytes(ordered.output_limit)}"
    return f"{words}, sealed to this computer" if ordered.encryption_key != _CLEAR else f"{words}, for anybody to see"
