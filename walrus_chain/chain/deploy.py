"""Putting a new network on a chain: a pure plan of what is created where, and its execution.

The contracts know each other from construction on and cannot be changed, so each one's address is computed from the
deployer's nonce before the first is created. Executors only walk the plan: `deploy` here, and the Ape script in
scripts/deploy.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from walrus_chain.chain.abi import interface
from walrus_chain.chain.artifacts import artifact
from walrus_chain.chain.deployments import CONTRACTS, KINDS, Deployment
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.chain.transactions import Patience, TransactionQueue, TransactionSigner
from walrus_chain.chain.values import checksum_address
from walrus_chain.codec.geometry import MAX_SHARDS, MIN_SHARDS
from walrus_chain.errors import ContractMissing, ParameterOutOfBounds, UnexpectedAddress
from walrus_chain.types import ALL_BPS, NOBODY, Address, Wei

_WAL: Final = 10**18
DEFAULT_SUPPLY: Final = Wei(1_000_000_000 * _WAL)
DEFAULT_MINIMUM_STAKE: Final = Wei(1_000 * _WAL)
DEFAULT_UNIT_PRICE: Final = Wei(_WAL // 100_000)
DEFAULT_WRITE_FEE: Final = Wei(_WAL // 10_000)
MINIMUM_EPOCH_SECONDS: Final = 10
MAXIMUM_EPOCH_SECONDS: Final = 366 * 24 * 3600
MAXIMUM_SUPPLY: Final = 2**128 - 1
MINIMUM_UNIT_BYTES: Final = 1024
MAXIMUM_UNIT_BYTES: Final = 2**30
MAXIMUM_PRICE: Final = 1000 * _WAL
MAXIMUM_TERM: Final = 2**16 - 1
MINIMUM_UNBONDING: Final = 3
MAXIMUM_UNBONDING: Final = 100
MAXIMUM_SLASH: Final = 5_000
MAXIMUM_BURN: Final = 5_000
MAXIMUM_SAMPLES: Final = 16
MAXIMUM_MISSES: Final = 100
MAXIMUM_JAIL: Final = 1_000
MAXIMUM_DELAY: Final = 200
MAXIMUM_REQUEST_AGE: Final = 3600
MAXIMUM_NOTICE: Final = 365 * 24 * 3600
MAXIMUM_PROTOCOL: Final = 1_000
MAXIMUM_CLOSE_DELAY: Final = 30 * 24 * 3600
MAXIMUM_TIP: Final = 500
MODULES: Final = ("Staking", "StorageFees", "RevenuePools", "ReadChannels", "Renewals", "ComputeJobs")
"""The contracts that hold money in the vault."""
DEFAULT_COMMIT_SECONDS: Final = 600
DEFAULT_REVEAL_SECONDS: Final = 300
DEFAULT_DRAW_SECONDS: Final = 600
DEFAULT_MINIMUM_JOB_FEE: Final = Wei(10**16)
MAXIMUM_JOB_FEE: Final = 1000 * 10**18
#: Between two blocks of the chains that networks are for, and the fewest blocks of a window unless others are chosen.
USUAL_BLOCK_SECONDS: Final = 12
FEWEST_BLOCKS: Final = 10
MAXIMUM_WINDOWS: Final = 2
"""What a job has to be drawn, run and revealed, at most: so many epochs."""
MAXIMUM_WINDOW_BLOCKS: Final = 50_000
NOTICE_EPOCHS: Final = 2
"""After so many a new region of a node counts for committees."""


@dataclass(frozen=True, slots=True)
class DeploymentParameters:
    """What is fixed for ever when a network is created. The defaults suit a test network.

    Raises: ParameterOutOfBounds: a value that the contracts would refuse.
    """

    shards: int = 30
    """n, slots of the committee and sliver pairs of a segment: 4 to 255."""
    epoch_seconds: int = 24 * 3600
    """Length of an epoch: 10 seconds to 366 days."""
    supply: Wei = DEFAULT_SUPPLY
    """All the WAL there will ever be."""
    sync_seconds: int | None = None
    """After which a change of committee is over for the next one to begin; the length of an epoch when none."""
    minimum_stake: Wei = DEFAULT_MINIMUM_STAKE
    """What an operator must have staked itself for its node to be considered for the committee."""
    unbonding_epochs: int = 7
    """For how long stake on its way out is still slashed: 3 to 100."""
    maximum_commission_bps: int = 5_000
    """The most that an operator may keep of its node's rewards, in hundredths of a percent."""
    unit_bytes: int = 64 * 1024
    """Encoded bytes in one unit of storage: 1 KiB to 1 GiB."""
    unit_price: Wei = DEFAULT_UNIT_PRICE
    """For one unit and one epoch: at most 1,000 WAL."""
    write_fee: Wei = DEFAULT_WRITE_FEE
    """Paid once for each registration: at most 1,000 WAL."""
    maximum_epochs: int = 1_000
    """How many epochs ahead may be paid: 1 to 65,535."""
    burn_bps: int = 1_000
    """The share of storage fees that is burned, in hundredths of a percent: at most 5,000."""
    samples: int = 5
    """Places that a node is asked for in each custody window: 1 to 16."""
    first_slash_bps: int = 100
    """What a missed custody proof costs of a node's stake; doubled with each miss in a row."""
    maximum_slash_bps: int = 1_600
    """The most that one miss costs: at most 5,000."""
    misses_to_jail: int = 3
    """Misses in a row after which a node leaves the committee: 1 to 100."""
    jail_epochs: int = 14
    """For how long: 1 to 1,000."""
    bounty_bps: int = 1_000
    """What of a slash goes to whoever reports the miss: at most 5,000. The rest is burned."""
    seed_delay_blocks: int = 4
    """How many blocks after it was opened a custody window takes its seed from: 1 to 200."""
    maximum_request_age_seconds: int = 120
    """The oldest block at which agents decide who may use data, so the latency of revocations: 1 second to an hour."""
    minimum_notice_seconds: int = 24 * 3600
    """The shortest notice with which policies of an object change: at most 365 days."""
    protocol_bps: int = 250
    """What is burned of each income of a revenue pool, in hundredths of a percent: 1 to 1,000."""
    close_delay_seconds: int = 24 * 3600
    """For how long vouchers of a read channel are paid after its payer began to close it: 1 second to 30 days."""
    tip_bps: int = 100
    """What a node that redeems a voucher gets of it, in hundredths of a percent: at most 500."""
    draw_seconds: int | None = None
    """For how long a job may be drawn, more than `seed_delay_blocks` take; ten minutes, or half an epoch, when none."""
    commit_seconds: int | None = None
    """For how long the nodes of a job may run it; ten minutes, or half an epoch, when none."""
    reveal_seconds: int | None = None
    """For how long they may show their results after that; five minutes, or half an epoch, when none."""
    window_blocks: int | None = None
    """Blocks that each of the last two has at least: 1 to 50,000. No fewer than the chain makes in that time, so that
    nothing is lost when it stands still; as many as with 12 seconds between blocks, when none."""
    wrong_bps: int = 500
    """What a node loses of its stake whose result most others contradict: 1 to 5,000."""
    absent_bps: int = 20
    """What a node loses that lets a job wait, once an epoch, or that commits to a result and keeps still, for each job:
    at most `wrong_bps`."""
    minimum_job_fee: Wei = DEFAULT_MINIMUM_JOB_FEE
    """The least that a job pays for each node that runs it: at most 1,000 WAL."""
    genesis: Address | None = None
    """The account that forms the first committee; the deployer when none."""
    holder: Address | None = None
    """The account that gets the whole supply; the deployer when none."""

    def __post_init__(self) -> None:
        _check("shards", MIN_SHARDS, MAX_SHARDS, self.shards)
        _check("epoch_seconds", MINIMUM_EPOCH_SECONDS, MAXIMUM_EPOCH_SECONDS, self.epoch_seconds)
        _check("supply", 1, MAXIMUM_SUPPLY, self.supply)
        _check("minimum_stake", 1, MAXIMUM_SUPPLY, self.minimum_stake)
        _check("unit_bytes", MINIMUM_UNIT_BYTES, MAXIMUM_UNIT_BYTES, self.unit_bytes)
        _check("unit_price", 0, MAXIMUM_PRICE, self.unit_price)
        _check("write_fee", 0, MAXIMUM_PRICE, self.write_fee)
        _check("maximum_epochs", 1, MAXIMUM_TERM, self.maximum_epochs)
        _check("sync_seconds", 1, MAXIMUM_EPOCH_SECONDS, self.change_seconds)
        _check("unbonding_epochs", MINIMUM_UNBONDING, MAXIMUM_UNBONDING, self.unbonding_epochs)
        _check("maximum_commission_bps", 0, ALL_BPS, self.maximum_commission_bps)
        _check("burn_bps", 0, MAXIMUM_BURN, self.burn_bps)
        _check("samples", 1, MAXIMUM_SAMPLES, self.samples)
        _check("maximum_slash_bps", 1, MAXIMUM_SLASH, self.maximum_slash_bps)
        _check("first_slash_bps", 1, self.maximum_slash_bps, self.first_slash_bps)
        _check("misses_to_jail", 1, MAXIMUM_MISSES, self.misses_to_jail)
        _check("jail_epochs", 1, MAXIMUM_JAIL, self.jail_epochs)
        _check("bounty_bps", 0, MAXIMUM_SLASH, self.bounty_bps)
        _check("seed_delay_blocks", 1, MAXIMUM_DELAY, self.seed_delay_blocks)
        _check("maximum_request_age_seconds", 1, MAXIMUM_REQUEST_AGE, self.maximum_request_age_seconds)
        _check("minimum_notice_seconds", 0, MAXIMUM_NOTICE, self.minimum_notice_seconds)
        _check("protocol_bps", 1, MAXIMUM_PROTOCOL, self.protocol_bps)
        _check("close_delay_seconds", 1, MAXIMUM_CLOSE_DELAY, self.close_delay_seconds)
        _check("tip_bps", 0, MAXIMUM_TIP, self.tip_bps)
        for name, seconds in zip(("draw_seconds", "commit_seconds", "reveal_seconds"), self.job_windows, strict=True):
            _check(name, 1, MAXIMUM_WINDOWS * self.epoch_seconds, seconds)
        _check("draw, commit and reveal seconds", 3, MAXIMUM_WINDOWS * self.epoch_seconds, sum(self.job_windows))
        _check("window_blocks", 1, MAXIMUM_WINDOW_BLOCKS, self.job_window_blocks)
        _check("wrong_bps", 1, MAXIMUM_SLASH, self.wrong_bps)
        _check("absent_bps", 0, self.wrong_bps, self.absent_bps)
        _check("minimum_job_fee", 0, MAXIMUM_JOB_FEE, self.minimum_job_fee)
        for name in ("genesis", "holder"):
            if getattr(self, name) == NOBODY:
                raise ParameterOutOfBounds(name, "an account", NOBODY)

    @property
    def change_seconds(self) -> int:
        """Seconds after which a change of committee is over for the next one to begin."""
        return self.epoch_seconds if self.sync_seconds is None else self.sync_seconds

    @property
    def job_windows(self) -> tuple[int, int, int]:
        """Seconds in which a job is drawn, then run, then revealed."""
        half = self.epoch_seconds // 2
        return (
            min(DEFAULT_DRAW_SECONDS, half) if self.draw_seconds is None else self.draw_seconds,
            min(DEFAULT_COMMIT_SECONDS, half) if self.commit_seconds is None else self.commit_seconds,
            min(DEFAULT_REVEAL_SECONDS, half) if self.reveal_seconds is None else self.reveal_seconds,
        )

    @property
    def job_window_blocks(self) -> int:
        """Blocks that running and revealing have at least."""
        if self.window_blocks is not None:
            return self.window_blocks
        blocks = -(-max(self.job_windows[1:]) // USUAL_BLOCK_SECONDS)
        return min(max(FEWEST_BLOCKS, blocks), MAXIMUM_WINDOW_BLOCKS)


@dataclass(frozen=True, slots=True)
class Step:
    """One contract to create."""

    contract: str
    arguments: tuple[Any, ...]
    """The constructor's arguments, addresses of contracts yet to come included."""
    nonce: int
    """The deployer's nonce that the creation must take."""
    address: Address
    """Where the contract will be."""

    @property
    def creation_code(self) -> bytes:
        """What the creating transaction carries: bytecode and encoded arguments."""
        return artifact(self.contract).bytecode + encode(interface(self.contract).constructor, self.arguments)


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """Everything that creating a network takes, in order."""

    deployer: Address
    steps: tuple[Step, ...]
    addresses: Mapping[str, Address] = field(init=False)
    """Where each contract will be."""

    def __post_init__(self) -> None:
        addresses = {step.contract: step.address for step in self.steps}
        object.__setattr__(self, "addresses", MappingProxyType(addresses))

    def deployment(self, name: str, chain_id: int, block: int) -> Deployment:
        """The deployment file's content, once all steps are done; `block` is that of the first step."""
        return Deployment(name, chain_id, block, self.addresses)


def plan_deployment(parameters: DeploymentParameters, deployer: Address, nonce: int) -> DeploymentPlan:
    """What has to be created, with which arguments and where.

    Args:
        deployer: the account that creates the contracts, all by itself and one after the other.
        nonce: the nonce of its next transaction.
    """
    order = {contract: nonce + place for place, contract in enumerate(CONTRACTS)}
    at = {contract: contract_address(deployer, number) for contract, number in order.items()}
    arguments: dict[str, tuple[Any, ...]] = {
        "WAL": (parameters.holder or deployer, parameters.supply),
        "TokenVault": (at["WAL"], [at[module] for module in MODULES]),
        "NodeRegistry": (NOTICE_EPOCHS * parameters.epoch_seconds,),
        "Committee": (
            at["NodeRegistry"],
            at["Staking"],
            at["CustodyChallenges"],
            parameters.shards,
            parameters.epoch_seconds,
            parameters.change_seconds,
            parameters.genesis or deployer,
        ),
        "Staking": (
            at["TokenVault"],
            at["NodeRegistry"],
            at["Committee"],
            at["Rewards"],
            at["CustodyChallenges"],
            at["ComputeJobs"],
            (parameters.minimum_stake, parameters.unbonding_epochs, parameters.maximum_commission_bps),
        ),
        "StorageFees": (
            at["TokenVault"],
            at["Committee"],
            at["BlobRegistry"],
            at["Prices"],
            at["Rewards"],
            at["RevenuePools"],
            parameters.unit_bytes,
            parameters.unit_price,
            parameters.write_fee,
            parameters.maximum_epochs,
        ),
        "Prices": (at["NodeRegistry"], at["Committee"], at["StorageFees"]),
        "Rewards": (
            at["Staking"],
            at["StorageFees"],
            at["Committee"],
            at["CustodyChallenges"],
            parameters.burn_bps,
        ),
        "BlobRegistry": (at["Committee"], at["StorageFees"], at["CustodyChallenges"], at["BlobPolicies"]),
        "BlobAttributes": (at["BlobRegistry"],),
        "BlockHashRandomness": (parameters.seed_delay_blocks,),
        "CustodyChallenges": (
            at["Committee"],
            at["BlobRegistry"],
            at["Staking"],
            at["BlockHashRandomness"],
            (
                parameters.samples,
                parameters.first_slash_bps,
                parameters.maximum_slash_bps,
                parameters.misses_to_jail,
                parameters.jail_epochs,
                parameters.bounty_bps,
            ),
        ),
        **_policy_arguments(at, parameters),
        **_payment_arguments(at, parameters),
        "NetworkLens": (
            at["BlobRegistry"],
            at["StorageFees"],
            at["Committee"],
            at["NodeRegistry"],
            at["Staking"],
            at["CustodyChallenges"],
        ),
        "DutyLens": (
            at["Committee"],
            at["Staking"],
            at["Prices"],
            at["Rewards"],
            at["CustodyChallenges"],
            at["BlockHashRandomness"],
        ),
    }
    return DeploymentPlan(
        deployer=deployer,
        steps=tuple(Step(contract, arguments[contract], order[contract], at[contract]) for contract in CONTRACTS),
    )


def _policy_arguments(at: Mapping[str, Address], parameters: DeploymentParameters) -> dict[str, tuple[Any, ...]]:
    limits = (parameters.maximum_request_age_seconds, parameters.minimum_notice_seconds)
    return {
        **dict.fromkeys(KINDS.values(), ()),
        "BlobPolicies": (at["BlobRegistry"], at["Purchases"], at["RevenuePools"], at["WAL"], limits),
        "ReceiptLog": (at["NodeRegistry"], at["Committee"]),
        "CredentialRegistry": (),
        "SignatureJudge": (),
        "PayPerReadPolicy": (at["WAL"], at["RevenuePools"]),
        "SubscriptionPolicy": (at["Purchases"], at["RevenuePools"]),
        "FixedTermPolicy": (at["Committee"],),
        "PolicyFactory": ([(kind.encode().ljust(32, b"\0"), at[contract]) for kind, contract in KINDS.items()],),
    }


def _payment_arguments(at: Mapping[str, Address], parameters: DeploymentParameters) -> dict[str, tuple[Any, ...]]:
    return {
        "RevenuePools": (
            at["TokenVault"],
            at["StorageFees"],
            at["Purchases"],
            at["ReadChannels"],
            at["ComputeJobs"],
            parameters.protocol_bps,
        ),
        "Purchases": (at["BlobPolicies"], at["RevenuePools"]),
        "ReadChannels": (
            at["TokenVault"],
            at["RevenuePools"],
            at["NodeRegistry"],
            parameters.close_delay_seconds,
            parameters.tip_bps,
        ),
        "Renewals": (at["TokenVault"], at["WAL"], at["BlobRegistry"], at["StorageFees"], at["Committee"]),
        "ComputeJobs": (
            at["TokenVault"],
            at["Committee"],
            at["NodeRegistry"],
            at["Staking"],
            at["BlockHashRandomness"],
            at["BlobPolicies"],
            at["RevenuePools"],
            at["BlobRegistry"],
            at["Purchases"],
            (
                *parameters.job_windows,
                parameters.job_window_blocks,
                parameters.wrong_bps,
                parameters.absent_bps,
                parameters.minimum_job_fee,
            ),
        ),
    }


async def deploy(
    provider: ChainProvider,
    account: TransactionSigner,
    parameters: DeploymentParameters,
    *,
    name: str = "local",
    patience: Patience | None = None,
) -> Deployment:
    """Creates a network's contracts and checks that each is where it was planned.

    Args:
        provider: the chain.
        account: who creates and pays; nobody else may send from it meanwhile.
        name: what people will call the network.
    Raises:
        UnexpectedAddress: the account sent something else meanwhile; start again.
        ContractMissing: a contract was created but has no code.
        NotEnoughGasMoney, RpcUnavailable, TransactionPending: as for every transaction.
    """
    queue = TransactionQueue(provider, account, patience)
    plan = plan_deployment(parameters, queue.address, await queue.next_nonce())
    first_block: int | None = None
    for step in plan.steps:
        receipt = await queue.send(None, step.creation_code)
        if receipt.created is None or checksum_address(receipt.created) != step.address:
            raise UnexpectedAddress(step.contract, step.address, receipt.created)
        first_block = receipt.block if first_block is None else first_block
    deployment = plan.deployment(name, await provider.chain_id(), first_block or 0)
    await check_deployment(provider, deployment)
    return deployment


async def check_deployment(provider: ChainProvider, deployment: Deployment) -> None:
    """Checks that the chain has code at every address of a deployment.

    Raises: ContractMissing: one has none.
    """
    contracts = list(deployment.contracts.items())
    codes = await provider.batch([("eth_getCode", (address, "latest")) for _, address in contracts])
    for (contract, address), code in zip(contracts, codes, strict=True):
        if len(code) <= 2:
            raise ContractMissing(deployment.name, contract, f"there is no code at {address}")


def contract_address(deployer: Address, nonce: int) -> Address:
    """Where the contract lies that `deployer` creates with its transaction number `nonce`.

    The last 20 bytes of keccak(RLP([deployer, nonce])).
    """
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    encoded_number = number if len(number) == 1 and number[0] < 0x80 else bytes([0x80 + len(number)]) + number
    content = b"\x94" + bytes.fromhex(deployer[2:]) + encoded_number
    return checksum_address("0x" + keccak(bytes([0xC0 + len(content)]) + content)[12:].hex())


def _check(parameter: str, minimum: int, maximum: int, actual: int) -> None:
    if not minimum <= actual <= maximum:
        raise ParameterOutOfBounds(parameter, f"{minimum:,} to {maximum:,}", actual)
