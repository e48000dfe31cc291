"""Stake that comes, goes and runs."""

from __future__ import annotations

import random

from scripts.simulation.ledger import USERS, Ledger
from scripts.simulation.nodes import Delegator, Node
from scripts.simulation.parameters import Parameters
from walrus_chain.rules.pools import Account
from walrus_chain.types import Epoch, Wei

SERVICE_BEFORE_ESCAPE = 3
"""Epochs in a row that an escaping node serves honestly first."""


class People:
    """Delegators and operators, and what they do with their stake. `epoch` is the present one, `later` is 0 before its
    cut and 1 from it on."""

    def __init__(self, parameters: Parameters, ledger: Ledger, dice: random.Random) -> None:
        self._rules, self._scale = parameters.rules, parameters.scale
        self._ledger, self._dice = ledger, dice
        self.delegators: list[Delegator] = []

    def found(self, node: Node, epoch: Epoch, *, crowd: bool) -> None:
        """The operator's own stake, and with `crowd` the first delegators; it counts from `epoch` on."""
        stake = Wei(round(self._scale.stake * self._dice.uniform(0.8, 1.2)))
        own = stake * self._scale.own_bps // 10_000
        self._ledger.pay(node.operator, self._ledger.take(USERS, own))
        self._delegate(node, node.operator, own, epoch)
        for _ in range(self._scale.delegators_each if crowd else 0):
            delegator = Delegator(f"delegator {len(self.delegators) + 1}", node.node_id)
            part = (stake - own) // self._scale.delegators_each
            self._ledger.pay(delegator.name, self._ledger.take(USERS, part))
            self.delegators.append(delegator)
            self._delegate(node, delegator.name, part, epoch)

    def drift(self, nodes: list[Node], epoch: Epoch, later: int) -> None:
        """Some delegators leave their nodes; others, whose stake was released, choose new ones."""
        serving = [node for node in nodes if node.jailed_until is None and not node.leaves]
        by_id = {node.node_id: node for node in nodes}
        for delegator in self.delegators:
            node = by_id[delegator.node_id]
            if delegator.moving:
                paid = self._withdraw(node, delegator.name, epoch)
                if paid:
                    chosen = self._dice.choice(serving)
                    delegator.node_id, delegator.moving = chosen.node_id, False
                    self._delegate(chosen, delegator.name, paid, Epoch(epoch + 1 + later))
            elif node.leaves or self._dice.random() < self._scale.drift:
                delegator.moving = self._undelegate(node, delegator.name, epoch)

    def operate(self, node: Node, epoch: Epoch) -> None:
        """What an operator does at the end of an epoch: takes its commission, returns from jail or from an escape."""
        node.pool, commission = node.pool.claim_commission()
        self._ledger.pay(node.operator, commission)
        if node.jailed_until is not None and epoch >= node.jailed_until:
            node.jailed_until = None
        paid = self._withdraw(node, node.operator, epoch)
        if paid and node.strategy.escapes:
            self._delegate(node, node.operator, paid, Epoch(epoch + 2))

    def leave(self, node: Node, epoch: Epoch) -> None:
        """An operator takes all of its own stake out."""
        self._undelegate(node, node.operator, epoch)

    def _delegate(self, node: Node, name: str, amount: int, epoch: Epoch) -> None:
        account = node.accounts.get(name, Account())
        paid = self._ledger.take(name, amount)
        node.pool, node.accounts[name] = node.pool.delegate(account, paid, epoch)

    def _undelegate(self, node: Node, name: str, epoch: Epoch) -> bool:
        """Whether anything left."""
        account = node.accounts.get(name, Account())
        release = Epoch(epoch + self._rules.unbonding_epochs)
        node.pool, node.accounts[name] = node.pool.undelegate(account, None, release)
        return len(node.accounts[name].exits) > len(account.exits)

    def _withdraw(self, node: Node, name: str, epoch: Epoch) -> Wei:
        """What was released now."""
        account = node.accounts.get(name, Account())
        node.pool, node.accounts[name], paid = node.pool.withdraw(account, epoch)
        self._ledger.pay(name, paid)
        return paid
