"""An IPFS daemon as a shelf for bytes: the one place that talks to it.

Content is added as a pinned file, so it may be of any size and is named by a CID; what is not pinned any more the
daemon throws away at its next garbage collection. Calls run in threads, since the library below waits for its sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import ipfshttpclient
from ipfshttpclient import exceptions

from walrus_chain.errors import IpfsContentMissing, IpfsUnavailable, Misuse

T = TypeVar("T")


class IpfsClient:
    """A pinned-content store at one IPFS daemon."""

    def __init__(self, address: str, *, timeout: float = 60.0) -> None:
        """
        Args:
            address: of the daemon's API: `host:port`, `http://host:port` or a multiaddress `/dns/host/tcp/5001/http`.
            timeout: seconds for each call. Content that nobody has is looked for until then.
        Raises: Misuse: not such an address.
        """
        self.address = address
        self._timeout = timeout
        try:
            # `connect` refuses daemons newer than its library; a plain `Client` speaks to all of them.
            self._client = ipfshttpclient.Client(_multiaddress(address), timeout=timeout, session=True)
        except exceptions.AddressError as error:
            raise Misuse(f"{address!r} is not the address of an IPFS daemon; write it like 127.0.0.1:5001") from error

    async def version(self) -> str:
        """What the daemon calls its version; proves that it is there."""
        return str((await self._call("", lambda: self._client.version()))["Version"])

    async def put(self, data: bytes) -> str:
        """Add and pin `data`; its CID."""
        options = {"pin": "true", "raw-leaves": "true", "cid-version": "1"}
        return str(await self._call("", lambda: self._client.add_bytes(data, opts=options)))

    async def get(self, cid: str, start: int = 0, length: int | None = None) -> bytes:
        """The bytes of `cid`, or `length` of them from `start` on; fewer where the content ends.

        Raises: IpfsContentMissing: the daemon has no such content.
        """
        return bytes(await self._call(cid, lambda: self._client.cat(cid, offset=start, length=length)))

    async def has(self, cid: str) -> bool:
        """Whether the daemon has pinned `cid`."""
        try:
            await self._call(cid, lambda: self._client.pin.ls(cid, type="recursive"))
        except IpfsContentMissing:
            return False
        return True

    async def remove(self, cid: str) -> None:
        """Unpin `cid`, so that the daemon may throw it away. Does nothing when it is not pinned."""
        try:
            await self._call(cid, lambda: self._client.pin.rm(cid))
        except IpfsContentMissing:
            return

    async def collect_garbage(self) -> None:
        """Makes the daemon throw away what is not pinned."""
        await self._call("", lambda: self._client.repo.gc(quiet=True))

    def close(self) -> None:
        """Closes the connection to the daemon."""
        self._client.close()

    async def _call(self, cid: str, call: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(call)
        except exceptions.ErrorResponse as error:
            if cid and _says_missing(str(error)):
                raise IpfsContentMissing(self.address, cid) from error
            raise IpfsUnavailable(self.address, str(error)) from error
        except exceptions.Error as error:
            raise IpfsUnavailable(self.address, str(error) or type(error).__name__) from error


def _says_missing(message: str) -> bool:
    """Daemons have no error codes; these are the words of kubo and of ipfs-core."""
    lowered = message.lower()
    return any(words in lowered for words in ("not pinned", "not found", "no link named", "does not exist"))


def _multiaddress(address: str) -> str:
    """`host:port` and `http://host:port` as the multiaddress that the library takes."""
    if address.startswith("/"):
        return address
    scheme, _, rest = address.rpartition("://")
    host, _, port = rest.rstrip("/").rpartition(":")
    if scheme not in ("", "http", "https") or not host or not (port.isascii() and port.isdigit()):
        raise Misuse(f"{address!r} is not the address of an IPFS daemon; write it like 127.0.0.1:5001")
    kind = "ip6" if ":" in host else "ip4" if host.replace(".", "").isdigit() else "dns"
    return f"/{kind}/{host.strip('[]')}/tcp/{port}/{scheme or 'http'}"
