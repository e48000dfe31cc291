"""A storage agent that follows the chain and keeps bytes."""

from __future__ import annotations

from walrus_chain.errors.roots import Bug, Misuse, Retryable


class FactsMissing(Retryable):
    """The chain's events do not fit together: an endpoint left some out. They are asked for again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the chain endpoint left events out ({what}); they are read again from the last sure block")
        self.what = what


class ForksDisagree(Retryable):
    """Two answers about the chain are from different forks; asking again settles it."""

    def __init__(self, block: int, one: bytes, other: bytes) -> None:
        super().__init__(
            f"the chain endpoints disagree about block {block}: 0x{one.hex()} or 0x{other.hex()}; asking again"
        )
        self.block, self.one, self.other = block, one, other


class OtherChain(Misuse):
    """The chain at the configured endpoint is not the one that the agent followed so far."""

    def __init__(self, block: int, block_hash: bytes) -> None:
        super().__init__(
            f"the chain's block {block} is not 0x{block_hash.hex()}, from which this agent started: the RPC address "
            "leads to another chain, or the chain was started afresh; correct the address, or give the agent an empty "
            "data directory"
        )
        self.block, self.block_hash = block, block_hash


class SliverMissing(Retryable):
    """A store does not have what was put under a key; the network can give it back."""

    def __init__(self, key: str) -> None:
        super().__init__(f"nothing is stored under {key}; it will be healed from the other nodes")
        self.key = key


class PairNotHeld(Retryable):
    """This node does not hold a sliver pair (yet, or any more); ask other nodes."""

    def __init__(self, blob_id: object, segment: int, pair: int) -> None:
        super().__init__(f"blob {blob_id}: pair {pair} of segment {segment} is not here; ask other nodes")
        self.blob_id, self.segment, self.pair = blob_id, segment, pair


class StoreFull(Retryable):
    """There is no room for more bytes; the node answers for what it has, and takes nothing new."""

    def __init__(self, where: str, needed: int, free: int | None) -> None:
        room = "" if free is None else f", {free} are free"
        super().__init__(f"{where} has no room for {needed} bytes{room}; add space, or move the store")
        self.where, self.needed, self.free = where, needed, free


class StoreUnavailable(Retryable):
    """The place where slivers are kept does not answer as it should."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"the sliver store {where} failed: {why}; see that it can be reached and written to")
        self.where, self.why = where, why


class UnknownStore(Misuse):
    """An address of a sliver store that nothing here speaks to."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"cannot keep slivers at {url!r}: {why}; give a directory, or an address that begins with file://, s3://, "
            "gs://, az:// or ipfs+http://"
        )
        self.url, self.why = url, why


class CatalogueInUse(Misuse):
    """Another process has the catalogue open for writing."""

    def __init__(self, path: object) -> None:
        super().__init__(f"another agent is running on {path}; stop it first, or use another data directory")
        self.path = path


class CatalogueOfOtherNetwork(Misuse):
    """A catalogue was written for another network or another node."""

    def __init__(self, path: object, expected: str, actual: str) -> None:
        super().__init__(f"{path} belongs to {actual}, this agent serves {expected}; use another data directory")
        self.path, self.expected, self.actual = path, expected, actual


class CatalogueTooNew(Misuse):
    """A catalogue was written by a newer version of this software."""

    def __init__(self, path: object, newest: int, actual: int) -> None:
        super().__init__(
            f"{path} has schema {actual}, this version knows schemas up to {newest}; install the newer version again"
        )
        self.path, self.newest, self.actual = path, newest, actual


class CatalogueBroken(Bug):
    """The catalogue cannot be read or written, and not for want of space."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            f"the catalogue {path} failed: {why}; check the disk. An empty data directory makes the agent start over: "
            "it follows the chain again and heals what it should hold"
        )
        self.path, self.why = path, why


class WrongSetting(Misuse):
    """A setting of the agent that is missing or makes no sense."""

    def __init__(self, source: str, key: str, expected: str, actual: object = None) -> None:
        found = "it is missing" if actual is None else f"it is {actual!r}"
        super().__init__(f"{source}: {key} must be {expected}; {found}")
        self.source, self.key, self.expected, self.actual = source, key, expected, actual
