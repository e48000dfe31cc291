// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Assertions} from "./Assertions.sol";
import {Vm, vm} from "./Vm.sol";

/// @title Test
/// @notice Base of every Solidity test: assertions, named accounts, bounded fuzz inputs, time.
/// @dev forge runs `setUp()` before each `test*` function and calls it with random arguments where it takes any.
abstract contract Test is Assertions {
    /// @notice Printed by forge from `-vv` on.
    event log_named_uint(string name, uint256 value);
    event log_named_address(string name, address value);
    event log_named_bytes32(string name, bytes32 value);
    event log_named_bytes(string name, bytes value);
    event log_named_string(string name, string value);

    /// @notice An account that can sign.
    struct Account {
        address addr;
        uint256 key;
    }

    /// @notice The account that belongs to a name: the same name gives the same account, and traces show the name.
    function makeAccount(string memory name) internal returns (Account memory account) {
        account.key = uint256(keccak256(bytes(name)));
        account.addr = vm.addr(account.key);
        vm.label(account.addr, name);
    }

    /// @notice The address of {makeAccount}.
    function makeAddr(string memory name) internal returns (address) {
        return makeAccount(name).addr;
    }

    /// @notice The signature of `digest` by `key` in the form r ‖ s ‖ v, 65 bytes.
    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @notice Maps any `value` into [low, high], both ends included; a value already inside stays.
    /// @dev Values next to zero and to the type's maximum go to the ends of the range, since fuzzers like them.
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        require(low <= high, "bound: low is above high");
        if (value >= low && value <= high) return value;
        uint256 last = high - low;
        if (last == type(uint256).max) return value;
        if (value <= 3 && value <= last) return low + value;
        if (value >= type(uint256).max - 3 && type(uint256).max - value <= last) {
            return high - (type(uint256).max - value);
        }
        return low + (value % (last + 1));
    }

    /// @notice Moves the clock forward by `duration` seconds.
    function skip(uint256 duration) internal {
        vm.warp(vm.getBlockTimestamp() + duration);
    }
}
