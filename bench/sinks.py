"""Ten programs that take bytes, put them on the disk and give them back: what a network costs at least.

    python -m bench.sinks FOLDER        prints the ports as JSON, and runs until its input ends

Each sink is a process with one asyncio server. PUT stores a body in a file and syncs it before it answers; GET sends
the file. There is no chain, no code, no hash and no signature: the figures are a limit for a network of as many
processes on the same machine, disk and loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SINKS = 10
_HEAD_END = b"\r\n\r\n"
_PIECE_BYTES = 256 * 1024


def main() -> None:
    """Run the sinks."""
    folder = Path(sys.argv[1])
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(SINKS)]
    for listener in sockets:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections inherit it
    children = []
    for listener in sockets:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            asyncio.run(_serve(listener, folder))
        children.append(child)
    print(json.dumps([listener.getsockname()[1] for listener in sockets]), flush=True)
    sys.stdin.read()
    for child in children:
        os.kill(child, signal.SIGTERM)


async def _serve(listener: socket.socket, folder: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                method, name, length = _parse(await reader.readuntil(_HEAD_END))
                if method == "PUT":
                    await _take(reader, folder / name, length)
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                else:
                    await _give(writer, folder / name, length)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, sock=listener)
    await server.serve_forever()


def _parse(head: bytes) -> tuple[str, str, int]:
    """Method, name of the file, and how many bytes come or are wanted."""
    request, *lines = head.decode().split("\r\n")
    method, path, _ = request.split(" ")
    fields = dict(line.split(": ", 1) for line in lines if line)
    return method, path[1:], int(fields["Content-Length"] if method == "PUT" else fields["X-Bytes"])


async def _take(reader: asyncio.StreamReader, target: Path, length: int) -> None:
    with target.open("wb", buffering=0) as file:
        while length:
            piece = await reader.read(min(length, _PIECE_BYTES))
            if not piece:
                raise ConnectionResetError
            file.write(piece)
            length -= len(piece)
        os.fsync(file.fileno())


async def _give(writer: asyncio.StreamWriter, source: Path, length: int) -> None:
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
    with source.open("rb", buffering=0) as file:
        while length:
            piece = file.read(min(length, _PIECE_BYTES))
            writer.write(piece)
            await writer.drain()
            length -= len(piece)


@contextmanager
def running_sinks(folder: Path) -> Iterator[list[int]]:
    """The ports of sinks that run while the block does, and keep their files in `folder`."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sinks", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate()


class Plain:
    """A client of the sinks that spreads bytes evenly over all of them; connections are kept."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._piece = memoryview(os.urandom(_PIECE_BYTES))
        self._idle: dict[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {port: [] for port in ports}

    async def put(self, name: str, size: int) -> None:
        """Have `size` bytes stored, a part by each sink; durable on return."""
        part = size // len(self._ports)
        await asyncio.gather(*[self._put(port, name, part) for port in self._ports])

    async def get(self, name: str, size: int) -> None:
        """Have `size` bytes sent, a part by each sink."""
        part = size // len(self._ports)
        await asyncio.gather(*[self._get(port, name, part) for port in self._ports])

    async def get_from_one(self, name: str, size: int) -> None:
        """Have `size` bytes sent by one sink."""
        await self._get(self._ports[0], name, size)

    async def _put(self, port: int, name: str, size: int) -> None:
        reader, writer = await self._connection(port)
        writer.write(f"PUT /{port}-{name} HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode())
        for start in range(0, size, _PIECE_BYTES):
            writer.write(self._piece[: size - start])
            await writer.drain()
        await reader.readuntil(_HEAD_END)
        self._idle[port].append((reader, writer))

    async def _get(self, port: int, name: str, size: int) -> None:
        reader, writer = await self._connection(port)
        writer.write(f"GET /{port}-{name} HTTP/1.1\r\nX-Bytes: {size}\r\n\r\n".encode())
        await reader.readuntil(_HEAD_END)
        while size:
            size -= len(await reader.read(min(size, _PIECE_BYTES)))
        self._idle[port].append((reader, writer))

    async def _connection(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._idle[port]:
            return self._idle[port].pop()
        return await asyncio.open_connection("127.0.0.1", port, limit=_PIECE_BYTES)

    def close(self) -> None:
        """Close all connections."""
        for idle in self._idle.values():
            for _, writer in idle:
                writer.close()


if __name__ == "__main__":
    main()
