"""Fixtures for tests on real local chains; loaded by pytest wherever walrus-chain is installed.

`walrus_network` is a whole network, for whoever stores and reads; it takes walrus-chain[devnet].

    async def test_my_dapp(walrus_network):
        async with walrus_network.client() as client:
            stored = await client.store(b"hello", epochs=2)
            assert await client.read_bytes(stored.blob_id) == b"hello"

The network starts once for the whole test session, with its agents in this process; override `walrus_parameters` (in a
conftest.py, with the same scope) for another size.

`policy_tester` is a chain with the network's contracts and no agents, for whoever writes policies; what it can do is in
`policy_tester.py`. It takes walrus-chain[policies].

    def test_stranger__is_denied(policy_tester):
        policy = policy_tester.deploy("MyPolicy.sol", policy_tester.account("reader"))
        policy.denies(policy_tester.account("stranger"), reason="NotTheReader")

Its chain starts once for the whole session, in less than a second; what a test does to it is undone after the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3.contract import Contract

    from walrus_chain.chain.network import Chain
    from walrus_chain.client.client import Client
    from walrus_chain.devnet.network import Devnet
    from walrus_chain.devnet.plan import DevnetParameters
    from walrus_chain.devnet.policy_chain import PolicyChain
    from walrus_chain.devnet.policy_tester import PolicyTester


@dataclass(frozen=True, slots=True)
class WalrusNetwork:
    """A running local network, and an account that has WAL in it."""

    devnet: Devnet
    account: LocalAccount
    """Holds 1,000,000 WAL, and money for transactions."""

    @property
    def rpc_url(self) -> str:
        """The chain's RPC endpoint."""
        return self.devnet.rpc_url

    def client(self, account: LocalAccount | None = None) -> Client:
        """A client that signs with `account`, the funded one when none is named; an async context manager."""
        from walrus_chain.client.client import Client

        return Client.connect([self.rpc_url], self.devnet.deployment, account=account or self.account)

    def chain(self) -> Chain:
        """The chain's side of the network; an async context manager. `chain().contract(name)` is for async web3.py."""
        from walrus_chain.chain.network import Chain

        return Chain.connect([self.rpc_url], self.devnet.deployment)

    def contract(self, name: str) -> Contract:
        """A contract of the network, such as `BlobRegistry` or `WAL`, for web3.py without async."""
        from walrus_chain.chain.web3_bridge import blocking_contract

        return blocking_contract(self.rpc_url, self.devnet.deployment, name)


@pytest.fixture(scope="session")
def walrus_parameters() -> DevnetParameters:
    """What `walrus_network` is made of: four agents, ten shards, two regions. Override it for another network."""
    from walrus_chain.devnet.plan import DevnetParameters
    from walrus_chain.devnet.ports import free_run

    agents = 4
    port = free_run(agents + 1)
    return DevnetParameters(agents=agents, shards=10, regions=2, rpc_port=port, first_agent_port=port + 1)


@pytest.fixture(scope="session")
def walrus_network(
    walrus_parameters: DevnetParameters, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WalrusNetwork]:
    """A local network for the whole test session."""
    from eth_account import Account

    from walrus_chain.devnet.home import DevnetHome
    from walrus_chain.devnet.in_process import devnet_in_thread

    account = Account.create()
    home = DevnetHome(tmp_path_factory.mktemp("walrus-network"))
    with devnet_in_thread(home, walrus_parameters, developer=account.address) as devnet:
        yield WalrusNetwork(devnet, account)


@pytest.fixture(scope="session")
def policy_chain() -> Iterator[PolicyChain]:
    """The chain below `policy_tester`, for the whole test session."""
    from walrus_chain.devnet.policy_chain import policy_chain

    with policy_chain() as chain:
        yield chain


@pytest.fixture
def policy_tester(policy_chain: PolicyChain, request: pytest.FixtureRequest) -> Iterator[PolicyTester]:
    """People, policies and time for one test; Solidity files are looked for beside the test."""
    from walrus_chain.devnet.policy_tester import PolicyTester

    with policy_chain.forgotten():
        yield PolicyTester(policy_chain, request.path.parent)
