"""Write tests/vectors/envelopes.json: node keys, shares, envelopes, encrypted data, sealed answers and outputs.

    python scripts/make_envelope_vectors.py

Nothing here is computed by the code it checks: the curve is py_ecc's, AES is pycryptodome's, HKDF and HPKE are written
out. All that is drawn by chance in real use is made from words: a difference after running this is a break of
compatibility.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from Crypto.Cipher import AES
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from eth_account import Account
from py_ecc.bls.hash_to_curve import hash_to_G1
from py_ecc.bls.point_compression import compress_G1, compress_G2
from py_ecc.fields import optimized_bls12_381_FQ12 as FQ12
from py_ecc.fields.field_properties import field_properties
from py_ecc.optimized_bls12_381.optimized_curve import G2, add, curve_order, multiply
from py_ecc.optimized_bls12_381.optimized_pairing import pairing

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "envelopes.json"
KEY_TAG = b"WALRUS-KEY-V1_BLS12381G1_XMD:SHA-256_SSWU_RO_"
FIELD_MODULUS = field_properties["bls12_381"]["field_modulus"]
PROOF_TAG = b"WALRUS-POP-V1_BLS12381G1_XMD:SHA-256_SSWU_RO_"

Case = dict[str, Any]


def words(text: str, length: int = 32) -> bytes:
    """Bytes that a text stands for, up to 64."""
    return hashlib.sha512(f"walrus-chain/envelopes/{text}".encode()).digest()[:length]


def number(text: str) -> int:
    """A scalar that a text stands for, from its 48 bytes as the code draws them."""
    return int.from_bytes(words(text, 48), "big") % curve_order


def account(text: str) -> str:
    """An address that a text stands for."""
    address: str = Account.from_key(words(text)).address
    return address


def hexed(data: bytes) -> str:
    """0x and hex digits."""
    return "0x" + data.hex()


def hash_to_point(message: bytes, tag: bytes) -> Any:
    """RFC 9380, `BLS12381G1_XMD:SHA-256_SSWU_RO_`."""
    return hash_to_G1(message, tag, hashlib.sha256)  # type: ignore[arg-type] # it takes the function, whatever it says


def g1_bytes(point: Any) -> bytes:
    """48 bytes."""
    return int(compress_G1(point)).to_bytes(48, "big")


def g2_bytes(point: Any) -> bytes:
    """96 bytes."""
    return b"".join(int(half).to_bytes(48, "big") for half in compress_G2(point))


def pairing_bytes(first: Any, second: Any) -> bytes:
    """The pairing as the spec has it: py_ecc's to the power -3, written in a tower of extensions."""
    value = FQ12.one() / pairing(second, first) ** 3
    c = [int(coefficient) for coefficient in value.coeffs]
    pairs = [((c[i] + c[i + 6]) % FIELD_MODULUS, c[i + 6]) for i in range(6)]
    return b"".join(half.to_bytes(48, "little") for i in (0, 2, 4, 1, 3, 5) for half in pairs[i])


def hkdf(key: bytes, info: bytes, length: int = 32, salt: bytes = b"") -> bytes:
    """RFC 5869 with SHA-256."""
    return expand(hmac.digest(salt or bytes(32), key, "sha256"), info, length)


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """The second half of it."""
    out, block = b"", b""
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def encrypted(key: bytes, nonce: bytes, plaintext: bytes, bound: bytes) -> bytes:
    """AES-GCM: ciphertext and tag."""
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
    cipher.update(bound)
    ciphertext, tag = cipher.encrypt_and_digest(plaintext)
    return bytes(ciphertext + tag)


def node_key(text: str, signer: str) -> Case:
    """What a node registers."""
    public = g2_bytes(multiply(G2, number(text)))
    point = hash_to_point(b"WALRUS-POP-V1" + public + bytes.fromhex(signer[2:]), PROOF_TAG)
    return {
        "masterKey": hexed(number(text).to_bytes(32, "big")),
        "signer": signer,
        "publicKey": hexed(public),
        "keyId": hexed(hashlib.sha256(public).digest()[:8]),
        "nodeKey": hexed(public + g1_bytes(multiply(point, number(text)))),
    }


def identity(chain_id: int, contract: str, policy: str, blob_object: int, epoch: int) -> Case:
    """What a key is sealed for."""
    data = b"".join(
        (
            b"WALRUS-KEY-V1",
            chain_id.to_bytes(32, "big"),
            bytes.fromhex(contract[2:]),
            bytes.fromhex(policy[2:]),
            blob_object.to_bytes(32, "big"),
            epoch.to_bytes(4, "big"),
        )
    )
    return {
        "chainId": str(chain_id),
        "blobPolicies": contract,
        "accessPolicy": policy,
        "blobObject": str(blob_object),
        "keyEpoch": epoch,
        "bytes": hexed(data),
        "point": hexed(g1_bytes(hash_to_point(data, KEY_TAG))),
    }


def envelope(name: str, sealed_for: Case, nodes: list[int], threshold: int, erasable: bool) -> Case:
    """A sealed data key, with the shares that open it. Chance is given in the order in which it is drawn."""
    bound = bytes.fromhex(sealed_for["bytes"][2:])
    point = hash_to_point(bound, KEY_TAG)
    data_key = words(f"data key {name}")
    drawn = [words(f"{name} drawn {i}", 48) for i in range(1 + threshold)]
    once, *coefficients = (int.from_bytes(chance, "big") % curve_order for chance in drawn)
    commitment = g2_bytes(multiply(G2, once))
    head = bytes([1, int(erasable), threshold, len(nodes)]) + commitment
    shares = []
    for node in nodes:
        secret = number(f"master key {node}")
        public = multiply(G2, secret)
        key_id = hashlib.sha256(g2_bytes(public)).digest()[:8]
        extra = b""
        erasable_secret = number(f"erasable key {name} {node}")
        if erasable:
            extra = g2_bytes(multiply(G2, erasable_secret))
            public = add(public, multiply(G2, erasable_secret))
            secret = (secret + erasable_secret) % curve_order
        part = sum(c * node**i for i, c in enumerate(coefficients)) % curve_order
        paired = pairing_bytes(multiply(point, once), public)
        mask = hkdf(paired, b"walrus share mask v1" + bound + commitment + node.to_bytes(4, "big") + key_id)
        masked = bytes(a ^ b for a, b in zip(part.to_bytes(32, "big"), mask, strict=True))
        head += node.to_bytes(4, "big") + key_id + masked + extra
        shares.append(
            {
                "node": node,
                "masterKey": hexed(number(f"master key {node}").to_bytes(32, "big")),
                "erasableKey": hexed(erasable_secret.to_bytes(32, "big")) if erasable else None,
                "share": hexed(g1_bytes(multiply(point, secret))),
            }
        )
    wrapping = hkdf(coefficients[0].to_bytes(32, "big"), b"walrus key wrap v1" + bound)
    return {
        "identity": sealed_for,
        "threshold": threshold,
        "dataKey": hexed(data_key),
        "drawn": [hexed(chance) for chance in drawn],
        "shares": shares,
        "envelope": hexed(head + encrypted(wrapping, bytes(12), data_key, bound + head)),
    }


def encrypted_data(size: int) -> Case:
    """Encrypted data under a derived key. The content repeats its own hash, so that it need not be written out."""
    content = (words("content", 64) * (size // 64 + 1))[:size]
    secret = words("owner's secret")
    derived = hkdf(secret, b"walrus data key v1" + hashlib.sha256(content).digest(), 48)
    data_key, salt = derived[:32], derived[32:]
    ciphertext = encrypted_content(data_key, salt, content)
    return {
        "size": size,
        "pattern": hexed(words("content", 64)),
        "secret": hexed(secret),
        "dataKey": hexed(data_key),
        "salt": hexed(salt),
        "ciphertextSize": len(ciphertext),
        "ciphertextSha256": hexed(hashlib.sha256(ciphertext).digest()),
        "ciphertext": hexed(ciphertext) if size < 100 else None,
    }


def encrypted_content(data_key: bytes, salt: bytes, content: bytes) -> bytes:
    """Encrypted data: header and chunks."""
    header = b"WLRS" + bytes([1, 16]) + bytes(10) + salt + hkdf(data_key, b"walrus key check v1", salt=salt)
    key = hkdf(data_key, b"walrus chunk v1", salt=salt)
    pieces = [content[start : start + 2**16] for start in range(0, max(1, len(content)), 2**16)]
    return header + b"".join(
        encrypted(key, index.to_bytes(11, "big") + bytes([index == len(pieces) - 1]), piece, header)
        for index, piece in enumerate(pieces)
    )


def sealed_answer(text: str) -> Case:
    """A share for a request."""
    share, digest = words(f"share {text}", 48), words(f"request {text}")
    receiver, sealed = hpke(text, share, b"walrus share v1" + digest)
    return {**receiver, "requestDigest": hexed(digest), "share": hexed(share), "sealed": hexed(sealed)}


def sealed_output(text: str, job: int, node: int, output: bytes) -> Case:
    """The output of a job, sealed to who ordered it."""
    data_key, salt = words(f"output key {text}"), words(f"output salt {text}", 16)
    bound = b"walrus output v1" + job.to_bytes(32, "big") + node.to_bytes(4, "big")
    receiver, sealed = hpke(f"output {text}", data_key, bound)
    return {
        **receiver,
        "job": str(job),
        "node": node,
        "output": hexed(output),
        "sealed": hexed(sealed + encrypted_content(data_key, salt, output)),
    }


def hpke(text: str, secret: bytes, info: bytes) -> tuple[Case, bytes]:
    """HPKE, RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM: whose, and what is sealed."""
    receiver = X25519PrivateKey.from_private_bytes(words(f"sealing key {text}"))
    once = X25519PrivateKey.from_private_bytes(words(f"one-time key {text}"))
    enc, public = once.public_key().public_bytes_raw(), receiver.public_key().public_bytes_raw()

    def labelled_extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")

    def labelled_expand(suite: bytes, key: bytes, label: bytes, context: bytes, length: int) -> bytes:
        return expand(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context, length)

    kem = b"KEM" + (0x20).to_bytes(2, "big")
    suite = b"HPKE" + (0x20).to_bytes(2, "big") + (1).to_bytes(2, "big") + (1).to_bytes(2, "big")
    agreed = once.exchange(X25519PublicKey.from_public_bytes(public))
    shared = labelled_expand(kem, labelled_extract(kem, b"", b"eae_prk", agreed), b"shared_secret", enc + public, 32)
    context = (
        b"\0" + labelled_extract(suite, b"", b"psk_id_hash", b"") + labelled_extract(suite, b"", b"info_hash", info)
    )
    extracted = labelled_extract(suite, shared, b"secret", b"")
    key = labelled_expand(suite, extracted, b"key", context, 16)
    nonce = labelled_expand(suite, extracted, b"base_nonce", context, 12)
    whose = {"sealingKey": hexed(words(f"sealing key {text}")), "encryptionKey": hexed(public)}
    return whose, enc + encrypted(key, nonce, secret, b"")


def vectors() -> dict[str, list[Case]]:
    """All cases."""
    plain = identity(31337, account("blob policies 1"), account("policy 1"), 7, 1)
    ownerless = identity(1, account("blob policies 2"), "0x" + "00" * 20, 2**256 - 1, 2**32 - 1)
    return {
        "nodeKeys": [
            node_key("master key 1", account("signer 1")),
            node_key("master key 1", account("signer 2")),
            node_key("master key 2", account("signer 1")),
        ],
        "envelopes": [
            envelope("one", plain, [1], 1, erasable=False),
            envelope("three", plain, [1, 2, 3], 2, erasable=False),
            envelope("far", ownerless, [4, 70000, 2**32 - 1], 3, erasable=False),
            envelope("erasable", plain, [2, 5], 2, erasable=True),
        ],
        "data": [encrypted_data(size) for size in (0, 1, 64, 2**16 - 1, 2**16, 2**16 + 1, 3 * 2**16)],
        "sealedAnswers": [sealed_answer("1"), sealed_answer("2")],
        "sealedOutputs": [
            sealed_output("1", 1, 1, b""),
            sealed_output("2", 2**256 - 1, 2**32 - 1, words("output 2", 64)),
        ],
    }


def main() -> None:
    VECTORS.write_text(json.dumps(vectors(), indent=2) + "\n")
    print(f"wrote {VECTORS.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
