// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidenceReader} from "../../interfaces/IEvidenceReader.sol";
import {DataPolicy} from "./DataPolicy.sol";
import {PolicyDefaults} from "./PolicyDefaults.sol";
import {ReadyMade} from "./ReadyMade.sol";

/// @title Leaf
/// @notice A ready-made policy that asks no other one and looks at no evidence, unless it says so.
abstract contract Leaf is DataPolicy, ReadyMade {
    /// @inheritdoc IEvidenceReader
    function readsEvidence() external view virtual override returns (bool) {
        return false;
    }

    /// @inheritdoc PolicyDefaults
    /// @dev Only clones are policies, so the contract behind them is refused wherever a policy is named.
    function _supports(bytes4 interfaceId) internal view virtual override returns (bool) {
        return _isClone() && super._supports(interfaceId);
    }
}
