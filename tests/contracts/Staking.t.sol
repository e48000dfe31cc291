// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Staking} from "../../contracts/staking/Staking.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {System} from "./support/System.sol";
import {vm} from "./support/Vm.sol";

contract StakingTest is System {
    uint128 private constant BOND = 100e18;
    uint128 private constant MINIMUM = 1e18;

    NodeId private node;
    address private operator;
    address private stranger;

    function setUp() external {
        deploySystem(defaultParameters());
        node = joinNode(0, 1);
        operator = nodeRegistry.operatorOf(node);
        stranger = makeAddr("stranger");
        giveTokens(operator, 1000e18);
        giveTokens(stranger, 1000e18);
    }

    // constructor

    function test_constructor__when_minimum_stake_is_zero__reverts() external {
        vm.expectRevert(IStaking.Staking_ZeroMinimumStake.selector);
        new Staking(vault, nodeRegistry, committee, Amount.wrap(0));
    }

    // bond

    function test_bond__when_there_is_no_such_node__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, NodeId.wrap(2)));
        staking.bond(NodeId.wrap(2), Amount.wrap(1));
    }

    function test_bond__when_caller_is_not_operator__reverts() external {
        _expectNotOperator();
        _bond(stranger, 1);
    }

    function test_bond__when_amount_is_zero__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_ZeroAmount.selector, node));
        _bond(operator, 0);
    }

    function test_bond__when_operator_did_not_approve__reverts_and_bonds_nothing() external {
        vm.prank(operator);
        token.approve(address(vault), 0);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, 5));
        _bond(operator, 5);
        _assertBonded(BOND);
    }

    function test_bond__when_operator_approved__moves_tokens_into_the_reserve(uint128 amount) external {
        amount = uint128(bound(amount, 1, 1000e18));
        vm.expectEmit(address(staking));
        emit IStaking.Bonded(node, operator, Amount.wrap(amount), Amount.wrap(BOND + amount));
        _bond(operator, amount);
        _assertBonded(BOND + amount);
        assertEq(token.balanceOf(operator), 1000e18 - amount);
    }

    function test_bond__below_and_at_the_minimum__makes_a_candidate_once() external {
        _unbond(operator, BOND);
        assertEq(staking.candidates().length, 0);
        _bond(operator, MINIMUM - 1);
        assertEq(staking.candidates().length, 0);
        _bond(operator, 1);
        _bond(operator, 1);
        assertEq(staking.candidates().length, 1);
        assertEq(NodeId.unwrap(staking.candidates()[0]), NodeId.unwrap(node));
    }

    // unbond

    function test_unbond__when_caller_is_not_operator__reverts() external {
        _expectNotOperator();
        _unbond(stranger, 1);
    }

    function test_unbond__when_amount_is_zero__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_ZeroAmount.selector, node));
        _unbond(operator, 0);
    }

    function test_unbond__when_more_than_bonded__reverts() external {
        joinNode(1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IStaking.Staking_StakeTooSmall.selector, node, Amount.wrap(BOND + 1), Amount.wrap(BOND)
            )
        );
        _unbond(operator, BOND + 1);
    }

    function test_unbond__when_the_node_serves__reverts() external {
        committee.form();
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_NodeServing.selector, node, 10));
        _unbond(operator, 1);
    }

    function test_unbond__when_the_node_got_no_shard__gives_it_back() external {
        for (uint256 i = 1; i < 11; i++) {
            joinNode(i, 11);
        }
        // Eleven equal nodes for ten shards: the last one gets none.
        committee.form();
        NodeId last = NodeId.wrap(11);
        assertEq(committee.weightOf(last), 0);
        vm.prank(nodeRegistry.operatorOf(last));
        staking.unbond(last, Amount.wrap(BOND));
        assertEq(Amount.unwrap(staking.stakeOf(last)), 0);
    }

    function test_unbond__below_the_minimum__ends_the_candidacy() external {
        _unbond(operator, BOND - MINIMUM);
        assertEq(staking.candidates().length, 1);
        _unbond(operator, 1);
        assertEq(staking.candidates().length, 0);
    }

    function test_unbond__when_the_operator_changed__the_new_one_gets_it() external {
        vm.prank(operator);
        nodeRegistry.transferOperator(node, stranger);
        vm.prank(stranger);
        nodeRegistry.acceptOperator(node);
        _unbond(stranger, BOND);
        assertEq(Amount.unwrap(vault.claimOf(stranger)), BOND);
        assertEq(Amount.unwrap(vault.claimOf(operator)), 0);
    }

    function test_unbond__when_the_node_does_not_serve__becomes_a_claim(uint128 amount) external {
        amount = uint128(bound(amount, 1, BOND));
        vm.expectEmit(address(staking));
        emit IStaking.Unbonded(node, operator, Amount.wrap(amount), Amount.wrap(BOND - amount));
        _unbond(operator, amount);
        _assertBonded(BOND - amount);
        assertEq(Amount.unwrap(vault.claimOf(operator)), amount);

        vm.prank(operator);
        vault.withdraw(Amount.wrap(amount), operator);
        assertEq(token.balanceOf(operator), 1000e18 + amount);
    }

    // Helpers

    function _bond(address caller, uint128 amount) private {
        vm.prank(caller);
        staking.bond(node, Amount.wrap(amount));
    }

    function _unbond(address caller, uint128 amount) private {
        vm.prank(caller);
        staking.unbond(node, Amount.wrap(amount));
    }

    function _expectNotOperator() private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.Staking_CallerNotOperator.selector, node, operator, stranger));
    }

    function _assertBonded(uint256 stake) private view {
        assertEq(Amount.unwrap(staking.stakeOf(node)), stake);
        assertEq(Amount.unwrap(staking.totalStake()), stake);
        assertEq(Amount.unwrap(vault.reserveOf(address(staking))), stake);
    }
}
