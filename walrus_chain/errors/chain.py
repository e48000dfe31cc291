"""Endpoints, deployments and transactions. What contracts refuse is in `walrus_chain.chain.rejections`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from walrus_chain.errors.roots import Bug, Misuse, Retryable, Untrusted


class RpcUnavailable(Retryable):
    """No RPC endpoint of the chain answered; each one's reason is in `failures`."""

    def __init__(self, method: str, failures: Mapping[str, str]) -> None:
        reasons = "; ".join(f"{endpoint}: {why}" for endpoint, why in failures.items())
        super().__init__(f"no RPC endpoint answered {method} ({reasons}); check the endpoints or try again")
        self.method, self.failures = method, dict(failures)


class RpcRefused(Retryable):
    """An RPC endpoint answered with an error that is not a contract's refusal."""

    def __init__(self, endpoint: str, method: str, code: int, message: str) -> None:
        super().__init__(f"{endpoint} refused {method}: {message} (code {code})")
        self.endpoint, self.method, self.code, self.rpc_message = endpoint, method, code, message


class BlockUnknown(Retryable):
    """No endpoint knows the block yet, or it was reorganised away: try again."""

    def __init__(self, block: object) -> None:
        super().__init__(f"block {block} is not known: the endpoints lag, or the chain was reorganised; try again")
        self.block = block


class NoEndpoint(Misuse):
    """No usable RPC URL of a chain was given."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; name an RPC endpoint such as http://127.0.0.1:8545")
        self.why = why


class WrongChain(Misuse):
    """An endpoint serves another chain than the deployment is on."""

    def __init__(self, endpoint: str, expected: int, actual: int) -> None:
        super().__init__(
            f"{endpoint} serves chain {actual}, but the network is on chain {expected}; name another endpoint"
        )
        self.endpoint, self.expected, self.actual = endpoint, expected, actual


class MalformedDeployment(Misuse):
    """A file that should name a network's contracts does not."""

    def __init__(self, source: object, why: str) -> None:
        super().__init__(f"{source} is not a deployment file: {why}; `walrus network deploy` writes one")
        self.source, self.why = source, why


class ContractMissing(Misuse):
    """A deployment that does not name a contract, or an address at which the chain has no code."""

    def __init__(self, deployment: str, contract: str, why: str) -> None:
        super().__init__(
            f"network {deployment} has no {contract}: {why}; check the deployment file and the RPC endpoint"
        )
        self.deployment, self.contract, self.why = deployment, contract, why


class ArtifactMissing(Bug):
    """The package lacks a contract's ABI and bytecode."""

    def __init__(self, contract: str) -> None:
        super().__init__(f"this installation has no artifact of contract {contract}; `make contracts` writes them")
        self.contract = contract


class ParameterOutOfBounds(Misuse):
    """A parameter of a new network that the contracts would refuse."""

    def __init__(self, parameter: str, bounds: str, actual: object) -> None:
        super().__init__(f"{parameter} must be {bounds}; it is {actual}")
        self.parameter, self.bounds, self.actual = parameter, bounds, actual


class UnexpectedAddress(Retryable):
    """A contract landed at another address than planned: the deployer sent other transactions meanwhile."""

    def __init__(self, contract: str, expected: object, actual: object) -> None:
        super().__init__(
            f"{contract} was created at {actual} instead of {expected}: the deployer's account sent other transactions "
            "meanwhile; deploy again from an account that nobody else uses"
        )
        self.contract, self.expected, self.actual = contract, expected, actual


class NotEnoughGasMoney(Misuse):
    """An account cannot pay the chain for a transaction."""

    def __init__(self, account: object, why: str) -> None:
        super().__init__(
            f"{account} cannot pay the chain's fee for the transaction ({why}); send it some native currency"
        )
        self.account, self.why = account, why


class TransactionPending(Retryable):
    """A transaction was sent but is in no block yet; it may still be mined."""

    def __init__(self, transaction: str, seconds: float) -> None:
        super().__init__(f"transaction {transaction} is in no block after {seconds:.0f} s; it may still get there")
        self.transaction, self.seconds = transaction, seconds


class TransactionDisplaced(Retryable):
    """Another transaction of the same account took the place of ours, so ours never happened."""

    def __init__(self, transaction: str, account: object, nonce: int) -> None:
        super().__init__(
            f"transaction {transaction} did not happen: {account} sent another one with nonce {nonce} from elsewhere; "
            "send it again"
        )
        self.transaction, self.account, self.nonce = transaction, account, nonce


class UnknownEvent(Misuse):
    """A contract logged something that this version of the software does not know."""

    def __init__(self, contract: str, topics: Sequence[str]) -> None:
        super().__init__(
            f"{contract} logged an event that this software does not know (topics {', '.join(topics) or 'none'}); "
            "update walrus-chain, or name the deployment file that belongs to these contracts"
        )
        self.contract, self.topics = contract, tuple(topics)


class SealedKeyMissing(Untrusted):
    """An RPC endpoint does not have the sealed key that the chain's record names."""

    def __init__(self, blob_object: int, block: int, endpoint: str) -> None:
        super().__init__(
            f"{endpoint} has no log of block {block} with the sealed key of blob object {blob_object}: it keeps no "
            "logs that old, or leaves some out; use another endpoint"
        )
        self.blob_object, self.block, self.endpoint = blob_object, block, endpoint


class UnexpectedAnswer(Untrusted):
    """An RPC endpoint answered something that is not what the standard says."""

    def __init__(self, endpoint: str, method: str, why: str) -> None:
        super().__init__(f"{endpoint} answered {method} with nonsense: {why}; use another endpoint")
        self.endpoint, self.method, self.why = endpoint, method, why


class AnvilMissing(Misuse):
    """A local chain was asked for, but anvil is not installed."""

    def __init__(self, searched: Sequence[str]) -> None:
        super().__init__(
            f"anvil, which runs the local chain, was not found in: {', '.join(searched)}. Install it with "
            "`npm install @foundry-rs/anvil` in this folder (`make setup` does it in a clone of the repository), "
            "or from getfoundry.sh, then try again"
        )
        self.searched = tuple(searched)


class AnvilFailed(Retryable):
    """Anvil started but did not become ready, or ended by itself; `output` is what it said last."""

    def __init__(self, why: str, output: str) -> None:
        super().__init__(f"anvil {why}" + (f"; it said:\n{output}" if output else ""))
        self.why, self.output = why, output
