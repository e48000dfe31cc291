"""Which uses of private data an account began, so that none is paid twice and none that was paid is lost.

A use has a number, its sequence. Uses that were bought on chain have the first ones, 0 up to how many were bought;
those that are paid by vouchers count from 2**32, so that what is bought later is not used up before. A use that is paid
by a voucher is noted before anybody is asked for it; one that broke off is taken up again before a new one is begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from walrus_chain.client.keep import Keep
from walrus_chain.types import Address, BlobObjectId, ChannelId

FIRST_BY_VOUCHER: Final = 2**32
"""Below are uses that are free or bought on chain: the chain counts those in 32 bits."""
_KIND: Final = "uses"


@dataclass(frozen=True, slots=True)
class BrokenUse:
    """A use that was paid and not finished."""

    sequence: int
    channel: ChannelId


class UseBook:
    """The uses of one object by one account."""

    def __init__(self, keep: Keep, account: Address, blob_object: BlobObjectId, active: set[tuple[str, int]]) -> None:
        """
        Args:
            active: uses under way in this program; shared by all books of a client.
        """
        self._keep = keep
        self._name = f"{account}-{blob_object}"
        self._active = active

    def next(self, *, by_voucher: bool) -> int:
        """The sequence of the next use that is paid by a voucher, or of one that is free or was bought on chain."""
        with self._keep.changing(_KIND, self._name) as document:
            first = FIRST_BY_VOUCHER if by_voucher else 0
            return max(first, int(document.get(_field(first), 0)))

    def broken(self, key_epoch: int) -> BrokenUse | None:
        """A use that was begun under this key epoch, paid by a voucher, and is neither finished nor under way."""
        with self._keep.changing(_KIND, self._name) as document:
            for text, entry in document.get("open", {}).items():
                if entry["keyEpoch"] == key_epoch and (self._name, int(text)) not in self._active:
                    return BrokenUse(int(text), ChannelId(entry["channel"]))
        return None

    def begin(self, sequence: int, key_epoch: int, channel: ChannelId | None) -> None:
        """Notes a use before anybody is asked for it; durable when this returns.

        Args:
            channel: from which it is paid; None where no voucher is given for it.
        """
        self._active.add((self._name, sequence))
        with self._keep.changing(_KIND, self._name) as document:
            document[_field(sequence)] = max(int(document.get(_field(sequence), 0)), sequence + 1)
            if channel is not None:
                document.setdefault("open", {})[str(sequence)] = {"keyEpoch": key_epoch, "channel": channel}

    def end(self, sequence: int, *, done: bool) -> None:
        """A use is not under way any more.

        Args:
            done: the key came. Else the use is taken up again, if it was paid; if not, its number is free again.
        """
        self._active.discard((self._name, sequence))
        with self._keep.changing(_KIND, self._name) as document:
            opened = document.get("open", {})
            if done:
                opened.pop(str(sequence), None)
            elif str(sequence) not in opened and document.get(_field(sequence)) == sequence + 1:
                document[_field(sequence)] = sequence


def _field(sequence: int) -> str:
    return "nextByVoucher" if sequence >= FIRST_BY_VOUCHER else "next"
