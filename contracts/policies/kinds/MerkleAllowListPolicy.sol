// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {IEvidenceReader} from "../../interfaces/IEvidenceReader.sol";
import {Administered} from "./Administered.sol";

/// @title MerkleAllowListPolicy
/// @notice Lets in those who are in a Merkle tree: only its root is public, and each who is in it shows its own place.
/// Arguments: `bytes32 root, address administrator`, who changes the root by {setRoot}.
/// @dev Evidence: `abi.encode(bytes32[] proof)`. The tree is that of OpenZeppelin's `StandardMerkleTree` with leaves of the
/// types `["address"]`: keccak256(keccak256(abi.encode(account))), pairs sorted.
contract MerkleAllowListPolicy is Administered {
    /// @notice Emitted when the tree became another one.
    event RootChanged(bytes32 oldRoot, bytes32 newRoot);

    /// @notice Thrown when the tree would have no root.
    error MerkleAllowListPolicy_ZeroRoot();

    /// @dev Zero while it is the one of the arguments.
    bytes32 private _newRoot;

    /// @notice Changes the tree.
    /// @dev Emits {RootChanged}. Only the administrator. To let in nobody, name a root that no tree has, such as 1.
    function setRoot(bytes32 newRoot) external onlyAdministrator {
        // Check
        if (newRoot == 0) revert MerkleAllowListPolicy_ZeroRoot();

        // Effect
        emit RootChanged(root(), newRoot);
        _newRoot = newRoot;
    }

    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "MerkleAllowList";
    }

    /// @inheritdoc IEvidenceReader
    function readsEvidence() external pure override returns (bool) {
        return true;
    }

    /// @notice The root of the tree now.
    function root() public view returns (bytes32 current) {
        current = _newRoot;
        if (current == 0) (current,) = abi.decode(_data(), (bytes32, address));
    }

    function _validate(bytes calldata arguments_) internal pure override returns (bytes memory) {
        _checkCount(arguments_, 2);
        _wordAt(arguments_, 0, 1, type(uint256).max);
        _addressAt(arguments_, 1);
        return arguments_;
    }

    function _administrator() internal view override returns (address allowed) {
        (, allowed) = abi.decode(_data(), (bytes32, address));
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        if (!_isProof(request.evidence)) return "WrongEvidence";
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(request.requester))));
        if (!MerkleProof.verifyCalldata(_proofIn(request.evidence), root(), leaf)) return "WrongProof";
    }

    /// @dev Whether this is `abi.encode(bytes32[])`; no other encoding is taken than the shortest.
    function _isProof(bytes calldata evidence) private pure returns (bool) {
        uint256 length = evidence.length;
        return length >= 64 && length % 32 == 0 && uint256(bytes32(evidence[:32])) == 32
            && uint256(bytes32(evidence[32:64])) == length / 32 - 2;
    }

    /// @dev The list in what {_isProof} accepts.
    function _proofIn(bytes calldata evidence) private pure returns (bytes32[] calldata proof) {
        assembly ("memory-safe") {
            proof.offset := add(evidence.offset, 64)
            proof.length := sub(shr(5, evidence.length), 2)
        }
    }
}
