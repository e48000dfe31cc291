"""What blob registry, committee and node registry refuse, and what to do about it. A test holds it to the ABIs."""

from __future__ import annotations

from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.chain.values import ShortName
from walrus_chain.types import Address, BlobId, BlobObjectId, BlobStatus, Epoch, NodeId

# -- blob registry -----------------------------------------------------------------------------------------------------


class UnknownObject(ContractRejection):
    """There is no such blob object, or it was deleted."""

    solidity_name = "BlobRegistry_UnknownObject"
    text = "there is no blob object {blob_object}: it was never registered, or was deleted"

    blob_object: BlobObjectId


class WrongStatus(ContractRejection):
    """The object's status does not allow the call."""

    solidity_name = "BlobRegistry_WrongStatus"
    text = "blob object {blob_object} is {actual}; the call needs one that is {expected}"

    blob_object: BlobObjectId
    expected: BlobStatus
    actual: BlobStatus


class NotLive(ContractRejection):
    """An expired or invalid object cannot be extended or deleted."""

    solidity_name = "BlobRegistry_NotLive"
    text = (
        "blob object {blob_object} is {actual}, so it can be neither extended nor deleted; register the blob "
        "again to keep it"
    )

    blob_object: BlobObjectId
    actual: BlobStatus


class NotDeletable(ContractRejection):
    """The object was registered as permanent."""

    solidity_name = "BlobRegistry_NotDeletable"
    text = "blob object {blob_object} was registered as permanent: it ends by the clock alone"

    blob_object: BlobObjectId


class CertificateBelowQuorum(ContractRejection):
    """The signers hold fewer shards than a certificate needs."""

    solidity_name = "BlobRegistry_QuorumNotReached"
    text = (
        "the certificate of blob object {blob_object} carries {weight} shards, {required} are required; "
        "collect more attestations"
    )

    blob_object: BlobObjectId
    required: int
    weight: int


class TooFewAccusers(ContractRejection):
    """Those who attest an invalid blob hold fewer shards than are required."""

    solidity_name = "BlobRegistry_TooFewAccusers"
    text = "{weight} shards attest that blob {blob_id} is invalid, {required} are required"

    blob_id: BlobId
    required: int
    weight: int


class AlreadyInvalid(ContractRejection):
    """Nodes attested before that the blob is badly encoded."""

    solidity_name = "BlobRegistry_AlreadyInvalid"
    text = "nodes attested before that blob {blob_id} is badly encoded; there is nothing left to submit"

    blob_id: BlobId


class RegistryNotCustody(ContractRejection):
    """Only the custody contract clears what is kept of deleted objects."""

    solidity_name = "BlobRegistry_CallerNotCustody"
    text = "only the custody contract {custody} does this; {caller} may not: sweep the object there"

    custody: Address
    caller: Address


class StillKept(ContractRejection):
    """Nodes still answer for an object."""

    solidity_name = "BlobRegistry_StillKept"
    text = "nodes still answer for blob object {blob_object}, so its facts stay"

    blob_object: BlobObjectId


class NoBlobId(ContractRejection):
    """A blob id of zero names nothing."""

    solidity_name = "BlobRegistry_NoBlobId"
    text = "the blob id is zero, which no blob has"


class BlobTooLarge(ContractRejection):
    """A size is not below the registry's limit."""

    solidity_name = "BlobRegistry_TooLarge"
    text = "blob {blob_id} has {size} bytes; it must have fewer than {limit}: split it"

    blob_id: BlobId
    limit: int
    size: int


class WrongBatchSize(ContractRejection):
    """A batch of registrations is empty or too long."""

    solidity_name = "BlobRegistry_WrongBatchSize"
    text = "{actual} registrations in one batch; between 1 and {maximum} are possible"

    maximum: int
    actual: int


# -- blob attributes ---------------------------------------------------------------------------------------------------


class AttributesNotYours(ContractRejection):
    """Only an object's owner writes its attributes."""

    solidity_name = "BlobAttributes_CallerNotOwner"
    text = "blob object {blob_object} belongs to {owner}; {caller} may not write its attributes"

    blob_object: BlobObjectId
    owner: Address
    caller: Address


class AttributeTooLong(ContractRejection):
    """A key is empty, or a key or value too long."""

    solidity_name = "BlobAttributes_WrongLength"
    text = (
        "attribute {key!r} has a text of {actual} bytes; keys have at least 1 byte, and at most {maximum} are"
        " possible here"
    )

    key: str
    maximum: int
    actual: int


class TooManyAttributes(ContractRejection):
    """An object would have more attributes than the limit."""

    solidity_name = "BlobAttributes_TooMany"
    text = "blob object {blob_object} can have {maximum} attributes; remove one first"

    blob_object: BlobObjectId
    maximum: int


# -- committee ---------------------------------------------------------------------------------------------------------


class NotGenesis(ContractRejection):
    """Only the genesis account forms the first committee."""

    solidity_name = "Committee_CallerNotGenesis"
    text = "only {genesis} may form the committee; {caller} may not"

    genesis: Address
    caller: Address


class CommitteeAlreadyFormed(ContractRejection):
    """A committee serves already."""

    solidity_name = "Committee_AlreadyFormed"
    text = "a committee serves since epoch {epoch}"

    epoch: Epoch


class CommitteeNotFormed(ContractRejection):
    """No committee serves yet."""

    solidity_name = "Committee_NotFormed"
    text = "no committee serves yet: the genesis account has to form it first"


class NoEligibleNode(ContractRejection):
    """No node has the minimum stake."""

    solidity_name = "Committee_NoEligibleNode"
    text = "none of the {registered} registered nodes has the minimum stake; bond WAL to nodes first"

    registered: int


class CommitteeAlreadySelected(ContractRejection):
    """The committee that is due was selected by somebody else."""

    solidity_name = "Committee_AlreadySelected"
    text = "the committee of epoch {target} was selected already; the next one is at the half of the present epoch"

    target: Epoch


class ChangeUnderWay(ContractRejection):
    """Shards are still on their way from the last change."""

    solidity_name = "Committee_ChangeUnderWay"
    text = (
        "{pending} shards are still on their way; the next committee can be selected when they are there, or at {until}"
    )

    pending: int
    until: int


class NothingSelected(ContractRejection):
    """No committee was selected for the present epoch."""

    solidity_name = "Committee_NothingSelected"
    text = (
        "no committee was selected for epoch {current_epoch} (the last one for epoch {selected_epoch}; 0: none); "
        "select one first"
    )

    current_epoch: Epoch
    selected_epoch: Epoch


class CustodyWindowOpen(ContractRejection):
    """Committees do not change while nodes are asked for proofs."""

    solidity_name = "Committee_WindowOpen"
    text = "the custody window of epoch {epoch} is open; committees change before it opens, or after it has closed"

    epoch: Epoch


class NotNode(ContractRejection):
    """Only a node's operator or signer signals for it."""

    solidity_name = "Committee_CallerNotNode"
    text = "only the operator {operator} or the signer {signer} signals for node {node_id}; {caller} may not"

    node_id: NodeId
    operator: Address
    signer: Address
    caller: Address


class NothingPending(ContractRejection):
    """A node has no shard that is on its way."""

    solidity_name = "Committee_NothingPending"
    text = "node {node_id} has no shard that is on its way; there is nothing to signal"

    node_id: NodeId


class UnknownShard(ContractRejection):
    """There is no such shard."""

    solidity_name = "Committee_UnknownShard"
    text = "there is no shard {shard}; the network has {shards}, counted from 0"

    shards: int
    shard: int


class UnknownMember(ContractRejection):
    """The signer bitmap names nobody, or a member that does not exist."""

    solidity_name = "Committee_UnknownMember"
    text = "the signer bitmap {signers} does not name members of a committee of {members}; read the committee again"

    members: int
    signers: int


class WrongSignatureLength(ContractRejection):
    """The signatures are not 65 bytes for each bit of the bitmap."""

    solidity_name = "Committee_WrongSignatureLength"
    text = "the signatures have {actual} bytes, the bitmap calls for {expected}"

    expected: int
    actual: int


class WrongMemberSignature(ContractRejection):
    """A signature is not the member's, or over other words."""

    solidity_name = "Committee_WrongSignature"
    text = (
        "the signature of committee member {member} is not by {expected}: it recovers to {recovered}; it was "
        "made for another object, epoch or network, or the member changed its key"
    )

    member: int
    expected: Address
    recovered: Address


class ShardsOutOfBounds(ContractRejection):
    """A new network asks for too few or too many shards."""

    solidity_name = "Committee_ShardsOutOfBounds"
    text = "{shards} shards are not possible; choose {minimum} to {maximum}"

    minimum: int
    maximum: int
    shards: int


class EpochSecondsOutOfBounds(ContractRejection):
    """A new network asks for epochs that are too short or too long."""

    solidity_name = "Committee_EpochSecondsOutOfBounds"
    text = "an epoch of {epoch_seconds} s is not possible; choose {minimum} to {maximum} s"

    minimum: int
    maximum: int
    epoch_seconds: int


class SyncSecondsOutOfBounds(ContractRejection):
    """A new network gives shards too little or too much time to move."""

    solidity_name = "Committee_SyncSecondsOutOfBounds"
    text = "a change of committee cannot last up to {sync_seconds} seconds; choose {minimum} to {maximum}"

    minimum: int
    maximum: int
    sync_seconds: int


class ZeroGenesis(ContractRejection):
    """A new network names nobody to form its committee."""

    solidity_name = "Committee_ZeroGenesis"
    text = "the genesis account is the zero address; name the account that forms the committee"


# -- node registry -----------------------------------------------------------------------------------------------------


class UnknownNode(ContractRejection):
    """There is no such node."""

    solidity_name = "NodeRegistry_UnknownNode"
    text = "there is no node {node_id}"

    node_id: NodeId


class NotOperator(ContractRejection):
    """Only a node's operator changes it."""

    solidity_name = "NodeRegistry_CallerNotOperator"
    text = "node {node_id} is operated by {operator}; {caller} may not change it"

    node_id: NodeId
    operator: Address
    caller: Address


class NotOffered(ContractRejection):
    """Only the account to which a node was offered takes it over."""

    solidity_name = "NodeRegistry_CallerNotOffered"
    text = "node {node_id} was offered to {offered}, not to {caller}"

    node_id: NodeId
    offered: Address
    caller: Address


class WrongFieldLength(ContractRejection):
    """A node's text or key is too short or too long."""

    solidity_name = "NodeRegistry_WrongLength"
    text = "the node's {field} has {actual} bytes; {minimum} to {maximum} are possible"

    field: ShortName
    minimum: int
    maximum: int
    actual: int


class WrongCharacter(ContractRejection):
    """A node's name or URL has a character that it must not have."""

    solidity_name = "NodeRegistry_WrongCharacter"
    text = "the node's {field} has a character that is not printable ASCII; a URL has no spaces either"

    field: ShortName


class WrongRegion(ContractRejection):
    """A region has a character outside a-z, 0-9 and hyphen."""

    solidity_name = "NodeRegistry_WrongRegion"
    text = "region {region!r} is not possible; use a-z, 0-9 and hyphen"

    region: str


class SignerTaken(ContractRejection):
    """The signer is or was the key of a node."""

    solidity_name = "NodeRegistry_SignerTaken"
    text = "{signer} is or was the key of node {node_id}; every node needs a key of its own: make a new one"

    signer: Address
    node_id: NodeId


class WrongSignerProof(ContractRejection):
    """The proof is not the signer's."""

    solidity_name = "NodeRegistry_WrongSignerProof"
    text = (
        "the proof is not by {signer}: it recovers to {recovered}; sign it with the node's key for this "
        "operator and network"
    )

    signer: Address
    recovered: Address


class ZeroSigner(ContractRejection):
    """A node's signer is the zero address."""

    solidity_name = "NodeRegistry_ZeroSigner"
    text = "the node's signer is the zero address; name its key"


REJECTIONS: tuple[type[ContractRejection], ...] = (
    UnknownObject,
    WrongStatus,
    NotLive,
    NotDeletable,
    CertificateBelowQuorum,
    TooFewAccusers,
    AlreadyInvalid,
    RegistryNotCustody,
    StillKept,
    NoBlobId,
    BlobTooLarge,
    WrongBatchSize,
    AttributesNotYours,
    AttributeTooLong,
    TooManyAttributes,
    NotGenesis,
    CommitteeAlreadyFormed,
    CommitteeNotFormed,
    NoEligibleNode,
    CommitteeAlreadySelected,
    ChangeUnderWay,
    NothingSelected,
    CustodyWindowOpen,
    NotNode,
    NothingPending,
    SyncSecondsOutOfBounds,
    UnknownShard,
    UnknownMember,
    WrongSignatureLength,
    WrongMemberSignature,
    ShardsOutOfBounds,
    EpochSecondsOutOfBounds,
    ZeroGenesis,
    UnknownNode,
    NotOperator,
    NotOffered,
    WrongFieldLength,
    WrongCharacter,
    WrongRegion,
    SignerTaken,
    WrongSignerProof,
    ZeroSigner,
)
