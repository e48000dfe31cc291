"""Outputs of jobs, sealed to whoever ordered them.

    sealed output = HPKE(key of the order, data key) ‖ the output encrypted under the data key (`crypto.chunks`)

The job's number and the node are bound in. Each node draws a data key of its own, so two nodes' sealed outputs differ;
what they agree on is the hash of the run's result, which whoever opens an output compares.

Source: docs/spec/18-jobs.md.
"""

from __future__ import annotations

import io
from typing import Final

from walrus_chain.crypto.chunks import (
    CHUNK_BYTES,
    SALT_BYTES,
    ChunkCipher,
    StreamOpener,
    chunk_count,
    ciphertext_size,
)
from walrus_chain.crypto.curve import Chance
from walrus_chain.crypto.derive import DATA_KEY_BYTES
from walrus_chain.crypto.sealing import SealingKey, seal_data_key
from walrus_chain.errors import SealNotOpened

#: One-time public key ‖ encrypted data key ‖ tag.
SEALED_KEY_BYTES: Final = 32 + DATA_KEY_BYTES + 16


def sealed_output_size(output_size: int) -> int:
    """Bytes that an output of so many bytes takes sealed."""
    return SEALED_KEY_BYTES + ciphertext_size(output_size)


def seal_output(encryption_key: bytes, job: int, node: int, output: bytes, random: Chance) -> bytes:
    """The output of a job, for the holder of the order's key.

    Args:
        encryption_key: 32 bytes, X25519.
        node: who sealed it.
    Raises: MalformedKey: nothing can be sealed to such a key.
    """
    data_key = random(DATA_KEY_BYTES)
    sealed = io.BytesIO()
    sealed.write(seal_data_key(encryption_key, data_key, _bound(job, node)))
    cipher = ChunkCipher(data_key, random(SALT_BYTES))
    sealed.write(cipher.header)
    last = chunk_count(len(output)) - 1
    for index in range(last + 1):
        chunk = output[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
        sealed.write(cipher.seal(index, index == last, chunk))
    return sealed.getvalue()


def open_output(key: SealingKey, job: int, node: int, sealed: bytes) -> bytes:
    """The output that a node sealed; compare its hash with the one on chain.

    Raises:
        SealNotOpened: not for this key, job and node.
        ChunkNotOpened, MalformedCiphertext, WrongDataKey: changed or cut off.
    """
    if len(sealed) < SEALED_KEY_BYTES:
        raise SealNotOpened
    data_key = key.open_data_key(sealed[:SEALED_KEY_BYTES], _bound(job, node))
    body = memoryview(sealed)[SEALED_KEY_BYTES:]
    opener = StreamOpener(data_key, len(body))
    output = bytes(opener.feed(body))
    opener.finish()
    return output


def _bound(job: int, node: int) -> bytes:
    return job.to_bytes(32, "big") + node.to_bytes(4, "big")
