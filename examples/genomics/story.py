"""The story itself, chapter by chapter. Whatever is claimed on the way is checked first."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from examples.genomics.cast import Cast
from examples.genomics.computing import compute
from examples.genomics.insisting import Revocation, served_until, words_of_agents
from examples.genomics.library import EPOCHS, PRICE, Library, denied
from examples.genomics.variants import CHROMOSOME, Cohort, variant_file
from scripts.demonstration.words import ClaimFailed, chapter, claim, say
from walrus_chain.chain.policy_rejections import ForbiddenByPolicy
from walrus_chain.client.audit import Audit
from walrus_chain.client.credentials import schema_of
from walrus_chain.client.results import FailedBlob, StoredBlob
from walrus_chain.client.sealing import Privacy
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.payments.statement import statement_csv
from walrus_chain.types import (
    ALL_BPS,
    WAL_DECIMALS,
    BlobId,
    BlobObjectId,
    BlobStatus,
    PoolId,
    Wei,
    format_amount,
    format_bytes,
)

COHORTS: Final = tuple(Cohort(f"C{number:02d}", samples=40, variants=300) for number in range(1, 5))
SEED: Final = "walrus genomics"
SCHEMA: Final = "ethics approval: research on cohort genomes"
DEPOSIT: Final = Wei(5 * 10**WAL_DECIMALS)
NODES_BPS: Final = 1_500
_YEAR: Final = 365 * 24 * 3600
_PATIENCE_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.25


async def story(cast: Cast, folder: Path, *, to_the_end: bool) -> tuple[Library, BlobId]:
    """All chapters, one after the other.

    Args:
        folder: where the statement is written.
        to_the_end: also wait until the last moment at which a revoked credential could be used, a minute.
    Returns: the files, of which the first is deleted by then, and the program that the analyst may run.
    """
    pool = await share_the_income(cast)
    library = await store_privately(cast, pool)
    credentials = await researchers_read(cast, library)
    revoked = await revoke(cast, library, credentials)
    insisting = asyncio.create_task(served_until(cast, cast.researchers[1], library.objects[-1], revoked))
    try:
        await divide(cast, library)
        await contributors_claim(cast, library, folder)
        if to_the_end:
            await until_all_refuse(cast, insisting)
    finally:
        insisting.cancel()
    program = await compute(cast, library)
    await hold(cast, library)
    await audit(cast, library)
    return library, program


async def share_the_income(cast: Cast) -> PoolId:
    """A revenue pool for all contributors, from the root of their list."""
    units = sum(cast.contributors.values())
    chapter(f"Genomes: {len(cast.contributors):,} contributors of {units:,} samples share what reads will pay")
    made = await cast.consortium.client.pools.create(cast.contributors, nodes_bps=NODES_BPS, epochs=EPOCHS)
    say(f"pool {made.pool} from root 0x{(made.root or b'').hex()[:16]}..., {made.gas_used:,} gas for all of them")
    say(f"the list is public: blob {made.list}")
    facts = await cast.chain.payments.pool(made.pool)
    claim(facts.units == units and facts.from_root, f"the root commits to {units:,} units")
    return made.pool


async def store_privately(cast: Cast, pool: PoolId) -> Library:
    """The rules, and the files under them."""
    chapter("Who may read: a credential of the ethics board, and 0.5 WAL a read; deletion waits for a legal hold")
    policies, board = cast.consortium.client.policies, cast.board.address
    registry = cast.devnet.deployment.address("CredentialRegistry")
    approved = await policies.create(
        "Credential", {"registry": registry, "schema": schema_of(SCHEMA), "attester": board}
    )
    paid = await policies.create("PayPerRead", {"price": PRICE, "pool": pool})
    both = await policies.create("AllOf", {"operands": [approved.policy, paid.policy]})
    held = await policies.create("LegalHold", {"holders": [cast.counsel.address]})
    gas = ", ".join(f"{made.gas_used:,}" for made in (approved, paid, both, held))
    say(f"AllOf(Credential, PayPerRead) is {both.policy}; gas of the four policies: {gas}")

    contents = [variant_file(cohort, SEED) for cohort in COHORTS]
    began = time.monotonic()
    results = await cast.consortium.client.store_many(
        contents,
        names=[cohort.file_name for cohort in COHORTS],
        epochs=EPOCHS,
        private=Privacy(access=both.policy, retention=held.policy),
    )
    seconds = time.monotonic() - began
    blobs = [_stored(result) for result in results]
    sealed = blobs[0].sealed
    if sealed is None:
        raise ClaimFailed("the files were stored, but their keys are not sealed")
    variants = sum(cohort.variants for cohort in COHORTS)
    say(
        f"{len(blobs)} VCF files, {variants:,} variants of chromosome {CHROMOSOME}, "
        f"{format_bytes(sum(map(len, contents)))}: encrypted, stored and certified in {seconds:.1f} s"
    )
    say(f"each key is sealed so that {sealed.threshold} of {len(sealed.nodes)} agents open it together")
    raw = await cast.consortium.client.read_bytes(blobs[0].blob_object, raw=True)
    claim(b"fileformat" in contents[0] and b"fileformat" not in raw, "what the agents hold is not a VCF file")
    await cast.consortium.client.finish()
    files = {blob.blob_object: content for blob, content in zip(blobs, contents, strict=True)}
    return Library(files, pool, both.policy, held.policy)


async def researchers_read(cast: Cast, library: Library) -> list[bytes]:
    """Without a credential nobody reads; with one everybody does, and pays from a channel. The credentials' uids."""
    chapter(f"{len(cast.researchers)} researchers ask; the board approves; each read pays {format_amount(PRICE)}")
    first = cast.researchers[0]
    denial = await denied(first, library.objects[0])
    say(f"before: {denial.reason}")
    claim(denial.reason == "NoCredential", "without a credential the first researcher is denied, and pays nothing")
    credentials = []
    for researcher in cast.researchers:
        expires = (await cast.chain.head()).timestamp + _YEAR
        issued = await cast.board.client.credentials.issue(SCHEMA, researcher.address, expires_at=expires)
        credentials.append(issued.credential.uid)
    seconds = []
    for researcher in cast.researchers:
        await researcher.client.channels.open(library.pool, DEPOSIT)
        # The last file is left for later.
        for blob_object in library.objects[:-1]:
            began = time.monotonic()
            data = await researcher.client.read_bytes(blob_object, spend_limit=PRICE)
            seconds.append(time.monotonic() - began)
            if data != library.files[blob_object]:
                raise ClaimFailed(f"object {blob_object} came back changed")
    reads = len(seconds)
    middle = sorted(seconds)[reads // 2]
    say(f"{reads} reads, each from question to plaintext in {1000 * middle:.0f} ms (median), paid by vouchers")
    [channel, *_] = await first.client.channels.list()
    spent = PRICE * (len(library.objects) - 1)
    claim(channel.promised == spent, f"each researcher promised {format_amount(Wei(spent))}, without a transaction")
    return credentials


async def revoke(cast: Cast, library: Library, credentials: list[bytes]) -> Revocation:
    """The board takes a credential back."""
    chapter("The board revokes the second researcher's credential")
    reader, last = cast.researchers[1], library.objects[-1]
    rules = await cast.chain.policies.rules()
    before = await cast.chain.head()
    receipt = await cast.board.client.credentials.revoke(credentials[1])
    began = time.monotonic()
    say(f"revoked in block {receipt.block}, {receipt.gas_used:,} gas")
    denial = await denied(reader, last)
    seconds = time.monotonic() - began
    claim(denial.reason == "CredentialRevoked", f"the next read was refused {seconds:.2f} s later: {denial.reason}")
    said = await words_of_agents(cast, reader, last, await cast.chain.head())
    claim(set(said) == {"CredentialRevoked"}, f"all {len(said)} agents say the same when they are asked directly")
    claim(
        await cast.researchers[2].client.read_bytes(last, spend_limit=PRICE) == library.files[last],
        "others go on reading",
    )
    age = rules.maximum_request_age
    say(f"who asks at the block before it is served for {age} s at most; keys that are out stay out")
    return Revocation(before, began)


async def divide(cast: Cast, library: Library) -> None:
    """Channels are closed, agents redeem their vouchers, and the pool divides what comes in."""
    chapter("The researchers close their channels: agents redeem the vouchers, the pool divides the income")
    # All read all files but the last; the third one read that, too.
    due = Wei(PRICE * (len(cast.researchers) * (len(library.objects) - 1) + 1))
    for researcher in cast.researchers:
        [channel] = await researcher.client.channels.list()
        await researcher.client.channels.close(channel.facts.channel)
    tip = (await cast.chain.payments.channel_rules()).tip_bps
    expected = due - due * tip // ALL_BPS
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (income := sum(event.amount for event in await cast.chain.payments.incomes_of(library.pool))) < expected:
        if time.monotonic() > deadline:
            raise ClaimFailed(f"of {format_amount(due)} in vouchers only {format_amount(Wei(income))} came in")
        await asyncio.sleep(_LOOK_SECONDS)
    burned = await cast.chain.payments.protocol_bps()
    nodes, protocol = income * NODES_BPS // ALL_BPS, income * burned // ALL_BPS
    members = income - nodes - protocol
    facts = await cast.chain.payments.pool(library.pool)
    say(f"{format_amount(due)} in vouchers, less a tip of {tip / 100:g} % for the agents that redeem them")
    say(
        f"contributors {format_amount(Wei(members))}, storage nodes {format_amount(Wei(nodes))}, "
        f"platform {format_amount(Wei(protocol))} (burned)"
    )
    claim(facts.earned + facts.dust == income, "what the pool divided and its dust are what it received, to the wei")


async def contributors_claim(cast: Cast, library: Library, folder: Path) -> None:
    """Contributors take their part out, by their place in the list, and export a statement."""
    chapter("Contributors claim their part and export a statement")
    all_units = sum(cast.contributors.values())
    for contributor in cast.claimers:
        owed = (await contributor.client.pools.show(library.pool)).claimable
        paid = await contributor.client.pools.claim(library.pool)
        units = cast.contributors[contributor.address]
        say(f"{contributor.address}, {units} of {all_units:,} units: {format_amount(paid.amount)}")
        claim(paid.amount == owed and paid.amount > 0, f"as reckoned before, {paid.gas_used:,} gas")
    first = cast.claimers[0]
    rows = await first.client.pools.statement(library.pool, first.address)
    statement = folder / "statement.csv"
    statement.write_text(statement_csv(rows))
    for line in statement.read_text().splitlines()[:2]:
        say(f"    {line[:110]}...")
    claim(len(rows) > 1, f"{len(rows)} rows in {statement.name}: each income, and the payout")


async def hold(cast: Cast, library: Library) -> None:
    """A legal hold stops the owner."""
    chapter("A legal hold: the consortium cannot delete a file, until the counsel lets go")
    blob_object, counsel = library.objects[0], cast.counsel.client.policies
    await counsel.set_hold(blob_object, held=True)
    try:
        await cast.consortium.client.delete(blob_object)
    except ForbiddenByPolicy as refusal:
        say(str(refusal))
    else:
        raise ClaimFailed(f"object {blob_object} was deleted under a legal hold")
    kept = await cast.chain.blob(blob_object)
    claim(kept.status is BlobStatus.CERTIFIED, "the file is still there, and certified")
    await counsel.set_hold(blob_object, held=False)
    refund = await cast.consortium.client.delete(blob_object)
    claim(refund > 0, f"once the counsel let go it was deleted; {format_amount(refund)} of unused storage came back")


async def audit(cast: Cast, library: Library) -> None:
    """Who received keys, by the agents' own receipts."""
    chapter("Who read: the agents' receipts, checked against each other and against the chain")
    found = await _anchored_audit(cast, library.objects[1])
    for use in found.uses:
        say(
            f"{use.requester}  block {use.block}  {format_amount(use.amount)} by {use.paid_by.name.lower()}  "
            f"{len(use.releases)} receipts"
        )
    reads = [use for use in found.uses if use.paid_by is PaidBy.VOUCHER]
    jobs = [use for use in found.uses if use.paid_by is PaidBy.JOB]
    claim(len(reads) + len(jobs) == len(found.uses), "every use was paid, by a voucher or by a job")
    readers = {use.requester for use in reads}
    claim(readers == {researcher.address for researcher in cast.researchers}, "all three researchers, nobody else")
    claim({use.requester for use in jobs} == {cast.analyst.address}, "and agents themselves for a job of the analyst's")
    claim(
        all(len({release.node_id for release in use.releases}) >= found.threshold for use in found.uses)
        and all(use.amount == PRICE for use in found.uses),
        f"each with receipts of {found.threshold} agents or more, each for {format_amount(PRICE)}",
    )
    if found.silent:
        say(f"{', '.join(found.silent)} did not answer; the others' receipts are enough")
    claim(
        not (found.missing or found.contradictions),
        "all are fixed on chain; none is missing, and none contradicts another",
    )


async def until_all_refuse(cast: Cast, insisting: asyncio.Task[float]) -> None:
    """The reader who asks at the block before the revocation is refused in the end."""
    chapter("How late a revocation can come: somebody asks all agents at the block before it, again and again")
    promised = (await cast.chain.policies.rules()).maximum_request_age
    seconds = await insisting
    # Blocks tell time in whole seconds.
    claim(seconds <= promised + 1, f"served for the last time {seconds:.1f} s after it; promised: {promised} s at most")


# -- parts -----------------------------------------------------------------------------------------------------------


def _stored(result: StoredBlob | FailedBlob) -> StoredBlob:
    if isinstance(result, FailedBlob):
        raise result.error
    return result


async def _anchored_audit(cast: Cast, blob_object: BlobObjectId) -> Audit:
    """An audit after the epoch of the reads, when the agents have fixed their receipts on chain.

    Raises: ClaimFailed: they do not.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = await cast.consortium.client.audit(blob_object)
        if all(release.anchored for use in found.uses for release in use.releases):
            return found
        if time.monotonic() > deadline:
            raise ClaimFailed(f"some receipts of object {blob_object} are not fixed on chain")
        await asyncio.sleep(1)
