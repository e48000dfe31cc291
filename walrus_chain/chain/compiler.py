"""The Solidity compiler: its settings, where it is found, and how it is run.

The settings are those of a project's `foundry.toml`, release and contract library those of its `package.json`: nothing
is stated twice. The package carries those of this project, for policies that others write (`policy_code`).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from walrus_chain.errors import CompilationFailed, CompilerNotFound, NotAContractsProject

OPENZEPPELIN: Final = "@openzeppelin/contracts"
OUTPUTS: Final = ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences", "metadata"]
#: Below a clone of the repository: runs the compiler that `make setup` installed there.
SHIM: Final = Path("scripts", "bin", "solc")
_RELEASE: Final = re.compile(r"^Version: (\d+\.\d+\.\d+)", re.MULTILINE)


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

    @classmethod
    def from_json(cls, text: str) -> CompilerSettings:
        """The settings that `to_json` wrote."""
        data = json.loads(text)
        return cls(**{**data, "remappings": tuple(data["remappings"])})

    def to_json(self) -> str:
        """The settings as a JSON object."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    def standard_json(
        self, sources: Mapping[str, str], outputs: Mapping[str, Sequence[str]] | None = None
    ) -> dict[str, Any]:
        """The compiler's input for `sources`, given as path -> text.

        Args:
            outputs: what is wanted of which file; `OUTPUTS` of every file when none is named.
        """
        wanted = {"*": OUTPUTS} if outputs is None else outputs
        return {
            "language": "Solidity",
            "sources": {path: {"content": text} for path, text in sorted(sources.items())},
            "settings": {
                "remappings": list(self.remappings),
                "evmVersion": self.evm_version,
                "viaIR": self.via_ir,
                "optimizer": {"enabled": True, "runs": self.optimizer_runs},
                "metadata": {"bytecodeHash": self.bytecode_hash, "appendCBOR": self.cbor_metadata},
                "outputSelection": {path: {"*": list(names)} for path, names in wanted.items()},
            },
        }


def run_compiler(release: str, task: Mapping[str, Any], folder: Path, clone: Path) -> dict[str, Any]:
    """What the compiler of that release answers to a task in its standard JSON form.

    Args:
        folder: where it may read what is imported and not part of the task.
        clone: a folder that may be a clone of the repository, whose compiler is used where there is no other.
    Raises:
        CompilerNotFound: there is no compiler of that release and none can be installed; says how to get one.
        CompilationFailed: with the compiler's messages.
    """
    try:
        import solcx
        from solcx.exceptions import SolcError
    except ImportError as error:
        raise CompilerNotFound("py-solc-x is not installed; pip install 'walrus-chain[policies]'") from error

    chosen: dict[str, Any]
    if release in map(str, solcx.get_installed_solc_versions()):
        chosen = {"solc_version": release}
    elif (compiler := _compiler_at_hand(release, clone)) is not None:
        chosen = {"solc_binary": compiler}
    else:
        try:
            solcx.install_solc(release)
        except Exception as error:  # it raises what its HTTP library, its lock file and the disk raise
            raise CompilerNotFound(f"solc {release} cannot be downloaded: {error}") from error
        chosen = {"solc_version": release}
    try:
        output: dict[str, Any] = solcx.compile_standard(dict(task), base_path=folder, allow_paths=folder, **chosen)
    except SolcError as error:
        raise CompilationFailed(error.message) from error
    return output


def _compiler_at_hand(release: str, clone: Path) -> Path | None:
    """The compiler of a clone, or that of the PATH when it is of the release."""
    if (clone / SHIM).is_file():
        return clone / SHIM
    found = shutil.which("solc")
    if found is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    version = _RELEASE.search(said)
    return Path(found) if version is not None and version[1] == release else None
