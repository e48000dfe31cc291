"""Policies that people write: from a Solidity file to what is deployed, by the package's own sources and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from walrus_chain.chain.abi import abi_types
from walrus_chain.chain.compiler import run_compiler
from walrus_chain.chain.policy_sources import policy_settings, policy_sources
from walrus_chain.errors import CompilationFailed, NotOnePolicy, SourceUnreadable

_OUTPUTS: Final = ("abi", "evm.bytecode.object", "evm.bytecode.linkReferences")
#: What every policy answers; see contracts/interfaces/IDataPolicy.sol.
_ANSWERS: Final = frozenset({"evaluate", "quote", "supportsInterface", "kind"})
_CHECKOUT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class PolicyCode:
    """A policy that was compiled."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    """The creation code without constructor arguments."""
    warnings: tuple[str, ...]
    """What the compiler says about the file, though it compiles."""

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Name and ABI type of each argument that the constructor takes."""
        inputs: list[dict[str, Any]] = next(
            (entry["inputs"] for entry in self.abi if entry["type"] == "constructor"), []
        )
        return tuple(zip((entry["name"] for entry in inputs), abi_types(inputs), strict=True))


def compile_policy(file: Path, contract: str | None = None) -> PolicyCode:
    """Compile the policy in a Solidity file.

    It may import files beside it, and what the package carries as `walrus/...` and `@openzeppelin/contracts/...`.

    Args:
        contract: which contract of the file; needed where several of them are policies and none has the file's name.
    Raises:
        SourceUnreadable: there is no such file.
        CompilerNotFound: there is no compiler and none can be installed.
        CompilationFailed: with the compiler's messages.
        NotOnePolicy: the file holds no policy, not the one that is named, or several.
    """
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnreadable(str(file), str(error)) from error
    settings = policy_settings()
    sources = {**policy_sources(), file.name: text}
    task = settings.standard_json(sources, {file.name: _OUTPUTS})
    output = run_compiler(settings.release, task, file.resolve().parent, _CHECKOUT)
    compiled = {name: found for name, found in output["contracts"].get(file.name, {}).items() if _is_policy(found)}
    chosen = _choose(file, compiled, contract)
    if compiled[chosen]["evm"]["bytecode"]["linkReferences"]:
        raise CompilationFailed(f"{file.name}: {chosen} needs a linked library; make the library's functions internal")
    return PolicyCode(
        name=chosen,
        abi=tuple(compiled[chosen]["abi"]),
        bytecode=bytes.fromhex(compiled[chosen]["evm"]["bytecode"]["object"]),
        warnings=tuple(
            entry["formattedMessage"]
            for entry in output.get("errors", [])
            if entry.get("sourceLocation", {}).get("file") == file.name
        ),
    )


def _is_policy(compiled: Mapping[str, Any]) -> bool:
    """Whether a contract can be deployed and answers what a policy is asked."""
    answers = {entry["name"] for entry in compiled["abi"] if entry["type"] == "function"}
    return bool(compiled["evm"]["bytecode"]["object"]) and answers >= _ANSWERS


def _choose(file: Path, compiled: Mapping[str, Any], contract: str | None) -> str:
    """The contract that is meant."""
    if contract is None and len(compiled) == 1:
        [contract] = compiled
    contract = contract or file.stem
    if contract not in compiled:
        raise NotOnePolicy(file, contract, sorted(compiled))
    return contract
