// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IBlobPolicies} from "../interfaces/IBlobPolicies.sol";
import {Action} from "../interfaces/IDataPolicy.sol";
import {IFixedPrice, IPurchases, ISubscribable} from "../interfaces/IPurchases.sol";
import {IRevenuePools} from "../interfaces/IRevenuePools.sol";
import {Amount} from "../types/Amount.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title Purchases
/// @notice Sells reads of an object, and time under a policy; the money goes from the buyer to the revenue pool.
/// @dev Flow: {buyReads} asks the policy for its price if that is fixed, else {IBlobPolicies}; {subscribe} asks the policy -> the pool collects it from the caller ->
/// agents and policies look here what was bought.
///
/// Prices are asked by STATICCALL, so nobody gets control before the books are written; the hook of a policy is called last.
///
/// Invariant: what was bought never becomes less.
contract Purchases is IPurchases {
    /// @dev Ten years.
    uint64 private constant MAXIMUM_AHEAD = 3650 days;
    /// @dev The bit of {IDataPolicy-hooks}.
    uint8 private constant ON_READ = 4;
    /// @dev Price, length of a period and pool.
    uint256 private constant TERMS_BYTES = 96;

    IBlobPolicies private immutable _policies;
    IRevenuePools private immutable _pools;

    /// @inheritdoc IPurchases
    mapping(uint256 blobObject => mapping(address reader => uint32)) public readsOf;

    /// @inheritdoc IPurchases
    mapping(address policy => mapping(address reader => Timestamp)) public subscribedUntil;

    /// @notice Fixes the partners for ever.
    /// @param policies Says what a read costs, and tells policies what was bought; must name this contract as its purchases.
    /// @param pools Collect what is paid; must name this contract as its purchases.
    constructor(IBlobPolicies policies, IRevenuePools pools) {
        _policies = policies;
        _pools = pools;
    }

    /// @inheritdoc IPurchases
    function buyReads(uint256 blobObject, uint32 count, address reader, Amount maximum, bytes calldata evidence)
        external
        returns (Amount paid)
    {
        // Check
        mapping(address reader => uint32) storage reads = readsOf[blobObject];
        uint32 before = reads[reader];
        if (count == 0 || count > type(uint32).max - before) {
            revert Purchases_WrongCount(type(uint32).max - before, count);
        }
        (address policy, uint8 hooks) = _policies.accessOf(blobObject);
        (Amount price, PoolId pool) = _fixedPriceOf(policy);
        if (price.isZero()) (price, pool) = _quotedPriceOf(blobObject, reader, before, count, evidence);
        if (price.isZero()) revert Purchases_ForFree(blobObject);
        paid = _checkedPrice(price, count, maximum);

        // Effect
        // Cannot overflow: the count was checked.
        unchecked {
            reads[reader] = before + count;
        }
        emit ReadsBought(blobObject, reader, msg.sender, count, paid, pool);

        // Interaction: the hook has the last word.
        _pools.collect(pool, msg.sender, paid, bytes32(blobObject));
        if (hooks & ON_READ != 0) _policies.notifyRead(blobObject, reader, count, paid);
    }

    /// @inheritdoc IPurchases
    function subscribe(address policy, uint32 periods, address reader, Amount maximum)
        external
        returns (Timestamp until)
    {
        // Check
        if (periods == 0) revert Purchases_WrongCount(type(uint32).max, periods);
        (Amount price, uint32 periodSeconds, PoolId pool) = _termsOf(policy);
        Amount paid = _checkedPrice(price, periods, maximum);
        uint256 from = Math.max(block.timestamp, Timestamp.unwrap(subscribedUntil[policy][reader]));
        uint256 end = from + uint256(periodSeconds) * periods;
        Timestamp latest = Timestamp.wrap(uint64(block.timestamp)).plusSeconds(MAXIMUM_AHEAD);
        // A period and a count have 32 bits each, so the end stays far below 2^65.
        if (end > Timestamp.unwrap(latest)) {
            revert Purchases_TooFarAhead(latest, Timestamp.wrap(uint64(Math.min(end, type(uint64).max))));
        }

        // Effect
        // The end is at most `latest`.
        // forge-lint: disable-next-line(unsafe-typecast)
        until = Timestamp.wrap(uint64(end));
        subscribedUntil[policy][reader] = until;
        emit Subscribed(policy, reader, msg.sender, until, paid, pool);

        // Interaction
        _pools.collect(pool, msg.sender, paid, bytes32(uint256(uint160(policy))));
    }

    /// @dev What every read costs under the policy; zero when it has no fixed price. Whether there is such a pool is seen when it is
    /// paid.
    function _fixedPriceOf(address policy) private view returns (Amount price, PoolId pool) {
        bytes memory question = abi.encodeCall(IFixedPrice.readTerms, ());
        uint256 amount;
        uint256 poolId;
        bool answered;
        assembly ("memory-safe") {
            answered := staticcall(gas(), policy, add(question, 32), mload(question), 0, 64)
            answered := and(answered, eq(returndatasize(), 64))
            amount := mload(0)
            poolId := mload(32)
        }
        if (!answered || amount > type(uint128).max || poolId > type(uint64).max) return (price, pool);
        // Just compared.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (Amount.wrap(uint128(amount)), PoolId.wrap(uint64(poolId)));
    }

    /// @dev What each of these reads costs this reader. A price may depend on the sequence: so the last one is asked about, too.
    function _quotedPriceOf(uint256 blobObject, address reader, uint32 first, uint32 count, bytes calldata evidence)
        private
        view
        returns (Amount price, PoolId pool)
    {
        (price, pool) = _quoteOf(blobObject, reader, first, evidence);
        if (count == 1) return (price, pool);
        (Amount lastPrice, PoolId lastPool) = _quoteOf(blobObject, reader, first + count - 1, evidence);
        if (!(lastPrice == price) || !(lastPool == pool)) revert Purchases_WrongCount(1, count);
    }

    function _quoteOf(uint256 blobObject, address reader, uint32 sequence, bytes calldata evidence)
        private
        view
        returns (Amount, PoolId)
    {
        return _policies.quoteOf(
            IBlobPolicies.Question({
                requester: reader,
                blobObject: blobObject,
                action: uint8(Action.Read),
                program: 0,
                sequence: sequence,
                evidence: evidence
            })
        );
    }

    /// @dev What the policy sells time for. Whatever does not answer with three numbers that fit, the first two above zero, sells none.
    function _termsOf(address policy) private view returns (Amount price, uint32 periodSeconds, PoolId pool) {
        (bool answered, bytes memory terms) = policy.staticcall(abi.encodeCall(ISubscribable.subscriptionTerms, ()));
        if (!answered || terms.length != TERMS_BYTES) revert Purchases_NotSubscribable(policy);
        (uint256 amount, uint256 period, uint256 poolId) = abi.decode(terms, (uint256, uint256, uint256));
        bool fits = amount <= type(uint128).max && period <= type(uint32).max && poolId <= type(uint64).max;
        if (!fits || amount == 0 || period == 0) revert Purchases_NotSubscribable(policy);
        // Each was checked to fit.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (Amount.wrap(uint128(amount)), uint32(period), PoolId.wrap(uint64(poolId)));
    }

    /// @dev What `count` times `price` is, if it is no more than `maximum`.
    function _checkedPrice(Amount price, uint32 count, Amount maximum) private pure returns (Amount) {
        uint256 total = uint256(Amount.unwrap(price)) * count;
        if (total > Amount.unwrap(maximum)) {
            // What does not fit an amount is shown as the largest one.
            // forge-lint: disable-next-line(unsafe-typecast)
            revert Purchases_TooExpensive(maximum, Amount.wrap(uint128(Math.min(total, type(uint128).max))));
        }
        // It is at most `maximum`.
        // forge-lint: disable-next-line(unsafe-typecast)
        return Amount.wrap(uint128(total));
    }
}
