"""t nodes open, t - 1 learn nothing; a wrong share is named; an envelope counts for one identity and in one form."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.crypto.conftest import (
    CONTRACT,
    DATA_KEY,
    IDENTITY,
    OTHER_IDENTITIES,
    POLICY,
    Nodes,
    chance,
)
from walrus_chain.crypto.chunks import ChunkCipher
from walrus_chain.crypto.curve import ORDER
from walrus_chain.crypto.envelope import (
    MAXIMUM_RECIPIENTS,
    KeyEnvelope,
    Recipient,
    VerifiedShare,
    majority,
    seal,
)
from walrus_chain.crypto.node_key import MasterKey, PublicKey
from walrus_chain.crypto.threshold import KeyIdentity, check_share, join, make_share, split
from walrus_chain.errors import (
    EnvelopeNotOpened,
    MalformedEnvelope,
    MalformedIdentity,
    MalformedKey,
    NotARecipient,
    NotEnoughShares,
    SealedToOtherKey,
    WrongLength,
    WrongSealing,
    WrongShare,
)
from walrus_chain.types import Address, BlobObjectId, NodeId

SEALED = Nodes(3).seal(2)
HEAD_BYTES = 4


@pytest.mark.parametrize("threshold", [1, 2, 3, 5])
def test_open__every_subset_of_t__gives_the_data_key(nodes: Nodes, threshold: int) -> None:
    envelope = nodes.seal(threshold)
    shares = [nodes.share(node, envelope) for node in nodes.keys]
    for subset in combinations(shares, threshold):
        assert envelope.open(IDENTITY, reversed(subset)) == DATA_KEY
    assert envelope.open(IDENTITY, shares) == DATA_KEY


@pytest.mark.parametrize("threshold", [2, 3, 5])
def test_open__every_subset_of_t_minus_1__learns_nothing(nodes: Nodes, threshold: int) -> None:
    """Not by opening, not as a smaller threshold, and not from its parts: these fit every secret equally well."""
    envelope = nodes.seal(threshold)
    shares = [nodes.share(node, envelope) for node in nodes.keys]
    for subset in combinations(shares, threshold - 1):
        with pytest.raises(NotEnoughShares) as error:
            envelope.open(IDENTITY, subset)
        assert (error.value.have, error.value.needed) == (threshold - 1, threshold)
        with pytest.raises(NotEnoughShares):
            envelope.open(IDENTITY, [*subset, *subset])
        with pytest.raises(EnvelopeNotOpened):
            replace(envelope, threshold=threshold - 1).open(IDENTITY, subset)

        parts = {int(share.node): envelope.part_of(share) for share in subset}
        missing = next(int(node) for node in nodes.keys if node not in parts)
        for secret in (0, 1, ORDER - 1, int.from_bytes(DATA_KEY, "big") % ORDER):
            completing = join_at(missing, {0: secret, **parts})
            assert join({missing: completing, **parts}) == secret


def join_at(place: int, points: dict[int, int]) -> int:
    """The value at `place` of the polynomial through `points`: its secret, with all places moved."""
    return join({(x - place) % ORDER: value for x, value in points.items()})


def test_parts__of_t_nodes__give_the_secret_that_others_give(nodes: Nodes) -> None:
    envelope = nodes.seal(3)
    parts = {int(node): envelope.part_of(nodes.share(node, envelope)) for node in nodes.keys}
    secrets = {join(dict(subset)) for subset in combinations(parts.items(), 3)}
    assert len(secrets) == 1
    assert len({join(dict(subset)) for subset in combinations(parts.items(), 2)} | secrets) == 11


@given(
    secret=st.integers(0, ORDER - 1),
    places=st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=8, unique=True),
    data=st.data(),
)
@settings(max_examples=50, deadline=None)
def test_split__any_t_parts__give_the_secret(secret: int, places: list[int], data: st.DataObject) -> None:
    threshold = data.draw(st.integers(1, len(places)))
    parts = dict(zip(places, split(secret, threshold, places, chance(5)), strict=True))
    chosen = data.draw(st.permutations(places))[:threshold]
    assert join({place: parts[place] for place in chosen}) == secret


def test_verify_share__wrong_share__names_the_node(nodes: Nodes) -> None:
    envelope = nodes.seal(2)
    good = make_share(nodes.keys[NodeId(2)], IDENTITY)
    for bad in (
        make_share(nodes.keys[NodeId(3)], IDENTITY),
        make_share(MasterKey.generate(chance(77)), IDENTITY),
        b"",
        bytes(48),
        b"\xc0" + bytes(47),
        good[:-1],
        good + b"\0",
        bytes([good[0] ^ 0x20]) + good[1:],
    ):
        with pytest.raises(WrongShare, match="node 2") as error:
            envelope.verify_share(NodeId(2), bad, IDENTITY, nodes.keys[NodeId(2)].public)
        assert error.value.node == 2
        assert bad.hex()[2:10] not in str(error.value) or not bad
    assert envelope.verify_share(NodeId(2), good, IDENTITY, nodes.keys[NodeId(2)].public).node == 2


@pytest.mark.parametrize("other", OTHER_IDENTITIES)
def test_share__for_another_identity__refused_and_does_not_open(nodes: Nodes, other: str) -> None:
    envelope, elsewhere = nodes.seal(2), OTHER_IDENTITIES[other]
    for node, key in nodes.keys.items():
        with pytest.raises(WrongShare):
            envelope.verify_share(node, make_share(key, elsewhere), IDENTITY, key.public)
    shares = [nodes.share(node, envelope, elsewhere) for node in nodes.keys]
    with pytest.raises(NotEnoughShares):
        envelope.open(IDENTITY, shares)
    with pytest.raises(EnvelopeNotOpened):
        envelope.open(elsewhere, shares)
    posing = [replace(share, identity=IDENTITY) for share in shares]
    with pytest.raises(EnvelopeNotOpened):
        envelope.open(IDENTITY, posing)


def test_proof_of_possession__used_as_a_share__is_none(nodes: Nodes) -> None:
    """Both are a point times the master key; the points come from hashes with different tags."""
    from walrus_chain.crypto.node_key import node_key

    envelope = nodes.seal(1)
    key = nodes.keys[NodeId(1)]
    for account in (CONTRACT, POLICY):
        with pytest.raises(WrongShare):
            envelope.verify_share(NodeId(1), node_key(key, account)[96:], IDENTITY, key.public)


def opened_by_two(nodes: Nodes, data: bytes) -> bytes:
    """The data key that nodes 1 and 2 find in an envelope."""
    envelope = KeyEnvelope.from_bytes(data)
    return envelope.open(IDENTITY, [nodes.share(node, envelope) for node in (NodeId(1), NodeId(2))])


@given(bit=st.integers(0, len(SEALED.to_bytes()) * 8 - 1))
@settings(max_examples=150, deadline=None)
def test_envelope__any_bit_flipped__refused(bit: int) -> None:
    nodes = Nodes(3)
    data = bytearray(SEALED.to_bytes())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises((MalformedEnvelope, NotARecipient, SealedToOtherKey, EnvelopeNotOpened, NotEnoughShares)):
        opened_by_two(nodes, bytes(data))


@given(data=st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: SEALED.to_bytes()[:100] + tail))
@settings(deadline=None)
def test_envelope__any_other_bytes__refused(data: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        KeyEnvelope.from_bytes(data)


def test_envelope__head_out_of_bounds__refused_with_the_reason() -> None:
    whole = SEALED.to_bytes()
    for place, value, why in (
        (0, 0, "version"),
        (0, 2, "version"),
        (1, 2, "flags"),
        (1, 1, "bytes"),
        (2, 0, "recipients"),
        (2, 4, "recipients"),
        (3, 0, "recipients"),
        (3, 1, "recipients"),
        (3, 2, "bytes"),
        (3, 33, "recipients"),
    ):
        data = bytearray(whole)
        data[place] = value
        with pytest.raises(MalformedEnvelope, match=why):
            KeyEnvelope.from_bytes(bytes(data))
    for data_of in (whole[:-1], whole + b"\0", whole[:3], b""):
        with pytest.raises(MalformedEnvelope):
            KeyEnvelope.from_bytes(data_of)


@pytest.mark.parametrize("order", [(1, 1, 3), (0, 2, 3), (2, 1, 3), (1, 3, 2)])
def test_envelope__nodes_twice_or_out_of_order__refused(order: tuple[int, ...]) -> None:
    entries = tuple(replace(entry, node=NodeId(node)) for entry, node in zip(SEALED.entries, order, strict=True))
    with pytest.raises(MalformedEnvelope, match="ascending"):
        KeyEnvelope.from_bytes(replace(SEALED, entries=entries).to_bytes())


def test_envelope__commitment_is_the_identity__refused() -> None:
    """It would mask every part with the same bytes, which everybody knows."""
    data = replace(SEALED, commitment=b"\xc0" + bytes(95)).to_bytes()
    with pytest.raises(MalformedEnvelope, match="commitment"):
        KeyEnvelope.from_bytes(data)
    nodes, broken = Nodes(3), replace(SEALED, commitment=b"\xc0" + bytes(95))
    shares = [nodes.share(node, broken) for node in (NodeId(1), NodeId(2))]
    with pytest.raises(EnvelopeNotOpened):
        broken.open(IDENTITY, shares)


def test_envelope__printed__shows_no_secret(nodes: Nodes) -> None:
    envelope = nodes.seal(2)
    share = nodes.share(NodeId(1), envelope)
    shown = f"{envelope!r} {share!r}"
    assert DATA_KEY.hex() not in shown
    assert share.point.to_compressed_bytes().hex() not in shown


def test_open__share_of_a_node_that_is_not_named__refused(nodes: Nodes) -> None:
    envelope = nodes.seal(1)
    stranger = replace(nodes.share(NodeId(1), envelope), node=NodeId(9))
    with pytest.raises(NotARecipient):
        envelope.open(IDENTITY, [stranger])
    with pytest.raises(NotARecipient):
        envelope.verify_share(NodeId(9), bytes(48), IDENTITY, nodes.keys[NodeId(1)].public)


def test_verify_share__node_has_another_key_now__says_which(nodes: Nodes) -> None:
    envelope = nodes.seal(2)
    rotated = MasterKey.generate(chance(123))
    with pytest.raises(SealedToOtherKey) as error:
        envelope.verify_share(NodeId(1), make_share(rotated, IDENTITY), IDENTITY, rotated.public)
    assert error.value.expected == nodes.keys[NodeId(1)].public.key_id
    assert error.value.actual == rotated.public.key_id
    assert nodes.share(NodeId(1), envelope).node == 1


def test_seal__again_for_other_nodes_and_the_next_epoch__ciphertext_untouched(nodes: Nodes) -> None:
    salt = bytes(16)
    ciphertext = ChunkCipher(DATA_KEY, salt).seal(0, True, b"private")
    old = nodes.seal(3)
    opened = old.open(IDENTITY, [nodes.share(node, old) for node in list(nodes.keys)[:3]])

    newcomers = {NodeId(node): MasterKey.generate(chance(node)) for node in (10, 11)}
    following = OTHER_IDENTITIES["epoch"]
    recipients = [Recipient(node, key.public) for node, key in newcomers.items()]
    new = seal(opened, following, recipients, 2, chance(7))

    shares = [
        new.verify_share(node, make_share(key, following), following, key.public) for node, key in newcomers.items()
    ]
    assert ChunkCipher(new.open(following, shares), salt).open(0, True, ciphertext) == b"private"
    with pytest.raises(EnvelopeNotOpened):
        old.open(following, [nodes.share(node, old, following) for node in nodes.keys])
    assert new.wrapped != old.wrapped


def test_seal__same_key_twice__nothing_in_common(nodes: Nodes) -> None:
    one, two = nodes.seal(2, seed=1), nodes.seal(2, seed=2)
    assert one.commitment != two.commitment
    assert one.wrapped != two.wrapped
    assert all(a.masked != b.masked for a, b in zip(one.entries, two.entries, strict=True))


@pytest.fixture
def erasable() -> dict[NodeId, MasterKey]:
    """What nodes keep for one object alone."""
    return {NodeId(node): MasterKey.generate(chance(1000 + node)) for node in range(1, 6)}


def test_erasable__node_forgot_its_key__nobody_opens_even_with_the_master_keys(
    nodes: Nodes, erasable: dict[NodeId, MasterKey]
) -> None:
    recipients = [Recipient(node, key.public, erasable[node].public) for node, key in nodes.keys.items()]
    envelope = seal(DATA_KEY, IDENTITY, recipients, 3, chance(3))
    assert envelope.is_erasable
    before = [
        envelope.verify_share(node, make_share(key, IDENTITY, erasable[node]), IDENTITY, key.public)
        for node, key in nodes.keys.items()
    ]
    assert envelope.open(IDENTITY, before[:3]) == DATA_KEY

    erasable.clear()

    after = []
    for node, key in nodes.keys.items():
        share = make_share(key, IDENTITY)
        with pytest.raises(WrongShare):
            envelope.verify_share(node, share, IDENTITY, key.public)
        after.append(VerifiedShare(node, IDENTITY, check_share(node, share, IDENTITY, key.public)))
    for subset in combinations(after, 3):
        with pytest.raises(EnvelopeNotOpened):
            envelope.open(IDENTITY, subset)
    with pytest.raises(EnvelopeNotOpened):
        envelope.open(IDENTITY, [*before[:2], after[2]])


def test_erasable__round_trip__and_every_key_checked(nodes: Nodes, erasable: dict[NodeId, MasterKey]) -> None:
    recipients = [Recipient(node, key.public, erasable[node].public) for node, key in nodes.keys.items()]
    envelope = seal(DATA_KEY, IDENTITY, recipients, 3, chance(3))
    data = envelope.to_bytes()
    assert len(data) == 148 + 140 * 5
    assert KeyEnvelope.from_bytes(data) == envelope
    place = HEAD_BYTES + 96 + 44
    with pytest.raises(MalformedEnvelope, match="erasable key of node 1"):
        KeyEnvelope.from_bytes(data[:place] + b"\xc0" + bytes(95) + data[place + 96 :])


def test_erasable__key_that_cancels_out_the_nodes__refused(nodes: Nodes) -> None:
    key = nodes.keys[NodeId(1)]
    negative = MasterKey((ORDER - int.from_bytes(key.to_bytes(), "big")).to_bytes(32, "big"))
    with pytest.raises(MalformedKey, match="cancels"):
        seal(DATA_KEY, IDENTITY, [Recipient(NodeId(1), key.public, negative.public)], 1, chance())


def test_seal__recipients_that_cannot_be__refused(nodes: Nodes) -> None:
    key = nodes.keys[NodeId(1)].public
    for recipients, threshold in (
        ([], 1),
        ([Recipient(NodeId(1), key)], 0),
        ([Recipient(NodeId(1), key)], 2),
        ([Recipient(NodeId(1), key), Recipient(NodeId(1), key)], 1),
        ([Recipient(NodeId(0), key)], 1),
        ([Recipient(NodeId(2**32), key)], 1),
        ([Recipient(NodeId(node + 1), key) for node in range(MAXIMUM_RECIPIENTS + 1)], 1),
        ([Recipient(NodeId(1), key), Recipient(NodeId(2), key, key)], 1),
    ):
        with pytest.raises(WrongSealing):
            seal(DATA_KEY, IDENTITY, recipients, threshold, chance())
    for length in (0, 31, 33):
        with pytest.raises(WrongLength):
            seal(bytes(length), IDENTITY, nodes.recipients(), 1, chance())


def test_seal__most_recipients_with_erasable_keys__fits_the_chain() -> None:
    """8,192 bytes are the most that the contract takes."""
    key = PublicKey(MasterKey.generate(chance(1)).public.data)
    recipients = [Recipient(NodeId(node), key, key) for node in range(1, MAXIMUM_RECIPIENTS + 1)]
    assert len(seal(DATA_KEY, IDENTITY, recipients, 17, chance()).to_bytes()) == 4628 < 8192


def test_identity__fields_that_cannot_be__refused() -> None:
    for wrong in (
        {"chain_id": -1},
        {"chain_id": 2**256},
        {"blob_object": BlobObjectId(2**256)},
        {"key_epoch": 2**32},
        {"blob_policies": Address("0x12")},
        {"access_policy": Address("zz" * 21)},
        {"access_policy": Address("0x" + "zz" * 20)},
    ):
        with pytest.raises(MalformedIdentity):
            replace(IDENTITY, **wrong)


def test_identity__distinct__distinct_bytes() -> None:
    identities: list[KeyIdentity] = [IDENTITY, *OTHER_IDENTITIES.values()]
    assert len({identity.to_bytes() for identity in identities}) == 6
    assert {len(identity.to_bytes()) for identity in identities} == {121}


@pytest.mark.parametrize(("count", "threshold"), [(1, 1), (2, 2), (3, 2), (4, 3), (10, 6), (32, 17)])
def test_majority__more_than_half(count: int, threshold: int) -> None:
    assert majority(count) == threshold
