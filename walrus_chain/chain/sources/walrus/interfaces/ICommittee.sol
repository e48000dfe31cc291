// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title ICommittee
/// @notice Which node serves which shard, and whose signatures make a quorum.
/// @dev Glossary: n shards, f = (n - 1) / 3 of them may be faulty, a *quorum* is n - f shards. A *member* is a node of
/// the committee, named by its place 0..m-1 in the member list; its *weight* is how many shards it serves.
///
/// A committee is named by the epoch in which it took office. A shard *moves* when another node gets it; it is *pending*
/// until that node signals that it has the shard's slivers.
///
/// Flow: nodes register and stake; the genesis account calls {form} once. From the half of each epoch on anybody may
/// {selectCommittee} for the next one, and {advanceEpoch} once that has begun. New owners fetch their shards and signal
/// {epochSyncDone}; when at most f shards are pending the change is done. Where nobody calls, the committee goes on serving.
///
/// Invariant I3: every shard belongs to exactly one member, and the weights add up to n.
/// Invariant I4: no region holds more than f shards whenever the regions that take part allow it (R regions with
/// R * f >= n do); when they are too few, the cap is the lowest one with which all shards find a place.
interface ICommittee {
    /// @notice A node that serves.
    struct Member {
        NodeId nodeId;
        address signer;
        uint16 weight;
    }

    /// @notice Emitted when a committee took office.
    /// @param epoch The epoch in which it took office; attestations name it.
    /// @param members Nodes by member index, in ascending order of their ids.
    /// @param signers The key of each member.
    /// @param assignment One byte a shard: the member index that serves it.
    event CommitteeFormed(Epoch indexed epoch, NodeId[] members, address[] signers, bytes assignment);

    /// @notice Emitted when the committee of an epoch to come was fixed.
    /// @param kept Whether it is the same as the one in office: members, keys and shards.
    event CommitteeSelected(Epoch indexed epoch, NodeId[] members, bytes assignment, bool kept);

    /// @notice Emitted after {CommitteeFormed} when a committee relieved another.
    /// @param previous The epoch in which the relieved one took office.
    /// @param moved Bit s is set when shard s has another node than before.
    event EpochChangeStarted(Epoch indexed epoch, Epoch previous, uint256 moved);

    /// @notice Emitted when an epoch was advanced to and its committee is the one in office since `officeEpoch`.
    event EpochKept(Epoch indexed epoch, Epoch indexed officeEpoch);

    /// @notice Emitted when a node signalled that it has shards that came to it.
    /// @param shards Bit s is set when shard s is not pending any more.
    event ShardsSynced(Epoch indexed epoch, NodeId indexed nodeId, uint256 shards);

    /// @notice Emitted when at most f shards were left pending.
    event EpochChangeDone(Epoch indexed epoch);

    /// @notice Emitted when a member's rotated key was taken over into the committee.
    event SignerRefreshed(Epoch indexed epoch, uint256 indexed member, address oldSigner, address newSigner);

    /// @notice Thrown when somebody other than the genesis account forms the committee.
    error Committee_CallerNotGenesis(address genesis, address caller);

    /// @notice Thrown when a committee serves already.
    error Committee_AlreadyFormed(Epoch epoch);

    /// @notice Thrown when no committee serves yet.
    error Committee_NotFormed();

    /// @notice Thrown when no candidate is eligible.
    error Committee_NoEligibleNode(uint32 registered);

    /// @notice Thrown when the committee of the epoch that is due was selected already.
    /// @param target The epoch that is due; the next one comes at the half of the present epoch.
    error Committee_AlreadySelected(Epoch target);

    /// @notice Thrown when a committee is selected while shards are on their way.
    /// @param pending Shards whose new nodes did not signal yet.
    /// @param until When the next change may begin all the same.
    error Committee_ChangeUnderWay(uint256 pending, Timestamp until);

    /// @notice Thrown when no committee was selected for the present epoch.
    error Committee_NothingSelected(Epoch currentEpoch, Epoch selectedEpoch);

    /// @notice Thrown when committees would change while nodes are asked for custody proofs.
    error Committee_WindowOpen(Epoch epoch);

    /// @notice Thrown when somebody signals for a node who is neither its operator nor its signer.
    error Committee_CallerNotNode(NodeId nodeId, address operator, address signer, address caller);

    /// @notice Thrown when a node signals that has no pending shard.
    error Committee_NothingPending(NodeId nodeId);

    /// @notice Thrown at construction when the number of shards is out of bounds.
    error Committee_ShardsOutOfBounds(uint16 minimum, uint16 maximum, uint16 shards);

    /// @notice Thrown at construction when the length of an epoch is out of bounds.
    error Committee_EpochSecondsOutOfBounds(uint64 minimum, uint64 maximum, uint64 epochSeconds);

    /// @notice Thrown at construction when the longest time for a change is out of bounds.
    error Committee_SyncSecondsOutOfBounds(uint64 minimum, uint64 maximum, uint64 syncSeconds);

    /// @notice Thrown at construction when the genesis account is the zero address.
    error Committee_ZeroGenesis();

    /// @notice Thrown when there is no such shard.
    error Committee_UnknownShard(uint16 shards, uint16 shard);

    /// @notice Thrown when the signer bitmap names a member that does not exist, or nobody.
    error Committee_UnknownMember(uint256 members, uint256 signers);

    /// @notice Thrown when the signatures are not 65 bytes for each bit of the bitmap.
    error Committee_WrongSignatureLength(uint256 expected, uint256 actual);

    /// @notice Thrown when a signature is not the member's.
    error Committee_WrongSignature(uint256 member, address expected, address recovered);

    /// @notice Gives the n shards to the candidates by stake, with node and region caps, and puts the committee in office.
    /// @dev Emits {CommitteeFormed}. D'Hondt: shard by shard to the highest stake / (shards + 1) among the nodes below
    /// their caps; ties go to the lower node id. Shards are dealt to the members in rounds so that a node's shards lie
    /// apart: see docs/spec/04-committee.md.
    /// Requirements:
    /// - Only the genesis account, once.
    /// - At least one candidate must be eligible.
    function form() external;

    /// @notice Fixes the committee of the epoch that is due ({targetEpoch}), by the stake that counts in it. Anyone may call.
    /// @dev Emits {CommitteeSelected}. Weights as in {form}; shards stay with their nodes as far as the weights allow, the
    /// others are dealt in rounds to those who are owed more.
    /// Requirements:
    /// - A committee must serve, none be selected for that epoch, and the last change be done or have had its time.
    /// - At least one candidate must be eligible.
    function selectCommittee() external;

    /// @notice Puts the committee that was selected for the present epoch in office. Anyone may call.
    /// @dev Emits {CommitteeFormed}, {EpochChangeStarted} and, when at most f shards moved, {EpochChangeDone}; or
    /// {EpochKept} when nothing changes: then the committee keeps its name, and attestations stay good.
    /// Requirements:
    /// - A committee must be selected for the present epoch, and no custody window be open.
    function advanceEpoch() external;

    /// @notice Signals that a node has the slivers of all shards that came to it.
    /// @dev Emits {ShardsSynced}, and {EpochChangeDone} when at most f shards are left pending by it. Who signals falsely
    /// answers for these shards in custody proofs.
    /// Requirements:
    /// - The caller must be the node's operator or signer, and the node have pending shards.
    function epochSyncDone(NodeId nodeId) external;

    /// @notice Takes a member's present signer over from the registry. Anyone may call.
    /// @dev Emits {SignerRefreshed} when the key changed.
    function refreshSigner(uint256 member) external;

    /// @notice Checks the members' signatures over a digest and counts their shards.
    /// @dev Reverts on the first thing wrong; a signature is 65 bytes r,s,v with low s.
    /// @param digest What they signed: an EIP-712 digest that binds chain, contract, purpose and epoch.
    /// @param signers Bit i is set when member i signed.
    /// @param signatures In the order of the bits, lowest first.
    /// @return weight The shards of those who signed.
    function verify(bytes32 digest, uint256 signers, bytes calldata signatures) external view returns (uint16 weight);

    /// @notice The account that forms the first committee.
    function genesis() external view returns (address);

    /// @notice The epoch in which the serving committee took office; zero while there is none.
    function epoch() external view returns (Epoch);

    /// @notice The epoch in which the committee before the serving one took office; zero when there was none.
    function previousEpoch() external view returns (Epoch);

    /// @notice The epoch for which a committee was selected last; zero when none was.
    function selectedEpoch() external view returns (Epoch);

    /// @notice When the serving committee took office.
    function servingSince() external view returns (Timestamp);

    /// @notice Whether {selectCommittee} is due: none was selected for {targetEpoch}, and the last change is over or has had its
    /// time.
    function isSelectionDue() external view returns (bool);

    /// @notice Whether {advanceEpoch} is due: a committee was selected for the present epoch, and not advanced to. While a
    /// custody window is open it has to wait.
    function isAdvanceDue() external view returns (bool);

    /// @notice The epoch whose committee is to be selected now: the next one from the half of the present epoch on, the
    /// present one before.
    function targetEpoch() external view returns (Epoch);

    /// @notice Bit s is set when shard s came to its node in the last change and was not signalled yet.
    function pendingShards() external view returns (uint256);

    /// @notice Whether the last change is over: at most f shards are pending.
    function isSettled() external view returns (bool);

    /// @notice What a node served in the committee that took office in `officeEpoch`.
    /// @return member Its place in the list of members.
    /// @return shards_ Bit s is set when it served shard s; zero when it did not serve.
    function seatOf(Epoch officeEpoch, NodeId nodeId) external view returns (uint256 member, uint256 shards_);

    /// @notice The nodes of the committee that took office in `officeEpoch`, by member index.
    function membersOf(Epoch officeEpoch) external view returns (NodeId[] memory);

    /// @notice One byte a shard: the member of the committee of `officeEpoch` that served it. Empty when there was none.
    function assignmentOf(Epoch officeEpoch) external view returns (bytes memory);

    /// @notice Seconds after which a change is over for the next one to begin, whoever signalled.
    function syncSeconds() external view returns (uint64);

    /// @notice The epoch that the clock shows.
    function currentEpoch() external view returns (Epoch);

    /// @notice When an epoch begins.
    function startOf(Epoch epoch_) external view returns (Timestamp);

    /// @notice Seconds an epoch lasts.
    function epochSeconds() external view returns (uint64);

    /// @notice n.
    function shards() external view returns (uint16);

    /// @notice f, how many shards may be faulty.
    function faults() external view returns (uint16);

    /// @notice n - f, the shards that make a certificate.
    function quorum() external view returns (uint16);

    /// @notice How many members serve; zero while no committee does.
    function memberCount() external view returns (uint256);

    /// @notice The members by index.
    function members() external view returns (Member[] memory);

    /// @notice The node that serves a shard.
    function ownerOfShard(uint16 shard) external view returns (NodeId);

    /// @notice One byte a shard: the index of the member that serves it.
    function assignment() external view returns (bytes memory);

    /// @notice How many shards the node serves; zero when it does not serve.
    function weightOf(NodeId nodeId) external view returns (uint16);
}
