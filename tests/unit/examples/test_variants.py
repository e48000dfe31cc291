"""The made-up files of genetic variants are what readers of VCF 4.2 expect, and always the same."""

from __future__ import annotations

import hashlib
import re

from examples.genomics.variants import CHROMOSOME, CHROMOSOME_BASES, Cohort, variant_file

COHORT = Cohort("C01", samples=12, variants=300)
LINES = variant_file(COHORT, "test").decode("ascii").splitlines()
ROWS = [line.split("\t") for line in LINES if not line.startswith("#")]
_DECLARED = re.compile(r"##(INFO|FORMAT|FILTER|contig)=<ID=(\w+)")


def test_file__begins_with_its_version_and_ends_with_a_line_end() -> None:
    data = variant_file(COHORT, "test")
    assert data.startswith(b"##fileformat=VCFv4.2\n")
    assert data.endswith(b"\n")


def test_columns__are_the_standards_and_one_for_each_sample() -> None:
    [head] = [line.split("\t") for line in LINES if line.startswith("#CHROM")]
    assert head[:9] == ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    assert head[9:] == [f"C01S{number:03d}" for number in range(1, 13)]
    assert {len(row) for row in ROWS} == {len(head)}


def test_rows__are_as_many_as_asked_for_and_sorted_within_the_chromosome() -> None:
    places = [int(row[1]) for row in ROWS]
    assert len(places) == 300
    assert places == sorted(set(places))
    assert places[-1] <= CHROMOSOME_BASES
    assert {row[0] for row in ROWS} == {CHROMOSOME}


def test_fields__that_rows_use__are_declared() -> None:
    declared = {(kind, name) for line in LINES if (found := _DECLARED.match(line)) for kind, name in [found.groups()]}
    used = {("contig", CHROMOSOME)} | {("FILTER", row[6]) for row in ROWS}
    used |= {("INFO", entry.split("=")[0]) for row in ROWS for entry in row[7].split(";")}
    used |= {("FORMAT", name) for row in ROWS for name in row[8].split(":")}
    assert used == declared


def test_alleles__are_bases_that_differ__two_thirds_of_them_transitions() -> None:
    pairs = [(row[3], row[4]) for row in ROWS]
    assert all(one in "ACGT" and other in "ACGT" and one != other for one, other in pairs)
    transitions = sum({one, other} in ({"A", "G"}, {"C", "T"}) for one, other in pairs)
    assert 0.55 < transitions / len(pairs) < 0.78


def test_counts__are_those_of_the_genotypes() -> None:
    for row in ROWS:
        alleles = [int(allele) for call in row[9:] for allele in call.split(":")[0].split("/")]
        assert row[7] == f"AC={sum(alleles)};AN=24;AF={sum(alleles) / 24:.4f}"
        assert sum(alleles) > 0


def test_seed__same_again__same_bytes() -> None:
    digest = hashlib.sha256(variant_file(Cohort("C01", samples=2, variants=5), "seed")).hexdigest()
    assert digest == "497a080d2899f00165a85bba19acc1464f99684378c201e9f9955dfadafea135"
    assert variant_file(COHORT, "test") != variant_file(COHORT, "other")
