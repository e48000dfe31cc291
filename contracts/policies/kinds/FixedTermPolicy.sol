// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../../interfaces/ICommittee.sol";
import {IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Epoch} from "../../types/Epoch.sol";
import {Retention} from "./Retention.sol";

/// @title FixedTermPolicy
/// @notice The object is neither deleted nor rid of this rule before an epoch. Argument: `uint32 untilEpoch`.
/// @dev It does not pay for the term: an object that is registered for less expires earlier.
contract FixedTermPolicy is Retention {
    ICommittee private immutable _committee;

    /// @param committee Knows which epoch it is.
    constructor(ICommittee committee) {
        _committee = committee;
    }

    /// @inheritdoc IDataPolicy
    function canDelete(uint256) external view override returns (bool) {
        return _isOver();
    }

    /// @inheritdoc IDataPolicy
    function canReplace(uint256, address next) external view override returns (bool) {
        return next == address(this) || _isOver();
    }

    /// @inheritdoc IDataPolicy
    function minimumEndEpoch(uint256) external view override returns (Epoch) {
        return _untilEpoch();
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "FixedTerm";
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        _checkCount(arguments_, 1);
        _wordAt(arguments_, 0, uint256(Epoch.unwrap(_committee.currentEpoch())) + 1, type(uint32).max);
        return arguments_;
    }

    function _isOver() private view returns (bool) {
        return _committee.currentEpoch() >= _untilEpoch();
    }

    function _untilEpoch() private view returns (Epoch) {
        return abi.decode(_data(), (Epoch));
    }
}
