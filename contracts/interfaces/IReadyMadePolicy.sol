// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PoolId} from "../types/PoolId.sol";

/// @title IReadyMadePolicy
/// @notice A policy that runs as a clone: its code is shared, its arguments stand in the clone's own code.
/// @dev Arguments are `abi.encode`d. They are checked before there is a clone, so every clone of {IPolicyFactory} is sound. The
/// contract behind the clones is no policy itself: it does not support {IDataPolicy}.
interface IReadyMadePolicy {
    /// @notice Thrown when the arguments do not have the length that the kind's types have.
    error ReadyMadePolicy_WrongLength(uint256 expected, uint256 actual);

    /// @notice Thrown when an argument is too small or too large; an address may not be zero.
    /// @param index Which word of the arguments, from 0; without lists each argument is a word.
    error ReadyMadePolicy_ArgumentOutOfBounds(uint256 index, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Thrown when an argument names an account without code where a contract is needed.
    /// @param index Which argument, from 0.
    error ReadyMadePolicy_NoCode(uint256 index, address account);

    /// @notice Thrown when an argument names a revenue pool that does not exist.
    error ReadyMadePolicy_UnknownPool(PoolId pool);

    /// @notice Thrown when a list has no entry or too many.
    error ReadyMadePolicy_WrongCount(uint256 maximum, uint256 actual);

    /// @notice Thrown when a list names an address twice.
    error ReadyMadePolicy_NamedTwice(address account);

    /// @notice Thrown when the contract behind the clones is asked itself: it has no arguments.
    error ReadyMadePolicy_NotAClone();

    /// @notice Checks the arguments of a clone to be. Asked of the contract behind the clones.
    /// @param arguments_ `abi.encode` of what the kind takes.
    /// @return data What the clone's code shall carry.
    function validate(bytes calldata arguments_) external view returns (bytes memory data);

    /// @notice The arguments that this clone was made with, `abi.encode`d.
    function arguments() external view returns (bytes memory);
}
