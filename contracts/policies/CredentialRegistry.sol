// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestation, IAttestations, ICredentialRegistry} from "../interfaces/ICredentialRegistry.sol";

/// @title CredentialRegistry
/// @notice Keeps credentials and gives them out in the form of the Ethereum Attestation Service.
/// @dev Invariants: an id names one credential for ever; nothing of a credential changes but that it gets revoked, once.
contract CredentialRegistry is ICredentialRegistry {
    /// @dev What is kept: two slots of addresses and times, one for the schema; the last one is written by {revoke}.
    struct Credential {
        bytes32 schema;
        address recipient;
        uint64 time;
        address attester;
        uint64 expirationTime;
        uint64 revocationTime;
        bytes data;
    }

    uint256 private constant MAXIMUM_DATA_BYTES = 1024;

    uint256 private _count;
    mapping(bytes32 uid => Credential) private _credentials;

    /// @inheritdoc ICredentialRegistry
    function attest(bytes32 schema, address recipient, uint64 expirationTime, bytes calldata data)
        external
        returns (bytes32 uid)
    {
        // Check
        if (recipient == address(0)) revert CredentialRegistry_ZeroRecipient();
        if (expirationTime != 0 && expirationTime <= block.timestamp) {
            revert CredentialRegistry_ExpiresInThePast(expirationTime);
        }
        if (data.length > MAXIMUM_DATA_BYTES) revert CredentialRegistry_DataTooLong(MAXIMUM_DATA_BYTES, data.length);

        // Effect
        uid = keccak256(abi.encode(block.chainid, address(this), ++_count));
        Credential storage credential = _credentials[uid];
        credential.schema = schema;
        credential.recipient = recipient;
        credential.time = uint64(block.timestamp);
        credential.attester = msg.sender;
        credential.expirationTime = expirationTime;
        if (data.length != 0) credential.data = data;
        emit Attested(recipient, msg.sender, uid, schema, expirationTime);
    }

    /// @inheritdoc ICredentialRegistry
    function revoke(bytes32 uid) external {
        // Check
        Credential storage credential = _credentials[uid];
        address attester = credential.attester;
        if (attester == address(0)) revert CredentialRegistry_UnknownCredential(uid);
        if (attester != msg.sender) revert CredentialRegistry_CallerNotAttester(uid, attester, msg.sender);
        if (credential.revocationTime != 0) revert CredentialRegistry_AlreadyRevoked(uid);

        // Effect
        credential.revocationTime = uint64(block.timestamp);
        emit Revoked(credential.recipient, attester, uid, credential.schema);
    }

    /// @inheritdoc IAttestations
    function getAttestation(bytes32 uid) external view returns (Attestation memory attestation) {
        Credential storage credential = _credentials[uid];
        if (credential.attester == address(0)) return attestation;
        attestation.uid = uid;
        attestation.schema = credential.schema;
        attestation.time = credential.time;
        attestation.expirationTime = credential.expirationTime;
        attestation.revocationTime = credential.revocationTime;
        attestation.recipient = credential.recipient;
        attestation.attester = credential.attester;
        attestation.revocable = true;
        attestation.data = credential.data;
    }
}
