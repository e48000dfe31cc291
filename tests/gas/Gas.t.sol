// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {CommitteeFixture} from "../contracts/support/CommitteeFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title GasTest
/// @notice What whole transactions cost in the steady state: the payer approved the vault and holds objects, others have
/// registered in this epoch and pay until the same end; objects were certified before; committees changed before, so that
/// the seats of both sides are written. `make gas` compares the figures with the committed ones.
/// @dev Run with `isolate`, so that each call is a transaction of its own, with its base cost and calldata.
contract GasTest is CommitteeFixture {
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
        certify(7, "before");
        certify(7, "measured");
        vm.snapshotGasLastCall(GROUP, "certify7");
    }

    function test_gas__certify21() public {
        formCommittee(30, 4);
        certify(21, "before");
        certify(21, "measured");
        vm.snapshotGasLastCall(GROUP, "certify21");
    }

    function test_gas__extend() public {
        uint256 blobObject = register("measured");
        vm.prank(owner);
        registry.extend(blobObject, 2);
        vm.snapshotGasLastCall(GROUP, "extend");
    }

    function test_gas__extendAtAnotherPrice() public {
        uint256 blobObject = register("measured");
        Epoch next = Epoch.wrap(currentEpoch() + 1);
        vm.prank(address(prices));
        fees.setPrices(next, Amount.wrap(1500), Amount.wrap(77));
        warpTo(Epoch.unwrap(next));
        register("in this epoch");
        vm.prank(owner);
        registry.extend(blobObject, 2);
        vm.snapshotGasLastCall(GROUP, "extendAtAnotherPrice");
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

    function test_gas__deleteCertifiedBlob() public {
        formCommittee(10, 4);
        uint256 blobObject = certify(7, "measured");
        uint256 other = register("deleted before");
        vm.prank(owner);
        registry.deleteBlob(other);
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        vm.snapshotGasLastCall(GROUP, "deleteCertifiedBlob");
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

    function test_gas__form30Nodes30Shards() public {
        for (uint256 i = 0; i < 30; ++i) {
            joinNode(i, 4);
        }
        committee.form();
        vm.snapshotGasLastCall(GROUP, "form30Nodes30Shards");
    }

    function test_gas__turn30_kept() public {
        formCommittee(30, 7);
        runNetwork(30);
        warpToCut(5);
        committee.selectCommittee();
        vm.snapshotGasLastCall(GROUP, "selectCommittee30Kept");
        warpTo(6);
        committee.advanceEpoch();
        vm.snapshotGasLastCall(GROUP, "advanceEpoch30Kept");
    }

    function test_gas__turn30_changed() public {
        formCommittee(30, 7);
        runNetwork(30);
        measureTurn(30, "30");
        vm.prank(operatorAt(30));
        committee.epochSyncDone(nodeAt(30));
        vm.snapshotGasLastCall(GROUP, "epochSyncDone30");
    }

    /// @dev With these the spec says what larger committees cost.
    function test_gas__turn100x255_changed() public {
        measureLargeTurn(100, 7, "100x255");
    }

    /// @dev All places of candidates taken, each node in a region of its own: the dearest turn there can be.
    function test_gas__turn128x255_changed() public {
        measureLargeTurn(127, 127, "128x255");
    }

    function test_gas__tally30() public {
        formCommittee(30, 7);
        for (uint256 i = 0; i < 30; ++i) {
            vm.prank(operatorAt(i));
            prices.vote(nodeAt(i), Amount.wrap(uint128(900 + 7 * i % 30)), Amount.wrap(uint128(70 + 11 * i % 30)));
        }
        warpToCut(1);
        prices.tally();
        vm.prank(operatorAt(0));
        prices.vote(nodeAt(0), Amount.wrap(910), Amount.wrap(80));
        vm.snapshotGasLastCall(GROUP, "votePrices");
        for (uint256 i = 0; i < 30; ++i) {
            vm.prank(operatorAt(i));
            prices.vote(nodeAt(i), Amount.wrap(uint128(950 + 7 * i % 30)), Amount.wrap(uint128(80 + 11 * i % 30)));
        }
        warpToCut(2);
        prices.tally();
        vm.snapshotGasLastCall(GROUP, "tally30");
    }

    /// @dev A committee of `nodes` and one node more, which takes shards from others, leaves and comes back: the seats of
    /// both sides are written. The clock shows epoch 5.
    function runNetwork(uint256 nodes) private {
        joinNode(nodes, 7);
        deposit(nodes, 1);
        changeTo(2);
        syncAll();
        unstake(nodes, ALL);
        changeTo(3);
        syncAll();
        deposit(nodes, 100e18 + 1);
        changeTo(5);
        syncAll();
    }

    function measureLargeTurn(uint256 nodes, uint256 regions, string memory name) private {
        Parameters memory parameters = defaultParameters();
        parameters.shards = 255;
        deploySystem(parameters);
        formCommittee(nodes, regions);
        runNetwork(nodes);
        measureTurn(nodes, name);
    }

    /// @dev The last node leaves once more and comes back in epoch 7.
    function measureTurn(uint256 last, string memory name) private {
        unstake(last, ALL);
        changeTo(6);
        syncAll();
        deposit(last, 100e18 + 1);
        warpToCut(6);
        committee.selectCommittee();
        vm.snapshotGasLastCall(GROUP, string.concat("selectCommittee", name));
        warpTo(7);
        committee.advanceEpoch();
        vm.snapshotGasLastCall(GROUP, string.concat("advanceEpoch", name));
        assertEq(Epoch.unwrap(committee.epoch()), 7);
    }

    /// @dev By the first `members` members.
    function certify(uint256 members, string memory name) private returns (uint256 blobObject) {
        blobObject = register(name);
        uint256 signers = bitmap(0, members);
        bytes memory signatures = attestations(blobObject, signers);
        registry.certify(blobObject, signers, signatures);
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
