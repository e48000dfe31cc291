// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobAttributes} from "../interfaces/IBlobAttributes.sol";
import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";

/// @title BlobAttributes
/// @notice Keeps the attributes of blob objects in the order in which their keys were first written, but for removals: the
/// last one takes the place of a removed one.
/// @dev Invariant: for each key of an object, `_placeOf` is one more than its place in `_attributes`; zero means absent.
contract BlobAttributes is IBlobAttributes {
    uint256 private constant MAXIMUM_KEY_BYTES = 64;
    uint256 private constant MAXIMUM_VALUE_BYTES = 256;
    uint256 private constant MAXIMUM_ATTRIBUTES = 32;

    IBlobRegistry private immutable _registry;

    mapping(uint256 blobObject => Attribute[]) private _attributes;
    mapping(uint256 blobObject => mapping(bytes32 keyHash => uint256)) private _placeOf;

    /// @param registry Knows who owns an object.
    constructor(IBlobRegistry registry) {
        _registry = registry;
    }

    /// @inheritdoc IBlobAttributes
    function setAttributes(uint256 blobObject, Attribute[] calldata attributes) external {
        // Check
        address owner = _registry.ownerOf(blobObject);
        if (!_mayWrite(blobObject, owner)) revert BlobAttributes_CallerNotOwner(blobObject, owner, msg.sender);

        // Effect
        for (uint256 i = 0; i < attributes.length; ++i) {
            _checkLengths(attributes[i]);
            if (bytes(attributes[i].value).length == 0) {
                _remove(blobObject, attributes[i].key);
            } else {
                _write(blobObject, attributes[i]);
            }
        }
    }

    /// @inheritdoc IBlobAttributes
    function attributesOf(uint256 blobObject) external view returns (Attribute[] memory) {
        return _exists(blobObject) ? _attributes[blobObject] : new Attribute[](0);
    }

    /// @inheritdoc IBlobAttributes
    function attributeOf(uint256 blobObject, string calldata key) external view returns (string memory value) {
        uint256 place = _placeOf[blobObject][keccak256(bytes(key))];
        return place != 0 && _exists(blobObject) ? _attributes[blobObject][place - 1].value : "";
    }

    function _write(uint256 blobObject, Attribute calldata attribute) private {
        Attribute[] storage list = _attributes[blobObject];
        mapping(bytes32 keyHash => uint256) storage placeOf = _placeOf[blobObject];
        bytes32 keyHash = keccak256(bytes(attribute.key));
        uint256 place = placeOf[keyHash];
        if (place == 0) {
            if (list.length == MAXIMUM_ATTRIBUTES) revert BlobAttributes_TooMany(blobObject, MAXIMUM_ATTRIBUTES);
            list.push(attribute);
            placeOf[keyHash] = list.length;
        } else {
            list[place - 1].value = attribute.value;
        }
        emit AttributeSet(blobObject, attribute.key, attribute.value);
    }

    /// @dev A key that is not there is no error: the result is what was asked for.
    function _remove(uint256 blobObject, string calldata key) private {
        Attribute[] storage list = _attributes[blobObject];
        mapping(bytes32 keyHash => uint256) storage placeOf = _placeOf[blobObject];
        bytes32 keyHash = keccak256(bytes(key));
        uint256 place = placeOf[keyHash];
        if (place == 0) return;

        uint256 last = list.length;
        if (place != last) {
            Attribute storage moved = list[last - 1];
            placeOf[keccak256(bytes(moved.key))] = place;
            list[place - 1] = moved;
        }
        list.pop();
        delete placeOf[keyHash];
        emit AttributeRemoved(blobObject, key);
    }

    function _mayWrite(uint256 blobObject, address owner) private view returns (bool) {
        return msg.sender == owner || _registry.isApprovedForAll(owner, msg.sender)
            || _registry.getApproved(blobObject) == msg.sender;
    }

    function _exists(uint256 blobObject) private view returns (bool) {
        return _registry.statusOf(blobObject) != IBlobRegistry.Status.Unknown;
    }

    function _checkLengths(Attribute calldata attribute) private pure {
        uint256 keyBytes = bytes(attribute.key).length;
        if (keyBytes == 0 || keyBytes > MAXIMUM_KEY_BYTES) {
            revert BlobAttributes_WrongLength(attribute.key, MAXIMUM_KEY_BYTES, keyBytes);
        }
        uint256 valueBytes = bytes(attribute.value).length;
        if (valueBytes > MAXIMUM_VALUE_BYTES) {
            revert BlobAttributes_WrongLength(attribute.key, MAXIMUM_VALUE_BYTES, valueBytes);
        }
    }
}
