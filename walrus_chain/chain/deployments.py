"""Which contracts make up one network, and where they are: the deployment file.

A JSON object: `name`, `chainId`, `block` (the first that can hold an event of the network), and `contracts`, which maps
each name in `CONTRACTS` to its address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from eth_utils.address import is_address, is_checksum_address, to_checksum_address

from walrus_chain.errors import ContractMissing, MalformedDeployment
from walrus_chain.types import Address

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "Owner": "OwnerPolicy",
        "AllowList": "AllowListPolicy",
        "MerkleAllowList": "MerkleAllowListPolicy",
        "DenyList": "DenyListPolicy",
        "Erc20Holder": "Erc20HolderPolicy",
        "Erc721Holder": "Erc721HolderPolicy",
        "Erc1155Holder": "Erc1155HolderPolicy",
        "Credential": "CredentialPolicy",
        "TimeWindow": "TimeWindowPolicy",
        "PayPerRead": "PayPerReadPolicy",
        "ReadQuota": "ReadQuotaPolicy",
        "Subscription": "SubscriptionPolicy",
        "AllOf": "AllOfPolicy",
        "AnyOf": "AnyOfPolicy",
        "Not": "NotPolicy",
        "KOfN": "KOfNPolicy",
        "FixedTerm": "FixedTermPolicy",
        "WriteOnce": "WriteOncePolicy",
        "LegalHold": "LegalHoldPolicy",
        "DeleteAfter": "DeleteAfterPolicy",
        "Programs": "ProgramsPolicy",
    }
)
"""The kinds of ready-made policies, and the contract that each runs."""

CONTRACTS = (
    "WAL",
    "TokenVault",
    "NodeRegistry",
    "Committee",
    "Staking",
    "StorageFees",
    "Prices",
    "Rewards",
    "BlobRegistry",
    "BlobAttributes",
    "BlockHashRandomness",
    "CustodyChallenges",
    "BlobPolicies",
    "RevenuePools",
    "Purchases",
    "ReadChannels",
    "Renewals",
    "ComputeJobs",
    "ReceiptLog",
    "CredentialRegistry",
    "SignatureJudge",
    *KINDS.values(),
    "PolicyFactory",
    "NetworkLens",
    "DutyLens",
)
"""The contracts of a network, in the order in which they are created."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The addresses of one network's contracts."""

    name: str
    chain_id: int
    block: int
    """The first block that can hold an event of this network."""
    contracts: Mapping[str, Address]

    def __post_init__(self) -> None:
        object.__setattr__(self, "contracts", MappingProxyType(dict(self.contracts)))

    def address(self, contract: str) -> Address:
        """Where a contract is.

        Raises: ContractMissing: this deployment does not name it.
        """
        try:
            return self.contracts[contract]
        except KeyError:
            raise ContractMissing(self.name, contract, "the deployment file does not name it") from None

    def as_data(self) -> dict[str, Any]:
        """The content of the deployment file as plain data."""
        return {
            "name": self.name,
            "chainId": self.chain_id,
            "block": self.block,
            "contracts": dict(self.contracts),
        }

    def to_json(self) -> str:
        """The content of the deployment file."""
        return json.dumps(self.as_data(), indent=2) + "\n"

    def save(self, path: Path) -> None:
        """Writes the deployment file; a reader never sees half of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        draft.write_text(self.to_json())
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """The deployment that a file holds.

        Raises: MalformedDeployment: the file is missing, unreadable, or holds something else.
        """
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise MalformedDeployment(path, f"it cannot be read ({error})") from error
        return cls.from_json(text, path)

    @classmethod
    def from_json(cls, text: str, source: object = "the text") -> Deployment:
        """The deployment that `text` spells; `source` names it in errors.

        Raises: MalformedDeployment: not JSON, a field is missing, or an address is none.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise MalformedDeployment(source, f"it is not JSON ({error})") from error
        return cls.from_data(data, source)

    @classmethod
    def from_data(cls, data: object, source: object = "the data") -> Deployment:
        """The deployment in parsed JSON; `source` names it in errors.

        Raises: MalformedDeployment: a field is missing or of the wrong kind, or an address is none.
        """
        if not isinstance(data, dict):
            raise MalformedDeployment(source, "it is not a JSON object")
        contracts = _field(data, "contracts", dict, source)
        missing = [contract for contract in CONTRACTS if contract not in contracts]
        if missing:
            raise MalformedDeployment(source, f"it names no {', '.join(missing)}")
        return cls(
            name=_field(data, "name", str, source),
            chain_id=_field(data, "chainId", int, source),
            block=_field(data, "block", int, source),
            contracts={name: _parse_address(name, value, source) for name, value in contracts.items()},
        )


def _field(data: dict[str, Any], name: str, kind: type[Any], source: object) -> Any:
    value = data.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise MalformedDeployment(source, f"field {name!r} must be a {kind.__name__}, it is {value!r}")
    return value


def _parse_address(contract: str, value: object, source: object) -> Address:
    if not isinstance(value, str) or not is_address(value):
        raise MalformedDeployment(source, f"the address of {contract} is {value!r}")
    mixed_case = value[2:] not in (value[2:].lower(), value[2:].upper())
    if mixed_case and not is_checksum_address(value):
        raise MalformedDeployment(
            source, f"the address of {contract}, {value}, has a typing error (its checksum is wrong)"
        )
    return Address(to_checksum_address(value))
