// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Leaf} from "./Leaf.sol";

/// @title TimeWindowPolicy
/// @notice Lets in everybody from one moment on and until another. Arguments: `uint64 from, uint64 until`, in seconds since
/// 1970; `until` itself is too late.
contract TimeWindowPolicy is Leaf {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "TimeWindow";
    }

    function _validate(bytes calldata arguments_) internal pure override returns (bytes memory) {
        _checkCount(arguments_, 2);
        uint256 from = _wordAt(arguments_, 0, 0, type(uint64).max);
        _wordAt(arguments_, 1, from + 1, type(uint64).max);
        return arguments_;
    }

    function _decide(AccessRequest calldata) internal view override returns (bytes32 reason) {
        (uint64 from, uint64 until) = abi.decode(_data(), (uint64, uint64));
        if (block.timestamp < from) return "TooEarly";
        if (block.timestamp >= until) return "TooLate";
    }
}
