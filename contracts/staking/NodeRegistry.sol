// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title NodeRegistry
/// @notice Keeps who the storage nodes are and which keys speak for them.
/// @dev Flow: {register} -> {update}, {rotateKeys} as things change -> {transferOperator} and {acceptOperator} when the
/// node gets another operator.
///
/// Invariants: ids are 1..nodeCount() and every one has an operator; a key that ever signed for a node never signs for
/// another; nobody's key is registered without a signature by it that names the operator.
contract NodeRegistry is INodeRegistry, EIP712 {
    struct Node {
        address operator;
        address offeredTo;
        /// @dev From when on `region` counts; `formerRegion` does before.
        Timestamp regionFrom;
        bytes32 region;
        bytes32 formerRegion;
        NodeDetails details;
    }

    bytes32 private constant NODE_KEYS_TYPEHASH =
        keccak256("NodeKeys(address operator,address signer,bytes encryptionKey)");

    uint256 private constant MAXIMUM_NAME = 64;
    uint256 private constant MAXIMUM_URL = 256;
    uint256 private constant MAXIMUM_REGION = 32;
    uint256 private constant MINIMUM_ENCRYPTION_KEY = 32;
    uint256 private constant MAXIMUM_ENCRYPTION_KEY = 192;

    /// @inheritdoc INodeRegistry
    uint64 public immutable regionNotice;

    /// @inheritdoc INodeRegistry
    uint32 public nodeCount;

    mapping(NodeId nodeId => Node) private _nodes;
    mapping(address signer => NodeId) private _nodeOfSigner;

    /// @param regionNotice_ Seconds after which a new region counts.
    constructor(uint64 regionNotice_) EIP712("Walrus Chain Node Registry", "1") {
        regionNotice = regionNotice_;
    }

    /// @inheritdoc INodeRegistry
    function register(NodeDetails calldata details, bytes calldata signerProof) external returns (NodeId nodeId) {
        // Check: texts and keys are well formed, and the key agrees.
        _checkTexts(details.name, details.url, details.region);
        nodeId = NodeId.wrap(nodeCount + 1);
        _checkKeys(nodeId, details.signer, details.encryptionKey, signerProof);

        // Effect: the node is there, the key is taken.
        nodeCount = NodeId.unwrap(nodeId);
        _nodes[nodeId].operator = msg.sender;
        _nodes[nodeId].details = details;
        _nodes[nodeId].region = keccak256(bytes(details.region));
        _nodeOfSigner[details.signer] = nodeId;
        emit NodeRegistered(
            nodeId, msg.sender, details.name, details.url, details.region, details.signer, details.encryptionKey
        );
    }

    /// @inheritdoc INodeRegistry
    function update(NodeId nodeId, string calldata name, string calldata url, string calldata region) external {
        // Check: the operator says something well formed.
        Node storage node = _operated(nodeId);
        NodeDetails storage details = node.details;
        _checkTexts(name, url, region);

        // Effect: clients see it at once, committees a new region after its notice.
        bytes32 newRegion = keccak256(bytes(region));
        if (newRegion != node.region) {
            node.formerRegion = _regionOf(node);
            node.region = newRegion;
            node.regionFrom = Timestamp.wrap(uint64(block.timestamp)).plusSeconds(regionNotice);
        }
        details.name = name;
        details.url = url;
        details.region = region;
        emit NodeUpdated(nodeId, name, url, region);
    }

    /// @inheritdoc INodeRegistry
    function rotateKeys(NodeId nodeId, address signer, bytes calldata encryptionKey, bytes calldata signerProof)
        external
    {
        // Check: the operator names keys that are free or the node's own, and the key agrees.
        NodeDetails storage details = _operated(nodeId).details;
        _checkKeys(nodeId, signer, encryptionKey, signerProof);

        // Effect: the new key speaks; the old one stays taken.
        address oldSigner = details.signer;
        details.signer = signer;
        details.encryptionKey = encryptionKey;
        _nodeOfSigner[signer] = nodeId;
        emit NodeKeysRotated(nodeId, oldSigner, signer, encryptionKey);
    }

    /// @inheritdoc INodeRegistry
    function transferOperator(NodeId nodeId, address newOperator) external {
        // Check: the operator offers.
        Node storage node = _operated(nodeId);

        // Effect: the offer stands until it is accepted or replaced.
        node.offeredTo = newOperator;
        emit OperatorTransferStarted(nodeId, msg.sender, newOperator);
    }

    /// @inheritdoc INodeRegistry
    function acceptOperator(NodeId nodeId) external {
        // Check: the caller was asked.
        Node storage node = _known(nodeId);
        if (msg.sender != node.offeredTo) revert NodeRegistry_CallerNotOffered(nodeId, node.offeredTo, msg.sender);

        // Effect: it acts for the node from now on.
        address oldOperator = node.operator;
        node.operator = msg.sender;
        node.offeredTo = address(0);
        emit OperatorTransferred(nodeId, oldOperator, msg.sender);
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(NodeId nodeId) external view returns (address operator, NodeDetails memory details) {
        Node storage node = _known(nodeId);
        return (node.operator, node.details);
    }

    /// @inheritdoc INodeRegistry
    function operatorOf(NodeId nodeId) external view returns (address) {
        return _known(nodeId).operator;
    }

    /// @inheritdoc INodeRegistry
    function signerOf(NodeId nodeId) external view returns (address) {
        return _known(nodeId).details.signer;
    }

    /// @inheritdoc INodeRegistry
    function regionOf(NodeId nodeId) external view returns (bytes32) {
        return _regionOf(_known(nodeId));
    }

    /// @inheritdoc INodeRegistry
    function nodeOfSigner(address signer) external view returns (NodeId) {
        return _nodeOfSigner[signer];
    }

    function _known(NodeId nodeId) private view returns (Node storage node) {
        node = _nodes[nodeId];
        if (node.operator == address(0)) revert NodeRegistry_UnknownNode(nodeId);
    }

    /// @dev The region that counts now.
    function _regionOf(Node storage node) private view returns (bytes32) {
        bool counts = !(Timestamp.wrap(uint64(block.timestamp)) < node.regionFrom);
        return counts ? node.region : node.formerRegion;
    }

    function _operated(NodeId nodeId) private view returns (Node storage node) {
        node = _known(nodeId);
        if (msg.sender != node.operator) revert NodeRegistry_CallerNotOperator(nodeId, node.operator, msg.sender);
    }

    function _checkKeys(NodeId nodeId, address signer, bytes calldata encryptionKey, bytes calldata signerProof)
        private
        view
    {
        _checkLength("encryptionKey", MINIMUM_ENCRYPTION_KEY, MAXIMUM_ENCRYPTION_KEY, encryptionKey.length);
        if (signer == address(0)) revert NodeRegistry_ZeroSigner();
        NodeId holder = _nodeOfSigner[signer];
        bool present = holder == nodeId && _nodes[nodeId].details.signer == signer;
        if (!holder.isNobody() && !present) revert NodeRegistry_SignerTaken(signer, holder);

        bytes32 digest =
            _hashTypedDataV4(keccak256(abi.encode(NODE_KEYS_TYPEHASH, msg.sender, signer, keccak256(encryptionKey))));
        // A malformed proof recovers the zero address, which is never a signer.
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signerProof);
        if (recovered != signer) revert NodeRegistry_WrongSignerProof(signer, recovered);
    }

    /// @dev Everybody reads these texts, so they are kept to characters that every reader can decode and print.
    function _checkTexts(string calldata name, string calldata url, string calldata region) private pure {
        _checkLength("name", 1, MAXIMUM_NAME, bytes(name).length);
        _checkLength("url", 1, MAXIMUM_URL, bytes(url).length);
        _checkLength("region", 1, MAXIMUM_REGION, bytes(region).length);
        if (!_isBetween(name, " ", "~")) revert NodeRegistry_WrongCharacter("name");
        if (!_isBetween(url, "!", "~")) revert NodeRegistry_WrongCharacter("url");
        for (uint256 i = 0; i < bytes(region).length; i++) {
            bytes1 letter = bytes(region)[i];
            bool allowed = (letter >= "a" && letter <= "z") || (letter >= "0" && letter <= "9") || letter == "-";
            if (!allowed) revert NodeRegistry_WrongRegion(region);
        }
    }

    /// @dev Whether every byte of `text` lies in [first, last].
    function _isBetween(string calldata text, bytes1 first, bytes1 last) private pure returns (bool) {
        for (uint256 i = 0; i < bytes(text).length; i++) {
            if (bytes(text)[i] < first || bytes(text)[i] > last) return false;
        }
        return true;
    }

    function _checkLength(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) revert NodeRegistry_WrongLength(field, minimum, maximum, actual);
    }
}
