"""What a real chain refuses arrives as an error that says what happened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account

from tests.integration.chain.local import ALICE, BLOB, BOB, DEPLOYER, PARAMETERS, SIGNERS, WAL, LocalNetwork, join
from walrus_chain.chain.deploy import deploy
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.economy_rejections import NothingDue, StakeNotYours, StakeTooSmall
from walrus_chain.chain.library_rejections import AllowanceTooSmall, NotEnoughWal, ObjectNotYours
from walrus_chain.chain.money_rejections import ClaimTooSmall, WrongTerm
from walrus_chain.chain.network import Chain
from walrus_chain.chain.rejections import (
    AlreadyInvalid,
    AttributesNotYours,
    CertificateBelowQuorum,
    CommitteeAlreadyFormed,
    CommitteeNotFormed,
    NotDeletable,
    SignerTaken,
    TooFewAccusers,
    UnknownMember,
    UnknownObject,
    WrongBatchSize,
    WrongMemberSignature,
    WrongSignatureLength,
    WrongStatus,
)
from walrus_chain.chain.sender import Registration, Sender
from walrus_chain.chain.views import Attribute
from walrus_chain.errors import ContractMissing, NotEnoughGasMoney, Rejected, WrongChain
from walrus_chain.messages.attestation import InvalidityAttestation
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.types import Address, BlobId, BlobObjectId, BlobStatus, Wei

pytestmark = pytest.mark.integration


async def test_register__not_enough_wal__says_how_much_is_missing(network: LocalNetwork) -> None:
    bob = Sender(network.chain, BOB)
    await bob.approve_vault()
    quote = await network.chain.quote(10_000, 5)
    await network.deployer.send_wal(bob.address, Wei(quote.total - 7))
    with pytest.raises(NotEnoughWal) as caught:
        await bob.register([Registration(BLOB, 10_000, 5, True)])
    assert (caught.value.payer, caught.value.have, caught.value.needed) == (bob.address, quote.total - 7, quote.total)
    assert caught.value.missing == 7


async def test_register__vault_not_approved__says_to_approve(network: LocalNetwork) -> None:
    bob = Sender(network.chain, BOB)
    await network.deployer.send_wal(bob.address, Wei(WAL))
    with pytest.raises(AllowanceTooSmall, match="approve") as caught:
        await bob.register([Registration(BLOB, 10_000, 5, True)])
    assert caught.value.spender == network.chain.deployment.address("TokenVault")


async def test_register__no_money_for_gas__says_so(network: LocalNetwork) -> None:
    poor = Sender(network.chain, Account.from_key(b"\x77" * 32))
    await network.deployer.send_wal(poor.address, Wei(WAL))
    with pytest.raises(NotEnoughGasMoney) as caught:
        await poor.approve_vault()
    assert caught.value.account == poor.address


async def test_register__term_too_long_or_batch_empty__refused(network: LocalNetwork) -> None:
    with pytest.raises(WrongTerm) as caught:
        await network.register(epochs=10_000)
    assert caught.value.epochs == 10_000
    with pytest.raises(WrongBatchSize):
        await network.alice.register([])


async def test_invalidate__twice__refused_the_second_time(network: LocalNetwork) -> None:
    accusation = network.accusation(InvalidityAttestation(BLOB, network.committee.epoch), range(4))
    await network.deployer.invalidate(BLOB, accusation.signers, accusation.signatures)
    with pytest.raises(AlreadyInvalid) as caught:
        await network.deployer.invalidate(BLOB, accusation.signers, accusation.signatures)
    assert caught.value.blob_id == BLOB


async def test_invalidate__by_f_only__refused(network: LocalNetwork) -> None:
    accusation = network.accusation(InvalidityAttestation(BLOB, network.committee.epoch), range(3))
    with pytest.raises(TooFewAccusers) as caught:
        await network.deployer.invalidate(BLOB, accusation.signers, accusation.signatures)
    assert (caught.value.required, caught.value.weight) == (4, 3)


async def test_certify__one_shard_short__refused(network: LocalNetwork) -> None:
    blob = (await network.register()).objects[0]
    certificate = network.certificate(network.attestation(blob), range(6))
    with pytest.raises(CertificateBelowQuorum) as caught:
        await network.alice.certify(blob, certificate.signers, certificate.signatures)
    assert (caught.value.blob_object, caught.value.required, caught.value.weight) == (blob, 7, 6)


async def test_certify__a_signature_twice_for_two_members__refused(network: LocalNetwork) -> None:
    blob = (await network.register()).objects[0]
    certificate = network.certificate(network.attestation(blob), range(6))
    with pytest.raises(WrongMemberSignature) as caught:
        await network.alice.certify(blob, 0b1111111, certificate.signatures + certificate.signatures[-65:])
    assert caught.value.member == 6


async def test_certify__a_strangers_signature_in_a_members_place__refused(network: LocalNetwork) -> None:
    blob = (await network.register()).objects[0]
    certificate = network.certificate(network.attestation(blob), range(6))
    stranger = LocalSigner(b"\x66" * 32)
    foreign = network.attestation(blob).sign(stranger, network.chain.registry_domain).signature
    with pytest.raises(WrongMemberSignature) as caught:
        await network.alice.certify(blob, 0b1111111, certificate.signatures + foreign)
    assert (caught.value.member, caught.value.recovered) == (6, stranger.address)


async def test_certify__signatures_short_of_the_bitmap__refused(network: LocalNetwork) -> None:
    blob = (await network.register()).objects[0]
    certificate = network.certificate(network.attestation(blob), range(7))
    with pytest.raises(WrongSignatureLength):
        await network.alice.certify(blob, certificate.signers, certificate.signatures[:-65])


async def test_certify__a_member_that_does_not_exist__refused(network: LocalNetwork) -> None:
    blob = (await network.register()).objects[0]
    certificate = network.certificate(network.attestation(blob), range(7))
    with pytest.raises(UnknownMember):
        await network.alice.certify(blob, certificate.signers << 10, certificate.signatures)


async def test_certify__replayed_for_another_object_of_the_blob__refused(network: LocalNetwork) -> None:
    first, second = (await network.register()).objects[0], (await network.register()).objects[0]
    certificate = network.certificate(network.attestation(first))
    with pytest.raises(WrongMemberSignature):
        await network.alice.certify(second, certificate.signers, certificate.signatures)


@pytest.mark.parametrize(
    "change", [{"epoch": 2}, {"deletable": False}, {"blob_id": BlobId(b"\x01" * 32)}], ids=lambda change: str(*change)
)
async def test_certify__signatures_over_other_words__refused(network: LocalNetwork, change: dict[str, object]) -> None:
    blob = (await network.register()).objects[0]
    attestation = replace(network.attestation(blob), **change)  # type: ignore[arg-type]
    certificate = network.certificate(attestation)
    with pytest.raises(WrongMemberSignature):
        await network.alice.certify(blob, certificate.signers, certificate.signatures)


async def test_certify__again__refused_with_the_status(network: LocalNetwork) -> None:
    blob = (await network.register()).objects[0]
    certificate = network.certificate(network.attestation(blob))
    await network.alice.certify(blob, certificate.signers, certificate.signatures)
    with pytest.raises(WrongStatus) as caught:
        await network.alice.certify(blob, certificate.signers, certificate.signatures)
    assert (caught.value.expected, caught.value.actual) == (BlobStatus.REGISTERED, BlobStatus.CERTIFIED)


async def test_delete__unknown_or_permanent_or_anothers__refused(network: LocalNetwork) -> None:
    with pytest.raises(UnknownObject):
        await network.alice.delete(BlobObjectId(99))
    permanent = (await network.register(deletable=False)).objects[0]
    with pytest.raises(NotDeletable):
        await network.alice.delete(permanent)
    blob = (await network.register()).objects[0]
    with pytest.raises(Rejected, match=f"neither owns blob object {blob}"):
        await Sender(network.chain, BOB).delete(blob)


async def test_transfer_and_attributes__of_anothers_object__refused(network: LocalNetwork) -> None:
    blob = (await network.register()).objects[0]
    bob = Sender(network.chain, BOB)
    with pytest.raises(ObjectNotYours):
        await bob.transfer(blob, bob.address)
    with pytest.raises(AttributesNotYours):
        await bob.set_attributes(blob, [Attribute("k", "v")])
    await network.alice.transfer(blob, bob.address)
    with pytest.raises(ObjectNotYours):
        await network.alice.transfer(blob, network.alice.address)


async def test_withdraw__more_than_the_claim__refused(network: LocalNetwork) -> None:
    with pytest.raises(ClaimTooSmall) as caught:
        await network.alice.withdraw(Wei(1))
    assert (caught.value.requested, caught.value.claim) == (1, 0)


async def test_nodes__keys_taken_stake_of_others_and_serving__refused(network: LocalNetwork) -> None:
    with pytest.raises(SignerTaken):
        await join(network.chain, network.alice, SIGNERS[0], "again", "region-1")
    with pytest.raises(StakeNotYours):
        await network.alice.set_commission(network.committee.members[0].node_id, 100)
    with pytest.raises(StakeTooSmall) as caught:
        await network.alice.undelegate(network.committee.members[0].node_id, Wei(1))
    assert (caught.value.requested, caught.value.active) == (1, 0)
    with pytest.raises(NothingDue):
        await network.alice.withdraw_unbonded(network.committee.members[0].node_id)
    with pytest.raises(CommitteeAlreadyFormed):
        await network.deployer.form_committee()


async def test_committee__before_it_is_formed__says_so(network: LocalNetwork) -> None:
    deployment = await deploy(network.chain.provider, DEPLOYER, PARAMETERS)
    with pytest.raises(CommitteeNotFormed):
        await Chain(network.chain.provider, deployment).committee()


async def test_chain__of_another_deployment__says_which_contract_is_missing(network: LocalNetwork) -> None:
    empty = {contract: Address("0x" + "99" * 20) for contract in network.chain.deployment.contracts}
    elsewhere = Deployment("elsewhere", network.chain.deployment.chain_id, 1, empty)
    with pytest.raises(ContractMissing, match="network elsewhere has no NetworkLens: there is no code"):
        await Chain(network.chain.provider, elsewhere).parameters()
    swapped = {**network.chain.deployment.contracts, "NetworkLens": network.chain.deployment.address("WAL")}
    with pytest.raises(Rejected):
        await Chain(network.chain.provider, replace(network.chain.deployment, contracts=swapped)).parameters()


async def test_chain__deployment_of_another_chain_id__says_so(network: LocalNetwork) -> None:
    other = replace(network.chain.deployment, chain_id=5)
    async with Chain.connect([network.url], other) as chain:
        with pytest.raises(WrongChain) as caught:
            await chain.parameters()
    assert (caught.value.expected, caught.value.actual) == (5, 31337)


async def test_error__never_tells_a_private_key(network: LocalNetwork) -> None:
    with pytest.raises(Rejected) as caught:
        await Sender(network.chain, ALICE).delete(BlobObjectId(99))
    assert ALICE.key.hex() not in repr(caught.value) + str(vars(caught.value))
