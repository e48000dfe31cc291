// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The 32 bytes that commit to a blob's content, size and number of shards.
type BlobId is bytes32;

using {equals as ==, isNone} for BlobId global;

function equals(BlobId a, BlobId b) pure returns (bool) {
    return BlobId.unwrap(a) == BlobId.unwrap(b);
}

/// @notice Tells the id that no blob has.
function isNone(BlobId a) pure returns (bool) {
    return BlobId.unwrap(a) == 0;
}
