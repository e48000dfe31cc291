// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SmartAccountMock} from "./SmartAccountMock.sol";

/// @title AccountFactoryMock
/// @notice Deploys smart accounts at addresses known beforehand, as ERC-6492 wants it. For tests; never deployed.
contract AccountFactoryMock {
    /// @notice Deploys the account of `owner`, once.
    function deploy(address owner) external returns (address) {
        return address(new SmartAccountMock{salt: 0}(owner));
    }

    /// @notice Uses up all gas.
    function burnGas() external pure {
        assembly {
            invalid()
        }
    }

    /// @notice Where {deploy} puts the account.
    function addressOf(address owner) external view returns (address) {
        bytes32 code = keccak256(bytes.concat(type(SmartAccountMock).creationCode, abi.encode(owner)));
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), bytes32(0), code)))));
    }
}
