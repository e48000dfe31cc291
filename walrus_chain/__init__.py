"""Walrus Chain: data that keeps itself alive and carries its own rules.

    from walrus_chain import Client, SyncClient

Importing this package imports nothing else; `Client` and `SyncClient` are loaded when they are first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from walrus_chain.client.client import Client as Client
    from walrus_chain.client.results import Check as Check
    from walrus_chain.client.results import StoredBlob as StoredBlob
    from walrus_chain.client.sealing import Privacy as Privacy
    from walrus_chain.client.sync import SyncClient as SyncClient

__version__ = "0.1.0"
__all__ = ["Check", "Client", "Privacy", "StoredBlob", "SyncClient", "__version__"]

_HOMES = {
    "Check": "walrus_chain.client.results",
    "Client": "walrus_chain.client.client",
    "Privacy": "walrus_chain.client.sealing",
    "StoredBlob": "walrus_chain.client.results",
    "SyncClient": "walrus_chain.client.sync",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
