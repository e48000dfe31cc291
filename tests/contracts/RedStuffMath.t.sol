// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RedStuffMath} from "../../contracts/libraries/RedStuffMath.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract RedStuffMathTest is Test {
    function test_I11_sizes__given_a_shared_vector__agree_with_python() external view {
        string memory json = vm.readFile("tests/vectors/geometry.json");
        uint256 i = 0;
        for (; vm.keyExistsJson(json, key(i, "")); ++i) {
            uint16 n = uint16(number(json, i, ".shards"));
            uint64 size = uint64(number(json, i, ".size"));
            uint256 segments = RedStuffMath.segments(size);
            uint256 last = RedStuffMath.segmentLength(size, segments - 1);
            assertEq(RedStuffMath.faults(n), number(json, i, ".faults"));
            assertEq(RedStuffMath.rows(n), number(json, i, ".rows"));
            assertEq(RedStuffMath.columns(n), number(json, i, ".columns"));
            assertEq(RedStuffMath.quorum(n), number(json, i, ".quorum"));
            assertEq(segments, number(json, i, ".segments"));
            assertEq(RedStuffMath.symbolBytes(RedStuffMath.segmentLength(size, 0), n), number(json, i, ".symbolBytes"));
            assertEq(RedStuffMath.symbolBytes(last, n), number(json, i, ".lastSymbolBytes"));
            assertEq(chunks(RedStuffMath.sliverBytes(last, n, false)), number(json, i, ".primaryChunks"));
            assertEq(chunks(RedStuffMath.sliverBytes(last, n, true)), number(json, i, ".secondaryChunks"));
            assertEq(RedStuffMath.encodedSize(size, n), number(json, i, ".encodedBytes"));
        }
        assertGt(i, 80);
    }

    function test_faults__given_any_n__leave_enough_rows_and_columns(uint16 shards) external pure {
        uint256 n = bound(shards, RedStuffMath.MINIMUM_SHARDS, RedStuffMath.MAXIMUM_SHARDS);
        uint256 f = RedStuffMath.faults(n);
        assertGt(n, 3 * f);
        assertLe(n, 3 * (f + 1));
        assertEq(RedStuffMath.rows(n) + 2 * f, n);
        assertEq(RedStuffMath.columns(n) + f, n);
        assertEq(RedStuffMath.quorum(n), RedStuffMath.columns(n));
        // Any two quorums share an honest shard.
        assertGe(2 * RedStuffMath.quorum(n), n + RedStuffMath.honestMinority(n));
    }

    function test_encodedSize__given_any_size__is_the_sum_over_segments(uint256 size, uint16 shards) external pure {
        uint16 n = toShards(shards);
        uint64 bytes_ = uint64(bound(size, 0, 2 ** 32));
        uint256 total = 0;
        for (uint256 i = 0; i < RedStuffMath.segments(bytes_); ++i) {
            uint256 symbol = RedStuffMath.symbolBytes(RedStuffMath.segmentLength(bytes_, i), n);
            total += n * ((RedStuffMath.rows(n) + RedStuffMath.columns(n)) * symbol + 64);
        }
        assertEq(RedStuffMath.encodedSize(bytes_, n), total);
    }

    function test_encodedSize__given_a_larger_blob__is_no_smaller(uint64 size, uint64 more, uint16 shards)
        external
        pure
    {
        uint64 larger = uint64(bound(more, size, type(uint64).max));
        assertLe(RedStuffMath.encodedSize(size, toShards(shards)), RedStuffMath.encodedSize(larger, toShards(shards)));
    }

    function test_encodedSize__given_the_largest_size__does_not_overflow(uint16 shards) external pure {
        uint256 encoded = RedStuffMath.encodedSize(type(uint64).max, toShards(shards));
        assertGt(encoded, type(uint64).max);
        assertLt(encoded, 5 * 2 ** 64);
    }

    function test_symbolBytes__given_any_length__is_the_least_that_fits(uint256 length, uint16 shards) external pure {
        uint256 n = toShards(shards);
        length = bound(length, 1, RedStuffMath.SEGMENT_BYTES);
        uint256 symbol = RedStuffMath.symbolBytes(length, n);
        uint256 cells = RedStuffMath.rows(n) * RedStuffMath.columns(n);
        assertEq(symbol % 8, 0);
        assertGe(symbol * cells, length);
        assertLt((symbol - 8) * cells, length);
    }

    function test_shardOfPair__given_any_blob__is_undone_by_pairOnShard(bytes32 id, uint16 shards, uint256 pair)
        external
        pure
    {
        uint256 n = toShards(shards);
        pair = bound(pair, 0, n - 1);
        uint256 shard = RedStuffMath.shardOfPair(BlobId.wrap(id), pair, n);
        assertLt(shard, n);
        assertEq(RedStuffMath.pairOnShard(BlobId.wrap(id), shard, n), pair);
    }

    function test_shardOfPair__given_an_id__shifts_by_the_id_modulo_n() external pure {
        assertEq(RedStuffMath.shardOfPair(BlobId.wrap(bytes32(uint256(23))), 4, 10), 7);
        assertEq(RedStuffMath.shardOfPair(BlobId.wrap(bytes32(uint256(29))), 4, 10), 3);
    }

    function toShards(uint16 shards) private pure returns (uint16) {
        return uint16(bound(shards, RedStuffMath.MINIMUM_SHARDS, RedStuffMath.MAXIMUM_SHARDS));
    }

    function chunks(uint256 sliverBytes) private pure returns (uint256) {
        return (sliverBytes + RedStuffMath.CHUNK_BYTES - 1) / RedStuffMath.CHUNK_BYTES;
    }

    function number(string memory json, uint256 i, string memory field) private pure returns (uint256) {
        return vm.parseJsonUint(json, key(i, field));
    }

    function key(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".cases[", vm.toString(i), "]", field);
    }
}
