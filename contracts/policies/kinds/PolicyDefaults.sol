// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {IEvidenceReader} from "../../interfaces/IEvidenceReader.sol";
import {Amount} from "../../types/Amount.sol";
import {Epoch} from "../../types/Epoch.sol";
import {PoolId} from "../../types/PoolId.sol";
import {Timestamp} from "../../types/Timestamp.sol";

/// @title PolicyDefaults
/// @notice What a policy answers to questions about which it says nothing: uses are free, the owner may do everything, no key
/// is ever destroyed, no hook is wanted.
/// @dev Inherit {DataPolicy}, which adds the decision.
abstract contract PolicyDefaults is IDataPolicy, IEvidenceReader {
    /// @inheritdoc IDataPolicy
    function quote(AccessRequest calldata) external view virtual returns (address token, Amount amount, PoolId pool) {
        return (address(0), Amount.wrap(0), PoolId.wrap(0));
    }

    /// @inheritdoc IDataPolicy
    function canDelete(uint256) external view virtual returns (bool) {
        return true;
    }

    /// @inheritdoc IDataPolicy
    function canTransfer(uint256, address) external view virtual returns (bool) {
        return true;
    }

    /// @inheritdoc IDataPolicy
    function canReplace(uint256, address) external view virtual returns (bool) {
        return true;
    }

    /// @inheritdoc IDataPolicy
    function minimumEndEpoch(uint256) external view virtual returns (Epoch) {
        return Epoch.wrap(0);
    }

    /// @inheritdoc IDataPolicy
    function destroyAt(uint256) external view virtual returns (Timestamp) {
        return Timestamp.wrap(0);
    }

    /// @inheritdoc IDataPolicy
    function hooks() external view virtual returns (uint8) {
        return 0;
    }

    /// @inheritdoc IDataPolicy
    function onCertified(uint256) external virtual {}

    /// @inheritdoc IDataPolicy
    function onExtended(uint256, Epoch) external virtual {}

    /// @inheritdoc IDataPolicy
    function onRead(uint256, address, uint32, Amount) external virtual {}

    /// @inheritdoc IDataPolicy
    function onExpired(uint256) external virtual {}

    /// @inheritdoc IDataPolicy
    function kind() external view virtual returns (bytes32) {
        return "Custom";
    }

    /// @inheritdoc IDataPolicy
    function depth() external view virtual returns (uint8) {
        return 0;
    }

    /// @inheritdoc IEvidenceReader
    /// @dev True unless a policy says otherwise: who forgets to say it may not stand below a `Not`.
    function readsEvidence() external view virtual returns (bool) {
        return true;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external view virtual returns (bool) {
        return _supports(interfaceId);
    }

    /// @dev Override this one to add an interface, and fall back on `super`.
    function _supports(bytes4 interfaceId) internal view virtual returns (bool) {
        return interfaceId == type(IDataPolicy).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
