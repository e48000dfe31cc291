// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {CappedCall} from "../../libraries/CappedCall.sol";
import {PolicyAnswers} from "../../libraries/PolicyAnswers.sol";
import {Amount} from "../../types/Amount.sol";
import {PoolId} from "../../types/PoolId.sol";

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

    /// @notice Asks an operand to decide.
    /// @param depth The operand's, at most {MAXIMUM_DEPTH}.
    function evaluate(address operand, uint8 depth, AccessRequest memory request)
        internal
        view
        returns (Outcome outcome, uint32 ttlSeconds, bytes32 reason)
    {
        bytes memory question = abi.encodeCall(IDataPolicy.evaluate, (request));
        (bool answered, uint256 answer, uint256 ttl, uint256 why) =
            CappedCall.askThreeWords(operand, _gasFor(depth), question);
        if (!answered || ttl > type(uint32).max) return (Outcome.None, 0, 0);
        // Just compared.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (bytes32(answer) == PolicyAnswers.ALLOW) return (Outcome.Allowed, uint32(ttl), 0);
        if (bytes32(answer) == PolicyAnswers.DENY) return (Outcome.Denied, 0, bytes32(why));
        return (Outcome.None, 0, 0);
    }

    /// @notice Asks an operand what a use costs.
    /// @return answered Whether it said so, in bounds.
    function quote(address operand, uint8 depth, AccessRequest memory request)
        internal
        view
        returns (bool answered, address token, Amount amount, PoolId pool)
    {
        bytes memory question = abi.encodeCall(IDataPolicy.quote, (request));
        uint256 what;
        uint256 price;
        uint256 payee;
        (answered, what, price, payee) = CappedCall.askThreeWords(operand, _gasFor(depth), question);
        answered = answered && what <= type(uint160).max && price <= type(uint128).max && payee <= type(uint64).max;
        if (!answered) return (false, token, amount, pool);
        // Just compared.
        // forge-lint: disable-next-line(unsafe-typecast)
        (token, amount, pool) = (address(uint160(what)), Amount.wrap(uint128(price)), PoolId.wrap(uint64(payee)));
    }

    /// @notice Asks an operand a view of retention.
    /// @return answered Whether it answered in one word of at most `maximum`.
    function ask(address operand, uint8 depth, bytes memory question, uint256 maximum)
        internal
        view
        returns (bool answered, uint256 word)
    {
        (answered, word) = CappedCall.askWord(operand, _gasFor(depth), question);
        answered = answered && word <= maximum;
    }

    /// @dev The gas of an operand, all of which is there to be given.
    function _gasFor(uint8 depth) private view returns (uint256 gasCap) {
        gasCap = depth == 0 ? GAS_OF_LEAF : depth == 1 ? GAS_OF_DEPTH_1 : GAS_OF_DEPTH_2;
        if (!CappedCall.suffices(gasCap)) {
            revert OperandCalls_GasTooLow(CappedCall.required(gasCap), gasleft());
        }
    }
}
