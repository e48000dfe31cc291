// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {IPurchases, ISubscribable} from "../../interfaces/IPurchases.sol";
import {IRevenuePools} from "../../interfaces/IRevenuePools.sol";
import {Amount} from "../../types/Amount.sol";
import {PoolId} from "../../types/PoolId.sol";
import {Timestamp} from "../../types/Timestamp.sol";
import {Leaf} from "./Leaf.sol";
import {PolicyDefaults} from "./PolicyDefaults.sol";

/// @title SubscriptionPolicy
/// @notice Lets in those who bought time by {IPurchases-subscribe}; then uses are free. Arguments: `uint128 price, uint32
/// periodSeconds, uint64 pool`: what one period costs in the smallest unit of WAL, how long it is, and who earns it.
/// @dev One subscription counts for all objects that have this policy.
contract SubscriptionPolicy is Leaf, ISubscribable {
    IPurchases private immutable _purchases;
    IRevenuePools private immutable _pools;

    /// @param purchases Knows who bought how much time.
    /// @param pools Knows which pools there are.
    constructor(IPurchases purchases, IRevenuePools pools) {
        _purchases = purchases;
        _pools = pools;
    }

    /// @inheritdoc ISubscribable
    function subscriptionTerms() external view returns (Amount price, uint32 periodSeconds, PoolId pool) {
        return abi.decode(_data(), (Amount, uint32, PoolId));
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "Subscription";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        _checkCount(arguments_, 3);
        _wordAt(arguments_, 0, 1, type(uint128).max);
        _wordAt(arguments_, 1, 1, type(uint32).max);
        _checkPool(arguments_, 2, _pools);
        return arguments_;
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        Timestamp until = _purchases.subscribedUntil(address(this), request.requester);
        if (block.timestamp >= Timestamp.unwrap(until)) return "NoSubscription";
    }

    /// @inheritdoc PolicyDefaults
    function _supports(bytes4 interfaceId) internal view override returns (bool) {
        return interfaceId == type(ISubscribable).interfaceId || super._supports(interfaceId);
    }
}
