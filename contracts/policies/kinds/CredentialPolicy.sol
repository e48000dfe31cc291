// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestation, IAttestations} from "../../interfaces/ICredentialRegistry.sol";
import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {IEvidenceReader} from "../../interfaces/IEvidenceReader.sol";
import {Leaf} from "./Leaf.sol";

/// @title CredentialPolicy
/// @notice Lets in those about whom somebody made a statement that holds now. Arguments: `address registry, bytes32 schema,
/// address attester`; the registry is a {CredentialRegistry} or the Ethereum Attestation Service.
/// @dev Evidence: `abi.encode(bytes32 uid)`, the credential's id. A registry knows only that a credential exists; that it is the
/// right one, about this requester, and neither expired nor revoked is checked here, each with a reason of its own.
contract CredentialPolicy is Leaf {
    /// @inheritdoc IDataPolicy
    function kind() external pure override returns (bytes32) {
        return "Credential";
    }

    /// @inheritdoc IEvidenceReader
    function readsEvidence() external pure override returns (bool) {
        return true;
    }

    function _validate(bytes calldata arguments_) internal view override returns (bytes memory) {
        _checkCount(arguments_, 3);
        _checkContract(arguments_, 0);
        _addressAt(arguments_, 2);
        return arguments_;
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        if (request.evidence.length == 0) return "NoCredential";
        if (request.evidence.length != 32) return "WrongEvidence";

        bytes32 uid = bytes32(request.evidence);
        (address registry, bytes32 schema, address attester) = abi.decode(_data(), (address, bytes32, address));
        Attestation memory credential = IAttestations(registry).getAttestation(uid);
        if (uid == 0 || credential.uid != uid) return "NoCredential";
        if (credential.schema != schema) return "WrongSchema";
        if (credential.attester != attester) return "WrongAttester";
        if (credential.recipient != request.requester) return "WrongRecipient";
        if (credential.revocationTime != 0) return "CredentialRevoked";
        if (credential.expirationTime != 0 && credential.expirationTime <= block.timestamp) return "CredentialExpired";
    }
}
