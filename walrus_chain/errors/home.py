"""A person's networks and wallets, and what they typed about them."""

from __future__ import annotations

from collections.abc import Sequence

from walrus_chain.errors.roots import Misuse


class UnknownNetwork(Misuse):
    """A network that this computer knows nothing of, or none where one has to be named."""

    def __init__(self, name: str | None, known: Sequence[str]) -> None:
        what = "no network is chosen" if name is None else f"there is no network {name!r}"
        choice = (
            f"known are {', '.join(known)}; `walrus network use NAME` chooses one"
            if known
            else ("`walrus network add` makes one known, `walrus devnet up` starts a local one")
        )
        super().__init__(f"{what}: {choice}")
        self.name, self.known = name, tuple(known)


class UnknownWallet(Misuse):
    """A wallet that this computer does not have, or none where one has to be named."""

    def __init__(self, name: str | None, known: Sequence[str]) -> None:
        what = "no wallet is chosen" if name is None else f"there is no wallet {name!r}"
        choice = f"there are {', '.join(known)}; name one by --wallet" if known else "`walrus wallet new` makes one"
        super().__init__(f"{what}: {choice}")
        self.name, self.known = name, tuple(known)


class NameTaken(Misuse):
    """A network or wallet of that name exists; nothing is overwritten."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is a {kind} {name!r} already; choose another name")
        self.kind, self.name = kind, name


class MalformedName(Misuse):
    """A name that cannot be the name of a file."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{name!r} cannot name a {kind}: use letters, digits, hyphen, underscore and dot, 64 at most")
        self.kind, self.name = kind, name


class HomeUnreadable(Misuse):
    """A file of a person's settings is damaged."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"{path} cannot be read: {why}; mend or remove it")
        self.path, self.why = path, why


class WrongPassword(Misuse):
    """A password that does not open a keystore."""

    def __init__(self, wallet: str) -> None:
        super().__init__(f"that password does not open wallet {wallet!r}; try again")
        self.wallet = wallet


class PasswordMissing(Misuse):
    """A keystore has to be opened and nobody is there to type its password."""

    def __init__(self, wallet: str) -> None:
        super().__init__(
            f"wallet {wallet!r} needs its password: type it at a terminal, or name a file that "
            "holds it by --password-file"
        )
        self.wallet = wallet


class MalformedArgument(Misuse):
    """Something typed that does not have the form it must have."""

    def __init__(self, what: str, text: str, form: str) -> None:
        super().__init__(f"{text!r} is not {what}: {form}")
        self.what, self.text, self.form = what, text, form
