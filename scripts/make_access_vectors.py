"""Write tests/vectors/access.json: the messages of access to data, their digests and signatures, and receipt trees.

    python scripts/make_access_vectors.py

Digests are computed by eth-account's own EIP-712 encoder and trees by a few lines of their own here, so that neither is
checked against itself. Keys are made from words: a difference after running this is a break of compatibility. Fields
stand beside the digest with all numbers as decimal texts; `data` is the message as it travels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "access.json"
ACCESS, CHANNELS = "Walrus Chain Access", "Walrus Chain Read Channels"
LARGEST = {bits: 2**bits - 1 for bits in (32, 64, 128, 256)}
WEEK = 7 * 24 * 3600

Case = dict[str, Any]
Field = tuple[str, str]

GRANT: tuple[Field, ...] = (
    ("requester", "address"),
    ("sessionKey", "address"),
    ("encryptionKey", "bytes32"),
    ("blobObjects", "uint256[]"),
    ("actions", "uint8"),
    ("spendLimit", "uint128"),
    ("validFrom", "uint64"),
    ("validUntil", "uint64"),
)
JOB_GRANT: tuple[Field, ...] = (
    ("job", "uint256"),
    ("node", "uint32"),
    ("encryptionKey", "bytes32"),
    ("validUntil", "uint64"),
)
REQUEST: tuple[Field, ...] = (
    ("grant", "bytes32"),
    ("node", "uint32"),
    ("blobObject", "uint256"),
    ("action", "uint8"),
    ("program", "bytes32"),
    ("keyEpoch", "uint32"),
    ("sequence", "uint64"),
    ("evidence", "bytes32"),
    ("blockHash", "bytes32"),
    ("nonce", "bytes32"),
    ("expiresAt", "uint64"),
    ("payment", "bytes32"),
)
USE: tuple[Field, ...] = (
    ("requester", "address"),
    ("blobObject", "uint256"),
    ("action", "uint8"),
    ("program", "bytes32"),
    ("keyEpoch", "uint32"),
    ("sequence", "uint64"),
)
RECEIPT: tuple[Field, ...] = (
    ("node", "uint32"),
    ("index", "uint64"),
    ("use", "bytes32"),
    ("requester", "address"),
    ("blobObject", "uint256"),
    ("action", "uint8"),
    ("program", "bytes32"),
    ("keyEpoch", "uint32"),
    ("sequence", "uint64"),
    ("blockHash", "bytes32"),
    ("blockNumber", "uint64"),
    ("request", "bytes32"),
    ("paidBy", "uint8"),
    ("amount", "uint128"),
    ("pool", "uint64"),
    ("channel", "uint256"),
    ("cumulative", "uint128"),
    ("time", "uint64"),
)
ERASABLE: tuple[Field, ...] = (("node", "uint32"), ("blobObject", "uint256"), ("publicKey", "bytes"))
VOUCHER: tuple[Field, ...] = (
    ("channel", "uint256"),
    ("cumulative", "uint128"),
    ("amount", "uint128"),
    ("purpose", "bytes32"),
)


def words(text: str) -> bytes:
    """32 bytes that a text stands for."""
    return hashlib.sha256(f"walrus-chain/access/{text}".encode()).digest()


def account(text: str) -> str:
    """An address that a text stands for."""
    address: str = Account.from_key(words(text)).address
    return address


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message counts."""

    name: str
    chain_id: int
    contract: str


HOME = Place(ACCESS, 31337, "blob policies 1")
OTHER_CHAIN = Place(ACCESS, 1, "blob policies 1")
OTHER_CONTRACT = Place(ACCESS, 31337, "blob policies 2")
FAR = Place(ACCESS, 2**53 - 1, "blob policies 3")
MARKET = Place(CHANNELS, 31337, "read channels 1")


def signed(primary: str, fields: Sequence[Field], message: Mapping[str, Any], place: Place, key: str) -> Case:
    """One message, its digest and the signature of the key that `key` stands for."""
    holder = Account.from_key(words(key))
    typed = encode_typed_data(
        domain_data={
            "name": place.name,
            "version": "1",
            "chainId": place.chain_id,
            "verifyingContract": account(place.contract),
        },
        message_types={primary: [{"name": field, "type": kind} for field, kind in fields]},
        message_data=dict(message),
    )
    digest = keccak(b"\x19" + typed.version + typed.header + typed.body)
    encoded = f"{primary}({','.join(f'{kind} {field}' for field, kind in fields)})"
    return {
        "chainId": str(place.chain_id),
        "verifyingContract": account(place.contract),
        **{field: plain(message[field]) for field, _ in fields},
        "typeHash": "0x" + keccak(text=encoded).hex(),
        "digest": "0x" + digest.hex(),
        "signerKey": "0x" + words(key).hex(),
        "signer": holder.address,
        "signature": "0x" + bytes(holder.unsafe_sign_hash(digest).signature).hex(),
        "data": {field: travelling(message[field], kind) for field, kind in fields},
    }


def plain(value: Any) -> Any:
    """A value with all numbers as decimal texts."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list):
        return [str(item) for item in value]
    return str(value) if isinstance(value, int) else value


def travelling(value: Any, kind: str) -> Any:
    """A value as it stands in the JSON that is sent."""
    return value if kind in ("uint8", "uint32") else plain(value)


def grant(place: Place = HOME, key: str = "requester 1", **other: Any) -> Case:
    """A session grant with one thing changed from the usual."""
    message = {
        "requester": account(key),
        "sessionKey": account("session 1"),
        "encryptionKey": words("encryption key 1"),
        "blobObjects": [7],
        "actions": 1,
        "spendLimit": 10**18,
        "validFrom": 1_800_000_000,
        "validUntil": 1_800_003_600,
        **other,
    }
    return signed("SessionGrant", GRANT, message, place, key)


def job_grant(place: Place = HOME, **other: Any) -> Case:
    """A grant of a job. Nobody signs it by itself; the signature only shows the digest."""
    message = {"job": 9, "node": 3, "encryptionKey": words("encryption key 1"), "validUntil": 1_800_003_600, **other}
    return signed("JobGrant", JOB_GRANT, message, place, "node 3")


def use(place: Place = HOME, **other: Any) -> Case:
    """A use. Nobody signs uses by themselves; the signature only shows the digest."""
    message = {
        "requester": account("requester 1"),
        "blobObject": 7,
        "action": 1,
        "program": bytes(32),
        "keyEpoch": 1,
        "sequence": 0,
        **other,
    }
    return signed("Use", USE, message, place, "session 1")


def request(place: Place = HOME, key: str = "session 1", **other: Any) -> Case:
    """An access request with one thing changed from the usual."""
    message = {
        "grant": bytes.fromhex(grant(place)["digest"][2:]),
        "node": 3,
        "blobObject": 7,
        "action": 1,
        "program": bytes(32),
        "keyEpoch": 1,
        "sequence": 0,
        "evidence": keccak(b""),
        "blockHash": words("block 1"),
        "nonce": words("nonce 1"),
        "expiresAt": 1_800_000_300,
        "payment": bytes(32),
        **other,
    }
    return signed("AccessRequest", REQUEST, message, place, key)


def receipt(place: Place = HOME, key: str = "node 3", **other: Any) -> Case:
    """A receipt with one thing changed from the usual."""
    described = {field: other[field] for field, _ in USE if field in other}
    message = {
        "node": 3,
        "index": 0,
        "use": bytes.fromhex(use(place, **described)["digest"][2:]),
        "requester": account("requester 1"),
        "blobObject": 7,
        "action": 1,
        "program": bytes(32),
        "keyEpoch": 1,
        "sequence": 0,
        "blockHash": words("block 1"),
        "blockNumber": 1234,
        "request": bytes.fromhex(request(place)["digest"][2:]),
        "paidBy": 0,
        "amount": 0,
        "pool": 0,
        "channel": 0,
        "cumulative": 0,
        "time": 1_800_000_010,
        **other,
    }
    return signed("Receipt", RECEIPT, message, place, key)


def erasable(place: Place = HOME, key: str = "node 3", **other: Any) -> Case:
    """A node's statement of a key for one object."""
    message = {"node": 3, "blobObject": 7, "publicKey": words("half 1") + words("half 2") + words("half 3"), **other}
    return signed("ErasableKey", ERASABLE, message, place, key)


def voucher(place: Place = MARKET, key: str = "session 1", **other: Any) -> Case:
    """A voucher with one thing changed from the usual."""
    purpose = bytes.fromhex(use()["digest"][2:])
    message = {"channel": 5, "cumulative": 3 * 10**18, "amount": 10**18, "purpose": purpose, **other}
    return signed("Voucher", VOUCHER, message, place, key)


def tree(count: int) -> Case:
    """A tree over so many receipts, with the path of each."""
    digests = [words(f"receipt {index}") for index in range(count)]
    depth = (count - 1).bit_length()
    levels = [digests + [bytes(32)] * (2**depth - count)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([hashlib.sha256(b"\x01" + below[i] + below[i + 1]).digest() for i in range(0, len(below), 2)])
    root = hashlib.sha256(b"\x04" + count.to_bytes(8, "big") + levels[-1][0]).digest()
    return {
        "digests": [plain(digest) for digest in digests],
        "root": plain(root),
        "paths": [
            [plain(level[(index >> height) ^ 1]) for height, level in enumerate(levels[:-1])] for index in range(count)
        ],
    }


def vectors() -> dict[str, list[Case]]:
    """All cases."""
    program = words("program 1")
    return {
        "grants": [
            grant(),
            grant(place=OTHER_CHAIN),
            grant(place=OTHER_CONTRACT),
            grant(key="requester 2"),
            grant(sessionKey=account("session 2")),
            grant(encryptionKey=words("encryption key 2")),
            grant(blobObjects=[]),
            grant(blobObjects=[7, 8, LARGEST[256]]),
            grant(actions=3),
            grant(spendLimit=LARGEST[128], validFrom=LARGEST[64] - WEEK, validUntil=LARGEST[64], place=FAR),
        ],
        "jobGrants": [
            job_grant(),
            job_grant(place=OTHER_CHAIN),
            job_grant(place=OTHER_CONTRACT),
            job_grant(job=10),
            job_grant(node=4),
            job_grant(encryptionKey=words("encryption key 2")),
            job_grant(place=FAR, job=LARGEST[256], node=LARGEST[32], validUntil=LARGEST[64]),
        ],
        "uses": [
            use(),
            use(place=OTHER_CHAIN),
            use(place=OTHER_CONTRACT),
            use(requester=account("requester 2")),
            use(blobObject=8),
            use(action=2, program=program),
            use(keyEpoch=2),
            use(sequence=1),
            use(place=FAR, blobObject=LARGEST[256], keyEpoch=LARGEST[32], sequence=LARGEST[64]),
        ],
        "requests": [
            request(),
            request(place=OTHER_CHAIN),
            request(place=OTHER_CONTRACT),
            request(key="session 2", grant=words("grant 2")),
            request(node=4),
            request(blobObject=8),
            request(action=2, program=program),
            request(keyEpoch=2),
            request(sequence=1),
            request(evidence=keccak(b"evidence")),
            request(blockHash=words("block 2")),
            request(nonce=words("nonce 2")),
            request(expiresAt=1_800_000_301),
            request(payment=keccak(text="purchase")),
            request(payment=bytes.fromhex(voucher()["digest"][2:])),
            request(
                key="node 3",
                grant=bytes.fromhex(job_grant()["digest"][2:]),
                node=4,
                action=2,
                program=program,
                sequence=9,
                payment=keccak(text="job"),
            ),
            request(place=FAR, node=LARGEST[32], keyEpoch=LARGEST[32], sequence=LARGEST[64], expiresAt=LARGEST[64]),
        ],
        "receipts": [
            receipt(),
            receipt(place=OTHER_CHAIN),
            receipt(place=OTHER_CONTRACT),
            receipt(key="node 4", node=4),
            receipt(index=1),
            receipt(action=2, program=program),
            receipt(paidBy=1, amount=5 * 10**17, pool=9),
            receipt(paidBy=2, amount=10**18, pool=9, channel=5, cumulative=3 * 10**18),
            receipt(paidBy=3, action=2, program=program, sequence=9, amount=10**18, pool=9),
            receipt(
                place=FAR,
                index=LARGEST[64],
                sequence=LARGEST[64],
                blockNumber=LARGEST[64],
                paidBy=2,
                amount=LARGEST[128],
                pool=LARGEST[64],
                channel=LARGEST[256],
                cumulative=LARGEST[128],
                time=LARGEST[64],
            ),
        ],
        "erasableKeys": [
            erasable(),
            erasable(place=OTHER_CHAIN),
            erasable(key="node 4", node=4),
            erasable(blobObject=8),
            erasable(publicKey=bytes(96)),
        ],
        "vouchers": [
            voucher(),
            voucher(place=Place(CHANNELS, 1, "read channels 1")),
            voucher(place=Place(CHANNELS, 31337, "read channels 2")),
            voucher(key="session 2"),
            voucher(channel=6),
            voucher(cumulative=4 * 10**18),
            voucher(amount=2 * 10**18),
            voucher(purpose=words("use 2")),
            voucher(channel=LARGEST[256], cumulative=LARGEST[128], amount=LARGEST[128]),
        ],
        "receiptTrees": [tree(count) for count in (1, 2, 3, 5, 8)],
    }


def main() -> None:
    VECTORS.write_text(json.dumps(vectors(), indent=2) + "\n")
    print(f"wrote {VECTORS.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
