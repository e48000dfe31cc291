// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CappedCall} from "../../libraries/CappedCall.sol";
import {Leaf} from "./Leaf.sol";

/// @title TokenHolder
/// @notice A ready-made policy that asks a token for a balance.
/// @dev A token that answers anything but one word counts as one that did not answer: then the policy reverts, and so denies.
abstract contract TokenHolder is Leaf {
    /// @notice Thrown when the token does not answer as tokens do.
    error TokenHolder_NoAnswer(address token);

    /// @dev What the token answers to the question for a balance.
    function _balanceIn(address token, bytes memory question) internal view returns (uint256 balance) {
        bool answered;
        (answered, balance) = CappedCall.askWord(token, gasleft(), question);
        if (!answered) revert TokenHolder_NoAnswer(token);
    }
}
