// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {IReadyMadePolicy} from "../../interfaces/IReadyMadePolicy.sol";
import {IRevenuePools} from "../../interfaces/IRevenuePools.sol";
import {PoolId} from "../../types/PoolId.sol";

/// @title ReadyMade
/// @notice What clones of {IPolicyFactory} have in common: arguments that are checked before and read from code after.
abstract contract ReadyMade is IReadyMadePolicy {
    uint256 internal constant MAXIMUM_LIST = 8;

    address private immutable _implementation;

    constructor() {
        _implementation = address(this);
    }

    /// @inheritdoc IReadyMadePolicy
    function validate(bytes calldata arguments_) external view returns (bytes memory data) {
        return _validate(arguments_);
    }

    /// @inheritdoc IReadyMadePolicy
    function arguments() external view virtual returns (bytes memory) {
        return _data();
    }

    /// @dev Reverts unless these are arguments of this kind.
    /// @return data What the clone's code shall carry; {arguments} makes the arguments of it again.
    function _validate(bytes calldata arguments_) internal view virtual returns (bytes memory data);

    /// @dev Whether this is a clone, and not the contract behind the clones.
    function _isClone() internal view returns (bool) {
        return address(this) != _implementation;
    }

    /// @dev What this clone's code carries.
    function _data() internal view returns (bytes memory) {
        if (!_isClone()) revert ReadyMadePolicy_NotAClone();
        return Clones.fetchCloneArgs(address(this));
    }

    /// @dev Reverts unless there are just `count` arguments of one word each.
    function _checkCount(bytes calldata arguments_, uint256 count) internal pure {
        if (arguments_.length != 32 * count) revert ReadyMadePolicy_WrongLength(32 * count, arguments_.length);
    }

    /// @dev Argument `index`, which has to lie in [minimum, maximum].
    function _wordAt(bytes calldata arguments_, uint256 index, uint256 minimum, uint256 maximum)
        internal
        pure
        returns (uint256 word)
    {
        word = uint256(bytes32(arguments_[32 * index:]));
        if (word < minimum || word > maximum) {
            revert ReadyMadePolicy_ArgumentOutOfBounds(index, minimum, maximum, word);
        }
    }

    /// @dev Argument `index`, an address that is not zero.
    function _addressAt(bytes calldata arguments_, uint256 index) internal pure returns (address) {
        return address(uint160(_wordAt(arguments_, index, 1, type(uint160).max)));
    }

    /// @dev Reverts unless argument `index` is the address of a contract.
    function _checkContract(bytes calldata arguments_, uint256 index) internal view {
        address account = _addressAt(arguments_, index);
        if (account.code.length == 0) revert ReadyMadePolicy_NoCode(index, account);
    }

    /// @dev Reverts unless argument `index` is the number of a pool.
    function _checkPool(bytes calldata arguments_, uint256 index, IRevenuePools pools) internal view {
        PoolId pool = PoolId.wrap(uint64(_wordAt(arguments_, index, 1, type(uint64).max)));
        if (!pools.exists(pool)) revert ReadyMadePolicy_UnknownPool(pool);
    }

    /// @dev The list of addresses that is the last of `head` arguments: 1 to {MAXIMUM_LIST} of them, none zero, none twice.
    function _listAt(bytes calldata arguments_, uint256 head) internal pure returns (address[] memory list) {
        if (arguments_.length < 32 * (head + 1)) {
            revert ReadyMadePolicy_WrongLength(32 * (head + 1), arguments_.length);
        }
        _wordAt(arguments_, head - 1, 32 * head, 32 * head);
        uint256 count = uint256(bytes32(arguments_[32 * head:]));
        if (count == 0 || count > MAXIMUM_LIST) revert ReadyMadePolicy_WrongCount(MAXIMUM_LIST, count);
        _checkCount(arguments_, head + 1 + count);

        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            address account = _addressAt(arguments_, head + 1 + i);
            for (uint256 k = 0; k < i; ++k) {
                if (list[k] == account) revert ReadyMadePolicy_NamedTwice(account);
            }
            list[i] = account;
        }
    }
}
