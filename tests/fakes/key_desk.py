"""A node's desk for keys over a chain that is not there: everything else is real, catalogue and files included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage_agent.keys.desk import KeyDesk
from storage_agent.keys.erasable import ErasableKeys
from storage_agent.keys.jobs import JobReleaser
from storage_agent.keys.journal import Journal
from storage_agent.keys.release import Released, Releaser, ReleaseRules
from storage_agent.keys.request import KeyRequest
from storage_agent.keys.ring import KeyRing
from storage_agent.keys.till import Till, TillRules
from storage_agent.observe import Metrics
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.ledger import Ledger
from tests.fakes.access_chain import ACCESS, CHANNELS, GENESIS, POLICY, FakeAccessChain
from tests.fakes.readers import Reader, chance
from walrus_chain.crypto.node_key import MasterKey
from walrus_chain.crypto.threshold import KeyIdentity, check_share
from walrus_chain.messages.signing import LocalSigner, Signer
from walrus_chain.types import BlobObjectId, Epoch, NodeId, Wei

MAXIMUM_AGE = 120
EPOCH_SECONDS = 3600
CONFIRMATIONS = 2
FINALITY_ABOVE = Wei(10**20)


def epoch_at(timestamp: int) -> Epoch:
    """The epoch of a time."""
    return Epoch(1 + (timestamp - GENESIS) // EPOCH_SECONDS)


def epoch_start(epoch: Epoch) -> int:
    """When an epoch begins."""
    return GENESIS + (epoch - 1) * EPOCH_SECONDS


def make_fake_desk(
    chain: FakeAccessChain, ledger: Ledger, folder: Path, metrics: Metrics, node_id: NodeId, signer: Signer
) -> tuple[KeyDesk, list[MasterKey]]:
    """A desk, and its master keys, the newest first."""

    def clock() -> float:
        return float(chain.head_block.timestamp)

    keys = [MasterKey.generate(chance(f"master {node_id} {number}")) for number in (2, 1)]
    journal = Journal(ledger, node_id, signer, ACCESS, clock, epoch_at)
    erasable = ErasableKeys(folder / "erasable", ledger, node_id, signer, ACCESS, chance(f"erasable {node_id}"), clock)
    rules, ring = ReleaseRules(node_id, ACCESS, CHANNELS, MAXIMUM_AGE), KeyRing(keys)
    releaser = Releaser(
        rules,
        chain,
        Till(chain, TillRules(CONFIRMATIONS, FINALITY_ABOVE), CHANNELS),
        journal,
        ring,
        erasable,
        metrics,
        clock,
    )
    jobs = JobReleaser(rules, chain, journal, ring, erasable, metrics, clock)
    return KeyDesk(releaser, jobs, journal, erasable), keys


@dataclass
class Bench:
    """One node's desk, its chain, and a reader."""

    chain: FakeAccessChain
    folder: Path
    node_id: NodeId = NodeId(1)  # noqa: RUF009 - a number

    def __post_init__(self) -> None:
        self.signer = LocalSigner(bytes([self.node_id]) * 32)
        self.metrics = Metrics()
        self.reader = self.another("reader")
        self.start()

    def start(self) -> None:
        """Open what is on the disk."""
        self.catalogue = Catalogue.open(
            self.folder / f"c{self.node_id}.db", network="31337:x", node_id=self.node_id, clock=lambda: 0.0
        )
        self.desk, self.keys = make_fake_desk(
            self.chain,
            self.ledger,
            self.folder / f"keys{self.node_id}",
            self.metrics,
            self.node_id,
            self.signer,
        )

    def stop(self) -> None:
        """Let go of what is on the disk."""
        self.catalogue.close()

    def restart(self) -> None:
        """Forget what is in memory."""
        self.stop()
        self.start()

    @property
    def ledger(self) -> Ledger:
        """What was released."""
        return self.catalogue.ledger

    @property
    def releaser(self) -> Releaser:
        """Who releases."""
        assert self.desk.releaser is not None
        return self.desk.releaser

    def another(self, name: str) -> Reader:
        """A reader who asks this node."""
        return Reader(name, ACCESS, CHANNELS, lambda: self.chain.head_block.timestamp, self.node_id)

    def body(self, reader: Reader | None = None, **values: Any) -> dict[str, Any]:
        """A request of a reader at the newest block."""
        return (reader or self.reader).body(values.pop("block_hash", self.chain.head_block.hash), **values)

    async def ask(self, reader: Reader | None = None, **values: Any) -> Released:
        """What comes of such a request."""
        return await self.release(self.body(reader, **values))

    async def release(self, body: dict[str, Any]) -> Released:
        """What comes of a body."""
        return await self.releaser.release(KeyRequest.from_data(body))

    def identity(self, blob_object: int = 1, key_epoch: int = 1) -> KeyIdentity:
        """What the share is for."""
        return KeyIdentity(ACCESS.chain_id, ACCESS.verifying_contract, POLICY, BlobObjectId(blob_object), key_epoch)

    def open(self, released: Released, body: dict[str, Any], reader: Reader | None = None) -> bytes:
        """The share in an answer, which is the right one."""
        request = KeyRequest.from_data(body).request
        share = (reader or self.reader).sealing.open_share(released.share, request.digest(ACCESS))
        key = next(key for key in self.keys if key.public.key_id == released.key_id)
        check_share(self.node_id, share, self.identity(request.blob_object, request.key_epoch), key.public)
        return share
