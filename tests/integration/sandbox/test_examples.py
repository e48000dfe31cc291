"""The example programs say what a direct computation says, and are the ones that their sources make."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from examples.genomics.variants import Cohort, variant_file
from scripts.build_programs import PROGRAMS, RECORD, digest_of_source
from walrus_chain.compute.abi import MAXIMUM_MEMORY_BYTES
from walrus_chain.compute.module import examine
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.errors import ToolMissing
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program
from walrus_chain.sandbox.toolchain import SDK, build_program, compiler_version

pytestmark = pytest.mark.integration
SOURCES = sorted(PROGRAMS.glob("*.c"))


async def outcome_of(name: str, *inputs: bytes, argument: str = "") -> Outcome:
    run = Run(PROGRAMS.joinpath(f"{name}.wasm").read_bytes(), argument.encode(), fuel=10**10)
    return await run_program(run, [BytesInput(data) for data in inputs])


def test_examples__committed__are_of_these_sources() -> None:
    recorded = json.loads(RECORD.read_text())["programs"]

    assert recorded == {
        source.stem: {
            "source": digest_of_source(source),
            "program": hashlib.sha256(source.with_suffix(".wasm").read_bytes()).hexdigest(),
        }
        for source in SOURCES
    }, "python scripts/build_programs.py"


@pytest.mark.parametrize("source", [*SOURCES, SDK / "template.c"], ids=lambda source: source.stem)
def test_build__of_c__makes_a_program_or_says_what_to_install(source: object) -> None:
    path = PROGRAMS / str(source)
    if not (shutil.which("clang") and shutil.which("wasm-ld")):
        with pytest.raises(ToolMissing, match="apt-get install clang lld"):
            build_program(path)
        return
    built = build_program(path)

    examine(built)
    if path.parent == PROGRAMS and compiler_version() == json.loads(RECORD.read_text())["compiler"]:
        assert built == path.with_suffix(".wasm").read_bytes()


async def test_word_count__agrees_with_python() -> None:
    texts = [b"hello world\nsecond line", b"", b" \t\n\x0b", bytes(range(128)) * 1000]

    outcome = await outcome_of("word_count", *texts)

    lines, words, size = (sum(map(of, texts)) for of in (lambda t: t.count(b"\n"), lambda t: len(t.split()), len))
    assert outcome.output.decode() == f"{lines} lines\n{words} words\n{size} bytes\n"


@dataclass(frozen=True)
class Zeros:
    """An input of zeros that is nowhere in memory."""

    size: int

    async def read(self, offset: int, length: int) -> bytes:
        return bytes(length)


async def test_word_count__input_larger_than_all_memory__streams() -> None:
    size = MAXIMUM_MEMORY_BYTES + 2**25
    run = Run(PROGRAMS.joinpath("word_count.wasm").read_bytes(), fuel=10**12)

    outcome = await run_program(run, [Zeros(size)])

    assert outcome.output.decode() == f"0 lines\n1 words\n{size} bytes\n"
    assert outcome.memory_bytes < 2**20


async def test_checksum__agrees_with_hashlib_at_every_seam() -> None:
    chance = random.Random(1)
    inputs = [chance.randbytes(size) for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 65535, 65536, 65537, 200_000)]

    outcome = await outcome_of("checksum", *inputs)

    expected = [f"{hashlib.sha256(data).hexdigest()}  {index}" for index, data in enumerate(inputs)]
    assert outcome.output.decode().splitlines() == expected


# -- allele frequency ------------------------------------------------------------------------------------------------

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
SITES = [("1", 100 + 10 * place, "A", "G,T" if place % 3 == 0 else "G") for place in range(40)]


def vcf(people: list[str], seed: int, unread: float = 0.1) -> str:
    """A file about these people, with genotypes by chance."""
    chance = random.Random(seed)
    lines = [HEADER + "\t".join(people)]
    for chromosome, position, reference, alternative in SITES:
        most = alternative.count(",") + 1
        genotypes = [
            "./." if chance.random() < unread else f"{chance.randint(0, most)}{mark}{chance.randint(0, most)}:9"
            for mark in chance.choices("|/", k=len(people))
        ]
        fields = (chromosome, str(position), f"rs{seed}", reference, alternative, ".", "PASS", ".", "GT:DP", *genotypes)
        lines.append("\t".join(fields))
    return "\n".join(lines) + "\n"


def frequencies(files: list[str], least: int) -> Iterator[str]:
    """The same, computed directly."""
    counts: dict[tuple[str, ...], Counter[int]] = {}
    readers: Counter[tuple[str, ...]] = Counter()
    for file in files:
        for line in file.splitlines():
            if line.startswith("#"):
                continue
            fields = line.split("\t")
            site: tuple[str, ...] = (fields[0], fields[1], fields[3], fields[4])
            counts.setdefault(site, Counter())
            for genotype in fields[9:]:
                alleles = genotype.partition(":")[0].replace("|", "/").split("/")
                if "." not in alleles:
                    counts[site].update(map(int, alleles))
                    readers[site] += 1
    yield "#CHROM\tPOS\tREF\tALT\tAC\tAN\tAF"
    for place, count in counts.items():
        if readers[place] >= least:
            each = [count[allele] for allele in range(1, place[3].count(",") + 2)]
            shares = [f"{10000 * number // count.total() / 10000:.4f}" for number in each]
            yield "\t".join((*place, ",".join(map(str, each)), str(count.total()), ",".join(shares)))


@pytest.mark.parametrize("argument", ["", "5", "9", "2"])
async def test_allele_frequency__agrees_with_a_direct_computation(argument: str) -> None:
    files = [vcf([f"p{file}_{person}" for person in range(file + 1)], seed=file, unread=0.3) for file in range(4)]
    files[1] = files[1].replace("\n", "\r\n")

    outcome = await outcome_of("allele_frequency", *(file.encode() for file in files), argument=argument)

    assert outcome.ending is Ending.FINISHED, outcome.message
    least = max(5, int(argument or "5"))
    assert outcome.output.decode().splitlines() == list(frequencies(files, least))


async def test_allele_frequency__over_the_genomics_story__agrees_with_a_direct_computation() -> None:
    files = [variant_file(Cohort(f"C{number:02d}", 40, 300), "test").decode() for number in range(1, 5)]

    outcome = await outcome_of("allele_frequency", *(file.encode() for file in files), argument="20")

    assert outcome.ending is Ending.FINISHED, outcome.message
    assert outcome.output.decode().splitlines() == list(frequencies(files, 20))


@pytest.mark.parametrize(
    ("files", "argument", "words"),
    [
        ([vcf(["a", "b", "c", "d"], 1)], "", "the group is too small"),
        ([vcf(["a", "b", "c", "d"], 1)], "1", "the group is too small"),
        ([vcf(["a", "b", "c", "d", "e"], 1)], "6", "the group is too small"),
        ([], "", "the group is too small"),
        ([vcf(["a", "b", "c", "d", "e"], 1), vcf(["e"], 2)], "", "a sample is there twice"),
        ([vcf(["a", "a", "a", "a", "a"], 1)], "", "a sample is there twice"),
        (["hello\n"], "", "an input is no VCF file"),
        ([vcf(["a", "b", "c", "d", "e"], 1) + "1\t5\n"], "", "too few columns"),
        ([vcf(["a", "b", "c", "d", "e"], 1) + "1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n"], "", "other columns"),
        ([vcf(["a", "b", "c", "d", "e"], 1) + "x" * 2**21], "", "longer than a mebibyte"),
        ([vcf(["a"], 1)], "five", "the argument is no number"),
        ([vcf(["a"], 1)], "9" * 30, "the argument is no number"),
    ],
)
async def test_allele_frequency__what_shows_too_much_or_makes_no_sense__is_refused(
    files: list[str], argument: str, words: str
) -> None:
    outcome = await outcome_of("allele_frequency", *(file.encode() for file in files), argument=argument)

    assert outcome.ending is Ending.ABORTED
    assert words in outcome.message
    assert outcome.output == b""
