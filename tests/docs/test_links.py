"""Every relative link of the documentation leads somewhere, to a heading that is there where it names one."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.markdown import ROOT, anchors, documents, links

_ELSEWHERE = ("http://", "https://", "mailto:")


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links__of_a_document__lead_somewhere(document: Path) -> None:
    broken = [
        link for link in links(document) if not link.startswith(_ELSEWHERE) and not _leads_somewhere(document, link)
    ]

    assert not broken, f"{document.relative_to(ROOT)} has links that lead nowhere: {', '.join(broken)}"


def test_links__broken_ones__are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text(
        "# Title\n\n## A `name` here\n\n## Twice\n\n## Twice\n\n```\n# no heading\n```\n"
    )
    document = tmp_path / "document.md"
    document.write_text(
        "[a](other.md#a-name-here) [b](gone.md) ![c](gone.png) [d](other.md#no-heading) `[e](code.md)`\n"
    )

    assert [link for link in links(document) if not _leads_somewhere(document, link)] == [
        "gone.md",
        "gone.png",
        "other.md#no-heading",
    ]
    assert anchors(tmp_path / "other.md") == {"title", "a-name-here", "twice", "twice-1"}


def _leads_somewhere(document: Path, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    target = document if not path else document.parent / path
    if not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in anchors(target))
