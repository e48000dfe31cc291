"""What the tests of the documentation read out of Markdown: code blocks with their section, headings, links."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_COMMENT = re.compile(r"(^|\s)#.*$")
_FENCE = re.compile(r"^```(\w*)\s*$")
_HEADING = re.compile(r"^(#{1,6}) +(.*?) *#*$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^()\s]+)\)|!\[[^\]]*\]\(([^()\s]+)\)")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block of code."""

    file: Path
    line: int
    """Of its first line of code, from 1."""
    section: str
    """The heading it stands under."""
    language: str
    code: str

    @property
    def commands(self) -> list[str]:
        """The commands of a shell block, without comments and empty lines."""
        lines = self.code.replace("\\\n", " ").splitlines()
        return [stripped for line in lines if (stripped := _COMMENT.sub("", line).strip())]


@cache
def documents() -> tuple[Path, ...]:
    """All Markdown files of the repository, also those that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    found = [ROOT / name for name in names if name] or [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return tuple(sorted(path for path in found if path.exists()))


def code_blocks(file: Path, language: str) -> list[CodeBlock]:
    """The blocks of one language, in order."""
    return [block for block in _blocks(file) if block.language == language]


def anchors(file: Path) -> set[str]:
    """What a link into a document may name after `#`, as GitHub makes it of headings."""
    found: set[str] = set()
    for line in _prose(file):
        if heading := _HEADING.match(line):
            words = re.sub(r"[`*_]|\[|\]\([^)]*\)", "", heading[2])
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            taken = sum(1 for other in found if re.fullmatch(re.escape(slug) + r"(-\d+)?", other))
            found.add(f"{slug}-{taken}" if taken else slug)
    return found


def links(file: Path) -> list[str]:
    """Where the links and pictures of a document lead."""
    prose = "\n".join(re.sub(r"`[^`]*`", "", line) for line in _prose(file))
    return [link or picture for link, picture in _LINK.findall(prose)]


def _prose(file: Path) -> Iterator[str]:
    """The lines outside code blocks."""
    inside = False
    for line in file.read_text().splitlines():
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield line


def _blocks(file: Path) -> Iterator[CodeBlock]:
    section, language, start, lines = "", None, 0, list[str]()
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if fence := _FENCE.match(line):
            if language is None:
                language, start, lines = fence[1], number + 1, []
            else:
                yield CodeBlock(file, start, section, language, "\n".join(lines) + "\n")
                language = None
        elif language is not None:
            lines.append(line)
        elif heading := _HEADING.match(line):
            section = heading[2]
