"""The agent's settings: the only reader of the settings file and of the environment.

A TOML file with one table for each class below. Every key can also come from the environment, which then counts:
`WALRUS_AGENT_<TABLE>_<KEY>`, lists separated by commas. Paths are relative to the file's folder. Secrets are not
settings: the file names the files that hold them.
"""

from __future__ import annotations

import difflib
import json
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from walrus_chain.errors import WrongSetting

T = TypeVar("T")

ENVIRONMENT_PREFIX: Final = "WALRUS_AGENT_"
#: Names the settings file itself, for the command line; no setting.
FILE_VARIABLE: Final = ENVIRONMENT_PREFIX + "SETTINGS"
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FORMATS: Final = ("json", "text")


def _about(
    about: str, check: Callable[[Any], bool] | None = None, expected: str = ""
) -> dict[str, str | Callable[[Any], bool] | None]:
    """What a key is for, and what must hold of its value besides its type."""
    return {"about": about, "check": check, "expected": expected}


def _setting(
    about: str, default: Any = MISSING, *, check: Callable[[Any], bool] | None = None, expected: str = ""
) -> Any:
    """A key: what it is for, its default (required without one), and what else must hold of its value."""
    return field(default=default, metadata=_about(about, check, expected))


def _number(about: str, default: float, least: float) -> Any:
    return _setting(about, default, check=lambda value: value >= least, expected=f"at least {least:g}")


def _port(about: str, default: int) -> Any:
    return _setting(about, default, check=lambda value: 0 <= value <= 65535, expected="a port, 0 to 65535")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """Table `node`: who this is."""

    name: str = _setting("the node's registered name", check=bool, expected="a name")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Table `server`: where the agent answers, and how much it takes on."""

    host: str = _setting("the address to listen on", "127.0.0.1", check=bool, expected="an address")
    port: int = _port("the port to listen on; 0 takes a free one", 9185)
    connections: int = _number("open at once; at most half of the files that the process may open", 2000, 1)
    connections_each: int = _number("open at once, from one address", 256, 1)
    body_bytes: int = _number("most bytes of one request's body", 192 * 2**20, 2**20)
    memory_bytes: int = _number("most bytes of all bodies that are being taken in", 384 * 2**20, 2**20)
    body_seconds: float = _number("in which a body must arrive", 120.0, 1)
    concurrency: int = _number("requests worked on at once", 64, 1)
    queue: int = _number("requests that wait; more are turned away", 512, 0)
    requests_per_second: float = _number("from one address, on average", 500.0, 1)
    burst: int = _number("requests from one address at once", 2000, 1)
    stop_seconds: float = _number("for requests under way to finish when the agent stops", 10.0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """Table `storage`: where things are kept."""

    data_dir: Path = field(
        metadata=_about("a folder of the agent's own, for the catalogue and, by default, the slivers")
    )
    store: str = _setting("where slivers are kept: a folder, or s3://, gs://, az://, ipfs+http://; empty: data_dir", "")
    inline_bytes: int = _number(
        "packs up to this size are kept in the catalogue; -1: 64 KiB for a folder, none for other stores", -1, -1
    )
    reserve_bytes: int = _number("space that is left free on the disk", 64 * 2**20, 0)

    @property
    def store_url(self) -> str:
        """Where slivers are kept."""
        return self.store or str(self.data_dir / "slivers")

    @property
    def catalogue(self) -> Path:
        """The catalogue's file."""
        return self.data_dir / "catalogue.db"

    @property
    def outputs(self) -> Path:
        """The folder with what jobs wrote."""
        return self.data_dir / "outputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """Table `chain`: which network, and through which endpoints."""

    rpc: tuple[str, ...] = _setting(
        "addresses of RPC endpoints; the next is asked when one fails", check=bool, expected="at least one address"
    )
    deployment: Path = field(metadata=_about("the network's deployment file"))
    confirmations: int = _number("blocks that must follow a block before it counts", 0, 0)
    poll_seconds: float = _number("between two looks at the chain", 1.0, 0.01)
    history: int = _number("blocks that a reorganisation may undo without everything being read again", 1024, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """Table `keys`: the files with the node's secrets."""

    signer: Path = field(metadata=_about("keystore with the key that signs attestations"))
    password_file: Path = field(metadata=_about("holds the keystore's password"))
    encryption: Path = field(
        metadata=_about("holds the node's master keys, which make shares of the keys of private data")
    )

    @property
    def erasable(self) -> Path:
        """The folder with the keys of objects that are to be erased one day."""
        return self.encryption.parent / "erasable"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSettings:
    """Table `work`: what goes on in the background."""

    heal_delay_seconds: float = _number("between a certificate and healing: slivers may still arrive", 10.0, 0)
    trim_delay_seconds: float = _number(
        "between shards' being all with their new nodes and dropping them: a reorganisation may give them back",
        600.0,
        0,
    )
    heal_at_once: int = _number("blobs healed at once", 4, 1)
    peer_seconds: float = _number("for an answer of another node", 30.0, 0.1)
    scrub_bytes_per_second: float = _number("read to check what is stored, on average", 8 * 2**20, 1)
    scrub_days: float = _number("after which everything was checked once", 14.0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperSettings:
    """Table `keeper`: what the agent does on chain by itself. The signing key pays for it."""

    enabled: bool = _setting("whether it acts on chain at all; without it nobody proves custody for the node", True)
    report_misses: bool = _setting("whether it reports other nodes' missing proofs, for the bounty", True)
    sweep: bool = _setting("whether it removes objects that are over from those that nodes are asked about", True)
    gas_price_gwei: float = _number("above it only proofs and signals of the node are sent; 0: at any price", 0.0, 0)
    stuck_seconds: float = _number("without a block until a transaction is sent again with higher fees", 30.0, 0.1)
    low_balance: float = _number(
        "of the chain's own currency at the signing key, below which the agent counts as degraded", 0.05, 0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Table `access`: keys to private data, and the money that is paid for them."""

    enabled: bool = _setting("whether keys are released; without it private data is read with other nodes' help", True)
    at_once: int = _number("requests for keys worked on at once, and as many that wait; more are turned away", 32, 1)
    requests_per_second: float = _number(
        "for keys, from one address, on average: each answer stays on the disk", 20.0, 0.1
    )
    burst: int = _number("for keys, from one address at once", 400, 1)
    confirmations: int = _number("blocks that must follow the one in which money came onto the chain", 2, 0)
    finality_above: float = _number("WAL, above which money must lie in a block that the chain calls final", 100.0, 0)
    minimum_redeem: float = _number("WAL that a channel must owe before vouchers are redeemed; 0: anything", 5.0, 0)
    minimum_settle: float = _number("WAL that a pool must owe the nodes before it is settled; 0: anything", 5.0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeSettings:
    """Table `compute`: running programs for others, beside the data. The signing key pays for the transactions."""

    enabled: bool = _setting("whether programs are run; without it the node declines each job it is drawn for", True)
    at_once: int = _number("programs run at once; each takes a core and up to 2 GiB of memory", 1, 1)
    queue: int = _number("jobs that wait for their turn; more are declined", 64, 0)
    wall_seconds: float = _number("the longest run, fetching its inputs included; longer ones are declined", 900.0, 1)
    minimum_fee: float = _number("WAL that a job must pay this node; jobs that pay less are declined", 0.0, 0)
    most_fuel: int = _number("that a job may use; jobs that may use more are declined", 2 * 10**11, 1)
    fuel_per_second: float = _number(
        "that this machine burns; jobs that may use more than there is time for are declined", 10.0**9, 1
    )
    output_bytes: int = _number("of all outputs that are kept; jobs are declined when there is no room", 10 * 2**30, 0)
    keep_days: float = _number("for which outputs are kept for who ordered them", 7.0, 0)
    confirmations: int = _number("blocks after which a job counts as over", 2, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Table `log`: what is written to standard error."""

    level: str = _setting(
        "from which on lines are written",
        "info",
        check=lambda value: value in LOG_LEVELS,
        expected="one of " + ", ".join(LOG_LEVELS),
    )
    format: str = _setting(
        "for machines or for people",
        "json",
        check=lambda value: value in LOG_FORMATS,
        expected="one of " + ", ".join(LOG_FORMATS),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one agent."""

    node: NodeSettings
    storage: StorageSettings
    chain: ChainSettings
    keys: KeySettings
    server: ServerSettings = field(default_factory=ServerSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    keeper: KeeperSettings = field(default_factory=KeeperSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    log: LogSettings = field(default_factory=LogSettings)


def load_settings(file: Path, environment: Mapping[str, str]) -> Settings:
    """The settings in `file`, with what the environment says instead.

    Raises: WrongSetting: names the file or variable, the key, and what is expected.
    """
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSetting(
            str(file), "the file", "a readable TOML file; `walrus-agent init` writes one", error
        ) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongSetting(str(file), "the file", "valid TOML", str(error)) from error
    return read_settings(document, environment, str(file), file.absolute().parent)


def read_settings(document: Mapping[str, Any], environment: Mapping[str, str], source: str, base: Path) -> Settings:
    """The settings in parsed TOML, with what the environment says instead.

    Args:
        source: what errors call the document.
        base: the folder that relative paths start from.
    Raises: WrongSetting.
    """
    tables = typing.get_type_hints(Settings)
    _refuse_unknown(document, tables, source, "")
    variables = {name for name in environment if name.startswith(ENVIRONMENT_PREFIX)} - {FILE_VARIABLE}
    read = {}
    for table, kind in tables.items():
        content = document.get(table, {})
        if not isinstance(content, dict):
            raise WrongSetting(source, table, "a table", content)
        names = {_variable(table, key.name): key for key in fields(kind)}
        overrides = {names[name].name: (name, environment[name]) for name in variables & names.keys()}
        variables -= names.keys()
        read[table] = _read_table(kind, content, overrides, source, table, base)
    if variables:
        name = min(variables)
        known = [_variable(table, key.name) for table, kind in tables.items() for key in fields(kind)]
        raise WrongSetting("environment", name, f"a setting{_nearest(name, known)}", environment[name])
    return Settings(**read)


def write_settings(settings: Settings) -> str:
    """The settings as a TOML file that says what each key is for; `load_settings` reads it back."""
    lines = ["# Settings of a Walrus storage agent. Each can be overridden by " + ENVIRONMENT_PREFIX + "<TABLE>_<KEY>."]
    for table in fields(Settings):
        lines += ["", f"[{table.name}]"]
        for key in fields(getattr(settings, table.name)):
            value = getattr(getattr(settings, table.name), key.name)
            lines += [f"# {key.metadata['about']}", f"{key.name} = {_toml(value)}"]
    return "\n".join(lines) + "\n"


def _read_table(
    kind: type[T],
    content: Mapping[str, Any],
    overrides: Mapping[str, tuple[str, str]],
    source: str,
    table: str,
    base: Path,
) -> T:
    hints = typing.get_type_hints(kind)
    _refuse_unknown(content, hints, source, f"{table}.")
    values = {}
    for key in fields(kind):  # type: ignore[arg-type]
        if key.name in overrides:
            variable, text = overrides[key.name]
            values[key.name] = _convert(
                _parse(text, hints[key.name]), hints[key.name], key, "environment", variable, base
            )
        elif key.name in content:
            values[key.name] = _convert(content[key.name], hints[key.name], key, source, f"{table}.{key.name}", base)
        elif key.default is MISSING:
            raise WrongSetting(
                source, f"{table}.{key.name}", f"{_kind_in_words(hints[key.name])}: {key.metadata['about']}"
            )
    return kind(**values)


def _convert(value: Any, kind: Any, key: Field[Any], source: str, name: str, base: Path) -> Any:
    expected = key.metadata["expected"] or _kind_in_words(kind)
    good: Any = None
    if kind is Path and isinstance(value, str) and value:
        good = base / Path(value).expanduser()
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        good = float(value)
    elif kind in (int, str, bool) and type(value) is kind:
        good = value
    elif isinstance(kind, types.GenericAlias) and isinstance(value, list) and all(isinstance(i, str) for i in value):
        good = tuple(value)
    check = key.metadata["check"]
    if good is None or (check is not None and not check(good)):
        raise WrongSetting(source, name, expected, value)
    return good


def _parse(text: str, kind: Any) -> Any:
    """The text of an environment variable as TOML would have given it; as text where it does not parse."""
    if isinstance(kind, types.GenericAlias):
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind is bool:
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def _refuse_unknown(content: Mapping[str, Any], known: Mapping[str, Any], source: str, prefix: str) -> None:
    for name in content:
        if name not in known:
            raise WrongSetting(source, f"{prefix}{name}", f"a setting{_nearest(name, list(known))}", content[name])


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" (is {near[0]} meant?)" if near else " (there is none of that name)"


def _variable(table: str, key: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{table}_{key}".upper()


def _kind_in_words(kind: Any) -> str:
    words = {Path: "a path", float: "a number", int: "a whole number", str: "a text", bool: "true or false"}
    return words.get(kind, "a list of texts")


def _toml(value: Any) -> str:
    """JSON's texts, numbers and lists of texts are also TOML's."""
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return json.dumps(str(value) if isinstance(value, Path) else value)
