// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Timestamp} from "../../types/Timestamp.sol";
import {Retention} from "./Retention.sol";

/// @title DeleteAfterPolicy
/// @notice From a moment on agents release no key of the object and destroy what they need to make one. Argument: `uint64
/// time`, in seconds since 1970.
/// @dev A promise to those whom the data is about: the owner cannot get rid of this rule, but may delete the object earlier.
contract DeleteAfterPolicy is Retention {
    /// @inheritdoc IDataPolicy
    function canReplace(uint256, address next) external view override returns (bool) {
        return next == address(this);
    }

    /// @inheritdoc IDataPolicy
    function destroyAt(uint256) external view override returns (Timestamp) {
        return abi.decode(_data(), (Timestamp));
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "DeleteAfter";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        _checkCount(arguments_, 1);
        _wordAt(arguments_, 0, block.timestamp + 1, type(uint64).max);
        return arguments_;
    }
}
