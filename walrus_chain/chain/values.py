"""From ABI values to the project's nouns, driven by the annotations of the class that takes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from inspect import get_annotations
from typing import Any, get_type_hints

from eth_utils.address import to_checksum_address

from walrus_chain.chain.compute_views import JobRequest, TriggerTerms
from walrus_chain.types import (
    Address,
    BlobId,
    BlobObjectId,
    BlobStatus,
    ChannelId,
    Epoch,
    JobId,
    NodeId,
    PoolId,
    ShardIndex,
    TriggerId,
    Wei,
    format_amount,
)

Converter = Callable[[Any], Any]


@lru_cache(maxsize=4096)
def checksum_address(text: str) -> Address:
    """An address as all of this project writes it: with the EIP-55 checksum."""
    return Address(to_checksum_address(text))


def _same(value: Any) -> Any:
    return value


def text_of_word(word: bytes) -> str:
    """A bytes32 that holds a short ASCII name, padded with zeros."""
    return word.rstrip(b"\0").decode("ascii", "replace")


def word_of_text(text: str) -> bytes | None:
    """A short name as the bytes32 that holds it; none when it is too long."""
    encoded = text.encode()
    return encoded.ljust(32, b"\0") if len(encoded) <= 32 else None


class ShortName(str):
    """A name that the chain keeps in a bytes32."""

    __slots__ = ()


_CONVERTERS: dict[Any, Converter] = {
    int: _same,
    bool: _same,
    str: _same,
    bytes: bytes,
    Wei: _same,
    Epoch: _same,
    NodeId: _same,
    ShardIndex: _same,
    BlobObjectId: _same,
    PoolId: _same,
    ChannelId: _same,
    JobId: _same,
    TriggerId: _same,
    BlobId: lambda value: value if isinstance(value, BlobId) else BlobId(value),
    Address: checksum_address,
    BlobStatus: BlobStatus,
    ShortName: lambda value: value if isinstance(value, ShortName) else ShortName(text_of_word(value)),
    JobRequest: JobRequest.from_row,
    TriggerTerms: TriggerTerms.from_row,
    tuple[int, ...]: tuple,
    tuple[NodeId, ...]: tuple,
    tuple[Address, ...]: lambda values: tuple(checksum_address(value) for value in values),
}

_RENDERERS: dict[Any, Callable[[Any], str]] = {
    Wei: format_amount,
    BlobStatus: lambda status: status.name.lower(),
    bytes: lambda data: "0x" + data.hex(),
}


def fields_of(cls: type) -> dict[str, Any]:
    """The fields annotated in the body of `cls` itself, in order, with their types."""
    hints = get_type_hints(cls)
    return {name: hints[name] for name in get_annotations(cls)}


def converter(annotation: Any) -> Converter:
    """What turns an ABI value into a value of the annotated type."""
    return _CONVERTERS[annotation]


def render(value: Any, annotation: Any) -> str:
    """A value of the annotated type in words for people."""
    return _RENDERERS.get(annotation, str)(value)


def snake_case(name: str) -> str:
    """`committeeEpoch` as `committee_epoch`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
