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

    /// @notice What a proof of a place consists of.
    /// @param chunkBytes Bytes of the chunk: 256, or fewer at the end of a sliver.
    /// @param sliverDepth Nodes in the sliver tree; after them comes the root of the pair's other sliver.
    /// @param segmentDepth Nodes in the segment tree.
    /// @param contentDepth Nodes in the content tree.
    struct Shape {
        uint256 chunkBytes;
        uint256 sliverDepth;
        uint256 segmentDepth;
        uint256 contentDepth;
    }

    uint256 private constant NODE_BYTES = 32;
    /// @dev `03 ‖ encoding 1`, in front of n (2 bytes) and size (8 bytes).
    uint256 private constant BLOB_HEADER = 0x0301 << 80;

    /// @notice Reverts unless `chunk` is what the blob holds at `place`.
    /// @param blob Size and shards must be what was registered with the id; 4 to 255 shards.
    /// @param chunk 256 bytes, or fewer at the end of a sliver.
    /// @param path From the leaf up: the siblings in the sliver tree, the root of the pair's other sliver, the siblings in
    /// the segment tree, the siblings in the content tree.
    function check(Blob memory blob, Place memory place, bytes calldata chunk, bytes32[] calldata path) internal view {
        // Check: chunk and path have the one length that this place allows.
        Shape memory shape = shapeOf(blob, place);
        if (chunk.length != shape.chunkBytes) {
            revert SliverProof_WrongChunkLength(blob.blobId, shape.chunkBytes, chunk.length);
        }
        uint256 nodes = nodesOf(shape);
        if (path.length != nodes) revert SliverProof_WrongPathLength(blob.blobId, nodes, path.length);

        // Check: they lead to the blob id.
        uint256 chunkAt;
        uint256 pathAt;
        assembly ("memory-safe") {
            chunkAt := chunk.offset
            pathAt := path.offset
        }
        _walk(blob, place, shape, chunkAt, pathAt);
    }

    /// @notice {check} of chunk and path in one run: the bytes of the chunk, then the nodes of the path.
    /// @param shape {shapeOf} this place.
    /// @param run Begins with the proof; what comes after it is not looked at.
    /// @return consumed Bytes of the proof: {bytesOf} the shape. A shorter run is refused.
    function checkRun(Blob memory blob, Place memory place, Shape memory shape, bytes calldata run)
        internal
        view
        returns (uint256 consumed)
    {
        // Check: the run holds chunk and path. Cannot underflow: the chunk's length is checked first.
        consumed = bytesOf(shape);
        uint256 chunkBytes = shape.chunkBytes;
        if (run.length < chunkBytes) revert SliverProof_WrongChunkLength(blob.blobId, chunkBytes, run.length);
        if (run.length < consumed) {
            revert SliverProof_WrongPathLength(blob.blobId, nodesOf(shape), (run.length - chunkBytes) / NODE_BYTES);
        }

        // Check: they lead to the blob id.
        uint256 start;
        assembly ("memory-safe") {
            start := run.offset
        }
        _walk(blob, place, shape, start, start + chunkBytes);
    }

    /// @notice What the proof of a place consists of. Reverts when the blob has no such place.
    function shapeOf(Blob memory blob, Place memory place) internal pure returns (Shape memory shape) {
        // Check: the place exists.
        uint256 segments = RedStuffMath.segments(blob.size);
        if (place.segment >= segments || place.pair >= blob.shards) revert SliverProof_NoSuchPlace(blob.blobId, place);
        uint256 length = RedStuffMath.segmentLength(blob.size, place.segment);
        uint256 sliverBytes = RedStuffMath.sliverBytes(length, blob.shards, place.secondary);
        if (place.chunk >= RedStuffMath.chunks(sliverBytes)) revert SliverProof_NoSuchPlace(blob.blobId, place);

        measure(shape, sliverBytes, place.chunk, depthOf(blob.shards), segments);
    }

    /// @notice Writes the shape of a proof for who has worked the place out from size and n, which so exists.
    /// @param sliverBytes Bytes of the place's sliver.
    /// @param chunk Place of the chunk in it.
    /// @param segmentDepth {depthOf} n.
    /// @param segments Of the blob.
    function measure(Shape memory shape, uint256 sliverBytes, uint256 chunk, uint256 segmentDepth, uint256 segments)
        internal
        pure
    {
        shape.chunkBytes = Math.min(RedStuffMath.CHUNK_BYTES, sliverBytes - chunk * RedStuffMath.CHUNK_BYTES);
        shape.sliverDepth = depthOf(RedStuffMath.chunks(sliverBytes));
        shape.segmentDepth = segmentDepth;
        shape.contentDepth = depthOf(segments);
    }

    /// @notice Nodes in the path of a proof.
    function nodesOf(Shape memory shape) internal pure returns (uint256) {
        // Unchecked: depths have 8 bits.
        unchecked {
            return shape.sliverDepth + 1 + shape.segmentDepth + shape.contentDepth;
        }
    }

    /// @notice Bytes of a proof in one run.
    function bytesOf(Shape memory shape) internal pure returns (uint256) {
        // Unchecked: a chunk has at most 256 bytes, and depths have 8 bits.
        unchecked {
            return shape.chunkBytes + nodesOf(shape) * NODE_BYTES;
        }
    }

    /// @notice Levels between the items of a tree and its root: ceil(log2 items), of at least one item.
    function depthOf(uint256 items) internal pure returns (uint256) {
        return items == 1 ? 0 : Math.log2(items - 1) + 1;
    }

    /// @dev Hashes up from the chunk to the blob id. Both places are offsets in calldata whose bytes the caller has counted.
    ///
    /// The buffer lies behind the free memory pointer and is not kept: at 31 the tag, at 32 the left node, at 64 the right
    /// one. A chain that lacks the SHA-256 precompile answers success and no bytes, so the size of each answer counts.
    function _walk(Blob memory blob, Place memory place, Shape memory shape, uint256 chunkAt, uint256 pathAt)
        private
        view
    {
        bytes32 actual;
        bool hashed;
        uint256 header = BLOB_HEADER | uint256(blob.shards) << 64 | blob.size;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let tag := add(buffer, 31)
            let left := add(buffer, 32)
            let right := add(buffer, 64)
            // Each hash is written to 0; arguments are evaluated from the last to the first.
            function sha(from, length) -> ok {
                ok := and(eq(returndatasize(), 32), staticcall(gas(), 2, from, length, 0, 32))
            }

            // Leaf
            let size := mload(shape)
            mstore8(buffer, 0)
            calldatacopy(add(buffer, 1), chunkAt, size)
            hashed := sha(buffer, add(size, 1))

            // The three trees, with the pair after the first. Where the lowest bit of `index` is 0 the node so far is the left.
            let index := mload(add(place, 96))
            let end := add(pathAt, shl(5, mload(add(shape, 32))))
            for { let tree := 0 } 1 {} {
                mstore8(tag, 1)
                for {} lt(pathAt, end) { pathAt := add(pathAt, 32) } {
                    let shift := shl(5, and(index, 1))
                    mstore(add(left, shift), mload(0))
                    mstore(sub(right, shift), calldataload(pathAt))
                    hashed := and(hashed, sha(tag, 65))
                    index := shr(1, index)
                }
                if tree {
                    if eq(tree, 2) { break }
                    tree := 2
                    index := mload(place)
                    end := add(pathAt, shl(5, mload(add(shape, 96))))
                    continue
                }
                tree := 1
                let shift := shl(5, mload(add(place, 32)))
                mstore8(tag, 2)
                mstore(add(left, shift), mload(0))
                mstore(sub(right, shift), calldataload(pathAt))
                hashed := and(hashed, sha(tag, 65))
                pathAt := add(pathAt, 32)
                index := mload(add(place, 64))
                end := add(pathAt, shl(5, mload(add(shape, 64))))
            }

            // Blob id
            mstore(left, mload(0))
            mstore(buffer, header)
            hashed := and(hashed, sha(add(buffer, 20), 44))
            actual := mload(0)
            if iszero(hashed) { revert(0, 0) }
        }
        if (!(BlobId.wrap(actual) == blob.blobId)) revert SliverProof_Mismatch(blob.blobId, BlobId.wrap(actual));
    }
}
