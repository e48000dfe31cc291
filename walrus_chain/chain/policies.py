"""Reading policies of blob objects: what holds, who may use the data, the sealed keys, credentials and receipts.

    policies = chain.policies
    record = await policies.record_of(blob_object)
    verdict = await policies.judge(Question(requester, blob_object, action), at=block_hash)

With `at`, the hash of a block, an answer is as of that block: the same for everybody who asks, wherever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from eth_utils.crypto import keccak

from walrus_chain.chain.deployments import KINDS
from walrus_chain.chain.payment_views import AnchoredReceipts
from walrus_chain.chain.policy_events import (
    AllowListChanged,
    Attested,
    EnvelopePublished,
    KeyDestroyed,
    PolicyCreated,
    ReceiptsAnchored,
)
from walrus_chain.chain.policy_questions import PolicyQuestions
from walrus_chain.chain.policy_views import (
    Credential,
    Policies,
    PolicyRecord,
    PolicyRules,
    Price,
    Question,
    ReadyMadePolicy,
    SealedKey,
    Verdict,
)
from walrus_chain.chain.values import checksum_address, text_of_word, word_of_text
from walrus_chain.errors import SealedKeyMissing
from walrus_chain.messages.domain import address_word, number_word
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, Epoch, NodeId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.network import Chain

JUDGE_GAS: Final = 30_000_000
"""What a call of `judge` gets: more than twice what a policy may use, so that every endpoint answers alike."""
# A minimal proxy (ERC-1167) with data after its code, as OpenZeppelin's Clones makes it.
_CLONE_HEAD: Final = bytes.fromhex("363d3d373d3d3d363d73")
_CLONE_TAIL: Final = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
_CLONE_SIZE: Final = len(_CLONE_HEAD) + 20 + len(_CLONE_TAIL)


class PolicyBook:
    """One network's policies, for reading."""

    def __init__(self, chain: Chain) -> None:
        """
        Args:
            chain: the network.
        """
        self._chain = chain

    # -- objects -----------------------------------------------------------------------------------------------------

    async def rules(self) -> PolicyRules:
        """What holds for all policies."""
        names = ("maximumRequestAge", "minimumNotice", "maximumNotice", "evaluationGas", "hookGas")
        return PolicyRules(*await self._chain.calls([("BlobPolicies", name, ()) for name in names]))

    async def record_of(self, blob_object: BlobObjectId, at: bytes | None = None) -> PolicyRecord:
        """All that is known of an object's policies; `attached` is false when it has none.

        Raises: BlockUnknown: no endpoint has the block `at` in its chain.
        """
        return _record_from(await self._chain.call("BlobPolicies", "recordOf", blob_object, at=at))

    async def envelope_of(self, blob_object: BlobObjectId) -> SealedKey | None:
        """The sealed key of an object's data, checked against the record; none when the data are public.

        Raises: SealedKeyMissing: the endpoint keeps no logs of the block that the record names.
        """
        record = await self.record_of(blob_object)
        if not record.sealed:
            return None
        block = record.envelope_block
        published = await self._chain.logged(
            EnvelopePublished, number_word(blob_object), number_word(record.key_epoch), first=block, last=block
        )
        for event in published:
            if keccak(event.envelope) == record.envelope_hash:
                return SealedKey(blob_object, record.key_epoch, block, event.envelope)
        raise SealedKeyMissing(blob_object, block, self._chain.provider.endpoint)

    async def destroy_at(self, blob_object: BlobObjectId, at: bytes | None = None) -> int:
        """From when on no key of the object is released, seconds since 1970; 0 for never.

        Raises: BlockUnknown.
        """
        return int(await self._chain.call("BlobPolicies", "destroyAtOf", blob_object, at=at))

    # -- decisions ---------------------------------------------------------------------------------------------------

    async def judge(self, question: Question, at: bytes | None = None) -> Verdict:
        """The decision on a use of data.

        Raises:
            BlockUnknown: no endpoint has the block `at` in its chain: it lags, or the chain was reorganised.
            Rejected: the call reverted, which no policy can cause: with `PolicyGasTooLow` the endpoint gives less gas
                than the protocol wants.
        """
        [verdict] = await self._chain.calls(
            [("BlobPolicies", "judge", (question.as_arguments(),))], at=at, gas=JUDGE_GAS
        )
        return _verdict_from(verdict)

    async def quote_of(self, question: Question, at: bytes | None = None) -> Price:
        """What a use costs, whether it would be allowed or not.

        Raises: BlockUnknown; NoQuote: there is no price that could be paid.
        """
        [(amount, pool)] = await self._chain.calls(
            [("BlobPolicies", "quoteOf", (question.as_arguments(),))], at=at, gas=JUDGE_GAS
        )
        return Price(Wei(amount), PoolId(pool))

    async def is_valid_signature(
        self, signer: Address, digest: bytes, signature: bytes, at: bytes | None = None
    ) -> bool:
        """Whether an account signed a digest: a key, a contract (ERC-1271), or one not deployed yet (ERC-6492).

        Raises: BlockUnknown.
        """
        [valid] = await self._chain.calls(
            [("SignatureJudge", "isValid", (signer, digest, signature))], at=at, gas=JUDGE_GAS
        )
        return bool(valid)

    # -- policies ----------------------------------------------------------------------------------------------------

    async def kinds(self) -> tuple[str, ...]:
        """The names of all kinds of ready-made policies."""
        return tuple(text_of_word(kind) for kind in await self._chain.call("PolicyFactory", "kinds"))

    async def implementation_of(self, kind: str) -> Address:
        """The contract that policies of a kind run; nobody when there is no such kind."""
        if (word := word_of_text(kind)) is None:
            return NOBODY
        return checksum_address(await self._chain.call("PolicyFactory", "implementationOf", word))

    async def ready_made(self, policy: Address) -> ReadyMadePolicy | None:
        """Kind and arguments of a policy that runs the network's own code; none when it runs other code.

        Only its code counts, not what it says of itself. Who made it without the factory chose its arguments freely.

        Raises: Rejected: it has arguments that cannot be, which none has that the factory made.
        """
        code = bytes.fromhex((await self._chain.provider.request("eth_getCode", policy, "latest"))[2:])
        inner = code[len(_CLONE_HEAD) : len(_CLONE_HEAD) + 20]
        if len(inner) != 20 or code[:_CLONE_SIZE] != _CLONE_HEAD + inner + _CLONE_TAIL:
            return None
        implementation = checksum_address("0x" + inner.hex())
        for kind, contract in KINDS.items():
            if self._chain.deployment.address(contract) == implementation:
                arguments = await self._chain.view(policy, contract, "arguments")
                return ReadyMadePolicy(policy, kind, bytes(arguments))
        return None

    async def kind_of(self, policy: Address) -> str:
        """What kind of policy a contract says it is.

        Raises: ContractMissing, Rejected: it does not answer.
        """
        return text_of_word(await self._chain.view(policy, "OwnerPolicy", "kind"))

    async def created_by(self, creator: Address) -> tuple[ReadyMadePolicy, ...]:
        """The ready-made policies that an account created, oldest first."""
        created = await self._chain.logged(PolicyCreated, None, None, address_word(creator))
        return tuple(ReadyMadePolicy(event.policy, str(event.kind), event.arguments) for event in created)

    @property
    def questions(self) -> PolicyQuestions:
        """Asking single policies, whether an object has them or not."""
        return PolicyQuestions(self._chain)

    async def is_listed(self, policy: Address, account: Address, at: bytes | None = None) -> bool:
        """Whether an account is on the list of an `AllowList` or `DenyList` policy.

        Raises: BlockUnknown; ContractMissing, Rejected: it is none.
        """
        return bool(await self._chain.view(policy, "AllowListPolicy", "isListed", account, at=at))

    async def listed_by(self, policy: Address) -> tuple[Address, ...]:
        """The accounts on the list of an `AllowList` or `DenyList` policy, in the order in which they came."""
        listed: dict[Address, bool] = {}
        for change in await self._chain.logged(AllowListChanged, address=policy):
            listed.pop(change.account, None)
            if change.listed:
                listed[change.account] = True
        return tuple(listed)

    async def root_of(self, policy: Address, at: bytes | None = None) -> bytes:
        """The root of the list of a `MerkleAllowList` policy, 32 bytes.

        Raises: BlockUnknown; ContractMissing, Rejected: it is none.
        """
        return bytes(await self._chain.view(policy, "MerkleAllowListPolicy", "root", at=at))

    async def is_held_by(self, policy: Address, blob_object: BlobObjectId, holder: Address) -> bool:
        """Whether a holder keeps a legal hold on an object, under a `LegalHold` policy.

        Raises: ContractMissing, Rejected: it is none.
        """
        return bool(await self._chain.view(policy, "LegalHoldPolicy", "isHeldBy", blob_object, holder))

    # -- credentials -------------------------------------------------------------------------------------------------

    async def credential(self, uid: bytes, at: bytes | None = None) -> Credential | None:
        """A credential of the network's own registry, revoked or not; none when there is no such one.

        Raises: BlockUnknown.
        """
        return await self.credential_in(self._chain.deployment.address("CredentialRegistry"), uid, at)

    async def credential_in(self, registry: Address, uid: bytes, at: bytes | None = None) -> Credential | None:
        """A credential of any registry, such as the Ethereum Attestation Service; none when there is no such one.

        Raises: BlockUnknown; ContractMissing: `registry` is none.
        """
        found = _credential_from(await self._chain.view(registry, "CredentialRegistry", "getAttestation", uid, at=at))
        return found if any(found.uid) else None

    async def credentials_of(self, recipient: Address) -> tuple[Credential, ...]:
        """All credentials that an account ever got in the network's own registry, as they are now, oldest first."""
        attested = await self._chain.logged(Attested, address_word(recipient))
        return await self._credentials([event.uid for event in attested])

    async def credentials_by(self, attester: Address) -> tuple[Credential, ...]:
        """All credentials that an account ever gave in the network's own registry, as they are now, oldest first."""
        attested = await self._chain.logged(Attested, None, address_word(attester))
        return await self._credentials([event.uid for event in attested])

    async def _credentials(self, uids: Sequence[bytes]) -> tuple[Credential, ...]:
        if not uids:
            return ()
        found = await self._chain.calls([("CredentialRegistry", "getAttestation", (uid,)) for uid in uids])
        return tuple(map(_credential_from, found))

    # -- receipts ----------------------------------------------------------------------------------------------------

    async def receipt_root_of(self, node_id: NodeId, epoch: Epoch, at: bytes | None = None) -> bytes | None:
        """The root of the receipts that a node signed in an epoch; none when it anchored none.

        Raises: BlockUnknown.
        """
        root = bytes(await self._chain.call("ReceiptLog", "rootOf", node_id, epoch, at=at))
        return root if any(root) else None

    async def receipts_of(self, node_id: NodeId) -> tuple[AnchoredReceipts, ...]:
        """What a node anchored in all epochs, oldest first."""
        anchored = await self._chain.logged(ReceiptsAnchored, number_word(node_id))
        return tuple(AnchoredReceipts(event.epoch, event.root, event.count) for event in anchored)

    async def destructions_of(self, blob_object: BlobObjectId) -> tuple[KeyDestroyed, ...]:
        """What nodes stated of the keys that they kept for an object and destroyed, in chain order."""
        return await self._chain.logged(KeyDestroyed, None, number_word(blob_object))


def _policies_from(view: Sequence[Any]) -> Policies:
    """`IBlobPolicies.Policies`."""
    return Policies(checksum_address(view[0]), checksum_address(view[1]))


def _record_from(view: Sequence[Any]) -> PolicyRecord:
    """`IBlobPolicies.Record`."""
    return PolicyRecord(
        current=_policies_from(view[0]),
        next=_policies_from(view[1]),
        next_from=view[2],
        notice_seconds=view[3],
        frozen=view[4],
        key_epoch=view[5],
        envelope_block=view[6],
        envelope_hash=bytes(view[7]),
    )


def _verdict_from(view: Sequence[Any]) -> Verdict:
    """`IBlobPolicies.Verdict`."""
    return Verdict(
        allowed=view[0],
        reason=text_of_word(view[1]),
        ttl_seconds=view[2],
        policy=checksum_address(view[3]),
        key_epoch=view[4],
        blob_id=BlobId(view[5]),
        price=Wei(view[6]),
        pool=PoolId(view[7]),
    )


def _credential_from(view: Sequence[Any]) -> Credential:
    """`Attestation`."""
    return Credential(
        uid=bytes(view[0]),
        schema=bytes(view[1]),
        time=view[2],
        expiration_time=view[3],
        revocation_time=view[4],
        ref_uid=bytes(view[5]),
        recipient=checksum_address(view[6]),
        attester=checksum_address(view[7]),
        revocable=view[8],
        data=bytes(view[9]),
    )
