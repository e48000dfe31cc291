"""Outputs of jobs open for who ordered them, and for nobody else."""

from __future__ import annotations

import pytest

from tests.fakes.readers import chance
from walrus_chain.crypto.chunks import CHUNK_BYTES
from walrus_chain.crypto.outputs import open_output, seal_output, sealed_output_size
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.errors import MalformedKey, SealNotOpened, Untrusted

KEY = SealingKey.generate(chance("requester"))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_open_output__sealed__the_same_and_as_long_as_said(size: int) -> None:
    output = chance("output")(size)

    sealed = seal_output(KEY.public, 5, 2, output, chance("seal"))

    assert len(sealed) == sealed_output_size(size)
    assert open_output(KEY, 5, 2, sealed) == output


@pytest.mark.parametrize(("job", "node"), [(6, 2), (5, 3)])
def test_open_output__of_another_job_or_node__refused(job: int, node: int) -> None:
    with pytest.raises(SealNotOpened):
        open_output(KEY, job, node, seal_output(KEY.public, 5, 2, b"output", chance("seal")))


def test_open_output__for_another__refused() -> None:
    with pytest.raises(SealNotOpened):
        open_output(SealingKey.generate(chance("thief")), 5, 2, seal_output(KEY.public, 5, 2, b"o", chance("seal")))


def test_open_output__any_byte_changed_or_cut_off__refused() -> None:
    sealed = seal_output(KEY.public, 5, 2, b"output", chance("seal"))

    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises((SealNotOpened, Untrusted)):
            open_output(KEY, 5, 2, bytes(changed))
        with pytest.raises((SealNotOpened, Untrusted)):
            open_output(KEY, 5, 2, sealed[:place])


def test_seal_output__to_what_is_no_key__refused() -> None:
    with pytest.raises(MalformedKey):
        seal_output(bytes(32), 5, 2, b"output", chance("seal"))
