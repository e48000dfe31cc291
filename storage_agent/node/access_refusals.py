"""Why the agent releases no key, as errors with the evidence that goes into the answer.

    Refusal
    |-- WrongSignature       who is named did not sign, or signed for another network
    |-- PaymentRequired      the use has a price
    |-- VoucherRefused       the voucher, or the purchase, does not pay for this use
    |-- Denied               the object's policy says no
    |-- StaleKeyEpoch        the object's key has another epoch
    |-- UnknownKey           the node has no such key
    |-- UnknownObject        there is no such object
    |-- KeysDestroyed        what would open the data is gone, for ever
    `-- BlockTooOld          the named block is too old to decide at
    Delay
    |-- BlockUnknown         the named block is not known (yet, or any more)
    |-- PaymentUnconfirmed   the money lies in blocks that may still be undone
    `-- ChainUnavailable     nobody can say what the policy says

Status codes are in `storage_agent.serve.problems`.
"""

from __future__ import annotations

from storage_agent.node.refusals import Delay, Refusal
from walrus_chain.messages.domain import Domain
from walrus_chain.payments.vouchers import StretchTaken
from walrus_chain.types import Address, BlobObjectId, Wei, format_amount


class WrongSignature(Refusal):
    """A signature is not that of the account that is named, over these words on this network."""

    def __init__(self, part: str, signer: Address, domain: Domain) -> None:
        super().__init__(
            f"{part}: {signer} did not sign this for chain {domain.chain_id} and contract {domain.verifying_contract}"
        )
        self.part, self.signer = part, signer
        self.chain_id, self.verifying_contract = domain.chain_id, domain.verifying_contract


class PaymentRequired(Refusal):
    """The use has a price."""

    def __init__(self, price: Wei, pool: int) -> None:
        super().__init__(f"this use costs {format_amount(price)}, to be paid to pool {pool}")
        self.price, self.pool = str(price), pool


class VoucherRefused(Refusal):
    """What was given does not pay for this use."""

    def __init__(self, why: str, message: str, price: Wei, pool: int, stretch: StretchTaken | None = None) -> None:
        """
        Args:
            why: a word for programs.
            stretch: that is taken, where that is why; the payer's own vouchers show it.
        """
        super().__init__(message)
        self.why, self.price, self.pool = why, str(price), pool
        if stretch is not None:
            taken, highest = stretch.taken, stretch.highest
            self.highest = str(highest.voucher.cumulative)
            self.voucher, self.signature = taken.voucher.as_data(), taken.signature
            self.highest_voucher, self.highest_signature = highest.voucher.as_data(), highest.signature


class Denied(Refusal):
    """The object's access policy says no."""

    def __init__(self, blob_object: BlobObjectId, reason: str, policy: Address) -> None:
        super().__init__(f"object {blob_object}: denied: {reason}")
        self.blob_object, self.reason, self.policy = str(blob_object), reason, policy


class StaleKeyEpoch(Refusal):
    """The object's key has another epoch than the request names."""

    def __init__(self, key_epoch: int, asked: int) -> None:
        super().__init__(f"the object's key has epoch {key_epoch}, the request names {asked}; read the new envelope")
        self.key_epoch, self.asked = key_epoch, asked


class UnknownKey(Refusal):
    """The node has no key of that name."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"this node has no key {key_id}; the data's key was sealed for another one")
        self.key_id = key_id


class UnknownObject(Refusal):
    """There is no such object, or its term is over."""

    def __init__(self, blob_object: BlobObjectId) -> None:
        super().__init__(f"there is no live object {blob_object}")
        self.blob_object = str(blob_object)


class KeysDestroyed(Refusal):
    """What this node would need to make the share is gone, as the object's retention policy wants it."""

    def __init__(self, blob_object: BlobObjectId) -> None:
        super().__init__(f"keys of object {blob_object} are not released any more, for ever")
        self.blob_object = str(blob_object)


class BlockTooOld(Refusal):
    """The block that the request names is too old to decide at."""

    def __init__(self, block: bytes, age: int, maximum: int) -> None:
        super().__init__(f"block 0x{block.hex()} is {age} s old, {maximum} s are the most; sign again for a newer one")
        self.block, self.age, self.maximum = block, age, maximum


class BlockUnknown(Delay):
    """The block that the request names is not known, or was undone."""

    def __init__(self, block: bytes) -> None:
        super().__init__(f"this node does not know block 0x{block.hex()}, or it was undone; try again shortly")
        self.block = block


class PaymentUnconfirmed(Delay):
    """The money that pays is on chain, in blocks that may still be undone."""

    retry_after = 2.0

    def __init__(self, what: str, blocks: str) -> None:
        super().__init__(f"{what} is not {blocks} yet; try again when it is")
        self.what, self.blocks = what, blocks


class ChainUnavailable(Delay):
    """The chain does not say what is to be known before a key is released."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the chain does not answer this node: {why}; try again, or another node")
        self.why = why
