"""Values to ABI bytes and back, without trusting that texts on chain are texts.

Solidity does not check that a `string` is UTF-8, so anybody can write one that is not: as an attribute of a blob, for
example. eth_abi's own decoder then fails, and whoever has to read every log could not get past that block again. Here
bytes that are no UTF-8 become U+FFFD, the replacement character.
"""

from __future__ import annotations

from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_abi.encoding import TextStringEncoder
from eth_abi.registry import registry as strict_registry


class _AnyStringDecoder(StringDecoder):
    """Reads every sequence of bytes as a text."""

    def __init__(self) -> None:
        super().__init__(handle_string_errors="replace")  # type: ignore[no-untyped-call]


def _codec() -> ABICodec:
    registry = strict_registry.copy()  # type: ignore[no-untyped-call]
    registry.unregister("string")
    registry.register("string", TextStringEncoder, _AnyStringDecoder, label="string")
    return ABICodec(registry)


_CODEC = _codec()
#: ABI bytes of values, given their types.
encode = _CODEC.encode
#: Values of these types from ABI bytes. Raises: eth_abi.exceptions.DecodingError: the bytes are something else.
decode = _CODEC.decode
