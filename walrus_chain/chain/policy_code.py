"""Policies that people write: from a Solidity file to what is deployed, by the package's own sources and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from walrus_chain.chain.abi import abi_types
from walrus_chain.chain.compiler import run_compiler
from walrus_chain.chain.policy_sources import policy_settings, policy_sources
from walrus_chain.errors import CompilationFailed, NotOneContract, SourceUnreadable

_OUTPUTS: Final = ("abi", "evm.bytecode.object", "evm.bytecode.linkReferences")
#: What every policy answers; see contracts/interfaces/IDataPolicy.sol.
_ANSWERS: Final = frozenset({"evaluate", "quote", "supportsInterface", "kind"})
_CHECKOUT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class SolidityCode:
    """A contract that was compiled."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    """The creation code without constructor arguments."""
    warnings: tuple[str, ...]
    """What the compiler says about its file, though it compiles."""

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Name and ABI type of each argument that the constructor takes."""
        inputs: list[dict[str, Any]] = next(
            (entry["inputs"] for entry in self.abi if entry["type"] == "constructor"), []
        )
        return tuple(zip((entry["name"] for entry in inputs), abi_types(inputs), strict=True))


def compile_policy(file: Path, contract: str | None = None) -> SolidityCode:
    """Compile the policy in a Solidity file.

    It may import files beside it, and what the package carries as `walrus/...` and `@openzeppelin/contracts/...`.

    Args:
        contract: which contract of the file; needed where several of them are policies and none has the file's name.
    Raises:
        SourceUnreadable: there is no such file.
        CompilerNotFound: there is no compiler and none can be installed.
        CompilationFailed: with the compiler's messages.
        NotOneContract: the file holds no policy, not the one that is named, or several.
    """
    return _compile(file, contract, "policy", _is_policy)


def compile_contract(file: Path, contract: str | None = None) -> SolidityCode:
    """Compile any contract in a Solidity file. Arguments and errors are those of `compile_policy`."""
    return _compile(file, contract, "contract", _is_deployable)


def _compile(
    file: Path, contract: str | None, noun: str, is_wanted: Callable[[Mapping[str, Any]], bool]
) -> SolidityCode:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnreadable(str(file), str(error)) from error
    settings = policy_settings()
    task = settings.standard_json({**policy_sources(), file.name: text}, {file.name: _OUTPUTS})
    output = run_compiler(settings.release, task, file.resolve().parent, _CHECKOUT)
    held = {name: found for name, found in output["contracts"].get(file.name, {}).items() if is_wanted(found)}
    name = next(iter(held)) if contract is None and len(held) == 1 else contract or file.stem
    if name not in held:
        raise NotOneContract(file, noun, name, sorted(held))
    code = held[name]["evm"]["bytecode"]
    if code["linkReferences"]:
        raise CompilationFailed(f"{file.name}: {name} needs a linked library; make the library's functions internal")
    return SolidityCode(
        name=name,
        abi=tuple(held[name]["abi"]),
        bytecode=bytes.fromhex(code["object"]),
        warnings=tuple(
            entry["formattedMessage"]
            for entry in output.get("errors", [])
            if entry.get("sourceLocation", {}).get("file") == file.name
        ),
    )


def _is_deployable(compiled: Mapping[str, Any]) -> bool:
    """Whether it is neither abstract nor an interface."""
    return bool(compiled["evm"]["bytecode"]["object"])


def _is_policy(compiled: Mapping[str, Any]) -> bool:
    """Whether it can be deployed and answers what a policy is asked."""
    answers = {entry["name"] for entry in compiled["abi"] if entry["type"] == "function"}
    return _is_deployable(compiled) and answers >= _ANSWERS
