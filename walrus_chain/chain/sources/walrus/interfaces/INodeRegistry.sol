// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeId} from "../types/NodeId.sol";

/// @title INodeRegistry
/// @notice Who the storage nodes are: operator, name, URL, region and keys.
/// @dev A node never disappears: it stops serving when it has no stake. Ids count from 1 and are never reused.
interface INodeRegistry {
    /// @notice What an operator says of a node.
    /// @param name For people, 1 to 64 printable ASCII characters.
    /// @param url Where the agent answers, 1 to 256 printable ASCII characters but spaces, without a trailing slash.
    /// @param region Where the disks stand: 1 to 32 characters out of a-z, 0-9 and hyphen.
    /// @param signer The key that signs attestations; one node a key, for ever.
    /// @param encryptionKey Public key to which others encrypt for this node, 32 to 192 bytes; opaque to the chain.
    struct NodeDetails {
        string name;
        string url;
        string region;
        address signer;
        bytes encryptionKey;
    }

    /// @notice Emitted when a node joined.
    event NodeRegistered(
        NodeId indexed nodeId,
        address indexed operator,
        string name,
        string url,
        string region,
        address signer,
        bytes encryptionKey
    );

    /// @notice Emitted when an operator changed what people and clients see of a node.
    event NodeUpdated(NodeId indexed nodeId, string name, string url, string region);

    /// @notice Emitted when an operator changed a node's keys.
    event NodeKeysRotated(NodeId indexed nodeId, address oldSigner, address newSigner, bytes encryptionKey);

    /// @notice Emitted when an operator offered the node to another account.
    event OperatorTransferStarted(NodeId indexed nodeId, address indexed operator, address indexed newOperator);

    /// @notice Emitted when the other account accepted.
    event OperatorTransferred(NodeId indexed nodeId, address indexed oldOperator, address indexed newOperator);

    /// @notice Thrown when there is no such node.
    error NodeRegistry_UnknownNode(NodeId nodeId);

    /// @notice Thrown when the caller is not the node's operator.
    error NodeRegistry_CallerNotOperator(NodeId nodeId, address operator, address caller);

    /// @notice Thrown when the caller was not offered the node.
    error NodeRegistry_CallerNotOffered(NodeId nodeId, address offered, address caller);

    /// @notice Thrown when a text or key is shorter than `minimum` or longer than `maximum` bytes. `field` is its name.
    error NodeRegistry_WrongLength(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Thrown when a name or URL has a character that it must not have. `field` is its name.
    error NodeRegistry_WrongCharacter(bytes32 field);

    /// @notice Thrown when a region has a character outside a-z, 0-9 and hyphen.
    error NodeRegistry_WrongRegion(string region);

    /// @notice Thrown when the signer is the zero address.
    error NodeRegistry_ZeroSigner();

    /// @notice Thrown when the signer is or was the key of a node, other than this node's key now.
    error NodeRegistry_SignerTaken(address signer, NodeId nodeId);

    /// @notice Thrown when the proof is not the signer's signature over {NodeKeys}.
    error NodeRegistry_WrongSignerProof(address signer, address recovered);

    /// @notice Registers a node; the caller becomes its operator.
    /// @dev Emits {NodeRegistered}.
    /// Requirements:
    /// - `details` must keep the lengths and characters named in {NodeDetails}; the signer must be new.
    /// - `signerProof` must be the signer's EIP-712 signature (65 bytes r,s,v) over
    ///   `NodeKeys(address operator,address signer,bytes encryptionKey)` in this contract's domain, so that nobody can
    ///   register a key that is not theirs.
    function register(NodeDetails calldata details, bytes calldata signerProof) external returns (NodeId nodeId);

    /// @notice Changes name, URL and region. A new region counts for committees {regionNotice} seconds later, so that nobody
    /// moves into another's region just before a committee is chosen.
    /// @dev Emits {NodeUpdated}. Only the operator.
    function update(NodeId nodeId, string calldata name, string calldata url, string calldata region) external;

    /// @notice Changes the node's keys; `signerProof` as in {register}. The present signer may stay.
    /// @dev Emits {NodeKeysRotated}. Only the operator. The serving committee takes a new signer over by
    /// {ICommittee-refreshSigner}.
    function rotateKeys(NodeId nodeId, address signer, bytes calldata encryptionKey, bytes calldata signerProof)
        external;

    /// @notice Offers the node to another account; zero takes the offer back.
    /// @dev Emits {OperatorTransferStarted}. Only the operator.
    function transferOperator(NodeId nodeId, address newOperator) external;

    /// @notice Takes an offered node over.
    /// @dev Emits {OperatorTransferred}. Only the account to which it was offered.
    function acceptOperator(NodeId nodeId) external;

    /// @notice How many nodes were ever registered; their ids are 1..nodeCount().
    function nodeCount() external view returns (uint32);

    /// @notice All that is known of a node.
    function nodeOf(NodeId nodeId) external view returns (address operator, NodeDetails memory details);

    /// @notice The account that acts for the node.
    function operatorOf(NodeId nodeId) external view returns (address);

    /// @notice The key that signs for the node now.
    function signerOf(NodeId nodeId) external view returns (address);

    /// @notice keccak256 of the region that counts for the node now.
    function regionOf(NodeId nodeId) external view returns (bytes32);

    /// @notice Seconds after which a new region counts.
    function regionNotice() external view returns (uint64);

    /// @notice The node whose signer `signer` is or was; zero when none.
    function nodeOfSigner(address signer) external view returns (NodeId);
}
