// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {System} from "./support/System.sol";
import {vm} from "./support/Vm.sol";

/// @notice Holds the contracts to the signed messages of docs/spec/08-messages.md, which Python signs.
/// @dev A vector names chain and contract, so each contract's code is put where the vector says.
contract MessagesTest is System {
    string private json;

    function setUp() external {
        deploySystem(defaultParameters());
        json = vm.readFile("tests/vectors/messages.json");
    }

    function test_I11_attestationDigest__given_a_shared_vector__agrees_with_python() external {
        uint256 cases = 0;
        for (; _exists("storage", cases); ++cases) {
            IBlobRegistry moved = IBlobRegistry(_move(address(registry), "storage", cases));
            bytes32 digest = moved.attestationDigest(
                BlobId.wrap(_word("storage", cases, "blobId")),
                _number("storage", cases, "blobObject"),
                Epoch.wrap(uint32(_number("storage", cases, "epoch"))),
                vm.parseJsonBool(json, _path("storage", cases, "deletable"))
            );
            assertEq(digest, _word("storage", cases, "digest"));
            assertEq(_recovered("storage", cases, digest), _account("storage", cases, "signer"));
        }
        assertEq(cases, 8);
    }

    function test_I11_invalidityDigest__given_a_shared_vector__agrees_with_python() external {
        uint256 cases = 0;
        for (; _exists("invalidity", cases); ++cases) {
            IBlobRegistry moved = IBlobRegistry(_move(address(registry), "invalidity", cases));
            bytes32 digest = moved.invalidityDigest(
                BlobId.wrap(_word("invalidity", cases, "blobId")),
                Epoch.wrap(uint32(_number("invalidity", cases, "epoch")))
            );
            assertEq(digest, _word("invalidity", cases, "digest"));
            assertEq(_recovered("invalidity", cases, digest), _account("invalidity", cases, "signer"));
        }
        assertEq(cases, 3);
    }

    function test_I11_register__given_a_proof_from_a_shared_vector__takes_it() external {
        uint256 cases = 0;
        for (; _exists("nodeKeys", cases); ++cases) {
            uint256 state = vm.snapshotState();
            INodeRegistry moved = INodeRegistry(_move(address(nodeRegistry), "nodeKeys", cases));
            address signer = _account("nodeKeys", cases, "signer");
            INodeRegistry.NodeDetails memory details = INodeRegistry.NodeDetails({
                name: "node",
                url: "http://node.example",
                region: "region-1",
                signer: signer,
                encryptionKey: vm.parseJsonBytes(json, _path("nodeKeys", cases, "encryptionKey"))
            });
            bytes memory proof = vm.parseJsonBytes(json, _path("nodeKeys", cases, "signature"));
            vm.prank(_account("nodeKeys", cases, "operator"));
            NodeId nodeId = moved.register(details, proof);
            assertEq(moved.signerOf(nodeId), signer);
            assertTrue(vm.revertToState(state));
        }
        assertEq(cases, 3);
    }

    /// @dev Puts a contract's code on the chain and at the address that a case names.
    function _move(address original, string memory list, uint256 i) private returns (address moved) {
        vm.chainId(_number(list, i, "chainId"));
        moved = _account(list, i, "verifyingContract");
        vm.etch(moved, original.code);
    }

    function _recovered(string memory list, uint256 i, bytes32 digest) private view returns (address) {
        bytes memory signature = vm.parseJsonBytes(json, _path(list, i, "signature"));
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        return ecrecover(digest, uint8(signature[64]), r, s);
    }

    function _exists(string memory list, uint256 i) private view returns (bool) {
        return vm.keyExistsJson(json, _path(list, i, "digest"));
    }

    function _word(string memory list, uint256 i, string memory field) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, _path(list, i, field));
    }

    function _number(string memory list, uint256 i, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, _path(list, i, field));
    }

    function _account(string memory list, uint256 i, string memory field) private view returns (address) {
        return vm.parseJsonAddress(json, _path(list, i, field));
    }

    function _path(string memory list, uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(i), "].", field);
    }
}
