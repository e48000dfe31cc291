"""Events: a class for each one that a contract can log, and logs decode to what was encoded."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chain.abi_values import values_of
from walrus_chain.chain.abi import abi_types, signature_of
from walrus_chain.chain.artifacts import artifact, artifact_names
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_views import JobRequest, TriggerKind, TriggerTerms
from walrus_chain.chain.deployments import CONTRACTS, Deployment
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.events import EVENTS, NEVER_EMITTED, BlobRegistered, BlobTransferred, WalTransferred
from walrus_chain.chain.logs import LogDecoder, topic_of
from walrus_chain.chain.values import ShortName, fields_of, snake_case, text_of_word
from walrus_chain.errors import UnknownEvent
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch

DEPLOYMENT = Deployment(
    "test", 1, 1, {contract: Address(f"0x{place + 1:040x}") for place, contract in enumerate(CONTRACTS)}
)
BLOCK = BlockRef(7, b"\x07" * 32, 1_700_000_000)
DECODER = LogDecoder(DEPLOYMENT)
DECLARED = [
    (contract, entry)
    for contract in artifact_names()
    for entry in artifact(contract).abi
    if entry["type"] == "event" and entry["name"] not in NEVER_EMITTED
]


def log_of(contract: str, entry: dict[str, Any], values: tuple[Any, ...]) -> dict[str, Any]:
    """A log as an RPC endpoint answers it."""
    types = abi_types(entry["inputs"])
    parameters = list(zip(entry["inputs"], types, values, strict=True))
    topics = [encode((kind,), (value,)) for parameter, kind, value in parameters if parameter["indexed"]]
    plain = [(kind, value) for parameter, kind, value in parameters if not parameter["indexed"]]
    return {
        "address": DEPLOYMENT.address(contract).lower(),
        "topics": ["0x" + topic.hex() for topic in (keccak(text=signature_of(entry)), *topics)],
        "data": "0x" + encode([kind for kind, _ in plain], [value for _, value in plain]).hex(),
        "blockNumber": "0x7",
        "blockHash": "0x" + BLOCK.hash.hex(),
        "transactionHash": "0x" + "ab" * 32,
        "logIndex": "0x1f",
    }


def test_every_event_of_every_contract_has_a_class() -> None:
    declared = {(contract, entry["name"]) for contract, entry in DECLARED}
    known = [(event.contract, event.solidity_name) for event in EVENTS]
    assert len(known) == len(set(known))
    assert set(known) == declared
    assert set(ChainEvent.__subclasses__()) >= set(EVENTS)


def test_fields__stand_in_the_order_and_carry_the_names_of_the_solidity_event() -> None:
    by_name = {(contract, entry["name"]): entry for contract, entry in DECLARED}
    for event in EVENTS:
        entry = by_name[event.contract, event.solidity_name]
        assert [name.rstrip("_") for name in fields_of(event)] == [
            snake_case(parameter["name"]) for parameter in entry["inputs"]
        ]


@pytest.mark.parametrize(("contract", "entry"), DECLARED, ids=[f"{name}.{entry['name']}" for name, entry in DECLARED])
@settings(max_examples=20)
@given(data=st.data())
def test_decode__any_values__gives_them_back(contract: str, entry: dict[str, Any], data: st.DataObject) -> None:
    values = _possible(entry["name"], data.draw(values_of(abi_types(entry["inputs"]))))
    event = DECODER.decode(log_of(contract, entry, values), BLOCK)
    assert event is not None
    assert (event.contract, event.solidity_name) == (contract, entry["name"])
    assert (event.block, event.log_index, event.transaction) == (BLOCK, 31, "0x" + "ab" * 32)
    decoded = [getattr(event, name) for name in fields_of(type(event))]
    assert list(map(_plain, decoded, values)) == list(values)


def _possible(name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values that the chain can log: the number of a kind of trigger is one that there is."""
    if name != "TriggerCreated":
        return values
    trigger, owner, terms = values
    return trigger, owner, (terms[0] % len(TriggerKind), *terms[1:])


def _plain(value: Any, encoded: Any) -> Any:
    """A field as the ABI had it; a name kept in a word is not any 32 bytes, so it is compared as text."""
    if isinstance(value, JobRequest | TriggerTerms):
        return value.row
    if isinstance(value, ShortName):
        return encoded if text_of_word(encoded) == value else value
    return value.digest if isinstance(value, BlobId) else value


def test_decode__the_same_topic_in_two_contracts__tells_them_apart() -> None:
    assert topic_of("WAL", "Transfer") == topic_of("BlobRegistry", "Transfer")
    by_name = {(contract, entry["name"]): entry for contract, entry in DECLARED}
    for contract, kind in (("WAL", WalTransferred), ("BlobRegistry", BlobTransferred)):
        log = log_of(contract, by_name[contract, "Transfer"], ("0x" + "11" * 20, "0x" + "22" * 20, 5))
        assert type(DECODER.decode(log, BLOCK)) is kind


def test_decode__registration__carries_the_nouns() -> None:
    entry = next(entry for contract, entry in DECLARED if entry["name"] == "BlobRegistered")
    owner = "0x52908400098527886E0F7030069857D2E4169EE7"
    event = DECODER.decode(log_of("BlobRegistry", entry, (9, b"\x01" * 32, owner, 1000, 3, 8, True)), BLOCK)
    assert event == BlobRegistered(
        block=BLOCK,
        log_index=31,
        transaction="0x" + "ab" * 32,
        blob_object=BlobObjectId(9),
        blob_id=BlobId(b"\x01" * 32),
        owner=Address(owner),
        size=1000,
        start=Epoch(3),
        end=Epoch(8),
        deletable=True,
    )


@pytest.mark.parametrize(
    "change", [{"topics": ["0x" + "00" * 32]}, {"topics": []}, {"address": "0x" + "99" * 20}], ids=str
)
def test_decode__what_no_known_contract_logs__says_to_update(change: dict[str, Any]) -> None:
    contract, entry = next((contract, entry) for contract, entry in DECLARED if entry["name"] == "AttributeRemoved")
    with pytest.raises(UnknownEvent, match="update"):
        DECODER.decode({**log_of(contract, entry, (1, "key")), **change}, BLOCK)


def test_decode__a_kind_that_says_nothing__is_left_out() -> None:
    entry = next(entry for entry in artifact("WAL").abi if entry.get("name") == "EIP712DomainChanged")
    assert DECODER.decode(log_of("WAL", entry, ()), BLOCK) is None
