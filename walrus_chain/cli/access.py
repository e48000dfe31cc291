"""`walrus audit`, `rewrap`, `credential` and `evergreen`: who reads private data, and how long data are stored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render as rendering
from walrus_chain.cli import render_payments as render
from walrus_chain.cli import session
from walrus_chain.cli.options import BlobOrObject, Json, NetworkName, PasswordFile, WalletName
from walrus_chain.cli.output import RETRYABLE, UNTRUSTED
from walrus_chain.types import Wei, format_amount, parse_amount

if TYPE_CHECKING:
    from walrus_chain.chain.payment_views import Renewal
    from walrus_chain.chain.payment_writer import RenewalReceipt
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.client.client import Client
    from walrus_chain.client.credentials import IssuedCredential
    from walrus_chain.client.results import Sealed

credentials = typer.Typer(help="Statements about accounts that policies ask for.", no_args_is_help=True)
evergreen = typer.Typer(help="Objects whose term is extended from a balance.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(credentials, name="credential")
app.add_typer(evergreen, name="evergreen")

Uid = Annotated[str, typer.Argument(metavar="UID", help="A credential's id: 64 hex digits.")]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 0.5 or '0.5 WAL'.")]
_DAY = 86_400


@app.command()
def audit(blob: BlobOrObject, network: NetworkName = None, json: Json = False) -> None:
    """Who received keys of private data, when, at which block, paid what: the nodes' receipts, verified.

    Exit code 5 when nodes lie or hide receipts, 6 when some did not answer.
    """
    out, ref = session.output(json), session.blob_ref(blob)
    found = session.reading(network, lambda client: client.audit(ref))
    out.table(
        render.audit(found),
        ("Time", "Reader", "Object", "Block", "Paid", "Nodes", "On chain"),
        list(map(render.audit_row, found.uses)),
        f"nobody received keys, say {len(found.asked)} nodes",
    )
    for note in render.audit_notes(found):
        out.note(note)
    if found.contradictions or found.missing:
        raise typer.Exit(UNTRUSTED)
    if found.silent:
        raise typer.Exit(RETRYABLE)


@app.command()
def rewrap(
    blob: BlobOrObject,
    threshold: Annotated[int | None, typer.Option(min=1, help="Nodes that open the key together.")] = None,
    nodes: Annotated[
        str | None, typer.Option(metavar="NODE,NODE,...", help="For which nodes; those that serve if not named.")
    ] = None,
    erasable: Annotated[bool, typer.Option("--erasable", help="Nodes destroy the key when its rules say so.")] = False,
    next_key_epoch: Annotated[
        bool, typer.Option("--next-key-epoch", help="Begin the next key epoch: none of this one is released any more.")
    ] = False,
    for_announced: Annotated[
        bool, typer.Option("--for-announced", help="For the announced policies; until they hold nobody gets the key.")
    ] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Seal the key of private data anew: for other nodes, after a change of policies. The data stay as they are."""
    ref, chosen = session.blob_ref(blob), session.parse_nodes(nodes)

    async def work(client: Client) -> Sealed:
        return await client.rewrap(
            ref,
            nodes=chosen,
            threshold=threshold,
            erasable=erasable,
            next_key_epoch=next_key_epoch,
            for_announced=for_announced,
        )

    sealed = session.signing(network, wallet, password_file, work)
    session.output(json).result(rendering.sealed(sealed), f"{blob}: {render.sealed_words(sealed)}")


# -- credentials -----------------------------------------------------------------------------------------------------


@credentials.command()
def issue(
    schema: Annotated[str, typer.Argument(metavar="SCHEMA", help="What it states: a name, or 64 hex digits.")],
    recipient: Annotated[str, typer.Argument(metavar="ADDRESS", help="About whom.")],
    days: Annotated[int | None, typer.Option(min=1, help="Valid for so many days; for ever if not named.")] = None,
    data: Annotated[str | None, typer.Option(metavar="HEX", help="More, at most 1,024 bytes; public.")] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Give an account a credential, such as a permission to read."""
    whom, expires = session.parse_address(recipient), int(time.time()) + days * _DAY if days else 0
    extra = session.parse_hex("data", data) or b""

    async def work(client: Client) -> IssuedCredential:
        return await client.credentials.issue(schema, whom, expires_at=expires, data=extra)

    issued = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {**render.credential(issued.credential), "transaction": issued.transaction},
        render.credential_text(issued.credential),
    )


@credentials.command()
def revoke(
    uid: Uid,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Take a credential back. Reads are refused from then on, within the network's longest age of a request."""
    word = session.parse_word("a credential", uid)

    async def work(client: Client) -> Receipt:
        return await client.credentials.revoke(word)

    receipt = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {"revoked": uid, "transaction": receipt.transaction}, f"Credential {uid} does not hold any more"
    )


@credentials.command("show")
def show_credential(uid: Uid, network: NetworkName = None, json: Json = False) -> None:
    """A credential, revoked or not."""
    word = session.parse_word("a credential", uid)
    found = session.reading(network, lambda client: client.credentials.show(word))
    session.output(json).result(render.credential(found), render.credential_text(found))


@credentials.command("list")
def list_credentials(
    account: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="Whose; yours when none is named.")] = None,
    issued: Annotated[bool, typer.Option("--issued", help="Those that it gave, instead of those that it got.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    json: Json = False,
) -> None:
    """Credentials that an account got, or gave."""
    whose = session.parse_address(account) if account else session.home().wallet(wallet).address
    found = session.reading(
        network, lambda client: client.credentials.issued(whose) if issued else client.credentials.list(whose)
    )
    session.output(json).table(
        {"account": whose, "credentials": list(map(render.credential, found))},
        ("Credential", "Schema", "Recipient", "Attester", "Expires", "Revoked"),
        list(map(render.credential_row, found)),
        f"{whose} {'gave' if issued else 'has'} no credentials in this network",
    )


# -- evergreen objects -----------------------------------------------------------------------------------------------


@evergreen.command("terms")
def set_terms(
    blob: BlobOrObject,
    epochs: Annotated[int, typer.Option("--epochs", "-e", min=1, help="By how many each renewal extends it.")] = 10,
    lead: Annotated[int, typer.Option(min=1, help="Renew when at most so many epochs are left.")] = 2,
    tip: Annotated[str, typer.Option(metavar="AMOUNT", help="For whoever renews.")] = "0.01 WAL",
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Say how the term of an object of yours is to be extended from its balance."""
    ref, reward = session.blob_ref(blob), parse_amount(tip)

    async def work(client: Client) -> Renewal:
        return await client.renewals.set_terms(ref, epochs=epochs, lead=lead, tip=reward)

    _renewal(session.signing(network, wallet, password_file, work), json)


@evergreen.command()
def fund(
    blob: BlobOrObject,
    amount: Amount,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Put up money for an object's renewals. It belongs to the object's owner then."""
    ref, more = session.blob_ref(blob), parse_amount(amount)

    async def work(client: Client) -> Renewal:
        return await client.renewals.fund(ref, more)

    _renewal(session.signing(network, wallet, password_file, work), json)


@evergreen.command()
def renew(
    blob: BlobOrObject,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Extend an object's term from its balance, when that is due; the tip is yours."""
    ref = session.blob_ref(blob)

    async def work(client: Client) -> RenewalReceipt:
        return await client.renewals.renew(ref)

    done = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        render.renewed(done),
        f"Stored up to and with epoch {done.end - 1}, for {format_amount(done.price)}; "
        f"{format_amount(done.tip)} are your claim (`walrus wallet withdraw` takes it out)",
    )


@evergreen.command("show")
def show_renewal(
    blob: BlobOrObject, network: NetworkName = None, wallet: WalletName = None, json: Json = False
) -> None:
    """Terms and balance of an object's renewals."""
    ref = session.blob_ref(blob)
    _renewal(session.reading_as(network, wallet, None, lambda client: client.renewals.show(ref)), json)


@evergreen.command("withdraw")
def withdraw_renewal(
    blob: BlobOrObject,
    amount: Annotated[str | None, typer.Argument(metavar="AMOUNT", help="All when none is named.")] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Take money for renewals of an object of yours back."""
    ref, wanted = session.blob_ref(blob), parse_amount(amount) if amount else None

    async def work(client: Client) -> Wei:
        return await client.renewals.withdraw(ref, wanted)

    taken = session.signing(network, wallet, password_file, work)
    session.output(json).result({"withdrawn": str(taken)}, f"{format_amount(taken)} are yours again")


def _renewal(found: Renewal, json: bool) -> None:
    session.output(json).result(render.renewal(found), render.renewal_text(found))
