// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {ReadyMade} from "./ReadyMade.sol";
import {ThresholdPolicy} from "./ThresholdPolicy.sol";

/// @title KOfNPolicy
/// @notice Lets in those whom at least k operands let in. Arguments: `uint8 k, address[] operands`.
contract KOfNPolicy is ThresholdPolicy {
    /// @inheritdoc ReadyMade
    function arguments() external view override returns (bytes memory) {
        (uint8 k,) = _operands();
        return abi.encode(k, _addresses());
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "KOfN";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        address[] memory list = _listAt(arguments_, 2);
        return _pack(uint8(_wordAt(arguments_, 0, 1, list.length)), list);
    }

    function _reason() internal pure override returns (bytes32) {
        return "TooFewAllow";
    }
}
