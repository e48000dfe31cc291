"""The codec, the shared vectors, the documents and a second implementation name blobs alike."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec.geometry import SEGMENT_BYTES
from walrus_chain.codec.stream import commit_blob
from walrus_chain.types import BlobId

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tests" / "independent_blob_id.py"
independent: Callable[[bytes, int], str] = runpy.run_path(str(SCRIPT))["blob_id"]


def codec(content: bytes, shards: int) -> BlobId:
    """The blob id as the codec has it."""
    segments = [content[start : start + SEGMENT_BYTES] for start in range(0, max(1, len(content)), SEGMENT_BYTES)]
    return commit_blob(segments, shards).metadata.blob_id


@given(shards=st.integers(4, 40) | st.integers(4, 255), size=st.integers(0, 6000), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_blob_id__two_implementations_agree(shards: int, size: int, seed: int) -> None:
    content = Random(seed).randbytes(size)
    assert str(codec(content, shards)) == independent(content, shards)


def test_blob_id__vectors_by_both_implementations(vectors: Callable[[str, str], list[dict[str, Any]]]) -> None:
    for case in vectors("blob_ids", "cases"):
        blob_id = codec(case["content"], case["shards"])
        assert (str(blob_id), blob_id.hex) == (case["blobId"], case["hex"])
        assert independent(case["content"], case["shards"]) == case["blobId"]


def test_script__prints_the_blob_id_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hello"
    file.write_bytes(b"hello")
    printed = subprocess.run([sys.executable, SCRIPT, file, "10"], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(codec(b"hello", 10))


def test_documents__examples_are_true(vectors: Callable[[str, str], list[dict[str, Any]]]) -> None:
    contents = {"nothing": b"", "the 5 bytes `hello`": b"hello", "1,000,000 zero bytes": bytes(10**6)}
    commitment = (ROOT / "docs" / "spec" / "03-commitment.md").read_text()
    ids = re.findall(r"^\| (.+) \| (\d+) \| `([\w-]{43})` \|$", commitment, re.MULTILINE)
    assert len(ids) >= 4
    for words, shards, blob_id in ids:
        assert str(codec(contents[words], int(shards))) == blob_id
    geometry = (ROOT / "docs" / "spec" / "02-geometry.md").read_text()
    rows = [
        tuple(int(cell) for cell in row.replace(",", "").split("|")[1:-1])
        for row in re.findall(r"^\|[\d ,|]+\|$", geometry, re.MULTILINE)
    ]
    names = ("shards", "size", "faults", "rows", "columns", "symbolBytes", "segments", "encodedBytes")
    assert len(rows) >= 7
    assert set(rows) <= {tuple(case[name] for name in names) for case in vectors("geometry", "cases")}
