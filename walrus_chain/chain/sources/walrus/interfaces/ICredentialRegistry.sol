// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A statement by an attester about a recipient, as the Ethereum Attestation Service returns it.
struct Attestation {
    bytes32 uid;
    bytes32 schema;
    uint64 time;
    uint64 expirationTime;
    uint64 revocationTime;
    bytes32 refUID;
    address recipient;
    address attester;
    bool revocable;
    bytes data;
}

/// @notice The one view that a policy needs; the Ethereum Attestation Service has it too.
interface IAttestations {
    function getAttestation(bytes32 uid) external view returns (Attestation memory);
}

/// @title ICredentialRegistry
/// @notice Credentials on chains without the Ethereum Attestation Service: anybody attests, only the attester revokes.
interface ICredentialRegistry is IAttestations {
    event Attested(
        address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schema, uint64 expirationTime
    );
    event Revoked(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schema);

    error CredentialRegistry_UnknownCredential(bytes32 uid);
    error CredentialRegistry_CallerNotAttester(bytes32 uid, address attester, address caller);
    error CredentialRegistry_AlreadyRevoked(bytes32 uid);
    error CredentialRegistry_ExpiresInThePast(uint64 expirationTime);
    error CredentialRegistry_ZeroRecipient();

    /// @param expirationTime Seconds since 1970; zero for never.
    /// @param data At most 1,024 bytes; opaque.
    function attest(bytes32 schema, address recipient, uint64 expirationTime, bytes calldata data)
        external
        returns (bytes32 uid);
    function revoke(bytes32 uid) external;
}
