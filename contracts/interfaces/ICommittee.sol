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
/// Flow: nodes register and bond; the genesis account calls {form} once; the committee serves from that epoch on.
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

    /// @notice Emitted when a member's rotated key was taken over into the committee.
    event SignerRefreshed(Epoch indexed epoch, uint256 indexed member, address oldSigner, address newSigner);

    /// @notice Thrown when somebody other than the genesis account forms the committee.
    error Committee_CallerNotGenesis(address genesis, address caller);

    /// @notice Thrown when a committee serves already.
    error Committee_AlreadyFormed(Epoch epoch);

    /// @notice Thrown when no committee serves yet.
    error Committee_NotFormed();

    /// @notice Thrown when no node has the minimum stake.
    error Committee_NoEligibleNode(uint32 registered);

    /// @notice Thrown when more nodes are eligible than a committee can have members.
    error Committee_TooManyNodes(uint256 maximum, uint256 eligible);

    /// @notice Thrown at construction when the number of shards is out of bounds.
    error Committee_ShardsOutOfBounds(uint16 minimum, uint16 maximum, uint16 shards);

    /// @notice Thrown at construction when the length of an epoch is out of bounds.
    error Committee_EpochSecondsOutOfBounds(uint64 minimum, uint64 maximum, uint64 epochSeconds);

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

    /// @notice Gives the n shards to the nodes by bonded stake, with node and region caps, and puts the committee in office.
    /// @dev Emits {CommitteeFormed}. D'Hondt: shard by shard to the highest stake / (shards + 1) among the nodes below
    /// their caps; ties go to the lower node id. Shards are dealt to the members in rounds so that a node's shards lie
    /// apart: see docs/spec/04-committee.md.
    /// Requirements:
    /// - Only the genesis account, once.
    /// - At least one node must have the minimum stake.
    function form() external;

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

    /// @notice The members by index.
    function members() external view returns (Member[] memory);

    /// @notice The node that serves a shard.
    function ownerOfShard(uint16 shard) external view returns (NodeId);

    /// @notice One byte a shard: the index of the member that serves it.
    function assignment() external view returns (bytes memory);

    /// @notice How many shards the node serves; zero when it does not serve.
    function weightOf(NodeId nodeId) external view returns (uint16);
}
