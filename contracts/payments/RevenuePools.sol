// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IRevenuePools} from "../interfaces/IRevenuePools.sol";
import {IStorageFees} from "../interfaces/IStorageFees.sol";
import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {PoolId} from "../types/PoolId.sol";
import {MAXIMUM_UNITS, PoolIncome, WEIGHTS_PER_UNIT, newPoolIncome} from "./PoolIncome.sol";
import {UnitsTree} from "./UnitsTree.sol";

/// @title RevenuePools
/// @notice Divides income among contributors by units: a payment changes one slot, a member finds its part when it claims.
/// @dev Flow: {create} or {createFromRoot} -> {distribute}, {collect} or {credit} -> {claim} by each member, {settle} by anyone.
///
/// All that a pool takes in lies in this contract's reserve in the vault until it is claimed, moved to the storage fees or burned.
/// Calls go only to contracts fixed at construction, which call nobody else, so no account gets control inside a call.
///
/// What one weight earned cannot leave its 128 bits, however often the same tokens come back. For each of a pool's units the
/// protocol has {protocolBps} weights, at least one, and what they earned is burned or waits to be: no token is in it twice. So
/// units * protocolBps * earnedPerWeight is at most the token's first supply, below 2^128.
///
/// Invariants:
/// - I10, for each pool: what members were paid and are owed, what nodes and protocol got and will get, and its dust are
///   together what it received, to the unit.
/// - The vault's reserve of this contract is what all pools owe, and their dust.
/// - The units of a pool's members, and of places in its tree that were not shown yet, are together the pool's units at most;
///   in a pool from a list exactly.
contract RevenuePools is IRevenuePools {
    using SafeCast for uint256;

    /// @dev The first slot is all that a claim needs; `accrues` tells whether the second holds anything.
    struct Holding {
        uint128 settledPerWeight;
        uint64 units;
        bool entered;
        bool accrues;
        Amount accrued;
    }

    uint256 private constant MAXIMUM_MEMBERS = 100;
    uint16 private constant MAXIMUM_NODES_BPS = 5000;
    uint16 private constant MAXIMUM_PROTOCOL_BPS = 1000;

    ITokenVault private immutable _vault;
    IStorageFees private immutable _fees;
    address private immutable _purchases;
    address private immutable _channels;
    address private immutable _jobs;

    /// @inheritdoc IRevenuePools
    uint16 public immutable protocolBps;

    /// @inheritdoc IRevenuePools
    uint64 public poolCount;

    mapping(PoolId pool => PoolIncome) private _incomeOf;
    mapping(PoolId pool => bytes32) private _rootOf;
    /// @dev What one weight had earned when nodes and protocol got their parts.
    mapping(PoolId pool => uint128) private _settledPerWeight;
    mapping(PoolId pool => mapping(address account => Holding)) private _holdings;

    /// @notice Fixes the partners for ever.
    /// @param vault Holds what pools take in; this contract must be one of its modules.
    /// @param fees Get the nodes' parts; must name this contract as its pools.
    /// @param purchases The contract that sells reads and time, the only one that may {collect}.
    /// @param channels The contract that redeems vouchers; may {credit}.
    /// @param jobs The contract that settles jobs; may {credit} too, nobody else.
    /// @param protocolBps_ What is burned of each income, of 10,000: 1 to 1,000.
    constructor(
        ITokenVault vault,
        IStorageFees fees,
        address purchases,
        address channels,
        address jobs,
        uint16 protocolBps_
    ) {
        if (protocolBps_ == 0 || protocolBps_ > MAXIMUM_PROTOCOL_BPS) {
            revert RevenuePools_SharesOutOfBounds(MAXIMUM_PROTOCOL_BPS, protocolBps_);
        }
        _vault = vault;
        _fees = fees;
        _purchases = purchases;
        _channels = channels;
        _jobs = jobs;
        protocolBps = protocolBps_;
    }

    /// @inheritdoc IRevenuePools
    function create(Share[] calldata shares, uint16 nodesBps) external returns (PoolId pool) {
        // Check
        uint256 count = shares.length;
        if (count == 0 || count > MAXIMUM_MEMBERS) revert RevenuePools_WrongMemberCount(MAXIMUM_MEMBERS, count);
        uint256 units = 0;
        for (uint256 i = 0; i < count; ++i) {
            units += shares[i].units;
        }

        // Effect
        pool = _create(units, nodesBps, 0, BlobId.wrap(0));
        for (uint256 i = 0; i < count; ++i) {
            _add(pool, shares[i].account, shares[i].units);
        }
    }

    /// @inheritdoc IRevenuePools
    function createFromRoot(bytes32 root, uint64 units, uint16 nodesBps, BlobId list) external returns (PoolId pool) {
        // Effect. A root of zero has no members: no hash is zero.
        pool = _create(units, nodesBps, root, list);
        _rootOf[pool] = root;
    }

    /// @inheritdoc IRevenuePools
    function distribute(PoolId pool, Amount amount) external {
        // Check and effect
        _receive(pool, address(this), msg.sender, amount, 0);

        // Interaction
        _vault.collect(msg.sender, amount);
    }

    /// @inheritdoc IRevenuePools
    function collect(PoolId pool, address payer, Amount amount, bytes32 purpose) external {
        // Check and effect
        if (msg.sender != _purchases) revert RevenuePools_CallerNotSeller(msg.sender);
        _receive(pool, msg.sender, payer, amount, purpose);

        // Interaction
        _vault.collect(payer, amount);
    }

    /// @inheritdoc IRevenuePools
    function credit(PoolId pool, address payer, Amount amount, bytes32 purpose) external {
        // Check and effect: the vault moved it before.
        if (msg.sender != _channels && msg.sender != _jobs) revert RevenuePools_CallerNotSeller(msg.sender);
        _receive(pool, msg.sender, payer, amount, purpose);
    }

    /// @inheritdoc IRevenuePools
    function claim(PoolId pool, address to) external returns (Amount) {
        return _payOut(pool, to);
    }

    /// @inheritdoc IRevenuePools
    function claimFromRoot(PoolId pool, uint64 units, uint256 index, bytes calldata proof, address to)
        external
        returns (Amount)
    {
        _enter(pool, msg.sender, units, index, proof);
        return _payOut(pool, to);
    }

    /// @inheritdoc IRevenuePools
    function enter(PoolId pool, address account, uint64 units, uint256 index, bytes calldata proof) external {
        _enter(pool, account, units, index, proof);
    }

    /// @inheritdoc IRevenuePools
    function transferUnits(PoolId pool, address to, uint64 units) external {
        // Check
        PoolIncome income = _existing(pool);
        if (to == address(0) || to == msg.sender) revert RevenuePools_WrongAccount(to);
        if (units == 0) revert RevenuePools_WrongUnits(to, units);
        uint64 held = _holdings[pool][msg.sender].units;
        if (units > held) revert RevenuePools_TooFewUnits(pool, msg.sender, units, held);

        // Effect: what was earned until now stays with whom it was earned by.
        Holding storage from = _accrue(pool, income, msg.sender);
        Holding storage receiver = _accrue(pool, income, to);
        from.units = held - units;
        // Cannot overflow: the units of a pool have 40 bits.
        receiver.units += units;
        emit UnitsTransferred(pool, msg.sender, to, units);
    }

    /// @inheritdoc IRevenuePools
    function settle(PoolId pool) external returns (Amount toNodes, Amount burned) {
        // Check
        PoolIncome income = _existing(pool);
        (toNodes, burned) = _settleable(pool, income);
        if (burned.isZero()) return (toNodes, burned);

        // Effect
        _settledPerWeight[pool] = income.earnedPerWeightOf();
        emit PoolSettled(pool, toNodes, burned);

        // Interaction
        if (!toNodes.isZero()) {
            _vault.move(address(_fees), toNodes);
            _fees.earn(toNodes);
        }
        _vault.burn(burned);
    }

    /// @inheritdoc IRevenuePools
    function claimable(PoolId pool, address account) external view returns (Amount) {
        PoolIncome income = _existing(pool);
        Holding storage holding = _holdings[pool][account];
        return _earned(income, holding.units, holding.settledPerWeight) + holding.accrued;
    }

    /// @inheritdoc IRevenuePools
    function claimableFromRoot(PoolId pool, uint64 units) external view returns (Amount) {
        return _earned(_existing(pool), units, 0);
    }

    /// @inheritdoc IRevenuePools
    function settleable(PoolId pool) external view returns (Amount toNodes, Amount burned) {
        return _settleable(pool, _existing(pool));
    }

    /// @inheritdoc IRevenuePools
    function poolOf(PoolId pool) external view returns (Pool memory) {
        PoolIncome income = _existing(pool);
        return Pool({
            earnedPerWeight: Amount.wrap(income.earnedPerWeightOf()),
            units: income.unitsOf(),
            dust: income.dustOf(),
            nodesBps: income.nodesBpsOf(),
            root: _rootOf[pool]
        });
    }

    /// @inheritdoc IRevenuePools
    function memberOf(PoolId pool, address account) external view returns (Member memory) {
        Holding memory holding = _holdings[pool][account];
        return Member({
            units: holding.units,
            settledPerWeight: Amount.wrap(holding.settledPerWeight),
            accrued: holding.accrued,
            entered: holding.entered
        });
    }

    /// @inheritdoc IRevenuePools
    function exists(PoolId pool) external view returns (bool) {
        return _incomeOf[pool].exists();
    }

    function _create(uint256 units, uint16 nodesBps, bytes32 root, BlobId list) private returns (PoolId pool) {
        // Check
        if (units == 0 || units > MAXIMUM_UNITS) revert RevenuePools_UnitsOutOfBounds(MAXIMUM_UNITS, units);
        if (nodesBps > MAXIMUM_NODES_BPS) revert RevenuePools_SharesOutOfBounds(MAXIMUM_NODES_BPS, nodesBps);

        // Effect
        pool = PoolId.wrap(++poolCount);
        // The check left 40 bits.
        // forge-lint: disable-next-item(unsafe-typecast)
        {
            _incomeOf[pool] = newPoolIncome(uint64(units), nodesBps);
            emit PoolCreated(pool, msg.sender, uint64(units), nodesBps, root, list);
        }
    }

    /// @dev Adds a member to a new pool.
    function _add(PoolId pool, address account, uint64 units) private {
        // Check
        Holding storage holding = _holdings[pool][account];
        if (account == address(0)) revert RevenuePools_WrongAccount(account);
        if (units == 0) revert RevenuePools_WrongUnits(account, units);
        if (holding.units != 0) revert RevenuePools_NamedTwice(account);

        // Effect
        holding.units = units;
        emit MemberAdded(pool, account, units);
    }

    /// @dev Makes an account a member by its place, with all that the place earned since the pool was made.
    function _enter(PoolId pool, address account, uint64 units, uint256 index, bytes calldata proof) private {
        // Check
        PoolIncome income = _existing(pool);
        bytes32 root = _rootOf[pool];
        if (root == 0) revert RevenuePools_NotFromRoot(pool);
        if (account == address(0)) revert RevenuePools_WrongAccount(account);
        if (units == 0) revert RevenuePools_WrongUnits(account, units);
        Holding storage holding = _holdings[pool][account];
        if (holding.entered) revert RevenuePools_AlreadyAMember(pool, account);
        if (!UnitsTree.holds(root, income.unitsOf(), account, units, index, proof)) {
            revert RevenuePools_WrongProof(pool, account);
        }

        // Effect: the place has earned since the pool was made. Where the account was brought up to date before, it had units from
        // others; then both parts are put aside.
        if (holding.settledPerWeight != 0) {
            _accrue(pool, income, account);
            _accrueMore(holding, _earned(income, units, 0));
        }
        // Cannot overflow: the units of a pool have 40 bits.
        holding.units += units;
        holding.entered = true;
        emit MemberAdded(pool, account, units);
    }

    /// @dev Divides an income; whoever calls sees to the money.
    function _receive(PoolId pool, address source, address payer, Amount amount, bytes32 purpose) private {
        // Check
        PoolIncome income = _existing(pool);
        if (amount.isZero()) revert RevenuePools_ZeroAmount();

        // Effect
        _incomeOf[pool] = income.plus(amount);
        emit IncomeReceived(pool, source, payer, amount, purpose);
    }

    /// @dev Pays the caller what it earned.
    function _payOut(PoolId pool, address to) private returns (Amount amount) {
        // Check
        PoolIncome income = _existing(pool);
        Holding storage holding = _holdings[pool][msg.sender];
        (uint64 units, bool accrues) = (holding.units, holding.accrues);
        if (units == 0 && !accrues) revert RevenuePools_NotAMember(pool, msg.sender);
        amount = _earned(income, units, holding.settledPerWeight);
        if (accrues) amount = amount + holding.accrued;
        if (amount.isZero()) revert RevenuePools_NothingToClaim(pool, msg.sender);

        // Effect
        holding.settledPerWeight = income.earnedPerWeightOf();
        if (accrues) (holding.accrues, holding.accrued) = (false, Amount.wrap(0));
        emit IncomeClaimed(pool, msg.sender, to, amount);

        // Interaction
        _vault.pay(to, amount);
    }

    /// @dev Puts aside what an account earned until now, so that its units may change.
    function _accrue(PoolId pool, PoolIncome income, address account) private returns (Holding storage holding) {
        holding = _holdings[pool][account];
        Amount earned = _earned(income, holding.units, holding.settledPerWeight);
        holding.settledPerWeight = income.earnedPerWeightOf();
        _accrueMore(holding, earned);
    }

    function _accrueMore(Holding storage holding, Amount amount) private {
        if (amount.isZero()) return;
        holding.accrues = true;
        holding.accrued = holding.accrued + amount;
    }

    function _existing(PoolId pool) private view returns (PoolIncome income) {
        income = _incomeOf[pool];
        if (!income.exists()) revert RevenuePools_UnknownPool(pool);
    }

    function _settleable(PoolId pool, PoolIncome income) private view returns (Amount toNodes, Amount burned) {
        uint256 perWeight = income.earnedPerWeightOf() - _settledPerWeight[pool];
        uint256 units = income.unitsOf();
        toNodes = Amount.wrap((perWeight * units * income.nodesBpsOf()).toUint128());
        burned = Amount.wrap((perWeight * units * protocolBps).toUint128());
    }

    /// @dev What so many units of members earned since one weight had earned `settledPerWeight`. The product has at most
    /// 128 + 64 + 14 bits, and is below what the pool received unless somebody asks for more units than it has.
    function _earned(PoolIncome income, uint64 units, uint128 settledPerWeight) private view returns (Amount) {
        uint256 perUnit = uint256(income.earnedPerWeightOf() - settledPerWeight)
            * (WEIGHTS_PER_UNIT - income.nodesBpsOf() - protocolBps);
        return Amount.wrap((perUnit * units).toUint128());
    }
}
