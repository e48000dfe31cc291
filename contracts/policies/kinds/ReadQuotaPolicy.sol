// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Leaf} from "./Leaf.sol";

/// @title ReadQuotaPolicy
/// @notice Lets in everybody for so many uses of each object. Argument: `uint64 limit`.
/// @dev Each storage agent serves each use of a requester once, so there are no more than `limit`.
contract ReadQuotaPolicy is Leaf {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "ReadQuota";
    }

    function _validate(bytes calldata arguments_) internal pure override returns (bytes memory) {
        _checkCount(arguments_, 1);
        _wordAt(arguments_, 0, 1, type(uint64).max);
        return arguments_;
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        if (request.sequence >= abi.decode(_data(), (uint64))) return "QuotaUsedUp";
    }
}
