// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {AccountList} from "./AccountList.sol";

/// @title AllowListPolicy
/// @notice Lets in those on a list. Argument: `address administrator`, who keeps the list by {setListed}.
contract AllowListPolicy is AccountList {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "AllowList";
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        if (!isListed[request.requester]) return "NotListed";
    }
}
