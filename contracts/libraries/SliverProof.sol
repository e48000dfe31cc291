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
        // Cannot underflow: the chunk begins within the sliver.
        unchecked {
            uint256 rest = sliverBytes - chunk * RedStuffMath.CHUNK_BYTES;
            shape.chunkBytes = rest < RedStuffMath.CHUNK_BYTES ? rest : RedStuffMath.CHUNK_BYTES;
        }
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
        // Unchecked: of at least one item, and a logarithm has 8 bits.
        unchecked {
            return items == 1 ? 0 : Math.log2(items - 1) + 1;
        }
    }

    /// @dev Hashes up from the chunk to the blob id. Both places are offsets in calldata whose bytes the caller has
    /// counted.
    ///
    /// A hash is taken where the nodes lie: at 0x1f the tag, at 0x20 the left node, at 0x40 the right one; the free
    /// memory pointer at 0x40 is put back. A chain that lacks the SHA-256 precompile answers success and no bytes, so
    /// the size of each answer counts.
    function _walk(Blob memory blob, Place memory place, Shape memory shape, uint256 chunkAt, uint256 pathAt)
        private
        view
    {
        bytes32 actual;
        uint256 header = BLOB_HEADER | uint256(blob.shards) << 64 | blob.size;
        assembly ("memory-safe") {
            // Arguments are evaluated from the last to the first.
            function sha(from, length, to) -> ok {
                ok := and(eq(returndatasize(), 32), staticcall(gas(), 2, from, length, to, 32))
            }
            // Leads the left node, the item of place `index`, up by `depth` siblings: each hash goes to the side that
            // the lowest bit of its index says. The root is of place 0, so the left node again.
            function fold(index, depth, sibling, hashed) -> next, ok {
                ok := hashed
                next := add(sibling, shl(5, depth))
                let side := shl(5, and(index, 1))
                mstore(add(0x20, side), mload(0x20))
                mstore8(0x1f, 1)
                for {} lt(sibling, next) { sibling := add(sibling, 32) } {
                    mstore(sub(0x40, side), calldataload(sibling))
                    index := shr(1, index)
                    side := shl(5, and(index, 1))
                    ok := and(ok, sha(0x1f, 65, add(0x20, side)))
                }
            }

            let free := mload(0x40)
            let secondary := shl(5, mload(add(place, 0x20)))

            // Leaf and sliver tree
            mstore8(free, 0)
            calldatacopy(add(free, 1), chunkAt, mload(shape))
            let hashed := sha(free, add(mload(shape), 1), 0x20)
            pathAt, hashed := fold(mload(add(place, 0x60)), mload(add(shape, 0x20)), pathAt, hashed)

            // Pair: a primary sliver is its left node.
            mstore(add(0x20, secondary), mload(0x20))
            mstore(sub(0x40, secondary), calldataload(pathAt))
            mstore8(0x1f, 2)
            hashed := and(hashed, sha(0x1f, 65, 0x20))

            // Segment tree and content tree
            pathAt, hashed := fold(mload(add(place, 0x40)), mload(add(shape, 0x40)), add(pathAt, 32), hashed)
            pathAt, hashed := fold(mload(place), mload(add(shape, 0x60)), pathAt, hashed)

            // Blob id
            mstore(0, header)
            hashed := and(hashed, sha(0x14, 44, 0))
            actual := mload(0)
            mstore(0x40, free)
            if iszero(hashed) { revert(0, 0) }
        }
        if (!(BlobId.wrap(actual) == blob.blobId)) revert SliverProof_Mismatch(blob.blobId, BlobId.wrap(actual));
    }
}
