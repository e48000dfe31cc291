"""Write tests/vectors/fees.json: prices of networks, and the income of epochs after many payments.

    python scripts/make_fee_vectors.py

Made by the Python rules, checked by the Solidity contract (tests/contracts/StorageFees.t.sol). The random cases come
from a fixed seed, so the file changes only when a rule does. Amounts are decimal texts, since they are too large for
JSON numbers.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from walrus_chain.rules.fees import Income, PriceList, refund
from walrus_chain.types import Epoch, Wei

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "fees.json"
SEED = "walrus-chain/fees/1"
LARGEST_SIZE = 2**40 - 1
WAL = 10**18

#: The registry's limits, the defaults of a local network, and odd numbers between.
NETWORKS = (
    PriceList(10, 64 * 1024, Wei(1000), Wei(77), 50),
    PriceList(4, 1024, Wei(1), Wei(0), 1),
    PriceList(30, 64 * 1024, Wei(10**12 + 7), Wei(3 * 10**14), 100),
    PriceList(255, 2**30, Wei(1000 * WAL), Wei(1000 * WAL), 65_535),
    PriceList(100, 5000, Wei(0), Wei(1), 12),
)
STEPS = 40

Case = dict[str, Any]


def size_of(dice: random.Random) -> int:
    """A size, small ones as likely as large ones."""
    return min(
        dice.choice((0, 1, 2**25, 2**25 + 1, LARGEST_SIZE, dice.randrange(2 ** dice.randint(1, 40)))), LARGEST_SIZE
    )


def quote_case(prices: PriceList, dice: random.Random) -> Case:
    """The price of a registration."""
    size, epochs = size_of(dice), dice.randint(1, prices.maximum_epochs)
    price = prices.quote(size, epochs)
    return {
        "size": size,
        "epochs": epochs,
        "units": prices.units(size),
        "rate": str(price.rate),
        "total": str(price.total),
    }


def extension_case(prices: PriceList, dice: random.Random) -> Case:
    """The price of an extension of a term that was paid at another price, so that there is something to round."""
    size, current = size_of(dice), dice.randint(1, 1000)
    ahead = dice.randint(0, prices.maximum_epochs - 2)
    end = Epoch(current + 1 + ahead)
    epochs = dice.randint(1, prices.maximum_epochs - ahead - 1)
    rate = Wei(dice.randrange(2 * prices.rate(size) + 10))
    price = prices.quote_extension(size, rate, end, Epoch(current), epochs)
    return {
        "current": current,
        "size": size,
        "rate": str(rate),
        "end": end,
        "epochs": epochs,
        "newRate": str(price.rate),
        "total": str(price.total),
    }


def history_case(prices: PriceList, dice: random.Random) -> Case:
    """Registrations, extensions and deletions over time, with gaps longer than any term, and what each epoch earned."""
    income, current, objects = Income(), Epoch(1), dict[int, tuple[int, Wei, Epoch]]()
    steps: list[Case] = []
    for number in range(1, STEPS + 1):
        current = Epoch(current + dice.choice((0, 0, 0, 1, 1, 2, 5, prices.maximum_epochs + 3)))
        objects = {key: fact for key, fact in objects.items() if fact[2] > current}
        step: Case = {"current": current, "blobObject": number, "size": 0, "rate": "0", "end": 0, "epochs": 0}
        action = dice.choice(("charge", "extension", "refund"))
        chosen = dice.choice(sorted(objects)) if objects else 0
        room = prices.maximum_epochs - (objects[chosen][2] - current) if chosen else 0
        if action == "extension" and room > 0:
            size, rate, end = objects[chosen]
            epochs = dice.randint(1, room)
            price = prices.quote_extension(size, rate, end, current, epochs)
            income = income.after_extension(rate, price, end, current, epochs)
            objects[chosen] = (size, price.rate, Epoch(end + epochs))
            step.update(blobObject=chosen, size=size, rate=str(rate), end=end, epochs=epochs, total=str(price.total))
        elif action == "refund" and chosen:
            size, rate, end = objects.pop(chosen)
            income = income.after_refund(rate, end, current)
            step.update(blobObject=chosen, size=size, rate=str(rate), end=end, total=str(refund(rate, end, current)))
        else:
            action, size, epochs = "charge", size_of(dice), dice.randint(1, prices.maximum_epochs)
            price = prices.quote(size, epochs)
            income = income.after_registration(price, current, epochs)
            objects[number] = (size, price.rate, Epoch(current + epochs))
            step.update(size=size, epochs=epochs, total=str(price.total))
        steps.append({"action": action, **step})
    last = current + prices.maximum_epochs
    return {"steps": steps, "incomes": [str(income.of(Epoch(epoch))) for epoch in range(1, last + 1)]}


def network_case(prices: PriceList, dice: random.Random) -> Case:
    """One network's parameters with its cases."""
    return {
        "shards": prices.shards,
        "unitBytes": prices.unit_bytes,
        "unitPrice": str(prices.unit_price),
        "writeFee": str(prices.write_fee),
        "maximumEpochs": prices.maximum_epochs,
        "quotes": [quote_case(prices, dice) for _ in range(20)],
        "extensions": [extension_case(prices, dice) for _ in range(20 if prices.maximum_epochs > 1 else 0)],
        "histories": [history_case(prices, dice)] if prices.maximum_epochs <= 100 else [],
    }


def main() -> None:
    """Write the file."""
    dice = random.Random(SEED)
    networks = [network_case(prices, dice) for prices in NETWORKS]
    VECTORS.write_text(json.dumps({"networks": networks}, indent=1) + "\n", encoding="utf-8")
    print("tests/vectors/fees.json")


if __name__ == "__main__":
    main()
