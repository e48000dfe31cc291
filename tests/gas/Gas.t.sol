// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {System} from "../contracts/support/System.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title GasTest
/// @notice What whole transactions cost in the steady state: the payer approved the vault and holds objects, others have
/// registered in this epoch and pay until the same end. `make gas` compares the figures with the committed ones.
/// @dev Run with `isolate`, so that each call is a transaction of its own, with its base cost and calldata.
contract GasTest is System {
    string private constant GROUP = "gas";
    uint16 private constant SHARDS = 30;

    address private owner;
    address private receiver;

    function setUp() public {
        Parameters memory parameters = defaultParameters();
        parameters.shards = SHARDS;
        deploySystem(parameters);
        owner = makeAddr("owner");
        receiver = makeAddr("receiver");
        giveTokens(owner, 1000e18);
        giveTokens(receiver, 1000e18);

        register("first");
        vm.prank(owner);
        registry.register(registrationOf("neighbour", 7));
        vm.prank(receiver);
        registry.register(registrationOf("elsewhere", 5));
    }

    function test_gas__register() public {
        register("measured");
        vm.snapshotGasLastCall(GROUP, "register");
    }

    function test_gas__registerBatch10() public {
        IBlobRegistry.Registration[] memory batch = new IBlobRegistry.Registration[](10);
        for (uint256 i = 0; i < batch.length; ++i) {
            batch[i] = registrationOf(vm.toString(i), 5);
        }
        vm.prank(owner);
        registry.registerBatch(batch);
        uint256 used = vm.snapshotGasLastCall(GROUP, "registerBatch10");
        vm.snapshotValue(GROUP, "registerBatch10PerBlob", used / batch.length);
    }

    function test_gas__certify7() public {
        formCommittee(10, 4);
        uint256 blobObject = register("measured");
        uint256 signers = bitmap(0, 7);
        bytes memory signatures = attestations(blobObject, signers);
        registry.certify(blobObject, signers, signatures);
        vm.snapshotGasLastCall(GROUP, "certify7");
    }

    function test_gas__certify21() public {
        formCommittee(30, 4);
        uint256 blobObject = register("measured");
        uint256 signers = bitmap(0, 21);
        bytes memory signatures = attestations(blobObject, signers);
        registry.certify(blobObject, signers, signatures);
        vm.snapshotGasLastCall(GROUP, "certify21");
    }

    function test_gas__extend() public {
        uint256 blobObject = register("measured");
        vm.prank(owner);
        registry.extend(blobObject, 2);
        vm.snapshotGasLastCall(GROUP, "extend");
    }

    function test_gas__deleteBlob() public {
        uint256 blobObject = register("measured");
        uint256 other = register("deleted before");
        vm.prank(owner);
        registry.deleteBlob(other);
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        vm.snapshotGasLastCall(GROUP, "deleteBlob");
    }

    function test_gas__transfer() public {
        uint256 blobObject = register("measured");
        vm.prank(owner);
        registry.transferFrom(owner, receiver, blobObject);
        vm.snapshotGasLastCall(GROUP, "transfer");
    }

    function test_gas__registerNode() public {
        Account memory signer = signerAccount(0);
        bytes memory key = abi.encode(signer.addr);
        bytes memory proof = nodeKeysProof(signer, owner, key);
        INodeRegistry.NodeDetails memory details =
            INodeRegistry.NodeDetails("Node 0", "http://node-0.example:9000", "region-0", signer.addr, key);
        vm.prank(owner);
        nodeRegistry.register(details, proof);
        vm.snapshotGasLastCall(GROUP, "registerNode");
    }

    function test_gas__bond() public {
        NodeId nodeId = joinNode(0, 1);
        address operator = makeAddr("operator 0");
        giveTokens(operator, 1e18);
        vm.prank(operator);
        staking.bond(nodeId, Amount.wrap(1e18));
        vm.snapshotGasLastCall(GROUP, "bond");
    }

    function test_gas__form30Nodes30Shards() public {
        for (uint256 i = 0; i < 30; ++i) {
            joinNode(i, 4);
        }
        committee.form();
        vm.snapshotGasLastCall(GROUP, "form30Nodes30Shards");
    }

    function register(string memory name) private returns (uint256) {
        vm.prank(owner);
        return registry.register(registrationOf(name, 5));
    }

    function registrationOf(string memory name, uint32 epochs)
        private
        pure
        returns (IBlobRegistry.Registration memory registration)
    {
        registration = defaultRegistration();
        registration.blobId = blobId(name);
        registration.epochs = epochs;
    }
}
