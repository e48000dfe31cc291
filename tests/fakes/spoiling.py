"""Requests for keys that are spoilt in one or more places, as hypothesis draws them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Body = dict[str, Any]
Place = tuple[str | int, ...]

_JUNK: SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**270),
    st.text(max_size=80),
    st.binary(max_size=100).map(lambda data: "0x" + data.hex()),
    st.integers(0, 2**256).map(str),
    st.lists(st.integers(0, 5), max_size=3),
    st.just({}),
)


def spoilt(body: Body, others: list[Body], most: int = 3) -> SearchStrategy[Body]:
    """The body with up to `most` places changed: to junk, to what stands there in another body, or by a bit.

    Args:
        others: bodies of others, signed rightly.
    """
    places = sorted(_places(body), key=repr)
    change = st.tuples(st.sampled_from(places), st.one_of(_JUNK, st.sampled_from(range(len(others) + 2)).map(_Hint)))
    return st.lists(change, max_size=most).map(lambda changes: _changed(body, others, changes))


class _Hint:
    """Says what to put into a place that is not known yet."""

    def __init__(self, number: int) -> None:
        self.number = number


def _changed(body: Body, others: list[Body], changes: list[tuple[Place, Any]]) -> Body:
    result = copy.deepcopy(body)
    for place, value in changes:
        holder: Any = _at(result, place[:-1])
        if not _has(holder, place[-1]):
            continue
        if isinstance(value, _Hint):
            value = _hinted(holder[place[-1]], place, others, value.number)
        if value is _GONE and isinstance(holder, dict):
            del holder[place[-1]]
        elif value is not _GONE:
            holder[place[-1]] = value
    return result


_GONE = object()


def _hinted(present: Any, place: Place, others: list[Body], number: int) -> Any:
    """What another body has there; nothing at all; or the value with a bit changed."""
    if number < len(others):
        return _at(others[number], place)
    if number == len(others):
        return _GONE
    if isinstance(present, str) and len(present) > 2:
        last = "0" if present[-1] != "0" else "1"
        return present[:-1] + last
    return present + 1 if isinstance(present, int) else present


def _places(value: Any, prefix: Place = ()) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*prefix, key)
        yield from _places(item, (*prefix, key))


def _has(holder: Any, key: str | int) -> bool:
    if isinstance(holder, dict):
        return key in holder
    return isinstance(holder, list) and isinstance(key, int) and key < len(holder)


def _at(value: Any, place: Place) -> Any:
    for key in place:
        if not _has(value, key):
            return None
        value = value[key]
    return value
