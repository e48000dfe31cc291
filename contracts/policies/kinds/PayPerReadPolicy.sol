// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {IFixedPrice} from "../../interfaces/IPurchases.sol";
import {IRevenuePools} from "../../interfaces/IRevenuePools.sol";
import {IWAL} from "../../interfaces/IWAL.sol";
import {Amount} from "../../types/Amount.sol";
import {PoolId} from "../../types/PoolId.sol";
import {Leaf} from "./Leaf.sol";

/// @title PayPerReadPolicy
/// @notice Lets in everybody who pays for each use, reading and computing alike. Arguments: `uint128 price, uint64 pool`: in the
/// smallest unit of WAL, and who earns it.
/// @dev The owner pays too: `AnyOf` with `Owner` first lets it in for free.
contract PayPerReadPolicy is Leaf, IFixedPrice {
    IWAL private immutable _token;
    IRevenuePools private immutable _pools;

    /// @param token What is paid.
    /// @param pools Knows which pools there are.
    constructor(IWAL token, IRevenuePools pools) {
        _token = token;
        _pools = pools;
    }

    /// @inheritdoc IDataPolicy
    function quote(AccessRequest calldata) external view override returns (address, Amount, PoolId) {
        (Amount price, PoolId pool) = abi.decode(_data(), (Amount, PoolId));
        return (address(_token), price, pool);
    }

    /// @inheritdoc IFixedPrice
    function readTerms() external view returns (Amount, PoolId) {
        return abi.decode(_data(), (Amount, PoolId));
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "PayPerRead";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        _checkCount(arguments_, 2);
        _wordAt(arguments_, 0, 1, type(uint128).max);
        _checkPool(arguments_, 1, _pools);
        return arguments_;
    }

    function _decide(AccessRequest calldata) internal pure override returns (bytes32) {
        return 0;
    }
}
