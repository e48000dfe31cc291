"""What commands print: one JSON document for programs, or text for people; errors go to stderr in the same manner.

Results go to stdout, everything else to stderr, so that pipes carry results only.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

from walrus_chain.errors import Bug, Misuse, Rejected, Retryable, Untrusted, WalrusError
from walrus_chain.types import printable, printable_lines

#: Exit codes by what the caller can do. 0 is success, 2 is a command line that cannot be parsed.
FAILURE = 1
MISUSE = 3
REJECTED = 4
UNTRUSTED = 5
RETRYABLE = 6
INTERRUPTED = 130
BROKEN_PIPE = 141

_KINDS: tuple[tuple[type[WalrusError], int], ...] = (
    (Misuse, MISUSE),
    (Rejected, REJECTED),
    (Untrusted, UNTRUSTED),
    (Retryable, RETRYABLE),
    (Bug, FAILURE),
)
EXIT_CODES_HELP = (
    "Exit codes: 0 done; 1 failed; 2 wrong command line; 3 cannot work as asked; 4 refused by the chain; "
    "5 somebody sent what does not verify; 6 may work later; 130 interrupted."
)


class ReaderGone(Exception):
    """Whoever reads our standard output stopped reading. No `OSError`, which the command parser would swallow."""


@contextmanager
def to_stdout() -> Iterator[None]:
    """Around everything that writes results.

    Raises: ReaderGone: nobody reads them any more.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None


class Output:
    """Where a command prints."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    @property
    def interactive(self) -> bool:
        """Whether a person watches stderr."""
        return not self.as_json and sys.stderr.isatty()

    def result(self, data: Any, text: str | None = None) -> None:
        """The result: `data` for programs, `text` for people."""
        with to_stdout():
            if self.as_json:
                print(json.dumps(data, indent=2, default=_plain))  # noqa: T201
            elif text:
                print(text)  # noqa: T201

    def facts(self, data: Any, facts: Iterable[tuple[str, object]]) -> None:
        """A result as names and values, one a line."""
        rows = [(name, printable(str(value))) for name, value in facts]
        width = max((len(name) for name, _ in rows), default=0)
        self.result(data, "\n".join(f"{name:<{width}}  {value}" for name, value in rows))

    def table(self, data: Any, columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
        """A result as a table; `empty` is said where there is no row. Nothing is cut, so that ids can be copied."""
        if not rows and not self.as_json:
            self.note(empty)
            return
        cells = [list(columns), *([printable(str(cell)) for cell in row] for row in rows)]
        widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        if sys.stdout.isatty():
            lines[0] = f"\x1b[1m{lines[0]}\x1b[0m"
        self.result(data, "\n".join(lines))

    def note(self, text: str) -> None:
        """Something a person should know; programs are not told."""
        if not self.as_json:
            print(printable_lines(text), file=sys.stderr, flush=True)  # noqa: T201

    def error(self, error: BaseException) -> int:
        """Says what went wrong; the exit code."""
        kind, code = kind_of(error)
        message = str(error) if isinstance(error, WalrusError) else f"{type(error).__name__}: {error}"
        if self.as_json:
            document = {"error": {"code": type(error).__name__, "kind": kind, "message": message, **evidence(error)}}
            print(json.dumps(document, indent=2, default=_plain), file=sys.stderr, flush=True)  # noqa: T201
        else:
            lead = _red("Error") if sys.stderr.isatty() else "Error"
            print(f"{lead}: {printable_lines(message)}", file=sys.stderr, flush=True)  # noqa: T201
        return code

    def usage(self, error: Any) -> int:
        """Says that a command line cannot be parsed; the exit code."""
        code = int(error.exit_code)
        if self.as_json:
            document = {"error": {"code": type(error).__name__, "kind": "Usage", "message": error.format_message()}}
            print(json.dumps(document, indent=2), file=sys.stderr, flush=True)  # noqa: T201
        else:
            from typer.rich_utils import rich_format_error

            rich_format_error(error)
        return code


def kind_of(error: BaseException) -> tuple[str, int]:
    """What the caller can do about an error, and the exit code that says so."""
    for kind, code in _KINDS:
        if isinstance(error, kind):
            return kind.__name__, code
    return "Failure", FAILURE


def evidence(error: BaseException) -> dict[str, Any]:
    """An error's evidence as data: its public attributes and properties."""
    if not isinstance(error, WalrusError):
        return {}
    # `evidence` of a contract's refusal holds the same once more, in words.
    reserved = {"code", "kind", "message", "args", "evidence"}
    derived = [name for name, value in inspect.getmembers(type(error)) if isinstance(value, property)]
    names = [name for name in (*vars(error), *derived) if not name.startswith("_") and name not in reserved]
    return {_camel(name): getattr(error, name) for name in names}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _plain(value: Any) -> Any:
    """Values that JSON does not know."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return str(value)


def _red(text: str) -> str:
    return f"\x1b[1;31m{text}\x1b[0m"
