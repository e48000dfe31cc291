"""Background processes: found again, told from strangers, stopped."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from walrus_chain.devnet.processes import ProcessDied, ProcessHandle, start, stop_all, wait_gone

#: Says that it listens to signals, then waits for one.
_OBEYS = "import signal; print('ready', flush=True); signal.pause()"
_REFUSES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"


def run(program: str, folder: Path) -> ProcessHandle:
    """A Python process that has said that it is ready."""
    log = folder / "log"
    handle = start("child", [sys.executable, "-c", program], log)
    while "ready" not in log.read_text():
        assert handle.alive
        os.sched_yield()
    return handle


def test_stop_all__an_obedient_process__ends_by_itself(tmp_path: Path) -> None:
    handle = run(_OBEYS, tmp_path)
    assert handle.memory_bytes > 0

    stop_all([handle])

    assert not handle.alive
    assert handle.memory_bytes == 0


def test_stop_all__a_process_that_ignores_the_request__is_killed(tmp_path: Path) -> None:
    handle = run(_REFUSES, tmp_path)

    stop_all([handle], grace=0.1)

    assert not handle.alive


def test_wait_gone__a_process_that_stays__is_returned(tmp_path: Path) -> None:
    handle = run(_OBEYS, tmp_path)

    assert wait_gone([handle], seconds=0.05) == [handle]

    handle.kill()
    assert wait_gone([handle], seconds=0.05) == []


def test_handle__another_process_with_its_number__is_neither_alive_nor_hit() -> None:
    stranger = replace(ProcessHandle.of("me", os.getpid()), started=12345.0)

    stranger.send(signal.SIGKILL)  # would end this test

    assert not stranger.alive


def test_process_died__a_log_with_words__shows_the_last_of_them(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))

    assert "line 99" in str(ProcessDied("agent-01", log))
    assert "line 50" not in str(ProcessDied("agent-01", log))
    assert "(nothing)" in str(ProcessDied("agent-01", tmp_path / "absent"))
