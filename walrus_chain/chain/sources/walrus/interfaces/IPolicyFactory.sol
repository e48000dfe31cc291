// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPolicyFactory
/// @notice Makes ready-made policies: small clones that carry their arguments in their code.
/// @dev Flow: {create} -> the policy is attached to objects by {IBlobPolicies-attach}, or named by a combinator. The kinds are
/// fixed when the factory is deployed. A clone never changes: it has no owner, and no way to run other code.
interface IPolicyFactory {
    /// @notice Emitted when a policy was made.
    /// @param arguments As given, `abi.encode`d.
    event PolicyCreated(address indexed policy, bytes32 indexed kind, address indexed creator, bytes arguments);

    /// @notice Thrown when there is no such kind.
    error PolicyFactory_UnknownKind(bytes32 kind);

    /// @notice Thrown by the constructor when two contracts are given for a kind.
    error PolicyFactory_NamedTwice(bytes32 kind);

    /// @notice Thrown by the constructor when a contract is of another kind than it is given for.
    error PolicyFactory_WrongKind(bytes32 expected, bytes32 actual);

    /// @notice Creates a policy.
    /// @dev Emits {PolicyCreated}.
    /// Notes:
    /// - Anyone may call. The same arguments give another policy each time.
    /// - The policy's address follows from kind, arguments, caller and how many the caller made before, and from nothing else.
    /// Requirements:
    /// - The kind must exist and take these arguments: see {IReadyMadePolicy-validate}.
    /// @param kind Up to 32 ASCII characters, such as `Credential`.
    /// @param arguments `abi.encode` of what the kind takes: docs/guides/policies.md.
    /// @return policy The clone.
    function create(bytes32 kind, bytes calldata arguments) external returns (address policy);

    /// @notice The contract that clones of a kind run; zero when there is none.
    function implementationOf(bytes32 kind) external view returns (address);

    /// @notice All kinds, in the order in which they were given.
    function kinds() external view returns (bytes32[] memory);
}
