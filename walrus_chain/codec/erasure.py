"""A systematic Reed-Solomon code over GF(2^8): any k of n payloads give all n.

The only place that knows pyeclib. The code is its `isa_l_rs_cauchy`: polynomial 0x11d, identity on top, below it the
Cauchy rows `1 / (i ^ j)`. (`isa_l_rs_vand` is not used: not every k of its n rows are invertible.) What callers see are
bare payloads: pyeclib's 80-byte fragment headers depend only on the payload length and the place, so they are cut off
here and put back from a template before a rebuild. pyeclib rebuilds from corrupt payloads in silence, therefore verify
payloads first.

The code works byte by byte, so long payloads are walked in tiles: fragments then stay in the processor's cache and
out of the allocator's slow path, which is worth a factor of two to five.

Source: docs/spec/02-geometry.md; an independent field implementation in tests/unit/codec/ checks each coefficient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from pyeclib.ec_iface import ECDriver

from walrus_chain.codec.buffers import Buffer
from walrus_chain.errors import Bug, NotEnoughSymbols
from walrus_chain.types import PairIndex

_BACKEND = "isa_l_rs_cauchy"
_HEADER_BYTES = 80
#: Bytes of all fragments of one tile that still fit a core's second-level cache.
_TILE_BUDGET = 512 * 1024
_LEAST_TILE = 8 * 1024
_MOST_TILE = 16 * 1024
#: A rebuild inverts a k x k matrix for each tile, so its tiles are longer; longer still where one payload is wanted,
#: for then there is little work on bytes to set against the inversion.
_REBUILD_TILE = 32 * 1024
_REBUILD_ONE_TILE = 128 * 1024


class ErasureCode:
    """The code that makes `total` payloads of any `needed`. Get one from `erasure_code`, which caches them."""

    __slots__ = ("_driver", "_headers", "_tile", "needed", "total")

    def __init__(self, needed: int, total: int) -> None:
        self.needed = needed
        self.total = total
        self._driver = ECDriver(k=needed, m=total - needed, ec_type=_BACKEND)
        self._tile = min(_MOST_TILE, max(_LEAST_TILE, _TILE_BUDGET // total & ~63))
        self._headers = lru_cache(maxsize=16)(self._make_headers)

    def extend(self, payloads: Sequence[Buffer]) -> list[memoryview]:
        """The payloads at places `needed`..`total - 1`.

        Args:
            payloads: the `needed` systematic payloads in order, all of the same length, a multiple of 8.
        Returns: `total - needed` payloads of that length.
        """
        needed, length = self.needed, len(payloads[0])
        if len(payloads) != needed or length % 8:
            raise Bug(f"{len(payloads)} payloads of {length} bytes given to a code over {needed}")
        encode, tile = self._driver.encode, self._tile
        if length <= tile:
            return [memoryview(fragment)[_HEADER_BYTES:] for fragment in encode(b"".join(payloads))[needed:]]
        views = [memoryview(payload) for payload in payloads]
        parity = [memoryview(bytearray(length)) for _ in range(self.total - needed)]
        for start in range(0, length, tile):
            stop = min(start + tile, length)
            fragments = encode(b"".join([view[start:stop] for view in views]))
            for place, target in enumerate(parity, needed):
                target[start:stop] = memoryview(fragments[place])[_HEADER_BYTES:]
        return parity

    def rebuild(self, payloads: Mapping[PairIndex, Buffer], wanted: Iterable[int]) -> list[memoryview]:
        """The payloads at the places `wanted`, from any `needed` payloads.

        Args:
            payloads: place to payload, all of the same length, a multiple of 8; already verified.
            wanted: places in 0..`total - 1`, in any order; those that are in `payloads` are handed back as they are.
        Returns: one payload for each place of `wanted`, in that order.
        Raises: NotEnoughSymbols: fewer than `needed` payloads.
        """
        if len(payloads) < self.needed:
            raise NotEnoughSymbols(len(payloads), self.needed)
        places = [PairIndex(place) for place in wanted]
        missing = [place for place in places if place not in payloads]
        rebuilt = dict(zip(missing, self._rebuild_missing(payloads, missing), strict=True)) if missing else {}
        return [rebuilt[place] if place in rebuilt else memoryview(payloads[place]) for place in places]

    def _rebuild_missing(self, payloads: Mapping[PairIndex, Buffer], missing: list[PairIndex]) -> list[memoryview]:
        needed = self.needed
        # Systematic places come first: the fewer of them are lost, the less has to be computed.
        given = sorted(payloads)[:needed]
        if given[-1] < needed:
            parity = self.extend([payloads[place] for place in given])
            return [parity[place - needed] for place in missing]
        views = [memoryview(payloads[place]) for place in given]
        length = len(views[0])
        if length % 8:
            raise Bug(f"payloads of {length} bytes given to a code over multiples of 8")
        outputs = [memoryview(bytearray(length)) for _ in missing]
        tile = _REBUILD_ONE_TILE if len(missing) == 1 else _REBUILD_TILE
        for start in range(0, length, tile):
            stop = min(start + tile, length)
            headers = self._headers(stop - start)
            fragments = [headers[place] + view[start:stop] for place, view in zip(given, views, strict=True)]
            if len(missing) == 1:
                [fragment] = self._driver.reconstruct(fragments, list[int](missing))
                outputs[0][start:stop] = memoryview(fragment)[_HEADER_BYTES:]
                continue
            data = self._driver.decode(fragments)
            systematic = memoryview(data)
            extended = self._driver.encode(data) if max(missing) >= needed else ()
            width = stop - start
            for place, output in zip(missing, outputs, strict=True):
                if place < needed:
                    output[start:stop] = systematic[place * width : (place + 1) * width]
                else:
                    output[start:stop] = memoryview(extended[place])[_HEADER_BYTES:]
        return outputs

    def _make_headers(self, length: int) -> list[bytes]:
        """The fragment headers of payloads of `length` bytes, one for each place."""
        return [fragment[:_HEADER_BYTES] for fragment in self._driver.encode(bytes(length * self.needed))]


@lru_cache(maxsize=16)
def erasure_code(needed: int, total: int) -> ErasureCode:
    """The code that makes `total` payloads of any `needed`."""
    return ErasureCode(needed, total)
