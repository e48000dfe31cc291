// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IBlobSampler
/// @notice The blob objects that nodes may be asked about, in arrays by size, so that a draw costs the same whatever their
/// number.
/// @dev Size class c holds objects of 2^(c + 12) bytes to less than twice that (class 0 also all smaller ones); each weighs
/// 2^c in a draw. An object enters when it is certified. When its term is over, or its owner deleted it, it stays until
/// somebody sweeps it; drawn before that it counts as nobody's.
interface IBlobSampler {
    /// @notice Emitted when an object entered.
    event SampleAdded(uint256 indexed blobObject, uint256 indexed sizeClass, uint256 index);

    /// @notice Emitted when an object left; the last one of its class took its place.
    event SampleRemoved(uint256 indexed blobObject, uint256 indexed sizeClass, uint256 index, uint256 movedObject);

    /// @notice Thrown when the caller is not the blob registry.
    error BlobSampler_CallerNotRegistry(address registry, address caller);

    /// @notice Thrown when an object is swept while a window is open.
    error BlobSampler_WindowOpen();

    /// @notice Thrown when there is no such entry.
    error BlobSampler_UnknownEntry(uint256 sizeClass, uint256 count, uint256 index);

    /// @notice Thrown when an object is swept that nodes still answer for.
    error BlobSampler_StillDue(uint256 blobObject);

    /// @notice Takes in an object that was just certified. Only the blob registry.
    function add(uint256 blobObject, uint64 size) external;

    /// @notice Removes entries whose objects are over: expired, deleted or invalid. Anyone may call, unless a window is open.
    /// @dev Emits {SampleRemoved} for each.
    /// @param indexes In descending order, since the last entry takes the place of a removed one.
    function sweep(uint256 class, uint256[] calldata indexes) external;

    /// @notice How many entries each of the 32 classes has.
    function entryCounts() external view returns (uint32[] memory);

    /// @notice The objects of a class at `first` .. `first + count - 1`, as many as there are.
    function entries(uint256 class, uint256 first, uint256 count) external view returns (uint256[] memory);
}
