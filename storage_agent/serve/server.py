"""The web server under the application, set up for strangers to talk to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette

from storage_agent.serve.connections import Connections, guarded_protocol

#: Longer than clients of ours keep a connection, so that it is never closed under a request.
_KEEP_SECONDS: Final = 75


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs the agent."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_server(app: Starlette, connections: Connections, stop_seconds: float) -> uvicorn.Server:
    """A server for `app`, not running yet.

    Args:
        connections: counts the server's connections and limits them.
        stop_seconds: for requests under way to finish when the server stops.
    """
    config = uvicorn.Config(
        app,
        http=guarded_protocol(connections),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # What a client says of its own address counts for nothing: limits go by where the connection comes from.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_SECONDS,
        timeout_graceful_shutdown=max(1, round(stop_seconds)),
    )
    return _Server(config)
