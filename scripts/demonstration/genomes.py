"""Data that carries its own rules: the story of `examples/genomics`, on the network of the demonstration."""

from __future__ import annotations

from pathlib import Path

from eth_account.signers.local import LocalAccount

from examples.genomics.cast import cast
from examples.genomics.story import story
from scripts.demonstration import computing
from walrus_chain.devnet.network import Devnet


async def shared_under_rules(devnet: Devnet, consortium: LocalAccount, folder: Path) -> None:
    """Genomes are stored privately, read and computed on for money, held, audited; then an agent lies about a job.

    Without the minute that a late revocation takes.
    """
    async with cast(devnet, consortium) as everybody:
        library, program = await story(everybody, folder, to_the_end=False)
        await computing.one_lies(everybody, library, program)
