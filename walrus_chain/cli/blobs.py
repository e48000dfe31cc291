"""Commands about blobs: store, read, status, list, extend, delete, transfer, attributes, invalidate, blob-id."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render, session
from walrus_chain.cli.options import BlobOrObject, Json, NetworkName, PasswordFile, WalletName
from walrus_chain.cli.output import kind_of, to_stdout
from walrus_chain.cli.render_payments import key_use, key_use_words
from walrus_chain.errors import MalformedArgument, WalrusError
from walrus_chain.types import NOBODY, format_amount, format_bytes, parse_amount

if TYPE_CHECKING:
    from walrus_chain.client.client import Client
    from walrus_chain.client.keys import ReadOptions
    from walrus_chain.client.results import Check, FailedBlob, ReadSummary, StoredBlob, StoreQuote
    from walrus_chain.client.sealing import Privacy
    from walrus_chain.client.sources import Storable

app = typer.Typer()
#: Slots of the networks that `walrus network deploy` makes unless told otherwise.
DEFAULT_SHARDS = 30
#: How long `walrus store` waits for the last nodes after the blob is certified, in seconds.
_GRACE_SECONDS = 30.0
#: How long it says nothing about that.
_MOMENT_SECONDS = 0.5


@app.command()
def store(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files to store; - reads standard input.")],
    epochs: Annotated[int, typer.Option("--epochs", "-e", min=1, help="How long, the current epoch included.")] = 1,
    permanent: Annotated[bool, typer.Option(help="Never deletable before the end of the term.")] = False,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", "-a", metavar="KEY=VALUE", help="A text to write on each blob.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Pay for a new object even if you have one of this blob.")] = False,
    private: Annotated[bool, typer.Option("--private", help="Encrypt them; nodes keep the key.")] = False,
    policy: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Who may read; only you if not named. With --private.")
    ] = None,
    retention: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="What you may not do to them. With --private.")
    ] = None,
    threshold: Annotated[
        int | None, typer.Option(min=1, help="Nodes that open the key together; a majority if not named.")
    ] = None,
    nodes: Annotated[
        str | None,
        typer.Option(metavar="NODE,NODE,...", help="Nodes that keep the key; all that serve if not named."),
    ] = None,
    notice: Annotated[
        str | None, typer.Option(metavar="TIME", help="Between announcing other policies and their effect, such as 7d.")
    ] = None,
    erasable: Annotated[bool, typer.Option("--erasable", help="Nodes destroy the key when the rules say so.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would cost.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Store files; done when the network has certified them. A store that was interrupted goes on where it stopped."""
    from walrus_chain.cli.progress import store_progress

    out = session.output(json)
    attributes = session.parse_pairs(attribute or ())
    sources, names = _sources(files)
    privacy = _privacy(private, policy, retention, threshold, nodes, notice, erasable)
    if dry_run:
        quotes = session.reading(network, lambda client: _quotes(client, sources, names, epochs, wallet, private))
        out.result({"blobs": [render.quote(quote) for quote in quotes]}, "\n\n".join(map(render.quote_text, quotes)))
        return

    async def work(client: Client) -> list[StoredBlob | FailedBlob]:
        with store_progress(out) as tell:
            results = await client.store_many(
                sources,
                names=names,
                epochs=epochs,
                deletable=not permanent,
                attributes=attributes,
                reuse=not new,
                private=privacy,
                on_progress=tell,
            )
        out.result({"blobs": list(map(render.stored, results))}, "\n\n".join(map(render.stored_text, _stored(results))))
        if not await client.finish(_MOMENT_SECONDS):
            out.note("Certified. The last nodes are still being sent their slivers; Ctrl-C leaves that to them.")
            await client.finish(_GRACE_SECONDS)
        return results

    results = session.signing(network, wallet, password_file, work)
    failures = _failures(results)
    if not json:
        for failure in failures:
            out.error(failure)
    if failures:
        raise typer.Exit(kind_of(failures[0])[1])


@app.command()
def read(
    blob: BlobOrObject,
    to: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output when none is named.")
    ] = None,
    range_: Annotated[
        str | None, typer.Option("--range", "-r", metavar="FIRST-LAST", help="Only these bytes, counted from 0.")
    ] = None,
    check: Annotated[
        str, typer.Option(help="How to check that all readers get the same: none, default or strict.")
    ] = "default",
    spend_limit: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="The most that a read of private data may cost; else nothing.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="CHANNEL", help="Pay from this channel; one of yours that fits if not named.")
    ] = None,
    open_channel: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Where a channel is needed, open one with this deposit.")
    ] = None,
    credential: Annotated[
        str | None, typer.Option(metavar="UID", help="Credential to show; found by itself if not named.")
    ] = None,
    evidence: Annotated[
        str | None, typer.Option(metavar="HEX", help="What is shown to the policy; found by itself if not named.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes as they are stored, encrypted or not.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Read a blob, or a range of it. Every byte is verified against the blob id, and private data decrypted."""
    from walrus_chain.cli.progress import byte_progress

    out = session.output(json)
    ref, mode = session.blob_ref(blob), _check(check)
    start, stop = session.parse_range(range_) if range_ else (0, None)
    target = sys.stdout.buffer if to is None or str(to) == "-" else to
    options = _read_options(spend_limit, channel, open_channel, credential, evidence, raw=raw)

    async def work(client: Client) -> ReadSummary:
        with byte_progress(out, "Reading") as tell:
            return await client.read_to(ref, target, start, stop, check=mode, on_bytes=tell, **options)

    with to_stdout():
        # Only opening a channel takes a transaction; for all else the wallet signs at most once a day.
        run = session.reading_as if open_channel is None else session.signing
        summary = run(network, wallet, password_file, work)
    if isinstance(target, Path):
        data = {**render.blob_id(summary.blob_id), "size": summary.size, "output": str(target)}
        data["suspects"] = [{"agent": suspect.agent, "what": suspect.what} for suspect in summary.suspects]
        data["use"] = None if summary.use is None else key_use(summary.use)
        out.result(data, f"{target}: {format_bytes(summary.size)}, verified")
    if summary.use is not None and summary.use.price:
        out.note(f"Paid: {key_use_words(summary.use)}")
    for suspect in summary.suspects:
        out.note(f"Warning: {suspect.agent} sent something wrong and was routed around: {suspect.what}")


@app.command()
def status(
    blob: BlobOrObject,
    no_nodes: Annotated[bool, typer.Option("--no-nodes", help="Ask the chain only.")] = False,
    network: NetworkName = None,
    json: Json = False,
) -> None:
    """What chain and nodes know of a blob: its objects, and how many shards hold it."""
    out = session.output(json)
    ref = session.blob_ref(blob)
    report = session.reading(network, lambda client: client.status(ref, ask_nodes=not no_nodes))
    out.result(render.report(report), render.report_text(report))


@app.command("list")
def list_(
    owner: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="Whose; yours when none is named.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that expired.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    json: Json = False,
) -> None:
    """Blob objects of an account."""
    from walrus_chain.client.objects import LIVE

    out = session.output(json)
    account = session.parse_address(owner) if owner else session.home().wallet(wallet).address
    objects = session.reading(network, lambda client: client.list(account))
    shown = [item for item in objects if every or item.status in LIVE]
    out.table(
        {"owner": account, "objects": [render.blob_object(item) for item in shown]},
        ("Object", "Blob id", "Size", "Status", "Epochs", "Term"),
        [
            (
                item.id,
                item.blob_id,
                format_bytes(item.size),
                item.status.name.lower(),
                f"{item.start}-{item.end - 1}",
                "deletable" if item.deletable else "permanent",
            )
            for item in shown
        ],
        f"{account} has no blobs here; `walrus store FILE` makes one",
    )


@app.command()
def extend(
    blob: BlobOrObject,
    epochs: Annotated[int, typer.Option("--epochs", "-e", min=1, help="How many epochs longer.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would cost.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Store an object longer. Anybody may pay for any object."""
    out = session.output(json)
    ref = session.blob_ref(blob)
    if dry_run:
        account = session.address_of(wallet)
        quote = session.reading(network, lambda client: client.quote_extension(ref, epochs, owner=account))
        facts = (("Price", format_amount(quote.total)), ("Afterwards", f"{format_amount(quote.rate)} an epoch"))
        out.facts({"total": str(quote.total), "rate": str(quote.rate), "epochs": epochs}, facts)
        return
    extended = session.signing(network, wallet, password_file, lambda client: client.extend(ref, epochs))
    out.result(render.blob_object(extended), f"Object {extended.id} is stored up to and with epoch {extended.end - 1}")


@app.command()
def delete(
    blob: BlobOrObject,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """End a deletable object's term; its unused epochs are paid back."""
    out = session.output(json)
    ref = session.blob_ref(blob)
    if not yes and out.interactive and sys.stdin.isatty():
        typer.confirm(f"Delete {blob}? Nobody can bring it back", abort=True, err=True)
    refunded = session.signing(network, wallet, password_file, lambda client: client.delete(ref))
    text = f"Deleted; {format_amount(refunded)} came back as your claim (`walrus wallet withdraw` takes it out)"
    out.result({"deleted": blob, "refunded": str(refunded)}, text)


@app.command()
def transfer(
    blob: BlobOrObject,
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="The account that gets it.")],
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Give an object to another account."""
    out = session.output(json)
    ref, account = session.blob_ref(blob), session.parse_address(to)
    receipt = session.signing(network, wallet, password_file, lambda client: client.transfer(ref, account))
    out.result(
        {"transferred": blob, "to": account, "transaction": receipt.transaction, "gasUsed": receipt.gas_used},
        f"{blob} belongs to {account} now",
    )


@app.command()
def attributes(
    blob: BlobOrObject,
    pairs: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Texts to write; none shows what is there.")
    ] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="KEY", help="Key to remove.")] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Show, write or remove the small texts on an object: name, media type, licence."""
    out = session.output(json)
    ref = session.blob_ref(blob)
    changes = session.parse_pairs(pairs or ()) | dict.fromkeys(remove or (), "")
    if changes:

        async def work(client: Client) -> dict[str, str]:
            await client.set_attributes(ref, changes)
            return await client.attributes(ref)

        found = session.signing(network, wallet, password_file, work)
    else:
        account = session.address_of(wallet)
        found = session.reading(network, lambda client: client.attributes(ref, owner=account))
    if not found:
        out.note("no attributes")
    out.facts(found, found.items())


@app.command()
def invalidate(
    blob: BlobOrObject,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Have the nodes examine a blob that cannot be read, and mark it invalid if it was encoded wrongly."""
    out = session.output(json)
    ref = session.blob_ref(blob)
    if out.interactive:
        out.note("The nodes examine the blob; that takes about as long as reading it.")
    result = session.signing(network, wallet, password_file, lambda client: client.invalidate(ref))
    out.result(render.invalidated(result), render.invalidated_text(result))


@app.command("blob-id")
def blob_id(
    file: Annotated[str, typer.Argument(metavar="FILE", help="File; - reads standard input.")],
    shards: Annotated[int, typer.Option(min=4, max=255, help="Shards of the network.")] = DEFAULT_SHARDS,
    json: Json = False,
) -> None:
    """Compute the id that a file has in a network. Needs no network and sends nothing."""
    from walrus_chain.client.sources import source_of
    from walrus_chain.codec.stream import commit_blob, iter_segments

    out = session.output(json)
    [storable], [name] = _sources([file])
    source = source_of(storable, name)
    with source.open() as opened:
        metadata = commit_blob(iter_segments(opened), shards).metadata
    source.close()
    out.result({**render.blob_id(metadata.blob_id), "size": metadata.size, "shards": shards}, str(metadata.blob_id))


# -- parts -----------------------------------------------------------------------------------------------------------


def _sources(files: list[str]) -> tuple[list[Storable], list[str]]:
    sources: list[Storable] = [sys.stdin.buffer if file == "-" else Path(file) for file in files]
    return sources, ["standard input" if file == "-" else file for file in files]


async def _quotes(
    client: Client, sources: list[Storable], names: list[str], epochs: int, wallet: str | None, private: bool
) -> list[StoreQuote]:
    owner = session.address_of(wallet)
    return [
        await client.quote(source, epochs=epochs, private=private, name=name, owner=owner)
        for source, name in zip(sources, names, strict=True)
    ]


def _privacy(
    private: bool,
    policy: str | None,
    retention: str | None,
    threshold: int | None,
    nodes: str | None,
    notice: str | None,
    erasable: bool,
) -> Privacy | None:
    from walrus_chain.client.sealing import Privacy

    if not private:
        if any(option is not None for option in (policy, retention, threshold, nodes, notice)) or erasable:
            raise typer.BadParameter("policies and keys are for private data; add --private", param_hint="--policy")
        return None
    return Privacy(
        access=session.parse_address(policy) if policy else NOBODY,
        retention=session.parse_address(retention) if retention else NOBODY,
        notice_seconds=session.parse_seconds(notice) if notice else None,
        threshold=threshold,
        nodes=session.parse_nodes(nodes),
        erasable=erasable,
    )


def _read_options(
    spend_limit: str | None,
    channel: str | None,
    open_channel: str | None,
    credential: str | None,
    evidence: str | None,
    *,
    raw: bool,
) -> ReadOptions:
    options: ReadOptions = {"raw": raw}
    if spend_limit is not None:
        options["spend_limit"] = parse_amount(spend_limit)
    if channel is not None:
        options["channel"] = session.parse_channel(channel)
    if open_channel is not None:
        options["open_channel"] = parse_amount(open_channel)
    if credential is not None:
        options["credential"] = session.parse_word("a credential", credential)
    if (shown := session.parse_hex("evidence", evidence)) is not None:
        options["evidence"] = shown
    return options


def _check(text: str) -> Check:
    from walrus_chain.client.results import Check

    try:
        return Check(text)
    except ValueError:
        raise MalformedArgument("a check", text, "it is none, default or strict") from None


def _stored(results: list[StoredBlob | FailedBlob]) -> list[StoredBlob]:
    from walrus_chain.client.results import StoredBlob

    return [result for result in results if isinstance(result, StoredBlob)]


def _failures(results: list[StoredBlob | FailedBlob]) -> list[WalrusError]:
    from walrus_chain.client.results import FailedBlob

    return [result.error for result in results if isinstance(result, FailedBlob)]
