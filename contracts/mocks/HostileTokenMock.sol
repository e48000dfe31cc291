// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HostileTokenMock
/// @notice A token that breaks its word when told to: for tests of who calls tokens; never deployed.
contract HostileTokenMock is ERC20 {
    /// @notice Whether transfers move nothing and answer false.
    bool public refuses;

    address private _target;
    bytes private _call;

    /// @notice What the call back into `target` answered.
    bytes public answer;

    constructor(address holder, uint256 supply) ERC20("Hostile", "HOST") {
        _mint(holder, supply);
    }

    /// @notice Transfers answer false from now on.
    function refuse() external {
        refuses = true;
    }

    /// @notice The next transfer first calls `target`, once, and keeps what it answered.
    function callBack(address target, bytes calldata data) external {
        _target = target;
        _call = data;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        _strike();
        return refuses ? false : super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _strike();
        return refuses ? false : super.transferFrom(from, to, value);
    }

    function _strike() private {
        address target = _target;
        if (target == address(0)) return;
        _target = address(0);
        (, answer) = target.call(_call);
    }
}
