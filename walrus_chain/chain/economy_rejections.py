"""What staking, rewards, prices and custody refuse, and what to do about it. A test holds it to the ABIs."""

from __future__ import annotations

from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.chain.values import ShortName
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, Wei

# -- staking -----------------------------------------------------------------------------------------------------------


class StakeNotYours(ContractRejection):
    """Only a node's operator does this."""

    solidity_name = "Staking_CallerNotOperator"
    text = "node {node_id} is operated by {operator}; {caller} may not do this for it"

    node_id: NodeId
    operator: Address
    caller: Address


class StakingNotAllowed(ContractRejection):
    """Only another of the network's contracts does this."""

    solidity_name = "Staking_CallerNotAllowed"
    text = "only the contract {expected} may do this with stakes; {caller} may not"

    expected: Address
    caller: Address


class StakingParameterOutOfBounds(ContractRejection):
    """A new network asks for a staking rule outside the bounds."""

    solidity_name = "Staking_ParameterOutOfBounds"
    text = "{parameter} of {actual} is not possible; choose {minimum} to {maximum}"

    parameter: ShortName
    minimum: int
    maximum: int
    actual: int


class ZeroStake(ContractRejection):
    """Nothing was to be staked or taken out."""

    solidity_name = "Staking_ZeroAmount"
    text = "the amount for node {node_id} is zero"

    node_id: NodeId


class StakeTooSmall(ContractRejection):
    """More is taken out than is active."""

    solidity_name = "Staking_StakeTooSmall"
    text = (
        "your active stake at node {node_id} is {active}, {requested} cannot be taken out; stake that waits can be "
        "once its epoch has begun"
    )

    node_id: NodeId
    requested: Wei
    active: Wei


class PoolExhausted(ContractRejection):
    """So much of a pool was slashed that new stake would be rounded away."""

    solidity_name = "Staking_PoolExhausted"
    text = "node {node_id} was slashed down to {active} for {shares} shares and takes no new stake; choose another node"

    node_id: NodeId
    active: Wei
    shares: int


class PoolInflated(ContractRejection):
    """A share of a pool is worth so much that a deposit could be rounded away."""

    solidity_name = "Staking_PoolInflated"
    text = "node {node_id} has only {shares} shares for {active} and takes no new stake; choose another node"

    node_id: NodeId
    active: Wei
    shares: int


class PoolBehind(ContractRejection):
    """A pool was not settled for many epochs."""

    solidity_name = "Staking_PoolBehind"
    text = (
        "the pool of node {node_id} is settled up to epoch {settled}, and it is epoch {current_epoch}; settle it "
        "first (`walrus stake settle {node_id}`), then try again"
    )

    node_id: NodeId
    settled: Epoch
    current_epoch: Epoch


class TooManyUnbondings(ContractRejection):
    """An account has many entries on their way out."""

    solidity_name = "Staking_TooManyUnbondings"
    text = "{delegator} has {maximum} entries on their way out of node {node_id}; withdraw what is due, then try again"

    node_id: NodeId
    delegator: Address
    maximum: int


class NothingDue(ContractRejection):
    """No stake may be withdrawn yet."""

    solidity_name = "Staking_NothingDue"
    text = (
        "nothing of yours at node {node_id} may be withdrawn in epoch {current_epoch}; the next entry is due in "
        "epoch {release} (0: there is none)"
    )

    node_id: NodeId
    release: Epoch
    current_epoch: Epoch


class NothingEarned(ContractRejection):
    """There is no gain to claim."""

    solidity_name = "Staking_NothingEarned"
    text = "there is nothing to claim at node {node_id}: nothing was earned since the last claim, or slashing took it"

    node_id: NodeId


class NodeServing(ContractRejection):
    """The operator of a node that serves keeps the minimum as own stake."""

    solidity_name = "Staking_NodeServing"
    text = (
        "node {node_id} serves {shards} shards in the committee, so what its own stake must hold stays until it has"
        " left"
    )

    node_id: NodeId
    shards: int


class CommissionTooHigh(ContractRejection):
    """A commission is above the limit."""

    solidity_name = "Staking_CommissionTooHigh"
    text = (
        "a commission of {commission_bps} hundredths of a percent for node {node_id} is not possible; at most "
        "{maximum} are"
    )

    node_id: NodeId
    maximum: int
    commission_bps: int


class NotEligible(ContractRejection):
    """A node cannot stand for committees."""

    solidity_name = "Staking_NotEligible"
    text = (
        "node {node_id} cannot stand: its operator's own stake is {own_stake}, {minimum_stake} are needed, and it "
        "must not be jailed (until epoch {jailed_until}; 0: it is not)"
    )

    node_id: NodeId
    minimum_stake: Wei
    own_stake: Wei
    jailed_until: Epoch


class StillEligible(ContractRejection):
    """A node that is eligible is not dismissed."""

    solidity_name = "Staking_Eligible"
    text = "node {node_id} is eligible, so it cannot be dismissed"

    node_id: NodeId


class CandidatesFull(ContractRejection):
    """All places of candidates are taken by stronger nodes."""

    solidity_name = "Staking_CandidatesFull"
    text = "all places of candidates are taken; node {node_id} has {stake} behind it and needs more than {needed}"

    node_id: NodeId
    needed: Wei
    stake: Wei


class StillJailed(ContractRejection):
    """A node is not jailed, or not long enough yet."""

    solidity_name = "Staking_StillJailed"
    text = "node {node_id} may be let out from epoch {until} on (0: it is not jailed), and it is epoch {current_epoch}"

    node_id: NodeId
    until: Epoch
    current_epoch: Epoch


# -- rewards -----------------------------------------------------------------------------------------------------------


class RewardsNotStaking(ContractRejection):
    """Only the staking contract fetches rewards."""

    solidity_name = "Rewards_CallerNotStaking"
    text = "only the staking contract {staking} fetches rewards; {caller} may not: settle the pool instead"

    staking: Address
    caller: Address


class EpochNotOver(ContractRejection):
    """Rewards of an epoch are known when it is over."""

    solidity_name = "Rewards_EpochNotOver"
    text = "epoch {epoch} is not over: it is epoch {current_epoch}"

    epoch: Epoch
    current_epoch: Epoch


class BurnOutOfBounds(ContractRejection):
    """A new network asks to burn too much."""

    solidity_name = "Rewards_BurnOutOfBounds"
    text = "{burn_bps} hundredths of a percent cannot be burned; choose 0 to {maximum}"

    maximum: int
    burn_bps: int


# -- prices ------------------------------------------------------------------------------------------------------------


class VoteNotYours(ContractRejection):
    """Only a node's operator votes for it."""

    solidity_name = "Prices_CallerNotOperator"
    text = "node {node_id} is operated by {operator}; {caller} may not vote for it"

    node_id: NodeId
    operator: Address
    caller: Address


class PriceOutOfBounds(ContractRejection):
    """A price is above the bound."""

    solidity_name = "Prices_OutOfBounds"
    text = "{price} of {actual} wei is not possible; choose 0 to {maximum}"

    price: ShortName
    maximum: int
    actual: int


class TallyNotDue(ContractRejection):
    """Votes are counted once in the second half of each epoch."""

    solidity_name = "Prices_NotDue"
    text = (
        "votes cannot be counted now, in epoch {current_epoch}; prices are fixed up to epoch {tallied_for}; call in"
        " the second half of the epoch"
    )

    current_epoch: Epoch
    tallied_for: Epoch


# -- randomness --------------------------------------------------------------------------------------------------------


class SeedTooEarly(ContractRejection):
    """The block that a seed comes from is not there yet."""

    solidity_name = "Randomness_TooEarly"
    text = "block {ticket} that the seed comes from is not there yet at block {now_}; try again in a few blocks"

    ticket: int
    now_: int


class SeedLost(ContractRejection):
    """The chain does not remember the block that a seed comes from."""

    solidity_name = "Randomness_Lost"
    text = "block {ticket} that the seed comes from is too far back at block {now_}: nobody read it in time"

    ticket: int
    now_: int


class SeedDelayOutOfBounds(ContractRejection):
    """A new network asks for a seed from a block too near or too far."""

    solidity_name = "BlockHashRandomness_DelayOutOfBounds"
    text = "a seed cannot come from {delay_blocks} blocks later; choose {minimum} to {maximum}"

    minimum: int
    maximum: int
    delay_blocks: int


class RandomnessMissing(ContractRejection):
    """The chain gives no hashes of its blocks."""

    solidity_name = "Randomness_SourceMissing"
    text = (
        "this chain gives no hashes of its blocks, so custody cannot be checked on it; use another source of randomness"
    )


# -- custody -----------------------------------------------------------------------------------------------------------


class SamplerNotRegistry(ContractRejection):
    """Only the blob registry adds objects."""

    solidity_name = "BlobSampler_CallerNotRegistry"
    text = "only the blob registry {registry} adds objects to ask about; {caller} may not"

    registry: Address
    caller: Address


class SweepWhileOpen(ContractRejection):
    """Objects are not swept while nodes are asked."""

    solidity_name = "BlobSampler_WindowOpen"
    text = "objects cannot be swept while a custody window is open; try again when it has closed"


class UnknownEntry(ContractRejection):
    """There is no such entry."""

    solidity_name = "BlobSampler_UnknownEntry"
    text = "size class {size_class} has {count} entries, there is none at {index}; indexes go in descending order"

    size_class: int
    count: int
    index: int


class StillDue(ContractRejection):
    """An object is swept that nodes answer for."""

    solidity_name = "BlobSampler_StillDue"
    text = "nodes still answer for blob object {blob_object}, so it cannot be swept"

    blob_object: BlobObjectId


class CustodyParameterOutOfBounds(ContractRejection):
    """A new network asks for a custody rule outside the bounds."""

    solidity_name = "CustodyChallenges_ParameterOutOfBounds"
    text = "{parameter} of {actual} is not possible; choose {minimum} to {maximum}"

    parameter: ShortName
    minimum: int
    maximum: int
    actual: int


class NotOpeningTime(ContractRejection):
    """A window is opened in the second quarter of its epoch."""

    solidity_name = "CustodyChallenges_NotOpeningTime"
    text = "the window of epoch {epoch} is opened from {opens} until before {until} (seconds since 1970)"

    epoch: Epoch
    opens: int
    until: int


class AlreadyOpened(ContractRejection):
    """The window was opened by somebody else."""

    solidity_name = "CustodyChallenges_AlreadyOpened"
    text = "the window of epoch {epoch} is open already; there is nothing left to do"

    epoch: Epoch


class NoWindow(ContractRejection):
    """Nobody opened a window in that epoch."""

    solidity_name = "CustodyChallenges_NoWindow"
    text = "epoch {epoch} has no custody window"

    epoch: Epoch


class WindowClosed(ContractRejection):
    """A proof came too late."""

    solidity_name = "CustodyChallenges_WindowClosed"
    text = "the window of epoch {epoch} closed at {closed} (seconds since 1970); the proof came too late"

    epoch: Epoch
    closed: int


class SeedNotCaptured(ContractRejection):
    """Nobody read the seed while the window was open, so nobody can be blamed."""

    solidity_name = "CustodyChallenges_SeedNotCaptured"
    text = "nobody captured the seed of epoch {epoch} while its window was open, so no miss counts in it"

    epoch: Epoch


class NotReportingTime(ContractRejection):
    """A miss is reported after its window and before two epochs later."""

    solidity_name = "CustodyChallenges_NotReportingTime"
    text = "a miss of epoch {epoch} is reported from {closed} until before {until} (seconds since 1970)"

    epoch: Epoch
    closed: int
    until: int


class NothingToProve(ContractRejection):
    """A node is not asked in that epoch."""

    solidity_name = "CustodyChallenges_NothingDue"
    text = (
        "node {node_id} is not asked for a proof in epoch {epoch}: it does not serve, or its shards are still on "
        "their way"
    )

    epoch: Epoch
    node_id: NodeId


class AlreadyProved(ContractRejection):
    """A node proved already."""

    solidity_name = "CustodyChallenges_AlreadyProved"
    text = "node {node_id} proved custody in epoch {epoch} already"

    epoch: Epoch
    node_id: NodeId


class AlreadyReported(ContractRejection):
    """A miss was reported by somebody else."""

    solidity_name = "CustodyChallenges_AlreadyReported"
    text = "the miss of node {node_id} in epoch {epoch} was reported already"

    epoch: Epoch
    node_id: NodeId


class TrailingBytes(ContractRejection):
    """A proof is too long."""

    solidity_name = "CustodyChallenges_TrailingBytes"
    text = "the custody proof has {actual} bytes, its samples take {expected}"

    expected: int
    actual: int


class ProofTooShort(ContractRejection):
    """A proof is too short."""

    solidity_name = "CustodyChallenges_ProofTooShort"
    text = "sample {sample} of the custody proof takes {expected} bytes, {actual} are left"

    sample: int
    expected: int
    actual: int


# -- sliver proofs -----------------------------------------------------------------------------------------------------


class WrongChunkLength(ContractRejection):
    """A proof's chunk is too short or too long."""

    solidity_name = "SliverProof_WrongChunkLength"
    text = "the chunk of blob {blob_id} must have {expected} bytes, this one has {actual}"

    blob_id: BlobId
    expected: int
    actual: int


class WrongPathLength(ContractRejection):
    """A proof's path is too short or too long."""

    solidity_name = "SliverProof_WrongPathLength"
    text = "the path to blob {blob_id} must have {expected} nodes, this one has {actual}"

    blob_id: BlobId
    expected: int
    actual: int


class ProofMismatch(ContractRejection):
    """A proof's bytes are not those of the place that was asked for."""

    solidity_name = "SliverProof_Mismatch"
    text = (
        "the proof leads to blob {actual}, not to {expected}: these are not the bytes of the place that was asked for"
    )

    expected: BlobId
    actual: BlobId


ECONOMY_REJECTIONS: tuple[type[ContractRejection], ...] = (
    StakeNotYours,
    StakingNotAllowed,
    StakingParameterOutOfBounds,
    ZeroStake,
    StakeTooSmall,
    PoolExhausted,
    PoolInflated,
    PoolBehind,
    TooManyUnbondings,
    NothingDue,
    NothingEarned,
    NodeServing,
    CommissionTooHigh,
    NotEligible,
    StillEligible,
    CandidatesFull,
    StillJailed,
    RewardsNotStaking,
    EpochNotOver,
    BurnOutOfBounds,
    VoteNotYours,
    PriceOutOfBounds,
    TallyNotDue,
    SeedTooEarly,
    SeedLost,
    SeedDelayOutOfBounds,
    RandomnessMissing,
    SamplerNotRegistry,
    SweepWhileOpen,
    UnknownEntry,
    StillDue,
    CustodyParameterOutOfBounds,
    NotOpeningTime,
    AlreadyOpened,
    NoWindow,
    WindowClosed,
    SeedNotCaptured,
    NotReportingTime,
    NothingToProve,
    AlreadyProved,
    AlreadyReported,
    TrailingBytes,
    ProofTooShort,
    WrongChunkLength,
    WrongPathLength,
    ProofMismatch,
)
