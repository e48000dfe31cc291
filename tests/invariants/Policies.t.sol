// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {PolicyAnswers} from "../../contracts/libraries/PolicyAnswers.sol";
import {PolicyMock} from "../../contracts/mocks/PolicyMock.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {System} from "../contracts/support/System.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @dev Three owners do to their objects what they like; four policies change their minds at any moment, and fail. The ghost
/// says for each object what was done to it, and for each policy what it answers now.
contract PolicyHandler is System {
    struct Object {
        address owner;
        uint32 end;
        bool certified;
        bool attached;
        bool frozen;
        address access;
        address retention;
        address nextAccess;
        address nextRetention;
        uint256 nextFrom;
        uint32 noticeSeconds;
        uint32 keyEpoch;
    }

    /// @dev How a policy answers: yes, no, something else in the right length, or not at all.
    enum Mood {
        Yes,
        No,
        Odd,
        Failing
    }

    struct Moods {
        Mood evaluate;
        Mood canDelete;
        Mood canTransfer;
        Mood canReplace;
        uint32 minimumEnd;
    }

    uint256 public constant OWNERS = 3;
    uint256 private constant POLICIES = 4;

    mapping(uint256 id => Object) public objects;
    mapping(address policy => Moods) public moods;
    mapping(string way => uint256) public reached;
    uint256 public registered;

    bool public deletedWhatWasForbidden;
    bool public transferredWhatWasForbidden;
    bool public replacedWhatWasForbidden;
    bool public changedWhatWasFrozen;
    bool public enactedBeforeItsTime;
    bool public refusedWhatWasDue;

    address[] private _owners;
    PolicyMock[] private _policies;

    constructor() {
        Parameters memory parameters = defaultParameters();
        parameters.policies.minimumNotice = 1 hours;
        deploySystem(parameters);
        formCommittee(10, 4);
        for (uint256 i = 0; i < OWNERS; ++i) {
            _owners.push(makeAddr(vm.toString(i)));
            giveTokens(_owners[i], SUPPLY / 10);
        }
        for (uint256 i = 0; i < POLICIES; ++i) {
            _policies.push(new PolicyMock(uint8(5 * i)));
        }
    }

    function register(uint256 who) external {
        IBlobRegistry.Registration memory registration = defaultRegistration();
        vm.prank(ownerAt(who));
        registered = registry.register(registration);
        Object storage object = objects[registered];
        (object.owner, object.end) = (ownerAt(who), currentEpoch() + registration.epochs);
    }

    function attach(uint256 which, uint256 first, uint256 second, uint256 notice) external {
        if (registered == 0) return;
        uint256 id = pick(which);
        Object storage object = objects[id];
        if (object.owner == address(0)) return;
        IBlobPolicies.Policies memory both = IBlobPolicies.Policies(policyAt(first), policyAt(second));
        uint32 noticeSeconds = uint32(bound(notice, 1 hours, 3 days));
        vm.prank(object.owner);
        try policies.attach(id, both, noticeSeconds, "envelope") {
            if (object.attached) replacedWhatWasForbidden = true;
            (object.attached, object.keyEpoch, object.noticeSeconds) = (true, 1, noticeSeconds);
            (object.access, object.retention) = (both.access, both.retention);
        } catch {
            if (!object.attached) refusedWhatWasDue = true;
        }
    }

    function announce(uint256 which, uint256 first, uint256 second) external {
        (uint256 id, Object storage object) = attachedAt(which);
        if (id == 0) return;
        IBlobPolicies.Policies memory both = IBlobPolicies.Policies(policyAt(first), policyAt(second));
        (, address retention) = inForce(id);
        bool due = !object.frozen && mayReplace(retention);
        vm.prank(object.owner);
        try policies.announce(id, both) {
            if (object.frozen) changedWhatWasFrozen = true;
            if (!due) replacedWhatWasForbidden = true;
            settle(id);
            (object.nextAccess, object.nextRetention) = (both.access, both.retention);
            object.nextFrom = vm.getBlockTimestamp() + object.noticeSeconds;
            reached["announce"]++;
        } catch {
            if (due) refusedWhatWasDue = true;
            if (!object.frozen) reached["announce: forbidden"]++;
        }
    }

    function cancel(uint256 which) external {
        (uint256 id, Object storage object) = attachedAt(which);
        if (id == 0) return;
        bool due = object.nextFrom != 0 && !nextHolds(id);
        vm.prank(object.owner);
        try policies.cancelAnnouncement(id) {
            if (!due) replacedWhatWasForbidden = true;
            clear(object);
            reached["cancel"]++;
        } catch {
            if (due) refusedWhatWasDue = true;
        }
    }

    function enact(uint256 which) external {
        (uint256 id, Object storage object) = attachedAt(which);
        if (id == 0) return;
        bool due = nextHolds(id);
        bool early = object.nextFrom == 0 || vm.getBlockTimestamp() < object.nextFrom;
        try policies.enact(id) {
            if (early) enactedBeforeItsTime = true;
            else if (!due) replacedWhatWasForbidden = true;
            settle(id);
            reached["enact"]++;
        } catch {
            if (due) refusedWhatWasDue = true;
            if (!early) reached["enact: forbidden"]++;
        }
    }

    function freeze(uint256 which) external {
        // Rarely: little can be done afterwards.
        if (which % 4 != 0) return;
        (uint256 id, Object storage object) = attachedAt(which / 4);
        if (id == 0) return;
        bool due = !object.frozen && (object.nextFrom == 0 || nextHolds(id));
        vm.prank(object.owner);
        try policies.freeze(id) {
            if (!due) changedWhatWasFrozen = true;
            settle(id);
            object.frozen = true;
            reached["freeze"]++;
        } catch {
            if (due) refusedWhatWasDue = true;
        }
    }

    function publish(uint256 which, uint256 step) external {
        (uint256 id, Object storage object) = attachedAt(which);
        if (id == 0) return;
        vm.prank(object.owner);
        policies.publishEnvelope(id, object.keyEpoch + uint32(step % 2), "another envelope");
        object.keyEpoch += uint32(step % 2);
        settle(id);
    }

    function certify(uint256 which) external {
        if (registered == 0) return;
        uint256 id = pick(which);
        Object storage object = objects[id];
        if (object.certified || !isLive(object)) return;
        registry.certify(id, bitmap(0, 7), attestations(id, bitmap(0, 7)));
        object.certified = true;
    }

    function extend(uint256 which) external {
        if (registered == 0) return;
        uint256 id = pick(which);
        Object storage object = objects[id];
        if (!isLive(object) || object.end > currentEpoch() + 40) return;
        vm.prank(ownerAt(which));
        registry.extend(id, 1);
        object.end++;
    }

    function transfer(uint256 which, uint256 to) external {
        if (registered == 0) return;
        uint256 id = pick(which);
        Object storage object = objects[id];
        if (object.owner == address(0)) return;
        (, address retention) = inForce(id);
        bool due = retention == address(0) || moods[retention].canTransfer == Mood.Yes;
        vm.prank(object.owner);
        try registry.transferFrom(object.owner, ownerAt(to), id) {
            if (!due) transferredWhatWasForbidden = true;
            object.owner = ownerAt(to);
        } catch {
            if (due) refusedWhatWasDue = true;
            reached["transfer: forbidden"]++;
        }
    }

    function deleteBlob(uint256 which) external {
        if (registered == 0) return;
        uint256 id = pick(which);
        Object storage object = objects[id];
        if (!isLive(object)) return;
        (, address retention) = inForce(id);
        Moods storage mood = moods[retention];
        bool due = retention == address(0) || (mood.canDelete == Mood.Yes && mood.minimumEnd <= currentEpoch());
        vm.prank(object.owner);
        try registry.deleteBlob(id) {
            if (!due) deletedWhatWasForbidden = true;
            object.owner = address(0);
            if (retention != address(0)) reached["delete: allowed"]++;
        } catch {
            if (due) refusedWhatWasDue = true;
            reached["delete: forbidden"]++;
        }
    }

    /// @dev A policy thinks otherwise from now on.
    function change(uint256 which, uint256 dice) external {
        PolicyMock policy = _policies[which % POLICIES];
        Moods storage mood = moods[address(policy)];
        mood.evaluate = Mood(dice % 4);
        mood.canDelete = moodOf(dice >> 8);
        mood.canTransfer = moodOf(dice >> 16);
        mood.canReplace = moodOf(dice >> 24);
        mood.minimumEnd = (dice >> 32) % 4 == 0 ? currentEpoch() + 1 : 0;
        bytes4 answer = mood.evaluate == Mood.Yes ? PolicyAnswers.ALLOW : PolicyAnswers.DENY;
        play(policy, IDataPolicy.evaluate.selector, mood.evaluate, abi.encode(answer, uint32(60), bytes32("no")));
        play(policy, IDataPolicy.canDelete.selector, mood.canDelete, abi.encode(mood.canDelete == Mood.Yes));
        play(policy, IDataPolicy.canTransfer.selector, mood.canTransfer, abi.encode(mood.canTransfer == Mood.Yes));
        play(policy, IDataPolicy.canReplace.selector, mood.canReplace, abi.encode(mood.canReplace == Mood.Yes));
        policy.answer(IDataPolicy.minimumEndEpoch.selector, abi.encode(mood.minimumEnd));
    }

    function wait(uint32 time) external {
        skip(bound(time, 1, 1 days));
    }

    /// @dev To the moment before an announcement's time, or to that moment.
    function waitForNotice(uint256 which) external {
        (uint256 id, Object storage object) = attachedAt(which);
        if (id == 0 || object.nextFrom <= vm.getBlockTimestamp() + 1) return;
        vm.warp(object.nextFrom - which % 2);
        reached[which % 2 == 0 ? "at its time" : "just before its time"]++;
    }

    /// @notice The policies that hold by the ghost.
    function inForce(uint256 id) public view returns (address access, address retention) {
        Object storage object = objects[id];
        return nextHolds(id) ? (object.nextAccess, object.nextRetention) : (object.access, object.retention);
    }

    function nextHolds(uint256 id) public view returns (bool) {
        Object storage object = objects[id];
        return object.nextFrom != 0 && object.nextFrom <= vm.getBlockTimestamp() && mayReplace(object.retention);
    }

    /// @notice Whether a use by `requester` is to be allowed, by the ghost.
    function isAllowed(uint256 id, address requester) external view returns (bool) {
        Object storage object = objects[id];
        if (!isLive(object) || !object.certified) return false;
        (address access,) = inForce(id);
        return access == address(0) ? requester == object.owner : moods[access].evaluate == Mood.Yes;
    }

    function record(uint256 id) external view returns (IBlobPolicies.Record memory) {
        return policies.recordOf(id);
    }

    function verdict(uint256 id, address requester) external view returns (IBlobPolicies.Verdict memory) {
        return policies.judge(IBlobPolicies.Question(requester, id, 1, 0, 0, ""));
    }

    function ownerOf(uint256 id) external view returns (address) {
        return registry.blobOf(id).owner;
    }

    function ownerAt(uint256 who) public view returns (address) {
        return _owners[who % OWNERS];
    }

    /// @dev What the contract does whenever something is written: announced policies that hold are the present ones.
    function settle(uint256 id) private {
        if (!nextHolds(id)) return;
        Object storage object = objects[id];
        (object.access, object.retention) = (object.nextAccess, object.nextRetention);
        clear(object);
    }

    function clear(Object storage object) private {
        (object.nextAccess, object.nextRetention, object.nextFrom) = (address(0), address(0), 0);
    }

    function play(PolicyMock policy, bytes4 selector, Mood mood, bytes memory answer) private {
        // The first word is neither an answer of policies nor a truth.
        if (mood == Mood.Odd) answer[1] = 0x77;
        policy.answer(selector, answer);
        if (mood == Mood.Failing) policy.behave(selector, PolicyMock.Deed.Revert);
    }

    function policyAt(uint256 which) private view returns (address) {
        return which % 5 == 0 ? address(0) : address(_policies[which % POLICIES]);
    }

    function mayReplace(address retention) private view returns (bool) {
        return retention == address(0) || moods[retention].canReplace == Mood.Yes;
    }

    /// @dev An object that exists and has policies; zero when the one that was picked is none.
    function attachedAt(uint256 which) private view returns (uint256 id, Object storage object) {
        id = registered == 0 ? 0 : pick(which);
        object = objects[id];
        if (object.owner == address(0) || !object.attached) id = 0;
    }

    /// @dev One of the last eight: the others are mostly over.
    function pick(uint256 which) private view returns (uint256) {
        return registered <= 8 ? 1 + which % registered : registered - which % 8;
    }

    function isLive(Object storage object) private view returns (bool) {
        return object.owner != address(0) && object.end > currentEpoch();
    }

    /// @dev Mostly yes: otherwise nothing moves.
    function moodOf(uint256 dice) private pure returns (Mood) {
        return Mood(dice % 8 > 3 ? 0 : dice % 8);
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract PoliciesInvariantTest is InvariantTest {
    PolicyHandler private handler;

    function setUp() public {
        handler = new PolicyHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](14);
        selectors[0] = PolicyHandler.register.selector;
        selectors[1] = PolicyHandler.attach.selector;
        selectors[2] = PolicyHandler.announce.selector;
        selectors[3] = PolicyHandler.cancel.selector;
        selectors[4] = PolicyHandler.enact.selector;
        selectors[5] = PolicyHandler.freeze.selector;
        selectors[6] = PolicyHandler.publish.selector;
        selectors[7] = PolicyHandler.certify.selector;
        selectors[8] = PolicyHandler.extend.selector;
        selectors[9] = PolicyHandler.transfer.selector;
        selectors[10] = PolicyHandler.deleteBlob.selector;
        selectors[11] = PolicyHandler.change.selector;
        selectors[12] = PolicyHandler.wait.selector;
        selectors[13] = PolicyHandler.waitForNotice.selector;
        targetSelector(address(handler), selectors);
    }

    function invariant_I9_no_use_is_allowed_unless_the_policy_in_force_allows_it_now() external view {
        uint256 last = handler.registered();
        for (uint256 id = last < 8 ? 1 : last - 7; id <= last; ++id) {
            for (uint256 i = 0; i < handler.OWNERS(); ++i) {
                address requester = handler.ownerAt(i);
                IBlobPolicies.Verdict memory verdict = handler.verdict(id, requester);
                assertEq(verdict.allowed, handler.isAllowed(id, requester));
                assertEq(verdict.allowed, verdict.reason == 0);
                (address access,) = handler.inForce(id);
                assertEq(verdict.policy, access);
            }
        }
    }

    function invariant_policies_are_those_that_hold_by_the_clock() external view {
        uint256 last = handler.registered();
        for (uint256 id = last < 8 ? 1 : last - 7; id <= last; ++id) {
            IBlobPolicies.Record memory record = handler.record(id);
            (address access, address retention) = handler.inForce(id);
            assertEq(record.current.access, access);
            assertEq(record.current.retention, retention);
            (address owner,,,, bool frozen,,,,,,, uint32 keyEpoch) = handler.objects(id);
            assertEq(handler.ownerOf(id), owner);
            assertEq(record.frozen, frozen);
            assertEq(record.keyEpoch, keyEpoch);
        }
        assertFalse(handler.enactedBeforeItsTime());
        assertFalse(handler.changedWhatWasFrozen());
        assertFalse(handler.refusedWhatWasDue());
    }

    function invariant_what_retention_forbids_is_never_done() external view {
        assertFalse(handler.deletedWhatWasForbidden());
        assertFalse(handler.transferredWhatWasForbidden());
        assertFalse(handler.replacedWhatWasForbidden());
    }

    /// @dev One walk by dice, long enough that every way of the handler is gone.
    function test_handler__given_a_long_walk__goes_every_way() external {
        for (uint256 i = 0; i < 1500; ++i) {
            uint256 dice = uint256(keccak256(abi.encode("a long walk", i)));
            step(dice % 20, dice >> 16, dice >> 160);
            if (i % 25 != 0) continue;
            this.invariant_I9_no_use_is_allowed_unless_the_policy_in_force_allows_it_now();
            this.invariant_policies_are_those_that_hold_by_the_clock();
            this.invariant_what_retention_forbids_is_never_done();
        }
        string[11] memory ways = [
            "announce",
            "announce: forbidden",
            "cancel",
            "enact",
            "enact: forbidden",
            "freeze",
            "transfer: forbidden",
            "delete: allowed",
            "delete: forbidden",
            "at its time",
            "just before its time"
        ];
        for (uint256 i = 0; i < ways.length; ++i) {
            assertGt(handler.reached(ways[i]), 0, ways[i]);
        }
    }

    function step(uint256 what, uint256 a, uint256 b) private {
        if (what == 0) handler.register(a);
        else if (what < 4) handler.attach(a, b, b >> 8, b >> 16);
        else if (what < 7) handler.announce(a, b, b >> 8);
        else if (what == 7) handler.cancel(a);
        else if (what < 10) handler.enact(a);
        else if (what == 10) handler.freeze(a);
        else if (what == 11) handler.publish(a, b);
        else if (what == 12) handler.certify(a);
        else if (what == 13) handler.extend(a);
        else if (what == 14) handler.transfer(a, b);
        else if (what == 15) handler.deleteBlob(a);
        else if (what < 18) handler.change(a, b);
        else if (what == 18) handler.wait(uint32(a));
        else handler.waitForNotice(a);
    }
}
