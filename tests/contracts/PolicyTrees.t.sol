// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {PolicyAnswers} from "../../contracts/libraries/PolicyAnswers.sol";
import {OperandMock} from "../../contracts/mocks/OperandMock.sol";
import {KindsFixture} from "./support/KindsFixture.sol";

/// @title PolicyTreesTest
/// @notice Random trees of policies answer as an evaluator does that asks every operand and counts.
contract PolicyTreesTest is KindsFixture {
    enum Outcome {
        None,
        Denied,
        Allowed
    }

    /// @dev A policy, and what the naive evaluator says of it.
    struct Node {
        address policy;
        Outcome expected;
    }

    function test_tree__given_any__answers_as_the_naive_evaluator(uint256 seed) external {
        for (uint256 i = 0; i < 4; ++i) {
            Node memory tree = grow(uint256(keccak256(abi.encode(seed, i))), 3);
            assertEq(uint256(outcomeOf(tree.policy, requestOf(reader))), uint256(tree.expected));
        }
    }

    /// @dev A tree of at most `levels` combinators above one another.
    function grow(uint256 seed, uint256 levels) private returns (Node memory) {
        uint256 dice = draw(seed, "kind", levels == 0 ? 2 : 10);
        if (dice < 2) return leaf(seed);
        if (dice < 4) return negated(grow(uint256(keccak256(abi.encode(seed))), levels - 1));

        Node[] memory nodes = new Node[](1 + draw(seed, "count", 4));
        address[] memory operands = new address[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = grow(uint256(keccak256(abi.encode(seed, i))), levels - 1);
            operands[i] = nodes[i].policy;
        }
        uint256 k = 1 + draw(seed, "k", nodes.length);
        if (dice < 6) return Node(address(allOf(operands)), allOutcome(nodes));
        if (dice < 8) return Node(anyOf(operands), thresholdOutcome(nodes, 1));
        return Node(kOfN(uint8(k), operands), thresholdOutcome(nodes, k));
    }

    function leaf(uint256 seed) private returns (Node memory) {
        uint256 behaviour = draw(seed, "leaf", uint256(type(OperandMock.Behaviour).max) + 1);
        // More that answer than that fail.
        if (draw(seed, "answers", 2) == 0) behaviour = draw(seed, "allows", 2);
        Outcome expected = behaviour == 0 ? Outcome.Allowed : behaviour <= 2 ? Outcome.Denied : Outcome.None;
        return Node(address(mock(OperandMock.Behaviour(behaviour))), expected);
    }

    function negated(Node memory operand) private returns (Node memory) {
        Outcome expected = operand.expected;
        if (expected == Outcome.Allowed) expected = Outcome.Denied;
        else if (expected == Outcome.Denied) expected = Outcome.Allowed;
        return Node(not(operand.policy), expected);
    }

    /// @dev Allowed when the answers that are missing could not make it denied, denied when they could not make it allowed.
    function thresholdOutcome(Node[] memory nodes, uint256 k) private pure returns (Outcome) {
        if (count(nodes, Outcome.Allowed) >= k) return Outcome.Allowed;
        return nodes.length - count(nodes, Outcome.Denied) < k ? Outcome.Denied : Outcome.None;
    }

    function allOutcome(Node[] memory nodes) private pure returns (Outcome) {
        return thresholdOutcome(nodes, nodes.length);
    }

    function count(Node[] memory nodes, Outcome outcome) private pure returns (uint256 found) {
        for (uint256 i = 0; i < nodes.length; ++i) {
            if (nodes[i].expected == outcome) ++found;
        }
    }

    function outcomeOf(address policy, AccessRequest memory request) private view returns (Outcome) {
        (bool done, bytes memory answer) =
            policy.staticcall{gas: EVALUATION_GAS}(abi.encodeCall(IDataPolicy.evaluate, (request)));
        if (!done || answer.length != 96) return Outcome.None;
        (bytes32 word, uint256 ttl,) = abi.decode(answer, (bytes32, uint256, bytes32));
        if (ttl > type(uint32).max) return Outcome.None;
        if (word == PolicyAnswers.ALLOW) return Outcome.Allowed;
        return word == PolicyAnswers.DENY ? Outcome.Denied : Outcome.None;
    }

    /// @dev A number below `limit`; each purpose has draws of its own.
    function draw(uint256 seed, string memory purpose, uint256 limit) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, purpose))) % limit;
    }
}
