"""An agent that cannot start says what to correct; one that runs does as its operator says."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from storage_agent.config import Settings, load_settings
from storage_agent.daemon import CannotListen, NotRegistered, run_agent
from storage_agent.keys import files
from tests.fakes.agents import make_blob
from tests.integration.agent.network import AgentNetwork, agent_network
from walrus_chain.chain.deployments import Deployment
from walrus_chain.errors import (
    AgentUnreachable,
    CatalogueInUse,
    MalformedDeployment,
    RpcUnavailable,
    WalrusError,
    WrongChain,
)
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.types import Address, Wei

pytestmark = pytest.mark.integration


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[AgentNetwork]:
    """One node with all ten shards, not running."""
    async with agent_network(tmp_path, nodes=1, shards=10) as made:
        yield made


async def refused(settings: Settings, signer: LocalSigner | None = None) -> WalrusError:
    """Why an agent with these settings does not start."""
    with pytest.raises(WalrusError) as error:
        async with run_agent(settings, signer=signer):
            pass
    return error.value


async def test_start__key_of_no_node__told_to_register(network: AgentNetwork) -> None:
    stranger = LocalSigner(bytes([9]) * 32)

    error = await refused(network.settings[0], stranger)

    assert isinstance(error, NotRegistered)
    assert stranger.address in str(error)


async def test_start__port_is_taken__names_it(network: AgentNetwork) -> None:
    with socket.create_server(("127.0.0.1", network.settings[0].server.port)):
        error = await refused(network.settings[0])

    assert isinstance(error, CannotListen)
    assert str(network.settings[0].server.port) in str(error)


async def test_start__no_endpoint_answers__names_it(network: AgentNetwork) -> None:
    settings = network.settings[0]
    error = await refused(replace(settings, chain=replace(settings.chain, rpc=("http://127.0.0.1:9",))))

    assert isinstance(error, RpcUnavailable)
    assert "127.0.0.1:9" in str(error)


async def test_start__deployment_of_another_chain__names_both(network: AgentNetwork, tmp_path: Path) -> None:
    settings = network.settings[0]
    other = tmp_path / "other.json"
    deployment = network.chain.deployment
    Deployment(deployment.name, 1, deployment.block, deployment.contracts).save(other)

    error = await refused(replace(settings, chain=replace(settings.chain, deployment=other)))

    assert isinstance(error, WrongChain)
    assert (error.expected, error.actual) == (1, 31337)


async def test_start__no_deployment_file__names_it(network: AgentNetwork, tmp_path: Path) -> None:
    settings = network.settings[0]
    error = await refused(replace(settings, chain=replace(settings.chain, deployment=tmp_path / "nowhere.json")))

    assert isinstance(error, MalformedDeployment)


async def test_start__second_agent_on_the_same_folder__refused(network: AgentNetwork) -> None:
    settings = network.settings[0]
    async with run_agent(settings):
        error = await refused(replace(settings, server=replace(settings.server, port=0)))

    assert isinstance(error, CatalogueInUse)


async def test_stop__upload_under_way__finished_first(network: AgentNetwork) -> None:
    [member] = network.committee.members
    blob = make_blob(4_000_000, 10)
    async with run_agent(network.settings[0]):
        await network.wait_ready(member)
        number = await network.register(blob)
        upload = asyncio.ensure_future(network.upload(member, blob, number))
        while not upload.done() and not (await network.client(member).blob(blob.blob_id)).objects:
            pass  # until the agent has the request in its hands and looked the registration up
    await upload

    with pytest.raises(AgentUnreachable):
        await network.client(member).health()


async def test_command__from_init_to_stop__a_stranger_becomes_a_node(network: AgentNetwork, tmp_path: Path) -> None:
    home, port = tmp_path / "mine", free_port()
    operator, password = await funded_operator(network, tmp_path)
    config = ["--config", str(home / "agent.toml")]

    made = await command(
        "init", str(home), "--name", "mine", "--rpc", network.settings[0].chain.rpc[0],
        "--deployment", str(tmp_path / "deployment.json"), "--port", str(port), "--json",
    )  # fmt: skip
    assert load_settings(Path(made["settings"]), {}).node.name == "mine"
    registered = await command(
        "register", *config, "--url", f"http://127.0.0.1:{port}", "--region", "eu-north", "--stake", "1000",
        "--operator", str(operator), "--operator-password-file", str(password), "--json",
    )  # fmt: skip
    assert (registered["node"], registered["staked"]) == (2, str(1000 * 10**18))
    node = (await network.chain.nodes())[1]
    assert (node.signer, node.region, node.pool.own_stake) == (made["signer"], "eu-north", Wei(1000 * 10**18))
    assert node.pool.candidate

    running = await asyncio.create_subprocess_exec(
        *program(),
        "run",
        *config,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "WALRUS_AGENT_LOG_FORMAT": "json"},
    )
    try:
        assert running.stderr is not None
        started = json.loads(await asyncio.wait_for(running.stderr.readline(), 30))
        assert (started["message"], started["node"]) == ("agent started", 2)
        status = await command("status", *config, "--json")
        assert (status["node"], status["name"], status["committee"]["own"]) == (2, "mine", [])
        assert status["onChain"]["ownStake"] == str(1000 * 10**18)
        doctor = await command("doctor", *config, "--json", code=1)
        bad = {what for what, finding in doctor.items() if not finding["fine"]}
        # Its signer has no money; the chain of these tests may stand still, or have had its clock moved.
        assert bad - {"address", "disk", "clock", "custody"} == {"committee", "gas"}
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 30) == 0
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    error = await command("status", *config, "--json", code=3)
    assert error["error"]["code"] == "NotRunning"


async def test_command__run_with_a_broken_key__one_line_and_a_code(network: AgentNetwork, tmp_path: Path) -> None:
    home = tmp_path / "broken"
    await command(
        "init", str(home), "--name", "n", "--rpc", network.settings[0].chain.rpc[0],
        "--deployment", str(tmp_path / "deployment.json"), "--json",
    )  # fmt: skip
    shutil.copy(tmp_path / "node-0" / "password", home / "keys" / "password")

    process = await asyncio.create_subprocess_exec(
        *program(), "run", "--config", str(home / "agent.toml"), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()

    assert process.returncode == 3
    assert said.decode().splitlines() == [f"Error: {home}/keys/signer.json cannot be used: the password is wrong"]


def program() -> list[str]:
    """The command as its console script runs it."""
    return [sys.executable, "-m", "storage_agent.cli.main"]


async def command(*arguments: str, code: int = 0) -> dict[str, Any]:
    """What a command prints as JSON: its result, or its error."""
    process = await asyncio.create_subprocess_exec(
        *program(), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == code, (out, err)
    document: dict[str, Any] = json.loads(out or err)
    return document


async def funded_operator(network: AgentNetwork, folder: Path) -> tuple[Path, Path]:
    """A keystore with its password file, of an account that has WAL and gas money."""
    account: LocalAccount = Account.create()
    await network.owner.send_native(Address(account.address), Wei(10**18))
    await network.owner.send_wal(Address(account.address), Wei(2000 * 10**18))
    password = files.write_password(folder / "operator.password")
    files.write_signer(folder / "operator.json", bytes(account.key), password, scrypt_n=2)
    return folder / "operator.json", folder / "operator.password"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
