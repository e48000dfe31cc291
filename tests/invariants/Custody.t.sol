// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustodyChallenges} from "../../contracts/interfaces/ICustodyChallenges.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {CustodyFixture} from "../contracts/support/CustodyFixture.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @dev Ten nodes hold two real blobs. They prove, cheat or stay silent; reporters report what they please; owners certify
/// and delete objects; windows open and close, epochs pass. Beside the contracts it keeps who may be slashed for what, and
/// notes when something passed that must not, or was refused although it was due.
contract CustodyHandler is CustodyFixture {
    uint32 public constant NODES = 10;
    uint256 private constant MAXIMUM_OBJECTS = 40;

    /// @dev The ghost of a window. Bit i of the sets is node i + 1.
    struct Asked {
        bool opened;
        bool empty;
        bool captured;
        uint256 proved;
        uint256 reported;
    }

    struct Object {
        uint256 class;
        uint32 until;
        bool swept;
        bool deleted;
    }

    mapping(uint32 epoch => Asked) public askedIn;
    mapping(uint256 blobObject => Object) public objects;
    uint256 public certified;
    uint256 public lastOpened;

    // What must never happen
    bool public cheated;
    bool public slashedUnduly;
    bool public slashedBeyondStake;
    bool public sweptUnduly;
    bool public refusedWhatWasDue;

    // What happened
    uint256 public proofs;
    uint256 public cheats;
    uint256 public misses;
    uint256 public refusals;
    uint256 public sweeps;
    uint256 public deletions;
    uint256 public voids;
    uint256 public burned;

    constructor() {
        vm.warp(1_000_000);
        readBlobs();
        deployCustody();
        certify(0, 5);
        certify(1, 3);
    }

    function certify(uint256 which, uint32 epochs) public {
        if (certified == MAXIMUM_OBJECTS) return;
        which %= 2;
        epochs = uint32(bound(epochs, 1, 6));
        uint256 blobObject = certifyEncoded(which, epochs);
        objects[blobObject] = Object(which, currentEpoch() + epochs, false, false);
        certified = blobObject;
    }

    function deleteBlob(uint256 which) external {
        uint256 blobObject = 1 + which % certified;
        Object storage object = objects[blobObject];
        if (object.deleted || object.until <= currentEpoch()) return;
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        (object.deleted, object.until) = (true, currentEpoch() + 1);
        ++deletions;
    }

    function sweep(uint256 class, uint256 index) external {
        class %= 2;
        uint256[] memory entries = custody.entries(class, 0, MAXIMUM_OBJECTS);
        uint256[] memory indexes = new uint256[](1);
        indexes[0] = index % (entries.length + 1);
        bool due = indexes[0] < entries.length && !custody.isOpen();
        Object storage object = objects[due ? entries[indexes[0]] : 0];
        due = due && object.until <= currentEpoch();
        try custody.sweep(class, indexes) {
            if (!due) sweptUnduly = true;
            object.swept = true;
            ++sweeps;
        } catch {
            if (due) refusedWhatWasDue = true;
        }
    }

    /// @dev Goes to the next opening time, and opens the window; most of the time the draw happens at once.
    function open(bytes32 seed) external {
        uint32 epoch = currentEpoch();
        (, Timestamp until,) = custody.timesOf(Epoch.wrap(epoch));
        if (askedIn[epoch].opened || vm.getBlockTimestamp() >= Timestamp.unwrap(until)) ++epoch;
        (Timestamp from,,) = custody.timesOf(Epoch.wrap(epoch));
        if (vm.getBlockTimestamp() < Timestamp.unwrap(from)) vm.warp(Timestamp.unwrap(from));
        try custody.openWindow() {
            askedIn[epoch].opened = true;
            askedIn[epoch].empty = windowOf(epoch).empty;
            lastOpened = epoch;
        } catch {
            refusedWhatWasDue = true;
        }
        if (uint256(seed) % 8 != 0) randomness.draw(seed);
    }

    function capture() external {
        uint32 epoch = currentEpoch();
        Asked storage asked = askedIn[epoch];
        bool due = asked.captured || isAsking(epoch);
        try custody.captureSeed(Epoch.wrap(epoch)) {
            if (!due) cheated = true;
            asked.captured = true;
        } catch {
            if (due) refusedWhatWasDue = true;
        }
    }

    function prove(uint256 who) external {
        uint32 epoch = currentEpoch();
        if (!isAsking(epoch)) return;
        uint32 node = pick(who);
        Asked storage asked = askedIn[epoch];
        bool due = !asked.empty && asked.proved >> (node - 1) & 1 == 0;
        try custody.prove(NodeId.wrap(node), answerOf(epoch, node)) {
            if (!due) cheated = true;
            asked.proved |= 1 << (node - 1);
            asked.captured = true;
            ++proofs;
        } catch {
            if (due) refusedWhatWasDue = true;
        }
    }

    /// @dev Tries a proof with one byte changed, one of another node, nothing, or the right one too late.
    function cheat(uint256 who, uint256 how, uint256 place) external {
        uint32 epoch = uint32(lastOpened);
        if (epoch == 0 || !isDrawn(epoch)) return;
        uint32 node = pick(who);
        bytes memory right = answerOf(epoch, node);
        if (right.length == 0) return;
        bytes memory wrong = right;
        if (how % 4 == 0) {
            wrong = bytes.concat(right);
            wrong[place % right.length] ^= bytes1(uint8(1 + how % 255));
        } else if (how % 4 == 1) {
            wrong = answerOf(epoch, 1 + node % NODES);
        } else if (how % 4 == 2) {
            wrong = "";
        } else if (isAsking(epoch)) {
            return;
        }
        if (how % 4 != 3 && keccak256(wrong) == keccak256(right)) return;
        try custody.prove(NodeId.wrap(node), wrong) {
            cheated = true;
        } catch {
            ++cheats;
        }
    }

    function report(uint256 who, uint256 back, uint256 by) external {
        uint32 epoch = currentEpoch() - uint32(bound(back % 4, 0, currentEpoch() - 1));
        uint32 node = pick(who);
        Asked storage asked = askedIn[epoch];
        (,, Timestamp closes) = custody.timesOf(Epoch.wrap(epoch));
        bool due = asked.captured && !asked.empty && vm.getBlockTimestamp() >= Timestamp.unwrap(closes)
            && epoch + 2 > currentEpoch() && (asked.proved | asked.reported) >> (node - 1) & 1 == 0;
        if (asked.opened && !asked.captured && vm.getBlockTimestamp() >= Timestamp.unwrap(closes)) ++voids;
        // A pool that is far behind has to be settled first.
        staking.settle(NodeId.wrap(node), 100);
        uint256 stake = stakeOf(node);
        uint256 supply = token.totalSupply();
        vm.prank(makeAddr(string.concat("reporter ", vm.toString(by % 3))));
        try custody.reportMiss(Epoch.wrap(epoch), NodeId.wrap(node)) returns (Amount slashed) {
            if (!due) slashedUnduly = true;
            if (Amount.unwrap(slashed) > stake || supply < token.totalSupply()) slashedBeyondStake = true;
            burned += supply - token.totalSupply();
            asked.reported |= 1 << (node - 1);
            ++misses;
        } catch {
            if (due) refusedWhatWasDue = true;
            else ++refusals;
        }
    }

    function wait(uint32 time) external {
        skip(bound(time, 1, 12 hours));
    }

    /// @dev Whether the window of the present epoch is open, and its seed drawn.
    function isAsking(uint32 epoch) public view returns (bool) {
        return epoch == currentEpoch() && custody.isOpen() && isDrawn(epoch);
    }

    function isDrawn(uint32 epoch) private view returns (bool) {
        ICustodyChallenges.Window memory window = windowOf(epoch);
        return window.seed != 0 || randomness.isRevealed(window.ticket);
    }

    function pick(uint256 who) private pure returns (uint32) {
        return uint32(1 + who % NODES);
    }

    // For the invariants

    function windowIn(uint32 epoch) external view returns (ICustodyChallenges.Window memory) {
        return windowOf(epoch);
    }

    function passed(uint32 epoch) external view returns (uint256 sum, uint256 total) {
        for (uint32 node = 1; node <= NODES; ++node) {
            sum += custody.passedShards(Epoch.wrap(epoch), NodeId.wrap(node));
        }
        total = custody.totalPassedShards(Epoch.wrap(epoch));
    }

    function entriesOf(uint256 class) external view returns (uint256[] memory) {
        return custody.entries(class, 0, type(uint256).max);
    }

    function epochNow() external view returns (uint32) {
        return currentEpoch();
    }

    /// @dev What the vault holds, and what it owes.
    function books() external view returns (uint256 held, uint256 owed) {
        held = token.balanceOf(address(vault));
        owed = uint256(Amount.unwrap(vault.reserveOf(address(staking)))) + Amount.unwrap(vault.reserveOf(address(fees)))
            + Amount.unwrap(vault.totalClaims());
    }

    /// @dev All WAL that there is, and what was there less what was burned.
    function supplies() external view returns (uint256 supply, uint256 expected) {
        (supply, expected) = (token.totalSupply(), SUPPLY - burned);
    }

    /// @dev The vault's reserve of the pools, and what the pools say. No pool is settled but by a slash, so deposits wait or
    /// are active.
    function pools() external view returns (uint256 reserve, uint256 sum) {
        reserve = Amount.unwrap(vault.reserveOf(address(staking)));
        for (uint32 node = 1; node <= NODES; ++node) {
            NodeId nodeId = NodeId.wrap(node);
            sum += uint256(Amount.unwrap(staking.poolOf(nodeId).active)) + Amount.unwrap(staking.poolOf(nodeId).waiting)
            + Amount.unwrap(staking.poolOf(nodeId).unbonding) + Amount.unwrap(staking.poolOf(nodeId).commission);
        }
    }
}

contract CustodyInvariantTest is InvariantTest {
    CustodyHandler private handler;

    function setUp() public {
        handler = new CustodyHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = CustodyHandler.certify.selector;
        selectors[1] = CustodyHandler.deleteBlob.selector;
        selectors[2] = CustodyHandler.sweep.selector;
        selectors[3] = CustodyHandler.open.selector;
        selectors[4] = CustodyHandler.capture.selector;
        selectors[5] = CustodyHandler.prove.selector;
        selectors[6] = CustodyHandler.prove.selector;
        selectors[7] = CustodyHandler.cheat.selector;
        selectors[8] = CustodyHandler.report.selector;
        selectors[9] = CustodyHandler.report.selector;
        selectors[10] = CustodyHandler.wait.selector;
        selectors[11] = CustodyHandler.open.selector;
        targetSelector(address(handler), selectors);
    }

    /// @dev All in one, since each function is a campaign of its own.
    function invariant_I1_I6_I7_custody_is_what_was_done_and_no_money_is_made_or_lost() external view {
        checkProofs();
        checkMisses();
        checkLists();
        checkMoney();
    }

    /// @dev I6: only the right bytes pass.
    function checkProofs() private view {
        assertFalse(handler.cheated());
        assertFalse(handler.refusedWhatWasDue());
        for (uint32 epoch = firstOpen(); epoch <= handler.epochNow(); ++epoch) {
            (bool opened, bool empty, bool captured, uint256 proved,) = handler.askedIn(epoch);
            ICustodyChallenges.Window memory window = handler.windowIn(epoch);
            assertEq(window.proved, proved);
            assertEq(window.empty, empty);
            assertEq(window.seed != 0, captured);
            assertEq(Epoch.unwrap(window.committeeEpoch), opened ? 1 : 0);
            (uint256 sum, uint256 total) = handler.passed(epoch);
            assertEq(sum, total);
            assertEq(sum, opened && empty ? 10 : countOf(proved));
        }
    }

    /// @dev I7: each miss is slashed at most once, and who proved never.
    function checkMisses() private view {
        assertFalse(handler.slashedUnduly());
        assertFalse(handler.slashedBeyondStake());
        for (uint32 epoch = firstOpen(); epoch <= handler.epochNow(); ++epoch) {
            (,,, uint256 proved, uint256 reported) = handler.askedIn(epoch);
            ICustodyChallenges.Window memory window = handler.windowIn(epoch);
            assertEq(window.reported, reported);
            assertEq(window.proved, proved);
            assertEq(reported & proved, 0);
        }
    }

    /// @dev The lists hold what was certified and not swept, each once, in its class.
    function checkLists() private view {
        assertFalse(handler.sweptUnduly());
        uint256 listed = 0;
        for (uint256 class = 0; class < 2; ++class) {
            uint256[] memory entries = handler.entriesOf(class);
            uint256 seen = 0;
            for (uint256 i = 0; i < entries.length; ++i) {
                (uint256 expected,, bool swept,) = handler.objects(entries[i]);
                assertEq(expected, class);
                assertFalse(swept);
                assertEq(seen >> entries[i] & 1, 0);
                seen |= 1 << entries[i];
            }
            listed += entries.length;
        }
        uint256 kept = 0;
        for (uint256 blobObject = 1; blobObject <= handler.certified(); ++blobObject) {
            (,, bool swept,) = handler.objects(blobObject);
            if (!swept) ++kept;
        }
        assertEq(listed, kept);
    }

    /// @dev I1: money is neither made nor lost.
    function checkMoney() private view {
        (uint256 held, uint256 owed) = handler.books();
        assertEq(held, owed);
        (uint256 supply, uint256 expected) = handler.supplies();
        assertEq(supply, expected);
        (uint256 reserve, uint256 sum) = handler.pools();
        assertEq(reserve, sum);
    }

    /// @dev The handlers do what they are for: a scripted run reaches each.
    function test_handler__given_a_script__reaches_everything() external {
        handler.open(bytes32(uint256(1)));
        handler.prove(0);
        handler.cheat(1, 0, 5);
        handler.cheat(1, 1, 0);
        handler.cheat(1, 2, 0);
        handler.capture();
        handler.deleteBlob(0);
        handler.report(1, 0, 0);
        handler.sweep(0, 0);
        handler.wait(12 hours);
        handler.cheat(1, 3, 0);
        handler.report(1, 0, 0);
        handler.report(1, 0, 1);
        handler.report(0, 0, 1);
        assertEq(handler.proofs(), 1);
        assertEq(handler.cheats(), 4);
        assertEq(handler.misses(), 1);
        assertEq(handler.refusals(), 3);
        assertEq(handler.deletions(), 1);
        assertEq(handler.sweeps(), 0);
        assertGt(handler.burned(), 0);
        handler.open(bytes32(uint256(8)));
        handler.wait(12 hours);
        handler.report(1, 0, 0);
        assertEq(handler.voids(), 1);
        handler.sweep(0, 0);
        assertEq(handler.sweeps(), 1);
        assertFalse(handler.refusedWhatWasDue());
    }

    /// @dev Of the epochs of which something may still change.
    function firstOpen() private view returns (uint32) {
        uint32 epoch = handler.epochNow();
        return epoch < 2 ? 1 : epoch - 1;
    }

    function countOf(uint256 set) private pure returns (uint256 count) {
        for (; set != 0; set >>= 1) {
            count += set & 1;
        }
    }
}
