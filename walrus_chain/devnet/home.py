"""Where a local network keeps everything: one folder, which can be deleted to forget it.

devnet.json          parameters, nodes and processes
deployment.json      addresses of the contracts
chain.json           the chain's state, written by anvil
keys/                the deployer's keystore
agents/agent-01/     settings, keys and data of one agent
logs/                one file a process
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from walrus_chain.devnet.keys import KeyFile
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.devnet.processes import ProcessHandle
from walrus_chain.errors import Misuse
from walrus_chain.types import NodeId

_FORMAT = 1


class DevnetHomeUnreadable(Misuse):
    """The folder of a local network holds something else."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"the local network in {folder} cannot be read ({why}); `walrus devnet up --fresh` makes a new one"
        )
        self.folder, self.why = folder, why


@dataclass(frozen=True, slots=True)
class DevnetRecord:
    """What a local network remembers about itself."""

    parameters: DevnetParameters
    nodes: tuple[NodeId, ...]
    """The node of each agent."""
    processes: dict[str, ProcessHandle] = field(default_factory=dict)
    """By name (`chain`, `agent-01`, ...): what was started last; it need not be alive."""

    def with_processes(self, *handles: ProcessHandle) -> DevnetRecord:
        """The record with some processes exchanged."""
        return replace(self, processes={**self.processes, **{handle.name: handle for handle in handles}})


@dataclass(frozen=True, slots=True)
class DevnetHome:
    """The folder of one local network."""

    folder: Path

    @property
    def deployment_file(self) -> Path:
        """Addresses of the contracts."""
        return self.folder / "deployment.json"

    @property
    def chain_state(self) -> Path:
        """What anvil goes on from."""
        return self.folder / "chain.json"

    @property
    def deployer(self) -> KeyFile:
        """Deployed the contracts; holds the WAL that was not given out."""
        return KeyFile.at(self.folder / "keys" / "deployer.json")

    def agent(self, name: str) -> Path:
        """The folder of one agent."""
        return self.folder / "agents" / name

    def agent_settings(self, name: str) -> Path:
        """The settings file of one agent."""
        return self.agent(name) / "agent.toml"

    def agent_data(self, name: str) -> Path:
        """The agent's disk: catalogue and slivers."""
        return self.agent(name) / "data"

    def agent_operator(self, name: str) -> KeyFile:
        """Who registered the agent's node and bonded for it."""
        return KeyFile.at(self.agent(name) / "operator.json")

    def agent_signer(self, name: str) -> KeyFile:
        """What the agent signs attestations with."""
        return KeyFile.at(self.agent(name) / "signer.json")

    def log(self, process: str) -> Path:
        """What one process wrote."""
        return self.folder / "logs" / f"{process}.log"

    def load(self) -> DevnetRecord | None:
        """What the network remembers; None when there is none here.

        Raises: DevnetHomeUnreadable: the record is damaged.
        """
        try:
            data = json.loads(self._record.read_text())
            return _from_data(data)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DevnetHomeUnreadable(self.folder, f"{self._record.name}: {error}") from error

    def save(self, record: DevnetRecord) -> None:
        """Remember; a reader never sees half of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(_as_data(record), indent=2) + "\n")
        draft.replace(self._record)

    def forget(self) -> None:
        """Delete the network's files, and nothing else that lies in the folder."""
        for name in ("agents", "keys", "logs"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for file in (self._record, self.deployment_file, self.chain_state):
            file.unlink(missing_ok=True)

    @property
    def _record(self) -> Path:
        return self.folder / "devnet.json"


def _as_data(record: DevnetRecord) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "parameters": record.parameters.as_data(),
        "nodes": list(record.nodes),
        "processes": [asdict(handle) for handle in record.processes.values()],
    }


def _from_data(data: dict[str, Any]) -> DevnetRecord:
    if data["format"] != _FORMAT:
        raise ValueError(f"format {data['format']}, this version reads {_FORMAT}")
    handles = [ProcessHandle(**item) for item in data["processes"]]
    return DevnetRecord(
        parameters=DevnetParameters.from_data(data["parameters"]),
        nodes=tuple(NodeId(node) for node in data["nodes"]),
        processes={handle.name: handle for handle in handles},
    )
