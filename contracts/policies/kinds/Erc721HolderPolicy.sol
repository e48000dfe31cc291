// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {TokenHolder} from "./TokenHolder.sol";

/// @title Erc721HolderPolicy
/// @notice Lets in those who hold an ERC-721 token of a collection, whichever. Argument: `address token`.
contract Erc721HolderPolicy is TokenHolder {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "Erc721Holder";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        _checkCount(arguments_, 1);
        _checkContract(arguments_, 0);
        return arguments_;
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        address token = abi.decode(_data(), (address));
        uint256 balance = _balanceIn(token, abi.encodeCall(IERC721.balanceOf, (request.requester)));
        if (balance == 0) return "TooFewTokens";
    }
}
