// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IComputeJobs} from "../../contracts/interfaces/IComputeJobs.sol";
import {IJobTriggers} from "../../contracts/interfaces/IJobTriggers.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {ComputeFixture} from "../contracts/support/ComputeFixture.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @dev Requesters who order, and a trigger that does; draws, some of them lost; nodes that commit to one of three results, decline,
/// reveal, or are silent; anybody who settles and cancels. Beside the contract it keeps what every job was paid, and what each node of
/// its panel did.
contract ComputeHandler is ComputeFixture {
    uint256 private constant MAXIMUM_LIVE = 4;
    uint256 private constant NODES = 10;

    struct Ledger {
        address requester;
        uint256 fee;
        uint256 charged;
        uint8 replicas;
        uint8 ends;
    }

    /// @dev `result` of those who committed: 0 to 2.
    struct Deed {
        bool committed;
        bool revealed;
        bool declined;
        uint8 result;
    }

    uint256 public jobCount;
    mapping(uint256 job => Ledger) public ledgers;
    mapping(uint256 job => mapping(uint256 place => Deed)) public deeds;
    mapping(address account => uint256) public owed;
    uint256 public owedInAll;
    uint256 public toPools;
    uint256 public trigger;
    uint256 public triggerBalance;
    uint256 public stakeLost;
    uint256 public firstStake;
    uint256 public agreed;
    uint256 public disagreed;
    uint256 public cancelled;
    uint256 public lied;
    uint256 public absent;
    mapping(uint256 job => uint256 day) private drawnIn;
    mapping(NodeId node => mapping(uint256 day => bool)) private liedIn;
    uint256 public fired;
    uint256 private _freeObject;
    uint256[] private _live;

    constructor() {
        setUp();
        _freeObject = certified();
        IJobTriggers.Terms memory terms = termsOfTrigger(IJobTriggers.Kind.EveryEpochs);
        trigger = createTrigger(terms);
        triggerBalance = 10e18;
        firstStake = Amount.unwrap(staking.totalStake());
    }

    function order(uint8 replicas, uint64 fee, bool isFree) public {
        if (_live.length >= MAXIMUM_LIVE) return;
        IComputeJobs.Order memory wanted = orderOf(uint8(1 + 2 * (replicas % 4)));
        wanted.fee = Amount.wrap(fee);
        if (isFree) wanted.inputs = list(_freeObject);
        keep(request(wanted, isFree ? free() : chargesOf(1)), wanted, other, isFree);
    }

    function fire() public {
        IJobTriggers.Terms memory terms = termsOfTrigger(IJobTriggers.Kind.EveryEpochs);
        uint32 last = Epoch.unwrap(jobs.triggerOf(trigger).last);
        bool due = last == 0 || currentEpoch() >= last + 2;
        if (!due || triggerBalance < FEE + PRICE || _live.length >= MAXIMUM_LIVE) return;
        bytes memory requested = abi.encode(requestOf(owner, terms.order, chargesOf(1)));
        uint256 job = jobs.fire(trigger, terms, 0, new bytes[](1));
        requests[job] = requested;
        triggerBalance -= FEE + PRICE;
        ++fired;
        keep(job, terms.order, owner, false);
    }

    function fund(uint64 amount) external {
        amount = uint64(bound(amount, 1, 1e18));
        vm.prank(other);
        jobs.fundTrigger(trigger, Amount.wrap(amount));
        triggerBalance += amount;
    }

    function withdraw(uint64 amount) external {
        if (triggerBalance == 0) return;
        amount = uint64(bound(amount, 1, triggerBalance < 1e17 ? triggerBalance : 1e17));
        vm.prank(owner);
        jobs.withdrawTrigger(trigger, Amount.wrap(amount), owner);
        triggerBalance -= amount;
    }

    /// @dev Lets all tickets be drawn that wait; seldom, the randomness is lost.
    function randomise(bytes32 seed, uint8 chance) public {
        randomness.draw(chance % 16 == 0 ? bytes32(0) : keccak256(abi.encode(seed)));
    }

    function drawJob(uint256 which) public {
        (bool some, uint256 job) = chosen(which);
        if (!some || jobs.statusOf(job) != IComputeJobs.Status.Requested || !isDrawTime(job)) return;
        if (!randomness.isRevealed(requestOf(job).ticket)) return;
        jobs.draw(job, requestOf(job));
        drawnIn[job] = (vm.getBlockTimestamp() - Timestamp.unwrap(committee.startOf(Epoch.wrap(1)))) / 1 days;
    }

    /// @dev Mostly the first of three results.
    function commitTo(uint256 which, uint8 place, uint8 result) public {
        (bool some, uint256 job) = chosen(which);
        if (!some || jobs.statusOf(job) != IComputeJobs.Status.Committing) return;
        place %= ledgers[job].replicas;
        Deed storage deed = deeds[job][place];
        if (deed.committed || deed.declined) return;
        (deed.committed, deed.result) = (true, result % 8 < 6 ? 0 : result % 8 - 5);
        commit(job, place, resultOf(deed.result));
    }

    function declineJob(uint256 which, uint8 place, uint8 chance) public {
        (bool some, uint256 job) = chosen(which);
        if (!some || chance % 4 != 0 || jobs.statusOf(job) != IComputeJobs.Status.Committing) return;
        place %= ledgers[job].replicas;
        Deed storage deed = deeds[job][place];
        if (deed.committed || deed.declined) return;
        deed.declined = true;
        decline(job, place);
    }

    function revealResult(uint256 which, uint8 place) public {
        (bool some, uint256 job) = chosen(which);
        if (!some || jobs.statusOf(job) != IComputeJobs.Status.Revealing) return;
        place %= ledgers[job].replicas;
        Deed storage deed = deeds[job][place];
        if (!deed.committed || deed.revealed) return;
        deed.revealed = true;
        reveal(job, place, resultOf(deed.result));
    }

    function settleJob(uint256 which) public {
        (bool some, uint256 job) = chosen(which);
        if (!some || jobs.statusOf(job) != IComputeJobs.Status.Settleable) return;
        Ledger storage ledger = ledgers[job];
        NodeId[] memory nodes = jobs.jobOf(job).nodes;
        (uint256 majority, bool decided) = majorityOf(job);
        uint256 before = Amount.unwrap(staking.totalStake());
        uint256 innocent = innocentStake(job, nodes, majority, decided);

        IComputeJobs.Outcome memory outcome = settle(job);

        ++ledger.ends;
        forget(job);
        stakeLost += before - Amount.unwrap(staking.totalStake());
        assertEq(innocentStake(job, nodes, majority, decided), innocent, "an honest node was slashed");
        book(job, nodes, majority, decided, outcome);
        noteLies(job, nodes, outcome.lying);
    }

    function cancelJob(uint256 which) public {
        (bool some, uint256 job) = chosen(which);
        if (!some || jobs.statusOf(job) != IComputeJobs.Status.Requested || isDrawTime(job)) return;
        Ledger storage ledger = ledgers[job];
        jobs.cancel(job, requestOf(job));
        ++ledger.ends;
        ++cancelled;
        forget(job);
        owe(ledger.requester, ledger.fee + ledger.charged);
    }

    function wait(uint32 time, uint8 blocks) external {
        skip(bound(time, 1, 15 minutes));
        vm.roll(vm.getBlockNumber() + bound(blocks, 1, 12));
    }

    function waitLong(uint8 chance) external {
        if (chance % 8 == 0 && currentEpoch() < EPOCHS) skip(1 days);
    }

    // What the invariants look at.

    /// @notice What lies in the contract by the ledger.
    function escrow() external view returns (uint256 sum) {
        sum = triggerBalance;
        for (uint256 i = 0; i < _live.length; ++i) {
            sum += ledgers[_live[i]].fee + ledgers[_live[i]].charged;
        }
    }

    function reserves() external view returns (uint256 ofJobs, uint256 ofPools, uint256 inAll) {
        address[] memory modules = vault.modules();
        for (uint256 i = 0; i < modules.length; ++i) {
            inAll += Amount.unwrap(vault.reserveOf(modules[i]));
        }
        return (reserve(), Amount.unwrap(vault.reserveOf(address(revenuePools))), inAll);
    }

    function books() external view returns (uint256 held, uint256 claims, uint256 free, uint256 stake) {
        return (
            token.balanceOf(address(vault)),
            Amount.unwrap(vault.totalClaims()),
            Amount.unwrap(vault.free()),
            Amount.unwrap(staking.totalStake())
        );
    }

    function operators() external view returns (address[] memory found) {
        found = new address[](NODES);
        for (uint32 i = 0; i < NODES; ++i) {
            found[i] = nodeRegistry.operatorOf(NodeId.wrap(i + 1));
        }
    }

    function requesters() external view returns (address, address) {
        return (owner, other);
    }

    function claim(address account) external view returns (uint256) {
        return claimOf(account);
    }

    function isOver(uint256 job) external view returns (bool) {
        return jobs.statusOf(job) == IComputeJobs.Status.Over;
    }

    /// @dev The result that more than half of the places revealed, foreseen by the ledger.
    function majorityOf(uint256 job) private view returns (uint256 majority, bool decided) {
        uint256[3] memory counts;
        uint256 replicas = ledgers[job].replicas;
        for (uint256 place = 0; place < replicas; ++place) {
            if (deeds[job][place].revealed) ++counts[deeds[job][place].result];
        }
        for (majority = 0; majority < 3; ++majority) {
            if (2 * counts[majority] > replicas) return (majority, true);
        }
    }

    /// @dev Whether a node did not answer, or kept still though a result could have counted.
    function isAway(uint256 job, uint256 place) private view returns (bool) {
        Deed storage deed = deeds[job][place];
        if (deed.revealed || deed.declined) return false;
        uint256 declined = 0;
        for (uint256 i = 0; i < ledgers[job].replicas; ++i) {
            if (deeds[job][i].declined) ++declined;
        }
        return !deed.committed || 2 * declined < ledgers[job].replicas;
    }

    /// @dev The stake of the nodes of a panel that are not to be slashed: who lied did so before for a job of the same epoch of draw,
    /// the others neither lied nor were away.
    function innocentStake(uint256 job, NodeId[] memory nodes, uint256 majority, bool decided)
        private
        view
        returns (uint256 sum)
    {
        for (uint256 place = 0; place < nodes.length; ++place) {
            Deed storage deed = deeds[job][place];
            bool liar = decided && deed.revealed && deed.result != majority;
            if (liar ? liedIn[nodes[place]][drawnIn[job]] : !isAway(job, place)) sum += stakeOf(nodes[place]);
        }
    }

    /// @dev Compares what a job did with what it should have, and keeps it.
    function book(
        uint256 job,
        NodeId[] memory nodes,
        uint256 majority,
        bool decided,
        IComputeJobs.Outcome memory outcome
    ) private {
        Ledger storage ledger = ledgers[job];
        uint256 winners = 0;
        for (uint256 place = 0; place < nodes.length; ++place) {
            Deed storage deed = deeds[job][place];
            bool wins = decided && deed.revealed && deed.result == majority;
            bool liar = decided && deed.revealed && !wins;
            bool gone = isAway(job, place);
            assertEq(outcome.agreeing >> place & 1 != 0, wins);
            assertEq(outcome.lying >> place & 1 != 0, liar);
            assertEq(outcome.absent >> place & 1 != 0, gone);
            if (wins) ++winners;
            if (liar) ++lied;
            if (gone) ++absent;
        }
        uint256 each = winners == 0 ? 0 : ledger.fee / winners;
        for (uint256 place = 0; place < nodes.length; ++place) {
            if (outcome.agreeing >> place & 1 != 0) owe(nodeRegistry.operatorOf(nodes[place]), each);
        }
        if (decided) toPools += ledger.charged;
        owe(ledger.requester, ledger.fee - each * winners + (decided ? 0 : ledger.charged));
        if (decided) ++agreed;
        else ++disagreed;
    }

    function noteLies(uint256 job, NodeId[] memory nodes, uint8 lying) private {
        for (uint256 place = 0; place < nodes.length; ++place) {
            if (lying >> place & 1 != 0) liedIn[nodes[place]][drawnIn[job]] = true;
        }
    }

    function owe(address account, uint256 amount) private {
        owed[account] += amount;
        owedInAll += amount;
    }

    function keep(uint256 job, IComputeJobs.Order memory wanted, address requester, bool isFree) private {
        jobCount = job;
        _live.push(job);
        ledgers[job] = Ledger({
            requester: requester,
            fee: Amount.unwrap(wanted.fee),
            charged: isFree ? 0 : PRICE,
            replicas: wanted.replicas,
            ends: 0
        });
    }

    function forget(uint256 job) private {
        for (uint256 i = 0; i < _live.length; ++i) {
            if (_live[i] != job) continue;
            _live[i] = _live[_live.length - 1];
            _live.pop();
            return;
        }
    }

    function isDrawTime(uint256 job) private view returns (bool) {
        return vm.getBlockTimestamp() < Timestamp.unwrap(requestOf(job).since) + DRAW_SECONDS;
    }

    function chosen(uint256 which) private view returns (bool some, uint256 job) {
        some = _live.length != 0;
        if (some) job = _live[which % _live.length];
    }

    function resultOf(uint8 result) private pure returns (bytes32) {
        return keccak256(abi.encode("result", result));
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract ComputeInvariants is InvariantTest {
    ComputeHandler private handler;

    function setUp() external {
        handler = new ComputeHandler();
        bytes4[] memory actions = new bytes4[](18);
        actions[0] = ComputeHandler.order.selector;
        actions[1] = ComputeHandler.fire.selector;
        actions[2] = ComputeHandler.fund.selector;
        actions[3] = ComputeHandler.withdraw.selector;
        actions[4] = ComputeHandler.randomise.selector;
        actions[5] = ComputeHandler.drawJob.selector;
        actions[6] = ComputeHandler.commitTo.selector;
        actions[7] = ComputeHandler.declineJob.selector;
        actions[8] = ComputeHandler.revealResult.selector;
        actions[9] = ComputeHandler.settleJob.selector;
        actions[10] = ComputeHandler.cancelJob.selector;
        actions[11] = ComputeHandler.wait.selector;
        actions[12] = ComputeHandler.waitLong.selector;
        // Three more turns for what a job takes most of.
        actions[13] = ComputeHandler.commitTo.selector;
        actions[14] = ComputeHandler.commitTo.selector;
        actions[15] = ComputeHandler.revealResult.selector;
        actions[16] = ComputeHandler.revealResult.selector;
        actions[17] = ComputeHandler.drawJob.selector;
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    /// @dev Nothing of a job that runs is anywhere else, nothing of one that is over is still there.
    function invariant_I1_the_reserve_is_what_live_jobs_and_triggers_paid() external view {
        (uint256 ofJobs,,) = handler.reserves();
        assertEq(ofJobs, handler.escrow());
    }

    function invariant_I1_the_vault_holds_reserves_claims_and_free() external view {
        (,, uint256 inAll) = handler.reserves();
        (uint256 held, uint256 claims, uint256 free,) = handler.books();
        assertEq(held, inAll + claims + free);
        assertEq(claims, handler.owedInAll());
    }

    /// @dev To the pools or back, in full, once.
    function invariant_each_job_pays_or_refunds_once() external view {
        (, uint256 ofPools,) = handler.reserves();
        assertEq(ofPools, handler.toPools());
        address[] memory operators = handler.operators();
        for (uint256 i = 0; i < operators.length; ++i) {
            assertEq(handler.claim(operators[i]), handler.owed(operators[i]));
        }
        (address owner, address other) = handler.requesters();
        assertEq(handler.claim(owner), handler.owed(owner));
        assertEq(handler.claim(other), handler.owed(other));
        for (uint256 job = 1; job <= handler.jobCount(); ++job) {
            (,,,, uint8 ends) = handler.ledgers(job);
            assertLe(uint256(ends), 1);
            assertEq(handler.isOver(job), ends == 1);
        }
    }

    /// @dev That no honest node lost anything is seen at each settlement.
    function invariant_I7_stake_is_lost_by_settlements_alone() external view {
        (,,, uint256 stake) = handler.books();
        assertEq(stake, handler.firstStake() - handler.stakeLost());
        if (handler.lied() + handler.absent() == 0) assertEq(handler.stakeLost(), 0);
    }

    /// @dev The handlers do something.
    function test_handler__after_some_calls__reached_every_kind() external {
        handler.order(1, 1e18, false);
        handler.order(0, 1e17, true);
        handler.fire();
        handler.randomise("seed", 1);
        for (uint256 i = 0; i < 3; ++i) {
            handler.drawJob(i);
        }
        // Of the first job two agree and one lies; the second has nobody; the trigger's agrees.
        handler.commitTo(0, 0, 0);
        handler.commitTo(0, 1, 0);
        handler.commitTo(0, 2, 7);
        handler.commitTo(2, 0, 0);
        handler.commitTo(2, 1, 0);
        handler.declineJob(2, 2, 0);
        for (uint8 place = 0; place < 3; ++place) {
            handler.revealResult(0, place);
            handler.revealResult(2, place);
        }
        handler.settleJob(2);
        handler.settleJob(0);
        handler.wait(15 minutes, 12);
        handler.settleJob(0);
        handler.order(2, 5, false);
        handler.wait(15 minutes, 12);
        handler.cancelJob(0);
        handler.fund(7);
        handler.withdraw(5);
        assertEq(handler.fired(), 1);
        assertEq(handler.agreed(), 2);
        assertEq(handler.disagreed(), 1);
        assertEq(handler.lied(), 1);
        assertEq(handler.absent(), 1);
        assertEq(handler.cancelled(), 1);
        assertGt(handler.stakeLost(), 0);
    }
}
