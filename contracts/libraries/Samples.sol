// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {NodeId} from "../types/NodeId.sol";
import {RedStuffMath} from "./RedStuffMath.sol";

/// @title Samples
/// @notice The numbers that a seed draws for a node, and the place in a blob that one of them means.
/// @dev Each number has a word of its own, hashed with what it is for: two draws from one word would be tied to each other.
/// A word has 256 bits and is taken modulo numbers below 2^64, so no remainder is likelier than another by 2^-192.
library Samples {
    /// @notice What a word is drawn for: the shard, the blob, the chunk.
    uint256 internal constant SHARD = 1;
    uint256 internal constant BLOB = 2;
    uint256 internal constant CHUNK = 3;

    /// @notice The preimage of a word, `abi.encode` of its five fields: in memory a struct is just that.
    struct Draw {
        bytes32 seed;
        NodeId nodeId;
        uint256 sample;
        uint256 tag;
        uint256 attempt;
    }

    uint256 private constant DRAW_BYTES = 160;

    /// @notice The word for `tag` and `attempt`, which are kept in `draw`.
    function word(Draw memory draw, uint256 tag, uint256 attempt) internal pure returns (uint256 drawn) {
        draw.tag = tag;
        draw.attempt = attempt;
        assembly ("memory-safe") {
            drawn := keccak256(draw, DRAW_BYTES)
        }
    }

    /// @notice The place that a word means among all chunks of one sliver pair of a blob: segment by segment, in each the
    /// chunks of the primary sliver first.
    function placeOf(uint64 size, uint256 shards, uint256 drawn)
        internal
        pure
        returns (uint32 segment, bool secondary, uint32 chunk)
    {
        // Cannot overflow: a size has 64 bits, so there are at most 2^39 segments, each of less than 2^18 chunks a pair.
        unchecked {
            uint256 full = RedStuffMath.segments(size) - 1;
            (uint256 primaryChunks, uint256 secondaryChunks) =
                _chunksOf(size - full * RedStuffMath.SEGMENT_BYTES, shards);
            uint256 chunks = primaryChunks + secondaryChunks;
            uint256 fullPrimaryChunks;
            uint256 fullChunks;
            if (full != 0) {
                (fullPrimaryChunks, fullChunks) = _chunksOf(RedStuffMath.SEGMENT_BYTES, shards);
                fullChunks += fullPrimaryChunks;
            }

            uint256 place = drawn % (full * fullChunks + chunks);
            if (place < full * fullChunks) {
                // A size is below 2^40, so segments fit; chunks always do.
                // forge-lint: disable-next-line(unsafe-typecast)
                segment = uint32(place / fullChunks);
                place %= fullChunks;
                primaryChunks = fullPrimaryChunks;
            } else {
                // forge-lint: disable-next-line(unsafe-typecast)
                segment = uint32(full);
                place -= full * fullChunks;
            }
            secondary = place >= primaryChunks;
            // forge-lint: disable-next-line(unsafe-typecast)
            chunk = uint32(secondary ? place - primaryChunks : place);
        }
    }

    /// @dev Chunks of a primary and of a secondary sliver of a segment of `length` bytes.
    function _chunksOf(uint256 length, uint256 shards)
        private
        pure
        returns (uint256 primaryChunks, uint256 secondaryChunks)
    {
        uint256 symbol = RedStuffMath.symbolBytes(length, shards);
        primaryChunks = Math.ceilDiv(RedStuffMath.columns(shards) * symbol, RedStuffMath.CHUNK_BYTES);
        secondaryChunks = Math.ceilDiv(RedStuffMath.rows(shards) * symbol, RedStuffMath.CHUNK_BYTES);
    }
}
