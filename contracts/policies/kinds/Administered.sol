// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaf} from "./Leaf.sol";

/// @title Administered
/// @notice A ready-made policy with somebody who may change what it knows.
abstract contract Administered is Leaf {
    /// @notice Thrown when somebody else than the administrator wants to change something.
    error Administered_CallerNotAdministrator(address administrator, address caller);

    modifier onlyAdministrator() {
        address allowed = _administrator();
        if (msg.sender != allowed) revert Administered_CallerNotAdministrator(allowed, msg.sender);
        _;
    }

    /// @notice Who may change what this policy knows. Fixed.
    function administrator() external view returns (address) {
        return _administrator();
    }

    function _administrator() internal view virtual returns (address);
}
