"""The fee rules: what the specification promises of prices and incomes, and the shared vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from walrus_chain.errors import TermOver, WrongTerm
from walrus_chain.rules.fees import Income, Price, PriceList, paid_ahead, refund
from walrus_chain.types import Epoch, Wei

VECTORS = Path(__file__).parents[2] / "vectors" / "fees.json"
PRICES = PriceList(shards=10, unit_bytes=64 * 1024, unit_price=Wei(1000), write_fee=Wei(77), maximum_epochs=50)

sizes = st.integers(0, 2**40 - 1)


def test_I11_shared_vectors_hold() -> None:
    networks = json.loads(VECTORS.read_text(encoding="utf-8"))["networks"]
    assert len(networks) == 5
    for network in networks:
        prices = PriceList(
            network["shards"],
            network["unitBytes"],
            Wei(int(network["unitPrice"])),
            Wei(int(network["writeFee"])),
            network["maximumEpochs"],
        )
        for case in network["quotes"]:
            assert prices.units(case["size"]) == case["units"]
            price = prices.quote(case["size"], case["epochs"])
            assert (str(price.total), str(price.rate)) == (case["total"], case["rate"])
        for case in network["extensions"]:
            price = prices.quote_extension(
                case["size"], Wei(int(case["rate"])), case["end"], case["current"], case["epochs"]
            )
            assert (str(price.total), str(price.rate)) == (case["total"], case["newRate"])


def test_an_empty_blob_costs_a_unit() -> None:
    assert PRICES.units(0) == 1
    assert PRICES.quote(0, 1) == Price(total=Wei(1077), rate=Wei(1000), fee=Wei(77))


def test_a_mebibyte_on_ten_shards_costs_63_units() -> None:
    # r = 4, c = 7: symbols of 37,456 bytes; 10 * 11 * 37,456 bytes of slivers and 640 of metadata.
    assert PRICES.units(2**20) == -(-(10 * 11 * 37_456 + 640) // 65_536) == 63


@given(sizes, st.integers(1, 50))
def test_a_quote_pays_every_epoch_and_the_fee(size: int, epochs: int) -> None:
    price = PRICES.quote(size, epochs)
    income = Income().after_registration(price, Epoch(9), epochs)
    assert sum(income.of(Epoch(epoch)) for epoch in range(1, 70)) == price.total
    assert income.of(Epoch(8)) == income.of(Epoch(9 + epochs)) == 0


@given(sizes, st.integers(0, 10**9), st.integers(0, 48), st.integers(1, 49))
def test_an_extension_is_rounded_against_the_payer_by_less_than_a_wei_an_epoch(
    size: int, rate: int, ahead: int, epochs: int
) -> None:
    epochs = min(epochs, 49 - ahead)
    price = PRICES.quote_extension(size, Wei(rate), Epoch(4 + ahead), Epoch(3), epochs)
    exact = PRICES.rate(size) * epochs
    assert exact <= price.total < exact + ahead + epochs


@given(sizes, st.integers(0, 48), st.integers(1, 49))
def test_at_an_unchanged_price_an_extension_keeps_the_rate(size: int, ahead: int, epochs: int) -> None:
    epochs = min(epochs, 49 - ahead)
    rate = PRICES.rate(size)
    price = PRICES.quote_extension(size, rate, Epoch(4 + ahead), Epoch(3), epochs)
    assert price == Price(total=Wei(rate * epochs), rate=rate, fee=Wei(0))


@pytest.mark.parametrize("epochs", [0, -1, 51])
def test_a_term_that_cannot_be_paid_is_refused(epochs: int) -> None:
    with pytest.raises(WrongTerm, match="1 to 50") as caught:
        PRICES.quote(1, epochs)
    assert (caught.value.epochs, caught.value.maximum) == (epochs, 50)


def test_an_extension_may_reach_as_far_as_a_new_term() -> None:
    assert PRICES.quote_extension(1, Wei(5), Epoch(6), Epoch(1), 45).total > 0
    with pytest.raises(WrongTerm, match="1 to 45"):
        PRICES.quote_extension(1, Wei(5), Epoch(6), Epoch(1), 46)
    with pytest.raises(WrongTerm, match="no more can be paid ahead now"):
        PRICES.quote_extension(1, Wei(5), Epoch(51), Epoch(1), 1)


def test_a_term_that_is_over_is_neither_extended_nor_refunded() -> None:
    with pytest.raises(TermOver, match="ended with epoch 4, it is epoch 5"):
        PRICES.quote_extension(1, Wei(5), Epoch(5), Epoch(5), 1)
    with pytest.raises(TermOver):
        refund(Wei(5), Epoch(5), Epoch(6))


def test_the_current_epoch_is_not_refunded() -> None:
    assert refund(Wei(5), Epoch(6), Epoch(5)) == 0
    assert refund(Wei(5), Epoch(9), Epoch(5)) == 15


class IncomeMachine(RuleBasedStateMachine):
    """Whatever is paid and refunded, in whatever order: the epochs earn exactly what came in and was not given back."""

    prices = PriceList(shards=4, unit_bytes=1024, unit_price=Wei(3), write_fee=Wei(2), maximum_epochs=6)

    def __init__(self) -> None:
        super().__init__()
        self.income = Income()
        self.current = Epoch(1)
        self.paid = 0
        self.objects: list[tuple[int, Wei, Epoch]] = []

    def choose(self, number: int) -> tuple[int, Wei, Epoch]:
        """Take one of the objects that are not over."""
        return self.objects.pop(number % len(self.objects))

    @rule(epochs=st.integers(1, 9))
    def wait(self, epochs: int) -> None:
        self.current = Epoch(self.current + epochs)
        self.objects = [each for each in self.objects if each[2] > self.current]

    @rule(size=st.integers(0, 10_000), epochs=st.integers(1, 6))
    def register(self, size: int, epochs: int) -> None:
        price = self.prices.quote(size, epochs)
        self.income = self.income.after_registration(price, self.current, epochs)
        self.paid += price.total
        self.objects.append((size, price.rate, Epoch(self.current + epochs)))

    @precondition(lambda self: self.objects)
    @rule(number=st.integers(0, 100), epochs=st.integers(1, 6))
    def extend(self, number: int, epochs: int) -> None:
        size, rate, end = self.choose(number)
        epochs = min(epochs, self.prices.maximum_epochs - paid_ahead(end, self.current) - 1)
        if epochs > 0:
            price = self.prices.quote_extension(size, rate, end, self.current, epochs)
            self.income = self.income.after_extension(rate, price, end, self.current, epochs)
            self.paid += price.total
            self.objects.append((size, price.rate, Epoch(end + epochs)))

    @precondition(lambda self: self.objects)
    @rule(number=st.integers(0, 100))
    def delete(self, number: int) -> None:
        _, rate, end = self.choose(number)
        self.income = self.income.after_refund(rate, end, self.current)
        self.paid -= refund(rate, end, self.current)

    @invariant()
    def epochs_earn_what_was_paid(self) -> None:
        incomes = [self.income.of(Epoch(epoch)) for epoch in range(1, self.current + 7)]
        assert min(incomes) >= 0
        assert sum(incomes) == self.paid

    @invariant()
    def the_current_epoch_is_never_given_back(self) -> None:
        assert self.income.of(self.current) >= sum(rate for _, rate, _ in self.objects)


TestIncome = IncomeMachine.TestCase
