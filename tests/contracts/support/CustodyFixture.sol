// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../../contracts/interfaces/IBlobRegistry.sol";
import {ICustodyChallenges} from "../../../contracts/interfaces/ICustodyChallenges.sol";
import {RedStuffMath} from "../../../contracts/libraries/RedStuffMath.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {BlobId} from "../../../contracts/types/BlobId.sol";
import {Epoch} from "../../../contracts/types/Epoch.sol";
import {NodeId} from "../../../contracts/types/NodeId.sol";
import {Timestamp} from "../../../contracts/types/Timestamp.sol";
import {System} from "./System.sol";
import {vm} from "./Vm.sol";

/// @title CustodyFixture
/// @notice The whole system with two real small blobs that were encoded for n = 10, and their proofs for every place, made
/// by the Python code: so a test can answer whatever a seed asks.
abstract contract CustodyFixture is System {
    /// @notice What `walrus_chain/codec` made of a blob.
    struct EncodedBlob {
        BlobId blobId;
        uint64 size;
        /// @dev Chunks of a sliver pair, and of its primary sliver.
        uint256 pairChunks;
        uint256 primaryChunks;
        /// @dev Chunk and path of each place: pair by pair, in each chunk by chunk, the primary sliver first.
        bytes[] proofs;
    }

    string internal constant PROOF_VECTORS = "tests/vectors/custody_proofs.json";
    /// @notice The blobs: of one byte (class 0), and of 10 KiB (class 1).
    uint256 internal constant BYTE = 0;
    uint256 internal constant SMALL = 1;

    EncodedBlob[] internal encoded;
    address internal owner;

    /// @notice Reads the blobs, and deploys everything with ten nodes of a shard each in office.
    function deployCustody() internal {
        Parameters memory parameters = defaultParameters();
        deployCustody(parameters, 10);
    }

    /// @notice {deployCustody} with `nodes` nodes.
    function deployCustody(Parameters memory parameters, uint256 nodes) internal {
        deploySystem(parameters);
        formCommittee(nodes, 4);
        makeOwner();
    }

    /// @notice An account that pays for blobs.
    function makeOwner() internal {
        owner = makeAddr("owner");
        giveTokens(owner, 1e24);
    }

    /// @notice Reads the two blobs.
    function readBlobs() internal {
        string memory json = vm.readFile(PROOF_VECTORS);
        for (uint256 i = 0; i < 2; ++i) {
            string memory key = string.concat(".blobs[", vm.toString(i), "]");
            EncodedBlob storage blob = encoded.push();
            blob.blobId = BlobId.wrap(vm.parseJsonBytes32(json, string.concat(key, ".blobId")));
            blob.size = uint64(vm.parseJsonUint(json, string.concat(key, ".size")));
            blob.pairChunks = vm.parseJsonUint(json, string.concat(key, ".pairChunks"));
            blob.primaryChunks = RedStuffMath.chunks(RedStuffMath.sliverBytes(blob.size, 10, false));
            blob.proofs = vm.parseJsonBytesArray(json, string.concat(key, ".proofs"));
        }
    }

    /// @notice Registers and certifies an object of one of the two blobs: deletable, until epoch `now + epochs`.
    function certifyEncoded(uint256 which, uint32 epochs) internal returns (uint256) {
        return certifyBlob(encoded[which].blobId, encoded[which].size, epochs);
    }

    /// @notice Registers and certifies a blob; members hold equal shares, so the first 70 percent are a quorum.
    function certifyBlob(BlobId blobId_, uint64 size, uint32 epochs) internal returns (uint256 blobObject) {
        vm.prank(owner);
        blobObject = registry.register(
            IBlobRegistry.Registration({blobId: blobId_, size: size, epochs: epochs, deletable: true})
        );
        uint256 signers = bitmap(0, (committee.members().length * 7 + 9) / 10);
        registry.certify(blobObject, signers, attestations(blobObject, signers));
    }

    /// @notice Four members declare a blob invalid.
    function invalidateBlob(BlobId blobId_) internal {
        bytes32 digest = registry.invalidityDigest(blobId_, committee.epoch());
        registry.invalidate(blobId_, bitmap(0, 4), signaturesOf(digest, bitmap(0, 4)));
    }

    /// @notice Goes to quarter 0 to 3 of an epoch: windows may be opened in quarter 1, and close with the third.
    function warpToQuarter(uint32 epoch, uint256 quarter) internal {
        uint256 start = Timestamp.unwrap(committee.startOf(Epoch.wrap(epoch)));
        vm.warp(start + committee.epochSeconds() * quarter / 4);
    }

    /// @notice Opens the window of an epoch and draws its seed.
    function ask(uint32 epoch, bytes32 seed) internal {
        warpToQuarter(epoch, 1);
        custody.openWindow();
        randomness.draw(seed);
    }

    /// @notice What an honest node answers: the proofs of its samples, in order. The blobs are those of {readBlobs}.
    function answerOf(uint32 epoch, uint32 node) internal view returns (bytes memory proofs) {
        ICustodyChallenges.Sample[] memory samples = custody.samplesOf(Epoch.wrap(epoch), NodeId.wrap(node));
        for (uint256 i = 0; i < samples.length; ++i) {
            proofs = bytes.concat(proofs, proofOf(samples[i]));
        }
    }

    /// @notice Chunk and path of one sample; nothing for a blank one.
    function proofOf(ICustodyChallenges.Sample memory sample) internal view returns (bytes memory) {
        if (sample.blobObject == 0) return "";
        EncodedBlob storage blob = encoded[sample.size == 1 ? BYTE : SMALL];
        require(sample.blobId == blob.blobId && sample.segment == 0, "CustodyFixture: unknown blob");
        uint256 number = sample.secondary ? blob.primaryChunks + sample.chunk : sample.chunk;
        return blob.proofs[sample.pair * blob.pairChunks + number];
    }

    /// @notice A node answers as it should.
    function proveHonestly(uint32 epoch, uint32 node) internal {
        custody.prove(NodeId.wrap(node), answerOf(epoch, node));
    }

    /// @notice Active and unbonding stake of a node, which a slash takes from.
    function stakeOf(uint32 node) internal view returns (uint256) {
        NodeId nodeId = NodeId.wrap(node);
        return uint256(Amount.unwrap(staking.stakeAt(nodeId, committee.currentEpoch())))
            + Amount.unwrap(staking.poolOf(nodeId).unbonding);
    }

    function windowOf(uint32 epoch) internal view returns (ICustodyChallenges.Window memory) {
        return custody.windowOf(Epoch.wrap(epoch));
    }
}
