"""The one type for bytes that may be looked at without owning them."""

from __future__ import annotations

from typing import TypeAlias

#: Bytes to read. Functions that take a `Buffer` copy only what they must.
Buffer: TypeAlias = bytes | bytearray | memoryview
