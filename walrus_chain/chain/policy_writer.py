"""Writing policies of blob objects, ready-made policies, credentials and nodes' receipts: `Sender.policies`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from walrus_chain.chain.contracts import ContractCalls
from walrus_chain.chain.policy_events import Attested, PolicyCreated
from walrus_chain.chain.policy_rejections import UnknownKind
from walrus_chain.chain.policy_views import Policies
from walrus_chain.chain.transactions import Receipt
from walrus_chain.chain.values import ShortName, checksum_address, word_of_text
from walrus_chain.errors import Bug
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId


@dataclass(frozen=True, slots=True)
class PolicyReceipt:
    """A ready-made policy that was created."""

    policy: Address
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class CredentialReceipt:
    """A credential that was given."""

    uid: bytes
    """32 bytes."""
    transaction: str
    block: int
    gas_used: int


class PolicyWriter:
    """Sends one account's transactions about policies, and waits until each is in a block.

    Every method raises what `TransactionQueue.send` raises: `Rejected` (decoded) when a contract refuses, and so on.
    """

    def __init__(self, contracts: ContractCalls) -> None:
        """
        Args:
            contracts: the account's calls.
        """
        self._contracts = contracts

    # -- objects -----------------------------------------------------------------------------------------------------

    async def attach(
        self, blob_object: BlobObjectId, policies: Policies, notice_seconds: int, envelope: bytes = b""
    ) -> Receipt:
        """Gives an object of this account its first policies, in force at once, and the sealed key of its data.

        Args:
            notice_seconds: how long others have to be announced before they hold.
            envelope: the sealed key for key epoch 1; empty for public data.
        Raises: PoliciesAttachedAlready, NotAPolicy, NoticeOutOfBounds, EnvelopeTooLong, PoliciesNotYours.
        """
        pair = (policies.access, policies.retention)
        return await self._contracts.send("BlobPolicies", "attach", blob_object, pair, notice_seconds, envelope)

    async def announce(self, blob_object: BlobObjectId, policies: Policies) -> Receipt:
        """Announces other policies, which hold from the end of the notice on. Seal the key for them too.

        Raises: PoliciesNotAttached, PoliciesFixed, ForbiddenByPolicy, NotAPolicy, PoliciesNotYours.
        """
        pair = (policies.access, policies.retention)
        return await self._contracts.send("BlobPolicies", "announce", blob_object, pair)

    async def cancel_announcement(self, blob_object: BlobObjectId) -> Receipt:
        """Takes an announcement back that does not hold yet.

        Raises: NothingAnnounced, PoliciesNotYours.
        """
        return await self._contracts.send("BlobPolicies", "cancelAnnouncement", blob_object)

    async def enact(self, blob_object: BlobObjectId) -> Receipt:
        """Makes announced policies that hold the present ones for good; anybody may.

        Raises: NothingAnnounced, PoliciesTooEarly, ForbiddenByPolicy.
        """
        return await self._contracts.send("BlobPolicies", "enact", blob_object)

    async def freeze(self, blob_object: BlobObjectId) -> Receipt:
        """Fixes an object's present policies for ever.

        Raises: PoliciesNotAttached, PoliciesFixed, PoliciesStillAnnounced, PoliciesNotYours.
        """
        return await self._contracts.send("BlobPolicies", "freeze", blob_object)

    async def publish_envelope(self, blob_object: BlobObjectId, key_epoch: int, envelope: bytes) -> Receipt:
        """Publishes the sealed key anew, for the present key epoch or for the next one, which then is the present one.

        Raises: WrongKeyEpoch, NoEnvelope, EnvelopeTooLong, PoliciesNotAttached, PoliciesNotYours.
        """
        return await self._contracts.send("BlobPolicies", "publishEnvelope", blob_object, key_epoch, envelope)

    async def expire(self, blob_object: BlobObjectId) -> Receipt:
        """Tells an object's policies that its term is over; anybody may, once.

        Raises: ObjectNotExpired, ExpiryToldBefore, PoliciesNotAttached.
        """
        return await self._contracts.send("BlobPolicies", "expire", blob_object)

    # -- ready-made policies -----------------------------------------------------------------------------------------

    async def create(self, kind: str, arguments: bytes) -> PolicyReceipt:
        """Creates a ready-made policy.

        Args:
            kind: such as `Credential`.
            arguments: ABI-encoded, as the kind says (`walrus_chain.policies.kinds` encodes them).
        Raises: UnknownKind; and what the kind refuses.
        """
        if (word := word_of_text(kind)) is None:
            raise UnknownKind(ShortName(kind))
        receipt = await self._contracts.send("PolicyFactory", "create", word, arguments)
        [created] = self._contracts.logs(receipt, PolicyCreated)
        return PolicyReceipt(created["policy"], receipt.transaction, receipt.block, receipt.gas_used)

    async def deploy(self, creation_code: bytes) -> PolicyReceipt:
        """Deploys a policy of somebody's own, from its code and encoded arguments."""
        receipt = await self._contracts.create(creation_code)
        if receipt.created is None:
            raise Bug(f"transaction {receipt.transaction} created no contract")
        address = checksum_address(receipt.created)
        return PolicyReceipt(address, receipt.transaction, receipt.block, receipt.gas_used)

    async def set_listed(self, policy: Address, accounts: Sequence[Address], *, listed: bool) -> Receipt:
        """Puts accounts on the list of an `AllowList` or `DenyList` policy, or takes them off.

        Raises: NotAdministrator.
        """
        return await self._contracts.send_to(policy, "AllowListPolicy", "setListed", list(accounts), listed)

    async def set_root(self, policy: Address, root: bytes) -> Receipt:
        """Replaces the list of a `MerkleAllowList` policy.

        Raises: NotAdministrator, NoListRoot.
        """
        return await self._contracts.send_to(policy, "MerkleAllowListPolicy", "setRoot", root)

    async def set_hold(self, policy: Address, blob_object: BlobObjectId, *, held: bool) -> Receipt:
        """Puts a legal hold on an object under a `LegalHold` policy, or takes this account's own off.

        Raises: NotAHolder.
        """
        return await self._contracts.send_to(policy, "LegalHoldPolicy", "setHold", blob_object, held)

    # -- credentials -------------------------------------------------------------------------------------------------

    async def attest(
        self, schema: bytes, recipient: Address, expiration_time: int = 0, data: bytes = b""
    ) -> CredentialReceipt:
        """Gives an account a credential.

        Args:
            schema: what it states, 32 bytes.
            expiration_time: seconds since 1970; 0 for never.
            data: opaque, at most 1,024 bytes.
        Raises: CredentialExpiresInThePast, CredentialTooLong, NoCredentialRecipient.
        """
        receipt = await self._contracts.send("CredentialRegistry", "attest", schema, recipient, expiration_time, data)
        [attested] = self._contracts.logs(receipt, Attested)
        return CredentialReceipt(attested["uid"], receipt.transaction, receipt.block, receipt.gas_used)

    async def revoke(self, uid: bytes) -> Receipt:
        """Takes a credential back that this account gave.

        Raises: UnknownCredential, CredentialNotYours, CredentialRevokedBefore.
        """
        return await self._contracts.send("CredentialRegistry", "revoke", uid)

    # -- nodes -------------------------------------------------------------------------------------------------------

    async def anchor_receipts(self, node_id: NodeId, epoch: Epoch, root: bytes, count: int) -> Receipt:
        """Fixes the receipts that a node signed in an epoch that is over; only its signer may, once.

        Raises: ReceiptsNotYours, ReceiptsEpochNotOver, ReceiptsAnchoredBefore, NothingToAnchor.
        """
        return await self._contracts.send("ReceiptLog", "anchor", node_id, epoch, root, count)

    async def attest_destruction(self, node_id: NodeId, blob_object: BlobObjectId, key_hash: bytes) -> Receipt:
        """States that a node destroyed the key that it kept for an object; only its signer may.

        Args:
            key_hash: SHA-256 of the public key.
        Raises: ReceiptsNotYours.
        """
        return await self._contracts.send("ReceiptLog", "attestDestruction", node_id, blob_object, key_hash)
