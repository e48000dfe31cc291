"""Compiling the contracts."""

from __future__ import annotations

from walrus_chain.errors.roots import Misuse


class NotAContractsProject(Misuse):
    """A folder that should hold the Solidity sources and their settings does not."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(f"{folder} is no contracts project: {why}; run this in a clone of the repository")
        self.folder, self.why = folder, why


class CompilerNotFound(Misuse):
    """There is no Solidity compiler, and none could be installed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no Solidity compiler: {why}; `make setup` in a clone of the repository provides one")
        self.why = why


class CompilationFailed(Misuse):
    """The Solidity compiler refused the sources; the message is the compiler's."""

    def __init__(self, messages: str) -> None:
        super().__init__(f"the contracts do not compile:\n{messages}")
        self.messages = messages
