// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Combinator} from "./Combinator.sol";
import {TTL_SECONDS} from "./DataPolicy.sol";
import {OperandCalls} from "./OperandCalls.sol";
import {ReadyMade} from "./ReadyMade.sol";

/// @title NotPolicy
/// @notice Lets in those whom its operand denies, for free. Argument: `address operand`.
/// @dev The operand may not read evidence, and gets none: else who shows nothing, or something wrong, would be let in.
contract NotPolicy is Combinator {
    /// @notice Thrown when the operand's answer may depend on what a requester shows.
    error NotPolicy_OperandReadsEvidence(address operand);

    /// @inheritdoc ReadyMade
    function arguments() external view override returns (bytes memory) {
        return abi.encode(_addresses()[0]);
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "Not";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory data) {
        _checkCount(arguments_, 1);
        address[] memory list = new address[](1);
        list[0] = _addressAt(arguments_, 0);
        data = _pack(0, list);
        if (uint8(data[1]) & READS_EVIDENCE != 0) revert NotPolicy_OperandReadsEvidence(list[0]);
    }

    function _combine(AccessRequest calldata request)
        internal
        view
        override
        returns (uint32 ttlSeconds, bytes32 reason)
    {
        (, Operand[] memory operands) = _operands();
        AccessRequest memory inner = request;
        inner.evidence = "";
        (OperandCalls.Outcome outcome,,) = OperandCalls.evaluate(operands[0].policy, operands[0].depth, inner);
        if (outcome == OperandCalls.Outcome.None) revert Combinator_OperandFailed(operands[0].policy);
        if (outcome == OperandCalls.Outcome.Allowed) return (0, "OperandAllows");
        return (TTL_SECONDS, 0);
    }
}
