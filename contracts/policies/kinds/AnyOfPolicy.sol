// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {ReadyMade} from "./ReadyMade.sol";
import {ThresholdPolicy} from "./ThresholdPolicy.sol";

/// @title AnyOfPolicy
/// @notice Lets in those whom at least one operand lets in, at the price of the first that does. Argument: `address[] operands`.
contract AnyOfPolicy is ThresholdPolicy {
    /// @inheritdoc ReadyMade
    function arguments() external view override returns (bytes memory) {
        return abi.encode(_addresses());
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "AnyOf";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        return _pack(1, _listAt(arguments_, 1));
    }

    function _reason() internal pure override returns (bytes32) {
        return "NoneAllows";
    }
}
