"""What the owner of the genomes computes by itself, to compare the network's answer with."""

from __future__ import annotations

from examples.genomics.computing import frequencies
from examples.genomics.variants import Cohort, variant_file

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB\n"
SITE = "22\t7\t.\tA\tG\t50\tPASS\t.\tGT:DP\t0/1:9\t1/1:9\n"
OTHER = "22\t5\t.\tA\tC\t50\tPASS\t.\tGT:DP\t0/0:9\t0/1:9\n"
AGAIN = "22\t7\t.\tA\tG\t50\tPASS\t.\tGT:DP\t0/0:9\t0/0:9\n"


def test_frequencies__site_in_two_files__counted_together_in_the_order_met() -> None:
    written = frequencies([(HEADER + SITE + OTHER).encode(), (HEADER + AGAIN).encode()])

    assert written.decode() == (
        "#CHROM\tPOS\tREF\tALT\tAC\tAN\tAF\n22\t7\tA\tG\t3\t8\t0.3750\n22\t5\tA\tC\t1\t4\t0.2500\n"
    )


def test_frequencies__a_cohort__counts_are_those_that_its_file_declares() -> None:
    content = variant_file(Cohort("C01", samples=7, variants=20), "seed")
    declared = [line.split("\t")[7].split(";")[:2] for line in content.decode().splitlines() if line[0] != "#"]

    rows = [line.split("\t") for line in frequencies([content]).decode().splitlines()[1:]]

    assert [[f"AC={row[4]}", f"AN={row[5]}"] for row in rows] == declared
