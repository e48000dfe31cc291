"""What the demonstration says, and how it checks what it claims."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


class ClaimFailed(Exception):
    """Something that the demonstration wanted to show is not so."""


def chapter(title: str) -> None:
    """What comes next."""
    say(f"\n{bold('==')} {bold(title)}")


def claim(holds: bool, words: str) -> None:
    """Say something that was checked.

    Raises: ClaimFailed: it is not so.
    """
    if not holds:
        raise ClaimFailed(f"this should be so and is not: {words}")
    say(f"  {green('ok')}  {words}")


def say(text: str) -> None:
    """One line, at once."""
    print(text if text.startswith(("\n", " ")) else f"      {text}", flush=True)


def stop(words: str) -> NoReturn:
    """End with exit code 1."""
    print(f"demo: {words}", file=sys.stderr)
    raise SystemExit(1)


def bold(text: str) -> str:
    """Bold on a terminal."""
    return f"\x1b[1m{text}\x1b[0m" if _colours() else text


def green(text: str) -> str:
    """Green on a terminal."""
    return f"\x1b[32m{text}\x1b[0m" if _colours() else text


def _colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
