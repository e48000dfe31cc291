"""Who may import whom among the contracts, and who may move tokens, checked on the source text.

`types <- {libraries, interfaces} <- domains <- lens`: a domain knows another only by its interface, nobody knows the
lens, and mocks know everybody and are known by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

DOMAINS: Final = frozenset(
    {"token", "vault", "staking", "committee", "blobs", "custody", "policies", "payments", "compute"}
)
SHARED: Final = frozenset({"types", "libraries", "interfaces"})
MAY_IMPORT: Final[dict[str, frozenset[str]]] = {
    "types": frozenset({"types"}),
    "libraries": frozenset({"types", "libraries"}),
    "interfaces": frozenset({"types", "interfaces"}),
    "lens": SHARED | {"lens"},
    "mocks": SHARED | DOMAINS | {"lens", "mocks"},
    **{domain: SHARED | {domain} for domain in DOMAINS},
}
MOVES_TOKENS: Final = PurePosixPath("vault/TokenVault.sol")

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r'import\s+(?P<names>[^;"]*?)\s*"(?P<path>[^"]+)"\s*;')
_TRANSFER = re.compile(
    r"\.\s*(transfer|transferFrom|safeTransfer|safeTransferFrom|(transfer|receive)WithAuthorization)\s*\("
)


@dataclass(frozen=True, slots=True)
class Violation:
    """A line that a rule forbids, with the rule in words."""

    file: PurePosixPath
    line: int
    rule: str

    def __str__(self) -> str:
        return f"contracts/{self.file}:{self.line}: {self.rule}"


def violations(contracts: Path) -> list[Violation]:
    """Every forbidden import and token transfer below the folder `contracts`."""
    found: list[Violation] = []
    for path in sorted(contracts.rglob("*.sol")):
        file = PurePosixPath(path.relative_to(contracts).as_posix())
        if file.parts[0] == ".cache":
            continue
        code = _COMMENT.sub(_blank, path.read_text())
        found += [
            Violation(file, line, rule) for line, rule in (*_import_rules(file, code), *_transfer_rules(file, code))
        ]
    return found


def _blank(comment: re.Match[str]) -> str:
    """Line breaks only, so that line numbers stay."""
    return "\n" * comment.group().count("\n")


def _import_rules(file: PurePosixPath, code: str) -> Iterator[tuple[int, str]]:
    room = file.parts[0]
    if room not in MAY_IMPORT:
        yield 1, f"{room} has no place yet; give it one in tests/architecture/solidity_rules.py"
        return
    for statement in _IMPORT.finditer(code):
        line = code.count("\n", 0, statement.start()) + 1
        path = statement["path"]
        if not statement["names"].startswith("{"):
            yield line, f"imports {path} whole; name what is used: import {{X}} from ..."
        if path.startswith("@openzeppelin/contracts/"):
            continue
        target = _resolve(file, path)
        if target is None:
            yield line, f"imports {path}, which is neither below contracts/ by a relative path nor OpenZeppelin"
        elif target not in MAY_IMPORT[room]:
            yield line, f"{room} may not import {target}; it knows {', '.join(sorted(MAY_IMPORT[room]))}"


def _resolve(file: PurePosixPath, path: str) -> str | None:
    """The room that a relative import leads to."""
    if not path.startswith("."):
        return None
    folders = list(file.parent.parts)
    for part in PurePosixPath(path).parts:
        if part == "..":
            if not folders:
                return None
            folders.pop()
        else:
            folders.append(part)
    return folders[0] if len(folders) > 1 else None


def _transfer_rules(file: PurePosixPath, code: str) -> Iterator[tuple[int, str]]:
    if file == MOVES_TOKENS or file.parts[0] == "mocks":
        return
    for call in _TRANSFER.finditer(code):
        line = code.count("\n", 0, call.start()) + 1
        yield line, f"calls {call[1]}; only {MOVES_TOKENS} moves tokens"
