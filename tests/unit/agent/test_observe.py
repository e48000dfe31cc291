"""Log lines that machines and people can read, and metrics that do not mix between agents."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from storage_agent.observe import Metrics, set_up_logging


@pytest.fixture(autouse=True)
def _handlers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_json_log__extra_and_trace__are_fields() -> None:
    stream = io.StringIO()
    set_up_logging("info", "json", stream)
    log = logging.getLogger("storage_agent.test")
    log.debug("not written")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("it failed", extra={"blob": "abc", "pairs": [1, 2]})

    [line] = stream.getvalue().splitlines()
    document = json.loads(line)
    assert document["time"].endswith("Z")
    assert {key: document[key] for key in ("level", "logger", "message", "blob", "pairs")} == {
        "level": "error",
        "logger": "storage_agent.test",
        "message": "it failed",
        "blob": "abc",
        "pairs": [1, 2],
    }
    assert "ValueError: broken" in document["trace"]


def test_text_log__fields_follow_the_message() -> None:
    stream = io.StringIO()
    set_up_logging("info", "text", stream)

    logging.getLogger("storage_agent.test").info("healed", extra={"pairs": 3})

    assert stream.getvalue().endswith("info    healed  pairs=3\n")


def test_metrics__two_agents_in_a_process__counted_apart() -> None:
    first, second = Metrics(), Metrics()

    first.attestations.inc()

    assert b"walrus_agent_attestations_total 1.0" in first.render()
    assert b"walrus_agent_attestations_total 0.0" in second.render()
    assert b"_created" not in first.render()


@pytest.mark.parametrize("style", ["json", "text"])
def test_log__words_of_a_stranger__neither_forge_a_line_nor_reach_the_terminal(style: str) -> None:
    stream = io.StringIO()
    set_up_logging("info", style, stream)
    words = "x\x1b[2J\x9b31m\u202e\r\n00:00:00 info    all is well"

    logging.getLogger("storage_agent.test").warning("a peer said %s", words, extra={"what": words})

    [line] = stream.getvalue().split("\n")[:-1]
    assert line.isprintable()
    assert "all is well" in line
