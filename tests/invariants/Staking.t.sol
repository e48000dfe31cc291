// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Staking} from "../../contracts/staking/Staking.sol";
import {WAL} from "../../contracts/token/WAL.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {TokenVault} from "../../contracts/vault/TokenVault.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {StakingFixture} from "../contracts/support/StakingFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @notice Lets six accounts stake at three nodes, two of which serve and earn, while epochs pass and nodes are slashed.
/// @dev Rewards are those of real registrations and real windows, which ask for nothing. Calls that must fail are made too,
/// and noted when they succeed; nothing else reverts.
contract StakingHandler is StakingFixture {
    uint32 public constant NODES = 3;
    /// @dev Never a candidate, so it never earns: what somebody has there can only fall.
    uint32 public constant IDLE = 3;

    address[] public accounts;

    /// @dev The ghost ledger.
    mapping(uint32 id => uint256) public deposited;
    mapping(uint32 id => uint256) public earned;
    mapping(uint32 id => uint256) public slashed;
    mapping(uint32 id => uint256) public paid;
    mapping(address account => uint256) public idleDeposits;
    mapping(address account => uint256) public idlePaid;
    mapping(uint32 id => Epoch) private _earnedUntil;
    uint256 public burned;
    uint256 public bounties;
    uint256 public operations;
    mapping(string action => uint256) public done;

    bool public slashedTooMuch;
    bool public activatedOtherwise;
    bool public leftTooEarly;
    bool public leftBelowMinimum;

    constructor() {
        vm.warp(1_800_000_000);
        setUp();
        accounts = [alice, bob, makeAddr("carol"), operator, makeAddr("operator 1"), makeAddr("operator 2")];
        giveTokens(accounts[2], 1_000_000e18);
        giveTokens(accounts[4], 1_000_000e18);
        giveTokens(accounts[5], 1_000_000e18);
        registerOnly("idle", accounts[5]);
        for (uint32 id = 1; id <= 2; id++) {
            deposited[id] = OWN;
        }
        committee.form();
        for (uint32 id = 1; id <= NODES; id++) {
            staking.settle(NodeId.wrap(id), 10);
            _earnedUntil[id] = committee.currentEpoch();
        }
    }

    function stake(uint256 who, uint256 node_, uint256 amount) external {
        (address account, uint32 id) = (_account(who), _node(node_));
        amount = amount % 4 == 0 ? bound(amount, 1, 1000) : bound(amount, 1, 1000e18);
        if (_isWornOut(id) || token.balanceOf(account) < amount) return;
        _settleFarBehind(id);
        vm.prank(account);
        staking.delegate(NodeId.wrap(id), Amount.wrap(uint128(amount)));
        deposited[id] += amount;
        if (id == IDLE) idleDeposits[account] += amount;
        _note(id, "stake");
    }

    function unstake(uint256 who, uint256 node_, uint256 amount) external {
        (address account, uint32 id) = (_account(who), _node(node_));
        _settleFarBehind(id);
        if (amount % 3 != 0) staking.settle(NodeId.wrap(id), 100);
        uint256 most = Amount.unwrap(staking.delegationOf(NodeId.wrap(id), account).active);
        uint256 asked = amount % 3 == 0 ? ALL : amount % 3 == 1 ? 1 : bound(amount, 1, most + 1);
        vm.prank(account);
        try staking.undelegate(NodeId.wrap(id), Amount.wrap(uint128(asked))) {
            _note(id, "unstake");
        } catch (bytes memory reason) {
            _expect(reason, [IStaking.Staking_ZeroAmount.selector, IStaking.Staking_StakeTooSmall.selector]);
            _book(id);
        }
    }

    function withdraw_(uint256 who, uint256 node_) external {
        (address account, uint32 id) = (_account(who), _node(node_));
        IStaking.Unbonding[] memory entries = staking.unbondingOf(NodeId.wrap(id), account);
        uint256 due;
        for (uint256 i = 0; i < entries.length; i++) {
            if (Epoch.unwrap(entries[i].release) <= currentEpoch()) due += Amount.unwrap(entries[i].amount) + 1;
        }
        bool bound_ = _isBound(account, id);
        vm.prank(account);
        try staking.withdrawUnbonded(NodeId.wrap(id)) returns (Amount amount) {
            if (Amount.unwrap(amount) > due || due == 0) leftTooEarly = true;
            if (bound_) leftBelowMinimum = true;
            _pay(account, id, amount);
            _note(id, "withdraw");
        } catch (bytes memory reason) {
            _expect(reason, [IStaking.Staking_NothingDue.selector, IStaking.Staking_NodeServing.selector]);
        }
    }

    function claimGain(uint256 who, uint256 node_) external {
        (address account, uint32 id) = (_account(who), _node(node_));
        _settleFarBehind(id);
        vm.prank(account);
        try staking.claimRewards(NodeId.wrap(id)) returns (Amount amount) {
            if (_isBound(account, id)) leftBelowMinimum = true;
            _pay(account, id, amount);
            _note(id, "claim");
        } catch (bytes memory reason) {
            _expect(reason, [IStaking.Staking_NothingEarned.selector, IStaking.Staking_NodeServing.selector]);
        }
    }

    function takeCommission(uint256 node_) external {
        uint32 id = _node(node_);
        address account = nodeRegistry.operatorOf(NodeId.wrap(id));
        _settleFarBehind(id);
        vm.prank(account);
        try staking.claimCommission(NodeId.wrap(id)) returns (Amount amount) {
            _pay(account, id, amount);
            _note(id, "commission");
        } catch (bytes memory reason) {
            _expect(reason, [IStaking.Staking_NothingEarned.selector, bytes4(0)]);
        }
    }

    function changeCommission(uint256 node_, uint256 bps) external {
        uint32 id = _node(node_);
        _settleFarBehind(id);
        vm.prank(nodeRegistry.operatorOf(NodeId.wrap(id)));
        staking.setCommission(NodeId.wrap(id), uint16(bound(bps, 0, 5000)));
        _note(id, "setCommission");
    }

    function punish(uint256 node_, uint256 bps, uint256 bountyBps, uint256 jail) external {
        uint32 id = _node(node_);
        _settleFarBehind(id);
        staking.settle(NodeId.wrap(id), 100);
        bps = bps % 16 == 0 ? 5000 : bound(bps, 0, 200);
        bountyBps = bound(bountyBps, 0, 5000);
        IStaking.Pool memory before = staking.poolOf(NodeId.wrap(id));
        uint256 most = Amount.unwrap(before.active) * bps / 10_000 + Amount.unwrap(before.unbonding) * bps / 10_000;
        Epoch until = Epoch.wrap(jail % 2 == 1 ? currentEpoch() + 2 : 0);
        vm.prank(address(custody));
        Amount amount = staking.slash(NodeId.wrap(id), uint16(bps), uint16(bountyBps), address(this), until);
        uint256 taken = Amount.unwrap(amount);
        if (taken != most) slashedTooMuch = true;
        slashed[id] += taken;
        uint256 own = uint256(Amount.unwrap(staking.minimumStake())) * bps / 10_000;
        uint256 bounty = (own < taken ? own : taken) * bountyBps / 10_000;
        bounties += bounty;
        burned += taken - bounty;
        _note(id, "slash");
    }

    /// @dev To the cut, or to the next epoch. What {Staking-stakeAt} said of it before is what becomes active, with rewards.
    function pass(uint256 node_) external {
        uint256 cut = startOf(currentEpoch()) + 12 hours;
        if (vm.getBlockTimestamp() < cut) {
            vm.warp(cut);
            return;
        }
        uint32 id = _node(node_);
        staking.settle(NodeId.wrap(id), 100);
        Epoch over = committee.currentEpoch();
        uint256 expected = Amount.unwrap(staking.stakeAt(NodeId.wrap(id), over.plus(1)));
        uint256 kept = Amount.unwrap(staking.poolOf(NodeId.wrap(id)).commission);
        nextEpoch();
        expected += Amount.unwrap(rewards.rewardOf(NodeId.wrap(id), over));
        staking.settle(NodeId.wrap(id), 1);
        IStaking.Pool memory now_ = staking.poolOf(NodeId.wrap(id));
        if (Amount.unwrap(now_.active + now_.commission) != expected + kept) activatedOtherwise = true;
        _note(id, "pass");
    }

    function work(uint256 registrations) external {
        if (vm.getBlockTimestamp() >= startOf(currentEpoch()) + 12 hours || custody.isOpen()) return;
        register(bound(registrations, 0, 3));
        openWindow();
        done["work"]++;
    }

    function settle(uint256 node_, uint256 steps) external {
        uint32 id = _node(node_);
        staking.settle(NodeId.wrap(id), uint32(bound(steps, 0, 3)));
        _note(id, "settle");
    }

    function burnRest(uint256 maximum) external {
        uint256 before = Amount.unwrap(vault.reserveOf(address(fees)));
        rewards.burnUnearned(uint32(bound(maximum, 0, 3)));
        burned += before - Amount.unwrap(vault.reserveOf(address(fees)));
        done["burnRest"]++;
    }

    function candidacy(uint256 node_) external {
        NodeId id = NodeId.wrap(_node(node_) % 2 + 1);
        IStaking.Pool memory now_ = staking.poolOf(id);
        if (Epoch.unwrap(now_.jailedUntil) != 0 && now_.jailedUntil <= committee.currentEpoch()) {
            vm.prank(nodeRegistry.operatorOf(id));
            staking.unjail(id);
            done["unjail"]++;
        }
        try staking.stand(id) {
            done["stand"]++;
        } catch {
            staking.dismiss(id);
            done["dismiss"]++;
        }
    }

    function changeOperator(uint256 node_, uint256 who) external {
        (address account, NodeId id) = (_account(who), NodeId.wrap(_node(node_)));
        vm.prank(nodeRegistry.operatorOf(id));
        nodeRegistry.transferOperator(id, account);
        vm.prank(account);
        nodeRegistry.acceptOperator(id);
        done["changeOperator"]++;
    }

    function cashOut(uint256 who) external {
        address account = _account(who);
        Amount amount = vault.claimOf(account);
        vm.prank(account);
        vault.withdraw(amount, account);
        done["cashOut"]++;
    }

    function accountCount() external view returns (uint256) {
        return accounts.length;
    }

    function partners() external view returns (Staking, TokenVault, WAL, address, address) {
        return (staking, vault, token, address(fees), owner);
    }

    function _pay(address account, uint32 id, Amount amount) private {
        paid[id] += Amount.unwrap(amount);
        if (id == IDLE) idlePaid[account] += Amount.unwrap(amount);
    }

    function _note(uint32 id, string memory action) private {
        done[action]++;
        operations++;
        _book(id);
    }

    /// @dev Counts what a node earned in all epochs that its pool brought in.
    function _book(uint32 id) private {
        Epoch settled = staking.poolOf(NodeId.wrap(id)).settled;
        for (Epoch epoch = _earnedUntil[id]; epoch < settled; epoch = epoch.plus(1)) {
            earned[id] += Amount.unwrap(rewards.rewardOf(NodeId.wrap(id), epoch));
        }
        _earnedUntil[id] = settled;
    }

    /// @dev Most calls settle 32 epochs at most.
    function _settleFarBehind(uint32 id) private {
        if (Epoch.unwrap(staking.poolOf(NodeId.wrap(id)).settled) + 20 < currentEpoch()) {
            staking.settle(NodeId.wrap(id), 100);
            _book(id);
        }
    }

    function _isWornOut(uint32 id) private view returns (bool) {
        IStaking.Pool memory now_ = staking.poolOf(NodeId.wrap(id));
        return _isWornOut(now_.active, now_.shares) || _isWornOut(now_.unbonding, now_.unbondingShares);
    }

    function _isWornOut(Amount total, uint128 shares) private pure returns (bool) {
        uint128 units = Amount.unwrap(total);
        return shares != 0 && (units <= shares >> 20 || units >> 30 >= shares);
    }

    /// @dev Whether somebody operates a node that serves, with less than the minimum.
    function _isBound(address account, uint32 id) private view returns (bool) {
        NodeId nodeId = NodeId.wrap(id);
        return account == nodeRegistry.operatorOf(nodeId) && committee.weightOf(nodeId) != 0
            && Amount.unwrap(staking.ownStakeAt(nodeId, committee.currentEpoch())) < MINIMUM;
    }

    function _expect(bytes memory reason, bytes4[2] memory selectors) private pure {
        bytes4 selector = bytes4(reason);
        require(
            selector == selectors[0] || selector == selectors[1]
                || selector == IStaking.Staking_TooManyUnbondings.selector,
            "StakingHandler: reverted by accident"
        );
    }

    function _account(uint256 who) private view returns (address) {
        return accounts[who % accounts.length];
    }

    function _node(uint256 node_) private pure returns (uint32) {
        return uint32(node_ % NODES) + 1;
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract StakingInvariants is InvariantTest {
    StakingHandler private handler;
    Staking private staking;
    TokenVault private vault;
    WAL private token;
    address private fees;
    address private owner;

    function setUp() external {
        handler = new StakingHandler();
        (staking, vault, token, fees, owner) = handler.partners();
        targetContract(address(handler));
        targetSelector(address(handler), _actions());
    }

    function invariant_I1_the_reserve_of_staking_is_what_its_pools_hold() external view {
        uint256 sum;
        for (uint32 id = 1; id <= handler.NODES(); id++) {
            sum += _holdings(id);
        }
        assertEq(Amount.unwrap(vault.reserveOf(address(staking))), sum);
        assertEq(
            token.balanceOf(address(vault)),
            sum + Amount.unwrap(vault.reserveOf(fees)) + Amount.unwrap(vault.totalClaims())
        );
    }

    function invariant_I1_no_token_is_lost_or_made() external view {
        uint256 held = token.balanceOf(address(vault)) + token.balanceOf(address(handler)) + token.balanceOf(owner);
        for (uint256 i = 0; i < handler.accountCount(); i++) {
            held += token.balanceOf(handler.accounts(i));
        }
        assertEq(held, token.totalSupply());
        assertEq(token.totalSupply() + handler.burned(), 1_000_000_000e18);
        assertEq(Amount.unwrap(vault.claimOf(address(handler))), handler.bounties());
    }

    function invariant_I2_I10_what_a_pool_got_it_holds_paid_or_lost() external view {
        for (uint32 id = 1; id <= handler.NODES(); id++) {
            assertEq(_holdings(id) + handler.paid(id) + handler.slashed(id), handler.deposited(id) + handler.earned(id));
        }
    }

    function invariant_I2_accounts_have_no_more_than_their_pool() external view {
        for (uint32 id = 1; id <= handler.NODES(); id++) {
            IStaking.Pool memory pool = staking.poolOf(NodeId.wrap(id));
            uint256 active;
            uint256 shares;
            uint256 waiting;
            uint256 leaving;
            for (uint256 i = 0; i < handler.accountCount(); i++) {
                IStaking.Delegation memory each = staking.delegationOf(NodeId.wrap(id), handler.accounts(i));
                active += Amount.unwrap(each.active);
                shares += each.shares;
                waiting += Amount.unwrap(each.waiting);
                leaving += _leaving(id, handler.accounts(i));
            }
            assertLe(active, Amount.unwrap(pool.active));
            assertLe(shares, pool.shares);
            assertEq(waiting, Amount.unwrap(pool.waiting));
            assertLe(leaving, Amount.unwrap(pool.unbonding));
            assertLe(Amount.unwrap(pool.unbonding), pool.unbondingShares);
            assertTrue(pool.shares == 0 ? pool.active.isZero() : !pool.active.isZero());
        }
    }

    /// @dev But for the units that roundings leave to others, one an action at most.
    function invariant_I2_where_nothing_is_earned_nobody_gains() external view {
        uint32 idle = handler.IDLE();
        assertEq(handler.earned(idle), 0);
        for (uint256 i = 0; i < handler.accountCount(); i++) {
            address account = handler.accounts(i);
            IStaking.Delegation memory each = staking.delegationOf(NodeId.wrap(idle), account);
            uint256 has = Amount.unwrap(each.active + each.waiting) + _leaving(idle, account);
            assertLe(has + handler.idlePaid(account), handler.idleDeposits(account) + handler.operations());
        }
    }

    function invariant_I7_a_slash_takes_its_share_of_the_stake_and_no_more() external view {
        assertFalse(handler.slashedTooMuch());
    }

    function invariant_stakeAt_is_what_becomes_active() external view {
        assertFalse(handler.activatedOtherwise());
    }

    function invariant_nothing_leaves_before_its_release() external view {
        assertFalse(handler.leftTooEarly());
    }

    function invariant_operators_of_serving_nodes_keep_the_minimum() external view {
        assertFalse(handler.leftBelowMinimum());
    }

    /// @dev The handlers do something.
    function test_handler__after_many_calls__reached_every_kind() external {
        bytes4[] memory actions = _actions();
        for (uint256 i = 0; i < 1500; i++) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            bytes memory call =
                abi.encodeWithSelector(actions[dice % actions.length], dice >> 8, dice >> 40, dice >> 80, i);
            (bool fine,) = address(handler).call(call);
            assertTrue(fine);
        }
        string[15] memory kinds = [
            "stake",
            "unstake",
            "withdraw",
            "claim",
            "commission",
            "setCommission",
            "slash",
            "pass",
            "work",
            "settle",
            "burnRest",
            "unjail",
            "stand",
            "changeOperator",
            "cashOut"
        ];
        for (uint256 i = 0; i < kinds.length; i++) {
            assertGt(handler.done(kinds[i]), 3, kinds[i]);
        }
        assertGt(handler.earned(1), 0);
        assertGt(handler.burned(), 0);
    }

    function _actions() private pure returns (bytes4[] memory actions) {
        actions = new bytes4[](14);
        actions[0] = StakingHandler.stake.selector;
        actions[1] = StakingHandler.unstake.selector;
        actions[2] = StakingHandler.withdraw_.selector;
        actions[3] = StakingHandler.claimGain.selector;
        actions[4] = StakingHandler.takeCommission.selector;
        actions[5] = StakingHandler.changeCommission.selector;
        actions[6] = StakingHandler.punish.selector;
        actions[7] = StakingHandler.pass.selector;
        actions[8] = StakingHandler.work.selector;
        actions[9] = StakingHandler.settle.selector;
        actions[10] = StakingHandler.burnRest.selector;
        actions[11] = StakingHandler.candidacy.selector;
        actions[12] = StakingHandler.changeOperator.selector;
        actions[13] = StakingHandler.cashOut.selector;
    }

    function _holdings(uint32 id) private view returns (uint256) {
        IStaking.Pool memory pool = staking.poolOf(NodeId.wrap(id));
        return Amount.unwrap(pool.active + pool.waiting + pool.unbonding + pool.commission);
    }

    function _leaving(uint32 id, address account) private view returns (uint256 sum) {
        IStaking.Unbonding[] memory entries = staking.unbondingOf(NodeId.wrap(id), account);
        for (uint256 i = 0; i < entries.length; i++) {
            sum += Amount.unwrap(entries[i].amount);
        }
    }
}
