// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IBlobAttributes
/// @notice Small key/value texts that an owner writes on a blob object: a name, a media type, a licence.
/// @dev They follow the object when it is transferred.
interface IBlobAttributes {
    /// @notice One text; an empty value removes the key.
    struct Attribute {
        string key;
        string value;
    }

    /// @notice Emitted when an attribute was written.
    event AttributeSet(uint256 indexed blobObject, string key, string value);

    /// @notice Emitted when an attribute was removed.
    event AttributeRemoved(uint256 indexed blobObject, string key);

    /// @notice Thrown when the caller is neither the object's owner nor approved by it.
    error BlobAttributes_CallerNotOwner(uint256 blobObject, address owner, address caller);

    /// @notice Thrown when a key is empty, or a key or value is longer than `maximum` bytes.
    error BlobAttributes_WrongLength(string key, uint256 maximum, uint256 actual);

    /// @notice Thrown when an object would have more attributes than the limit.
    error BlobAttributes_TooMany(uint256 blobObject, uint256 maximum);

    /// @notice Writes attributes; a value that is empty removes its key.
    /// @dev Emits {AttributeSet} or {AttributeRemoved} for each.
    /// Requirements:
    /// - The caller must be the object's owner or approved by it.
    /// - Keys have 1 to 64 bytes, values at most 256; an object has at most 32 attributes.
    function setAttributes(uint256 blobObject, Attribute[] calldata attributes) external;

    /// @notice All attributes of an object; none when it does not exist.
    function attributesOf(uint256 blobObject) external view returns (Attribute[] memory);

    /// @notice One attribute of an object; empty when it has none.
    function attributeOf(uint256 blobObject, string calldata key) external view returns (string memory value);
}
