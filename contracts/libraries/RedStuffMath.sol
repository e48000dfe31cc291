// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {BlobId} from "../types/BlobId.sol";

/// @title RedStuffMath
/// @notice Sizes and places of the two-dimensional code: all that follows from a blob's size and the number of shards.
/// @dev Pure and without loops; walrus_chain/codec/geometry.py says the same, and tests/vectors/geometry.json holds both
/// to the same numbers. See docs/spec/02-geometry.md.
///
/// Glossary: n shards, f of them may be faulty, a segment is a matrix of r rows and c columns of symbols. A primary sliver
/// is a row (c symbols), a secondary sliver a column (r symbols).
library RedStuffMath {
    /// @notice Least and most shards that the code takes.
    uint16 internal constant MINIMUM_SHARDS = 4;
    uint16 internal constant MAXIMUM_SHARDS = 255;

    /// @notice Most bytes of a blob that are encoded together.
    uint256 internal constant SEGMENT_BYTES = 32 * 2 ** 20;

    /// @notice Bytes of a sliver under one leaf; the last chunk of a sliver may be shorter.
    uint256 internal constant CHUNK_BYTES = 256;

    /// @notice Symbols are a whole number of these bytes.
    uint256 internal constant SYMBOL_ALIGNMENT = 8;

    /// @notice Metadata of one sliver pair of one segment: two roots.
    uint256 internal constant PAIR_METADATA_BYTES = 64;

    /// @notice f: shards that may be lost or lie without harm.
    function faults(uint256 shards) internal pure returns (uint256) {
        return (shards - 1) / 3;
    }

    /// @notice r: primary slivers that give a segment back; symbols in a secondary sliver.
    function rows(uint256 shards) internal pure returns (uint256) {
        return shards - 2 * faults(shards);
    }

    /// @notice c: secondary slivers that give a segment back; symbols in a primary sliver.
    function columns(uint256 shards) internal pure returns (uint256) {
        return shards - faults(shards);
    }

    /// @notice n - f: shards whose attestations make a certificate.
    function quorum(uint256 shards) internal pure returns (uint256) {
        return shards - faults(shards);
    }

    /// @notice f + 1: shards among which at least one is honest.
    function honestMinority(uint256 shards) internal pure returns (uint256) {
        return faults(shards) + 1;
    }

    /// @notice Segments of a blob; an empty blob has one, of no bytes.
    function segments(uint256 size) internal pure returns (uint256) {
        // Cannot overflow: an empty blob is told apart first.
        unchecked {
            return size == 0 ? 1 : (size - 1) / SEGMENT_BYTES + 1;
        }
    }

    /// @notice Bytes of the blob in segment `segment`, which is less than `segments(size)`.
    function segmentLength(uint256 size, uint256 segment) internal pure returns (uint256) {
        return Math.min(SEGMENT_BYTES, size - segment * SEGMENT_BYTES);
    }

    /// @notice Bytes of one symbol of a segment that holds `length` bytes: the least multiple of 8, at least 8, that fits.
    function symbolBytes(uint256 length, uint256 shards) internal pure returns (uint256) {
        return symbolBytes(length, rows(shards), columns(shards));
    }

    /// @notice {symbolBytes} for who knows r and c, and lengths of 64 bits.
    function symbolBytes(uint256 length, uint256 r, uint256 c) internal pure returns (uint256) {
        // Cannot overflow: lengths have 64 bits, r and c have 8.
        unchecked {
            if (length == 0) return SYMBOL_ALIGNMENT;
            return ((length - 1) / (SYMBOL_ALIGNMENT * r * c) + 1) * SYMBOL_ALIGNMENT;
        }
    }

    /// @notice Bytes of a sliver of a segment that holds `length` bytes.
    function sliverBytes(uint256 length, uint256 shards, bool secondary) internal pure returns (uint256) {
        return (secondary ? rows(shards) : columns(shards)) * symbolBytes(length, shards);
    }

    /// @notice Chunks of a sliver of `sliverBytes_` bytes.
    function chunks(uint256 sliverBytes_) internal pure returns (uint256) {
        // Cannot underflow: no sliver is empty.
        unchecked {
            return (sliverBytes_ - 1) / CHUNK_BYTES + 1;
        }
    }

    /// @notice Bytes that the network keeps for a blob of `size` bytes: all sliver pairs of all segments and their metadata.
    function encodedSize(uint64 size, uint16 shards) internal pure returns (uint256 total) {
        return encodedSizeOf(size, shards, rows(shards), columns(shards));
    }

    /// @notice As {encodedSize}, for one who keeps r and c. This runs in every registration.
    function encodedSizeOf(uint64 size, uint256 shards, uint256 r, uint256 c) internal pure returns (uint256 total) {
        // Cannot overflow: a size has 64 bits, all other numbers have 26 at most.
        unchecked {
            uint256 last = size == 0 ? 0 : size - 1;
            uint256 fullSegments = last / SEGMENT_BYTES;
            uint256 cell = SYMBOL_ALIGNMENT * r * c;
            uint256 cells = (last % SEGMENT_BYTES) / cell + 1;
            if (fullSegments != 0) cells += fullSegments * ((SEGMENT_BYTES - 1) / cell + 1);
            return shards * ((r + c) * cells * SYMBOL_ALIGNMENT + (fullSegments + 1) * PAIR_METADATA_BYTES);
        }
    }

    /// @notice The sliver pair of a blob that lives on a shard, the same in each segment.
    function pairOnShard(BlobId blobId, uint256 shard, uint256 shards) internal pure returns (uint256) {
        // Cannot overflow: shard and shards are small, and the remainder is below shards.
        unchecked {
            return (shard + shards - uint256(BlobId.unwrap(blobId)) % shards) % shards;
        }
    }

    /// @notice The shard on which a sliver pair of a blob lives.
    function shardOfPair(BlobId blobId, uint256 pair, uint256 shards) internal pure returns (uint256) {
        return (pair + uint256(BlobId.unwrap(blobId)) % shards) % shards;
    }
}
