"""Small files of genetic variants in VCF 4.2, made up: no person stands behind them.

The format is the one that sequencing produces (https://samtools.github.io/hts-specs/VCFv4.2.pdf): a header that
declares every field, then one line for each place on a chromosome where samples differ from the reference genome.

What is made up follows what is known of real ones: places are 1 to 2,000 bases apart; two variants in three are
transitions (A-G, C-T); most alternative alleles are rare, their frequency drawn as 0.5 * u^3; genotypes are drawn for
each of the two copies by itself, as in a population that mates at random; `AC`, `AN` and `AF` count those that are
written. The same seed always gives the same bytes: every draw is the SHA-256 of the seed and a counter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

CHROMOSOME: Final = "22"
CHROMOSOME_BASES: Final = 50_818_468
"""Length of chromosome 22 in GRCh38."""
_FIRST_BASE: Final = 10_510_000
"""Before it, GRCh38 has hardly any sequence of chromosome 22."""
_STEP: Final = 2_000
_TRANSITION: Final = {"A": "G", "G": "A", "C": "T", "T": "C"}
_TRANSVERSIONS: Final = {"A": "CT", "G": "CT", "C": "AG", "T": "AG"}
_HEADER: Final = f"""\
##fileformat=VCFv4.2
##source=examples.genomics.variants
##reference=GRCh38
##contig=<ID={CHROMOSOME},length={CHROMOSOME_BASES},assembly=GRCh38>
##FILTER=<ID=PASS,Description="All filters passed">
##INFO=<ID=AC,Number=A,Type=Integer,Description="Alternative alleles in called genotypes">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles in called genotypes">
##INFO=<ID=AF,Number=A,Type=Float,Description="AC / AN">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">
"""
_COLUMNS: Final = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")


@dataclass(frozen=True, slots=True)
class Cohort:
    """Whose variants a file holds."""

    name: str
    """Begins the names of the samples: `C01` gives `C01S001`, `C01S002`, ..."""
    samples: int
    variants: int

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return f"cohort-{self.name}.chr{CHROMOSOME}.vcf"


def variant_file(cohort: Cohort, seed: str) -> bytes:
    """The cohort's file: ASCII, tabs between columns, sorted by position.

    Args:
        seed: the same gives the same bytes.
    """
    draws = _draws(f"{seed}/{cohort.name}")
    samples = [f"{cohort.name}S{number:03d}" for number in range(1, cohort.samples + 1)]
    lines = ["\t".join((*_COLUMNS, *samples))]
    position = _FIRST_BASE
    for _ in range(cohort.variants):
        position += 1 + next(draws) % _STEP
        lines.append(_variant(position, cohort.samples, draws))
    return (_HEADER + "\n".join(lines) + "\n").encode("ascii")


def _variant(position: int, samples: int, draws: Iterator[int]) -> str:
    reference = "ACGT"[next(draws) % 4]
    transition = next(draws) % 3 < 2
    alternative = _TRANSITION[reference] if transition else _TRANSVERSIONS[reference][next(draws) % 2]
    frequency = 0.5 * (next(draws) / 2**32) ** 3
    alleles = [int(next(draws) < frequency * 2**32) for _ in range(2 * samples)]
    if not any(alleles):
        alleles[next(draws) % len(alleles)] = 1  # a line says that somebody differs
    calls = []
    for one, other in zip(alleles[::2], alleles[1::2], strict=True):
        depth = 18 + next(draws) % 25
        calls.append(f"{one}/{other}:{depth}:{min(99, 3 * depth)}")
    found, total = sum(alleles), len(alleles)
    quality = 30 + next(draws) % 70
    info = f"AC={found};AN={total};AF={found / total:.4f}"
    fields = (CHROMOSOME, str(position), ".", reference, alternative, str(quality), "PASS", info, "GT:DP:GQ", *calls)
    return "\t".join(fields)


def _draws(seed: str) -> Iterator[int]:
    """Numbers from 0 to below 2^32, always the same for a seed."""
    for counter in count():
        block = hashlib.sha256(f"{seed}/{counter}".encode()).digest()
        for start in range(0, len(block), 4):
            yield int.from_bytes(block[start : start + 4], "big")
