"""Write tests/vectors/custody.json: which places a node is asked for, by seed and frozen entries.

    python scripts/make_custody_vectors.py

Made by the Python rules, checked by the Solidity contracts. The random cases come from a fixed seed, so the file
changes only when the rule does: a difference after running this is a break of compatibility.

`shards`                      n
`blobIds` `sizes` `dueNow`    the objects in the order in which they entered; `dueNow` is 1 when nodes answer for it
`classes` `lengths`           of the 32 size classes: the numbers of their objects, from 0, and how many of them count
`weight`                      W, a decimal text
`seed` `nodeId` `due` `count` whom the window asks: its due shards, ascending, and K
`words`                       of sample 0: for the shard, for the first two draws of the object, for the chunk

The rest has one number for each sample: `blank` is 1 when there is nothing to prove, and the other numbers are 0 then;
`sampleShard`; `sampleBlob`, the number of the object; `pair`, `segment`, `secondary` (1 for a column), `chunk`;
`chunkBytes` and `pathNodes`, the length of the proof.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from walrus_chain.codec.geometry import Geometry
from walrus_chain.codec.hashing import tree_depth
from walrus_chain.rules.custody import BLOB_TAG, CHUNK_TAG, SHARD_TAG, SIZE_CLASSES, Entry, Sample, Window, size_class
from walrus_chain.types import Axis, BlobId, Epoch, NodeId, ShardIndex

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "custody.json"
SEED = "walrus-chain/custody/1"
RANDOM_CASES = 30
EPOCH = Epoch(5)
LARGEST_SIZE = 2**40 - 1
MIB = 2**20

Case = dict[str, Any]


def case(
    name: str, dice: random.Random, shards: int, sizes: Sequence[int], due: Sequence[int], late: int = 0, over: int = 0
) -> Case:
    """One case; `late` objects entered after the window was opened, `over` of the others are not due any more."""
    ended = set(dice.sample(range(len(sizes) - late), over))
    entries = [
        Entry(BlobId(dice.randbytes(32)), size, Epoch(EPOCH - (number in ended) + 1))
        for number, size in enumerate(sizes)
    ]
    classes: list[list[int]] = [[] for _ in range(SIZE_CLASSES)]
    for number, size in enumerate(sizes):
        classes[size_class(size)].append(number)
    lengths = [sum(number < len(sizes) - late for number in members) for members in classes]
    window = Window(
        shards, EPOCH, dice.randbytes(32), [[entries[number] for number in each] for each in classes], lengths
    )
    node, count = NodeId(dice.choice((1, 7, 2**32 - 1))), 5
    samples = window.samples(node, [ShardIndex(shard) for shard in due], count)
    return {
        "name": name,
        "shards": shards,
        "blobIds": [entry.blob_id.hex for entry in entries],
        "sizes": list(sizes),
        "dueNow": [int(entry.until > EPOCH) for entry in entries],
        "classes": classes,
        "lengths": lengths,
        "weight": str(window.weight),
        "seed": "0x" + window.seed.hex(),
        "nodeId": node,
        "due": list(due),
        "count": count,
        "words": [
            f"0x{window.word(node, 0, tag, attempt):064x}"
            for tag, attempt in ((SHARD_TAG, 0), (BLOB_TAG, 0), (BLOB_TAG, 1), (CHUNK_TAG, 0))
        ],
        **expected(shards, entries, samples),
    }


def expected(shards: int, entries: Sequence[Entry], samples: Sequence[Sample | None]) -> Case:
    """The samples as lists, one number of each kind a sample."""
    rows = [proof_row(shards, entries, sample) if sample else [1, *[0] * 8] for sample in samples]
    columns = ("blank", "sampleShard", "sampleBlob", "pair", "segment", "secondary", "chunk", "chunkBytes", "pathNodes")
    return {column: [row[place] for row in rows] for place, column in enumerate(columns)}


def proof_row(shards: int, entries: Sequence[Entry], sample: Sample) -> list[int]:
    """One sample that is not blank."""
    place, blob = sample.place, Geometry(shards).blob(sample.entry.size)
    segment = blob.segment(place.segment)
    depths = [tree_depth(items) for items in (segment.chunks(place.axis), shards, blob.segments)]
    return [
        0,
        sample.shard,
        entries.index(sample.entry),
        place.pair,
        place.segment,
        int(place.axis is Axis.SECONDARY),
        place.chunk,
        segment.chunk_bytes(place.axis, place.chunk, 1),
        sum(depths) + 1,
    ]


def chosen_cases(dice: random.Random) -> Iterator[Case]:
    """The corners: nothing to prove, one object, every class, void draws, the largest sizes."""
    yield case("nothing was certified yet", dice, 10, [], [0])
    yield case("all entered after the window was opened", dice, 10, [MIB, 2 * MIB], [0, 5], late=2)
    yield case("one object that is over: every draw is void", dice, 10, [MIB], [3], over=1)
    yield case("an empty blob", dice, 4, [0], [2])
    yield case("one object of a mebibyte", dice, 30, [MIB], [0, 10, 29])
    yield case("every size class", dice, 30, [4096 << size_class for size_class in range(32)], [7])
    yield case("borders of size classes", dice, 13, [4095, 4096, 8191, 8192, 16_383, 16_384] * 2, [0, 1, 12])
    yield case("half of the objects are over", dice, 30, [50_000] * 8, range(0, 30, 3), over=4)
    yield case("most objects are over", dice, 30, [50_000] * 20, [1], over=18)
    yield case("two segments, the second one short", dice, 30, [32 * MIB + 1], [4, 5])
    yield case("the largest size that can be registered", dice, 255, [LARGEST_SIZE], [254])
    yield case("all shards on one node", dice, 255, [3 * MIB, 70 * MIB], range(255))


def random_cases(dice: random.Random) -> Iterator[Case]:
    """Any n, sizes of all magnitudes, some late, some over."""
    for number in range(RANDOM_CASES):
        shards = dice.randint(4, 255)
        sizes = [dice.randrange(2 ** dice.randint(1, dice.choice((20, 30, 40)))) for _ in range(dice.randint(1, 24))]
        due = sorted(dice.sample(range(shards), dice.randint(1, min(shards, 12))))
        late = dice.randrange(len(sizes)) // 3
        yield case(f"random {number}", dice, shards, sizes, due, late, dice.randrange(len(sizes) - late) // 2)


def main() -> None:
    """Write the file: one case a line."""
    dice = random.Random(SEED)
    lines = ",\n".join(json.dumps(entry) for entry in [*chosen_cases(dice), *random_cases(dice)])
    VECTORS.write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print("tests/vectors/custody.json")


if __name__ == "__main__":
    main()
