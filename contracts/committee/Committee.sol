// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ICommittee} from "../interfaces/ICommittee.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {Apportionment} from "../libraries/Apportionment.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {RedStuffMath} from "../libraries/RedStuffMath.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title Committee
/// @notice Knows which node serves which shard, and checks that enough of them signed.
/// @dev Flow: {form} reads candidates and stakes -> {Apportionment} divides the shards -> the members are in office and
/// {verify} counts their signatures, for good: another committee takes over when epochs change, which is not built yet.
///
/// Invariants: I3 and I4, see {ICommittee}; members stand in ascending order of their ids, each with at least one shard.
contract Committee is ICommittee {
    /// @dev The blob registry counts epochs with 24 bits: these last for five years at least.
    uint64 private constant MINIMUM_EPOCH_SECONDS = 10;
    uint64 private constant MAXIMUM_EPOCH_SECONDS = 366 days;
    uint256 private constant MAXIMUM_CANDIDATES = 255;
    uint256 private constant SIGNATURE_LENGTH = 65;

    INodeRegistry private immutable _nodes;
    IStaking private immutable _staking;
    Timestamp private immutable _genesisTime;

    /// @inheritdoc ICommittee
    address public immutable genesis;

    /// @inheritdoc ICommittee
    uint64 public immutable epochSeconds;

    /// @inheritdoc ICommittee
    uint16 public immutable shards;

    /// @inheritdoc ICommittee
    uint16 public immutable faults;

    /// @inheritdoc ICommittee
    uint16 public immutable quorum;

    /// @inheritdoc ICommittee
    Epoch public epoch;

    /// @dev One slot each; {verify} reads those of the signers only.
    Member[] private _members;
    bytes private _assignment;

    /// @param nodes Says who the nodes are.
    /// @param staking Says which of them are candidates and what stands behind them.
    /// @param shards_ n, 4 to 255.
    /// @param epochSeconds_ Length of an epoch, 10 seconds to 366 days; epoch 1 begins with this block.
    /// @param genesis_ The account that forms the first committee.
    constructor(INodeRegistry nodes, IStaking staking, uint16 shards_, uint64 epochSeconds_, address genesis_) {
        if (shards_ < RedStuffMath.MINIMUM_SHARDS || shards_ > RedStuffMath.MAXIMUM_SHARDS) {
            revert Committee_ShardsOutOfBounds(RedStuffMath.MINIMUM_SHARDS, RedStuffMath.MAXIMUM_SHARDS, shards_);
        }
        if (epochSeconds_ < MINIMUM_EPOCH_SECONDS || epochSeconds_ > MAXIMUM_EPOCH_SECONDS) {
            revert Committee_EpochSecondsOutOfBounds(MINIMUM_EPOCH_SECONDS, MAXIMUM_EPOCH_SECONDS, epochSeconds_);
        }
        if (genesis_ == address(0)) revert Committee_ZeroGenesis();
        _nodes = nodes;
        _staking = staking;
        _genesisTime = Timestamp.wrap(uint64(block.timestamp));
        genesis = genesis_;
        epochSeconds = epochSeconds_;
        shards = shards_;
        faults = uint16(RedStuffMath.faults(shards_));
        quorum = uint16(RedStuffMath.quorum(shards_));
    }

    /// @inheritdoc ICommittee
    function form() external {
        // Check: genesis, once, from somebody.
        if (msg.sender != genesis) revert Committee_CallerNotGenesis(genesis, msg.sender);
        if (Epoch.unwrap(epoch) != 0) revert Committee_AlreadyFormed(epoch);
        uint256[] memory candidates = _candidates();
        uint256[] memory weights = _weightsOf(candidates);

        // Effect: who got shards is in office.
        epoch = currentEpoch();
        (NodeId[] memory nodeIds, address[] memory signers, uint256[] memory held) = _seat(candidates, weights);
        bytes memory assignment_ = Apportionment.deal(held, shards);
        _assignment = assignment_;
        emit CommitteeFormed(epoch, nodeIds, signers, assignment_);
    }

    /// @inheritdoc ICommittee
    function refreshSigner(uint256 member) external {
        // Check: there is such a member.
        if (member >= _members.length) revert Committee_UnknownMember(_members.length, 1 << member);
        Member storage seat = _members[member];
        address oldSigner = seat.signer;
        address newSigner = _nodes.signerOf(seat.nodeId);
        if (newSigner == oldSigner) return;

        // Effect: the new key speaks for it.
        seat.signer = newSigner;
        emit SignerRefreshed(epoch, member, oldSigner, newSigner);
    }

    /// @inheritdoc ICommittee
    function verify(bytes32 digest, uint256 signers, bytes calldata signatures) external view returns (uint16 weight) {
        // Check: the bitmap names members, and there is a signature for each.
        uint256 size = _members.length;
        if (size == 0) revert Committee_NotFormed();
        if (signers == 0 || signers >> size != 0) revert Committee_UnknownMember(size, signers);
        uint256 expected = Bitmap.count(signers) * SIGNATURE_LENGTH;
        if (signatures.length != expected) revert Committee_WrongSignatureLength(expected, signatures.length);

        // Check: each signature is its member's.
        uint256 offset = 0;
        for (uint256 member = 0; signers >> member != 0; member++) {
            if ((signers >> member) & 1 == 0) continue;
            Member memory seat = _members[member];
            bytes calldata signature = signatures[offset:offset + SIGNATURE_LENGTH];
            // A malformed signature recovers the zero address, which is never a signer.
            (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
            if (recovered != seat.signer) revert Committee_WrongSignature(member, seat.signer, recovered);
            offset += SIGNATURE_LENGTH;
            weight += seat.weight;
        }
    }

    /// @inheritdoc ICommittee
    function currentEpoch() public view returns (Epoch) {
        return EpochClock.current(_genesisTime, epochSeconds);
    }

    /// @inheritdoc ICommittee
    function startOf(Epoch epoch_) external view returns (Timestamp) {
        return EpochClock.startOf(_genesisTime, epochSeconds, epoch_);
    }

    /// @inheritdoc ICommittee
    function members() external view returns (Member[] memory) {
        return _members;
    }

    /// @inheritdoc ICommittee
    function ownerOfShard(uint16 shard) external view returns (NodeId) {
        if (_members.length == 0) revert Committee_NotFormed();
        if (shard >= shards) revert Committee_UnknownShard(shards, shard);
        return _members[uint8(_assignment[shard])].nodeId;
    }

    /// @inheritdoc ICommittee
    function assignment() external view returns (bytes memory) {
        return _assignment;
    }

    /// @inheritdoc ICommittee
    /// @dev Members stand in ascending order of their ids, so a binary search finds one.
    function weightOf(NodeId nodeId) external view returns (uint16) {
        uint256 low = 0;
        uint256 high = _members.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            Member memory seat = _members[middle];
            if (seat.nodeId == nodeId) return seat.weight;
            if (NodeId.unwrap(seat.nodeId) < NodeId.unwrap(nodeId)) low = middle + 1;
            else high = middle;
        }
        return 0;
    }

    /// @dev The candidates' ids in ascending order.
    function _candidates() private view returns (uint256[] memory sorted) {
        NodeId[] memory found = _staking.candidates();
        if (found.length == 0) revert Committee_NoEligibleNode(_nodes.nodeCount());
        if (found.length > MAXIMUM_CANDIDATES) revert Committee_TooManyNodes(MAXIMUM_CANDIDATES, found.length);
        sorted = new uint256[](found.length);
        for (uint256 i = 0; i < found.length; i++) {
            sorted[i] = NodeId.unwrap(found[i]);
        }
        return Arrays.sort(sorted);
    }

    function _weightsOf(uint256[] memory candidates) private view returns (uint256[] memory) {
        uint256[] memory stakes = new uint256[](candidates.length);
        bytes32[] memory regions = new bytes32[](candidates.length);
        for (uint256 i = 0; i < candidates.length; i++) {
            NodeId nodeId = NodeId.wrap(uint32(candidates[i]));
            stakes[i] = Amount.unwrap(_staking.stakeOf(nodeId));
            regions[i] = _nodes.regionOf(nodeId);
        }
        return Apportionment.apportion(stakes, regions, shards, faults);
    }

    /// @dev Makes members of the candidates that got shards.
    function _seat(uint256[] memory candidates, uint256[] memory weights)
        private
        returns (NodeId[] memory nodeIds, address[] memory signers, uint256[] memory held)
    {
        uint256 size = 0;
        for (uint256 i = 0; i < weights.length; i++) {
            if (weights[i] != 0) size++;
        }
        nodeIds = new NodeId[](size);
        signers = new address[](size);
        held = new uint256[](size);
        uint256 member = 0;
        for (uint256 i = 0; i < weights.length; i++) {
            if (weights[i] == 0) continue;
            nodeIds[member] = NodeId.wrap(uint32(candidates[i]));
            signers[member] = _nodes.signerOf(nodeIds[member]);
            held[member] = weights[i];
            _members.push(Member({nodeId: nodeIds[member], signer: signers[member], weight: uint16(weights[i])}));
            member++;
        }
    }
}
