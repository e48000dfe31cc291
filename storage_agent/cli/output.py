"""What commands print: text for people, or one JSON document for programs. Results go to stdout, the rest to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from walrus_chain.errors import Misuse, Rejected, Retryable, Untrusted, WalrusError
from walrus_chain.types import Wei, format_amount, printable, printable_lines

FAILURE: Final = 1
#: The same codes as the `walrus` command's: by what the caller can do.
_CODES: Final[tuple[tuple[type[WalrusError], int], ...]] = (
    (Misuse, 3),
    (Rejected, 4),
    (Untrusted, 5),
    (Retryable, 6),
)
EXIT_CODES_HELP: Final = (
    "Exit codes: 0 done; 1 failed; 2 wrong command line; 3 cannot work as asked; 4 refused by the chain; "
    "5 somebody sent what does not verify; 6 may work later."
)


class Amount(int):
    """An amount of WAL in a result: in words for people, as a text of whole wei in JSON."""

    def __str__(self) -> str:
        return format_amount(Wei(int(self)))


class Steps(tuple[str, ...]):
    """What to do next, one after the other: a line each for people."""

    __slots__ = ()


def exit_code_of(error: BaseException) -> int:
    """The exit code that tells the caller what can be done about an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILURE)


def print_result(data: Mapping[str, Any], *, as_json: bool) -> None:
    """A result: as JSON, or name and value a line."""
    if as_json:
        print(json.dumps(_plain(data), indent=2, default=str))  # noqa: T201
        return
    rows = list(_rows(data, ""))
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        print(f"{name:<{width}}  {printable(str(value))}")  # noqa: T201


def print_note(text: str) -> None:
    """Something a person should know while they wait."""
    print(printable_lines(text), file=sys.stderr, flush=True)  # noqa: T201


def print_error(error: BaseException, *, as_json: bool) -> None:
    """What went wrong."""
    message = str(error) if isinstance(error, WalrusError) else f"{type(error).__name__}: {error}"
    if as_json:
        document = {"error": {"code": type(error).__name__, "message": message}}
        print(json.dumps(document, indent=2), file=sys.stderr)  # noqa: T201
    else:
        print(f"Error: {printable_lines(message)}", file=sys.stderr)  # noqa: T201


def _plain(value: Any) -> Any:
    if isinstance(value, Amount):
        return str(int(value))
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _rows(data: Mapping[str, Any], prefix: str) -> Any:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _rows(value, f"{prefix}{name}.")
        elif isinstance(value, Steps):
            yield from ((f"{prefix}{name}", step) for step in value)
        elif isinstance(value, list):
            yield f"{prefix}{name}", ", ".join(map(str, value)) or "-"
        else:
            yield f"{prefix}{name}", "-" if value is None else value
