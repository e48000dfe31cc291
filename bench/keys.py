"""How fast private data is sealed, opened, encrypted and decrypted: one thread, no network, no chain.

    python -m bench.keys [--quick] [--json]

seal, open   the key of an object, to m nodes, from t shares that were checked before; beside the pairings alone
share        what a node makes for an identity that it knows; beside one multiplication on the curve
answer       all signatures, hashes and seals of one answer of a node; per second and core
check        one share by whoever asked; beside the check of one pairing product
encrypt      a file, read through the encrypting reader; beside AES-256-GCM over the same chunks, and SHA-256
decrypt      the same bytes through the opener, in pieces of 1 MiB
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from bench.local_network import machine
from bench.report import Comparison, as_json, best_of, table
from walrus_chain.crypto.chunks import CHUNK_BYTES, ChunkCipher, EncryptingReader, StreamOpener
from walrus_chain.crypto.envelope import Recipient, seal
from walrus_chain.crypto.node_key import MasterKey
from walrus_chain.crypto.sealing import SealingKey, seal_share
from walrus_chain.crypto.threshold import KeyIdentity, make_share
from walrus_chain.messages.access import FREE, NO_PROGRAM, AccessRequest, Action, SessionGrant
from walrus_chain.messages.domain import access_domain
from walrus_chain.messages.receipt import PaidBy, Receipt
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.types import Address, BlobObjectId, NodeId, Wei, format_bytes

MIB = 2**20
CURVE, AES, SHA = "the curve alone", "AES-256-GCM", "SHA-256"
_CONTRACT = Address("0x1000000000000000000000000000000000000001")
_IDENTITY = KeyIdentity(1, _CONTRACT, _CONTRACT, BlobObjectId(1), 1)
_DATA_KEY = bytes(32)
_NODE = NodeId(1)
_NOW = 1_800_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.keys", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs, a smaller file")
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    options = parser.parse_args(arguments)
    runs = 20 if options.quick else 100
    size = (16 if options.quick else 256) * MIB
    keys = [line for needed, nodes in ((5, 10), (17, 32)) for line in threshold(needed, nodes, runs)]
    keys += list(answers(runs))
    content = os.urandom(size)
    ciphers, hashes = encryption(content)
    if options.json:
        print(as_json({CURVE: keys, AES: ciphers, SHA: hashes}))
        return 0
    print(machine())
    print(table("keys", keys, theirs=CURVE))
    print(table(f"data, {format_bytes(size)}", ciphers, theirs=AES))
    print(table(f"data, {format_bytes(size)}", hashes, theirs=SHA))
    return 0


def threshold(needed: int, nodes: int, runs: int) -> Iterator[Comparison]:
    """Sealing to so many nodes and opening from `needed` shares."""
    masters = {NodeId(node + 1): MasterKey.generate(os.urandom) for node in range(nodes)}
    recipients = [Recipient(node, master.public) for node, master in masters.items()]
    point = G1Point() * Scalar(5)
    where = f"{needed} of {nodes}: "

    def line(what: str, ours: Callable[[], object], theirs: Callable[[], object], note: str = "") -> Comparison:
        times = max(3, runs // nodes)
        return Comparison(where + what, best_of(ours, times) * 1000, best_of(theirs, times) * 1000, "ms", "less", note)

    envelope = seal(_DATA_KEY, _IDENTITY, recipients, needed, os.urandom)
    yield line(
        "seal",
        lambda: seal(_DATA_KEY, _IDENTITY, recipients, needed, os.urandom),
        lambda: [GT.pairing(point, recipient.key.point) for recipient in recipients],
        f"{len(envelope.to_bytes())} bytes",
    )
    raw = {node: make_share(master, _IDENTITY) for node, master in masters.items()}
    shares = [envelope.verify_share(node, raw[node], _IDENTITY, masters[node].public) for node in list(raw)[:needed]]
    yield line(
        "open",
        lambda: envelope.open(_IDENTITY, shares),
        lambda: [GT.pairing(point, G2Point()) for _ in range(needed)],
    )
    yield line(
        "check one share",
        lambda: envelope.verify_share(_NODE, raw[_NODE], _IDENTITY, masters[_NODE].public),
        lambda: GT.pairing_check([point, point], [G2Point(), -G2Point()]),
    )


def answers(runs: int) -> Iterator[Comparison]:
    """What a node does for one answer."""
    master, once = MasterKey.generate(os.urandom), Scalar.from_be_bytes(bytes([7]) * 32)
    point = G1Point()
    share = best_of(lambda: make_share(master, _IDENTITY), runs)
    bare = best_of(lambda: point * once, runs)
    yield Comparison("share", share * 1000, bare * 1000, "ms", "less")
    yield Comparison("shares per second and core", 1 / share, 1 / bare, "", "more")
    answering = best_of(answer_of(master), runs)
    yield Comparison("answer", answering * 1000, None, "ms", "less", "two signatures checked, one made, share, seal")
    yield Comparison("answers per second and core", 1 / answering, None, "", "more")


def answer_of(master: MasterKey) -> Callable[[], object]:
    """One answer: parse and check grant and request, make the share, sign the receipt, seal the share."""
    domain = access_domain(1, _CONTRACT)
    requester, session, signer = (LocalSigner(os.urandom(32)) for _ in range(3))
    blob_object = BlobObjectId(1)
    sealing = SealingKey.generate(os.urandom)
    grant = SessionGrant(
        requester.address, session.address, sealing.public, (blob_object,), 1, Wei(0), _NOW, _NOW + 3600
    )
    request = AccessRequest(
        grant=grant.digest(domain),
        node=_NODE,
        blob_object=blob_object,
        action=Action.READ,
        program=NO_PROGRAM,
        key_epoch=1,
        sequence=0,
        evidence=bytes(32),
        block_hash=bytes(32),
        nonce=os.urandom(32),
        expires_at=_NOW + 60,
        payment=FREE,
    )
    grant_data, grant_signature = grant.as_data(), grant.sign(requester, domain)
    request_data, request_signature = request.as_data(), request.sign(session, domain)

    def answer() -> object:
        granted, asked = SessionGrant.from_data(grant_data), AccessRequest.from_data(request_data)
        granted.verify(grant_signature, domain)
        asked.verify(request_signature, granted, domain)
        asked.check(granted, domain, _NODE, _NOW)
        use, digest = asked.use(granted.requester), asked.digest(domain)
        receipt = Receipt(
            node=_NODE,
            index=0,
            use=use.digest(domain),
            requester=use.requester,
            blob_object=use.blob_object,
            action=use.action,
            program=use.program,
            key_epoch=use.key_epoch,
            sequence=use.sequence,
            block_hash=asked.block_hash,
            block_number=1,
            request=digest,
            paid_by=PaidBy.FREE,
            amount=Wei(0),
            pool=0,
            channel=0,
            cumulative=Wei(0),
            time=_NOW,
        )
        signature = receipt.sign(signer, domain)
        return signature, seal_share(granted.encryption_key, make_share(master, _IDENTITY), digest)

    return answer


def encryption(content: bytes) -> tuple[list[Comparison], list[Comparison]]:
    """Encrypting and decrypting, beside the cipher alone and beside hashing, in MiB per second."""
    mebibytes = len(content) / MIB
    cipher, bare = ChunkCipher(_DATA_KEY, bytes(16)), AESGCM(_DATA_KEY)
    chunks = [content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES)]
    nonces = [place.to_bytes(12, "big") for place in range(len(chunks))]
    sealed = [bare.encrypt(nonce, chunk, None) for nonce, chunk in zip(nonces, chunks, strict=True)]
    ciphertext = EncryptingReader(io.BytesIO(content), len(content), cipher).read()

    def encrypting() -> None:
        reader, buffer = EncryptingReader(io.BytesIO(content), len(content), cipher), bytearray(MIB)
        while reader.readinto(buffer):
            pass

    def decrypting() -> None:
        opener = StreamOpener(_DATA_KEY, len(ciphertext))
        view = memoryview(ciphertext)
        for start in range(0, len(view), MIB):
            opener.feed(view[start : start + MIB])
        opener.finish()

    def rate(call: Callable[[], object]) -> float:
        return mebibytes / best_of(call, 3)

    ours = {"encrypt": rate(encrypting), "decrypt": rate(decrypting)}

    def bare_encrypting() -> None:
        for nonce, chunk in zip(nonces, chunks, strict=True):
            bare.encrypt(nonce, chunk, None)

    def bare_decrypting() -> None:
        for nonce, chunk in zip(nonces, sealed, strict=True):
            bare.decrypt(nonce, chunk, None)

    peers = {"encrypt": rate(bare_encrypting), "decrypt": rate(bare_decrypting)}
    hashing = rate(lambda: hashlib.sha256(content).digest())
    return (
        [Comparison(what, ours[what], peers[what], "MiB/s", "more") for what in ours],
        [Comparison(what, ours[what], hashing, "MiB/s", "more") for what in ours],
    )


if __name__ == "__main__":
    sys.exit(main())
