// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Amount} from "../../types/Amount.sol";
import {PoolId} from "../../types/PoolId.sol";
import {Combinator} from "./Combinator.sol";
import {EvidenceParts} from "./EvidenceParts.sol";
import {OperandCalls} from "./OperandCalls.sol";

/// @title ThresholdPolicy
/// @notice Lets in those whom at least k operands let in.
/// @dev A use costs what the first k operands that allow it ask together: for one token, to one pool. So cheap ones come first.
abstract contract ThresholdPolicy is Combinator {
    /// @dev The first operands that allow a use, as many as are needed, or fewer.
    struct Allowing {
        uint256 count;
        uint256[MAXIMUM_LIST] places;
        uint32 ttlSeconds;
        address failed;
        uint256 failures;
    }

    /// @inheritdoc IDataPolicy
    function quote(AccessRequest calldata request) external view override returns (address, Amount, PoolId) {
        (uint8 k, Operand[] memory operands) = _operands();
        if (!EvidenceParts.areWellFormed(request.evidence, operands.length)) revert Combinator_TooFewAllow(k, 0);
        AccessRequest memory inner = request;
        Allowing memory allowing = _firstAllowing(k, operands, inner, request.evidence);
        if (allowing.count < k) revert Combinator_TooFewAllow(k, allowing.count);

        Price memory price;
        for (uint256 i = 0; i < k; ++i) {
            uint256 place = allowing.places[i];
            _addPrice(price, operands[place], place, inner, request.evidence);
        }
        return (price.token, price.amount, price.pool);
    }

    function _combine(AccessRequest calldata request)
        internal
        view
        override
        returns (uint32 ttlSeconds, bytes32 reason)
    {
        (uint8 k, Operand[] memory operands) = _operands();
        if (!EvidenceParts.areWellFormed(request.evidence, operands.length)) return (0, "WrongEvidence");
        AccessRequest memory inner = request;
        Allowing memory allowing = _firstAllowing(k, operands, inner, request.evidence);
        if (allowing.count == k) return (allowing.ttlSeconds, 0);
        // Denied only when those that did not answer could not have changed it.
        if (allowing.count + allowing.failures >= k) revert Combinator_OperandFailed(allowing.failed);
        return (0, _reason());
    }

    /// @dev Why a use is denied that too few operands allow.
    function _reason() internal pure virtual returns (bytes32);

    function _firstAllowing(uint8 k, Operand[] memory operands, AccessRequest memory inner, bytes calldata evidence)
        private
        view
        returns (Allowing memory allowing)
    {
        allowing.ttlSeconds = type(uint32).max;
        for (uint256 i = 0; i < operands.length && allowing.count < k; ++i) {
            (OperandCalls.Outcome outcome, uint32 ttl,) = _ask(operands[i], i, inner, evidence);
            if (outcome == OperandCalls.Outcome.Allowed) {
                allowing.places[allowing.count++] = i;
                if (ttl < allowing.ttlSeconds) allowing.ttlSeconds = ttl;
            } else if (outcome == OperandCalls.Outcome.None) {
                if (allowing.failures++ == 0) allowing.failed = operands[i].policy;
            }
        }
    }
}
