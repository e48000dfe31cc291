"""Ready-made kinds: arguments as people type them, as the chain takes them, and as the contracts have them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from walrus_chain.chain.deployments import KINDS as DEPLOYED
from walrus_chain.errors import MalformedArgument, NoSuchKind, WrongArguments
from walrus_chain.messages.signing import checksummed
from walrus_chain.policies.kinds import KINDS, EvidenceForm, Kind, Place, kind_named

CONTRACTS = Path(__file__).parents[3] / "contracts" / "policies" / "kinds"
ALICE, BOB = checksummed(b"\xa1" * 20), checksummed(b"\xb0" * 20)
REASON = re.compile(r'return (?:\(0, )?"(\w+)"\)?;')
#: Arguments of each kind as somebody types them, and what they are.
TYPED: dict[str, dict[str, tuple[str, Any]]] = {
    "Owner": {},
    "AllowList": {"administrator": (ALICE, ALICE)},
    "MerkleAllowList": {"root": ("0x" + "ab" * 32, b"\xab" * 32), "administrator": (ALICE, ALICE)},
    "DenyList": {"administrator": (ALICE.lower(), ALICE)},
    "Erc20Holder": {"token": (ALICE, ALICE), "minimum": ("1_000", 1000)},
    "Erc721Holder": {"token": (ALICE, ALICE)},
    "Erc1155Holder": {"token": (ALICE, ALICE), "id": ("0", 0), "minimum": ("2", 2)},
    "Credential": {"registry": (ALICE, ALICE), "schema": ("0x" + "00" * 32, bytes(32)), "attester": (BOB, BOB)},
    "TimeWindow": {"from": ("1800000000", 1_800_000_000), "until": ("2027-01-31T12:00Z", 1_801_396_800)},
    "PayPerRead": {"price": ("0.5", 5 * 10**17), "pool": ("3", 3)},
    "ReadQuota": {"limit": ("10", 10)},
    "Subscription": {"price": ("5 WAL", 5 * 10**18), "periodSeconds": ("30d", 2_592_000), "pool": ("3", 3)},
    "AllOf": {"operands": (f"{ALICE},{BOB}", [ALICE, BOB])},
    "AnyOf": {"operands": (ALICE, [ALICE])},
    "Not": {"operand": (ALICE, ALICE)},
    "KOfN": {"k": ("2", 2), "operands": (f"{ALICE},{BOB}", [ALICE, BOB])},
    "FixedTerm": {"untilEpoch": ("40", 40)},
    "WriteOnce": {},
    "LegalHold": {"holders": (f"{ALICE}, {BOB}", [ALICE, BOB])},
    "DeleteAfter": {"time": ("2030-12-31", 1_924_905_600)},
    "Programs": {"programs": ("0x" + "01" * 32 + ",0x" + "02" * 32, [b"\x01" * 32, b"\x02" * 32])},
}


def source_of(name: str) -> str:
    return (CONTRACTS / f"{name}.sol").read_text(encoding="utf-8")


def with_bases(name: str) -> str:
    """The source of a contract and of those that it inherits from, joined."""
    source = source_of(name)
    bases = re.search(r"^(?:abstract )?contract \w+ is ([\w, ]+) \{", source, re.MULTILINE)
    found = [base.strip() for base in bases[1].split(",")] if bases else []
    inherited = [with_bases(base) for base in found if (CONTRACTS / f"{base}.sol").exists()]
    return "\n".join([source, *inherited])


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_parse_encode_decode__given_what_people_type__agree(kind: Kind) -> None:
    typed = TYPED[kind.name]
    values = kind.parse({name: text for name, (text, _) in typed.items()})
    assert values == {name: value for name, (_, value) in typed.items()}
    assert kind.encode(values) == encode([argument.abi_type for argument in kind.arguments], list(values.values()))
    assert kind.decode(kind.encode(values)) == values


def test_kinds__are_those_that_are_deployed_in_the_order_of_deployment() -> None:
    assert [(kind.name, kind.contract) for kind in KINDS.values()] == list(DEPLOYED.items())


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_kind__equals_that_of_its_contract(kind: Kind) -> None:
    source = with_bases(kind.contract)
    assert f'return "{kind.name}";' in source
    documented = re.search(r"Arguments?: `([^`]*)`", source)
    expected = ", ".join(f"{argument.abi_type} {argument.name}" for argument in kind.arguments)
    assert (re.sub(r"\s*\n/// ", " ", documented[1]) if documented else "") == expected


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_reasons__are_those_of_the_contract(kind: Kind) -> None:
    texts = set(REASON.findall(with_bases(kind.contract)))
    assert set(kind.reasons) == texts - {kind.name, "Custom", "NotSunday"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_place__of_retention_kinds__is_where_their_contract_is(kind: Kind) -> None:
    assert (kind.place is Place.RETENTION) == ("is Retention {" in source_of(kind.contract))


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_evidence__is_wanted_by_the_kinds_whose_contract_reads_it(kind: Kind) -> None:
    reads = "request.evidence" in with_bases(kind.contract)
    assert (kind.evidence is not EvidenceForm.NONE) == reads


def test_kind_named__given_an_unknown_name__names_those_that_there_are() -> None:
    assert kind_named("KOfN") is KINDS["KOfN"]
    with pytest.raises(NoSuchKind, match="no ready-made policy 'Pay'; there are Owner, AllowList") as error:
        kind_named("Pay")
    assert error.value.known == tuple(KINDS)


def test_usage__names_arguments_and_their_forms() -> None:
    assert KINDS["Subscription"].usage == "Subscription price=AMOUNT periodSeconds=DURATION pool=NUMBER"
    assert KINDS["KOfN"].usage == "KOfN k=NUMBER operands=ADDRESS,..."
    assert KINDS["MerkleAllowList"].usage == "MerkleAllowList root=BYTES32 administrator=ADDRESS"
    assert KINDS["Owner"].usage == "Owner"


def test_operands__of_combinators__are_the_policies_they_ask() -> None:
    for name in ("AllOf", "AnyOf", "KOfN", "Not"):
        kind = KINDS[name]
        values = {argument: value for argument, (_, value) in TYPED[name].items()}
        expected = (ALICE,) if name in ("AnyOf", "Not") else (ALICE, BOB)
        assert kind.operands(kind.decode(kind.encode(values))) == expected
    assert KINDS["LegalHold"].operands({"holders": [ALICE]}) == ()


@pytest.mark.parametrize(
    ("name", "pairs", "why"),
    [
        ("PayPerRead", {"price": "1"}, "pool is missing"),
        ("PayPerRead", {"price": "1", "pool": "3", "poll": "3"}, "poll is unknown"),
        ("Owner", {"owner": ALICE}, "owner is unknown"),
    ],
)
def test_parse__given_other_names__says_which(name: str, pairs: dict[str, str], why: str) -> None:
    with pytest.raises(WrongArguments, match=why):
        KINDS[name].parse(pairs)


@pytest.mark.parametrize(
    ("name", "argument", "text", "why"),
    [
        ("PayPerRead", "price", "cheap", "price, an amount of WAL: write it like 12.5"),
        ("PayPerRead", "price", "-1", "write it like 12.5"),
        ("PayPerRead", "pool", "3.5", "pool, a number: write a whole number"),
        ("TimeWindow", "from", "tomorrow", "from, a time: write seconds since 1970, or UTC like 2027-01-31"),
        ("TimeWindow", "from", "2027-02-30", "there is no such day"),
        ("TimeWindow", "from", "1969-12-31", "there is no such day or hour after 1970"),
        ("TimeWindow", "until", "2027-01-31T24:00Z", "there is no such day or hour"),
        ("TimeWindow", "until", "2027-01-31T12:00", "write seconds since 1970"),
        ("Subscription", "periodSeconds", "a month", "write seconds, or a number like 90s, 12h or 30d"),
        ("Subscription", "periodSeconds", "100000w", "it must be 0 to"),
        ("AllOf", "operands", "0x12", "operands, an address"),
        ("LegalHold", "holders", f"{ALICE},", "holders, an address"),
        ("MerkleAllowList", "root", "0x12", "32 are needed"),
    ],
)
def test_parse__given_a_malformed_value__says_what_form_it_must_have(
    name: str, argument: str, text: str, why: str
) -> None:
    pairs = {other: typed for other, (typed, _) in TYPED[name].items()} | {argument: text}
    with pytest.raises(MalformedArgument, match=re.escape(why)):
        KINDS[name].parse(pairs)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("12h", 43_200), ("4w", 2_419_200)]
)
def test_parse__given_a_duration__counts_seconds(text: str, seconds: int) -> None:
    parsed = KINDS["Subscription"].parse({"price": "1", "periodSeconds": text, "pool": "1"})
    assert parsed["periodSeconds"] == seconds


def test_encode__given_wrong_values__refuses() -> None:
    with pytest.raises(WrongArguments, match=r"these were given: price"):
        KINDS["PayPerRead"].encode({"price": 1})
    with pytest.raises(WrongArguments):
        KINDS["PayPerRead"].encode({"price": -1, "pool": 3})
    with pytest.raises(WrongArguments):
        KINDS["AllowList"].encode({"administrator": "nobody"})


def test_decode__given_other_bytes__refuses() -> None:
    with pytest.raises(WrongArguments):
        KINDS["AllowList"].decode(b"\xff" * 32)
    with pytest.raises(WrongArguments):
        KINDS["AllOf"].decode(b"")
