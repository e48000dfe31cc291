"""Limits let in what fits, keep the rest waiting in order, and turn away what would wait too long."""

from __future__ import annotations

import asyncio

import pytest

from storage_agent.node.refusals import TooBusy, TooManyRequests
from storage_agent.serve.limits import ByteBudget, Gate, RateLimiter, address_group


async def test_gate__places_and_queue_taken__turned_away() -> None:
    gate = Gate(limit=1, queue=1)
    leave = asyncio.Event()
    entered: list[int] = []

    async def visit(number: int) -> None:
        async with gate.enter():
            entered.append(number)
            await leave.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(visit(1))
        group.create_task(visit(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (gate.working, gate.waiting, entered) == (1, 1, [1])
        with pytest.raises(TooBusy):
            await visit(3)
        leave.set()

    assert entered == [1, 2]
    assert (gate.working, gate.waiting) == (0, 0)


async def test_byte_budget__larger_than_all__let_in_alone() -> None:
    budget = ByteBudget(100)
    async with budget.reserve(1000, 1):
        assert budget.used == 100
        with pytest.raises(TooBusy):
            async with budget.reserve(1, 0):
                pass
    assert budget.used == 0


async def test_byte_budget__small_behind_large__keeps_its_turn() -> None:
    budget = ByteBudget(100)
    order: list[str] = []
    release = asyncio.Event()

    async def hold(name: str, size: int) -> None:
        async with budget.reserve(size, 10):
            order.append(name)
            await release.wait()

    async with asyncio.TaskGroup() as group:
        for name, size in (("first", 60), ("large", 80), ("small", 10)):
            group.create_task(hold(name, size))
            await asyncio.sleep(0)
        assert order == ["first"]
        release.set()

    assert order == ["first", "large", "small"]
    assert budget.used == 0


async def test_byte_budget__waiter_cancelled__next_is_admitted() -> None:
    budget = ByteBudget(100)
    async with budget.reserve(50, 1, "a"):
        large = asyncio.ensure_future(budget.reserve(80, 10, "b").__aenter__())
        await asyncio.sleep(0)
        small = asyncio.ensure_future(budget.reserve(50, 10, "c").__aenter__())
        await asyncio.sleep(0)
        large.cancel()
        await small
        assert budget.used == 100


async def test_byte_budget__one_address_that_sends_slowly__leaves_half_to_the_others() -> None:
    budget = ByteBudget(100)
    async with budget.reserve(40, 1, "slow"), budget.reserve(10, 1, "slow"):
        with pytest.raises(TooBusy):
            async with budget.reserve(10, 0, "slow"):
                pass
        patient = asyncio.ensure_future(budget.reserve(10, 10, "slow").__aenter__())
        await asyncio.sleep(0)
        async with budget.reserve(50, 0, "other"):
            assert budget.used == 100
        patient.cancel()


async def test_gate__one_address_takes_all_it_can__the_others_get_in() -> None:
    gate = Gate(limit=4, queue=4)
    entered = []

    async def visit() -> None:
        async with gate.enter("slow"):
            entered.append(gate.working)

    async with gate.enter("slow"), gate.enter("slow"):
        waiting = [asyncio.ensure_future(visit()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await gate.enter("slow").__aenter__()
        async with gate.enter("other"), gate.enter("other"):
            assert (gate.working, gate.waiting, entered) == (4, 2, [])
    await asyncio.gather(*waiting)
    assert (gate.working, gate.waiting, len(entered)) == (0, 0, 2)


async def test_gate__waiter_cancelled_as_it_is_admitted__gives_its_place_back() -> None:
    gate = Gate(limit=2, queue=2)
    async with gate.enter("a"):
        waiting = asyncio.ensure_future(gate.enter("a").__aenter__())
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (gate.working, gate.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_address_group__ipv6_customer__one_address(host: str, group: str) -> None:
    assert address_group(host) == group


def test_rate_limiter__burst_spent__told_how_long() -> None:
    limiter = RateLimiter(rate=2, burst=3)
    for _ in range(3):
        limiter.take("a", 10.0)
    with pytest.raises(TooManyRequests) as refusal:
        limiter.take("a", 10.0)
    assert refusal.value.retry_after == pytest.approx(0.5)

    limiter.take("b", 10.0)
    limiter.take("a", 10.5)
    with pytest.raises(TooManyRequests):
        limiter.take("a", 10.5)


def test_rate_limiter__many_clients__forgets_the_oldest() -> None:
    limiter = RateLimiter(rate=1, burst=1, clients=2)
    for client in "abc":
        limiter.take(client, 0.0)

    limiter.take("a", 0.0)
    with pytest.raises(TooManyRequests):
        limiter.take("c", 0.0)
