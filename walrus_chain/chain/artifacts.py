"""The compiled contracts that this package carries: ABI and creation code, read when first asked for.

They are generated (`make contracts`, see `walrus_chain.chain.build`); nobody edits them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from walrus_chain.errors import ArtifactMissing

_FOLDER = "artifacts"
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract."""

    name: str
    abi: tuple[dict[str, Any], ...]
    """Functions, events and errors in the JSON form that all Ethereum tools read."""
    bytecode: bytes
    """The creation code without constructor arguments."""


@cache
def artifact(contract: str) -> Artifact:
    """The compiled contract of that name, such as `BlobRegistry`.

    Raises: ArtifactMissing: the package has none.
    """
    file = files("walrus_chain.chain") / _FOLDER / f"{contract}.json"
    try:
        data = json.loads(file.read_text())
    except FileNotFoundError:
        raise ArtifactMissing(contract) from None
    return Artifact(data["contractName"], tuple(data["abi"]), bytes.fromhex(data["bytecode"].removeprefix("0x")))


@cache
def artifact_names() -> tuple[str, ...]:
    """The names of all compiled contracts of the package, sorted."""
    folder = files("walrus_chain.chain") / _FOLDER
    if not folder.is_dir():
        return ()
    found = (entry.name for entry in folder.iterdir() if entry.name.endswith(".json") and entry.name != _MANIFEST)
    return tuple(sorted(name.removesuffix(".json") for name in found))
