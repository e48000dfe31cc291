"""The Solidity that policies are written against, carried by the package: `sources/`, a copy that nobody edits.

    sources/walrus/...                     interfaces, types and DataPolicy: what stands in contracts/ of the repository
    sources/@openzeppelin/contracts/...    the library files that those import
    sources/settings.json                  the compiler settings of the network's own contracts

A policy imports them by these names: `import {DataPolicy} from "walrus/policies/kinds/DataPolicy.sol";`. Tools that
resolve imports themselves need the remappings `walrus/=` and `@openzeppelin/=` to the two folders.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from walrus_chain.chain.compiler import OPENZEPPELIN, CompilerSettings

SOURCES: Final = Path(__file__).parent / "sources"
SETTINGS: Final = "settings.json"
PREFIX: Final = "walrus/"
#: Below contracts/: where everything begins that a policy may need. What these import is carried, too.
ROOTS: Final = ("interfaces/*.sol", "policies/kinds/DataPolicy.sol")
_IMPORT: Final = re.compile(r'^\s*import\s+[^;"]*"([^"]+)"\s*;', re.MULTILINE)


@cache
def policy_sources() -> dict[str, str]:
    """Every Solidity file that the package carries, by the name under which it is imported."""
    return _read(SOURCES)


@cache
def policy_settings() -> CompilerSettings:
    """How policies are compiled: as the network's own contracts."""
    return CompilerSettings.from_json((SOURCES / SETTINGS).read_text())


def sources_of(root: Path) -> dict[str, str]:
    """What the package of a contracts project has to carry, by the name under which it is imported."""
    contracts = root / "contracts"
    found: dict[str, str] = {}
    waiting = [PREFIX + file.relative_to(contracts).as_posix() for pattern in ROOTS for file in contracts.glob(pattern)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _file_of(root, name).read_text()
            waiting += _imports(name, found[name])
    return found


def write_sources(root: Path, target: Path = SOURCES) -> None:
    """Make `target` hold exactly what the package has to carry.

    Raises: NotAContractsProject: `root` is no such project.
    """
    settings = _settings_of(root)
    shutil.rmtree(target, ignore_errors=True)
    for name, text in sources_of(root).items():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (target / SETTINGS).write_text(settings)


def stale_sources(root: Path, target: Path = SOURCES) -> list[str]:
    """What makes the Solidity in `target` differ from the project's, in words; empty when it is fresh."""
    expected, found = sources_of(root), _read(target)
    parts = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    parts += [f"{name} is not needed" for name in sorted(found.keys() - expected.keys())]
    parts += [f"{name} differs" for name in sorted(expected.keys() & found.keys()) if found[name] != expected[name]]
    settings = target / SETTINGS
    if not settings.is_file() or settings.read_text() != _settings_of(root):
        parts.append("a compiler setting changed")
    return parts


def _settings_of(root: Path) -> str:
    """The project's settings without its remappings: here every file has the name that it is imported by."""
    return replace(CompilerSettings.of_project(root), remappings=()).to_json()


def _read(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in sorted(folder.rglob("*.sol"))}


def _file_of(root: Path, name: str) -> Path:
    if name.startswith(OPENZEPPELIN):
        return root / "node_modules" / name
    return root / "contracts" / name.removeprefix(PREFIX)


def _imports(name: str, text: str) -> Iterable[str]:
    for path in _IMPORT.findall(text):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path.startswith(".") else path
