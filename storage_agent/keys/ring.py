"""The node's master keys: the newest is the one that others seal to, older ones open what was sealed before."""

from __future__ import annotations

from collections.abc import Sequence

from storage_agent.node.access_refusals import UnknownKey
from walrus_chain.crypto.node_key import MasterKey


class KeyRing:
    """The master keys of one node."""

    def __init__(self, keys: Sequence[MasterKey]) -> None:
        """
        Args:
            keys: at least one, the newest first.
        """
        self._newest = keys[0]
        self._by_id = {key.public.key_id: key for key in keys}

    @property
    def key_ids(self) -> list[bytes]:
        """What the keys are called, the newest first."""
        return list(self._by_id)

    def find(self, key_id: bytes | None) -> MasterKey:
        """The key of that name; the newest when none is named.

        Raises: UnknownKey.
        """
        key = self._newest if key_id is None else self._by_id.get(key_id)
        if key is None:
            raise UnknownKey("0x" + (key_id or b"").hex())
        return key
