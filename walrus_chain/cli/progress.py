"""Progress bars on stderr, only where a person watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from walrus_chain.cli.output import Output
from walrus_chain.types import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from walrus_chain.client.results import OnProgress, Progress

_WORDS = {
    "encrypt": "Encrypting",
    "commit": "Computing id",
    "register": "Registering",
    "seal": "Sealing the key",
    "upload": "Uploading",
    "certify": "Certifying",
}


@contextmanager
def store_progress(output: Output) -> Iterator[OnProgress | None]:
    """A listener for `Client.store` that draws bars; None where nobody watches."""
    if not output.interactive:
        yield None
        return
    with _bars() as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def tell(progress: Progress) -> None:
            key = progress.stage.value, progress.name
            if key not in tasks:
                words = f"{_WORDS[progress.stage.value]} {_shortened(progress.name)}".rstrip()
                tasks[key] = bars.add_task(words, total=progress.total, in_bytes=progress.stage.value in _IN_BYTES)
            # What is done makes room for what is not.
            bars.update(
                tasks[key],
                completed=progress.done,
                total=progress.total,
                visible=progress.total is None or progress.done < progress.total,
            )

        yield tell


@contextmanager
def byte_progress(output: Output, words: str) -> Iterator[Callable[[int, int], None]]:
    """A listener told (done, total) bytes; does nothing where nobody watches."""
    if not output.interactive:
        yield lambda done, total: None
        return
    with _bars() as bars:
        task = bars.add_task(words, total=None, in_bytes=True)

        def tell(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield tell


#: So many characters of a name leave room for the rest in a line of eighty.
_NAME_WIDTH = 16
_IN_BYTES = frozenset({"encrypt", "commit", "upload"})


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
    from rich.table import Column
    from rich.text import Text

    from walrus_chain.types import format_bytes

    class Amount(ProgressColumn):
        """How much is done, in bytes or pieces."""

        def render(self, task: Task) -> Text:
            show = format_bytes if task.fields["in_bytes"] else str
            done = show(int(task.completed))
            rate = f"  {format_bytes(int(task.speed))}/s" if task.speed and task.fields["in_bytes"] else ""
            return Text(done + rate if task.total is None else f"{done} / {show(int(task.total))}{rate}")

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        Amount(Column(no_wrap=True)),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )


def _shortened(name: str) -> str:
    name = printable(name)
    return name if len(name) <= _NAME_WIDTH else f"...{name[3 - _NAME_WIDTH :]}"
