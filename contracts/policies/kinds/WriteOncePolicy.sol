// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Epoch} from "../../types/Epoch.sol";
import {Retention} from "./Retention.sol";

/// @title WriteOncePolicy
/// @notice The object is never deleted, nor rid of this rule; it may be transferred. No arguments.
/// @dev It does not pay for the term: an object whose term nobody extends expires.
contract WriteOncePolicy is Retention {
    /// @inheritdoc IDataPolicy
    function canReplace(uint256, address next) external view override returns (bool) {
        return next == address(this);
    }

    /// @inheritdoc IDataPolicy
    function canDelete(uint256) external pure override returns (bool) {
        return false;
    }

    /// @inheritdoc IDataPolicy
    function minimumEndEpoch(uint256) external pure override returns (Epoch) {
        return Epoch.wrap(type(uint32).max);
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "WriteOnce";
    }

    function _validate(bytes calldata arguments_) internal pure override returns (bytes memory) {
        _checkCount(arguments_, 0);
        return arguments_;
    }
}
