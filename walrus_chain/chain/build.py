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
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from walrus_chain.errors import CompilationFailed, CompilerNotFound, NotAContractsProject

ARTIFACTS: Final = Path(__file__).parent / "artifacts"
MANIFEST: Final = "manifest.json"
OPENZEPPELIN: Final = "@openzeppelin/contracts"
# Folders below contracts/ that hold nothing to deploy: hostile test doubles, shared types, pure code, promises.
NOT_DEPLOYED: Final = frozenset({".cache", "mocks", "types", "libraries", "interfaces"})
OUTPUTS: Final = ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences", "metadata"]
NOT_COMPILED: Final = frozenset({".cache", "mocks"})


@dataclass(frozen=True, slots=True)
class CompilerSettings:
    """What decides the bytecode besides the sources.

    Attributes:
        release: the compiler's version, such as `0.8.37`.
        openzeppelin: the version of the contract library.
        remappings: `prefix=target` in the form solc takes, targets relative to the project.
        evm_version: the instruction set, such as `prague`.
        optimizer_runs: how often a deployed instruction is expected to run.
        via_ir: whether code goes through the Yul pipeline.
        bytecode_hash: what of the metadata is hashed into the bytecode (`none`, `ipfs`, `bzzr1`).
        cbor_metadata: whether metadata is appended to the bytecode at all.
    """

    release: str
    openzeppelin: str
    remappings: tuple[str, ...]
    evm_version: str
    optimizer_runs: int
    via_ir: bool
    bytecode_hash: str
    cbor_metadata: bool

    @classmethod
    def of_project(cls, root: Path) -> CompilerSettings:
        """The settings that stand in the project's `foundry.toml` and `package.json`.

        Raises: NotAContractsProject: one of the two files is missing or lacks a setting.
        """
        try:
            profile = tomllib.loads((root / "foundry.toml").read_text())["profile"]["default"]
            packages = json.loads((root / "package.json").read_text())["devDependencies"]
            return cls(
                release=packages["solc"],
                openzeppelin=packages[OPENZEPPELIN],
                remappings=tuple(profile["remappings"]),
                evm_version=profile["evm_version"],
                optimizer_runs=profile["optimizer_runs"],
                via_ir=profile["via_ir"],
                bytecode_hash=profile["bytecode_hash"],
                cbor_metadata=profile["cbor_metadata"],
            )
        except FileNotFoundError as error:
            raise NotAContractsProject(root, f"{Path(error.filename).name} is missing") from error
        except KeyError as error:
            raise NotAContractsProject(root, f"setting {error} is missing in foundry.toml or package.json") from error

    def standard_json(self, sources: Mapping[str, str]) -> dict[str, Any]:
        """The compiler's input for `sources`, given as path -> text."""
        return {
            "language": "Solidity",
            "sources": {path: {"content": text} for path, text in sorted(sources.items())},
            "settings": {
                "remappings": list(self.remappings),
                "evmVersion": self.evm_version,
                "viaIR": self.via_ir,
                "optimizer": {"enabled": True, "runs": self.optimizer_runs},
                "metadata": {"bytecodeHash": self.bytecode_hash, "appendCBOR": self.cbor_metadata},
                "outputSelection": {"*": {"*": OUTPUTS}},
            },
        }


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
    output = _run_compiler(root, settings, settings.standard_json(read_sources(root)))
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


def _run_compiler(root: Path, settings: CompilerSettings, task: dict[str, Any]) -> dict[str, Any]:
    try:
        import solcx
        from solcx.exceptions import SolcError
    except ImportError as error:
        raise CompilerNotFound("py-solc-x is not installed; pip install 'walrus-chain[contracts]'") from error

    compiler = root / "scripts" / "bin" / "solc"
    installed = settings.release in map(str, solcx.get_installed_solc_versions())
    if not installed and not compiler.is_file():
        try:
            solcx.install_solc(settings.release)
        except Exception as error:  # it raises what its HTTP library, its lock file and the disk raise
            raise CompilerNotFound(f"solc {settings.release} cannot be downloaded: {error}") from error
        installed = True
    chosen = {"solc_version": settings.release} if installed else {"solc_binary": compiler}
    try:
        output: dict[str, Any] = solcx.compile_standard(task, base_path=root, allow_paths=root, **chosen)
    except SolcError as error:
        raise CompilationFailed(error.message) from error
    if messages := [entry["formattedMessage"] for entry in output.get("errors", []) if _is_ours(entry)]:
        raise CompilationFailed("\n".join(messages))
    return output


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
