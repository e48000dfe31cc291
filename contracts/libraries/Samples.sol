// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeId} from "../types/NodeId.sol";
import {RedStuffMath} from "./RedStuffMath.sol";
import {SliverProof} from "./SliverProof.sol";

/// @title Samples
/// @notice The numbers that a seed draws for a node, and the place in a blob that one of them means.
/// @dev Each number has a word of its own, hashed with what it is for: two draws from one word would be tied to each
/// other. A word has 256 bits and is taken modulo numbers below 2^64, so no remainder is likelier than another by
/// 2^-192.
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

    /// @notice What follows from n: r, c, and the depth of a segment tree.
    struct Code {
        uint256 rows;
        uint256 columns;
        uint256 depth;
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

    /// @notice Writes the place that a word means among all chunks of one sliver pair of a blob, counted segment by
    /// segment, in each the chunks of the primary sliver first; and the shape of its proof.
    /// @param place Its pair stays.
    function find(
        Code memory code,
        uint64 size,
        uint256 drawn,
        SliverProof.Place memory place,
        SliverProof.Shape memory shape
    ) internal pure {
        // Cannot overflow: a size has 64 bits, so there are at most 2^39 segments, each of less than 2^20 chunks a
        // pair.
        unchecked {
            uint256 full = RedStuffMath.segments(size) - 1;
            (uint256 primary, uint256 secondary) = _sliversOf(code, size - full * RedStuffMath.SEGMENT_BYTES);
            uint256 total = RedStuffMath.chunks(primary) + RedStuffMath.chunks(secondary);
            uint256 segment = full;
            uint256 chunk;
            if (full == 0) {
                chunk = drawn % total;
            } else {
                (uint256 fullPrimary, uint256 fullSecondary) = _sliversOf(code, RedStuffMath.SEGMENT_BYTES);
                uint256 fullTotal = RedStuffMath.chunks(fullPrimary) + RedStuffMath.chunks(fullSecondary);
                chunk = drawn % (full * fullTotal + total);
                if (chunk < full * fullTotal) {
                    segment = chunk / fullTotal;
                    chunk %= fullTotal;
                    (primary, secondary) = (fullPrimary, fullSecondary);
                } else {
                    chunk -= full * fullTotal;
                }
            }

            uint256 primaryChunks = RedStuffMath.chunks(primary);
            bool isSecondary = chunk >= primaryChunks;
            if (isSecondary) chunk -= primaryChunks;
            // A size is below 2^40, so segments fit; chunks always do.
            // forge-lint: disable-next-line(unsafe-typecast)
            place.segment = uint32(segment);
            place.secondary = isSecondary;
            // forge-lint: disable-next-line(unsafe-typecast)
            place.chunk = uint32(chunk);
            SliverProof.measure(shape, isSecondary ? secondary : primary, chunk, code.depth, full + 1);
        }
    }

    /// @notice The numbers of a network of n shards that {find} wants.
    function codeOf(uint256 shards) internal pure returns (Code memory) {
        return Code(RedStuffMath.rows(shards), RedStuffMath.columns(shards), SliverProof.depthOf(shards));
    }

    /// @dev Bytes of a primary and of a secondary sliver of a segment of `length` bytes.
    function _sliversOf(Code memory code, uint256 length) private pure returns (uint256 primary, uint256 secondary) {
        // Cannot overflow: a symbol has 23 bits, r and c have 8.
        unchecked {
            uint256 symbol = RedStuffMath.symbolBytes(length, code.rows, code.columns);
            (primary, secondary) = (code.columns * symbol, code.rows * symbol);
        }
    }
}
