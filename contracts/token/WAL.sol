// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {IWAL} from "../interfaces/IWAL.sol";
import {ERC3009} from "./ERC3009.sol";

/// @title WAL
/// @notice The token of Walrus Chain: a supply that only falls, moved by transfer, permit (ERC-2612) or authorization
/// (ERC-3009).
/// @dev Nobody can mint, pause or seize; a holder can burn what it holds. A transfer moves exactly what it says and calls
/// nobody.
///
/// Invariant: `totalSupply()` never grows, and fits an {Amount}, so no sum of balances can overflow one.
contract WAL is ERC3009 {
    /// @param holder Gets the whole supply.
    /// @param supply In the smallest unit, 10^-18 WAL; 1 to 2^128 - 1.
    constructor(address holder, uint256 supply) ERC20("Walrus Chain", "WAL") ERC20Permit("Walrus Chain") {
        if (supply == 0 || supply > type(uint128).max) revert WAL_SupplyOutOfBounds(type(uint128).max, supply);
        _mint(holder, supply);
    }

    /// @inheritdoc IWAL
    function burn(uint256 value) external {
        _burn(msg.sender, value);
    }

    /// @inheritdoc IWAL
    function version() external view returns (string memory) {
        return _EIP712Version();
    }
}
