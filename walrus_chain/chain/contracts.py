"""One account's calls to one network's contracts: what all writers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from walrus_chain.chain.abi import interface
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.logs import fields_in, topic_of
from walrus_chain.chain.network import Chain
from walrus_chain.chain.transactions import Receipt, TransactionQueue
from walrus_chain.types import Address


class ContractCalls:
    """Sends calls to contracts by name, and reads what they logged."""

    def __init__(self, chain: Chain, queue: TransactionQueue) -> None:
        """
        Args:
            chain: the network.
            queue: the account's.
        """
        self._chain = chain
        self._queue = queue

    @property
    def address(self) -> Address:
        """The account that sends."""
        return self._queue.address

    async def send(self, contract: str, function: str, *arguments: Any) -> Receipt:
        """Sends a call and waits until it is in a block; raises what `TransactionQueue.send` raises."""
        return await self.send_to(self._chain.deployment.address(contract), contract, function, *arguments)

    async def send_to(self, address: Address, contract: str, function: str, *arguments: Any) -> Receipt:
        """As `send`, to a contract that has the functions of `contract`, such as a policy."""
        return await self._queue.send(address, interface(contract)[function].call(*arguments))

    async def create(self, creation_code: bytes) -> Receipt:
        """Creates a contract from code and encoded arguments; raises what `TransactionQueue.send` raises."""
        return await self._queue.send(None, creation_code)

    def logs(self, receipt: Receipt, kind: type[ChainEvent]) -> Sequence[dict[str, Any]]:
        """The fields of a receipt's events of one kind, in order."""
        address = self._chain.deployment.address(kind.contract).lower()
        topic = "0x" + topic_of(kind.contract, kind.solidity_name).hex()
        return [
            fields_in(kind, log)
            for log in receipt.logs
            if log["address"].lower() == address and log["topics"] and log["topics"][0] == topic
        ]
