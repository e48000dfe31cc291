"""Writing, testing and handling policies."""

from __future__ import annotations

from collections.abc import Sequence

from walrus_chain.errors.roots import Misuse


class NotOneContract(Misuse):
    """A Solidity file does not say which contract is meant: it holds none, several, or not the one that was named."""

    def __init__(self, file: object, noun: str, contract: str, held: Sequence[str]) -> None:
        if held:
            why = f"there are {', '.join(held)}; name one by --contract"
        elif noun == "policy":
            why = "no contract in it answers as IDataPolicy does; inherit DataPolicy, as `walrus policy new` shows"
        else:
            why = "nothing in it can be deployed"
        super().__init__(f"{file} holds no {noun} {contract}: {why}")
        self.file, self.contract, self.held = file, contract, tuple(held)


class WrongArguments(Misuse):
    """A contract or a kind of policy takes other arguments than those given."""

    def __init__(self, name: str, parameters: Sequence[tuple[str, str]], why: str) -> None:
        taken = ", ".join(f"{parameter}: {kind}" for parameter, kind in parameters) or "no arguments"
        super().__init__(f"{name} takes ({taken}); {why}")
        self.name, self.parameters, self.why = name, tuple(parameters), why


class PytestMissing(Misuse):
    """Tests of policies were to be run, but pytest is not installed."""

    def __init__(self) -> None:
        super().__init__("pytest is not installed; pip install 'walrus-chain[policies]'")


class NoTests(Misuse):
    """There are no tests to run in a folder, or they cannot be read."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(f"no tests ran in {folder} ({why}); `walrus policy new NAME` writes a policy with its test")
        self.folder, self.why = folder, why


class NoPolicyThere(Misuse):
    """An address at which there is no policy."""

    def __init__(self, address: str) -> None:
        super().__init__(f"there is no policy at {address}; check the address and the network")
        self.address = address


class NothingToChange(Misuse):
    """Policies were to be attached or announced that would change nothing."""

    def __init__(self, blob_object: int) -> None:
        super().__init__(
            f"that would change nothing about object {blob_object}; name another policy by --access or --retention"
        )
        self.blob_object = blob_object


class NoHoldThere(Misuse):
    """Somebody wants to hold an object whose retention policy gives them no hold."""

    def __init__(self, blob_object: int, account: str) -> None:
        super().__init__(
            f"the retention policy of object {blob_object} has no legal hold of {account}; "
            f"`walrus policy show {blob_object}` shows who may hold it"
        )
        self.blob_object, self.account = blob_object, account
