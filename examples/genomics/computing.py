"""An analyst may compute and not read: a program comes to the files, agents run it, agree, and are paid."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from examples.genomics.cast import Cast
from examples.genomics.library import EPOCHS, PRICE, Library, denied
from scripts.demonstration.words import ClaimFailed, chapter, claim, say
from walrus_chain.chain.compute_views import JobOrder
from walrus_chain.client.compute import JobReport
from walrus_chain.client.credentials import schema_of
from walrus_chain.compute.run import Ending
from walrus_chain.types import WAL_DECIMALS, Address, BlobId, BlobObjectId, JobId, Wei, format_amount, format_bytes

PROGRAM: Final = Path(__file__).parents[1] / "programs" / "allele_frequency.wasm"
SCHEMA: Final = "ethics approval: computing on cohort genomes"
FEE: Final = Wei(3 * 10**WAL_DECIMALS)
REPLICAS: Final = 3
_YEAR: Final = 365 * 24 * 3600
_PATIENCE_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.25
_GENOTYPES_FROM: Final = 9


async def compute(cast: Cast, library: Library) -> BlobId:
    """The rules change, and the analyst has allele frequencies computed. The program."""
    chapter("An analyst may compute but not read: how frequent is each allele among all people in all files?")
    owner = cast.consortium.client
    program = await owner.compute.publish(PROGRAM, epochs=EPOCHS)
    say(f"the program, {format_bytes(program.size)} of WebAssembly, is public: blob {program.blob_id}")
    await _allow(cast, library, program.blob_id)
    expires = (await cast.chain.head()).timestamp + _YEAR
    await cast.board.client.credentials.issue(SCHEMA, cast.analyst.address, expires_at=expires)
    denial = await denied(cast.analyst, library.objects[0])
    asked = await owner.policies.dry_run(library.objects[0], cast.analyst.address)
    clauses = asked.clause.operands if asked.clause is not None else ()
    reasons = ", ".join(clause.answer.reason for clause in clauses)
    claim(denial.reason == asked.reason == "NoneAllows", f"the analyst's read is denied: {denial.reason} ({reasons})")

    before, purse = await _income(cast, library), (await cast.chain.balances(cast.analyst.address)).wal
    began = time.monotonic()
    job = await request(cast, await order(cast, program.blob_id, library.objects))
    report = await ended(cast, job)
    seconds = time.monotonic() - began
    end = report.settlement
    if end is None:
        raise ClaimFailed(f"job {job} was cancelled")
    names = {node.node_id: node.name for node in await cast.chain.nodes()}
    ran = ", ".join(names[node] for node in report.nodes)
    say(f"job {job} on {len(library.objects)} private files: {ran} ran it; settled after {seconds:.1f} s")
    claim(len(report.agreeing) == REPLICAS, f"all {REPLICAS} agree, and got {format_amount(end.fee_each)} each")
    charges = Wei(PRICE * len(library.objects))
    came = Wei(await _income(cast, library) - before)
    claim(came == end.charged == charges, f"the pool earned {format_amount(came)}: {format_amount(PRICE)} a file")
    first = cast.claimers[0]
    owed = (await first.client.pools.show(library.pool)).claimable or Wei(0)
    claim(owed > 0, f"of that, {format_amount(owed)} wait for contributor {first.address}")
    paid = purse - (await cast.chain.balances(cast.analyst.address)).wal
    claim(paid == FEE + charges, f"the analyst paid {format_amount(Wei(paid))} in all, as quoted")
    await check_result(cast, job, library.files.values())
    return program.blob_id


async def order(cast: Cast, program: BlobId, objects: Iterable[BlobObjectId]) -> JobOrder:
    """The analyst's order for the program on some of the files."""
    return await cast.analyst.client.compute.order(program, list(objects), fee=FEE, replicas=REPLICAS)


async def request(cast: Cast, what: JobOrder) -> JobId:
    """A job of the analyst, at what is quoted and no more."""
    return (await cast.analyst.client.compute.request(what)).job


async def ended(cast: Cast, job: JobId) -> JobReport:
    """How a job ended.

    Raises: ClaimFailed: it does not end.
    """
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await cast.analyst.client.compute.watch(job, poll_seconds=_LOOK_SECONDS)
    except TimeoutError:
        raise ClaimFailed(f"job {job} did not end within {_PATIENCE_SECONDS:.0f} s") from None


async def check_result(cast: Cast, job: JobId, files: Iterable[bytes]) -> None:
    """Compares what the analyst gets with what the owner of the files finds without any network."""
    result = await cast.analyst.client.compute.result(job)
    claim(result.sealed and result.ending is Ending.FINISHED, "the output came sealed to the analyst's key")
    lines = result.output.decode().splitlines()
    say(f"    {lines[0].expandtabs(12)}")
    say(f"    {lines[1].expandtabs(12)}")
    claim(
        result.output == frequencies(files),
        f"{len(lines) - 1:,} sites, the same to the byte as the owner computes in Python",
    )


def frequencies(files: Iterable[bytes]) -> bytes:
    """What the program should write about VCF files in which every genotype of two alleles is read."""
    counts: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for content in files:
        for line in content.decode("ascii").splitlines():
            if line.startswith("#"):
                continue
            columns = line.split("\t")
            chromosome, position, _, reference, alternative = columns[:5]
            site = counts[chromosome, position, reference, alternative]
            for call in columns[_GENOTYPES_FROM:]:
                site += map(int, call.partition(":")[0].split("/"))
    lines = ["#CHROM\tPOS\tREF\tALT\tAC\tAN\tAF"]
    for named, alleles in counts.items():
        found, total = sum(alleles), len(alleles)
        scaled = found * 10_000 // total
        lines.append("\t".join((*named, str(found), str(total), f"{scaled // 10_000}.{scaled % 10_000:04d}")))
    return ("\n".join(lines) + "\n").encode("ascii")


# -- parts -----------------------------------------------------------------------------------------------------------


async def _allow(cast: Cast, library: Library, program: BlobId) -> None:
    """Whoever may read goes on reading; whom the board lets compute may run this program, for the same price."""
    client, registry = cast.consortium.client, cast.devnet.deployment.address("CredentialRegistry")
    listed = await client.policies.create("Programs", {"programs": [program.digest]})
    approved = await client.policies.create(
        "Credential", {"registry": registry, "schema": schema_of(SCHEMA), "attester": cast.board.address}
    )
    paid = await client.policies.create("PayPerRead", {"price": PRICE, "pool": library.pool})
    operands = [listed.policy, approved.policy, paid.policy]
    computing = await client.policies.create("AllOf", {"operands": operands})
    either = await client.policies.create("AnyOf", {"operands": [library.access, computing.policy]})
    for blob_object in library.objects:
        await client.policies.announce(blob_object, access=either.policy)
    notice = (await cast.chain.policies.record_of(library.objects[0])).notice_seconds
    say(f"AnyOf(as before, AllOf(Programs, Credential, PayPerRead)) is {either.policy}, announced {notice} s ahead")
    for blob_object in library.objects:
        await _until_it_holds(cast, blob_object, either.policy)
        await client.rewrap(blob_object)
    say(f"it holds; the keys of {len(library.objects)} files are sealed for it anew, the files stay as they are")


async def _until_it_holds(cast: Cast, blob_object: BlobObjectId, access: Address) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (await cast.chain.policies.record_of(blob_object)).current.access != access:
        if time.monotonic() > deadline:
            raise ClaimFailed(f"the policy announced for object {blob_object} does not hold")
        await asyncio.sleep(_LOOK_SECONDS)


async def _income(cast: Cast, library: Library) -> int:
    """All that the pool received so far."""
    return sum(event.amount for event in await cast.chain.payments.incomes_of(library.pool))
