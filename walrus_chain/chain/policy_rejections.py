"""What policies, credentials and nodes' receipts refuse, and what to do about it. A test holds it to the ABIs."""

from __future__ import annotations

from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.chain.values import ShortName
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId

# -- blob policies -----------------------------------------------------------------------------------------------------


class PoliciesNotYours(ContractRejection):
    """Only an object's owner decides on its policies."""

    solidity_name = "BlobPolicies_CallerNotOwner"
    text = "blob object {blob_object} belongs to {owner}; {caller} may not decide on its policies"

    blob_object: BlobObjectId
    owner: Address
    caller: Address


class PoliciesNotRegistry(ContractRejection):
    """Only the blob registry tells policies what happened to an object."""

    solidity_name = "BlobPolicies_CallerNotRegistry"
    text = "only the blob registry {registry} does this; {caller} may not"

    registry: Address
    caller: Address


class PoliciesNotPurchases(ContractRejection):
    """Only the contract that sells reads tells policies of them."""

    solidity_name = "BlobPolicies_CallerNotPurchases"
    text = "only the contract of purchases {purchases} does this; {caller} may not: buy the reads there"

    purchases: Address
    caller: Address


class PoliciesAttachedAlready(ContractRejection):
    """An object has policies already."""

    solidity_name = "BlobPolicies_AlreadyAttached"
    text = "blob object {blob_object} has policies already; announce other ones, which hold after the notice"

    blob_object: BlobObjectId


class PoliciesNotAttached(ContractRejection):
    """An object has no policies yet."""

    solidity_name = "BlobPolicies_NotAttached"
    text = "blob object {blob_object} has no policies; attach some first"

    blob_object: BlobObjectId


class PoliciesFixed(ContractRejection):
    """An object's policies can never change."""

    solidity_name = "BlobPolicies_Frozen"
    text = "the policies of blob object {blob_object} were frozen: they can never change; register the blob again"

    blob_object: BlobObjectId


class PoliciesStillAnnounced(ContractRejection):
    """Policies cannot be fixed while others are announced."""

    solidity_name = "BlobPolicies_Announced"
    text = (
        "other policies are announced for blob object {blob_object}, from {from_} (seconds since 1970) on; cancel the "
        "announcement, or freeze the policies then"
    )

    blob_object: BlobObjectId
    from_: int


class PoliciesTooEarly(ContractRejection):
    """Announced policies do not hold yet."""

    solidity_name = "BlobPolicies_TooEarly"
    text = (
        "the policies announced for blob object {blob_object} hold from {from_} on, and the block's time is {time} "
        "(seconds since 1970); try again then"
    )

    blob_object: BlobObjectId
    from_: int
    time: int


class NothingAnnounced(ContractRejection):
    """There is no announcement to take back."""

    solidity_name = "BlobPolicies_NothingAnnounced"
    text = "no other policies are announced for blob object {blob_object}, or they hold by now"

    blob_object: BlobObjectId


class NotAPolicy(ContractRejection):
    """A policy's address holds none."""

    solidity_name = "BlobPolicies_NotAPolicy"
    text = (
        "{policy} is no policy: there is no contract, or one that does not say by ERC-165 that it is one; create a "
        "ready-made one, or name zero for none"
    )

    policy: Address


class NoticeOutOfBounds(ContractRejection):
    """A notice is too short or too long."""

    solidity_name = "BlobPolicies_NoticeOutOfBounds"
    text = "a notice of {actual} s is not possible; choose {minimum} to {maximum} s"

    minimum: int
    maximum: int
    actual: int


class EnvelopeTooLong(ContractRejection):
    """A sealed key is too long."""

    solidity_name = "BlobPolicies_EnvelopeTooLong"
    text = "the sealed key has {actual} bytes, {maximum} are possible; seal it for fewer nodes"

    maximum: int
    actual: int


class NoEnvelope(ContractRejection):
    """A sealed key of no bytes."""

    solidity_name = "BlobPolicies_NoEnvelope"
    text = "there is no sealed key to publish for blob object {blob_object}; seal its key first"

    blob_object: BlobObjectId


class WrongKeyEpoch(ContractRejection):
    """A sealed key is neither for the present key epoch nor for the next."""

    solidity_name = "BlobPolicies_WrongKeyEpoch"
    text = (
        "blob object {blob_object} is in key epoch {current}; a key for epoch {actual} cannot be published, only for "
        "this one or the next: read the record again and seal anew"
    )

    blob_object: BlobObjectId
    current: int
    actual: int


class ObjectNotExpired(ContractRejection):
    """An object's term is not over."""

    solidity_name = "BlobPolicies_NotExpired"
    text = "the term of blob object {blob_object} is not over; tell its policies when it is"

    blob_object: BlobObjectId


class ExpiryToldBefore(ContractRejection):
    """An object's policies know that its term is over."""

    solidity_name = "BlobPolicies_AlreadyTold"
    text = "the policies of blob object {blob_object} were told of its end before"

    blob_object: BlobObjectId


class PolicyGasTooLow(ContractRejection):
    """A call has less gas than policies must get."""

    solidity_name = "BlobPolicies_GasTooLow"
    text = "{actual} gas are left, and policies must get {required}; call with a higher gas limit"

    required: int
    actual: int


class ForbiddenByPolicy(ContractRejection):
    """An object's retention policy forbids the call."""

    solidity_name = "BlobPolicies_Forbidden"
    text = (
        "the retention policy {policy} of blob object {blob_object} forbids this by its rule {rule}; "
        "`walrus policy show {blob_object}` says until when"
    )

    blob_object: BlobObjectId
    policy: Address
    rule: ShortName


class NoQuote(ContractRejection):
    """A use of data has no price that could be paid."""

    solidity_name = "BlobPolicies_NoQuote"
    text = "policy {policy} of blob object {blob_object} names no price that can be paid for this use: {reason}"

    blob_object: BlobObjectId
    policy: Address
    reason: ShortName


class RegistryNotPolicies(ContractRejection):
    """Only the contract of policies says which objects have some."""

    solidity_name = "BlobRegistry_CallerNotPolicies"
    text = "only the contract of policies {policies} does this; {caller} may not: attach the policies there"

    policies: Address
    caller: Address


# -- policy factory ----------------------------------------------------------------------------------------------------


class UnknownKind(ContractRejection):
    """There is no ready-made policy of a kind."""

    solidity_name = "PolicyFactory_UnknownKind"
    text = "there is no ready-made policy {kind!r}; `walrus policy kinds` lists them"

    kind: ShortName


class KindNamedTwice(ContractRejection):
    """A new factory gets two policies of one name."""

    solidity_name = "PolicyFactory_NamedTwice"
    text = "two kinds of policies are named {kind!r}; each needs a name of its own"

    kind: ShortName


class WrongKind(ContractRejection):
    """A new factory gets a policy under the name of another kind."""

    solidity_name = "PolicyFactory_WrongKind"
    text = "a contract that was given for the kind {expected!r} says that it is of the kind {actual!r}"

    expected: ShortName
    actual: ShortName


# -- credentials -------------------------------------------------------------------------------------------------------


class UnknownCredential(ContractRejection):
    """There is no such credential."""

    solidity_name = "CredentialRegistry_UnknownCredential"
    text = "there is no credential {uid} in the network's registry"

    uid: bytes


class CredentialNotYours(ContractRejection):
    """Only its attester takes a credential back."""

    solidity_name = "CredentialRegistry_CallerNotAttester"
    text = "credential {uid} was given by {attester}; {caller} may not take it back"

    uid: bytes
    attester: Address
    caller: Address


class CredentialRevokedBefore(ContractRejection):
    """A credential was taken back already."""

    solidity_name = "CredentialRegistry_AlreadyRevoked"
    text = "credential {uid} was taken back before; there is nothing left to do"

    uid: bytes


class CredentialExpiresInThePast(ContractRejection):
    """A new credential would be over already."""

    solidity_name = "CredentialRegistry_ExpiresInThePast"
    text = "a credential cannot end at {expiration_time}, which is past; name a later time, or 0 for never"

    expiration_time: int


class NoCredentialRecipient(ContractRejection):
    """A credential is for nobody."""

    solidity_name = "CredentialRegistry_ZeroRecipient"
    text = "a credential cannot be given to the zero address; name a recipient"


class CredentialTooLong(ContractRejection):
    """A credential carries too many bytes."""

    solidity_name = "CredentialRegistry_DataTooLong"
    text = "a credential cannot carry {actual} bytes, only {maximum}; store them as a blob and name its id"

    maximum: int
    actual: int


# -- receipts ----------------------------------------------------------------------------------------------------------


class ReceiptsNotYours(ContractRejection):
    """Only a node's signer speaks for it."""

    solidity_name = "ReceiptLog_CallerNotNode"
    text = "only the signer {signer} of node {node_id} does this; {caller} may not"

    node_id: NodeId
    signer: Address
    caller: Address


class ReceiptsEpochNotOver(ContractRejection):
    """Receipts of an epoch are fixed when it is over."""

    solidity_name = "ReceiptLog_EpochNotOver"
    text = "epoch {epoch} is not over, it is epoch {current}; anchor its receipts later"

    epoch: Epoch
    current: Epoch


class ReceiptsAnchoredBefore(ContractRejection):
    """A node's receipts of an epoch are fixed already."""

    solidity_name = "ReceiptLog_AlreadyAnchored"
    text = "node {node_id} anchored its receipts of epoch {epoch} before"

    node_id: NodeId
    epoch: Epoch


class NothingToAnchor(ContractRejection):
    """There is no receipt to fix."""

    solidity_name = "ReceiptLog_NothingToAnchor"
    text = "an epoch without receipts has no root to anchor"


POLICY_REJECTIONS: tuple[type[ContractRejection], ...] = (
    PoliciesNotYours,
    PoliciesNotRegistry,
    PoliciesNotPurchases,
    PoliciesAttachedAlready,
    PoliciesNotAttached,
    PoliciesFixed,
    PoliciesStillAnnounced,
    PoliciesTooEarly,
    NothingAnnounced,
    NotAPolicy,
    NoticeOutOfBounds,
    EnvelopeTooLong,
    NoEnvelope,
    WrongKeyEpoch,
    ObjectNotExpired,
    ExpiryToldBefore,
    PolicyGasTooLow,
    ForbiddenByPolicy,
    NoQuote,
    RegistryNotPolicies,
    UnknownKind,
    KindNamedTwice,
    WrongKind,
    UnknownCredential,
    CredentialNotYours,
    CredentialRevokedBefore,
    CredentialExpiresInThePast,
    NoCredentialRecipient,
    CredentialTooLong,
    ReceiptsNotYours,
    ReceiptsEpochNotOver,
    ReceiptsAnchoredBefore,
    NothingToAnchor,
)
