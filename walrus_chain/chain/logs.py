"""Decoding logs: from what an RPC endpoint answers to the events of `walrus_chain.chain.events`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_utils.crypto import keccak

from walrus_chain.chain.abi import abi_types, signature_of
from walrus_chain.chain.abi_codec import decode
from walrus_chain.chain.artifacts import artifact
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.events import EVENTS, NEVER_EMITTED
from walrus_chain.chain.values import Converter, converter, fields_of
from walrus_chain.errors import UnknownEvent


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one kind of event lies in a log."""

    event: type[ChainEvent]
    names: tuple[str, ...]
    converters: tuple[Converter, ...]
    indexed: tuple[int, ...]
    """Places of the fields that are topics, in topic order."""
    indexed_types: tuple[str, ...]
    plain: tuple[int, ...]
    """Places of the fields that are in the data, in data order."""
    plain_types: tuple[str, ...]


@cache
def topic_of(contract: str, solidity_name: str) -> bytes:
    """The first topic of a contract's event, 32 bytes."""
    return keccak(text=signature_of(_entry(contract, solidity_name)))


class LogDecoder:
    """Decodes the logs of one network's contracts."""

    def __init__(self, deployment: Deployment) -> None:
        self._contracts = {address.lower(): name for name, address in deployment.contracts.items()}

    def decode(self, log: Mapping[str, Any], block: BlockRef, contract: str | None = None) -> ChainEvent | None:
        """The event in one log of `block`; none for a kind that tells nothing (`NEVER_EMITTED`).

        Args:
            contract: what logged it, where its address is none of the network's, as that of a policy.
        Raises: UnknownEvent: the log is of no known contract or kind, so this software is older than the contracts.
        """
        contract = contract or self._contracts.get(log["address"].lower())
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        if contract is None or not topics:
            raise UnknownEvent(contract or log["address"], log["topics"])
        shape = shapes(contract).get(topics[0])
        if shape is None:
            if topics[0] in _silent_topics(contract):
                return None
            raise UnknownEvent(contract, log["topics"])
        return shape.event(
            block=block,
            log_index=int(log["logIndex"], 16),
            transaction=log["transactionHash"],
            **_fields(shape, log),
        )


def fields_in(kind: type[ChainEvent], log: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a log that is known to be an event of this kind, by name."""
    return _fields(shapes(kind.contract)[topic_of(kind.contract, kind.solidity_name)], log)


def _fields(shape: _Shape, log: Mapping[str, Any]) -> dict[str, Any]:
    topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
    values: dict[str, Any] = {}
    for place, abi_type, topic in zip(shape.indexed, shape.indexed_types, topics[1:], strict=True):
        values[shape.names[place]] = shape.converters[place](decode((abi_type,), topic)[0])
    data = decode(shape.plain_types, bytes.fromhex(log["data"][2:]))
    for place, value in zip(shape.plain, data, strict=True):
        values[shape.names[place]] = shape.converters[place](value)
    return values


def _entry(contract: str, solidity_name: str) -> dict[str, Any]:
    return next(
        entry for entry in artifact(contract).abi if entry["type"] == "event" and entry["name"] == solidity_name
    )


@cache
def shapes(contract: str) -> dict[bytes, _Shape]:
    """How the events of a contract lie in logs, by first topic."""
    found: dict[bytes, _Shape] = {}
    for event in EVENTS:
        if event.contract != contract:
            continue
        entry = _entry(contract, event.solidity_name)
        inputs, fields = entry["inputs"], fields_of(event)
        types = abi_types(inputs)
        indexed = tuple(place for place, parameter in enumerate(inputs) if parameter["indexed"])
        plain = tuple(place for place, parameter in enumerate(inputs) if not parameter["indexed"])
        found[keccak(text=signature_of(entry))] = _Shape(
            event=event,
            names=tuple(fields),
            converters=tuple(converter(annotation) for annotation in fields.values()),
            indexed=indexed,
            indexed_types=tuple(types[place] for place in indexed),
            plain=plain,
            plain_types=tuple(types[place] for place in plain),
        )
    return found


@cache
def _silent_topics(contract: str) -> frozenset[bytes]:
    declared = {entry["name"] for entry in artifact(contract).abi if entry["type"] == "event"}
    return frozenset(topic_of(contract, name) for name in declared & NEVER_EMITTED)
