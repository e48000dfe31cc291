"""Which vouchers a node takes, which a payer gives, and that every stretch pays for one use only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from walrus_chain.errors import (
    AboveDeposit,
    AmountTooSmall,
    ChannelIsClosing,
    MalformedSignature,
    UseCostsMore,
    VoucherRefused,
    WrongChannel,
    WrongPool,
    WrongPurpose,
    WrongSigner,
    WrongVoucherSigner,
)
from walrus_chain.messages.domain import channels_domain
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.messages.voucher import Voucher
from walrus_chain.payments.vouchers import AcceptedVoucher, ChannelFacts, SpendLedger, StretchTaken, VoucherBook
from walrus_chain.types import Address, Wei

DOMAIN = channels_domain(31337, Address("0x1000000000000000000000000000000000000001"))
OTHER_CHAIN = channels_domain(1, Address("0x1000000000000000000000000000000000000001"))
OTHER_CONTRACT = channels_domain(31337, Address("0x2000000000000000000000000000000000000002"))
PAYER, STRANGER = LocalSigner(b"\1" * 32), LocalSigner(b"\2" * 32)
FACTS = ChannelFacts(5, PAYER.address, PAYER.address, 9, Wei(1000), Wei(0), 0, False)


def use(number: int) -> bytes:
    """The digest of a use."""
    return number.to_bytes(32, "big")


def voucher(cumulative: int, amount: int = 10, use_number: int = 1, channel: int = 5) -> Voucher:
    """A voucher."""
    return Voucher(channel, Wei(cumulative), Wei(amount), use(use_number))


@dataclass
class Node:
    """A node's book, kept as a node keeps it."""

    book: VoucherBook

    def take(
        self,
        given: Voucher,
        *,
        price: int = 10,
        signer: LocalSigner = PAYER,
        facts: ChannelFacts = FACTS,
        domain: Any = DOMAIN,
        for_use: bytes | None = None,
        pool: int = 9,
    ) -> AcceptedVoucher | None:
        """Judges the voucher for its own use, and records it."""
        taken = self.book.judge(
            given,
            given.sign(signer, domain),
            price=Wei(price),
            use=given.purpose if for_use is None else for_use,
            pool=pool,
            facts=facts,
            domain=DOMAIN,
        )
        if taken is not None:
            self.book.record(taken)
        return taken


@pytest.fixture
def node() -> Node:
    """A node that took nothing yet."""
    return Node(VoucherBook(5))


def test_judge__good_voucher__taken_and_kept(node: Node) -> None:
    taken = node.take(voucher(10))
    assert taken == AcceptedVoucher(voucher(10), voucher(10).sign(PAYER, DOMAIN))
    assert node.book.accepted == {use(1): taken}
    assert node.book.highest == taken


def test_judge__lower_than_before__taken_when_the_stretch_is_free(node: Node) -> None:
    """Two requests may overtake each other: order means nothing, stretches do."""
    node.take(voucher(100, use_number=1))
    node.take(voucher(50, use_number=2))
    node.take(voucher(90, use_number=3))
    assert node.book.highest is not None
    assert node.book.highest.use == use(1)
    assert len(node.book.accepted) == 3


@pytest.mark.parametrize(("cumulative", "amount"), [(50, 10), (55, 10), (45, 10), (59, 20), (100, 70), (41, 10)])
def test_judge__stretch_that_pays_for_another_use__refused_with_both_vouchers(
    node: Node, cumulative: int, amount: int
) -> None:
    taken, highest = node.take(voucher(50, use_number=1)), node.take(voucher(200, use_number=2))
    with pytest.raises(StretchTaken, match="200 wei are promised so far") as error:
        node.take(voucher(cumulative, amount, use_number=3))
    assert (error.value.taken, error.value.highest) == (taken, highest)
    assert use(3) not in node.book.accepted


@pytest.mark.parametrize(("cumulative", "amount"), [(40, 40), (60, 10), (190, 140), (201, 1)])
def test_judge__stretch_that_touches_another__taken(node: Node, cumulative: int, amount: int) -> None:
    node.take(voucher(50, use_number=1))
    node.take(voucher(200, use_number=2))
    assert node.take(voucher(cumulative, amount, use_number=3), price=1) is not None


def test_judge__same_use_again__served_and_not_paid_twice(node: Node) -> None:
    node.take(voucher(10))
    assert node.take(voucher(10)) is None
    assert node.take(voucher(30)) is None
    assert node.take(voucher(10), facts=replace(FACTS, closed=True)) is None
    assert [taken.voucher for taken in node.book.accepted.values()] == [voucher(10)]


def test_judge__above_the_deposit__refused(node: Node) -> None:
    with pytest.raises(AboveDeposit, match="channel 5 holds 1000"):
        node.take(voucher(1001))
    assert node.take(voucher(1000)) is not None


@pytest.mark.parametrize("facts", [replace(FACTS, closes_at=1), replace(FACTS, closed=True)])
def test_judge__channel_closing_or_closed__refused(node: Node, facts: ChannelFacts) -> None:
    with pytest.raises(ChannelIsClosing):
        node.take(voucher(10), facts=facts)


def test_judge__signed_by_or_for_another__refused(node: Node) -> None:
    for wrong in ({"signer": STRANGER}, {"domain": OTHER_CHAIN}, {"domain": OTHER_CONTRACT}):
        with pytest.raises(WrongVoucherSigner):
            node.take(voucher(10), **wrong)
    with pytest.raises(WrongVoucherSigner):
        node.book.judge(voucher(10), b"", price=Wei(1), use=use(1), pool=9, facts=FACTS, domain=DOMAIN)


def test_judge__for_another_use__refused(node: Node) -> None:
    with pytest.raises(WrongPurpose):
        node.take(voucher(10), for_use=use(2))


def test_judge__of_another_channel__refused(node: Node) -> None:
    with pytest.raises(WrongChannel):
        node.take(voucher(10, channel=6))
    with pytest.raises(WrongChannel):
        node.take(voucher(10, channel=6), facts=replace(FACTS, channel=6))
    with pytest.raises(WrongChannel):
        node.take(voucher(10), facts=replace(FACTS, channel=6))


def test_judge__for_another_pool__refused(node: Node) -> None:
    with pytest.raises(WrongPool, match="owed to pool 8"):
        node.take(voucher(10), pool=8)


@pytest.mark.parametrize(
    ("given", "price"), [(voucher(10, 9), 10), (voucher(10, 0), 0), (voucher(9, 10), 10), (voucher(0, 0), 0)]
)
def test_judge__too_little_or_more_than_it_promises__refused(node: Node, given: Voucher, price: int) -> None:
    with pytest.raises(AmountTooSmall):
        node.take(given, price=price)


def test_judge__nothing_recorded__book_is_unchanged(node: Node) -> None:
    """What was not kept yet may be lost in a crash, and then must not count."""
    given = voucher(10)
    signature = given.sign(PAYER, DOMAIN)
    for _ in range(2):
        assert node.book.judge(given, signature, price=Wei(1), use=use(1), pool=9, facts=FACTS, domain=DOMAIN)
    assert not node.book.accepted


def test_book__restored_in_any_order__judges_as_before(node: Node) -> None:
    for number, cumulative in enumerate((300, 100, 200)):
        node.take(voucher(cumulative, use_number=number))
    accepted = list(node.book.accepted.values())
    restored = VoucherBook(5, reversed(accepted))
    assert restored.accepted == node.book.accepted
    assert restored.highest == node.book.highest
    restored.record(accepted[0])
    assert len(restored.accepted) == 3
    with pytest.raises(StretchTaken):
        Node(restored).take(voucher(205, use_number=9))


def test_ledger__each_use__a_stretch_of_its_own_behind_the_others() -> None:
    ledger = SpendLedger(5, Wei(100))
    assert ledger.pay(use(1), Wei(10), Wei(1000)) == voucher(110, 10, 1)
    assert ledger.pay(use(2), Wei(5), Wei(1000)) == voucher(115, 5, 2)
    assert ledger.promised == 115
    assert set(ledger.uses) == {use(1), use(2)}


def test_ledger__same_use_again__the_same_voucher() -> None:
    ledger = SpendLedger(5, Wei(0))
    first = ledger.pay(use(1), Wei(10), Wei(1000))
    ledger.pay(use(2), Wei(10), Wei(1000))
    assert ledger.pay(use(1), Wei(10), Wei(1000)) == first
    assert ledger.pay(use(1), Wei(9), Wei(1000)) == first
    assert SpendLedger(5, ledger.promised, ledger.uses).pay(use(1), Wei(10), Wei(1000)) == first
    with pytest.raises(UseCostsMore):
        ledger.pay(use(1), Wei(11), Wei(1000))


def test_ledger__more_than_the_channel_holds__refused_and_nothing_promised() -> None:
    ledger = SpendLedger(5, Wei(995))
    with pytest.raises(AboveDeposit):
        ledger.pay(use(1), Wei(6), Wei(1000))
    assert ledger.promised == 995
    assert ledger.pay(use(1), Wei(5), Wei(1000)).cumulative == 1000


def test_ledger__nothing_to_pay__refused() -> None:
    with pytest.raises(AmountTooSmall):
        SpendLedger(5, Wei(0)).pay(use(1), Wei(0), Wei(1000))


def test_jump__ledger_was_lost__goes_on_behind_what_was_shown(node: Node) -> None:
    old = SpendLedger(5, Wei(0))
    for number in range(1, 6):
        node.take(old.pay(use(number), Wei(10), Wei(1000)))
    new = SpendLedger(5, Wei(0))
    with pytest.raises(StretchTaken) as refused:
        node.take(new.pay(use(7), Wei(10), Wei(1000)))

    assert new.jump(use(7), refused.value.taken, refused.value.highest, PAYER.address, DOMAIN)

    assert new.pay(use(7), Wei(10), Wei(1000)) == voucher(60, 10, 7)
    assert node.take(new.pay(use(7), Wei(10), Wei(1000))) is not None


def test_jump__node_lies__nothing_is_promised_for_it() -> None:
    """A node that could make a payer jump would make it promise its whole deposit for one use."""
    ledger = SpendLedger(5, Wei(0))
    given = ledger.pay(use(1), Wei(10), Wei(1000))

    def shown(claimed: Voucher, signer: LocalSigner = PAYER) -> AcceptedVoucher:
        return AcceptedVoucher(claimed, claimed.sign(signer, DOMAIN))

    far = shown(voucher(990, 10, 2), STRANGER)
    with pytest.raises(WrongSigner):
        ledger.jump(use(1), shown(voucher(10, 10, 3), STRANGER), far, PAYER.address, DOMAIN)
    with pytest.raises(WrongSigner):
        ledger.jump(use(1), shown(voucher(10, 10, 3)), far, PAYER.address, DOMAIN)
    with pytest.raises(MalformedSignature):
        ledger.jump(use(1), AcceptedVoucher(given, b""), shown(given), PAYER.address, DOMAIN)
    with pytest.raises(WrongChannel):
        ledger.jump(use(1), shown(voucher(10, 10, 3, channel=6)), shown(given), PAYER.address, DOMAIN)
    # True words of the payer that are no reason to refuse: the use itself, and a stretch elsewhere.
    assert not ledger.jump(use(1), shown(given), shown(given), PAYER.address, DOMAIN)
    elsewhere = shown(ledger.pay(use(2), Wei(10), Wei(1000)))
    assert not ledger.jump(use(1), elsewhere, elsewhere, PAYER.address, DOMAIN)
    assert not ledger.jump(use(3), elsewhere, elsewhere, PAYER.address, DOMAIN)
    assert ledger.promised == 20
    assert ledger.pay(use(1), Wei(10), Wei(1000)) == given


class Channel(RuleBasedStateMachine):
    """A payer on two computers that share a key, three nodes, and one channel.

    The second computer knows nothing of the first one's ledger, so its stretches are often taken.
    """

    @initialize()
    def begin(self) -> None:
        self.deposit = 300
        self.redeemed = 0
        self.refused_without_reason = 0
        self.nodes = [Node(VoucherBook(5)) for _ in range(3)]
        self.ledgers = [SpendLedger(5, Wei(0)) for _ in range(2)]
        self.prices: dict[bytes, int] = {}
        self.served: list[set[bytes]] = [set() for _ in self.nodes]

    @property
    def facts(self) -> ChannelFacts:
        return replace(FACTS, deposit=Wei(self.deposit), redeemed=Wei(self.redeemed))

    @rule(computer=st.integers(0, 1), number=st.integers(0, 7), at=st.integers(0, 2), price=st.integers(1, 40))
    def read(self, computer: int, number: int, at: int, price: int) -> None:
        """A use that an honest payer pays, at one node."""
        wanted = use(number)
        cost = Wei(self.prices.setdefault(wanted, price))
        ledger, node = self.ledgers[computer], self.nodes[at]
        try:
            given = ledger.pay(wanted, cost, Wei(self.deposit))
        except AboveDeposit:
            return
        try:
            node.take(given, price=cost, facts=self.facts)
        except StretchTaken as refused:
            jumped = ledger.jump(wanted, refused.taken, refused.highest, PAYER.address, DOMAIN)
            self.refused_without_reason += not jumped
            try:
                node.take(ledger.pay(wanted, cost, Wei(self.deposit)), price=cost, facts=self.facts)
            except AboveDeposit:
                return
        self.served[at].add(wanted)

    @rule(
        at=st.integers(0, 2),
        number=st.integers(0, 7),
        cumulative=st.integers(0, 400),
        amount=st.integers(0, 60),
        price=st.integers(0, 40),
    )
    def cheat(self, at: int, number: int, cumulative: int, amount: int, price: int) -> None:
        """Any voucher that a payer could sign."""
        try:
            self.nodes[at].take(voucher(cumulative, amount, number), price=price, facts=self.facts)
        except VoucherRefused:
            return
        self.served[at].add(use(number))

    @rule(more=st.integers(1, 100))
    def top_up(self, more: int) -> None:
        self.deposit += more

    @rule(at=st.integers(0, 2))
    def redeem(self, at: int) -> None:
        highest = self.nodes[at].book.highest
        if highest is not None:
            self.redeemed = max(self.redeemed, highest.voucher.cumulative)

    @rule(at=st.integers(0, 2))
    def crash(self, at: int) -> None:
        self.nodes[at] = Node(VoucherBook(5, list(self.nodes[at].book.accepted.values())))

    @rule(computer=st.integers(0, 1))
    def restart(self, computer: int) -> None:
        ledger = self.ledgers[computer]
        self.ledgers[computer] = SpendLedger(5, ledger.promised, ledger.uses)

    @invariant()
    def i8_accepted_stretches_of_different_uses_never_overlap(self) -> None:
        for node in self.nodes:
            for one, other in combinations([taken.voucher for taken in node.book.accepted.values()], 2):
                assert one.cumulative <= other.start or other.cumulative <= one.start

    @invariant()
    def i8_all_that_was_accepted_is_payable_by_the_highest(self) -> None:
        for node in self.nodes:
            accepted = [taken.voucher for taken in node.book.accepted.values()]
            highest = node.book.highest
            total = sum(taken.amount for taken in accepted)
            assert total <= (highest.voucher.cumulative if highest else 0) <= self.deposit

    @invariant()
    def every_refusal_shows_its_reason(self) -> None:
        assert self.refused_without_reason == 0

    @invariant()
    def served_is_paid(self) -> None:
        for node, served in zip(self.nodes, self.served, strict=True):
            assert served == set(node.book.accepted)

    @invariant()
    def a_ledger_gives_no_stretch_twice(self) -> None:
        for ledger in self.ledgers:
            for one, other in combinations(ledger.uses.values(), 2):
                assert one.cumulative <= other.start or other.cumulative <= one.start
            assert all(given.cumulative <= ledger.promised <= self.deposit for given in ledger.uses.values())


TestChannel = Channel.TestCase
TestChannel.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
