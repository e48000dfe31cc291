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
/// shows its place once; from then on it is a member as in a list.
///
/// Invariant I10: what a pool paid + what it owes + its dust = what it received.
interface IRevenuePools {
    /// @notice A member of a list. An account may be named once; units are at least 1.
    struct Share {
        address account;
        uint64 units;
    }

    /// @notice A pool as it is kept.
    struct Pool {
        Amount earnedPerWeight;
        uint64 units;
        uint64 dust;
        uint16 nodesBps;
        bytes32 root;
    }

    /// @notice A member as it is kept.
    struct Member {
        uint64 units;
        Amount settledPerWeight;
        Amount accrued;
    }

    event PoolCreated(
        PoolId indexed pool, address indexed creator, uint64 units, uint16 nodesBps, bytes32 root, BlobId list
    );
    event MemberAdded(PoolId indexed pool, address indexed account, uint64 units);
    /// @notice Emitted with each income. `source` is the contract that paid it in: this one for {distribute}.
    /// @param purpose What for: zero, an object's number, or a voucher's purpose; `source` says which.
    event IncomeReceived(
        PoolId indexed pool, address indexed source, address indexed payer, Amount amount, bytes32 purpose
    );
    event IncomeClaimed(PoolId indexed pool, address indexed account, address to, Amount amount);
    event UnitsTransferred(PoolId indexed pool, address indexed from, address indexed to, uint64 units);
    event PoolSettled(PoolId indexed pool, Amount toNodes, Amount burned);

    error RevenuePools_UnknownPool(PoolId pool);
    error RevenuePools_WrongMemberCount(uint256 maximum, uint256 actual);
    error RevenuePools_WrongUnits(address account, uint64 units);
    error RevenuePools_WrongAccount(address account);
    error RevenuePools_NamedTwice(address account);
    error RevenuePools_UnitsOutOfBounds(uint64 maximum, uint256 actual);
    error RevenuePools_SharesOutOfBounds(uint16 maximum, uint16 actual);
    error RevenuePools_CallerNotSeller(address caller);
    error RevenuePools_NotAMember(PoolId pool, address account);
    error RevenuePools_NotFromRoot(PoolId pool);
    error RevenuePools_AlreadyAMember(PoolId pool, address account);
    error RevenuePools_WrongProof(PoolId pool, address account);
    error RevenuePools_TooFewUnits(PoolId pool, address account, uint64 requested, uint64 held);
    error RevenuePools_NothingToClaim(PoolId pool, address account);
    error RevenuePools_ZeroAmount();

    /// @notice Creates a pool of up to 100 members. Anyone may; nobody can change it, members may hand units on.
    /// @param nodesBps What the nodes get of each income, of 10,000; at most 5,000.
    function create(Share[] calldata shares, uint16 nodesBps) external returns (PoolId pool);

    /// @notice Creates a pool whose members are in a tree.
    /// @param root Root of the tree of units.
    /// @param units Their sum, which the root commits to: at most 2^40.
    /// @param list The blob that holds the list of members, so that each can make its proof; zero when it is published elsewhere.
    function createFromRoot(bytes32 root, uint64 units, uint16 nodesBps, BlobId list) external returns (PoolId pool);

    /// @notice Pays an income of the caller into a pool. The caller must have approved the vault.
    function distribute(PoolId pool, Amount amount) external;

    /// @notice Takes a payment from a payer into a pool. Only {IPurchases}, which names only its own caller.
    function collect(PoolId pool, address payer, Amount amount, bytes32 purpose) external;

    /// @notice Divides an income that was moved to this contract's reserve already. Only {IReadChannels}.
    function credit(PoolId pool, address payer, Amount amount, bytes32 purpose) external;

    /// @notice Pays out what the caller earned in a pool.
    function claim(PoolId pool, address to) external returns (Amount amount);

    /// @notice Makes the caller a member by its place in the tree and pays out what it earned.
    /// @param index Its place in the list, from 0.
    /// @param proof For each level from the leaves up: the sibling's hash (32 bytes) and its units (8 bytes, big-endian).
    function claimFromRoot(PoolId pool, uint64 units, uint256 index, bytes calldata proof, address to)
        external
        returns (Amount amount);

    /// @notice {claimFromRoot} without paying out, for anybody who is in the tree; so that units can be handed on.
    function enter(PoolId pool, address account, uint64 units, uint256 index, bytes calldata proof) external;

    /// @notice Hands units of the caller on; what they earned until now stays the caller's.
    function transferUnits(PoolId pool, address to, uint64 units) external;

    /// @notice Moves what a pool's nodes and the protocol earned: into the storage fees of the present epoch, and out of the world.
    function settle(PoolId pool) external returns (Amount toNodes, Amount burned);

    /// @notice What an account that is a member could claim now.
    function claimable(PoolId pool, address account) external view returns (Amount);

    /// @notice What an account that is in the tree could claim now by {claimFromRoot}, if these are its units.
    function claimableFromRoot(PoolId pool, uint64 units) external view returns (Amount);

    function poolOf(PoolId pool) external view returns (Pool memory);
    function memberOf(PoolId pool, address account) external view returns (Member memory);
    function exists(PoolId pool) external view returns (bool);
    function poolCount() external view returns (uint64);
    /// @notice What the protocol burns of each income, of 10,000.
    function protocolBps() external view returns (uint16);
}
