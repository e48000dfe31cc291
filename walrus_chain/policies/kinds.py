"""The ready-made kinds of policies: what each decides, its arguments, what it wants to see, and why it denies.

A kind is run by the contract `<name>Policy`; `PolicyFactory.create(name, arguments)` makes a policy of it.

Source: docs/guides/policies.md, contracts/policies/kinds.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.address import to_checksum_address

from walrus_chain.errors import MalformedAmount, MalformedArgument, NoSuchKind, WrongArguments
from walrus_chain.policies.values import parse_arguments
from walrus_chain.types import Address, parse_amount

_WHOLE: Final = re.compile(r"[0-9][0-9_]*")
_MOMENT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?Z)?")
_DURATION: Final = re.compile(r"([0-9]+)([smhdw]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Place(StrEnum):
    """Which question of an object a kind answers."""

    ACCESS = "access"
    """Who may use the data."""
    RETENTION = "retention"
    """What the owner may not do."""
    BOTH = "both"
    """Either, as its operands do."""


class EvidenceForm(StrEnum):
    """What a requester shows to a policy of a kind."""

    NONE = "none"
    """Nothing; what is shown does not matter."""
    CREDENTIAL = "credential"
    """`abi.encode(bytes32 uid)`: the id of a credential."""
    PROOF = "proof"
    """`abi.encode(bytes32[] proof)`: the way from an account to the root of an allow list."""
    PARTS = "parts"
    """`abi.encode(bytes[])`: an entry for each operand."""


class Unit(StrEnum):
    """What the number of an argument counts, and so how people write it."""

    PLAIN = "plain"
    """As its ABI type is written."""
    WAL = "wal"
    """An amount: `0.5`, `0.5 WAL` or `100 wei`."""
    MOMENT = "moment"
    """Seconds since 1970, or a day or time in UTC: `2027-01-31`, `2027-01-31T12:00Z`."""
    DURATION = "duration"
    """Seconds, or with a unit: `90s`, `5m`, `12h`, `30d`, `4w`."""


_FORMS: Final = {Unit.WAL: "AMOUNT", Unit.MOMENT: "TIME", Unit.DURATION: "DURATION"}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a kind."""

    name: str
    abi_type: str
    meaning: str
    unit: Unit = Unit.PLAIN

    @property
    def form(self) -> str:
        """How it is written, in a word for usage lines: `ADDRESS`, `ADDRESS,...`, `AMOUNT`."""
        if self.unit in _FORMS:
            return _FORMS[self.unit]
        word = "NUMBER" if self.abi_type.startswith("uint") else self.abi_type.removesuffix("[]").upper()
        return f"{word},..." if self.abi_type.endswith("[]") else word


@dataclass(frozen=True, slots=True)
class Kind:
    """A ready-made policy.

    Args:
        name: as the factory knows it.
        reasons: every reason of its own for which it denies; those of operands come on top.
    """

    name: str
    place: Place
    summary: str
    arguments: tuple[Argument, ...]
    reasons: tuple[str, ...]
    evidence: EvidenceForm = EvidenceForm.NONE

    @property
    def contract(self) -> str:
        """The contract that policies of this kind run."""
        return f"{self.name}Policy"

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Name and ABI type of each argument."""
        return tuple((argument.name, argument.abi_type) for argument in self.arguments)

    @property
    def usage(self) -> str:
        """The arguments of `walrus policy deploy` for this kind, such as `PayPerRead price=AMOUNT pool=NUMBER`."""
        return " ".join([self.name, *(f"{argument.name}={argument.form}" for argument in self.arguments)])

    def parse(self, pairs: Mapping[str, str]) -> dict[str, Any]:
        """The arguments that a person typed as NAME=VALUE, in the order of the kind. Lists have commas.

        Raises:
            WrongArguments: one is missing, or unknown.
            MalformedArgument: one is not of its form.
        """
        units = {argument.name: argument for argument in self.arguments}
        plain = {name: _plain(units[name], text) if name in units else text for name, text in pairs.items()}
        return parse_arguments(self.name, self.parameters, plain)

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """The arguments as the factory takes them.

        Args:
            values: by name; addresses as hex texts, amounts in wei, times and durations in seconds.
        Raises: WrongArguments: one is missing, unknown, or not of its type.
        """
        if {argument.name for argument in self.arguments} != set(values):
            raise WrongArguments(self.name, self.parameters, f"these were given: {', '.join(values) or 'none'}")
        types = [argument.abi_type for argument in self.arguments]
        try:
            return encode(types, [values[argument.name] for argument in self.arguments])
        except (EncodingError, TypeError, ValueError) as error:
            raise WrongArguments(self.name, self.parameters, str(error)) from None

    def decode(self, data: bytes) -> dict[str, Any]:
        """The arguments of a policy that was made, by name; addresses with checksums, numbers in the smallest unit.

        Raises: WrongArguments: the bytes are no arguments of this kind.
        """
        try:
            values = decode([argument.abi_type for argument in self.arguments], data)
        except (DecodingError, OverflowError) as error:
            raise WrongArguments(self.name, self.parameters, str(error)) from None
        return {
            argument.name: _checked(argument.abi_type, value)
            for argument, value in zip(self.arguments, values, strict=True)
        }

    def operands(self, arguments: Mapping[str, Any]) -> tuple[Address, ...]:
        """The policies that a policy with these arguments asks; none for most kinds."""
        if self.evidence is EvidenceForm.PARTS:
            return tuple(arguments["operands"])
        return (arguments["operand"],) if self.name == "Not" else ()


def kind_named(name: str) -> Kind:
    """The kind of that name.

    Raises: NoSuchKind: there is none; with all that there are.
    """
    kind = KINDS.get(name)
    if kind is None:
        raise NoSuchKind(name, list(KINDS))
    return kind


def _plain(argument: Argument, text: str) -> str:
    """What was typed in the unit of an argument, as the whole number that it stands for."""
    match argument.unit:
        case Unit.WAL:
            return str(_amount(argument, text))
        case Unit.MOMENT:
            return str(_moment(argument, text))
        case Unit.DURATION:
            return str(_duration(argument, text))
        case Unit.PLAIN:
            return _whole(argument, text) if argument.abi_type.startswith("uint") else text


def _whole(argument: Argument, text: str) -> str:
    if _WHOLE.fullmatch(text.strip()) is None:
        raise MalformedArgument(f"{argument.name}, a number", text, "write a whole number")
    return text


def _amount(argument: Argument, text: str) -> int:
    try:
        return parse_amount(text)
    except MalformedAmount as error:
        raise MalformedArgument(f"{argument.name}, an amount of WAL", text, error.why) from None


def _moment(argument: Argument, text: str) -> int:
    if text.strip().isascii() and text.strip().isdigit():
        return int(text)
    found = _MOMENT.fullmatch(text.strip())
    form = "write seconds since 1970, or UTC like 2027-01-31 or 2027-01-31T12:00Z"
    if found is None:
        raise MalformedArgument(f"{argument.name}, a time", text, form)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    exists = year >= 1970 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    if not exists or hour > 23 or minute > 59 or second > 59:
        raise MalformedArgument(f"{argument.name}, a time", text, "there is no such day or hour after 1970")
    return calendar.timegm((year, month, day, hour, minute, second))


def _duration(argument: Argument, text: str) -> int:
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise MalformedArgument(f"{argument.name}, a duration", text, "write seconds, or a number like 90s, 12h or 30d")
    return int(found[1]) * _SECONDS[found[2]]


def _checked(abi_type: str, value: Any) -> Any:
    if abi_type == "address":
        return Address(to_checksum_address(value))
    return [_checked(abi_type.removesuffix("[]"), entry) for entry in value] if abi_type.endswith("[]") else value


_ADMINISTRATOR: Final = Argument("administrator", "address", "who may change the list")
_POOL: Final = Argument("pool", "uint64", "the revenue pool that earns it")
_OPERANDS: Final = Argument("operands", "address[]", "1 to 8 policies, each at most two levels deep")
_RETENTION_ONLY: Final = ("RetentionOnly",)

#: Every ready-made kind by its name, those of access first.
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("Owner", Place.ACCESS, "The owner of the object.", (), ("NotOwner",)),
            Kind("AllowList", Place.ACCESS, "Those on a list.", (_ADMINISTRATOR,), ("NotListed",)),
            Kind(
                "MerkleAllowList",
                Place.ACCESS,
                "Those on a list of which only the Merkle root is public.",
                (Argument("root", "bytes32", "root of the tree of accounts"), _ADMINISTRATOR),
                ("WrongEvidence", "WrongProof"),
                EvidenceForm.PROOF,
            ),
            Kind("DenyList", Place.ACCESS, "Everybody but those on a list.", (_ADMINISTRATOR,), ("Listed",)),
            Kind(
                "Erc20Holder",
                Place.ACCESS,
                "Those who hold enough of an ERC-20 token.",
                (
                    Argument("token", "address", "the token"),
                    Argument("minimum", "uint256", "how much is enough, in the token's smallest unit"),
                ),
                ("TooFewTokens",),
            ),
            Kind(
                "Erc721Holder",
                Place.ACCESS,
                "Those who hold a token of an ERC-721 collection.",
                (Argument("token", "address", "the collection"),),
                ("TooFewTokens",),
            ),
            Kind(
                "Erc1155Holder",
                Place.ACCESS,
                "Those who hold enough of one token of an ERC-1155 contract.",
                (
                    Argument("token", "address", "the contract"),
                    Argument("id", "uint256", "which of its tokens"),
                    Argument("minimum", "uint256", "how many are enough"),
                ),
                ("TooFewTokens",),
            ),
            Kind(
                "Credential",
                Place.ACCESS,
                "Those with a credential that is neither expired nor revoked.",
                (
                    Argument("registry", "address", "the credential registry, or the Ethereum Attestation Service"),
                    Argument("schema", "bytes32", "what the credential has to say"),
                    Argument("attester", "address", "who has to say it"),
                ),
                (
                    "NoCredential",
                    "WrongEvidence",
                    "WrongSchema",
                    "WrongAttester",
                    "WrongRecipient",
                    "CredentialRevoked",
                    "CredentialExpired",
                ),
                EvidenceForm.CREDENTIAL,
            ),
            Kind(
                "TimeWindow",
                Place.ACCESS,
                "Everybody, from one moment on and until before another.",
                (
                    Argument("from", "uint64", "the first second", Unit.MOMENT),
                    Argument("until", "uint64", "the first second that is too late", Unit.MOMENT),
                ),
                ("TooEarly", "TooLate"),
            ),
            Kind(
                "PayPerRead",
                Place.ACCESS,
                "Everybody who pays for each use.",
                (Argument("price", "uint128", "of one use", Unit.WAL), _POOL),
                (),
            ),
            Kind(
                "ReadQuota",
                Place.ACCESS,
                "Everybody, for so many uses of each object.",
                (Argument("limit", "uint64", "uses of an object by each requester"),),
                ("QuotaUsedUp",),
            ),
            Kind(
                "Subscription",
                Place.ACCESS,
                "Those who bought time; then uses are free.",
                (
                    Argument("price", "uint128", "of one period", Unit.WAL),
                    Argument("periodSeconds", "uint32", "how long a period is", Unit.DURATION),
                    _POOL,
                ),
                ("NoSubscription",),
            ),
            Kind(
                "AllOf",
                Place.BOTH,
                "Those whom all of several policies let in; or all of several retention rules at once.",
                (_OPERANDS,),
                ("WrongEvidence", "OperandDenies"),
                EvidenceForm.PARTS,
            ),
            Kind(
                "AnyOf",
                Place.ACCESS,
                "Those whom at least one of several policies lets in, at the price of the first that does.",
                (_OPERANDS,),
                ("WrongEvidence", "NoneAllows"),
                EvidenceForm.PARTS,
            ),
            Kind(
                "Not",
                Place.ACCESS,
                "Those whom another policy denies.",
                (Argument("operand", "address", "a policy that reads no evidence, at most two levels deep"),),
                ("OperandAllows",),
            ),
            Kind(
                "KOfN",
                Place.ACCESS,
                "Those whom at least k of several policies let in.",
                (Argument("k", "uint8", "how many have to"), _OPERANDS),
                ("WrongEvidence", "TooFewAllow"),
                EvidenceForm.PARTS,
            ),
            Kind(
                "FixedTerm",
                Place.RETENTION,
                "Not deleted before an epoch.",
                (Argument("untilEpoch", "uint32", "the first epoch in which it may be deleted"),),
                _RETENTION_ONLY,
            ),
            Kind("WriteOnce", Place.RETENTION, "Never deleted.", (), _RETENTION_ONLY),
            Kind(
                "LegalHold",
                Place.RETENTION,
                "Not deleted while any of its holders holds it.",
                (Argument("holders", "address[]", "1 to 8 accounts that may hold an object"),),
                _RETENTION_ONLY,
            ),
            Kind(
                "DeleteAfter",
                Place.RETENTION,
                "Its keys are destroyed at a time.",
                (Argument("time", "uint64", "from when on no key is released", Unit.MOMENT),),
                _RETENTION_ONLY,
            ),
            Kind(
                "Programs",
                Place.ACCESS,
                "Everybody who has one of several programs compute on the data; nobody who reads it.",
                (Argument("programs", "bytes32[]", "blob ids of 1 to 16 programs"),),
                ("ReadingDenied", "NotAProgram"),
            ),
        )
    }
)
