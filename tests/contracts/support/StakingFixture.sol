// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IStaking} from "../../../contracts/interfaces/IStaking.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {Epoch} from "../../../contracts/types/Epoch.sol";
import {NodeId} from "../../../contracts/types/NodeId.sol";
import {Timestamp} from "../../../contracts/types/Timestamp.sol";
import {System} from "./System.sol";
import {vm} from "./Vm.sol";

/// @title StakingFixture
/// @notice The whole system with two nodes of five shards each, an owner who registers blobs, and two delegators.
/// @dev Storage costs nothing and a registration 100 WAL, so each one earns exactly {PART} for each shard of its epoch.
/// Nothing is certified, so a window asks for nothing, and all who serve pass it.
abstract contract StakingFixture is System {
    uint128 internal constant OWN = 100e18;
    uint128 internal constant MINIMUM = 1e18;
    uint128 internal constant ALL = type(uint128).max;
    /// @dev Nine tenths of 100 WAL, for each of ten shards.
    uint128 internal constant PART = 9e18;
    /// @dev What a node of five shards earns by a registration.
    uint128 internal constant REWARD = 45e18;
    uint32 internal constant UNBONDING = 7;

    NodeId internal node;
    NodeId internal otherNode;
    address internal operator;
    address internal alice;
    address internal bob;
    address internal owner;
    uint256 private _blobs;

    /// @notice Deploys all, with the nodes as candidates; {formed} puts them in office.
    function setUp() public virtual {
        deploySystem(stakingParameters());
        node = joinNode(0, 2);
        otherNode = joinNode(1, 2);
        operator = makeAddr("operator 0");
        alice = makeAddr("alice");
        bob = makeAddr("bob");
        owner = makeAddr("owner");
        giveTokens(operator, 1000e18);
        giveTokens(alice, 1_000_000e18);
        giveTokens(bob, 1_000_000e18);
        giveTokens(owner, 100_000_000e18);
    }

    function stakingParameters() internal pure virtual returns (Parameters memory parameters) {
        parameters = defaultParameters();
        parameters.unitPrice = Amount.wrap(0);
        parameters.writeFee = Amount.wrap(100e18);
    }

    /// @notice The nodes take office in epoch 1, and all they have counts; the clock is then at the beginning of epoch 2.
    function formed() internal {
        committee.form();
        warpTo(2);
        staking.settle(node, 2);
        staking.settle(otherNode, 2);
    }

    /// @notice A node without stake.
    function registerOnly(string memory name, address by) internal returns (NodeId) {
        Account memory signer = makeAccount(name);
        bytes memory key = abi.encode(signer.addr);
        bytes memory proof = nodeKeysProof(signer, by, key);
        vm.prank(by);
        return nodeRegistry.register(
            INodeRegistry.NodeDetails(name, "http://node.example", "region", signer.addr, key), proof
        );
    }

    /// @notice Lets the epoch earn by `registrations`, opens its window, and moves to the beginning of the next.
    function earn(uint256 registrations) internal {
        register(registrations);
        openWindow();
        nextEpoch();
    }

    function register(uint256 registrations) internal {
        for (uint256 i = 0; i < registrations; i++) {
            vm.prank(owner);
            registry.register(defaultRegistration());
        }
    }

    function openWindow() internal {
        vm.warp(startOf(currentEpoch()) + 6 hours);
        custody.openWindow();
    }

    function nextEpoch() internal {
        warpTo(currentEpoch() + 1);
    }

    /// @notice The epoch of the clock, when code under test read the clock before.
    function startOf(uint32 epoch) internal view returns (uint256) {
        return Timestamp.unwrap(committee.startOf(Epoch.wrap(epoch)));
    }

    function delegate(address who, uint128 amount) internal {
        vm.prank(who);
        staking.delegate(node, Amount.wrap(amount));
    }

    function undelegate(address who, uint128 amount) internal {
        vm.prank(who);
        staking.undelegate(node, Amount.wrap(amount));
    }

    function withdraw(address who) internal returns (uint256) {
        vm.prank(who);
        return Amount.unwrap(staking.withdrawUnbonded(node));
    }

    function claim(address who) internal returns (uint256) {
        vm.prank(who);
        return Amount.unwrap(staking.claimRewards(node));
    }

    /// @notice A slash as the custody contract orders it, for this test as the reporter.
    function slash(uint16 bps) internal returns (uint256) {
        return slash(bps, 0, 0);
    }

    function slash(uint16 bps, uint16 bountyBps, uint32 jailUntil) internal returns (uint256) {
        vm.prank(address(custody));
        return Amount.unwrap(staking.slash(node, bps, bountyBps, address(this), Epoch.wrap(jailUntil)));
    }

    /// @notice Gives the node another operator.
    function handOver(address to) internal {
        vm.prank(nodeRegistry.operatorOf(node));
        nodeRegistry.transferOperator(node, to);
        vm.prank(to);
        nodeRegistry.acceptOperator(node);
    }

    /// @notice Puts the committee in office of which the stakes are known by the cut of this epoch.
    function changeCommittee() internal {
        vm.warp(startOf(currentEpoch()) + 12 hours);
        committee.selectCommittee();
        nextEpoch();
        committee.advanceEpoch();
    }

    function pool() internal view returns (IStaking.Pool memory) {
        return staking.poolOf(node);
    }

    function delegation(address who) internal view returns (IStaking.Delegation memory) {
        return staking.delegationOf(node, who);
    }

    function worth(address who) internal view returns (uint256) {
        return Amount.unwrap(delegation(who).active);
    }

    function waiting(address who) internal view returns (uint256) {
        return Amount.unwrap(delegation(who).waiting);
    }

    function leaving(address who) internal view returns (uint256 sum) {
        IStaking.Unbonding[] memory found = staking.unbondingOf(node, who);
        for (uint256 i = 0; i < found.length; i++) {
            sum += Amount.unwrap(found[i].amount);
        }
    }

    function claimOf(address who) internal view returns (uint256) {
        return Amount.unwrap(vault.claimOf(who));
    }

    function stakeAt(uint32 epoch) internal view returns (uint256) {
        return Amount.unwrap(staking.stakeAt(node, Epoch.wrap(epoch)));
    }

    function ownStakeAt(uint32 epoch) internal view returns (uint256) {
        return Amount.unwrap(staking.ownStakeAt(node, Epoch.wrap(epoch)));
    }

    /// @dev Invariant I1 for Staking: its reserve is what its pools hold.
    function assertReserve() internal view {
        uint256 sum;
        for (uint32 id = 1; id <= nodeRegistry.nodeCount(); id++) {
            IStaking.Pool memory each = staking.poolOf(NodeId.wrap(id));
            sum += Amount.unwrap(each.active + each.waiting + each.unbonding + each.commission);
        }
        assertEq(Amount.unwrap(staking.totalStake()), sum);
        assertEq(Amount.unwrap(vault.reserveOf(address(staking))), sum);
    }
}
