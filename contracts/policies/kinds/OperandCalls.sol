// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {PolicyAnswers} from "../../libraries/PolicyAnswers.sol";
import {StrictCalls} from "./StrictCalls.sol";

/// @title OperandCalls
/// @notice Asks the operands of a combinator, each with a gas of its own that depends on its depth alone.
/// @dev An answer is one of three: allowed, denied, or none. None comes of a revert, of too much gas, of another length than 96
/// bytes, of an unknown answer; it never counts as allowed, and not as denied either, since a `Not` would turn that around.
///
/// The gas of an operand is given in whole or the caller reverts: so an answer does not depend on how much was left.
library OperandCalls {
    /// @notice What an operand answered.
    enum Outcome {
        None,
        Denied,
        Allowed
    }

    /// @notice Thrown when less gas is left than an operand is entitled to.
    error OperandCalls_GasTooLow(uint256 required, uint256 actual);

    /// @notice The deepest operand that a combinator may have; the combinator is one deeper.
    uint8 internal constant MAXIMUM_DEPTH = 2;

    uint256 private constant GAS_OF_LEAF = 100_000;
    /// @dev Eight leaves and the way to them.
    uint256 private constant GAS_OF_DEPTH_1 = 900_000;
    /// @dev Two operands of depth 1 that use all they may, or eight that use 150,000 each.
    uint256 private constant GAS_OF_DEPTH_2 = 2_000_000;
    /// @dev For the call itself, before the callee gets its gas.
    uint256 private constant CALL_RESERVE = 5000;

    /// @notice Asks an operand to decide.
    /// @param depth The operand's, at most {MAXIMUM_DEPTH}.
    function evaluate(address operand, uint8 depth, AccessRequest memory request)
        internal
        view
        returns (Outcome outcome, uint32 ttlSeconds, bytes32 reason)
    {
        bytes memory question = abi.encodeCall(IDataPolicy.evaluate, (request));
        (bool answered, uint256[3] memory words) = StrictCalls.tryWords(operand, _gasFor(depth), question);
        if (!answered || words[1] > type(uint32).max) return (Outcome.None, 0, 0);
        if (bytes32(words[0]) == PolicyAnswers.ALLOW) return (Outcome.Allowed, uint32(words[1]), 0);
        if (bytes32(words[0]) == PolicyAnswers.DENY) return (Outcome.Denied, 0, bytes32(words[2]));
        return (Outcome.None, 0, 0);
    }

    /// @notice Asks an operand what a use costs.
    /// @return answered Whether it said so, in bounds.
    function quote(address operand, uint8 depth, AccessRequest memory request)
        internal
        view
        returns (bool answered, address token, uint128 amount, uint64 pool)
    {
        bytes memory question = abi.encodeCall(IDataPolicy.quote, (request));
        uint256[3] memory words;
        (answered, words) = StrictCalls.tryWords(operand, _gasFor(depth), question);
        answered =
            answered && words[0] <= type(uint160).max && words[1] <= type(uint128).max && words[2] <= type(uint64).max;
        if (answered) (token, amount, pool) = (address(uint160(words[0])), uint128(words[1]), uint64(words[2]));
    }

    /// @notice Asks an operand a view of retention.
    /// @return answered Whether it answered in one word of at most `maximum`.
    function ask(address operand, uint8 depth, bytes memory question, uint256 maximum)
        internal
        view
        returns (bool answered, uint256 word)
    {
        (answered, word) = StrictCalls.tryWord(operand, _gasFor(depth), question);
        answered = answered && word <= maximum;
    }

    /// @dev The gas of an operand, all of which is there to be given.
    function _gasFor(uint8 depth) private view returns (uint256 gasLimit) {
        gasLimit = depth == 0 ? GAS_OF_LEAF : depth == 1 ? GAS_OF_DEPTH_1 : GAS_OF_DEPTH_2;
        // A call passes on at most 63 of 64 parts of what is left.
        uint256 required = (gasLimit + CALL_RESERVE) * 64 / 63;
        if (gasleft() < required) revert OperandCalls_GasTooLow(required, gasleft());
    }
}
