"""Writing to a network: every transaction that people, clients and operators send, as a typed call.

sender = Sender(chain, account)
receipt = await sender.register([Registration(blob_id, size, epochs=10, deletable=True)])
await sender.certify(receipt.objects[0], certificate.signers, certificate.signatures)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from walrus_chain.chain.compute_writer import ComputeWriter
from walrus_chain.chain.contracts import ContractCalls
from walrus_chain.chain.events import BlobRegistered, NodeRegistered, TermPaid
from walrus_chain.chain.network import Chain
from walrus_chain.chain.payment_writer import PaymentWriter
from walrus_chain.chain.policy_writer import PolicyWriter
from walrus_chain.chain.transactions import Patience, Receipt, TransactionQueue, TransactionSigner
from walrus_chain.chain.views import Attribute
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, Wei

UNLIMITED: Final = Wei(2**256 - 1)
"""An allowance that is never used up."""
ALL_STAKE: Final = Wei(2**128 - 1)
"""Stands for all that an account has in a pool."""
MAXIMUM_BATCH: Final = 100
"""Registrations that one transaction takes; the registry refuses more."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What an owner asks for."""

    blob_id: BlobId
    size: int
    """Bytes of the blob, as its id commits to."""
    epochs: int
    """Length of the term, the current epoch included."""
    deletable: bool


@dataclass(frozen=True, slots=True)
class RegisterReceipt:
    """Objects that were registered, and what they cost."""

    objects: tuple[BlobObjectId, ...]
    """In the order of the registrations."""
    paid: Wei
    """For all of them together."""
    charges: tuple[Wei, ...]
    """For each of them."""
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """What an operator says of a node."""

    name: str
    """For people, 1 to 64 bytes."""
    url: str
    """Where the agent answers, 1 to 256 bytes, without a trailing slash."""
    region: str
    """Where the disks stand: 1 to 32 characters out of a-z, 0-9 and hyphen."""
    signer: Address
    """The key that signs attestations; one node a key, for ever."""
    encryption_key: bytes
    """32 to 192 bytes; opaque to the chain."""


@dataclass(frozen=True, slots=True)
class NodeReceipt:
    """A node that was registered."""

    node_id: NodeId
    transaction: str
    block: int
    gas_used: int


class Sender:
    """Sends one account's transactions to one network, and waits until each is in a block.

    Calls may be made at the same time. Every method raises what `TransactionQueue.send` raises: `Rejected` (decoded)
    when a contract refuses, `NotEnoughGasMoney`, `TransactionPending`, `TransactionDisplaced`, `RpcUnavailable`.
    """

    def __init__(self, chain: Chain, account: TransactionSigner, patience: Patience | None = None) -> None:
        """
        Args:
            chain: the network.
            account: who signs and pays; an `eth_account` local account, or a remote signer of the same shape.
            patience: how long a transaction may take.
        """
        self._chain = chain
        self._queue = TransactionQueue(chain.provider, account, patience)
        self._contracts = ContractCalls(chain, self._queue)
        self.policies = PolicyWriter(self._contracts)
        """Policies of blob objects, ready-made policies, credentials and nodes' receipts."""
        self.payments = PaymentWriter(self._contracts)
        """Revenue pools, purchases, read channels and renewals."""
        self.compute = ComputeWriter(self._contracts)
        """Jobs that run programs on blob objects, and their triggers."""

    @property
    def address(self) -> Address:
        """The account that sends."""
        return self._queue.address

    # -- blobs -------------------------------------------------------------------------------------------------------

    async def register(self, registrations: Sequence[Registration]) -> RegisterReceipt:
        """Registers blobs for this account, at most `MAXIMUM_BATCH` in one transaction, and pays for their terms.

        A blob that is known as invalid is charged too and can never be certified: ask `Chain.is_invalid` first.

        Raises:
            NotEnoughWal: the account holds less than the price; says how much is missing.
            AllowanceTooSmall: the vault may not take that much; call `approve_vault`.
            BlobTooLarge, NoBlobId, WrongTerm, WrongBatchSize: a registration that the network does not take.
        """
        rows = [(row.blob_id.digest, row.size, row.epochs, row.deletable) for row in registrations]
        if len(rows) == 1:
            receipt = await self._send("BlobRegistry", "register", rows[0])
        else:
            receipt = await self._send("BlobRegistry", "registerBatch", rows)
        charges = tuple(Wei(paid["charge"]) for paid in self._contracts.logs(receipt, TermPaid))
        return RegisterReceipt(
            objects=tuple(
                BlobObjectId(registered["blob_object"]) for registered in self._contracts.logs(receipt, BlobRegistered)
            ),
            paid=Wei(sum(charges)),
            charges=charges,
            transaction=receipt.transaction,
            block=receipt.block,
            gas_used=receipt.gas_used,
        )

    async def certify(self, blob_object: BlobObjectId, signers: int, signatures: bytes) -> Receipt:
        """Submits a certificate: the point from which the network answers for the object.

        Args:
            signers: bit i is set when committee member i signed.
            signatures: 65 bytes for each bit, lowest bit first.
        Raises: CertificateBelowQuorum, WrongMemberSignature, UnknownMember, WrongStatus (certified already).
        """
        return await self._send("BlobRegistry", "certify", blob_object, signers, signatures)

    async def extend(self, blob_object: BlobObjectId, epochs: int) -> Receipt:
        """Makes an object's term `epochs` epochs longer and pays for it; anybody may."""
        return await self._send("BlobRegistry", "extend", blob_object, epochs)

    async def delete(self, blob_object: BlobObjectId) -> Receipt:
        """Ends a deletable object's term; its unused epochs become the owner's claim (`withdraw`)."""
        return await self._send("BlobRegistry", "deleteBlob", blob_object)

    async def transfer(self, blob_object: BlobObjectId, to: Address) -> Receipt:
        """Gives an object of this account to another one. A contract gets it only if it takes ERC-721 tokens."""
        return await self._send(
            "BlobRegistry", "safeTransferFrom(address,address,uint256)", self.address, to, blob_object
        )

    async def set_attributes(self, blob_object: BlobObjectId, attributes: Sequence[Attribute]) -> Receipt:
        """Writes attributes of an object; an empty value removes its key."""
        rows = [(attribute.key, attribute.value) for attribute in attributes]
        return await self._send("BlobAttributes", "setAttributes", blob_object, rows)

    async def invalidate(self, blob_id: BlobId, signers: int, signatures: bytes) -> Receipt:
        """Submits the proof of f + 1 shards that a blob's bytes do not encode to its id."""
        return await self._send("BlobRegistry", "invalidate", blob_id.digest, signers, signatures)

    # -- money -------------------------------------------------------------------------------------------------------

    async def approve_vault(self, amount: Wei = UNLIMITED) -> Receipt:
        """Lets the vault take up to `amount` WAL from this account when it registers, extends or stakes."""
        return await self._send("WAL", "approve", self._chain.deployment.address("TokenVault"), amount)

    async def withdraw(self, amount: Wei, to: Address | None = None) -> Receipt:
        """Takes `amount` of what the vault owes this account, to `to` or to itself."""
        return await self._send("TokenVault", "withdraw", amount, to or self.address)

    async def send_wal(self, to: Address, amount: Wei) -> Receipt:
        """Gives WAL to another account."""
        return await self._send("WAL", "transfer", to, amount)

    async def send_native(self, to: Address, amount: Wei) -> Receipt:
        """Gives the chain's own currency to another account, for its transaction fees."""
        return await self._queue.send(to, b"", amount)

    # -- nodes -------------------------------------------------------------------------------------------------------

    async def register_node(self, details: NodeDetails, signer_proof: bytes) -> NodeReceipt:
        """Registers a node that this account operates.

        Args:
            signer_proof: `NodeKeys(operator=this account, ...)` signed by the node's key.
        Raises: SignerTaken, WrongSignerProof, WrongFieldLength, WrongRegion.
        """
        row = (details.name, details.url, details.region, details.signer, details.encryption_key)
        receipt = await self._send("NodeRegistry", "register", row, signer_proof)
        [registered] = self._contracts.logs(receipt, NodeRegistered)
        return NodeReceipt(NodeId(registered["node_id"]), receipt.transaction, receipt.block, receipt.gas_used)

    async def update_node(self, node_id: NodeId, name: str, url: str, region: str) -> Receipt:
        """Changes a node's name, URL and region; a new region counts when the next committee is formed."""
        return await self._send("NodeRegistry", "update", node_id, name, url, region)

    async def rotate_node_keys(
        self, node_id: NodeId, signer: Address, encryption_key: bytes, signer_proof: bytes
    ) -> Receipt:
        """Changes a node's keys; the serving committee takes the new signer over by `refresh_signer`."""
        return await self._send("NodeRegistry", "rotateKeys", node_id, signer, encryption_key, signer_proof)

    # -- stake -------------------------------------------------------------------------------------------------------

    async def delegate(self, node_id: NodeId, amount: Wei) -> Receipt:
        """Stakes WAL of this account with a node; it counts from the next epoch, or the one after."""
        return await self._send("Staking", "delegate", node_id, amount)

    async def undelegate(self, node_id: NodeId, amount: Wei | None = None) -> Receipt:
        """Begins to take active stake out, all of it when no amount is named."""
        return await self._send("Staking", "undelegate", node_id, ALL_STAKE if amount is None else amount)

    async def withdraw_unbonded(self, node_id: NodeId) -> Receipt:
        """Turns stake that is due into this account's claim (`withdraw`).

        Raises: NothingDue, NodeServing.
        """
        return await self._send("Staking", "withdrawUnbonded", node_id)

    async def claim_rewards(self, node_id: NodeId) -> Receipt:
        """Turns what this account's stake gained into its claim (`withdraw`).

        Raises: NothingEarned.
        """
        return await self._send("Staking", "claimRewards", node_id)

    async def claim_commission(self, node_id: NodeId) -> Receipt:
        """Turns a node's commission into its operator's claim (`withdraw`).

        Raises: NothingEarned, StakeNotYours.
        """
        return await self._send("Staking", "claimCommission", node_id)

    async def set_commission(self, node_id: NodeId, commission_bps: int) -> Receipt:
        """Changes what the operator keeps of rewards, in hundredths of a percent, from two epochs later on."""
        return await self._send("Staking", "setCommission", node_id, commission_bps)

    async def settle(self, node_id: NodeId, maximum: int) -> Receipt:
        """Brings the rewards of at most `maximum` epochs into a node's pool; anybody may."""
        return await self._send("Staking", "settle", node_id, maximum)

    async def stand(self, node_id: NodeId) -> Receipt:
        """Makes a node with enough own stake a candidate for committees; anybody may.

        Raises: NotEligible, CandidatesFull.
        """
        return await self._send("Staking", "stand", node_id)

    async def dismiss(self, node_id: NodeId) -> Receipt:
        """Takes a node that is not eligible from the candidates; anybody may."""
        return await self._send("Staking", "dismiss", node_id)

    async def unjail(self, node_id: NodeId) -> Receipt:
        """Lets a node out that was jailed long enough; only its operator may."""
        return await self._send("Staking", "unjail", node_id)

    async def vote(self, node_id: NodeId, unit_price: Wei, write_fee: Wei) -> Receipt:
        """Sets the least that a node wants to serve for; only its operator may."""
        return await self._send("Prices", "vote", node_id, unit_price, write_fee)

    # -- what is due each epoch --------------------------------------------------------------------------------------

    async def select_committee(self) -> Receipt:
        """Fixes the committee of the epoch that is due; anybody may."""
        return await self._send("Committee", "selectCommittee")

    async def advance_epoch(self) -> Receipt:
        """Puts the committee that was selected for the present epoch in office; anybody may."""
        return await self._send("Committee", "advanceEpoch")

    async def epoch_sync_done(self, node_id: NodeId) -> Receipt:
        """Signals that the shards that came to a node are there; its operator or signer may."""
        return await self._send("Committee", "epochSyncDone", node_id)

    async def tally_prices(self) -> Receipt:
        """Counts the votes for the prices of the next epoch; anybody may."""
        return await self._send("Prices", "tally")

    async def burn_unearned(self, maximum: int) -> Receipt:
        """Burns what nobody earned in at most `maximum` epochs that are over; anybody may."""
        return await self._send("Rewards", "burnUnearned", maximum)

    async def open_window(self) -> Receipt:
        """Opens the custody window of the present epoch; anybody may."""
        return await self._send("CustodyChallenges", "openWindow")

    async def capture_seed(self, epoch: Epoch) -> Receipt:
        """Reads and keeps the seed of an epoch's custody window; anybody may, while the window is open."""
        return await self._send("CustodyChallenges", "captureSeed", epoch)

    async def prove_custody(self, node_id: NodeId, proofs: bytes) -> Receipt:
        """Proves that a node holds what the present window asks of it; anybody may bring the proof.

        Args:
            proofs: for each sample that is not blank the chunk and its path, one after the other.
        """
        return await self._send("CustodyChallenges", "prove", node_id, proofs)

    async def report_miss(self, epoch: Epoch, node_id: NodeId) -> Receipt:
        """Reports a closed window without a proof: the node is slashed, the bounty becomes this account's claim."""
        return await self._send("CustodyChallenges", "reportMiss", epoch, node_id)

    async def sweep(self, size_class: int, indexes: Sequence[int]) -> Receipt:
        """Removes entries whose objects are over from those that nodes may be asked about; anybody may.

        Args:
            indexes: in descending order.
        """
        return await self._send("CustodyChallenges", "sweep", size_class, list(indexes))

    async def form_committee(self) -> Receipt:
        """Puts the first committee in office; only the genesis account may, once."""
        return await self._send("Committee", "form")

    async def refresh_signer(self, member: int) -> Receipt:
        """Takes a committee member's present key over from the node registry; anybody may."""
        return await self._send("Committee", "refreshSigner", member)

    async def _send(self, contract: str, function: str, *arguments: Any) -> Receipt:
        return await self._contracts.send(contract, function, *arguments)
