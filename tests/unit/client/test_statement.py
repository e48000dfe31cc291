"""A member's statement adds up, to the coin, to what the pool owes the member."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.chain.payment_views import RevenuePool as Facts
from walrus_chain.client.statement import _Part
from walrus_chain.payments.pools import RevenuePool
from walrus_chain.payments.units import Member
from walrus_chain.types import Address, PoolId, Wei

PROTOCOL_BPS = 250
ACCOUNTS = [Address(f"0x{number:040x}") for number in range(1, 6)]


@given(
    units=st.lists(st.integers(1, 10**6), min_size=1, max_size=5),
    nodes_bps=st.integers(0, 5_000),
    incomes=st.lists(st.integers(1, 10**24), max_size=20),
)
def test_part__of_any_incomes__is_what_the_member_could_claim(
    units: list[int], nodes_bps: int, incomes: list[int]
) -> None:
    members = [Member(account, count) for account, count in zip(ACCOUNTS, units, strict=False)]
    pool = RevenuePool.of(members, nodes_bps, PROTOCOL_BPS)
    facts = Facts(PoolId(1), Wei(0), sum(units), Wei(0), nodes_bps, bytes(32))
    for member in members:
        part, received = _Part(facts, PROTOCOL_BPS, member.units), 0
        grown = pool
        for income in incomes:
            received += part.of(Wei(income))
            grown = grown.receive(Wei(income))
        assert received == grown.claimable(member.account)
