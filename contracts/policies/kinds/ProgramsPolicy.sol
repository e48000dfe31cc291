// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, Action, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Leaf} from "./Leaf.sol";

/// @title ProgramsPolicy
/// @notice Lets programs on a list compute on the data, whoever wants it, and nobody read it. Argument: `bytes32[] programs`, the
/// blob ids of 1 to 16 programs.
/// @dev What a program writes is all that its requester sees; so the list is worth what its programs are. Below an `AllOf` with
/// others it says what may run, they say for whom.
contract ProgramsPolicy is Leaf {
    uint256 private constant MAXIMUM_PROGRAMS = 16;
    /// @dev Where the list begins, and how long it is.
    uint256 private constant HEAD = 2;

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "Programs";
    }

    function _validate(bytes calldata arguments_) internal pure override returns (bytes memory) {
        if (arguments_.length < 32 * HEAD) revert ReadyMadePolicy_WrongLength(32 * HEAD, arguments_.length);
        _wordAt(arguments_, 0, 32, 32);
        uint256 count = uint256(bytes32(arguments_[32:]));
        if (count == 0 || count > MAXIMUM_PROGRAMS) revert ReadyMadePolicy_WrongCount(MAXIMUM_PROGRAMS, count);
        _checkCount(arguments_, HEAD + count);
        for (uint256 i = 0; i < count; ++i) {
            _wordAt(arguments_, HEAD + i, 1, type(uint256).max);
        }
        return arguments_;
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        if (request.action != Action.Compute) return "ReadingDenied";
        bytes32[] memory programs = abi.decode(_data(), (bytes32[]));
        for (uint256 i = 0; i < programs.length; ++i) {
            if (programs[i] == request.program) return 0;
        }
        return "NotAProgram";
    }
}
