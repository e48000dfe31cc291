"""`walrus stake` and `walrus info`, from the command line to what is printed, on a network in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_account import Account

from tests.fakes.economy import GENESIS_TIME, ONE_WAL, FakePool
from tests.fakes.network import FakeNetwork
from tests.unit.cli.conftest import MINE, Ended, Walrus, lead_to
from walrus_chain.chain.economy import Prices
from walrus_chain.chain.views import CustodyWindow
from walrus_chain.types import Address, Epoch, ShardIndex, Wei


@pytest.fixture
def network(home: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    """A network in memory that the command is led to, and a wallet with a thousand WAL."""
    net = FakeNetwork(epoch=5)
    for node in range(1, net.nodes + 1):
        net.economy.put(node, net.economy.pool(node).operator, 100 * ONE_WAL)
    net.fund(MINE)
    lead_to(net, home, monkeypatch)
    return net


class TestAdd:
    """Staking."""

    def test_amount__is_taken_from_the_wallet_and_counts_later(self, walrus: Walrus, network: FakeNetwork) -> None:
        data = walrus("stake", "add", "2", "40", "--json").data

        assert (data["node"], data["staked"], data["activeFrom"]) == (2, str(40 * ONE_WAL), 6)
        assert network.wal[MINE] == 960 * ONE_WAL
        assert network.transactions == ["approve", "delegate"]
        assert network.allowances[MINE] == 40 * ONE_WAL, "allowed no more than was asked for"

    def test_for_people__says_what_it_does_and_from_when_it_counts(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.after_cut = True

        ended = walrus("stake", "add", "#2", "12.5 WAL")

        assert ended.out == "12.5 WAL staked with node 2; it counts from epoch 7 on\n"
        assert ended.err.splitlines() == [
            "Allowing the vault to take 12.5 WAL",
            "Staking 12.5 WAL with node 2",
        ]

    def test_pool_far_behind__is_settled_first(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.epoch = 100

        assert walrus("stake", "add", "2", "1").code == 0
        assert network.transactions == ["approve", "settle", "settle", "settle", "delegate"]

    @pytest.mark.parametrize(
        ("arguments", "code", "error"),
        [
            (["2", "0"], 3, "NothingToStake"),
            (["2", "-1"], 2, None),
            (["2", "much"], 3, "MalformedAmount"),
            (["0", "1"], 3, "MalformedArgument"),
            (["two", "1"], 3, "MalformedArgument"),
            (["6", "1"], 3, "NoSuchNode"),
            (["2", "1001"], 4, "NotEnoughWal"),
        ],
    )
    def test_bad_input__is_refused_and_nothing_is_staked(
        self, walrus: Walrus, network: FakeNetwork, arguments: list[str], code: int, error: str | None
    ) -> None:
        ended = walrus("stake", "add", *arguments, "--json")

        assert (ended.code, ended.out) == (code, "")
        assert error is None or ended.error["code"] == error
        assert "delegate" not in network.transactions
        assert network.wal[MINE] == 1000 * ONE_WAL

    def test_wrong_password__stakes_nothing(self, walrus: Walrus, network: FakeNetwork, tmp_path: Path) -> None:
        (tmp_path / "wrong").write_text("battery")

        ended = walrus("stake", "add", "2", "1", "--password-file", tmp_path / "wrong", "--json")

        assert (ended.code, ended.error["code"]) == (3, "WrongPassword")
        assert not network.transactions


class TestRemove:
    """Taking out."""

    def test_part__is_on_its_way_until_it_is_released(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.put(3, MINE, 30 * ONE_WAL)

        ended = walrus("stake", "remove", "3", "10")

        assert "10 WAL are on their way out of node 3; from epoch 12 on `walrus stake withdraw 3`" in ended.out
        assert network.economy.has(3, MINE).active == 20 * ONE_WAL

    def test_all__leaves_what_waits_and_says_so(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.put(3, MINE, 30 * ONE_WAL)
        walrus("stake", "add", "3", "5")

        data = walrus("stake", "remove", "3", "--all", "--json").data

        assert (data["leaving"], data["release"]) == (str(30 * ONE_WAL), 12)
        assert (data["waiting"], data["waitingUntil"]) == (str(5 * ONE_WAL), 6)

    @pytest.mark.parametrize("amount", [["10", "--all"], []])
    def test_neither_or_both__is_a_wrong_command_line(
        self, walrus: Walrus, network: FakeNetwork, amount: list[str]
    ) -> None:
        assert walrus("stake", "remove", "3", *amount, "--json").code == 2
        assert not network.transactions

    @pytest.mark.parametrize(
        ("node", "amount", "code", "error"),
        [
            ("3", "31", 4, "StakeTooSmall"),
            ("3", "0", 3, "NothingToStake"),
            ("4", "1", 3, "NothingStaked"),
            ("9", "1", 3, "NoSuchNode"),
        ],
    )
    def test_bad_input__is_refused(
        self, walrus: Walrus, network: FakeNetwork, node: str, amount: str, code: int, error: str
    ) -> None:
        network.economy.put(3, MINE, 30 * ONE_WAL)

        ended = walrus("stake", "remove", node, amount, "--json")

        assert (ended.code, ended.error["code"]) == (code, error)
        assert network.economy.has(3, MINE).active == 30 * ONE_WAL

    def test_all_of_what_only_waits__says_from_when_it_can_be_taken(self, walrus: Walrus, network: FakeNetwork) -> None:
        walrus("stake", "add", "3", "5")

        ended = walrus("stake", "remove", "3", "--all")

        assert ended.code == 3
        assert "5 WAL that wait can be taken out from epoch 6 on" in ended.err


class TestPayouts:
    """Withdrawing and claiming."""

    def test_withdraw__what_is_due_in_two_pools__is_paid_out_once(self, walrus: Walrus, network: FakeNetwork) -> None:
        for node in (2, 3):
            network.economy.put(node, MINE, 30 * ONE_WAL)
            walrus("stake", "remove", str(node), "10")
        network.epoch = 12

        data = walrus("stake", "withdraw", "--json").data

        assert [(item["node"], item["source"], item["amount"]) for item in data["credits"]] == [
            (2, "stake", str(10 * ONE_WAL)),
            (3, "stake", str(10 * ONE_WAL)),
        ]
        assert (data["owedBefore"], data["paid"]) == ("0", str(20 * ONE_WAL))
        assert network.wal[MINE] == 1020 * ONE_WAL

    def test_withdraw__own_stake_of_a_node_that_serves__stays_and_the_rest_is_paid(
        self, walrus: Walrus, network: FakeNetwork
    ) -> None:
        network.economy.pools[2].operator = MINE
        for node in (2, 3):
            network.economy.put(node, MINE, 30 * ONE_WAL)
            walrus("stake", "remove", str(node), "--all")
        network.epoch = 12

        ended = walrus("stake", "withdraw")

        assert ended.out.splitlines()[0] == "30 WAL are yours now"
        assert "node 2 serves 2 shards in the committee" in ended.out
        assert walrus("stake", "withdraw", "2", "--json").error["code"] == "NodeServing"

    def test_withdraw__too_early__says_when(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.put(2, MINE, 30 * ONE_WAL)
        walrus("stake", "remove", "2", "10")

        ended = walrus("stake", "withdraw", "--json")

        assert (ended.code, ended.error["code"], ended.error["release"]) == (4, "NothingDue", 12)

    def test_withdraw__after_one_that_broke_half_way__pays_what_is_owed(
        self, walrus: Walrus, network: FakeNetwork
    ) -> None:
        network.claims[MINE] = 7 * ONE_WAL

        ended = walrus("stake", "withdraw")

        assert ended.out.splitlines()[0] == "7 WAL are yours now"
        assert "owed by the vault before  7 WAL" in ended.out

    @pytest.mark.parametrize(("command", "code"), [("withdraw", "NothingOwed"), ("claim", "NothingOwed")])
    def test_nothing_staked__says_so(self, walrus: Walrus, network: FakeNetwork, command: str, code: str) -> None:
        ended = walrus("stake", command, "--json")

        assert (ended.code, ended.error["code"]) == (3, code)
        assert not network.transactions

    def test_claim__gain__is_paid_and_the_stake_stays(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.put(2, MINE, 100 * ONE_WAL)
        network.economy.earn(2, 20 * ONE_WAL)

        ended = walrus("stake", "claim", "2")

        assert ended.out.splitlines() == ["9.5 WAL are yours now", "  rewards of node 2  9.5 WAL"]
        assert network.economy.has(2, MINE).active == 100 * ONE_WAL

    def test_claim__nothing_gained__is_refused(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.put(2, MINE, 100 * ONE_WAL)

        assert walrus("stake", "claim", "--json").error["code"] == "NothingEarned"


class TestListAndSettle:
    """Looking, and bringing up to date."""

    def test_list__shows_every_part_of_it(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.put(2, MINE, 100 * ONE_WAL)
        walrus("stake", "remove", "2", "25")
        network.economy.earn(2, 20 * ONE_WAL)
        walrus("stake", "add", "2", "5")
        network.epoch = 6

        [item] = walrus("stake", "list", "--json").data["stakes"]

        assert (item["node"], item["name"], item["serving"]) == (2, "node-2", True)
        assert (item["principal"], item["waiting"], item["waitingUntil"]) == (
            str(75 * ONE_WAL),
            str(5 * ONE_WAL),
            6,
        )
        assert int(item["gain"]) == int(item["active"]) - 75 * ONE_WAL > 8 * ONE_WAL
        assert item["unbonding"] == [{"amount": str(25 * ONE_WAL), "release": 12}]
        assert (item["due"], item["settled"], item["epoch"]) == ("0", 5, 6)
        [_, row] = walrus("stake", "list").out.splitlines()
        assert "25 WAL in epoch 12" in row
        assert "settled up to epoch 5 of 6" in row

    def test_list__of_another_account__needs_no_wallet(self, walrus: Walrus, network: FakeNetwork) -> None:
        other = Address(Account.from_key(bytes([8]) * 32).address)
        network.economy.put(4, other, ONE_WAL)

        assert walrus("stake", "list", other, "--json").data["stakes"][0]["node"] == 4

    def test_list__nothing__says_how_to_stake(self, walrus: Walrus, network: FakeNetwork) -> None:
        ended = walrus("stake", "list")

        assert (ended.code, ended.out) == (0, "")
        assert "walrus stake add" in ended.err

    def test_settle__far_behind__tells_how_far_it_is(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.epoch = 50

        ended = walrus("stake", "settle", "2")

        assert ended.out == "Node 2 is settled up to epoch 50; it was up to epoch 5\n"
        assert ended.err.splitlines() == [
            "Settling node 2 up to epoch 37 of 50",
            "Settling node 2 up to epoch 50 of 50",
        ]
        assert "nothing to do" in walrus("stake", "settle", "2").out

    def test_settle__unknown_node__is_refused(self, walrus: Walrus, network: FakeNetwork) -> None:
        assert walrus("stake", "settle", "6", "--json").error["code"] == "NoSuchNode"


class TestInfo:
    """The network as a whole, and its parts."""

    def test_bare__shows_the_network(self, walrus: Walrus, network: FakeNetwork) -> None:
        data = walrus("info", "--json").data

        assert (data["network"], data["members"], data["epoch"]) == ("memory", 5, 5)

    @pytest.mark.parametrize("part", ["committee", "epoch", "price"])
    def test_options__before_or_after_the_part__mean_the_same(
        self, walrus: Walrus, network: FakeNetwork, part: str
    ) -> None:
        after = walrus("info", part, "--network", "memory", "--json")

        assert after.code == 0
        assert walrus("info", "--network", "memory", "--json", part).data == after.data
        assert walrus("info", "--network", "other", part, "--json").error["code"] == "UnknownNetwork"

    def test_committee__shows_shards_stake_and_what_is_on_its_way(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.pending = frozenset({ShardIndex(1)})
        pool = network.economy.pools[2]
        pool.next_commission_bps, pool.next_commission_from, pool.misses, pool.last_miss = 1000, 7, 2, 4

        data = walrus("info", "committee", "--json").data
        text = walrus("info", "committee").out

        member = data["members"][1]
        assert (member["shards"], member["pendingShards"], member["stake"]) == ([1, 6], [1], str(100 * ONE_WAL))
        assert (data["pendingShards"], data["regions"]) == ([1], {"moon": 10})
        assert "5%, 10% from epoch 7" in text
        assert "2 in a row, last in epoch 4" in text
        assert "moon 10; 3 may fail" in text

    def test_epoch__shows_clock_next_committee_and_custody(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.selected_epoch = 6
        network.economy.window = CustodyWindow(
            Epoch(1), bytes([7]) * 32, frozenset(), frozenset({0, 3}), frozenset(), False
        )

        data = walrus("info", "epoch", "--json").data
        text = walrus("info", "epoch").out

        start = GENESIS_TIME + 4 * 3600
        assert (data["begins"], data["cut"], data["ends"]) == (start, start + 1800, start + 3600)
        assert data["nextSelected"]
        custody = data["custody"]
        assert (custody["opens"], custody["until"], custody["closes"]) == (start + 900, start + 1800, start + 2700)
        assert (custody["opened"], custody["provedNodes"]) == (True, [1, 4])
        assert "2 nodes proved" in text

    def test_epoch__window_not_opened__says_what_that_costs(self, walrus: Walrus, network: FakeNetwork) -> None:
        assert "without it nobody earns" in walrus("info", "epoch").out

    def test_price__shows_today_next_and_votes(self, walrus: Walrus, network: FakeNetwork) -> None:
        network.economy.pools[2] = FakePool(vote=Prices(Wei(3 * 10**12), Wei(10**13)))

        data = walrus("info", "price", "--json").data
        text = walrus("info", "price").out

        assert data["today"] == {"unitPrice": str(10**12), "writeFee": str(10**13)}
        assert data["preview"]["unitPrice"] == str(3 * 10**12)
        assert [item["vote"] is None for item in data["votes"]] == [True, False, True, True, True]
        assert "content with the present price (2 shards)" in text


def test_help__names_what_there_is(walrus: Walrus) -> None:
    shown: Ended = walrus("stake", "--help")
    for command in ("list", "add", "remove", "withdraw", "claim", "settle"):
        assert command in shown.out
    for part in ("committee", "epoch", "price"):
        assert part in walrus("info", "--help").out
