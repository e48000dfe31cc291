"""What revenue pools, purchases, channels and renewals refuse, and what to do about it. A test holds it to the ABIs."""

from __future__ import annotations

from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.chain.values import ShortName
from walrus_chain.types import Address, BlobObjectId, ChannelId, Epoch, PoolId, Wei

# -- revenue pools -----------------------------------------------------------------------------------------------------


class UnknownPool(ContractRejection):
    """There is no such revenue pool."""

    solidity_name = "RevenuePools_UnknownPool"
    text = "there is no revenue pool {pool}; create one first"

    pool: PoolId


class WrongMemberCount(ContractRejection):
    """A pool has no member, or too many for a list."""

    solidity_name = "RevenuePools_WrongMemberCount"
    text = "a pool cannot be made of {actual} members; list 1 to {maximum}, or create it from the root of a tree"

    maximum: int
    actual: int


class WrongUnits(ContractRejection):
    """A member has no units."""

    solidity_name = "RevenuePools_WrongUnits"
    text = "{account} cannot have {units} units; give it at least 1, or leave it out"

    account: Address
    units: int


class WrongAccount(ContractRejection):
    """An account cannot be a member."""

    solidity_name = "RevenuePools_WrongAccount"
    text = "{account} cannot be a member of a pool or be paid from one; name another account"

    account: Address


class MemberNamedTwice(ContractRejection):
    """A list names an account twice."""

    solidity_name = "RevenuePools_NamedTwice"
    text = "{account} is in the list twice; add its units up"

    account: Address


class UnitsOutOfBounds(ContractRejection):
    """A pool has no units, or too many."""

    solidity_name = "RevenuePools_UnitsOutOfBounds"
    text = "a pool cannot have {actual} units; 1 to {maximum} are possible: divide all by the same number"

    maximum: int
    actual: int


class SharesOutOfBounds(ContractRejection):
    """Nodes or protocol would get too much of each income."""

    solidity_name = "RevenuePools_SharesOutOfBounds"
    text = "a share of {actual} of 10,000 is not possible; choose at most {maximum}"

    maximum: int
    actual: int


class NotASeller(ContractRejection):
    """Only the contracts that sell uses of data pay in on behalf of others."""

    solidity_name = "RevenuePools_CallerNotSeller"
    text = "{caller} may not pay into pools for others; pay in an income of its own"

    caller: Address


class NotAPoolMember(ContractRejection):
    """An account has no units in a pool."""

    solidity_name = "RevenuePools_NotAMember"
    text = (
        "{account} is no member of pool {pool}; if the pool is from a root, claim with the proof of its place in the "
        "tree"
    )

    pool: PoolId
    account: Address


class NotFromRoot(ContractRejection):
    """A pool's members are in a list, not in a tree."""

    solidity_name = "RevenuePools_NotFromRoot"
    text = "the members of pool {pool} are in a list, so nobody proves a place in it; claim without a proof"

    pool: PoolId


class AlreadyAMember(ContractRejection):
    """An account showed its place in the tree before."""

    solidity_name = "RevenuePools_AlreadyAMember"
    text = "{account} is a member of pool {pool} already; claim without a proof"

    pool: PoolId
    account: Address


class WrongUnitsProof(ContractRejection):
    """A proof does not show an account's units in the tree."""

    solidity_name = "RevenuePools_WrongProof"
    text = (
        "the proof does not show {account} with these units in pool {pool}; make it from the list that the pool was "
        "created from"
    )

    pool: PoolId
    account: Address


class TooFewUnits(ContractRejection):
    """An account hands on more units than it has."""

    solidity_name = "RevenuePools_TooFewUnits"
    text = "{account} has {held} units of pool {pool}, so {requested} cannot be handed on"

    pool: PoolId
    account: Address
    requested: int
    held: int


class NothingToClaim(ContractRejection):
    """A member earned nothing since it was paid."""

    solidity_name = "RevenuePools_NothingToClaim"
    text = "{account} has nothing to claim from pool {pool}; try again after its next income"

    pool: PoolId
    account: Address


class NoIncome(ContractRejection):
    """An income of nothing."""

    solidity_name = "RevenuePools_ZeroAmount"
    text = "an income of 0 cannot be divided; name an amount"


# -- purchases ---------------------------------------------------------------------------------------------------------


class WrongReadCount(ContractRejection):
    """No reads are bought, or too many at once."""

    solidity_name = "Purchases_WrongCount"
    text = "{actual} cannot be bought at once; choose 1 to {maximum}"

    maximum: int
    actual: int


class TooExpensive(ContractRejection):
    """A purchase costs more than the buyer allows."""

    solidity_name = "Purchases_TooExpensive"
    text = "this costs {price}, and at most {maximum} was allowed; allow more, or buy less"

    maximum: Wei
    price: Wei


class ForFree(ContractRejection):
    """Uses of an object cost nothing."""

    solidity_name = "Purchases_ForFree"
    text = "blob object {blob_object} has no price for this reader; read it without paying"

    blob_object: BlobObjectId


class NotSubscribable(ContractRejection):
    """A policy sells no time."""

    solidity_name = "Purchases_NotSubscribable"
    text = "{policy} sells no subscriptions; name the subscription policy itself"

    policy: Address


class TooFarAhead(ContractRejection):
    """A subscription would end too late."""

    solidity_name = "Purchases_TooFarAhead"
    text = "a subscription until {actual} (seconds since 1970) is not sold, only until {latest}; buy fewer periods"

    latest: int
    actual: int


# -- read channels -----------------------------------------------------------------------------------------------------


class UnknownChannel(ContractRejection):
    """There is no such channel."""

    solidity_name = "ReadChannels_UnknownChannel"
    text = "there is no read channel {channel}; open one first"

    channel: ChannelId


class ChannelPoolUnknown(ContractRejection):
    """A channel would pay a pool that does not exist."""

    solidity_name = "ReadChannels_UnknownPool"
    text = "there is no revenue pool {pool}, so no channel can pay it; ask the policy for its pool"

    pool: PoolId


class ChannelWithoutSigner(ContractRejection):
    """Nobody would sign a channel's vouchers."""

    solidity_name = "ReadChannels_ZeroSigner"
    text = "the signer of vouchers is the zero address; name a key"


class NoDeposit(ContractRejection):
    """Nothing was to be paid into a channel."""

    solidity_name = "ReadChannels_ZeroAmount"
    text = "nothing cannot be paid into a channel; name an amount"


class DepositOutOfBounds(ContractRejection):
    """A channel's deposit would be too large."""

    solidity_name = "ReadChannels_AmountOutOfBounds"
    text = "a deposit of {actual} is not possible, only up to {maximum}"

    maximum: Wei
    actual: Wei


class ChannelNotYours(ContractRejection):
    """Only its payer closes a channel."""

    solidity_name = "ReadChannels_CallerNotPayer"
    text = "read channel {channel} belongs to {payer}; {caller} may not do this"

    channel: ChannelId
    payer: Address
    caller: Address


class ChannelIsClosing(ContractRejection):
    """A channel is on its way to be closed."""

    solidity_name = "ReadChannels_Closing"
    text = "read channel {channel} closes at {closes_at} (seconds since 1970); open another one"

    channel: ChannelId
    closes_at: int


class ChannelNotClosing(ContractRejection):
    """A channel's closing was not begun."""

    solidity_name = "ReadChannels_NotClosing"
    text = "the closing of read channel {channel} was not begun; its payer begins it first"

    channel: ChannelId


class ChannelStillOpen(ContractRejection):
    """Vouchers of a channel may still come."""

    solidity_name = "ReadChannels_StillOpen"
    text = "read channel {channel} takes vouchers until {closes_at} (seconds since 1970); finish closing it then"

    channel: ChannelId
    closes_at: int


class ChannelIsClosed(ContractRejection):
    """A channel is closed."""

    solidity_name = "ReadChannels_Closed"
    text = "read channel {channel} is closed; open another one"

    channel: ChannelId


class NothingToRedeem(ContractRejection):
    """No voucher of a batch pays anything."""

    solidity_name = "ReadChannels_NothingToRedeem"
    text = "none of the vouchers pays anything: they were redeemed before, or are not by their channel's signer"


class WrongVoucherSignatureLength(ContractRejection):
    """The signatures are not 65 bytes for each voucher."""

    solidity_name = "ReadChannels_WrongSignatureLength"
    text = "the signatures have {actual} bytes, the vouchers call for {expected}"

    expected: int
    actual: int


class NoEquivocation(ContractRejection):
    """Two vouchers do not show that a channel's signer cheated."""

    solidity_name = "ReadChannels_NoEquivocation"
    text = (
        "the two vouchers of read channel {channel} do not show a stretch that was paid twice: both must be by its "
        "signer, for different uses, and overlap"
    )

    channel: ChannelId


class ChannelParameterOutOfBounds(ContractRejection):
    """A new network asks for channels outside the bounds."""

    solidity_name = "ReadChannels_ParameterOutOfBounds"
    text = "{parameter} of {actual} is not possible; choose {minimum} to {maximum}"

    parameter: ShortName
    minimum: int
    maximum: int
    actual: int


# -- renewals ----------------------------------------------------------------------------------------------------------


class RenewalNotYours(ContractRejection):
    """Only an object's owner decides on its renewals."""

    solidity_name = "Renewals_CallerNotOwner"
    text = "blob object {blob_object} belongs to {owner}; {caller} may not decide on its renewals"

    blob_object: BlobObjectId
    owner: Address
    caller: Address


class WrongRenewalTerms(ContractRejection):
    """Terms of renewal that would never extend."""

    solidity_name = "Renewals_WrongTerms"
    text = (
        "renewals by {epochs} epochs, due {lead} epochs before the end, are not possible; both must be 1 or more, and "
        "together at most {maximum}"
    )

    epochs: int
    lead: int
    maximum: int


class NoRenewalTerms(ContractRejection):
    """An object's owner set no terms of renewal."""

    solidity_name = "Renewals_NoTerms"
    text = "the owner of blob object {blob_object} set no terms for its renewal; nothing can be renewed before"

    blob_object: BlobObjectId


class RenewalNotLive(ContractRejection):
    """An object that is over cannot be renewed."""

    solidity_name = "Renewals_NotLive"
    text = "blob object {blob_object} is over or invalid, so its term cannot be extended; register the blob again"

    blob_object: BlobObjectId


class RenewalNotDue(ContractRejection):
    """An object's end is not near."""

    solidity_name = "Renewals_NotDue"
    text = "blob object {blob_object} ends when epoch {end} begins; its renewal is due from epoch {due_from} on"

    blob_object: BlobObjectId
    end: Epoch
    due_from: Epoch


class RenewalBalanceTooSmall(ContractRejection):
    """An object's balance does not pay for what is asked."""

    solidity_name = "Renewals_BalanceTooSmall"
    text = "blob object {blob_object} has {balance} for its renewal, and {required} is needed; fund it"

    blob_object: BlobObjectId
    required: Wei
    balance: Wei


class NoRenewalAmount(ContractRejection):
    """Nothing was to be put up or taken back."""

    solidity_name = "Renewals_ZeroAmount"
    text = "the amount is 0; name one"


PAYMENT_REJECTIONS: tuple[type[ContractRejection], ...] = (
    UnknownPool,
    WrongMemberCount,
    WrongUnits,
    WrongAccount,
    MemberNamedTwice,
    UnitsOutOfBounds,
    SharesOutOfBounds,
    NotASeller,
    NotAPoolMember,
    NotFromRoot,
    AlreadyAMember,
    WrongUnitsProof,
    TooFewUnits,
    NothingToClaim,
    NoIncome,
    WrongReadCount,
    TooExpensive,
    ForFree,
    NotSubscribable,
    TooFarAhead,
    UnknownChannel,
    ChannelPoolUnknown,
    ChannelWithoutSigner,
    NoDeposit,
    DepositOutOfBounds,
    ChannelNotYours,
    ChannelIsClosing,
    ChannelNotClosing,
    ChannelStillOpen,
    ChannelIsClosed,
    NothingToRedeem,
    WrongVoucherSignatureLength,
    NoEquivocation,
    ChannelParameterOutOfBounds,
    RenewalNotYours,
    WrongRenewalTerms,
    NoRenewalTerms,
    RenewalNotLive,
    RenewalNotDue,
    RenewalBalanceTooSmall,
    NoRenewalAmount,
)
