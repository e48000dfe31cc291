// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {AccountList} from "./AccountList.sol";

/// @title DenyListPolicy
/// @notice Lets in everybody but those on a list. Argument: `address administrator`, who keeps the list by {setListed}.
/// @dev Warning: an account costs nothing, so this keeps out accounts, not people; it is meant to stand below an `AllOf`.
contract DenyListPolicy is AccountList {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "DenyList";
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        if (isListed[request.requester]) return "Listed";
    }
}
