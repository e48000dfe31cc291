// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SliverProof} from "../../contracts/libraries/SliverProof.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

/// @dev Gives the library calldata.
contract SliverProofCaller {
    function check(
        SliverProof.Blob calldata blob,
        SliverProof.Place calldata place,
        bytes calldata chunk,
        bytes32[] calldata path
    ) external view {
        SliverProof.check(blob, place, chunk, path);
    }

    function checkRun(SliverProof.Blob calldata blob, SliverProof.Place calldata place, bytes calldata run)
        external
        view
        returns (uint256)
    {
        return SliverProof.checkRun(blob, place, SliverProof.shapeOf(blob, place), run);
    }
}

contract SliverProofTest is Test {
    struct Proof {
        SliverProof.Blob blob;
        SliverProof.Place place;
        bytes chunk;
        bytes32[] path;
        uint256 sliverDepth;
    }

    SliverProofCaller private proofs;
    /// @dev The shared vectors, encoded: reading JSON anew for each input of a fuzz test takes too long.
    bytes[] private stored;
    uint256 private cases;

    function setUp() public {
        proofs = new SliverProofCaller();
        string memory json = vm.readFile("tests/vectors/merkle.json");
        while (vm.keyExistsJson(json, caseKey(cases, ""))) stored.push(abi.encode(parse(json, cases++)));
    }

    function test_I11_check__given_a_shared_vector__accepts() external view {
        assertGt(cases, 40);
        for (uint256 i = 0; i < cases; ++i) {
            check(load(i));
        }
    }

    function test_check__when_there_is_no_such_segment__reverts() external {
        Proof memory proof = load(0);
        proof.place.segment = 1;
        expectNoSuchPlace(proof);
        check(proof);
    }

    function test_check__when_there_is_no_such_pair__reverts() external {
        Proof memory proof = load(0);
        proof.place.pair = proof.blob.shards;
        expectNoSuchPlace(proof);
        check(proof);
    }

    function test_check__when_there_is_no_such_chunk__reverts(uint256 which) external {
        Proof memory proof = loadLastChunk(which);
        ++proof.place.chunk;
        expectNoSuchPlace(proof);
        check(proof);
    }

    function test_check__when_the_chunk_has_a_byte_too_many__reverts(uint256 which) external {
        Proof memory proof = load(which % cases);
        uint256 due = proof.chunk.length;
        proof.chunk = bytes.concat(proof.chunk, hex"00");
        vm.expectRevert(
            abi.encodeWithSelector(
                SliverProof.SliverProof_WrongChunkLength.selector, proof.blob.blobId, due, proof.chunk.length
            )
        );
        check(proof);
    }

    function test_check__when_the_chunk_has_a_byte_too_few__reverts(uint256 which) external {
        Proof memory proof = load(which % cases);
        uint256 due = proof.chunk.length;
        shorten(proof.chunk, due - 1);
        vm.expectRevert(
            abi.encodeWithSelector(SliverProof.SliverProof_WrongChunkLength.selector, proof.blob.blobId, due, due - 1)
        );
        check(proof);
    }

    function test_check__when_the_path_has_a_node_too_many__reverts(uint256 which, bytes32 node) external {
        Proof memory proof = load(which % cases);
        bytes32[] memory longer = new bytes32[](proof.path.length + 1);
        for (uint256 i = 0; i < proof.path.length; ++i) {
            longer[i] = proof.path[i];
        }
        longer[proof.path.length] = node;
        expectWrongPathLength(proof, longer.length);
        proofs.check(proof.blob, proof.place, proof.chunk, longer);
    }

    function test_check__when_the_path_has_too_few_nodes__reverts(uint256 which, uint256 length) external {
        Proof memory proof = load(which % cases);
        bytes32[] memory shorter = new bytes32[](bound(length, 0, proof.path.length - 1));
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = proof.path[i];
        }
        expectWrongPathLength(proof, shorter.length);
        proofs.check(proof.blob, proof.place, proof.chunk, shorter);
    }

    function test_I6_check__when_any_byte_of_the_chunk_is_another__reverts(uint256 which, uint256 place, uint8 flip)
        external
    {
        Proof memory proof = load(which % cases);
        place = bound(place, 0, proof.chunk.length - 1);
        proof.chunk[place] ^= bytes1(uint8(bound(flip, 1, 255)));
        expectMismatch();
        check(proof);
    }

    function test_I6_check__when_any_node_of_the_path_is_another__reverts(uint256 which, uint256 place, uint256 flip)
        external
    {
        Proof memory proof = load(which % cases);
        place = bound(place, 0, proof.path.length - 1);
        proof.path[place] ^= bytes32(bound(flip, 1, type(uint256).max));
        expectMismatch();
        check(proof);
    }

    function test_I6_check__when_the_pair_is_another__reverts(uint256 which, uint256 pair) external {
        Proof memory proof = load(which % cases);
        // In a blob of one byte most slivers are equal, and so the same bytes do stand at other places.
        vm.assume(proof.blob.size > 1);
        uint256 other = bound(pair, 1, proof.blob.shards - 1);
        proof.place.pair = uint16((proof.place.pair + other) % proof.blob.shards);
        expectMismatch();
        check(proof);
    }

    function test_I6_check__when_the_chunk_stands_at_another_place__reverts(uint256 which) external {
        Proof memory proof = load(which % cases);
        vm.assume(proof.sliverDepth > 0 && proof.chunk.length == 256);
        proof.place.chunk ^= 1;
        // Chunks whose neighbour is short or missing cannot even be tried; both are refusals.
        vm.expectRevert();
        check(proof);
    }

    function test_I6_check__when_the_segment_is_another__reverts() external {
        // The last cases are of a blob of three segments; its first two are full and have equal depths.
        bool tried = false;
        for (uint256 i = 0; i < cases; ++i) {
            Proof memory proof = load(i);
            if (proof.blob.size <= 32 * 2 ** 20 || proof.place.segment > 1) continue;
            proof.place.segment ^= 1;
            expectMismatch();
            check(proof);
            tried = true;
        }
        assertTrue(tried);
    }

    function test_I6_check__when_the_axis_is_the_other_one__reverts(uint256 which) external {
        Proof memory proof = load(which % cases);
        proof.place.secondary = !proof.place.secondary;
        vm.expectRevert();
        check(proof);
    }

    function test_I6_check__when_the_size_is_another_of_the_same_geometry__reverts() external {
        Proof memory proof = load(0);
        assertEq(proof.blob.size, 1);
        proof.blob.size = 2;
        expectMismatch();
        check(proof);
    }

    function test_I6_check__when_n_is_another__reverts(uint256 which, uint256 shards) external {
        Proof memory proof = load(which % cases);
        uint16 other = uint16(bound(shards, 4, 255));
        vm.assume(other != proof.blob.shards);
        proof.blob.shards = other;
        vm.expectRevert();
        check(proof);
    }

    function test_I6_check__when_the_id_is_another__reverts(uint256 which, bytes32 id) external {
        Proof memory proof = load(which % cases);
        vm.assume(id != BlobId.unwrap(proof.blob.blobId));
        BlobId actual = proof.blob.blobId;
        proof.blob.blobId = BlobId.wrap(id);
        vm.expectRevert(abi.encodeWithSelector(SliverProof.SliverProof_Mismatch.selector, id, actual));
        check(proof);
    }

    function test_I6_check__when_an_inner_node_is_passed_as_a_chunk__reverts() external {
        // 160 bytes at n = 4 give a secondary sliver of two symbols of 32 bytes: as long as two nodes. Without tags the two
        // children of a node would pass for the chunk under a leaf.
        SliverProof.Blob memory blob = SliverProof.Blob(BlobId.wrap(0), 160, 4);
        bytes32 left = sha256("left");
        bytes32 right = sha256("right");
        bytes32[] memory path = new bytes32[](3);
        bytes32 node = sha256(abi.encodePacked(hex"02", path[0], sha256(abi.encodePacked(hex"01", left, right))));
        node = sha256(abi.encodePacked(hex"01", node, path[1]));
        node = sha256(abi.encodePacked(hex"01", node, path[2]));
        blob.blobId = BlobId.wrap(sha256(abi.encodePacked(hex"0301", blob.shards, blob.size, node)));
        expectMismatch();
        proofs.check(blob, SliverProof.Place(0, true, 0, 0), abi.encodePacked(left, right), path);
    }

    function test_I11_checkRun__given_a_shared_vector__accepts_it_whatever_follows(bytes calldata more) external view {
        for (uint256 i = 0; i < cases; ++i) {
            Proof memory proof = load(i);
            bytes memory run = runOf(proof);
            assertEq(proofs.checkRun(proof.blob, proof.place, run), run.length);
            assertEq(proofs.checkRun(proof.blob, proof.place, bytes.concat(run, more)), run.length);
        }
    }

    function test_checkRun__when_the_run_ends_in_the_chunk__reverts(uint256 which, uint256 length) external {
        Proof memory proof = load(which % cases);
        bytes memory run = runOf(proof);
        length = bound(length, 0, proof.chunk.length - 1);
        shorten(run, length);
        vm.expectRevert(
            abi.encodeWithSelector(
                SliverProof.SliverProof_WrongChunkLength.selector, proof.blob.blobId, proof.chunk.length, length
            )
        );
        proofs.checkRun(proof.blob, proof.place, run);
    }

    function test_checkRun__when_the_run_ends_in_the_path__reverts(uint256 which, uint256 length) external {
        Proof memory proof = load(which % cases);
        bytes memory run = runOf(proof);
        length = bound(length, proof.chunk.length, run.length - 1);
        shorten(run, length);
        expectWrongPathLength(proof, (length - proof.chunk.length) / 32);
        proofs.checkRun(proof.blob, proof.place, run);
    }

    function test_I6_checkRun__when_any_byte_is_another__reverts(uint256 which, uint256 place, uint8 flip) external {
        Proof memory proof = load(which % cases);
        bytes memory run = runOf(proof);
        place = bound(place, 0, run.length - 1);
        run[place] ^= bytes1(uint8(bound(flip, 1, 255)));
        expectMismatch();
        proofs.checkRun(proof.blob, proof.place, run);
    }

    function runOf(Proof memory proof) private pure returns (bytes memory) {
        return bytes.concat(proof.chunk, abi.encodePacked(proof.path));
    }

    function check(Proof memory proof) private view {
        proofs.check(proof.blob, proof.place, proof.chunk, proof.path);
    }

    function load(uint256 i) private view returns (Proof memory) {
        return abi.decode(stored[i], (Proof));
    }

    function parse(string memory json, uint256 i) private pure returns (Proof memory proof) {
        proof.blob = SliverProof.Blob({
            blobId: BlobId.wrap(vm.parseJsonBytes32(json, caseKey(i, ".blobId"))),
            size: uint64(vm.parseJsonUint(json, caseKey(i, ".size"))),
            shards: uint16(vm.parseJsonUint(json, caseKey(i, ".shards")))
        });
        proof.place = SliverProof.Place({
            segment: uint32(vm.parseJsonUint(json, caseKey(i, ".segment"))),
            secondary: vm.parseJsonBool(json, caseKey(i, ".secondary")),
            pair: uint16(vm.parseJsonUint(json, caseKey(i, ".pair"))),
            chunk: uint32(vm.parseJsonUint(json, caseKey(i, ".chunkIndex")))
        });
        proof.chunk = vm.parseJsonBytes(json, caseKey(i, ".chunk"));
        bytes32[] memory sliverPath = vm.parseJsonBytes32Array(json, caseKey(i, ".sliverPath"));
        proof.sliverDepth = sliverPath.length;
        proof.path = join(
            sliverPath,
            vm.parseJsonBytes32(json, caseKey(i, ".siblingRoot")),
            vm.parseJsonBytes32Array(json, caseKey(i, ".segmentPath")),
            vm.parseJsonBytes32Array(json, caseKey(i, ".contentPath"))
        );
    }

    /// @dev The vectors hold the last chunk of each sliver after its others.
    function loadLastChunk(uint256 which) private view returns (Proof memory proof) {
        uint256 i = which % cases;
        proof = load(i);
        while (++i < cases) {
            Proof memory next = load(i);
            if (next.place.chunk <= proof.place.chunk || next.place.pair != proof.place.pair) break;
            proof = next;
        }
    }

    function join(bytes32[] memory a, bytes32 b, bytes32[] memory c, bytes32[] memory d)
        private
        pure
        returns (bytes32[] memory path)
    {
        path = new bytes32[](a.length + 1 + c.length + d.length);
        uint256 next = 0;
        for (uint256 i = 0; i < a.length; ++i) {
            path[next++] = a[i];
        }
        path[next++] = b;
        for (uint256 i = 0; i < c.length; ++i) {
            path[next++] = c[i];
        }
        for (uint256 i = 0; i < d.length; ++i) {
            path[next++] = d[i];
        }
    }

    function shorten(bytes memory data, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(data, length)
        }
    }

    function expectNoSuchPlace(Proof memory proof) private {
        vm.expectRevert(
            abi.encodeWithSelector(SliverProof.SliverProof_NoSuchPlace.selector, proof.blob.blobId, proof.place)
        );
    }

    function expectWrongPathLength(Proof memory proof, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                SliverProof.SliverProof_WrongPathLength.selector, proof.blob.blobId, proof.path.length, actual
            )
        );
    }

    function expectMismatch() private {
        vm.expectPartialRevert(SliverProof.SliverProof_Mismatch.selector);
    }

    function caseKey(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".cases[", vm.toString(i), "]", field);
    }
}
