"""What operators see of a running agent: structured logs and metrics.

Logs go to standard error, one line each: JSON for machines, or plain text for people. Everything that was given as
`extra` to a log call becomes a field. What peers and strangers wrote can neither forge a line nor reach a terminal.
Secrets are never logged: no log call is given a key, a password or a body.

Metrics are kept per agent, not per process, so that several agents can live in one process.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from walrus_chain.types import printable, printable_lines

METRICS_MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PROOF_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0)
_JOB_SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


# The moment of creation of each series would double their number, and says nothing here.
disable_created_metrics()  # type: ignore[no-untyped-call]


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the call gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        document = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            document["trace"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)


class TextFormatter(logging.Formatter):
    """Time, level and message for people, then the fields as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines with a trace, for `record`."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = "".join(f"  {name}={printable(str(value))}" for name, value in _extra(record).items())
        line = f"{moment} {record.levelname.lower():<7} {printable(record.getMessage())}{fields}"
        return f"{line}\n{printable_lines(self.formatException(record.exc_info))}" if record.exc_info else line


def set_up_logging(level: str, style: str, stream: TextIO | None = None) -> None:
    """Send the process's logs to `stream` (standard error when not given).

    Args:
        level: debug, info, warning or error.
        style: `json` or `text`.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Libraries that tell of each request they make.
    for name in ("httpx", "httpcore", "web3", "urllib3", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its series."""

    name: str
    """Without the suffix that counters and histograms add."""
    kind: str
    """`counter`, `gauge` or `histogram`."""
    labels: tuple[str, ...]


class Metrics:
    """Counters and gauges of one agent, in the text format that Prometheus reads at `/metrics`."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("walrus_agent_requests", "Requests answered", ["route", "status"], registry=registry)
        self.cut_connections = Counter(
            "walrus_agent_cut_connections", "Connections closed for exceeding a limit", ["why"], registry=registry
        )
        self.request_seconds = Histogram(
            "walrus_agent_request_seconds", "Time to answer", ["route"], registry=registry, buckets=_SECONDS
        )
        self.received_bytes = Counter(
            "walrus_agent_received_bytes", "Bytes of slivers and metadata taken in from clients", registry=registry
        )
        self.served_bytes = Counter(
            "walrus_agent_served_bytes", "Bytes of slivers, chunks, symbols and metadata served", registry=registry
        )
        self.attestations = Counter("walrus_agent_attestations", "Attestations signed", registry=registry)
        self.accusations = Counter(
            "walrus_agent_accusations", "Attestations signed that a blob does not encode to its id", registry=registry
        )
        self.unsound_blobs = Counter(
            "walrus_agent_unsound_blobs", "Blobs found not to encode to their id", registry=registry
        )
        self.untrusted_uploads = Counter(
            "walrus_agent_untrusted_uploads", "Uploads refused because bytes did not verify", registry=registry
        )
        self.healed_pairs = Counter("walrus_agent_healed_pairs", "Sliver pairs healed", ["way"], registry=registry)
        self.healing_bytes = Counter(
            "walrus_agent_healing_bytes",
            "Bytes fetched from other nodes to heal or examine blobs",
            ["kind"],
            registry=registry,
        )
        self.healing_failures = Counter(
            "walrus_agent_healing_failures", "Healing attempts that failed and are tried again", registry=registry
        )
        self.lies = Counter(
            "walrus_agent_lies", "Answers of other nodes that did not verify", ["node"], registry=registry
        )
        self.blobs_to_heal = Gauge(
            "walrus_agent_blobs_to_heal", "Certified blobs of which something is missing", registry=registry
        )
        self.scrubbed_bytes = Counter("walrus_agent_scrubbed_bytes", "Bytes read back and verified", registry=registry)
        self.rotted_pairs = Counter("walrus_agent_rotted_pairs", "Sliver pairs found rotted", registry=registry)
        self.chain_block = Gauge("walrus_agent_chain_block", "Last block whose events are applied", registry=registry)
        self.chain_lag = Gauge(
            "walrus_agent_chain_lag_seconds", "Age of the last block whose events are applied", registry=registry
        )
        self.epoch = Gauge("walrus_agent_epoch", "Present epoch, as the chain said last", registry=registry)
        self.free_bytes = Gauge("walrus_agent_free_bytes", "Free bytes where slivers are kept", registry=registry)
        self.stored_bytes = Gauge("walrus_agent_stored_bytes", "Bytes of slivers and metadata kept", registry=registry)
        self.shards = Gauge(
            "walrus_agent_shards",
            "Shards of the node: served, still on their way here, kept for their new nodes",
            ["state"],
            registry=registry,
        )
        self.custody_windows = Counter(
            "walrus_agent_custody_windows",
            "Custody windows that asked this node, and how they ended",
            ["result"],
            registry=registry,
        )
        self.proof_due = Gauge(
            "walrus_agent_proof_due",
            "1 while the node is asked for a custody proof and did not give it",
            registry=registry,
        )
        self.window_left = Gauge(
            "walrus_agent_window_left_ratio",
            "What is left of the present epoch's custody window, 1 to 0",
            registry=registry,
        )
        self.proof_seconds = Histogram(
            "walrus_agent_proof_seconds",
            "From a custody seed's being seen to the proof's being in a block",
            registry=registry,
            buckets=_PROOF_SECONDS,
        )
        self.transactions = Counter(
            "walrus_agent_transactions", "Transactions that did what they should", ["action"], registry=registry
        )
        self.transaction_failures = Counter(
            "walrus_agent_transaction_failures", "Attempts to act on chain that failed", ["action"], registry=registry
        )
        self.gas_spent = Counter(
            "walrus_agent_gas_spent", "Paid for these, in the chain's own currency", ["action"], registry=registry
        )
        self.key_balance = Gauge(
            "walrus_agent_key_balance",
            "What the signing key has for fees, in the chain's own currency",
            registry=registry,
        )
        self.rewards = Counter(
            "walrus_agent_rewards_wal", "WAL that this agent settled into the node's pool", registry=registry
        )
        self.own_stake = Gauge("walrus_agent_own_stake_wal", "WAL staked by the node's operator", registry=registry)
        self.active_stake = Gauge("walrus_agent_active_stake_wal", "WAL that stands behind the node", registry=registry)
        self.key_requests = Counter(
            "walrus_agent_key_requests", "Requests for keys, by what came of them", ["result"], registry=registry
        )
        self.accepted = Counter(
            "walrus_agent_accepted_wal", "WAL that vouchers promised for released keys", registry=registry
        )
        self.vouchers_owed = Gauge(
            "walrus_agent_vouchers_owed_wal", "WAL that channels owe by vouchers taken here", registry=registry
        )
        self.redeemed = Counter(
            "walrus_agent_redeemed_wal", "WAL that this agent redeemed from channels", registry=registry
        )
        self.anchored_epochs = Counter(
            "walrus_agent_anchored_epochs", "Epochs whose receipts are anchored on chain", registry=registry
        )
        self.destroyed_keys = Counter(
            "walrus_agent_destroyed_keys", "Keys of objects that were destroyed when due", registry=registry
        )
        self.jobs_open = Gauge(
            "walrus_agent_jobs_open", "Jobs that this node was drawn for and that are not over", registry=registry
        )
        self.jobs_run = Counter(
            "walrus_agent_jobs_run",
            "Runs of programs that came to a binding end, by which",
            ["ending"],
            registry=registry,
        )
        self.job_seconds = Histogram(
            "walrus_agent_job_seconds",
            "From a job's turn to its result's being kept, inputs fetched",
            registry=registry,
            buckets=_JOB_SECONDS,
        )
        self.job_steps = Counter(
            "walrus_agent_job_steps", "What this agent did on chain about jobs", ["action"], registry=registry
        )
        self.job_failures = Counter(
            "walrus_agent_job_failures", "Attempts of that which failed", ["action"], registry=registry
        )
        self.triggers_fired = Counter(
            "walrus_agent_triggers_fired", "Jobs that this agent requested for triggers", registry=registry
        )
        self.jailed = Gauge("walrus_agent_jailed", "1 while the node is jailed for missed proofs", registry=registry)

    def families(self) -> list[Family]:
        """All metrics, also those that have no series yet."""
        metrics = [metric for metric in vars(self).values() if isinstance(metric, Counter | Gauge | Histogram)]
        return [Family(metric._name, metric._type, tuple(metric._labelnames)) for metric in metrics]

    def value(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        """What one series stands at, by the name it is read under; none when there is no such series."""
        return self._registry.get_sample_value(name, dict(labels or {}))

    def render(self) -> bytes:
        """All metrics as text."""
        return generate_latest(self._registry)
