"""Compiled contracts: from the Solidity sources to the ABI and bytecode that the package carries.

Only people who change contracts need this, and only it needs a compiler; everybody else loads the committed artifacts
(`walrus_chain/chain/artifacts/*.json`). It is behind `walrus contracts build`, `make contracts` and the freshness test.

* The compiler settings are those of `foundry.toml`, the compiler release and the OpenZeppelin version those of
  `package.json`: nothing is stated twice, so tests run by forge meet the bytecode that is deployed.
* Output depends on the sources and settings alone: compiling twice, or on another machine, gives the same files.
* `manifest.json` keeps a hash of everything that went in and of every file that came out, so that staleness is seen
  without compiling.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from walrus_chain.chain.compiler import CompilerSettings, run_compiler
from walrus_chain.errors import CompilationFailed, NotAContractsProject

ARTIFACTS: Final = Path(__file__).parent / "artifacts"
MANIFEST: Final = "manifest.json"
# Folders below contracts/ that hold nothing to deploy: hostile test doubles, shared types, pure code, promises.
NOT_DEPLOYED: Final = frozenset({".cache", "mocks", "types", "libraries", "interfaces"})
NOT_COMPILED: Final = frozenset({".cache", "mocks"})


@dataclass(frozen=True, slots=True)
class Artifact:
    """One deployable contract.

    Attributes:
        name: the contract's name, unique in the project.
        abi: functions, events and errors in the JSON form that all Ethereum tools read.
        bytecode: the creation code, `0x` and hex digits, without constructor arguments.
        source_hash: SHA-256 over every source file the contract is made of, hex digits.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    source_hash: str

    def as_json(self) -> str:
        """The content of the artifact's file: one line for each entry of the ABI, so that differences can be read."""
        entries = ",\n".join(f"  {json.dumps(entry, sort_keys=True)}" for entry in self.abi)
        fields = {"bytecode": self.bytecode, "contractName": self.name, "sourceHash": self.source_hash}
        rest = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items())
        return f'{{\n "abi": [\n{entries}\n ],\n{rest}\n}}\n'


def find_project(start: Path) -> Path:
    """The folder of the contracts project that `start` lies in.

    Raises: NotAContractsProject: neither `start` nor a folder above it has `foundry.toml` and `contracts/`.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "foundry.toml").is_file() and (folder / "contracts").is_dir():
            return folder
    raise NotAContractsProject(start, "no folder from here upwards has foundry.toml and contracts/")


def read_sources(root: Path) -> dict[str, str]:
    """Text of every source file that can reach a deployed contract, by its path below `root` (with `/`)."""
    contracts = root / "contracts"
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(contracts.rglob("*.sol"))
        if not NOT_COMPILED.intersection(path.relative_to(contracts).parts)
    }


def source_hash(settings: CompilerSettings, sources: Mapping[str, str]) -> str:
    """SHA-256 over the settings and all sources: differs exactly when compiling again might give something else."""
    return _sha256(_dump(settings.standard_json(sources) | {"versions": _versions(settings)}))


def compile_contracts(root: Path) -> list[Artifact]:
    """Compile the project's contracts and return those to deploy, ordered by name.

    Raises:
        NotAContractsProject: `root` is no such project.
        CompilerNotFound: there is no compiler and none can be installed.
        CompilationFailed: with the compiler's messages, warnings included.
    """
    settings = CompilerSettings.of_project(root)
    output = run_compiler(settings.release, settings.standard_json(read_sources(root)), root, root)
    if messages := [entry["formattedMessage"] for entry in output.get("errors", []) if _is_ours(entry)]:
        raise CompilationFailed("\n".join(messages))
    artifacts: dict[str, Artifact] = {}
    for path, contracts in sorted(output["contracts"].items()):
        folders = Path(path).parts
        if folders[0] != "contracts" or NOT_DEPLOYED.intersection(folders):
            continue
        for name, compiled in sorted(contracts.items()):
            creation = compiled["evm"]["bytecode"]
            if not creation["object"] or not _has_functions(compiled["abi"]):
                continue  # abstract, an interface beside its contract, or a library that is part of its users
            if creation["linkReferences"]:
                raise CompilationFailed(f"{path}: {name} needs a linked library; make the library's functions internal")
            if name in artifacts:
                raise CompilationFailed(f"{path}: there are two contracts named {name}; artifacts are found by name")
            artifacts[name] = Artifact(
                name=name,
                abi=compiled["abi"],
                bytecode="0x" + creation["object"],
                source_hash=_hash_of_parts(compiled["metadata"]),
            )
    return [artifacts[name] for name in sorted(artifacts)]


def write_artifacts(root: Path, artifacts: list[Artifact], target: Path = ARTIFACTS) -> None:
    """Make `target` hold exactly these artifacts and their manifest."""
    settings = CompilerSettings.of_project(root)
    texts = {artifact.name: artifact.as_json() for artifact in artifacts}
    manifest = {
        **_versions(settings),
        "sourceHash": source_hash(settings, read_sources(root)),
        "contracts": {name: _sha256(text) for name, text in sorted(texts.items())},
    }
    target.mkdir(parents=True, exist_ok=True)
    for stale in target.glob("*.json"):
        if stale.stem not in texts:
            stale.unlink()
    for name, text in texts.items():
        (target / f"{name}.json").write_text(text)
    (target / MANIFEST).write_text(_dump(manifest))


def stale_parts(root: Path, target: Path = ARTIFACTS) -> list[str]:
    """What makes the artifacts in `target` differ from the project's sources, in words; empty when they are fresh.

    Needs no compiler: compares the hashes kept in the manifest.
    """
    manifest_file = target / MANIFEST
    if not manifest_file.is_file():
        return [f"{MANIFEST} is missing"]
    manifest = json.loads(manifest_file.read_text())
    settings = CompilerSettings.of_project(root)
    found = {path.stem: path.read_text() for path in target.glob("*.json") if path.name != MANIFEST}
    expected: dict[str, str] = manifest["contracts"]
    parts = [f"{name}.json is missing" for name in sorted(expected.keys() - found.keys())]
    parts += [f"{name}.json is not in the manifest" for name in sorted(found.keys() - expected.keys())]
    parts += [
        f"{name}.json was edited by hand"
        for name in sorted(expected.keys() & found.keys())
        if _sha256(found[name]) != expected[name]
    ]
    if any(manifest.get(key) != value for key, value in _versions(settings).items()):
        parts.append("the compiler or the contract library changed version")
    elif manifest["sourceHash"] != source_hash(settings, read_sources(root)):
        parts.append("a contract or a compiler setting changed")
    return parts


def _versions(settings: CompilerSettings) -> dict[str, str]:
    return {"solc": settings.release, "openzeppelin": settings.openzeppelin}


def _hash_of_parts(metadata: str) -> str:
    parts = {path: source["keccak256"] for path, source in json.loads(metadata)["sources"].items()}
    return _sha256(_dump(parts))


def _has_functions(abi: list[dict[str, Any]]) -> bool:
    return any(entry["type"] not in ("error", "event") for entry in abi)


def _is_ours(entry: dict[str, Any]) -> bool:
    """Whether a message is a warning about this project's code; those of libraries are theirs, errors came before."""
    place: str = entry.get("sourceLocation", {}).get("file", "contracts/")
    return entry["severity"] == "warning" and place.startswith("contracts/")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _dump(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
