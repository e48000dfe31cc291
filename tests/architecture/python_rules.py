"""Who may import whom among the Python packages, checked on the source text: nothing is imported to find out.

A *room* is a module or package right below a shipped package (`walrus_chain.codec`). Rooms stand on floors; a room may
import rooms of lower floors and itself, never a neighbour on its own floor. Imports inside functions count too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# From the ground up. The package itself (`from walrus_chain import Client`) is the top.
FLOORS: Final[dict[str, tuple[frozenset[str], ...]]] = {
    "walrus_chain": (
        frozenset({"errors"}),
        frozenset({"types"}),
        frozenset({"codec"}),
        frozenset({"messages", "crypto"}),
        frozenset({"policies", "payments", "compute", "rules"}),
        frozenset({"chain", "transport", "sandbox"}),
        frozenset({"client"}),
        frozenset({"devnet"}),
        frozenset({"cli"}),
    ),
    "storage_agent": (
        frozenset({"config", "observe", "state"}),
        frozenset({"store"}),
        frozenset({"watch", "act"}),
        frozenset({"node"}),
        frozenset({"keys"}),
        frozenset({"serve", "sync", "custody"}),
        frozenset({"compute"}),
        frozenset({"daemon"}),
        frozenset({"cli"}),
    ),
}

# Rooms whose code is a function of its arguments: no chain client, no loop, no network, clock, chance or system.
PURE_ROOMS: Final = {
    "walrus_chain": frozenset(
        {"errors", "types", "codec", "messages", "crypto", "policies", "payments", "compute", "rules"}
    ),
    "storage_agent": frozenset({"state"}),
}
IMPURE: Final = frozenset(
    {
        "aiohttp",
        "anyio",
        "ape",
        "asyncio",
        "datetime",
        "http",
        "httpx",
        "obstore",
        "os",
        "random",
        "requests",
        "secrets",
        "select",
        "signal",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "starlette",
        "subprocess",
        "threading",
        "time",
        "trio",
        "urllib.request",
        "uvicorn",
        "uuid",
        "web3",
    }
)

# Libraries that one place hides from all others.
HIDDEN_BEHIND: Final = {
    "ape": (),
    "ipfshttpclient": ("walrus_chain.transport.ipfs",),
    "obstore": ("storage_agent.store",),
    "py_arkworks_bls12381": ("walrus_chain.crypto",),
    "pyeclib": ("walrus_chain.codec.erasure",),
    "solcx": ("walrus_chain.chain.compiler",),
    "sqlite3": ("storage_agent.store", "walrus_chain.client"),
    "starlette": ("storage_agent.serve", "storage_agent.daemon"),
    "uvicorn": ("storage_agent.serve.server", "storage_agent.serve.connections"),
    "wasmtime": ("walrus_chain.sandbox.engine",),
}

# What storage_agent may know of the library, and who of the library may know the agent.
CLOSED_TO_AGENT: Final = frozenset({"client", "devnet", "cli"})
STARTS_AGENTS: Final = "walrus_chain.devnet"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: where it stands and what it reaches for."""

    importer: str
    target: str
    file: Path
    line: int
    lazy: bool


@dataclass(frozen=True, slots=True)
class Violation:
    """An import that a rule forbids, with the rule in words."""

    found: Import
    rule: str

    def __str__(self) -> str:
        return f"{self.found.file}:{self.found.line}: {self.found.importer} imports {self.found.target}: {self.rule}"


def violations(root: Path) -> list[Violation]:
    """Every forbidden import below `root`, a folder that holds the packages."""
    return [
        Violation(found, rule)
        for package in FLOORS
        for found in imports_of(root, package)
        for rule in (*_floor_rules(found), *_pure_rules(found), *_library_rules(found), *_package_rules(found))
    ]


def imports_of(root: Path, package: str) -> Iterator[Import]:
    """Every import in `package`; `from a import b` reaches for `a.b` when that is a module, else for `a`."""
    for file in sorted((root / package).rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        importer = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        tree = ast.parse(file.read_text(), str(file))
        inside_functions = {
            id(inner)
            for outer in ast.walk(tree)
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
            for inner in ast.walk(outer)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for target in dict.fromkeys(_targets(root, node)):
                    yield Import(importer, target, file.relative_to(root), node.lineno, id(node) in inside_functions)


def _targets(root: Path, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            for alias in names:
                if alias.name == "__version__":
                    continue  # a fact about the package, which every room may state
                below = root.joinpath(*module.split("."), alias.name)
                is_module = below.is_dir() or below.with_suffix(".py").is_file()
                yield f"{module}.{alias.name}" if is_module else module


def _room(module: str) -> tuple[str, str]:
    package, _, rest = module.partition(".")
    return package, rest.partition(".")[0]


def _floor(module: str) -> int:
    package, room = _room(module)
    if not room:
        return len(FLOORS[package])
    for height, rooms in enumerate(FLOORS[package]):
        if room in rooms:
            return height
    return -1


def _floor_rules(found: Import) -> Iterator[str]:
    package, room = _room(found.importer)
    target_package, target_room = _room(found.target)
    if _floor(found.importer) < 0:
        yield f"{room} has no floor yet; give it one in tests/architecture/python_rules.py"
    elif target_package == package and target_room != room:
        above = _floor(found.importer)
        below = _floor(found.target)
        if below >= above:
            yield "a room knows only rooms of lower floors, not its neighbours"


def _pure_rules(found: Import) -> Iterator[str]:
    package, room = _room(found.importer)
    if room in PURE_ROOMS[package] and any(_within(found.target, module) for module in IMPURE):
        yield "this room is pure: clock, chance, system and network enter as arguments"


def _library_rules(found: Import) -> Iterator[str]:
    for library, places in HIDDEN_BEHIND.items():
        if _within(found.target, library) and not any(_within(found.importer, place) for place in places):
            yield f"only {' and '.join(places)} may know {library}" if places else f"{library} is for tests and scripts"


def _package_rules(found: Import) -> Iterator[str]:
    package, _ = _room(found.importer)
    target_package, target_room = _room(found.target)
    if package == "storage_agent" and target_package == "walrus_chain" and (target_room in CLOSED_TO_AGENT):
        yield "the agent builds on the library's lower floors, not on its client"
    if package == "walrus_chain" and target_package == "storage_agent":
        if not _within(found.importer, STARTS_AGENTS):
            yield f"only {STARTS_AGENTS} starts agents"
        elif not found.lazy:
            yield "the agent is imported where it is started, so that the library works without it"


def _within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(f"{prefix}.")
