"""`policy_tester` as somebody uses it who writes policies: ready-made ones, ones of their own, and what is around."""

from __future__ import annotations

from pathlib import Path

import pytest

from walrus_chain.devnet.policy_tester import SCHEMA, PolicyTester, PolicyUnderTest
from walrus_chain.errors import NotOneContract, Rejected, WrongArguments
from walrus_chain.messages.access import Action
from walrus_chain.policies.skeleton import skeleton
from walrus_chain.types import Address, PoolId, Wei

pytestmark = pytest.mark.integration

WAL = 10**18
HALF = Wei(WAL // 2)


@pytest.fixture
def alice(policy_tester: PolicyTester) -> Address:
    return policy_tester.account("alice")


@pytest.fixture
def bob(policy_tester: PolicyTester) -> Address:
    return policy_tester.account("bob")


@pytest.fixture
def pool(policy_tester: PolicyTester, alice: Address, bob: Address) -> PoolId:
    """Divides its income between Alice and Bob."""
    return policy_tester.pool(alice, bob)


# -- saying what is so -----------------------------------------------------------------------------------------------


@pytest.fixture
def list_(policy_tester: PolicyTester, alice: Address) -> PolicyUnderTest:
    """A list with Alice on it, whom it obeys."""
    policy = policy_tester.create("AllowList", administrator=alice)
    policy.send("setListed", [alice], True, sender=alice)
    return policy


def test_allows__what_is_denied__fails_with_the_reason(list_: PolicyUnderTest, bob: Address) -> None:
    with pytest.raises(AssertionError, match=f"AllowList denies {bob}: NotListed"):
        list_.allows(bob)


def test_denies__what_is_allowed__fails_with_the_price(list_: PolicyUnderTest, alice: Address) -> None:
    with pytest.raises(AssertionError, match=f"AllowList allows {alice} for free"):
        list_.denies(alice)


def test_denies__for_another_reason__fails_with_both(list_: PolicyUnderTest, bob: Address) -> None:
    list_.denies(bob, reason="NotListed")
    with pytest.raises(AssertionError, match="NotListed, not TooLate"):
        list_.denies(bob, reason="TooLate")


def test_send__by_somebody_who_may_not__is_refused_in_words(list_: PolicyUnderTest, bob: Address) -> None:
    with pytest.raises(Rejected):
        list_.send("setListed", [bob], True, sender=bob)
    assert list_.call("isListed", bob) is False


# -- what happens around a policy ------------------------------------------------------------------------------------


def test_wait__takes_the_policy_through_time(policy_tester: PolicyTester, alice: Address) -> None:
    now = policy_tester.now
    policy = policy_tester.create("TimeWindow", **{"from": now + 100, "until": now + 200})
    policy.denies(alice, reason="TooEarly")
    policy_tester.wait(150)
    policy.allows(alice)
    policy_tester.wait(150)
    policy.denies(alice, reason="TooLate")


def test_credential__given_expired_and_revoked__is_judged(policy_tester: PolicyTester, alice: Address) -> None:
    board = policy_tester.account("board")
    registry = policy_tester.chain.address("CredentialRegistry")
    policy = policy_tester.create("Credential", registry=registry, schema=SCHEMA, attester=board)
    lasting = policy_tester.credential(alice, attester=board)
    short = policy_tester.credential(alice, attester=board, seconds=60)

    policy.allows(alice, evidence=lasting)
    policy.allows(alice, evidence=short)
    policy_tester.wait(100)
    policy.denies(alice, evidence=short, reason="CredentialExpired")
    policy_tester.revoke(lasting, attester=board)
    policy.denies(alice, evidence=lasting, reason="CredentialRevoked")


def test_buy_reads__pays_the_pool_in_full_but_for_the_burned_part(
    policy_tester: PolicyTester, pool: PoolId, alice: Address
) -> None:
    policy = policy_tester.create("PayPerRead", price=HALF, pool=pool)
    reader = policy_tester.account("reader")

    assert policy.quote(reader).amount == HALF
    assert policy.buy_reads(reader, 4) == 2 * WAL
    assert policy_tester.chain.call("Purchases", "readsOf", policy.blob_object, reader) == 4
    burned = policy_tester.chain.call("RevenuePools", "protocolBps")
    assert policy_tester.earned(pool, alice) == 2 * WAL * (10_000 - burned) // 10_000 // 2


def test_subscribe__lets_in_until_the_period_is_over(policy_tester: PolicyTester, pool: PoolId) -> None:
    policy = policy_tester.create("Subscription", price=HALF, periodSeconds=1000, pool=pool)
    reader = policy_tester.account("reader")

    policy.denies(reader, reason="NoSubscription")
    assert policy.subscribe(reader, 2) == WAL
    policy_tester.wait(1900)
    policy.allows(reader)
    policy_tester.wait(200)
    policy.denies(reader, reason="NoSubscription")


def test_give__wal_is_a_token_that_policies_can_ask_for(policy_tester: PolicyTester, alice: Address) -> None:
    token = policy_tester.chain.address("WAL")
    policy = policy_tester.create("Erc20Holder", token=token, minimum=100 * WAL)
    policy_tester.give(alice, "99.5 WAL")
    policy.denies(alice, reason="TooFewTokens")
    policy_tester.give(alice, "0.5 WAL")
    policy.allows(alice)


def test_combinator__takes_policies_for_their_addresses(
    policy_tester: PolicyTester, list_: PolicyUnderTest, pool: PoolId, alice: Address, bob: Address
) -> None:
    paid = policy_tester.create("PayPerRead", price=HALF, pool=pool)
    policy = policy_tester.create("AllOf", operands=[list_, paid])
    assert policy.allows(alice).price == HALF
    policy.denies(bob, reason="NotListed")


def test_evidence__for_a_tree__reaches_the_policy_that_wants_it(
    policy_tester: PolicyTester, list_: PolicyUnderTest, alice: Address
) -> None:
    registry = policy_tester.chain.address("CredentialRegistry")
    enrolled = policy_tester.create("Credential", registry=registry, schema=SCHEMA, attester=alice)
    policy = policy_tester.create("AllOf", operands=[list_, policy_tester.create("AnyOf", operands=[enrolled])])
    uid = policy_tester.credential(alice, attester=alice)
    policy.denies(alice, reason="NoneAllows")
    policy.allows(alice, evidence=policy.evidence({enrolled: uid}))


def test_retention__hold_and_term__say_what_the_owner_may(policy_tester: PolicyTester, alice: Address) -> None:
    policy = policy_tester.create("LegalHold", holders=[alice])
    assert policy.lets_delete()
    assert policy.lets_replace()
    policy.send("setHold", policy.kept_object, True, sender=alice)
    assert not policy.lets_delete()
    assert not policy.lets_replace()
    assert policy.lets_transfer(alice)
    time = policy_tester.now + 1000
    assert policy_tester.create("DeleteAfter", time=time).destroys_keys_at() == time


# -- policies of one's own -------------------------------------------------------------------------------------------


@pytest.fixture
def own(policy_tester: PolicyTester, tmp_path: Path) -> Path:
    """The file that `walrus policy new` writes."""
    file = tmp_path / "MembersOnly.sol"
    file.write_text(skeleton("MembersOnly", "0.8.37")[file.name])
    return file


def test_deploy__own_policy__is_judged_like_any(
    policy_tester: PolicyTester, own: Path, alice: Address, bob: Address
) -> None:
    policy = policy_tester.deploy(own, alice)
    policy.allows(alice)
    policy.denies(bob, reason="NotTheReader")
    policy.denies(alice, action=Action.COMPUTE, reason="OnlyReads")
    assert policy.call("READER").lower() == alice.lower()


def test_deploy__own_policy_below_a_combinator__works(
    policy_tester: PolicyTester, own: Path, list_: PolicyUnderTest, alice: Address
) -> None:
    policy_tester.create("AllOf", operands=[policy_tester.deploy(own, alice), list_]).allows(alice)


def test_deploy__policy_that_loops__denies_as_the_network_does(
    policy_tester: PolicyTester, own: Path, alice: Address
) -> None:
    own.write_text(own.read_text().replace("return 0;", "while (true) {}"))
    policy_tester.deploy(own, alice).denies(alice, reason="PolicyFailed")


def test_deploy__too_few_arguments__says_what_it_takes(policy_tester: PolicyTester, own: Path) -> None:
    with pytest.raises(WrongArguments, match=r"MembersOnly takes \(reader: address\); 0 are given"):
        policy_tester.deploy(own)


def test_deploy_contract__token_of_ones_own__is_at_hand(
    policy_tester: PolicyTester, tmp_path: Path, alice: Address, bob: Address
) -> None:
    file = tmp_path / "Badge.sol"
    file.write_text(
        "// SPDX-License-Identifier: MIT\npragma solidity 0.8.37;\ncontract Badge {\n"
        "    mapping(address => uint256) public balanceOf;\n"
        "    function award(address to) external { balanceOf[to] += 1; }\n}\n"
    )
    badge = policy_tester.deploy_contract(file)
    policy = policy_tester.create("Erc721Holder", token=badge)
    badge.send("award", alice, sender=bob)
    policy.allows(alice)
    policy.denies(bob, reason="TooFewTokens")
    with pytest.raises(NotOneContract, match="inherit DataPolicy"):
        policy_tester.deploy(file)


# -- one test and the next -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("_again", [1, 2])
def test_state__of_one_test__is_gone_in_the_next(policy_tester: PolicyTester, _again: int, alice: Address) -> None:
    assert policy_tester.chain.call("PolicyFactory", "kinds")
    assert policy_tester.chain.call("WAL", "balanceOf", alice) == 0
    policy_tester.give(alice, "1 WAL")
    policy_tester.wait(10**7)
