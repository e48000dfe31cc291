"""Running the tests of policies: pytest over a folder, with the fixture `policy_tester`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from walrus_chain.errors import NoTests, PytestMissing

if TYPE_CHECKING:
    import pytest


@dataclass(slots=True, eq=False)
class TestRun:
    """How tests ended."""

    passed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """What failed, by the test's id: why, in a line."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts; pytest calls it after each part of each test."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = report.longreprtext if crash is None else crash.message
            self.failed[report.nodeid] = why.strip().splitlines()[0]
        elif report.when == "call" and report.passed:
            self.passed += 1


def run_policy_tests(folder: Path, *, quiet: bool) -> TestRun:
    """Run the tests below a folder in this process.

    Args:
        quiet: whether pytest writes to standard error, because standard output is for data.
    Raises:
        PytestMissing: it is not installed.
        NoTests: there is no test below the folder, or pytest cannot read one.
    """
    try:
        import pytest
    except ImportError as error:
        raise PytestMissing from error

    ended = TestRun()
    with _apart(quiet):
        # Where Ape is installed its plugin would take seconds at each start, and nobody here needs it.
        code = pytest.main(["-q", "-p", "no:ape_test", "-p", "no:cacheprovider", str(folder)], plugins=[ended])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise NoTests(folder, pytest.ExitCode(code).name.lower().replace("_", " "))
    return ended


@contextmanager
def _apart(quiet: bool) -> Iterator[None]:
    if not quiet:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield
