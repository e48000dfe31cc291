// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A statement by an attester about a recipient, as the Ethereum Attestation Service returns it.
/// @param uid Its id; zero when there is no such statement.
/// @param schema What kind of statement it is.
/// @param time When it was made, seconds since 1970.
/// @param expirationTime From when on it does not hold any more; zero for never.
/// @param revocationTime When its attester took it back; zero while it did not.
/// @param refUID Another statement that it refers to; zero for none.
/// @param recipient Whom it is about.
/// @param attester Who made it.
/// @param revocable Whether its attester may take it back.
/// @param data What it says; the schema says how to read it.
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

/// @title IAttestations
/// @notice The one view that a policy needs; the Ethereum Attestation Service has it too.
interface IAttestations {
    /// @notice A statement; all zero when there is none with this id.
    /// @dev Warning: it is returned also when it is expired or revoked, whoever made it.
    function getAttestation(bytes32 uid) external view returns (Attestation memory);
}

/// @title ICredentialRegistry
/// @notice Credentials on chains without the Ethereum Attestation Service: anybody attests, only the attester revokes.
/// @dev A credential is worth what its attester is worth: who relies on one names schema and attester.
interface ICredentialRegistry is IAttestations {
    /// @notice Emitted with each credential.
    event Attested(
        address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schema, uint64 expirationTime
    );

    /// @notice Emitted when an attester took a credential back.
    event Revoked(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schema);

    /// @notice Thrown when there is no credential with this id.
    error CredentialRegistry_UnknownCredential(bytes32 uid);

    /// @notice Thrown when somebody else than its attester revokes a credential.
    error CredentialRegistry_CallerNotAttester(bytes32 uid, address attester, address caller);

    /// @notice Thrown when a credential was revoked before.
    error CredentialRegistry_AlreadyRevoked(bytes32 uid);

    /// @notice Thrown when a credential would be expired at once.
    error CredentialRegistry_ExpiresInThePast(uint64 expirationTime);

    /// @notice Thrown when a credential would be about nobody.
    error CredentialRegistry_ZeroRecipient();

    /// @notice Thrown when a credential would say more than fits.
    error CredentialRegistry_DataTooLong(uint256 maximum, uint256 actual);

    /// @notice States something about an account.
    /// @dev Emits {Attested}. Every credential is revocable.
    /// Requirements:
    /// - The recipient must not be zero, and the credential not expire at once.
    /// @param schema What kind of statement it is; any 32 bytes that attester and policies agree on.
    /// @param recipient Whom it is about.
    /// @param expirationTime Seconds since 1970; zero for never.
    /// @param data At most 1,024 bytes; opaque.
    /// @return uid The credential's id, which its recipient shows to policies.
    function attest(bytes32 schema, address recipient, uint64 expirationTime, bytes calldata data)
        external
        returns (bytes32 uid);

    /// @notice Takes a credential back, for ever.
    /// @dev Emits {Revoked}.
    /// Requirements:
    /// - The caller must be the credential's attester; the credential must not be revoked.
    function revoke(bytes32 uid) external;
}
