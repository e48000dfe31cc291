"""What ready-made policies refuse, and what to do about it. A test holds it to the ABIs."""

from __future__ import annotations

from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.types import Address, PoolId

# -- arguments of a policy to be created -------------------------------------------------------------------------------


class WrongArgumentsLength(ContractRejection):
    """A policy's arguments are of other types than its kind takes."""

    solidity_name = "ReadyMadePolicy_WrongLength"
    text = "the arguments have {actual} bytes, the kind takes {expected}; `walrus policy kinds` says which it takes"

    expected: int
    actual: int


class ArgumentOutOfBounds(ContractRejection):
    """A policy's argument is too small or too large."""

    solidity_name = "ReadyMadePolicy_ArgumentOutOfBounds"
    text = "argument {index} (from 0) is {actual}; {minimum} to {maximum} are possible"

    index: int
    minimum: int
    maximum: int
    actual: int


class ArgumentWithoutCode(ContractRejection):
    """A policy's argument should be a contract."""

    solidity_name = "ReadyMadePolicy_NoCode"
    text = "argument {index} (from 0) is {account}, where there is no contract; name one of this chain"

    index: int
    account: Address


class ArgumentPoolUnknown(ContractRejection):
    """A policy would pay a pool that does not exist."""

    solidity_name = "ReadyMadePolicy_UnknownPool"
    text = "there is no revenue pool {pool} that the policy could pay; create it first"

    pool: PoolId


class WrongEntryCount(ContractRejection):
    """A policy's list is empty or too long."""

    solidity_name = "ReadyMadePolicy_WrongCount"
    text = "a list of {actual} is not possible; name 1 to {maximum}"

    maximum: int
    actual: int


class EntryNamedTwice(ContractRejection):
    """A policy's list names an address twice."""

    solidity_name = "ReadyMadePolicy_NamedTwice"
    text = "{account} is in the list twice; name it once"

    account: Address


class NotAClone(ContractRejection):
    """The contract behind the policies of a kind was asked itself."""

    solidity_name = "ReadyMadePolicy_NotAClone"
    text = "this is the contract behind all policies of its kind, not a policy; create one with the policy factory"


# -- lists and holds ---------------------------------------------------------------------------------------------------


class NotAdministrator(ContractRejection):
    """Only its administrator changes a policy's list."""

    solidity_name = "Administered_CallerNotAdministrator"
    text = "the list is kept by {administrator}; {caller} may not change it"

    administrator: Address
    caller: Address


class NoListRoot(ContractRejection):
    """A list of those who are let in would have no root."""

    solidity_name = "MerkleAllowListPolicy_ZeroRoot"
    text = "the root of the list is zero, which no list has; build the list first"


class NotAHolder(ContractRejection):
    """Only its holders put a legal hold on objects."""

    solidity_name = "LegalHoldPolicy_CallerNotHolder"
    text = "{caller} is none of the holders of this policy, so it can neither hold an object nor let it go"

    caller: Address


# -- tokens and other contracts ----------------------------------------------------------------------------------------


class TokenSilent(ContractRejection):
    """A token does not say who holds how much."""

    solidity_name = "TokenHolder_NoAnswer"
    text = "{token} does not answer as a token of the kind does; name the right contract and kind"

    token: Address


# -- policies made of policies -----------------------------------------------------------------------------------------


class OperandNotAPolicy(ContractRejection):
    """A policy is made of something that is none."""

    solidity_name = "Combinator_NotAPolicy"
    text = "{operand} is no policy, so no policy can be made of it; create it first"

    operand: Address


class OperandTooDeep(ContractRejection):
    """A policy is made of policies that are made of too many levels of policies."""

    solidity_name = "Combinator_TooDeep"
    text = "{operand} is made of {actual} levels of policies, {maximum} are possible below another one; make it flatter"

    operand: Address
    maximum: int
    actual: int


class OperandFailed(ContractRejection):
    """One of the policies of which a policy is made does not answer."""

    solidity_name = "Combinator_OperandFailed"
    text = "the policy {operand}, which is part of this one, does not answer as a policy does"

    operand: Address


class OperandPricesDiffer(ContractRejection):
    """Policies of which a policy is made ask for prices that cannot be added."""

    solidity_name = "Combinator_PricesDiffer"
    text = (
        "parts of the policy want to be paid in different ways: {token} to pool {pool}, and {other_token} to pool "
        "{other_pool}; all prices of a policy must go to one pool"
    )

    token: Address
    pool: PoolId
    other_token: Address
    other_pool: PoolId


class TooFewOperandsAllow(ContractRejection):
    """Too few of the policies of which a policy is made allow a use, so it has no price."""

    solidity_name = "Combinator_TooFewAllow"
    text = "{actual} parts of the policy allow this use, {required} are required; so it has no price"

    required: int
    actual: int


class NoRetentionByCombinator(ContractRejection):
    """This combination of policies cannot say what an owner may not do."""

    solidity_name = "Combinator_NoRetention"
    text = "only AllOf can be a retention policy made of others; attach it as the access policy, or use AllOf"


class OperandReadsEvidence(ContractRejection):
    """A policy that goes by what is shown cannot be turned round."""

    solidity_name = "NotPolicy_OperandReadsEvidence"
    text = (
        "{operand} goes by what a requester shows, so its opposite would let in whoever shows nothing; use a policy "
        "that looks for itself, such as DenyList"
    )

    operand: Address


class OperandGasTooLow(ContractRejection):
    """A policy has less gas than one of its parts must get."""

    solidity_name = "OperandCalls_GasTooLow"
    text = "{actual} gas are left, and a part of the policy must get {required}; make the policy of fewer parts"

    required: int
    actual: int


KIND_REJECTIONS: tuple[type[ContractRejection], ...] = (
    WrongArgumentsLength,
    ArgumentOutOfBounds,
    ArgumentWithoutCode,
    ArgumentPoolUnknown,
    WrongEntryCount,
    EntryNamedTwice,
    NotAClone,
    NotAdministrator,
    NoListRoot,
    NotAHolder,
    TokenSilent,
    OperandNotAPolicy,
    OperandTooDeep,
    OperandFailed,
    OperandPricesDiffer,
    TooFewOperandsAllow,
    NoRetentionByCombinator,
    OperandReadsEvidence,
    OperandGasTooLow,
)
