// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {IReceiptLog} from "../../contracts/interfaces/IReceiptLog.sol";
import {ReceiptLog} from "../../contracts/policies/ReceiptLog.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {BlobFixture} from "./support/BlobFixture.sol";
import {vm} from "./support/Vm.sol";

contract ReceiptLogTest is BlobFixture {
    NodeId private constant NODE = NodeId.wrap(1);
    bytes32 private constant ROOT = bytes32("root");

    ReceiptLog private log;
    address private signer;

    function setUp() public override {
        super.setUp();
        log = new ReceiptLog(nodeRegistry, committee);
        signer = signerAccount(0).addr;
        warpTo(3);
    }

    function test_anchor__when_the_node_is_unknown__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, 99));
        log.anchor(NodeId.wrap(99), Epoch.wrap(2), ROOT, 1);
    }

    function test_anchor__when_the_caller_is_not_the_nodes_signer__reverts() external {
        address another = signerAccount(1).addr;
        expectNotNode(another);
        vm.prank(another);
        log.anchor(NODE, Epoch.wrap(2), ROOT, 1);
        address operator = nodeRegistry.operatorOf(NODE);
        expectNotNode(operator);
        vm.prank(operator);
        log.anchor(NODE, Epoch.wrap(2), ROOT, 1);
    }

    function test_anchor__when_the_epoch_is_not_over__reverts() external {
        vm.startPrank(signer);
        vm.expectRevert(abi.encodeWithSelector(IReceiptLog.ReceiptLog_EpochNotOver.selector, 3, 3));
        log.anchor(NODE, Epoch.wrap(3), ROOT, 1);
        vm.expectRevert(abi.encodeWithSelector(IReceiptLog.ReceiptLog_EpochNotOver.selector, 4, 3));
        log.anchor(NODE, Epoch.wrap(4), ROOT, 1);
    }

    function test_anchor__when_there_is_nothing_to_anchor__reverts() external {
        vm.startPrank(signer);
        vm.expectRevert(IReceiptLog.ReceiptLog_NothingToAnchor.selector);
        log.anchor(NODE, Epoch.wrap(2), 0, 1);
        vm.expectRevert(IReceiptLog.ReceiptLog_NothingToAnchor.selector);
        log.anchor(NODE, Epoch.wrap(2), ROOT, 0);
    }

    function test_anchor__when_anchored_already__reverts() external {
        vm.startPrank(signer);
        log.anchor(NODE, Epoch.wrap(2), ROOT, 1);
        vm.expectRevert(abi.encodeWithSelector(IReceiptLog.ReceiptLog_AlreadyAnchored.selector, NODE, 2));
        log.anchor(NODE, Epoch.wrap(2), bytes32("another"), 2);
        assertEq(log.rootOf(NODE, Epoch.wrap(2)), ROOT);
    }

    function test_anchor__when_all_is_in_order__keeps_the_root_and_tells() external {
        vm.expectEmit(address(log));
        emit IReceiptLog.ReceiptsAnchored(NODE, Epoch.wrap(2), ROOT, 5);
        vm.startPrank(signer);
        log.anchor(NODE, Epoch.wrap(2), ROOT, 5);
        log.anchor(NODE, Epoch.wrap(1), bytes32("older"), 1);
        assertEq(log.rootOf(NODE, Epoch.wrap(2)), ROOT);
        assertEq(log.rootOf(NODE, Epoch.wrap(1)), bytes32("older"));
        assertEq(log.rootOf(NodeId.wrap(2), Epoch.wrap(2)), 0);
    }

    function test_attestDestruction__when_the_caller_is_not_the_nodes_signer__reverts() external {
        expectNotNode(stranger);
        vm.prank(stranger);
        log.attestDestruction(NODE, 7, bytes32("key"));
    }

    function test_attestDestruction__when_all_is_in_order__tells() external {
        vm.expectEmit(address(log));
        emit IReceiptLog.KeyDestroyed(NODE, 7, bytes32("key"));
        vm.prank(signer);
        log.attestDestruction(NODE, 7, bytes32("key"));
    }

    function expectNotNode(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IReceiptLog.ReceiptLog_CallerNotNode.selector, NODE, signer, caller));
    }
}
