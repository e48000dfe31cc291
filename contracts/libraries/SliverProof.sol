// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {BlobId} from "../types/BlobId.sol";
import {RedStuffMath} from "./RedStuffMath.sol";

/// @title SliverProof
/// @notice Checks that up to 256 bytes stand at a given place of a blob's slivers, knowing only blob id, size and n.
/// @dev The chunk's leaf leads up the sliver tree to the sliver's root; with the root of the pair's other sliver to the
/// pair; up the segment tree to the segment's root; up the content tree; to the blob id. Every depth follows from size and
/// n, and every turn from the place, so there is one path for a place and nothing in it is optional. Each kind of node
/// is hashed with a tag of its own. See docs/spec/03-commitment.md.
library SliverProof {
    /// @notice A blob: what the registry knows of it.
    struct Blob {
        BlobId blobId;
        uint64 size;
        uint16 shards;
    }

    /// @notice Where a chunk stands.
    /// @param segment 0 .. segments - 1.
    /// @param secondary Whether the sliver is a column.
    /// @param pair 0 .. n - 1.
    /// @param chunk 0 .. chunks of the sliver - 1.
    struct Place {
        uint32 segment;
        bool secondary;
        uint16 pair;
        uint32 chunk;
    }

    /// @notice Thrown when the blob has no such place.
    error SliverProof_NoSuchPlace(BlobId blobId, Place place);

    /// @notice Thrown when the chunk is shorter or longer than the one at this place.
    error SliverProof_WrongChunkLength(BlobId blobId, uint256 expected, uint256 actual);

    /// @notice Thrown when the path has fewer or more nodes than this place needs.
    error SliverProof_WrongPathLength(BlobId blobId, uint256 expected, uint256 actual);

    /// @notice Thrown when chunk and path do not lead to the blob id.
    error SliverProof_Mismatch(BlobId expected, BlobId actual);

    bytes1 private constant LEAF = 0x00;
    bytes1 private constant INNER = 0x01;
    bytes1 private constant PAIR = 0x02;
    bytes1 private constant BLOB = 0x03;
    uint8 private constant ENCODING = 1;

    /// @notice Reverts unless `chunk` is what the blob holds at `place`.
    /// @param blob Size and shards must be what was registered with the id; 4 to 255 shards.
    /// @param chunk 256 bytes, or fewer at the end of a sliver.
    /// @param path From the leaf up: the siblings in the sliver tree, the root of the pair's other sliver, the siblings in
    /// the segment tree, the siblings in the content tree.
    function check(Blob memory blob, Place memory place, bytes calldata chunk, bytes32[] calldata path) internal pure {
        // Check: the place exists.
        uint256 segments = RedStuffMath.segments(blob.size);
        if (place.segment >= segments || place.pair >= blob.shards) revert SliverProof_NoSuchPlace(blob.blobId, place);
        uint256 length = RedStuffMath.segmentLength(blob.size, place.segment);
        uint256 sliverBytes = RedStuffMath.sliverBytes(length, blob.shards, place.secondary);
        uint256 chunks = Math.ceilDiv(sliverBytes, RedStuffMath.CHUNK_BYTES);
        if (place.chunk >= chunks) revert SliverProof_NoSuchPlace(blob.blobId, place);

        // Check: chunk and path have the one length that this place allows.
        uint256 due = Math.min(RedStuffMath.CHUNK_BYTES, sliverBytes - place.chunk * RedStuffMath.CHUNK_BYTES);
        if (chunk.length != due) revert SliverProof_WrongChunkLength(blob.blobId, due, chunk.length);
        uint256 sliverDepth = depthOf(chunks);
        uint256 segmentDepth = depthOf(blob.shards);
        uint256 nodes = sliverDepth + 1 + segmentDepth + depthOf(segments);
        if (path.length != nodes) revert SliverProof_WrongPathLength(blob.blobId, nodes, path.length);

        // Check: they lead to the blob id.
        bytes32 node = _fold(sha256(abi.encodePacked(LEAF, chunk)), place.chunk, path[:sliverDepth]);
        bytes32 sibling = path[sliverDepth];
        node = place.secondary
            ? sha256(abi.encodePacked(PAIR, sibling, node))
            : sha256(abi.encodePacked(PAIR, node, sibling));
        node = _fold(node, place.pair, path[sliverDepth + 1:sliverDepth + 1 + segmentDepth]);
        node = _fold(node, place.segment, path[sliverDepth + 1 + segmentDepth:]);
        BlobId actual = BlobId.wrap(sha256(abi.encodePacked(BLOB, ENCODING, blob.shards, blob.size, node)));
        if (!(actual == blob.blobId)) revert SliverProof_Mismatch(blob.blobId, actual);
    }

    /// @notice Levels between the items of a tree and its root: ceil(log2 items), of at least one item.
    function depthOf(uint256 items) internal pure returns (uint256) {
        return Math.log2(items, Math.Rounding.Ceil);
    }

    /// @dev The node that `node`, the item of place `index`, leads to with these siblings.
    function _fold(bytes32 node, uint256 index, bytes32[] calldata siblings) private pure returns (bytes32) {
        for (uint256 i = 0; i < siblings.length; ++i) {
            node = index & 1 == 0
                ? sha256(abi.encodePacked(INNER, node, siblings[i]))
                : sha256(abi.encodePacked(INNER, siblings[i], node));
            index >>= 1;
        }
        return node;
    }
}
