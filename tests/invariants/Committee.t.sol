// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Committee} from "../../contracts/committee/Committee.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {NodeRegistry} from "../../contracts/staking/NodeRegistry.sol";
import {Staking} from "../../contracts/staking/Staking.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {TokenVault} from "../../contracts/vault/TokenVault.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {System} from "../contracts/support/System.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @notice Lets nodes join, bond, leave, move, change keys and hands, before and after the committee is formed.
/// @dev Calls that must fail are made too, and noted when they succeed; nothing else reverts.
contract CommitteeHandler is System {
    uint256 public constant MAXIMUM_NODES = 12;

    /// @dev The ghost ledger: what each node should have and who should speak for it.
    mapping(uint256 node => uint256) public stake;
    mapping(uint256 node => address) public signer;
    mapping(uint256 member => address) public seatSigner;
    mapping(bytes32 region => uint256) private _held;
    uint256 public nodes;
    uint256 public keys;
    uint256 public largestRegion;
    uint256 public regionsTakingPart;
    bytes public assignmentAtForm;
    bool public servingNodeUnbonded;
    bool public formedTwice;

    constructor() {
        vm.warp(1_800_000_000);
        deploySystem(defaultParameters());
        join(0);
    }

    function join(uint256 regions) public {
        if (nodes == MAXIMUM_NODES) return;
        joinNode(nodes, bound(regions, 1, 6));
        signer[nodes + 1] = signerAccount(nodes).addr;
        stake[nodes + 1] = 100e18;
        nodes++;
    }

    function bond(uint256 node, uint256 amount) external {
        node = _pick(node);
        amount = bound(amount, 1, 1_000_000e18);
        address operator = nodeRegistry.operatorOf(_id(node));
        giveTokens(operator, amount);
        vm.prank(operator);
        staking.bond(_id(node), Amount.wrap(uint128(amount)));
        stake[node] += amount;
    }

    function unbond(uint256 node, uint256 amount) external {
        node = _pick(node);
        if (stake[node] == 0) return;
        amount = bound(amount, 1, stake[node]);
        bool serving = committee.weightOf(_id(node)) != 0;
        vm.prank(nodeRegistry.operatorOf(_id(node)));
        if (!serving) {
            staking.unbond(_id(node), Amount.wrap(uint128(amount)));
            stake[node] -= amount;
        } else {
            try staking.unbond(_id(node), Amount.wrap(uint128(amount))) {
                servingNodeUnbonded = true;
            } catch {}
        }
    }

    function moveRegion(uint256 node, uint256 region) external {
        node = _pick(node);
        vm.prank(nodeRegistry.operatorOf(_id(node)));
        nodeRegistry.update(
            _id(node), "moved", "http://moved.example", string.concat("region-", vm.toString(region % 6))
        );
    }

    function rotate(uint256 node) external {
        node = _pick(node);
        Account memory fresh = makeAccount(string.concat("fresh ", vm.toString(keys++)));
        address operator = nodeRegistry.operatorOf(_id(node));
        bytes memory proof = nodeKeysProof(fresh, operator, abi.encode(fresh.addr));
        vm.prank(operator);
        nodeRegistry.rotateKeys(_id(node), fresh.addr, abi.encode(fresh.addr), proof);
        signer[node] = fresh.addr;
    }

    function handOver(uint256 node, uint256 to) external {
        node = _pick(node);
        address newOperator = makeAddr(string.concat("operator ", vm.toString(to % 20)));
        vm.prank(nodeRegistry.operatorOf(_id(node)));
        nodeRegistry.transferOperator(_id(node), newOperator);
        vm.prank(newOperator);
        nodeRegistry.acceptOperator(_id(node));
    }

    function refresh(uint256 member) external {
        ICommittee.Member[] memory members = committee.members();
        if (members.length == 0) return;
        member = member % members.length;
        committee.refreshSigner(member);
        seatSigner[member] = signer[NodeId.unwrap(members[member].nodeId)];
    }

    function wait_(uint256 duration) external {
        skip(bound(duration, 1, 10 days));
    }

    /// @dev Rare, so that much happens before it.
    function form(uint256 dice) external {
        if (committee.members().length != 0) {
            try committee.form() {
                formedTwice = true;
            } catch {}
            return;
        }
        if (dice % 8 != 0 || staking.candidates().length == 0) return;
        committee.form();
        assignmentAtForm = committee.assignment();
        _noteRegions();
        ICommittee.Member[] memory members = committee.members();
        for (uint256 i = 0; i < members.length; i++) {
            seatSigner[i] = members[i].signer;
        }
    }

    function theVault() external view returns (TokenVault) {
        return vault;
    }

    function theRegistry() external view returns (NodeRegistry) {
        return nodeRegistry;
    }

    function theStaking() external view returns (Staking) {
        return staking;
    }

    function theCommittee() external view returns (Committee) {
        return committee;
    }

    function _noteRegions() private {
        NodeId[] memory candidates = staking.candidates();
        bytes32[] memory seen = new bytes32[](candidates.length);
        for (uint256 i = 0; i < candidates.length; i++) {
            bytes32 region = nodeRegistry.regionOf(candidates[i]);
            uint256 spot = 0;
            while (spot < regionsTakingPart && seen[spot] != region) spot++;
            if (spot == regionsTakingPart) seen[regionsTakingPart++] = region;
            _held[region] += committee.weightOf(candidates[i]);
            if (_held[region] > largestRegion) largestRegion = _held[region];
        }
    }

    function _pick(uint256 node) private view returns (uint256) {
        return 1 + node % nodes;
    }

    function _id(uint256 node) private pure returns (NodeId) {
        return NodeId.wrap(uint32(node));
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract CommitteeInvariants is InvariantTest {
    CommitteeHandler private handler;
    TokenVault private vault;
    NodeRegistry private registry;
    Staking private staking;
    Committee private committee;

    function setUp() external {
        handler = new CommitteeHandler();
        vault = handler.theVault();
        registry = handler.theRegistry();
        staking = handler.theStaking();
        committee = handler.theCommittee();
        bytes4[] memory actions = new bytes4[](9);
        actions[0] = CommitteeHandler.join.selector;
        actions[1] = CommitteeHandler.bond.selector;
        actions[2] = CommitteeHandler.unbond.selector;
        actions[3] = CommitteeHandler.moveRegion.selector;
        actions[4] = CommitteeHandler.rotate.selector;
        actions[5] = CommitteeHandler.handOver.selector;
        actions[6] = CommitteeHandler.refresh.selector;
        actions[7] = CommitteeHandler.wait_.selector;
        actions[8] = CommitteeHandler.form.selector;
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    function invariant_I3_every_shard_belongs_to_exactly_one_member() external view {
        ICommittee.Member[] memory members = committee.members();
        bytes memory assignment = committee.assignment();
        uint256[] memory served = new uint256[](members.length);
        for (uint256 shard = 0; shard < assignment.length; shard++) {
            served[uint8(assignment[shard])]++;
        }
        uint256 total = 0;
        for (uint256 i = 0; i < members.length; i++) {
            assertGt(served[i], 0);
            assertEq(served[i], members[i].weight);
            assertEq(committee.weightOf(members[i].nodeId), members[i].weight);
            total += served[i];
        }
        assertEq(total, members.length == 0 ? 0 : committee.shards());
    }

    function invariant_I3_shards_stay_where_they_are() external view {
        assertEq(committee.assignment(), handler.assignmentAtForm());
        assertFalse(handler.formedTwice());
    }

    function invariant_I4_no_region_above_f_when_enough_took_part() external view {
        uint256 faults = committee.faults();
        if (handler.regionsTakingPart() * faults >= committee.shards()) assertLe(handler.largestRegion(), faults);
    }

    function invariant_I2_stake_is_what_was_bonded_and_lies_in_the_vault() external view {
        uint256 total = 0;
        for (uint32 node = 1; node <= handler.nodes(); node++) {
            assertEq(Amount.unwrap(staking.stakeOf(NodeId.wrap(node))), handler.stake(node));
            total += handler.stake(node);
        }
        assertEq(Amount.unwrap(staking.totalStake()), total);
        assertEq(Amount.unwrap(vault.reserveOf(address(staking))), total);
    }

    function invariant_candidates_are_exactly_those_with_the_minimum_stake() external view {
        uint256 expected = 0;
        for (uint32 node = 1; node <= handler.nodes(); node++) {
            if (handler.stake(node) >= Amount.unwrap(staking.minimumStake())) expected++;
        }
        NodeId[] memory candidates = staking.candidates();
        assertEq(candidates.length, expected);
        for (uint256 i = 0; i < candidates.length; i++) {
            assertGe(handler.stake(NodeId.unwrap(candidates[i])), Amount.unwrap(staking.minimumStake()));
            for (uint256 j = 0; j < i; j++) {
                assertNotEq(NodeId.unwrap(candidates[i]), NodeId.unwrap(candidates[j]));
            }
        }
    }

    function invariant_a_serving_node_keeps_its_bond() external view {
        assertFalse(handler.servingNodeUnbonded());
    }

    function invariant_keys_are_those_last_named() external view {
        for (uint32 node = 1; node <= handler.nodes(); node++) {
            assertEq(registry.signerOf(NodeId.wrap(node)), handler.signer(node));
            assertEq(NodeId.unwrap(registry.nodeOfSigner(handler.signer(node))), node);
        }
        ICommittee.Member[] memory members = committee.members();
        for (uint256 i = 0; i < members.length; i++) {
            assertEq(members[i].signer, handler.seatSigner(i));
        }
    }
}
