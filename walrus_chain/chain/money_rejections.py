"""What fees, vault and token refuse, and what to do about it. A test holds it to the ABIs."""

from __future__ import annotations

from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.chain.values import ShortName
from walrus_chain.types import Address, Epoch, Wei

# -- storage fees ------------------------------------------------------------------------------------------------------


class FeesNotRegistry(ContractRejection):
    """Only the blob registry charges."""

    solidity_name = "StorageFees_CallerNotRegistry"
    text = "only the blob registry {registry} may charge or refund; {caller} may not"

    registry: Address
    caller: Address


class FeesNotAllowed(ContractRejection):
    """Only the contracts of votes and rewards set prices and pay out."""

    solidity_name = "StorageFees_CallerNotAllowed"
    text = "only the contract {expected} may do this with the storage fees; {caller} may not"

    expected: Address
    caller: Address


class WrongPriceEpoch(ContractRejection):
    """Prices are set for the next epoch only."""

    solidity_name = "StorageFees_WrongPriceEpoch"
    text = "prices are set for the next epoch, {expected}, not for epoch {actual}"

    expected: Epoch
    actual: Epoch


class WrongTerm(ContractRejection):
    """A term has no epoch, or reaches further than epochs can be paid ahead."""

    solidity_name = "StorageFees_WrongTerm"
    text = "a term of {epochs} epochs is not possible; 1 to {maximum} can be paid ahead"

    epochs: int
    maximum: int


class TermOver(ContractRejection):
    """The term is over, so it can be neither extended nor refunded."""

    solidity_name = "StorageFees_TermOver"
    text = "the term ended when epoch {end} began, and it is epoch {current_epoch}; register the blob again to keep it"

    end: Epoch
    current_epoch: Epoch


class FeeParameterOutOfBounds(ContractRejection):
    """A new network asks for a price or limit outside the bounds."""

    solidity_name = "StorageFees_ParameterOutOfBounds"
    text = "{parameter} of {actual} is not possible; choose {minimum} to {maximum}"

    parameter: ShortName
    minimum: int
    maximum: int
    actual: int


# -- token vault -------------------------------------------------------------------------------------------------------


class NotModule(ContractRejection):
    """Only the network's own contracts collect and release."""

    solidity_name = "TokenVault_CallerNotModule"
    text = "{caller} is no module of the vault, so it may not collect or release"

    caller: Address


class ReceiverNotModule(ContractRejection):
    """What a module hands over goes to another of the network's own contracts."""

    solidity_name = "TokenVault_ReceiverNotModule"
    text = "{to} is no module of the vault, so it cannot be handed a reserve"

    to: Address


class ReserveTooSmall(ContractRejection):
    """A module releases more than it holds."""

    solidity_name = "TokenVault_ReserveTooSmall"
    text = "module {module} holds {reserve}, {requested} cannot be released; please report this"

    module: Address
    requested: Wei
    reserve: Wei


class ClaimTooSmall(ContractRejection):
    """An account withdraws more than its claim."""

    solidity_name = "TokenVault_ClaimTooSmall"
    text = "{account} may withdraw {claim}, not {requested}"

    account: Address
    requested: Wei
    claim: Wei


class ZeroRecipient(ContractRejection):
    """The recipient is the zero address."""

    solidity_name = "TokenVault_ZeroRecipient"
    text = "{account} cannot receive WAL; name a recipient"

    account: Address


class WrongModule(ContractRejection):
    """A new network names a vault module that is zero or named twice."""

    solidity_name = "TokenVault_WrongModule"
    text = "{module} cannot be a module of the vault: it is zero or named twice"

    module: Address


class WrongModuleCount(ContractRejection):
    """A new network names no vault module, or too many."""

    solidity_name = "TokenVault_WrongModuleCount"
    text = "the vault cannot have {actual} modules; 1 to {maximum} are possible"

    maximum: int
    actual: int


# -- WAL ---------------------------------------------------------------------------------------------------------------


class AuthorizationNotYetValid(ContractRejection):
    """A signed transfer came too early."""

    solidity_name = "WAL_AuthorizationNotYetValid"
    text = "authorization {nonce} is valid after {valid_after}, and the block's time is {timestamp}; submit it later"

    nonce: bytes
    valid_after: int
    timestamp: int


class AuthorizationExpired(ContractRejection):
    """A signed transfer came too late."""

    solidity_name = "WAL_AuthorizationExpired"
    text = "authorization {nonce} was valid before {valid_before}, and the block's time is {timestamp}; sign a new one"

    nonce: bytes
    valid_before: int
    timestamp: int


class AuthorizationSpent(ContractRejection):
    """A signed transfer was used or cancelled already."""

    solidity_name = "WAL_AuthorizationSpent"
    text = "authorization {nonce} of {authorizer} was used or cancelled; sign a new one"

    authorizer: Address
    nonce: bytes


class WrongAuthorizationSignature(ContractRejection):
    """A signed transfer is not by its holder."""

    solidity_name = "WAL_WrongSignature"
    text = "the signature of authorization {nonce} is not by {authorizer}"

    authorizer: Address
    nonce: bytes


class NotPayee(ContractRejection):
    """Only the payee submits this authorization."""

    solidity_name = "WAL_CallerNotPayee"
    text = "only {payee} may submit this authorization; {caller} may not"

    payee: Address
    caller: Address


class SupplyOutOfBounds(ContractRejection):
    """A new network's token has no supply, or too much."""

    solidity_name = "WAL_SupplyOutOfBounds"
    text = "a supply of {supply} wei is not possible; choose 1 to {maximum}"

    maximum: int
    supply: int


MONEY_REJECTIONS: tuple[type[ContractRejection], ...] = (
    FeesNotRegistry,
    FeesNotAllowed,
    WrongPriceEpoch,
    WrongTerm,
    TermOver,
    FeeParameterOutOfBounds,
    NotModule,
    ReceiverNotModule,
    ReserveTooSmall,
    ClaimTooSmall,
    ZeroRecipient,
    WrongModule,
    WrongModuleCount,
    AuthorizationNotYetValid,
    AuthorizationExpired,
    AuthorizationSpent,
    WrongAuthorizationSignature,
    NotPayee,
    SupplyOutOfBounds,
)
