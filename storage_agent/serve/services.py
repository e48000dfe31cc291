"""What the handlers work with, in one place; the daemon builds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from storage_agent.keys.desk import KeyDesk
from storage_agent.node.accuse import Accuser
from storage_agent.node.admission import Admission
from storage_agent.node.attest import Attester
from storage_agent.node.holdings import Holdings
from storage_agent.observe import Metrics
from storage_agent.serve.limits import ByteBudget, Gate, RateLimiter
from storage_agent.serve.trees import TreeCache
from storage_agent.store.jobs import JobStore
from storage_agent.store.outputs import Outputs

#: Health or status as JSON.
Report = Callable[[], Awaitable[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class ServeLimits:
    """How much the agent takes on at once."""

    body_bytes: int = 192 * 2**20
    """Most bytes of one request's body."""
    memory_bytes: int = 384 * 2**20
    """Most bytes of all bodies that are being taken in."""
    memory_wait_seconds: float = 20.0
    """How long a body waits for its share of that memory."""
    body_seconds: float = 120.0
    """In which a body must arrive."""
    concurrency: int = 64
    """Requests worked on at once."""
    queue: int = 512
    """Requests that wait; more are turned away."""
    key_concurrency: int = 32
    """Requests for keys worked on at once: each asks the chain."""
    keys_per_second: float = 20.0
    """Requests for keys from one address, on average: each answer stays on the disk."""
    key_burst: int = 400
    """Requests for keys from one address, at once."""
    requests_per_second: float = 500.0
    """From one address, on average."""
    burst: int = 2000
    """From one address, at once."""
    tree_cache_bytes: int = 32 * 2**20
    """Merkle trees kept for runs of chunks."""
    inline_bytes: int = 64 * 2**10
    """Bodies up to this size are verified at once; larger ones on another thread."""


@dataclass(frozen=True, slots=True)
class JobShelf:
    """What jobs wrote here."""

    store: JobStore
    outputs: Outputs


@dataclass(slots=True)
class Services:
    """Everything behind the routes."""

    admission: Admission
    attester: Attester
    accuser: Accuser
    holdings: Holdings
    metrics: Metrics
    clock: Callable[[], float]
    """Seconds, never running backwards."""
    health: Report
    status: Report
    keys: KeyDesk
    jobs: JobShelf
    limits: ServeLimits = field(default_factory=ServeLimits)
    stopping: bool = False
    """Set when the agent goes down: new requests are turned away, those under way are finished."""
    gate: Gate = field(init=False)
    key_gate: Gate = field(init=False)
    memory: ByteBudget = field(init=False)
    rate: RateLimiter = field(init=False)
    key_rate: RateLimiter = field(init=False)
    trees: TreeCache = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        self.gate = Gate(limits.concurrency, limits.queue)
        self.key_gate = Gate(limits.key_concurrency, limits.key_concurrency)
        self.memory = ByteBudget(limits.memory_bytes)
        self.rate = RateLimiter(limits.requests_per_second, limits.burst)
        self.key_rate = RateLimiter(limits.keys_per_second, limits.key_burst)
        self.trees = TreeCache(limits.tree_cache_bytes)
