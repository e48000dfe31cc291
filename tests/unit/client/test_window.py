"""Encoded segments in bounded memory."""

from __future__ import annotations

import asyncio

import pytest

from walrus_chain.client.window import DEPTH, SegmentWindow
from walrus_chain.codec.redstuff import EncodedSegment, encode_segment
from walrus_chain.errors import SourceChanged


class Encoder:
    """Counts what it made."""

    def __init__(self, segments: int) -> None:
        self.made = 0
        self.segments = segments

    def __call__(self) -> EncodedSegment:
        if self.made == self.segments:
            raise SourceChanged("test")
        self.made += 1
        return encode_segment(bytes([self.made]) * 10, 4)


def window(encoder: Encoder, segments: int, left: list[tuple[int, int]] | None = None) -> SegmentWindow:
    """Three receivers of weight one, of which two are a quorum."""
    told = [] if left is None else left
    return SegmentWindow(segments, 10, dict.fromkeys(range(3), 1), 2, encoder, lambda *who: told.append(who))


async def test_fill__nobody_takes__stops_at_its_depth() -> None:
    encoder = Encoder(9)
    subject = window(encoder, 9)
    filling = asyncio.create_task(subject.fill())
    await asyncio.sleep(1000)
    assert encoder.made == DEPTH
    filling.cancel()


async def test_fill__all_advance__makes_all_and_ends() -> None:
    encoder = Encoder(9)
    subject = window(encoder, 9)
    filling = asyncio.create_task(subject.fill())

    async def receive(receiver: int) -> list[bytes]:
        got = []
        for segment in range(9):
            encoded = await subject.get(segment)
            got.append(bytes(encoded.primary[0][:1]))
            await subject.advance(receiver, segment + 1)
        await subject.leave(receiver, done=True)
        return got

    for got in await asyncio.gather(*map(receive, range(3))):
        assert got == [bytes([number + 1]) for number in range(9)]
    await filling


async def test_fill__one_never_advances__is_left_behind_after_a_quorum() -> None:
    left: list[tuple[int, int]] = []
    subject = window(Encoder(4), 4, left)
    filling = asyncio.create_task(subject.fill())
    for segment in range(4):
        for receiver in (0, 1):
            await subject.get(segment)
            await subject.advance(receiver, segment + 1)
    await filling
    assert left == [(2, 0)]


async def test_fill__two_never_advance__waits_for_them() -> None:
    left: list[tuple[int, int]] = []
    encoder = Encoder(4)
    subject = window(encoder, 4, left)
    filling = asyncio.create_task(subject.fill())
    await subject.advance(0, 4)
    await asyncio.sleep(1000)
    assert (left, encoder.made) == ([], DEPTH)
    filling.cancel()


async def test_fill__receivers_that_are_done__count_for_the_quorum() -> None:
    left: list[tuple[int, int]] = []
    subject = window(Encoder(4), 4, left)
    await subject.leave(0, done=True)
    await subject.leave(1, done=True)
    await subject.fill()
    assert left == [(2, 0)]


async def test_fill__all_have_left__makes_nothing_more() -> None:
    encoder = Encoder(4)
    subject = window(encoder, 4)
    for receiver in range(3):
        await subject.leave(receiver, done=False)
    await subject.fill()
    assert encoder.made == 0


async def test_get__encoding_fails__fails_for_every_receiver() -> None:
    subject = window(Encoder(0), 1)
    with pytest.raises(SourceChanged):
        await subject.fill()
    for _ in range(3):
        with pytest.raises(SourceChanged):
            await subject.get(0)
