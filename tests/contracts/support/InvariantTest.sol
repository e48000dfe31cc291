// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";

/// @title InvariantTest
/// @notice Base of state-machine tests. forge calls random functions of the targets in random order and checks every
/// `invariant_*` function after each call.
/// @dev Name the handlers in `setUp()` by {targetContract}; without a target forge would call the system's contracts directly,
/// which mostly reverts. Narrow a handler to some functions by {targetSelector}. forge finds the three views by their names.
abstract contract InvariantTest is Test {
    /// @dev The layout forge expects.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    address[] private _contracts;
    address[] private _senders;
    FuzzSelector[] private _selectors;

    /// @notice Lets forge call every function of `handler`.
    function targetContract(address handler) internal {
        _contracts.push(handler);
    }

    /// @notice Lets forge call only these functions of `handler`.
    function targetSelector(address handler, bytes4[] memory selectors) internal {
        _selectors.push(FuzzSelector({addr: handler, selectors: selectors}));
    }

    /// @notice Lets forge call from `sender`; without any it makes up senders.
    function targetSender(address sender) internal {
        _senders.push(sender);
    }

    /// @notice Read by forge.
    function targetContracts() external view returns (address[] memory) {
        return _contracts;
    }

    /// @notice Read by forge.
    function targetSelectors() external view returns (FuzzSelector[] memory) {
        return _selectors;
    }

    /// @notice Read by forge.
    function targetSenders() external view returns (address[] memory) {
        return _senders;
    }
}
