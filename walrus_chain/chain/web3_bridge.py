"""web3.py over a `ChainProvider`: all of the library, with the provider's fail-over. Imported only when asked for."""

from __future__ import annotations

from typing import Any, cast

from eth_utils.address import to_checksum_address
from web3 import AsyncWeb3, HTTPProvider, Web3
from web3.contract import AsyncContract, Contract
from web3.providers.async_base import AsyncJSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from walrus_chain.chain.artifacts import artifact
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.errors import RpcUnavailable


class BridgeProvider(AsyncJSONBaseProvider):
    """Hands web3.py's requests to a `ChainProvider`."""

    def __init__(self, provider: ChainProvider) -> None:
        super().__init__()
        self._provider = provider

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """The endpoint's answer.

        Raises: RpcUnavailable, WrongChain.
        """
        return cast(RPCResponse, await self._provider.answer(method, params))

    async def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether any endpoint answers."""
        try:
            await self._provider.request("web3_clientVersion")
        except RpcUnavailable:
            if show_traceback:
                raise
            return False
        return True


def bridge(provider: ChainProvider) -> AsyncWeb3[BridgeProvider]:
    """web3.py whose requests go through `provider`."""
    return AsyncWeb3(BridgeProvider(provider))


def contract(provider: ChainProvider, deployment: Deployment, name: str) -> AsyncContract:
    """A contract of a network, over all its endpoints.

    Raises: ContractMissing, ArtifactMissing: there is none of that name.
    """
    return bridge(provider).eth.contract(to_checksum_address(deployment.address(name)), abi=artifact(name).abi)


def blocking_contract(url: str, deployment: Deployment, name: str) -> Contract:
    """A contract of a network without async, over one endpoint. Raises as `contract`."""
    web3 = Web3(HTTPProvider(url))
    return web3.eth.contract(to_checksum_address(deployment.address(name)), abi=artifact(name).abi)
