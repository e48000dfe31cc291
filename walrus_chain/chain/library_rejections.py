"""What the contract library (OpenZeppelin) refuses on behalf of our contracts, in words that help."""

from __future__ import annotations

from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.types import Address, BlobObjectId, Wei, format_amount

# -- ERC-20 ------------------------------------------------------------------------------------------------------------


class NotEnoughWal(ContractRejection):
    """The payer holds less WAL than the call costs."""

    solidity_name = "ERC20InsufficientBalance"
    text = (
        "{payer} needs {needed} but has {have}: {missing} are missing. Get WAL from somebody who has it, or withdraw "
        "what the vault owes you; `walrus wallet balance` shows both"
    )

    payer: Address
    have: Wei
    needed: Wei

    @property
    def missing(self) -> Wei:
        """How much more the payer needs."""
        return Wei(self.needed - self.have)

    def _compose(self, words: dict[str, str]) -> str:
        return self.text.format_map({**words, "missing": format_amount(self.missing)})


class AllowanceTooSmall(ContractRejection):
    """The spender may take less WAL than the call needs."""

    solidity_name = "ERC20InsufficientAllowance"
    text = "{spender} may take {allowance}, but {needed} is needed; approve it first"

    spender: Address
    allowance: Wei
    needed: Wei


class InvalidWalSender(ContractRejection):
    """WAL cannot come from the zero address."""

    solidity_name = "ERC20InvalidSender"
    text = "{sender} cannot send WAL"

    sender: Address


class InvalidWalReceiver(ContractRejection):
    """WAL cannot go to the zero address."""

    solidity_name = "ERC20InvalidReceiver"
    text = "{receiver} cannot receive WAL; name a recipient"

    receiver: Address


class InvalidWalApprover(ContractRejection):
    """The zero address cannot approve."""

    solidity_name = "ERC20InvalidApprover"
    text = "{approver} cannot approve WAL"

    approver: Address


class InvalidWalSpender(ContractRejection):
    """The zero address cannot be approved."""

    solidity_name = "ERC20InvalidSpender"
    text = "{spender} cannot be approved for WAL"

    spender: Address


class TokenCallFailed(ContractRejection):
    """The token refused a transfer without a reason."""

    solidity_name = "SafeERC20FailedOperation"
    text = "token {token} refused the transfer"

    token: Address


# -- ERC-721 -----------------------------------------------------------------------------------------------------------


class ObjectNotOwnedBy(ContractRejection):
    """The object belongs to somebody else."""

    solidity_name = "ERC721IncorrectOwner"
    text = "blob object {blob_object} belongs to {owner}, not to {sender}"

    sender: Address
    blob_object: BlobObjectId
    owner: Address


class ObjectNotYours(ContractRejection):
    """The caller is neither owner nor approved."""

    solidity_name = "ERC721InsufficientApproval"
    text = "{operator} neither owns blob object {blob_object} nor is approved by its owner"

    operator: Address
    blob_object: BlobObjectId


class NoSuchObject(ContractRejection):
    """There is no such blob object, or it was deleted."""

    solidity_name = "ERC721NonexistentToken"
    text = "there is no blob object {blob_object}: it was never registered, or was deleted"

    blob_object: BlobObjectId


class InvalidObjectOwner(ContractRejection):
    """The zero address owns nothing."""

    solidity_name = "ERC721InvalidOwner"
    text = "{owner} cannot own blob objects"

    owner: Address


class InvalidObjectSender(ContractRejection):
    """The zero address sends nothing."""

    solidity_name = "ERC721InvalidSender"
    text = "{sender} cannot send blob objects"

    sender: Address


class InvalidObjectReceiver(ContractRejection):
    """The receiver is zero, or a contract that takes no ERC-721 tokens."""

    solidity_name = "ERC721InvalidReceiver"
    text = "{receiver} cannot receive blob objects; name an account, or a contract that takes ERC-721 tokens"

    receiver: Address


class InvalidObjectApprover(ContractRejection):
    """Only an owner or its operator approves."""

    solidity_name = "ERC721InvalidApprover"
    text = "{approver} may not approve others for this blob object"

    approver: Address


class InvalidObjectOperator(ContractRejection):
    """The zero address cannot be approved for all."""

    solidity_name = "ERC721InvalidOperator"
    text = "{operator} cannot be approved for all blob objects"

    operator: Address


# -- signatures and permits --------------------------------------------------------------------------------------------


class PermitExpired(ContractRejection):
    """A permit came too late."""

    solidity_name = "ERC2612ExpiredSignature"
    text = "the permit was valid until {deadline}; sign a new one"

    deadline: int


class WrongPermitSigner(ContractRejection):
    """A permit is not by the holder."""

    solidity_name = "ERC2612InvalidSigner"
    text = "the permit is not by {owner}: it recovers to {signer}"

    signer: Address
    owner: Address


class WrongPermitNonce(ContractRejection):
    """A permit's nonce was used already."""

    solidity_name = "InvalidAccountNonce"
    text = "the permit's nonce was used; the next one of {account} is {current_nonce}"

    account: Address
    current_nonce: int


class BadSignature(ContractRejection):
    """No key could have made a signature."""

    solidity_name = "ECDSAInvalidSignature"
    text = "the signature is not one that a key could have made"


class BadSignatureLength(ContractRejection):
    """A signature is not 65 bytes long."""

    solidity_name = "ECDSAInvalidSignatureLength"
    text = "the signature has {length} bytes, 65 are needed"

    length: int


class BadSignatureS(ContractRejection):
    """A signature's s is in the upper half."""

    solidity_name = "ECDSAInvalidSignatureS"
    text = "the signature's s, {s}, is in the upper half: it could be a copy made by somebody else"

    s: bytes


# -- numbers and texts -------------------------------------------------------------------------------------------------


class NumberTooLarge(ContractRejection):
    """A number does not fit."""

    solidity_name = "SafeCastOverflowedUintDowncast"
    text = "{value} does not fit {bits} bits; choose a smaller amount"

    bits: int
    value: int


class SignedNumberTooLarge(ContractRejection):
    """A signed number does not fit."""

    solidity_name = "SafeCastOverflowedIntDowncast"
    text = "{value} does not fit {bits} signed bits; choose a smaller amount"

    bits: int
    value: int


class NegativeNumber(ContractRejection):
    """A number turned negative where it cannot."""

    solidity_name = "SafeCastOverflowedIntToUint"
    text = "{value} is negative where that is not possible; please report this"

    value: int


class ShortStringTooLong(ContractRejection):
    """A contract's name is longer than 31 bytes."""

    solidity_name = "StringTooLong"
    text = "{value!r} is too long for a name"

    value: str


class ShortStringInvalid(ContractRejection):
    """A contract's stored name is damaged."""

    solidity_name = "InvalidShortString"
    text = "a contract's stored name cannot be read; please report this"


# -- creating contracts ------------------------------------------------------------------------------------------------


class CloneArgumentsTooLong(ContractRejection):
    """A policy's arguments do not fit its code."""

    solidity_name = "CloneArgumentsTooLong"
    text = "the policy's arguments are too long to be part of its code; give it fewer"


class CloneFailed(ContractRejection):
    """A contract could not create another one."""

    solidity_name = "FailedDeployment"
    text = "a contract could not create another one; call with a higher gas limit"


class NothingToClone(ContractRejection):
    """A contract was to be made of nothing."""

    solidity_name = "Create2EmptyBytecode"
    text = "a contract was to be made without any code; please report this"


class NotEnoughNative(ContractRejection):
    """A contract holds too little of the chain's own currency."""

    solidity_name = "InsufficientBalance"
    text = "a contract holds {balance} wei of the chain's own currency and needs {needed}; please report this"

    balance: int
    needed: int


LIBRARY_REJECTIONS: tuple[type[ContractRejection], ...] = (
    NotEnoughWal,
    AllowanceTooSmall,
    InvalidWalSender,
    InvalidWalReceiver,
    InvalidWalApprover,
    InvalidWalSpender,
    TokenCallFailed,
    ObjectNotOwnedBy,
    ObjectNotYours,
    NoSuchObject,
    InvalidObjectOwner,
    InvalidObjectSender,
    InvalidObjectReceiver,
    InvalidObjectApprover,
    InvalidObjectOperator,
    PermitExpired,
    WrongPermitSigner,
    WrongPermitNonce,
    BadSignature,
    BadSignatureLength,
    BadSignatureS,
    NumberTooLarge,
    SignedNumberTooLarge,
    NegativeNumber,
    ShortStringTooLong,
    ShortStringInvalid,
    CloneArgumentsTooLong,
    CloneFailed,
    NothingToClone,
    NotEnoughNative,
)
