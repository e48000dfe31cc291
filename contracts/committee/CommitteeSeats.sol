// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ICommittee} from "../interfaces/ICommittee.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {RedStuffMath} from "../libraries/RedStuffMath.sol";
import {SeatRecord} from "../libraries/SeatRecord.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title CommitteeSeats
/// @notice The seats of the committee in office and of the selected one, signatures of those in office, and the record of
/// all committees before.
/// @dev Seats lie on two *sides*. One serves, the selected committee is written over the other, and when it takes office the
/// sides swap. So a change overwrites slots instead of making new ones, and {verify} reads one slot for each signer.
///
/// Invariants:
/// - Members stand in ascending order of their ids, each with at least one shard; their record says the same.
/// - What {membersOf}, {assignmentOf} and {seatOf} say of a committee that took office never changes.
abstract contract CommitteeSeats is ICommittee {
    using SeatRecord for SeatRecord.Record;

    /// @dev What was selected and not advanced to: nothing, the committee in office again, or another one.
    enum Selection {
        None,
        Kept,
        Other
    }

    /// @dev One slot.
    /// `since`: when the committee took office. `side`: of `_seats`, which one serves. `size`: how many members it has.
    /// `selectedSize`: how many the other side has.
    struct Office {
        Epoch epoch;
        Epoch previous;
        Epoch selected;
        Timestamp since;
        uint8 side;
        uint8 size;
        uint8 selectedSize;
        Selection selection;
    }

    uint256 private constant SIGNATURE_LENGTH = 65;

    INodeRegistry internal immutable _nodes;

    /// @inheritdoc ICommittee
    uint16 public immutable shards;

    /// @inheritdoc ICommittee
    uint16 public immutable faults;

    /// @inheritdoc ICommittee
    uint16 public immutable quorum;

    Office internal _office;

    /// @dev One slot each.
    Member[256][2] private _seats;

    mapping(Epoch officeEpoch => SeatRecord.Record) private _records;

    constructor(INodeRegistry nodes, uint16 shards_) {
        if (shards_ < RedStuffMath.MINIMUM_SHARDS || shards_ > RedStuffMath.MAXIMUM_SHARDS) {
            revert Committee_ShardsOutOfBounds(RedStuffMath.MINIMUM_SHARDS, RedStuffMath.MAXIMUM_SHARDS, shards_);
        }
        _nodes = nodes;
        shards = shards_;
        faults = uint16(RedStuffMath.faults(shards_));
        quorum = uint16(RedStuffMath.quorum(shards_));
    }

    /// @inheritdoc ICommittee
    /// @dev The seat of the same node in a committee that was selected and waits is renewed too, lest a key that was given up
    /// comes back with it.
    function refreshSigner(uint256 member) external {
        // Check: there is such a member.
        Office memory office = _office;
        if (member >= office.size) revert Committee_UnknownMember(office.size, 1 << member);
        Member storage seat = _seats[office.side][member];
        NodeId nodeId = seat.nodeId;
        address oldSigner = seat.signer;
        address newSigner = _nodes.signerOf(nodeId);

        // Effect: the new key speaks for it.
        if (office.selection == Selection.Other) {
            uint256 place = _records[office.selected].find(shards, office.selectedSize, nodeId);
            if (place < office.selectedSize) _seats[1 - office.side][place].signer = newSigner;
        }
        if (newSigner == oldSigner) return;
        seat.signer = newSigner;
        emit SignerRefreshed(office.epoch, member, oldSigner, newSigner);
    }

    /// @inheritdoc ICommittee
    function verify(bytes32 digest, uint256 signers, bytes calldata signatures) external view returns (uint16 weight) {
        // Check: the bitmap names members, and there is a signature for each.
        uint256 size = _office.size;
        if (size == 0) revert Committee_NotFormed();
        if (signers == 0 || signers >> size != 0) revert Committee_UnknownMember(size, signers);
        uint256 expected = Bitmap.count(signers) * SIGNATURE_LENGTH;
        if (signatures.length != expected) revert Committee_WrongSignatureLength(expected, signatures.length);

        // Check: each signature is its member's.
        Member[256] storage serving = _seats[_office.side];
        uint256 offset = 0;
        for (uint256 member = 0; signers >> member != 0; member++) {
            if ((signers >> member) & 1 == 0) continue;
            Member memory seat = serving[member];
            bytes calldata signature = signatures[offset:offset + SIGNATURE_LENGTH];
            // A malformed signature recovers the zero address, which is never a signer.
            (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
            if (recovered != seat.signer) revert Committee_WrongSignature(member, seat.signer, recovered);
            offset += SIGNATURE_LENGTH;
            weight += seat.weight;
        }
    }

    /// @inheritdoc ICommittee
    function epoch() external view returns (Epoch) {
        return _office.epoch;
    }

    /// @inheritdoc ICommittee
    function previousEpoch() external view returns (Epoch) {
        return _office.previous;
    }

    /// @inheritdoc ICommittee
    function selectedEpoch() external view returns (Epoch) {
        return _office.selected;
    }

    /// @inheritdoc ICommittee
    function seatOf(Epoch officeEpoch, NodeId nodeId) public view returns (uint256 member, uint256 shards_) {
        SeatRecord.Record storage record = _records[officeEpoch];
        uint256 size = record.sizeOf();
        member = record.find(shards, size, nodeId);
        if (member == size) return (0, 0);
        shards_ = record.shardsOf(shards, member);
    }

    /// @inheritdoc ICommittee
    function membersOf(Epoch officeEpoch) external view returns (NodeId[] memory) {
        return _records[officeEpoch].nodeIdsOf(shards);
    }

    /// @inheritdoc ICommittee
    function assignmentOf(Epoch officeEpoch) public view returns (bytes memory) {
        SeatRecord.Record storage record = _records[officeEpoch];
        return record.sizeOf() == 0 ? new bytes(0) : record.assignmentOf(shards);
    }

    /// @inheritdoc ICommittee
    function memberCount() external view returns (uint256) {
        return _office.size;
    }

    /// @inheritdoc ICommittee
    function members() external view returns (Member[] memory) {
        return _membersOn(_office.side, _office.size);
    }

    /// @inheritdoc ICommittee
    function ownerOfShard(uint16 shard) external view returns (NodeId) {
        if (_office.size == 0) revert Committee_NotFormed();
        if (shard >= shards) revert Committee_UnknownShard(shards, shard);
        SeatRecord.Record storage record = _records[_office.epoch];
        return record.nodeIdOf(shards, record.memberOf(shard));
    }

    /// @inheritdoc ICommittee
    function assignment() external view returns (bytes memory) {
        return assignmentOf(_office.epoch);
    }

    /// @inheritdoc ICommittee
    function weightOf(NodeId nodeId) external view returns (uint16) {
        Office memory office = _office;
        uint256 member = _records[office.epoch].find(shards, office.size, nodeId);
        return member == office.size ? 0 : _seats[office.side][member].weight;
    }

    /// @dev The node that has each shard now.
    function _owners() internal view returns (uint256[] memory owners) {
        SeatRecord.Record storage record = _records[_office.epoch];
        NodeId[] memory nodeIds = record.nodeIdsOf(shards);
        bytes memory serving = record.assignmentOf(shards);
        owners = new uint256[](serving.length);
        for (uint256 shard = 0; shard < owners.length; shard++) {
            owners[shard] = NodeId.unwrap(nodeIds[uint8(serving[shard])]);
        }
    }

    /// @dev Whether the committee in office, which has as many members, has the same keys.
    function _hasSigners(address[] memory signers) internal view returns (bool) {
        Member[256] storage serving = _seats[_office.side];
        for (uint256 member = 0; member < signers.length; member++) {
            if (serving[member].signer != signers[member]) return false;
        }
        return true;
    }

    /// @dev Writes the seats and the record of a committee that may take office in `epoch_`.
    function _writeSelected(
        Epoch epoch_,
        NodeId[] memory nodeIds,
        address[] memory signers,
        uint256[] memory weights,
        bytes memory assignment_
    ) internal {
        Member[256] storage selected = _seats[1 - _office.side];
        for (uint256 member = 0; member < nodeIds.length; member++) {
            // Weights are at most 255.
            // forge-lint: disable-next-line(unsafe-typecast)
            selected[member] = Member(nodeIds[member], signers[member], uint16(weights[member]));
        }
        _records[epoch_].write(nodeIds, assignment_);
        // Members have a shard each, and shards are at most 255.
        // forge-lint: disable-next-line(unsafe-typecast)
        _office.selectedSize = uint8(nodeIds.length);
    }

    /// @dev Swaps the sides: the committee that was written for `epoch_` serves. Emits {CommitteeFormed}.
    function _takeOffice(Epoch epoch_) internal {
        Office memory office = _office;
        (office.previous, office.epoch) = (office.epoch, epoch_);
        office.since = Timestamp.wrap(uint64(block.timestamp));
        office.side = 1 - office.side;
        (office.size, office.selectedSize) = (office.selectedSize, 0);
        office.selection = Selection.None;
        _office = office;
        _records[epoch_].open(office.size);

        Member[] memory serving = _membersOn(office.side, office.size);
        NodeId[] memory nodeIds = new NodeId[](serving.length);
        address[] memory signers = new address[](serving.length);
        for (uint256 member = 0; member < serving.length; member++) {
            (nodeIds[member], signers[member]) = (serving[member].nodeId, serving[member].signer);
        }
        emit CommitteeFormed(epoch_, nodeIds, signers, assignmentOf(epoch_));
    }

    function _membersOn(uint256 side, uint256 size) private view returns (Member[] memory found) {
        found = new Member[](size);
        for (uint256 member = 0; member < size; member++) {
            found[member] = _seats[side][member];
        }
    }
}
