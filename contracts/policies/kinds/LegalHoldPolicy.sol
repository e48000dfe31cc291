// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {Retention} from "./Retention.sol";

/// @title LegalHoldPolicy
/// @notice While any of its holders holds an object, it is neither deleted nor rid of this rule. Argument: `address[] holders`,
/// 1 to 8.
/// @dev Each holder has a hold of its own on each object, and only it lifts it. A hold that begins while other policies are
/// announced keeps them from taking effect.
///
/// Invariant: bit i of an object's holds is set when holder i holds it; no other bit is set.
contract LegalHoldPolicy is Retention {
    /// @notice Emitted when a holder began to hold an object, or ceased.
    event HoldChanged(uint256 indexed blobObject, address indexed holder, bool held);

    /// @notice Thrown when somebody who is no holder wants to hold an object or let go of it.
    error LegalHoldPolicy_CallerNotHolder(address caller);

    mapping(uint256 blobObject => uint256) private _holdsOf;

    /// @notice Holds an object, or lets go of it.
    /// @dev Emits {HoldChanged} when that changes something. Only holders, each for itself.
    function setHold(uint256 blobObject, bool held) external {
        // Check
        uint256 bit = _bitOf(msg.sender);
        if (bit == 0) revert LegalHoldPolicy_CallerNotHolder(msg.sender);

        // Effect
        uint256 holds = _holdsOf[blobObject];
        if ((holds & bit != 0) == held) return;
        _holdsOf[blobObject] = holds ^ bit;
        emit HoldChanged(blobObject, msg.sender, held);
    }

    /// @notice Whether a holder holds an object.
    function isHeldBy(uint256 blobObject, address holder) external view returns (bool) {
        return _holdsOf[blobObject] & _bitOf(holder) != 0;
    }

    /// @inheritdoc IDataPolicy
    function canDelete(uint256 blobObject) external view override returns (bool) {
        return _holdsOf[blobObject] == 0;
    }

    /// @inheritdoc IDataPolicy
    function canReplace(uint256 blobObject, address next) external view override returns (bool) {
        return next == address(this) || _holdsOf[blobObject] == 0;
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "LegalHold";
    }

    /// @dev Zero for who is no holder.
    function _bitOf(address account) private view returns (uint256) {
        address[] memory holders = abi.decode(_data(), (address[]));
        for (uint256 i = 0; i < holders.length; ++i) {
            if (holders[i] == account) return 1 << i;
        }
        return 0;
    }

    function _validate(bytes calldata arguments_) internal pure override returns (bytes memory) {
        _listAt(arguments_, 1);
        return arguments_;
    }
}
