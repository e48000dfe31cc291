"""Programs that come to the data, on a real network: for whoever may compute and not read, too."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.integration.client.people import ONE_WAL, newcomer
from walrus_chain.client.client import Client
from walrus_chain.client.sealing import Privacy
from walrus_chain.compute.run import Ending
from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.errors import AccessDenied
from walrus_chain.types import BlobId, JobId, Wei

pytestmark = pytest.mark.integration

WORD_COUNT = Path(__file__).parents[3] / "examples" / "programs" / "word_count.wasm"
FEE = Wei(3 * ONE_WAL)
TEXT = b"one two three\nfour\n"


async def counted(client: Client, job: JobId) -> bytes:
    """What a job wrote, once it is settled and nodes agreed."""
    async with asyncio.timeout(120):
        report = await client.compute.watch(job, poll_seconds=0.1)
    assert len(report.agreeing) == 3
    result = await client.compute.result(job)
    assert result.ending is Ending.FINISHED
    return result.output


async def test_compute__public_and_private_inputs__right_result_for_who_may_not_read(
    walrus_network: WalrusNetwork,
) -> None:
    researcher = await newcomer(walrus_network)
    text = TEXT + os.urandom(8).hex().encode() + b"\n"
    async with walrus_network.client() as owner, walrus_network.client(researcher) as client:
        program = (await owner.compute.publish(WORD_COUNT)).blob_id
        public = await owner.store(text, reuse=False)
        allowed = await owner.policies.create("Programs", {"programs": [program.digest]})
        private = await owner.store(text, private=Privacy(allowed.policy), reuse=False)

        in_clear = await client.compute.order(program, [public.blob_object], fee=FEE)
        trial = await client.compute.estimate(in_clear)
        sealed = await client.compute.order(program, [private.blob_object], fee=FEE)
        jobs = [(await client.compute.request(order, maximum=FEE)).job for order in (in_clear, sealed)]
        outputs = [await counted(client, job) for job in jobs]

        assert await client.compute.list() == tuple(jobs)
        with pytest.raises(AccessDenied, match="ReadingDenied"):
            await client.read_bytes(private.blob_object)
        another = await client.compute.order(BlobId(bytes(31) + b"\1"), [private.blob_object], fee=FEE)
        with pytest.raises(AccessDenied, match="NotAProgram"):
            await client.compute.request(another)

    assert outputs[0] == outputs[1] == trial.output
    assert str(len(text)).encode() in outputs[0]
    assert sealed.encryption_key != in_clear.encryption_key == bytes(32)
