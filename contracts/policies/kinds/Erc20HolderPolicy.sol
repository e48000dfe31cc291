// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {TokenHolder} from "./TokenHolder.sol";

/// @title Erc20HolderPolicy
/// @notice Lets in those who hold enough of an ERC-20 token. Arguments: `address token, uint256 minimum`.
/// @dev Warning: tokens can be lent for a block. What counts is the balance at the block that the request names.
contract Erc20HolderPolicy is TokenHolder {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "Erc20Holder";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        _checkCount(arguments_, 2);
        _checkContract(arguments_, 0);
        _wordAt(arguments_, 1, 1, type(uint256).max);
        return arguments_;
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        (address token, uint256 minimum) = abi.decode(_data(), (address, uint256));
        uint256 balance = _balanceIn(token, abi.encodeCall(IERC20.balanceOf, (request.requester)));
        if (balance < minimum) return "TooFewTokens";
    }
}
