"""Programs: what cannot be built, run or agreed upon."""

from __future__ import annotations

from walrus_chain.errors.roots import Bug, Misuse, Retryable


class UnfitProgram(Misuse):
    """A module that no agent runs, whatever the job."""

    def __init__(self, why: str) -> None:
        super().__init__(f"that is no program for this network: {why}")
        self.why = why


class MalformedRun(Misuse):
    """A limit, an argument or a number of inputs that a run cannot have."""

    def __init__(self, what: str, actual: int, minimum: int, maximum: int) -> None:
        super().__init__(f"{what} must be from {minimum:,} to {maximum:,}, it is {actual:,}")
        self.what, self.actual, self.minimum, self.maximum = what, actual, minimum, maximum


class NoResult(Bug):
    """The result of a run that this machine could not bring to its end was asked for; nobody may commit to one."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"a run that ended by {kind} here has no result to commit to")
        self.kind = kind


class OtherEngine(Misuse):
    """A job, or this machine, of another engine; its results could not be compared."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"this version runs programs with {expected}, that is {actual}; use the version that has it")
        self.expected, self.actual = expected, actual


class EngineMissing(Misuse):
    """Programs cannot run here: the WASM engine is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is not installed, and runs the programs: pip install 'walrus-chain[compute]'")
        self.package = package


class UnfitMachine(Misuse):
    """A machine on which a program could come to something else than on those of the other agents."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"agents run programs on {expected}, this is {actual}; it can test programs, not answer jobs")
        self.expected, self.actual = expected, actual


class SelfTestFailed(Misuse):
    """A known program does not come to the known result here; so jobs' programs cannot be relied on to either."""

    def __init__(self, what: str, expected: str, actual: str) -> None:
        super().__init__(
            f"a test program ({what}) must come to: {expected}; here it came to: {actual}. Whoever starts the agent "
            "must let it make memory executable, filter system calls (seccomp), start processes and use 1.5 GiB of "
            "memory for each run; deploy/systemd/walrus-agent.service does. Then start the agent again"
        )
        self.what, self.expected, self.actual = what, expected, actual


class ToolMissing(Misuse):
    """A tool that builds programs is not installed."""

    def __init__(self, tool: str) -> None:
        super().__init__(f"{tool} is not installed, and builds programs from C: apt-get install clang lld")
        self.tool = tool


class BuildFailed(Misuse):
    """The compiler refused a source."""

    def __init__(self, source: str, said: str) -> None:
        super().__init__(f"{source} does not build:\n{said}")
        self.source, self.said = source, said


class RunnerBusy(Retryable):
    """All places of this machine's runner are taken and enough runs wait; ask again later."""

    def __init__(self, running: int, waiting: int) -> None:
        super().__init__(f"{running} programs are running here and {waiting} wait; ask again later")
        self.running, self.waiting = running, waiting
