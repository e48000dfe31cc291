// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "./Administered.sol";

/// @title AccountList
/// @notice A list of accounts that an administrator keeps. Argument: `address administrator`.
abstract contract AccountList is Administered {
    /// @notice Emitted when an account came onto the list or left it.
    event AccountListed(address indexed account, bool listed);

    /// @notice Whether an account is on the list.
    mapping(address account => bool) public isListed;

    /// @notice Puts accounts on the list or takes them off. Those that are where they should be stay there.
    /// @dev Emits {AccountListed} for each that changes. Only the administrator.
    function setListed(address[] calldata accounts, bool listed) external onlyAdministrator {
        // Effect
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (isListed[accounts[i]] == listed) continue;
            isListed[accounts[i]] = listed;
            emit AccountListed(accounts[i], listed);
        }
    }

    function _validate(bytes calldata arguments_) internal pure override returns (bytes memory) {
        _checkCount(arguments_, 1);
        _addressAt(arguments_, 0);
        return arguments_;
    }

    function _administrator() internal view override returns (address) {
        return abi.decode(_data(), (address));
    }
}
