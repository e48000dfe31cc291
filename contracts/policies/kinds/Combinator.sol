// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {IEvidenceReader} from "../../interfaces/IEvidenceReader.sol";
import {CappedCall} from "../../libraries/CappedCall.sol";
import {PolicyAnswers} from "../../libraries/PolicyAnswers.sol";
import {Amount} from "../../types/Amount.sol";
import {Epoch} from "../../types/Epoch.sol";
import {PoolId} from "../../types/PoolId.sol";
import {Timestamp} from "../../types/Timestamp.sol";
import {EvidenceParts} from "./EvidenceParts.sol";
import {OperandCalls} from "./OperandCalls.sol";
import {PolicyDefaults} from "./PolicyDefaults.sol";
import {ReadyMade} from "./ReadyMade.sol";

/// @title Combinator
/// @notice A ready-made policy that decides by what other policies decide: its operands, 1 to 8 of them, each at most two deep.
/// @dev It answers in three ways: it allows, it denies, or it reverts, because an operand gave no answer on which all depends.
/// So a policy that fails lets nobody in, below a `Not` neither.
///
/// Evidence: `abi.encode(bytes[])`, one entry for each operand, or nothing when no operand wants any. As a retention policy a
/// combinator forbids all, by reverting, unless it says otherwise. Hooks are not handed on.
///
/// What a clone carries: a byte for k, and for each operand a byte of what is known of it (bit 7: it reads evidence; the others:
/// its depth) and its address.
abstract contract Combinator is PolicyDefaults, ReadyMade {
    /// @dev An operand and what was found out about it when the clone was made.
    struct Operand {
        address policy;
        uint8 depth;
        bool readsEvidence;
    }

    /// @dev A price and who is paid.
    struct Price {
        address token;
        Amount amount;
        PoolId pool;
    }

    /// @notice Thrown when an operand is no contract that supports {IDataPolicy}.
    error Combinator_NotAPolicy(address operand);

    /// @notice Thrown when an operand asks too many levels of policies itself.
    error Combinator_TooDeep(address operand, uint256 maximum, uint256 actual);

    /// @notice Thrown when there is no answer without that of an operand that did not answer.
    error Combinator_OperandFailed(address operand);

    /// @notice Thrown when operands sell for other tokens, or to other pools, than one another.
    error Combinator_PricesDiffer(address token, PoolId pool, address otherToken, PoolId otherPool);

    /// @notice Thrown when a price is asked of a use that is not allowed.
    error Combinator_TooFewAllow(uint256 required, uint256 actual);

    /// @notice Thrown when a combinator that has no rule for retention is asked for one.
    error Combinator_NoRetention();

    uint256 private constant OPERAND_BYTES = 21;
    uint8 internal constant READS_EVIDENCE = 0x80;
    /// @dev What an operand gets to answer a question about itself, when the clone is made.
    uint256 private constant GAS_OF_FACTS = 50_000;

    /// @inheritdoc IDataPolicy
    function evaluate(AccessRequest calldata request)
        external
        view
        override
        returns (bytes4 answer, uint32 ttlSeconds, bytes32 reason)
    {
        (ttlSeconds, reason) = _combine(request);
        return reason == 0 ? (PolicyAnswers.ALLOW, ttlSeconds, reason) : (PolicyAnswers.DENY, 0, reason);
    }

    /// @inheritdoc IDataPolicy
    function canDelete(uint256) external view virtual override returns (bool) {
        revert Combinator_NoRetention();
    }

    /// @inheritdoc IDataPolicy
    function canTransfer(uint256, address) external view virtual override returns (bool) {
        revert Combinator_NoRetention();
    }

    /// @inheritdoc IDataPolicy
    function canReplace(uint256, address) external view virtual override returns (bool) {
        revert Combinator_NoRetention();
    }

    /// @inheritdoc IDataPolicy
    function minimumEndEpoch(uint256) external view virtual override returns (Epoch) {
        revert Combinator_NoRetention();
    }

    /// @inheritdoc IDataPolicy
    function destroyAt(uint256) external view virtual override returns (Timestamp) {
        revert Combinator_NoRetention();
    }

    /// @inheritdoc IDataPolicy
    function depth() external view override returns (uint8 levels) {
        (, Operand[] memory operands) = _operands();
        for (uint256 i = 0; i < operands.length; ++i) {
            if (operands[i].depth > levels) levels = operands[i].depth;
        }
        return levels + 1;
    }

    /// @inheritdoc IEvidenceReader
    function readsEvidence() external view override returns (bool) {
        (, Operand[] memory operands) = _operands();
        for (uint256 i = 0; i < operands.length; ++i) {
            if (operands[i].readsEvidence) return true;
        }
        return false;
    }

    /// @inheritdoc PolicyDefaults
    /// @dev Only clones are policies, so the contract behind them is refused wherever a policy is named.
    function _supports(bytes4 interfaceId) internal view override returns (bool) {
        return _isClone() && super._supports(interfaceId);
    }

    /// @dev The decision: zero allows, a reason denies, and a revert does neither.
    function _combine(AccessRequest calldata request) internal view virtual returns (uint32 ttlSeconds, bytes32 reason);

    /// @dev k, and the operands in their order.
    function _operands() internal view returns (uint8 k, Operand[] memory operands) {
        bytes memory data = _data();
        k = uint8(data[0]);
        operands = new Operand[](data.length / OPERAND_BYTES);
        for (uint256 i = 0; i < operands.length; ++i) {
            uint168 packed;
            uint256 start = 0x20 + 1 + OPERAND_BYTES * i;
            assembly ("memory-safe") {
                packed := shr(88, mload(add(data, start)))
            }
            // A byte, and the twenty after it.
            // forge-lint: disable-next-line(unsafe-typecast)
            (uint8 known, address policy) = (uint8(packed >> 160), address(uint160(packed)));
            operands[i] = Operand(policy, known & ~READS_EVIDENCE, known & READS_EVIDENCE != 0);
        }
    }

    /// @dev The operands' addresses.
    function _addresses() internal view returns (address[] memory list) {
        (, Operand[] memory operands) = _operands();
        list = new address[](operands.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = operands[i].policy;
        }
    }

    /// @dev What a clone with these operands carries. Reverts unless each of them is a policy that is not too deep.
    function _pack(uint8 k, address[] memory list) internal view returns (bytes memory data) {
        data = abi.encodePacked(k);
        for (uint256 i = 0; i < list.length; ++i) {
            data = abi.encodePacked(data, _knownOf(list[i]), list[i]);
        }
    }

    /// @dev Asks operand `index` to decide, with its part of evidence that is well formed.
    function _ask(Operand memory operand, uint256 index, AccessRequest memory inner, bytes calldata evidence)
        internal
        view
        returns (OperandCalls.Outcome outcome, uint32 ttlSeconds, bytes32 reason)
    {
        inner.evidence = EvidenceParts.partOf(evidence, index);
        return OperandCalls.evaluate(operand.policy, operand.depth, inner);
    }

    /// @dev Adds what operand `index` asks for the use to `price`. Reverts when it says nothing, or asks for something else.
    function _addPrice(
        Price memory price,
        Operand memory operand,
        uint256 index,
        AccessRequest memory inner,
        bytes calldata evidence
    ) internal view {
        inner.evidence = EvidenceParts.partOf(evidence, index);
        (bool answered, address token, Amount amount, PoolId pool) =
            OperandCalls.quote(operand.policy, operand.depth, inner);
        if (!answered || (token == address(0) && !amount.isZero())) revert Combinator_OperandFailed(operand.policy);
        if (amount.isZero()) return;

        if (price.token == address(0)) (price.token, price.pool) = (token, pool);
        if (price.token != token || !(price.pool == pool)) {
            revert Combinator_PricesDiffer(price.token, price.pool, token, pool);
        }
        price.amount = price.amount + amount;
    }

    /// @dev An operand's answer to a question about retention; reverts when there is none of at most `maximum`.
    function _askRetention(Operand memory operand, bytes memory question, uint256 maximum)
        internal
        view
        returns (uint256 word)
    {
        bool answered;
        (answered, word) = OperandCalls.ask(operand.policy, operand.depth, question, maximum);
        if (!answered) revert Combinator_OperandFailed(operand.policy);
    }

    /// @dev The byte of what is known of an operand.
    function _knownOf(address operand) private view returns (uint8 known) {
        (bool answered, uint256 word) = CappedCall.askWord(
            operand, GAS_OF_FACTS, abi.encodeCall(IERC165.supportsInterface, (type(IDataPolicy).interfaceId))
        );
        if (!answered || word != 1) revert Combinator_NotAPolicy(operand);
        (answered, word) = CappedCall.askWord(operand, GAS_OF_FACTS, abi.encodeCall(IDataPolicy.depth, ()));
        if (!answered) revert Combinator_NotAPolicy(operand);
        if (word > OperandCalls.MAXIMUM_DEPTH) revert Combinator_TooDeep(operand, OperandCalls.MAXIMUM_DEPTH, word);
        // At most two.
        // forge-lint: disable-next-line(unsafe-typecast)
        known = uint8(word);
        (answered, word) = CappedCall.askWord(operand, GAS_OF_FACTS, abi.encodeCall(IEvidenceReader.readsEvidence, ()));
        if (!answered || word != 0) known |= READS_EVIDENCE;
    }
}
