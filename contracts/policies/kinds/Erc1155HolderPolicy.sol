// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {TokenHolder} from "./TokenHolder.sol";

/// @title Erc1155HolderPolicy
/// @notice Lets in those who hold enough of one token of an ERC-1155 contract. Arguments: `address token, uint256 id,
/// uint256 minimum`.
contract Erc1155HolderPolicy is TokenHolder {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "Erc1155Holder";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        _checkCount(arguments_, 3);
        _checkContract(arguments_, 0);
        _wordAt(arguments_, 2, 1, type(uint256).max);
        return arguments_;
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        (address token, uint256 id, uint256 minimum) = abi.decode(_data(), (address, uint256, uint256));
        uint256 balance = _balanceIn(token, abi.encodeCall(IERC1155.balanceOf, (request.requester, id)));
        if (balance < minimum) return "TooFewTokens";
    }
}
