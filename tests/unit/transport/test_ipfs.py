"""Addresses of IPFS daemons; the calls are tested against a real daemon in tests/integration."""

from __future__ import annotations

import pytest

from walrus_chain.errors import IpfsUnavailable, Misuse
from walrus_chain.transport.ipfs import IpfsClient


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:5001", "http://127.0.0.1:5001", "http://localhost:5001/", "/dns/localhost/tcp/5001/http", "[::1]:5001"],
)
def test_address__usual_forms__are_taken(address: str) -> None:
    IpfsClient(address).close()


@pytest.mark.parametrize("address", ["", "localhost", "ftp://localhost:1", "http://localhost", "localhost:port"])
def test_address__others__say_how_to_write_it(address: str) -> None:
    with pytest.raises(Misuse, match=r"127\.0\.0\.1:5001"):
        IpfsClient(address)


async def test_no_daemon__is_unavailable() -> None:
    client = IpfsClient("127.0.0.1:1", timeout=5)
    with pytest.raises(IpfsUnavailable, match=r"127\.0\.0\.1:1"):
        await client.version()
    client.close()
