"""An operator's commands as they are typed, on a real chain: from too little stake to leaving with the money."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage_agent.keys import files
from tests.integration.agent.network import AgentNetwork, agent_network
from tests.integration.agent.test_daemon import command, free_port, funded_operator
from walrus_chain.crypto.node_key import parse_node_key
from walrus_chain.types import Epoch, Wei

pytestmark = pytest.mark.integration
WAL = 10**18


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[AgentNetwork]:
    """One node with all ten shards, not running."""
    async with agent_network(tmp_path, nodes=1, shards=10) as made:
        yield made


async def go_to(network: AgentNetwork, epoch: int) -> None:
    """Moves the clock to the beginning of an epoch."""
    start = (await network.chain.parameters()).start_of(Epoch(epoch))
    await network.chain.provider.request("evm_setNextBlockTimestamp", hex(start + 1))
    await network.chain.provider.request("evm_mine")


async def test_life_of_a_node__by_its_operators_commands(network: AgentNetwork, tmp_path: Path) -> None:
    home, (keystore, password) = tmp_path / "mine", await funded_operator(network, tmp_path)
    config = ["--config", str(home / "agent.toml")]
    key = ["--operator", str(keystore), "--operator-password-file", str(password)]

    async def act(*arguments: str, code: int = 0) -> dict[str, Any]:
        """A command of the operator."""
        document = await command(*arguments, *config, *key, "--json", code=code)
        error: dict[str, Any] = document.get("error", document)
        return error

    await command(
        "init", str(home), "--name", "mine", "--rpc", network.settings[0].chain.rpc[0],
        "--deployment", str(tmp_path / "deployment.json"), "--port", str(free_port()), "--json",
    )  # fmt: skip
    assert (await act("claim", code=3))["code"] == "AgentNotRegistered"
    await act("register", "--url", "https://mine.example.org", "--region", "eu-north", "--stake", "400")
    start = (await network.chain.parameters()).current_epoch

    rotated = await act("keys", "rotate")
    registered = (await network.chain.nodes())[1]
    assert (rotated["node"], rotated["keys"]) == (2, 2)
    assert rotated["encryptionKey"] == "0x" + registered.encryption_key.hex()
    parse_node_key(registered.encryption_key, registered.signer)
    password_text = files.read_password(home / "keys" / "password")
    stranger, word = await funded_operator(network, tmp_path / "stranger")
    not_theirs = await command(
        *("keys", "rotate", *config, "--operator", str(stranger), "--operator-password-file", str(word), "--json"),
        code=4,
    )
    assert not_theirs["error"]["code"] == "NotOperator"
    newest, *_ = files.add_master_key(home / "keys" / "master.json", password_text)
    assert (await act("keys", "rotate"))["keys"] == 3, "a key that was kept and not registered is registered now"
    registered = (await network.chain.nodes())[1]
    assert parse_node_key(registered.encryption_key, registered.signer) == newest.public

    too_little = await act("stake", "100")
    assert (too_little["candidate"], too_little["ownStake"]) == (False, str(500 * WAL))
    assert (await act("stand", code=4))["code"] == "NotEligible"
    enough = await act("stake", "600")
    assert (enough["candidate"], enough["activeFrom"]) == (True, start + 1)
    assert (await act("stake", "10000", code=4))["code"] == "NotEnoughWal"
    assert (await act("unstake", "--all", code=3))["code"] == "NothingStaked"

    assert (await act("commission", "7.5%"))["from"] == start + 2
    assert (await act("commission", "99%", code=4))["code"] == "CommissionTooHigh"
    assert (await act("vote", "--unit-price", "5 wei"))["unitPrice"] == "5"
    assert (await act("update", "--region", "ap-south"))["region"] == "ap-south"
    assert (await act("stake", "1", "--node", "1", code=4))["code"] == "StakeNotYours"
    assert (await act("delegate", "1", "5"))["staked"] == str(5 * WAL)
    assert (await act("unjail", code=4))["code"] == "StillJailed"

    await go_to(network, start + 1)
    assert (await act("settle"))["settled"] == start + 1
    assert (await act("claim", code=4))["code"] == "NothingEarned"
    assert "below the minimum" in (await act("unstake", "200"))["warning"]
    left = await act("exit")
    assert (left["leaving"], left["withdrawFrom"]) == (str(900 * WAL), start + 8)
    assert "leavesCommitteeIn" not in left, "it never served"
    assert (await act("exit", code=3))["code"] == "AlreadyLeaving"
    assert (await act("withdraw", code=4))["code"] == "NothingDue"

    await go_to(network, start + 8)
    paid = await act("withdraw")
    assert (paid["stake"], paid["paid"]) == (str(1100 * WAL), str(1100 * WAL))
    node = (await network.chain.nodes())[1]
    assert (await network.chain.balances(node.operator)).wal == Wei(1995 * WAL)
