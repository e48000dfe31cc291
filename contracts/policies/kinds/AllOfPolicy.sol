// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Amount} from "../../types/Amount.sol";
import {Epoch} from "../../types/Epoch.sol";
import {PoolId} from "../../types/PoolId.sol";
import {Timestamp} from "../../types/Timestamp.sol";
import {Combinator} from "./Combinator.sol";
import {EvidenceParts} from "./EvidenceParts.sol";
import {OperandCalls} from "./OperandCalls.sol";
import {ReadyMade} from "./ReadyMade.sol";

/// @title AllOfPolicy
/// @notice Lets in those whom all operands let in. Argument: `address[] operands`.
/// @dev Denied for the reason of the first operand that denies. A use costs what the operands ask together: for one token, to
/// one pool. It works as a retention policy too: the owner may do what all operands allow, the object stays for the longest of
/// their terms, and its keys are destroyed at the earliest of their times.
contract AllOfPolicy is Combinator {
    /// @inheritdoc IDataPolicy
    function quote(AccessRequest calldata request) external view override returns (address, Amount, PoolId) {
        (, Operand[] memory operands) = _operands();
        if (!EvidenceParts.areWellFormed(request.evidence, operands.length)) {
            revert Combinator_TooFewAllow(operands.length, 0);
        }
        AccessRequest memory inner = request;
        Price memory price;
        for (uint256 i = 0; i < operands.length; ++i) {
            _addPrice(price, operands[i], i, inner, request.evidence);
        }
        return (price.token, price.amount, price.pool);
    }

    /// @inheritdoc IDataPolicy
    function canDelete(uint256 blobObject) external view override returns (bool) {
        return _allSay(abi.encodeCall(IDataPolicy.canDelete, (blobObject)));
    }

    /// @inheritdoc IDataPolicy
    function canTransfer(uint256 blobObject, address to) external view override returns (bool) {
        return _allSay(abi.encodeCall(IDataPolicy.canTransfer, (blobObject, to)));
    }

    /// @inheritdoc IDataPolicy
    function canReplace(uint256 blobObject, address next) external view override returns (bool) {
        return next == address(this) || _allSay(abi.encodeCall(IDataPolicy.canReplace, (blobObject, next)));
    }

    /// @inheritdoc IDataPolicy
    function minimumEndEpoch(uint256 blobObject) external view override returns (Epoch) {
        (, Operand[] memory operands) = _operands();
        bytes memory question = abi.encodeCall(IDataPolicy.minimumEndEpoch, (blobObject));
        uint256 latest = 0;
        for (uint256 i = 0; i < operands.length; ++i) {
            uint256 end = _askRetention(operands[i], question, type(uint32).max);
            if (end > latest) latest = end;
        }
        // Each answer was an epoch.
        // forge-lint: disable-next-line(unsafe-typecast)
        return Epoch.wrap(uint32(latest));
    }

    /// @inheritdoc IDataPolicy
    function destroyAt(uint256 blobObject) external view override returns (Timestamp) {
        (, Operand[] memory operands) = _operands();
        bytes memory question = abi.encodeCall(IDataPolicy.destroyAt, (blobObject));
        uint256 earliest = 0;
        for (uint256 i = 0; i < operands.length; ++i) {
            uint256 time = _askRetention(operands[i], question, type(uint64).max);
            if (time != 0 && (earliest == 0 || time < earliest)) earliest = time;
        }
        // Each answer was a time.
        // forge-lint: disable-next-line(unsafe-typecast)
        return Timestamp.wrap(uint64(earliest));
    }

    /// @inheritdoc ReadyMade
    function arguments() external view override returns (bytes memory) {
        return abi.encode(_addresses());
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "AllOf";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        return _pack(0, _listAt(arguments_, 1));
    }

    function _combine(AccessRequest calldata request)
        internal
        view
        override
        returns (uint32 ttlSeconds, bytes32 reason)
    {
        (, Operand[] memory operands) = _operands();
        if (!EvidenceParts.areWellFormed(request.evidence, operands.length)) return (0, "WrongEvidence");

        AccessRequest memory inner = request;
        address failed = address(0);
        ttlSeconds = type(uint32).max;
        for (uint256 i = 0; i < operands.length; ++i) {
            (OperandCalls.Outcome outcome, uint32 ttl, bytes32 why) = _ask(operands[i], i, inner, request.evidence);
            if (outcome == OperandCalls.Outcome.Denied) {
                if (why == 0) return (0, "OperandDenies");
                return (0, why);
            }
            if (outcome == OperandCalls.Outcome.None && failed == address(0)) failed = operands[i].policy;
            if (ttl < ttlSeconds) ttlSeconds = ttl;
        }
        if (failed != address(0)) revert Combinator_OperandFailed(failed);
    }

    function _allSay(bytes memory question) private view returns (bool) {
        (, Operand[] memory operands) = _operands();
        for (uint256 i = 0; i < operands.length; ++i) {
            if (_askRetention(operands[i], question, 1) == 0) return false;
        }
        return true;
    }
}
