// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {PoolId} from "../types/PoolId.sol";

/// @title IRevenuePools
/// @notice Divides income among contributors by units, at the same cost however many they are.
/// @dev Glossary: a pool's *units* are divided among its *members*. Of each income the *nodes* get `nodesBps` and the *protocol*
/// {protocolBps} of 10,000, the members the rest. Every unit weighs 10,000 - nodesBps - protocolBps, the nodes and the protocol weigh
/// units * bps, all together units * 10,000; an income raises what one *weight* has earned by income / weights, rounded down, and
/// what does not divide is *dust*: it stays in the pool and is divided with the next income. So an income changes one slot.
///
/// Flow: {create} or {createFromRoot} -> {distribute}, or payments of {IPurchases} and {IReadChannels} -> {claim}, {claimFromRoot} ->
/// {settle} moves the nodes' part into the storage fees of the present epoch, which nodes earn by proving, and burns the protocol's.
///
/// A pool *from a root* has its members in a tree that commits to units and their sum: docs/spec/14-revenue-pools.md. A member
/// shows its place once; from then on it is a member as in a list. What a place earns waits for it, however late it comes.
///
/// Invariant I10: what a pool paid + what it owes + its dust = what it received.
interface IRevenuePools {
    /// @notice A member of a list. An account may be named once; units are at least 1.
    struct Share {
        address account;
        uint64 units;
    }

    /// @notice A pool as it is kept.
    /// @param earnedPerWeight What one weight has earned since the pool was made.
    /// @param units Of all members, also of places in the tree that nobody has shown yet.
    /// @param dust What did not divide yet; less than units * 10,000.
    /// @param nodesBps What the nodes get of each income, of 10,000.
    /// @param root Root of the tree of units; zero when the pool was made from a list.
    struct Pool {
        Amount earnedPerWeight;
        uint64 units;
        uint64 dust;
        uint16 nodesBps;
        bytes32 root;
    }

    /// @notice A member as it is kept.
    /// @param units What it holds now.
    /// @param settledPerWeight What one weight had earned when `accrued` was brought up to date.
    /// @param accrued What it may claim of the time before.
    /// @param entered Whether it has shown its place in the tree.
    struct Member {
        uint64 units;
        Amount settledPerWeight;
        Amount accrued;
        bool entered;
    }

    /// @notice Emitted when a pool was made.
    /// @param root Zero for a pool from a list, whose members {MemberAdded} names.
    /// @param list The blob that holds the list of members; may be zero.
    event PoolCreated(
        PoolId indexed pool, address indexed creator, uint64 units, uint16 nodesBps, bytes32 root, BlobId list
    );

    /// @notice Emitted for each member of a list, and when a place in a tree was shown.
    event MemberAdded(PoolId indexed pool, address indexed account, uint64 units);

    /// @notice Emitted with each income.
    /// @param source The contract that paid it in: this one for {distribute}.
    /// @param payer Whose money it was.
    /// @param purpose What for: zero, an object's number, a policy's address, a voucher's purpose or a job; `source` says which.
    event IncomeReceived(
        PoolId indexed pool, address indexed source, address indexed payer, Amount amount, bytes32 purpose
    );

    /// @notice Emitted when a member took out what it earned.
    event IncomeClaimed(PoolId indexed pool, address indexed account, address to, Amount amount);

    /// @notice Emitted when a member handed units on.
    event UnitsTransferred(PoolId indexed pool, address indexed from, address indexed to, uint64 units);

    /// @notice Emitted when the parts of nodes and protocol went where they belong.
    /// @param toNodes What the nodes can earn in the present epoch.
    event PoolSettled(PoolId indexed pool, Amount toNodes, Amount burned);

    /// @notice Thrown when there is no such pool.
    error RevenuePools_UnknownPool(PoolId pool);

    /// @notice Thrown when a list has no member, or more than `maximum`.
    error RevenuePools_WrongMemberCount(uint256 maximum, uint256 actual);

    /// @notice Thrown when somebody is to hold or hand on no unit.
    error RevenuePools_WrongUnits(address account, uint64 units);

    /// @notice Thrown when a member would be the zero address, or when units go to who has them already.
    error RevenuePools_WrongAccount(address account);

    /// @notice Thrown when a list names an account twice.
    error RevenuePools_NamedTwice(address account);

    /// @notice Thrown when a pool has no unit, or more than `maximum`.
    error RevenuePools_UnitsOutOfBounds(uint64 maximum, uint256 actual);

    /// @notice Thrown when the nodes would get more than `maximum` of 10,000; at construction also for the protocol, which gets at
    /// least 1.
    error RevenuePools_SharesOutOfBounds(uint16 maximum, uint16 actual);

    /// @notice Thrown when the caller is not the contract that may pay in like this.
    error RevenuePools_CallerNotSeller(address caller);

    /// @notice Thrown when the account has no units in the pool, and nothing that it earned by former ones.
    error RevenuePools_NotAMember(PoolId pool, address account);

    /// @notice Thrown when a place is shown in a pool that was made from a list.
    error RevenuePools_NotFromRoot(PoolId pool);

    /// @notice Thrown when an account shows a place a second time.
    error RevenuePools_AlreadyAMember(PoolId pool, address account);

    /// @notice Thrown when the proof does not show that the account has these units at this place.
    error RevenuePools_WrongProof(PoolId pool, address account);

    /// @notice Thrown when a member hands on more units than it holds.
    error RevenuePools_TooFewUnits(PoolId pool, address account, uint64 requested, uint64 held);

    /// @notice Thrown when a member has earned nothing since its last claim.
    error RevenuePools_NothingToClaim(PoolId pool, address account);

    /// @notice Thrown when an income is zero.
    error RevenuePools_ZeroAmount();

    /// @notice Creates a pool of up to 100 members. Anyone may; nobody can change it, members may hand units on.
    /// @dev Emits {PoolCreated} and a {MemberAdded} for each member.
    /// Requirements:
    /// - 1 to 100 different members that are not zero, with a unit or more each; together at most 2^40 - 1 units.
    /// @param nodesBps What the nodes get of each income, of 10,000; at most 5,000.
    function create(Share[] calldata shares, uint16 nodesBps) external returns (PoolId pool);

    /// @notice Creates a pool whose members are in a tree.
    /// @dev Emits {PoolCreated}.
    /// Warning: nobody checks the tree. Whoever joins should make its proof first: places whose sums are forged cannot be shown, so
    /// what they earn stays in the pool for ever; none can earn more than its units.
    /// @param root Root of the tree of units.
    /// @param units Their sum, which the root commits to: 1 to 2^40 - 1.
    /// @param nodesBps What the nodes get of each income, of 10,000; at most 5,000.
    /// @param list The blob that holds the list of members, so that each can make its proof; zero when it is published elsewhere.
    function createFromRoot(bytes32 root, uint64 units, uint16 nodesBps, BlobId list) external returns (PoolId pool);

    /// @notice Pays an income of the caller into a pool.
    /// @dev Emits {IncomeReceived}.
    /// Requirements:
    /// - The caller must have approved the vault for `amount` of WAL, more than zero, and hold it.
    function distribute(PoolId pool, Amount amount) external;

    /// @notice Takes a payment from a payer into a pool. Only {IPurchases}, which names only its own caller.
    /// @dev Emits {IncomeReceived}. Requirements: as {distribute}, of the payer.
    function collect(PoolId pool, address payer, Amount amount, bytes32 purpose) external;

    /// @notice Divides an income that was moved to this contract's reserve before. Only {IReadChannels} and {IComputeJobs}.
    /// @dev Emits {IncomeReceived}.
    function credit(PoolId pool, address payer, Amount amount, bytes32 purpose) external;

    /// @notice Pays out to `to` what the caller earned in a pool.
    /// @dev Emits {IncomeClaimed}. Reverts when that is nothing.
    function claim(PoolId pool, address to) external returns (Amount amount);

    /// @notice Makes the caller a member by its place in the tree and pays out to `to` what it earned.
    /// @dev Emits {MemberAdded} and {IncomeClaimed}. Reverts when it earned nothing: then there is {enter}.
    /// @param units The units at its place.
    /// @param index Its place in the list, from 0.
    /// @param proof How many places there are (8 bytes, big-endian), then for each level from the leaves up the sibling's hash (32
    /// bytes) and its units (8 bytes, big-endian).
    function claimFromRoot(PoolId pool, uint64 units, uint256 index, bytes calldata proof, address to)
        external
        returns (Amount amount);

    /// @notice {claimFromRoot} without paying out, for anybody who is in the tree; so that units can be handed on.
    /// @dev Emits {MemberAdded}.
    /// Notes:
    /// - Units that were handed to the account before are kept beside those of its place.
    function enter(PoolId pool, address account, uint64 units, uint256 index, bytes calldata proof) external;

    /// @notice Hands units of the caller on; what they earned until now stays the caller's.
    /// @dev Emits {UnitsTransferred}.
    /// Requirements:
    /// - `to` must be another account than the caller, not zero; the caller must hold `units`, one or more.
    function transferUnits(PoolId pool, address to, uint64 units) external;

    /// @notice Moves what a pool's nodes and the protocol earned: into the storage fees of the present epoch, and out of the world.
    /// @dev Emits {PoolSettled}, unless nothing came in since the last time. Anyone may call.
    function settle(PoolId pool) external returns (Amount toNodes, Amount burned);

    /// @notice What an account that is a member could claim now.
    function claimable(PoolId pool, address account) external view returns (Amount);

    /// @notice What an account that is in the tree could claim now by {claimFromRoot}, if these are its units.
    function claimableFromRoot(PoolId pool, uint64 units) external view returns (Amount);

    /// @notice What {settle} would move and burn now.
    function settleable(PoolId pool) external view returns (Amount toNodes, Amount burned);

    /// @notice The pool as it is kept. Reverts when there is none.
    function poolOf(PoolId pool) external view returns (Pool memory);

    /// @notice The member as it is kept; all zero when the account is none.
    function memberOf(PoolId pool, address account) external view returns (Member memory);

    /// @notice Whether there is such a pool.
    function exists(PoolId pool) external view returns (bool);

    /// @notice How many pools there are; they are numbered from 1.
    function poolCount() external view returns (uint64);

    /// @notice What the protocol burns of each income, of 10,000.
    function protocolBps() external view returns (uint16);
}
