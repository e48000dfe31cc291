// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPolicyFactory
/// @notice Makes ready-made policies: small clones that carry their arguments in their code.
interface IPolicyFactory {
    event PolicyCreated(address indexed policy, bytes32 indexed kind, address indexed creator, bytes arguments);

    error PolicyFactory_UnknownKind(bytes32 kind);
    error PolicyFactory_NamedTwice(bytes32 kind);

    /// @notice Creates a policy. Its kind says what the arguments are (`abi.encode`d) and refuses wrong ones.
    function create(bytes32 kind, bytes calldata arguments) external returns (address policy);

    /// @notice The contract that clones of a kind run; zero when there is none.
    function implementationOf(bytes32 kind) external view returns (address);

    /// @notice All kinds.
    function kinds() external view returns (bytes32[] memory);
}
