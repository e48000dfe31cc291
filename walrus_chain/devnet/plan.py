"""What a local network consists of: how many agents, where, and at which prices. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from walrus_chain.codec.geometry import MAX_SHARDS, MIN_SHARDS
from walrus_chain.errors import Misuse
from walrus_chain.types import WAL_DECIMALS, Wei

#: Region labels in the order in which they are used.
REGIONS = (
    "eu-north",
    "us-east",
    "ap-south",
    "sa-east",
    "af-south",
    "oc-east",
    "eu-west",
    "us-west",
    "ap-north",
    "me-gulf",
)
_STAKE = Wei(100_000 * 10**WAL_DECIMALS)
_PURSE = Wei(1_000_000 * 10**WAL_DECIMALS)


class DevnetParametersWrong(Misuse):
    """A local network cannot be built as asked."""


@dataclass(frozen=True, slots=True)
class DevnetParameters:
    """How a local network is built. All of it is fixed when the network is created, and kept in its home."""

    agents: int = 10
    shards: int = 30
    regions: int = 4
    epoch_seconds: int = 86_400
    chain_id: int = 31_337
    rpc_port: int = 8545
    first_agent_port: int = 9101
    stake: Wei = _STAKE
    """What each operator stakes."""
    purse: Wei = _PURSE
    """What the developer's wallet starts with."""

    def __post_init__(self) -> None:
        if not MIN_SHARDS <= self.shards <= MAX_SHARDS:
            raise DevnetParametersWrong(f"--shards {self.shards}: a network has {MIN_SHARDS} to {MAX_SHARDS} shards")
        if not 1 <= self.agents <= self.shards:
            raise DevnetParametersWrong(
                f"--agents {self.agents}: choose 1 to {self.shards}, so that every agent gets a shard"
            )
        if not 1 <= self.regions <= min(self.agents, len(REGIONS)):
            raise DevnetParametersWrong(
                f"--regions {self.regions}: choose 1 to {min(self.agents, len(REGIONS))}, so that each has an agent"
            )

    def as_data(self) -> dict[str, Any]:
        """The parameters as plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> DevnetParameters:
        """The parameters that `as_data` made; unknown names are an error."""
        return cls(**{field.name: data[field.name] for field in fields(cls)})

    def agent_names(self) -> tuple[str, ...]:
        """agent-01, agent-02, ..."""
        return tuple(f"agent-{number:02d}" for number in range(1, self.agents + 1))

    def region_of(self, agent: int) -> str:
        """Where the agent at place `agent` (from 0) says it stands; agents go round the regions."""
        return REGIONS[agent % self.regions]

    def port_of(self, agent: int) -> int:
        """Where the agent at place `agent` (from 0) listens."""
        return self.first_agent_port + agent
