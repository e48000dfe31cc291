// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {INetworkLens} from "../../contracts/interfaces/INetworkLens.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {CommitteeFixture} from "./support/CommitteeFixture.sol";
import {vm} from "./support/Vm.sol";

contract NetworkLensTest is CommitteeFixture {
    address private owner;
    address private other;

    function setUp() public {
        Parameters memory parameters = defaultParameters();
        parameters.shards = 25;
        deploySystem(parameters);
        owner = makeAddr("owner");
        other = makeAddr("other");
        giveTokens(owner, 1e24);
        giveTokens(other, 1e24);
    }

    function test_network__given_a_fresh_deployment__shows_parameters() external view {
        INetworkLens.NetworkView memory network = lens.network();
        assertEq(network.shards, 25);
        assertEq(network.faults, 8);
        assertEq(Epoch.unwrap(network.committeeEpoch), 0);
        assertEq(Epoch.unwrap(network.currentEpoch), 1);
        assertEq(Timestamp.unwrap(network.epochStart), vm.getBlockTimestamp());
        assertEq(network.epochSeconds, 1 days);
        assertEq(network.unitBytes, 64 * 1024);
        assertEq(Amount.unwrap(network.unitPrice), 1000);
        assertEq(Amount.unwrap(network.writeFee), 77);
        assertEq(network.maximumEpochs, 50);
        assertEq(Amount.unwrap(network.minimumStake), 1e18);
        assertEq(Amount.unwrap(network.totalStake), 0);
        assertEq(network.unbondingEpochs, 7);
        assertEq(network.maximumCommissionBps, 5000);
        assertEq(Epoch.unwrap(network.selectedEpoch), 0);
        assertEq(network.pendingShards, 0);
        assertEq(network.nodes, 0);
        assertEq(network.objects, 0);
    }

    function test_network__given_nodes_blobs_and_time__shows_them() external {
        warpTo(3);
        formCommittee(10, 4);
        register(owner, "a");
        warpTo(5);
        INetworkLens.NetworkView memory network = lens.network();
        assertEq(Epoch.unwrap(network.committeeEpoch), 3);
        assertEq(Epoch.unwrap(network.currentEpoch), 5);
        assertEq(Timestamp.unwrap(network.epochStart), vm.getBlockTimestamp());
        assertEq(Amount.unwrap(network.totalStake), 1000e18);
        assertEq(network.nodes, 10);
        assertEq(network.objects, 1);
    }

    function test_nodes__given_members_and_others__shows_stakes_and_shards() external {
        formCommittee(4, 4);
        NodeId late = joinNode(4, 4);
        INetworkLens.NodeView[] memory nodes = lens.nodes(1, 5);
        assertEq(nodes.length, 5);
        assertEq(abi.encode(nodes[4]), abi.encode(lens.nodes(5, 1)[0]));
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(nodes[i].serving);
            assertEq(nodes[i].shards.length, committee.weightOf(nodes[i].nodeId));
        }
        assertEq(NodeId.unwrap(nodes[4].nodeId), NodeId.unwrap(late));
        assertEq(nodes[4].name, "Node 4");
        assertEq(nodes[4].url, "http://node-4.example:9000");
        assertEq(nodes[4].region, "region-0");
        assertEq(nodes[4].operator, makeAddr("operator 4"));
        assertEq(nodes[4].signer, signerAccount(4).addr);
        assertEq(nodes[4].encryptionKey, abi.encode(signerAccount(4).addr));
        // Deposited after the committee took office: it does not count yet.
        assertEq(Amount.unwrap(nodes[4].stake), 0);
        assertEq(Amount.unwrap(nodes[4].waiting), 100e18);
        assertEq(Amount.unwrap(nodes[4].ownStake), 100e18);
        assertTrue(nodes[4].candidate);
        assertFalse(nodes[4].serving);
        assertEq(nodes[4].shards.length, 0);
    }

    function test_nodes__given_any_range__shows_those_that_exist(uint32 first, uint32 count) external {
        formCommittee(4, 4);
        if (first % 2 == 0) first = first % 8;
        if (count % 2 == 0) count = count % 8;
        INetworkLens.NodeView[] memory nodes = lens.nodes(first, count);
        uint256 begin = first == 0 ? 1 : first;
        uint256 end = begin + count < 5 ? begin + count : 5;
        assertEq(nodes.length, begin < end ? end - begin : 0);
        for (uint256 i = 0; i < nodes.length; ++i) {
            assertEq(NodeId.unwrap(nodes[i].nodeId), begin + i);
        }
    }

    function test_nodes__given_stake_that_moves_and_a_miss__shows_it() external {
        formCommittee(4, 4);
        address operator = operatorAt(0);
        vm.startPrank(operator);
        staking.undelegate(nodeAt(0), Amount.wrap(30e18));
        staking.setCommission(nodeAt(0), 700);
        vm.stopPrank();
        vm.prank(address(custody));
        staking.slash(nodeAt(0), 1000, 0, other, Epoch.wrap(9));
        INetworkLens.NodeView memory node = lens.nodes(1, 1)[0];
        assertEq(Amount.unwrap(node.stake), 63e18);
        assertEq(Amount.unwrap(node.ownStake), 63e18);
        assertEq(Amount.unwrap(node.unbonding), 27e18);
        assertEq(Amount.unwrap(node.waiting), 0);
        assertEq(Amount.unwrap(node.commission), 0);
        assertEq(node.commissionBps, 0);
        assertEq(node.nextCommissionBps, 700);
        assertEq(Epoch.unwrap(node.nextCommissionFrom), 3);
        assertEq(Epoch.unwrap(node.jailedUntil), 9);
        assertTrue(node.candidate);
        assertEq(node.misses, 0);
        assertEq(Epoch.unwrap(node.lastMiss), 0);
    }

    function test_nodes__given_a_missed_proof__shows_how_many_in_a_row() external {
        formCommittee(4, 4);
        register(owner, "a");
        registry.certify(1, bitmap(0, 4), attestations(1, bitmap(0, 4)));
        skip(6 hours);
        custody.openWindow();
        randomness.draw(bytes32(uint256(1)));
        custody.captureSeed(Epoch.wrap(1));
        skip(12 hours);
        custody.reportMiss(Epoch.wrap(1), nodeAt(2));
        INetworkLens.NodeView memory node = lens.nodes(3, 1)[0];
        assertEq(node.misses, 1);
        assertEq(Epoch.unwrap(node.lastMiss), 1);
        assertEq(Amount.unwrap(node.stake), 99e18);
    }

    function test_committee__given_a_committee__shows_each_shard_once() external {
        formCommittee(7, 4);
        INetworkLens.NodeView[] memory members = lens.committee();
        assertEq(members.length, 7);
        uint256 seen = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            assertTrue(members[i].serving);
            for (uint256 j = 0; j < members[i].shards.length; ++j) {
                uint16 shard = members[i].shards[j];
                assertEq(seen >> shard & 1, 0);
                seen |= 1 << shard;
                assertEq(NodeId.unwrap(committee.ownerOfShard(shard)), NodeId.unwrap(members[i].nodeId));
            }
        }
        assertEq(seen, bitmap(0, 25));
    }

    function test_committee__given_no_committee__is_empty() external view {
        assertEq(lens.committee().length, 0);
    }

    function test_committee__given_a_rotated_key__shows_the_one_that_must_sign() external {
        formCommittee(4, 4);
        Account memory fresh = makeAccount("fresh");
        address operator = makeAddr("operator 0");
        bytes memory proof = nodeKeysProof(fresh, operator, abi.encode(fresh.addr));
        vm.prank(operator);
        nodeRegistry.rotateKeys(NodeId.wrap(1), fresh.addr, abi.encode(fresh.addr), proof);
        assertEq(lens.nodes(1, 1)[0].signer, fresh.addr);
        assertEq(lens.committee()[0].signer, signerAccount(0).addr);
        committee.refreshSigner(0);
        assertEq(lens.committee()[0].signer, fresh.addr);
    }

    function test_change__given_no_change__is_empty() external {
        formCommittee(4, 4);
        INetworkLens.ChangeView memory change = lens.change();
        assertEq(Epoch.unwrap(change.epoch), 1);
        assertEq(Epoch.unwrap(change.previousEpoch), 0);
        assertEq(change.pending, 0);
        assertEq(change.former.length, 0);
    }

    function test_change__given_shards_on_their_way__shows_who_served_them() external {
        formCommittee(4, 4);
        unstake(0, ALL);
        selectFor(2);
        assertEq(Epoch.unwrap(lens.network().selectedEpoch), 2);
        warpTo(2);
        committee.advanceEpoch();

        INetworkLens.ChangeView memory change = lens.change();
        assertEq(Epoch.unwrap(change.epoch), 2);
        assertEq(Epoch.unwrap(change.previousEpoch), 1);
        assertEq(change.pending, committee.pendingShards());
        assertEq(lens.network().pendingShards, change.pending);
        assertEq(change.former.length, 4);
        uint256 seen = 0;
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(NodeId.unwrap(change.former[i].nodeId), i + 1);
            assertTrue(change.former[i].serving);
            for (uint256 j = 0; j < change.former[i].shards.length; ++j) {
                seen |= 1 << change.former[i].shards[j];
            }
        }
        assertEq(seen, bitmap(0, 25));
        // All shards of the first node had to move.
        (, uint256 shards) = committee.seatOf(Epoch.wrap(1), nodeAt(0));
        assertEq(change.former[0].shards.length, count(shards));
        assertEq(change.pending & shards, shards);
        assertFalse(lens.nodes(1, 1)[0].serving);

        syncAll();
        assertEq(lens.change().former.length, 0);
    }

    function test_delegationsOf__given_pools_with_and_without_stake__shows_those_with() external {
        formCommittee(4, 4);
        assertEq(lens.delegationsOf(owner, 1, 10).length, 0);
        vm.startPrank(owner);
        staking.delegate(nodeAt(1), Amount.wrap(5e18));
        staking.delegate(nodeAt(3), Amount.wrap(6e18));
        vm.stopPrank();
        INetworkLens.DelegationView[] memory views = lens.delegationsOf(owner, 1, 10);
        assertEq(views.length, 2);
        assertEq(NodeId.unwrap(views[0].nodeId), 2);
        assertEq(Amount.unwrap(views[0].delegation.waiting), 5e18);
        assertEq(NodeId.unwrap(views[1].nodeId), 4);
        assertEq(Epoch.unwrap(views[1].delegation.waitingUntil), 2);
        assertEq(lens.delegationsOf(owner, 3, 1).length, 0);

        // What is on its way out is shown when nothing else is left.
        warpTo(2);
        vm.startPrank(owner);
        staking.undelegate(nodeAt(3), ALL);
        vm.stopPrank();
        views = lens.delegationsOf(owner, 3, 10);
        assertEq(views.length, 1);
        assertEq(views[0].unbonding.length, 1);
        assertEq(Amount.unwrap(views[0].unbonding[0].amount), 6e18);
        assertEq(views[0].delegation.shares, 0);
    }

    function test_blobs__given_ids__shows_them_in_order() external {
        register(owner, "a");
        register(other, "b");
        uint256[] memory ids = new uint256[](3);
        (ids[0], ids[1], ids[2]) = (2, 9, 1);
        IBlobRegistry.BlobObject[] memory found = lens.blobs(ids);
        assertEq(found.length, 3);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(abi.encode(found[i]), abi.encode(registry.blobOf(ids[i])));
        }
        assertEq(uint256(found[1].status), uint256(IBlobRegistry.Status.Unknown));
    }

    function test_blobsOf__given_any_page_size__shows_all_of_an_owner(uint256 page, uint256 owners) external {
        uint256 mine = 0;
        for (uint256 i = 0; i < 12; ++i) {
            bool isMine = owners >> i & 1 == 1;
            register(isMine ? owner : other, vm.toString(i));
            if (isMine) ++mine;
        }
        page = bound(page, 1, 15);
        uint256 seen = 0;
        uint256 last = 0;
        uint256 next = 1;
        while (next != 0) {
            IBlobRegistry.BlobObject[] memory found;
            (found, next) = lens.blobsOf(owner, next, page);
            for (uint256 i = 0; i < found.length; ++i) {
                assertEq(found[i].owner, owner);
                assertGt(found[i].id, last);
                last = found[i].id;
            }
            seen += found.length;
        }
        assertEq(seen, mine);
    }

    function test_blobsOf__given_a_page_beyond_all_objects__ends(uint256 first, uint256 count) external {
        register(owner, "a");
        (IBlobRegistry.BlobObject[] memory found, uint256 next) =
            lens.blobsOf(owner, bound(first, 2, type(uint256).max), count);
        assertEq(found.length, 0);
        assertEq(next, 0);
    }

    function test_blobsOf__given_no_count__stays_where_it_is() external {
        register(owner, "a");
        (IBlobRegistry.BlobObject[] memory found, uint256 next) = lens.blobsOf(owner, 1, 0);
        assertEq(found.length, 0);
        assertEq(next, 1);
    }

    function register(address who, string memory name) private {
        IBlobRegistry.Registration memory registration = defaultRegistration();
        registration.blobId = blobId(name);
        vm.prank(who);
        registry.register(registration);
    }
}
