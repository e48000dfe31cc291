"""What an operator does on chain, from the command line to what is printed, on a network in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.economy import MINIMUM_STAKE, ONE_WAL
from tests.fakes.network import FakeNetwork
from tests.unit.agent.cli.conftest import OPERATOR, OTHER, OWN, Agent
from walrus_chain.chain.economy import Prices
from walrus_chain.types import Wei


class TestStake:
    """Own stake, and standing for committees."""

    def test_enough__stakes_and_stands(self, agent: Agent, network: FakeNetwork) -> None:
        network.economy.pools[OWN].candidate = False

        data = agent("stake", "50", "--json").data

        assert (data["node"], data["staked"], data["activeFrom"]) == (2, str(50 * ONE_WAL), 6)
        assert (data["ownStake"], data["minimumStake"]) == (str(150 * ONE_WAL), str(MINIMUM_STAKE))
        assert data["candidate"] is True
        assert "notStanding" not in data
        assert network.transactions == ["approve", "delegate", "stand"]
        assert network.wal[OPERATOR] == 950 * ONE_WAL

    def test_for_people__says_what_it_does(self, agent: Agent, network: FakeNetwork) -> None:
        ended = agent("stake", "50 WAL")

        assert ended.err.splitlines() == ["Allowing the vault to take 50 WAL", "Staking 50 WAL with node 2"]
        assert "staked        50 WAL\n" in ended.out

    def test_too_little_to_be_eligible__stakes_and_says_what_is_missing(
        self, agent: Agent, network: FakeNetwork
    ) -> None:
        network.economy.delegations.clear()
        network.economy.pools[OWN].candidate = False

        data = agent("stake", "3", "--json").data

        assert data["candidate"] is False
        assert "10 WAL are needed" in data["notStanding"]
        assert network.transactions == ["approve", "delegate"]

    def test_all_places_taken__stakes_and_says_so(self, agent: Agent, network: FakeNetwork) -> None:
        network.economy.pools[OWN].candidate = False
        network.economy.candidates = 4

        data = agent("stake", "3", "--json").data

        assert "all places of candidates are taken" in data["notStanding"]

    @pytest.mark.parametrize(
        ("amount", "code", "error"),
        [("0", 3, "NothingToStake"), ("much", 3, "MalformedAmount"), ("1001", 4, "NotEnoughWal")],
    )
    def test_bad_amount__is_refused(
        self, agent: Agent, network: FakeNetwork, amount: str, code: int, error: str
    ) -> None:
        assert agent("stake", amount, "--json", code=code).error["code"] == error
        assert "delegate" not in network.transactions

    def test_not_the_operator__is_refused_before_anything_is_sent(self, agent: Agent, network: FakeNetwork) -> None:
        ended = agent("stake", "5", "--json", key="other", code=4)

        assert ended.error["code"] == "StakeNotYours"
        assert OTHER in ended.error["message"]
        assert not network.transactions

    def test_unknown_node__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        assert agent("stake", "5", "--node", "9", "--json", code=3).error["code"] == "NoSuchNode"


@pytest.mark.parametrize(
    ("key", "password", "why"),
    [
        ("operator", "agent/keys/password", "the password is wrong"),
        ("nobody", "word", "No such file"),
        ("word", "word", "No such file"),
    ],
)
def test_wrong_keystore__is_named_and_nothing_is_sent(
    agent: Agent, network: FakeNetwork, key: str, password: str, why: str
) -> None:
    ended = agent("claim", "--json", key=key, password=password, code=3)

    assert ended.error["code"] == "UnusableKey"
    assert why in ended.error["message"]
    assert not network.transactions


def test_delegate__another_account__stakes_for_itself(agent: Agent, network: FakeNetwork) -> None:
    data = agent("delegate", "4", "25", "--json", key="other").data

    assert (data["node"], data["staked"], data["activeFrom"]) == (4, str(25 * ONE_WAL), 6)
    assert network.economy.has(4, OTHER).waiting == 25 * ONE_WAL
    assert agent("delegate", "6", "25", "--json", code=3).error["code"] == "NoSuchNode"


class TestUnstake:
    """Taking stake out."""

    def test_part__goes_and_the_rest_is_said(self, agent: Agent, network: FakeNetwork) -> None:
        data = agent("unstake", "40", "--json").data

        assert (data["leaving"], data["release"], data["ownStake"]) == (str(40 * ONE_WAL), 12, str(60 * ONE_WAL))
        assert "warning" not in data

    def test_below_the_minimum__is_done_and_warned_of(self, agent: Agent, network: FakeNetwork) -> None:
        assert "below the minimum of 10 WAL" in agent("unstake", "95", "--json").data["warning"]

    def test_somebody_elses_stake__is_no_own_stake(self, agent: Agent, network: FakeNetwork) -> None:
        network.economy.put(OWN, OTHER, 5 * ONE_WAL)

        assert "ownStake" not in agent("unstake", "--all", "--json", key="other").data

    @pytest.mark.parametrize(
        ("amount", "code", "error"),
        [("101", 4, "StakeTooSmall"), ("0", 3, "NothingToStake"), ("x", 3, "MalformedAmount")],
    )
    def test_bad_amount__is_refused(
        self, agent: Agent, network: FakeNetwork, amount: str, code: int, error: str
    ) -> None:
        assert agent("unstake", amount, "--json", code=code).error["code"] == error
        assert not network.transactions

    @pytest.mark.parametrize("amount", [[], ["5", "--all"]])
    def test_neither_or_both__is_a_wrong_command_line(
        self, agent: Agent, network: FakeNetwork, amount: list[str]
    ) -> None:
        agent("unstake", *amount, code=2)

    def test_nothing_there__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        assert agent("unstake", "--all", "--json", key="other", code=3).error["code"] == "NothingStaked"


class TestPayouts:
    """Withdrawing and claiming."""

    def test_withdraw__due__is_paid(self, agent: Agent, network: FakeNetwork) -> None:
        agent("unstake", "40")
        network.epoch = 12

        data = agent("withdraw", "--json").data

        assert (data["stake"], data["owedBefore"], data["paid"]) == (str(40 * ONE_WAL), "0", str(40 * ONE_WAL))
        assert network.wal[OPERATOR] == 1040 * ONE_WAL

    def test_withdraw__nothing_due_yet__says_when(self, agent: Agent, network: FakeNetwork) -> None:
        agent("unstake", "40")

        ended = agent("withdraw", "--json", code=4)

        assert ended.error["code"] == "NothingDue"
        assert "epoch 12" in ended.error["message"]

    def test_withdraw__node_serves_on_with_too_little__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        agent("unstake", "--all")
        network.epoch = 12

        assert agent("withdraw", "--json", code=4).error["code"] == "NodeServing"

    def test_claim__operator__gets_rewards_commission_and_what_is_owed(
        self, agent: Agent, network: FakeNetwork
    ) -> None:
        network.economy.earn(OWN, 20 * ONE_WAL)
        network.claims[OPERATOR] = 3 * ONE_WAL

        data = agent("claim", "--json").data

        assert (data["rewards"], data["commission"]) == (str(19 * ONE_WAL), str(ONE_WAL))
        assert (data["owedBefore"], data["paid"]) == (str(3 * ONE_WAL), str(23 * ONE_WAL))
        assert network.wal[OPERATOR] == 1023 * ONE_WAL
        assert agent("claim", "--json", code=4).error["code"] == "NothingEarned"

    def test_claim__delegator__asks_for_no_commission(self, agent: Agent, network: FakeNetwork) -> None:
        network.economy.put(OWN, OTHER, 100 * ONE_WAL)
        network.economy.earn(OWN, 20 * ONE_WAL)

        data = agent("claim", "--json", key="other").data

        assert (data["rewards"], data["paid"]) == (str(95 * ONE_WAL // 10), str(95 * ONE_WAL // 10))
        assert "commission" not in data

    def test_claim__nothing_earned__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        assert agent("claim", "--json", code=4).error["code"] == "NothingEarned"

    def test_claim__pool_far_behind__is_settled_first(self, agent: Agent, network: FakeNetwork) -> None:
        network.economy.earn(OWN, 20 * ONE_WAL)
        network.epoch = 60

        ended = agent("claim")

        assert "Settling node 2 up to epoch 37 of 60" in ended.err
        assert "rewards      19 WAL" in ended.out


class TestCommissionAndVote:
    """What an operator keeps, and what it wants to be paid."""

    @pytest.mark.parametrize(("share", "bps"), [("7.5%", 750), ("750", 750), ("750bps", 750), ("0%", 0)])
    def test_commission__says_from_when_it_counts(
        self, agent: Agent, network: FakeNetwork, share: str, bps: int
    ) -> None:
        data = agent("commission", share, "--json").data

        assert (data["commissionBps"], data["from"], data["before"]) == (bps, 7, "5%")
        assert network.economy.pools[OWN].next_commission_bps == bps

    @pytest.mark.parametrize(
        ("share", "code", "error"),
        [
            ("51%", 4, "CommissionTooHigh"),
            ("101%", 3, "MalformedShare"),
            ("0.001%", 3, "MalformedShare"),
            ("a lot", 3, "MalformedShare"),
        ],
    )
    def test_commission__bad_share__is_refused(
        self, agent: Agent, network: FakeNetwork, share: str, code: int, error: str
    ) -> None:
        assert agent("commission", share, "--json", code=code).error["code"] == error
        assert not network.transactions

    def test_commission__not_the_operator__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        assert agent("commission", "5%", "--json", key="other", code=4).error["code"] == "StakeNotYours"

    def test_vote__one_of_both__keeps_the_other_as_it_is(self, agent: Agent, network: FakeNetwork) -> None:
        first = agent("vote", "--unit-price", "0.00002", "--json").data
        second = agent("vote", "--write-fee", "5 wei", "--json").data

        assert (first["unitPrice"], first["writeFee"]) == (str(2 * 10**13), str(network.write_fee))
        assert (second["unitPrice"], second["writeFee"]) == (str(2 * 10**13), "5")
        assert network.economy.pools[OWN].vote == Prices(Wei(2 * 10**13), Wei(5))

    def test_vote__for_nothing__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        assert agent("vote", "--json", code=3).error["code"] == "NoVote"

    def test_vote__not_the_operator__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        ended = agent("vote", "--unit-price", "1", "--json", key="other", code=4)

        assert ended.error["code"] == "VoteNotYours"


class TestUpdate:
    """The node's entry in the registry."""

    def test_region__changes_and_the_rest_stays(self, agent: Agent, network: FakeNetwork) -> None:
        data = agent("update", "--region", "sa-east", "--json").data

        assert (data["name"], data["url"], data["region"]) == ("node-2", "memory://1", "sa-east")

    def test_address__loses_its_slash(self, agent: Agent, network: FakeNetwork) -> None:
        assert agent("update", "--url", "https://a.example.org/", "--json").data["url"] == "https://a.example.org"

    @pytest.mark.parametrize(
        ("options", "key", "code", "error"),
        [
            ([], "operator", 3, "NoChange"),
            (["--url", "node.example.org"], "operator", 3, "UnusableUrl"),
            (["--region", "Süd"], "operator", 4, "WrongRegion"),
            (["--name", "n"], "other", 4, "StakeNotYours"),
        ],
    )
    def test_bad_input__is_refused(
        self, agent: Agent, network: FakeNetwork, options: list[str], key: str, code: int, error: str
    ) -> None:
        assert agent("update", *options, "--json", key=key, code=code).error["code"] == error
        assert not network.transactions


class TestExit:
    """Leaving the network."""

    def test_serving__says_when_it_has_left_and_when_the_money_comes(self, agent: Agent, network: FakeNetwork) -> None:
        network.economy.earn(OWN, 20 * ONE_WAL)

        data = agent("exit", "--json").data

        assert (data["leaving"], data["leavesCommitteeIn"]) == (str(119 * ONE_WAL), 6)
        assert (data["release"], data["withdrawFrom"], data["commission"]) == (12, 12, str(ONE_WAL))
        keep, claim, withdraw = data["next"]
        assert "until epoch 6 has begun" in keep
        assert claim == "claim 1 WAL of commission: `walrus-agent claim`"
        assert withdraw == "from epoch 12 on: `walrus-agent withdraw`"
        assert network.economy.own_stake_of(OWN) == 0

    def test_next_committee_selected_already__serves_an_epoch_longer(self, agent: Agent, network: FakeNetwork) -> None:
        network.economy.selected_epoch = 6

        assert agent("exit", "--json").data["leavesCommitteeIn"] == 7

    def test_stake_that_waits__has_to_be_taken_out_later(self, agent: Agent, network: FakeNetwork) -> None:
        agent("stake", "50")

        ended = agent("exit")

        assert "run `walrus-agent exit` again in epoch 6: 50 WAL that do not count yet" in ended.out
        assert "are enough to be selected again" in ended.out

    def test_only_stake_that_waits__says_until_when(self, agent: Agent, network: FakeNetwork) -> None:
        network.economy.delegations.clear()
        agent("stake", "50")

        ended = agent("exit", "--json", code=3)

        assert ended.error["code"] == "NothingStaked"
        assert "from epoch 6 on" in ended.error["message"]

    def test_twice__says_when_the_money_comes(self, agent: Agent, network: FakeNetwork) -> None:
        agent("exit", "--json")

        ended = agent("exit", "--json", code=3)

        assert ended.error["code"] == "AlreadyLeaving"
        assert "due in epoch 12" in ended.error["message"]

    def test_not_the_operator__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        assert agent("exit", "--json", key="other", code=4).error["code"] == "StakeNotYours"
        assert not network.transactions


class TestJail:
    """Getting out, and standing again."""

    def test_unjail__long_enough__is_out_and_stands(self, agent: Agent, network: FakeNetwork) -> None:
        pool = network.economy.pools[OWN]
        pool.jailed_until, pool.candidate = 5, False

        assert agent("unjail", "--json").data["candidate"] is True
        assert network.transactions == ["unjail", "stand"]

    @pytest.mark.parametrize("until", [0, 6])
    def test_unjail__not_jailed_or_not_long_enough__is_refused(
        self, agent: Agent, network: FakeNetwork, until: int
    ) -> None:
        network.economy.pools[OWN].jailed_until = until

        ended = agent("unjail", "--json", code=4)

        assert ended.error["code"] == "StillJailed"
        assert f"from epoch {until} on" in ended.error["message"]

    def test_unjail__slashed_below_the_minimum__is_out_but_does_not_stand(
        self, agent: Agent, network: FakeNetwork
    ) -> None:
        network.economy.delegations.clear()
        pool = network.economy.pools[OWN]
        pool.jailed_until, pool.candidate = 5, False

        data = agent("unjail", "--json").data

        assert data["candidate"] is False
        assert "10 WAL are needed" in data["notStanding"]

    def test_stand__candidate_already__sends_nothing(self, agent: Agent, network: FakeNetwork) -> None:
        assert agent("stand", "--json").data == {"node": 2, "candidate": True, "transaction": None}
        assert not network.transactions

    def test_stand__jailed__is_refused(self, agent: Agent, network: FakeNetwork) -> None:
        pool = network.economy.pools[OWN]
        pool.jailed_until, pool.candidate = 9, False

        assert agent("stand", "--json", code=4).error["code"] == "NotEligible"


def test_settle__far_behind__ends_up_to_date(agent: Agent, network: FakeNetwork) -> None:
    network.epoch = 80

    assert agent("settle", "--json").data == {"node": 2, "settledBefore": 5, "settled": 80}
    assert agent("settle", "--node", "3", "--json").data["node"] == 3


def test_no_settings__says_where_they_were_looked_for(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "agent" / "agent.toml").unlink()

    assert agent("claim", "--json", code=3).error["code"] == "WrongSetting"
