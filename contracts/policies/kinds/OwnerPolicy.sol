// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Leaf} from "./Leaf.sol";

/// @title OwnerPolicy
/// @notice Lets in the owner of the object. No arguments.
contract OwnerPolicy is Leaf {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "Owner";
    }

    function _validate(bytes calldata arguments_) internal pure override returns (bytes memory) {
        _checkCount(arguments_, 0);
        return arguments_;
    }

    function _decide(AccessRequest calldata request) internal pure override returns (bytes32 reason) {
        if (request.requester != request.owner) return "NotOwner";
    }
}
