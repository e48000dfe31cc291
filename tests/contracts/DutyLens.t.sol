// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDutyLens} from "../../contracts/interfaces/IDutyLens.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {CustodyFixture} from "./support/CustodyFixture.sol";
import {vm} from "./support/Vm.sol";

/// @dev What the lens says is compared with what the contracts accept: every call is made, and undone.
contract DutyLensTest is CustodyFixture {
    bytes32 private constant SEED = keccak256("seed");

    function setUp() public {
        readBlobs();
        deployCustody();
        certifyEncoded(SMALL, 20);
    }

    function test_dutiesOf__when_no_committee_serves__there_is_nothing_to_do() external {
        deploySystem(defaultParameters());
        IDutyLens.Duties memory expected;
        expected.timestamp = uint64(vm.getBlockTimestamp());
        expected.blockNumber = uint64(vm.getBlockNumber());
        expected.currentEpoch = Epoch.wrap(1);
        IDutyLens.Duties memory duties = dutyLens.dutiesOf(NodeId.wrap(1));
        expected.settled = duties.settled;
        assertEq(abi.encode(duties), abi.encode(expected));
    }

    function test_dutiesOf__given_a_fresh_epoch__only_waiting_is_due() external view {
        IDutyLens.Duties memory duties = dutyLens.dutiesOf(NodeId.wrap(1));
        assertFalse(duties.select || duties.advance || duties.tally || duties.open || duties.capture || duties.prove);
        assertEq(duties.misses.length, 0);
        assertEq(Epoch.unwrap(duties.officeEpoch), 1);
        assertEq(duties.pending, 0);
        (,, Timestamp closes) = custody.timesOf(Epoch.wrap(1));
        assertEq(Timestamp.unwrap(duties.closes), Timestamp.unwrap(closes));
    }

    function test_dutiesOf__given_a_window__follows_it() external {
        warpToQuarter(1, 1);
        assertTrue(dutyLens.dutiesOf(NodeId.wrap(1)).open);
        custody.openWindow();
        IDutyLens.Duties memory duties = dutyLens.dutiesOf(NodeId.wrap(1));
        assertFalse(duties.open || duties.capture || duties.prove);

        randomness.draw(SEED);
        duties = dutyLens.dutiesOf(NodeId.wrap(1));
        assertTrue(duties.capture && duties.prove);
        assertEq(duties.seed, 0);

        custody.captureSeed(Epoch.wrap(1));
        duties = dutyLens.dutiesOf(NodeId.wrap(1));
        assertTrue(duties.prove && !duties.capture);
        assertEq(duties.seed, SEED);
        assertFalse(dutyLens.dutiesOf(NodeId.wrap(11)).prove);

        proveHonestly(1, 1);
        assertFalse(dutyLens.dutiesOf(NodeId.wrap(1)).prove);
        assertTrue(dutyLens.dutiesOf(NodeId.wrap(2)).prove);

        warpToQuarter(1, 3);
        assertFalse(dutyLens.dutiesOf(NodeId.wrap(2)).prove);
        assertEq(dutyLens.dutiesOf(NodeId.wrap(2)).misses.length, 9);
        custody.reportMiss(Epoch.wrap(1), NodeId.wrap(2));
        assertEq(dutyLens.dutiesOf(NodeId.wrap(2)).misses.length, 8);
        warpTo(3);
        assertEq(dutyLens.dutiesOf(NodeId.wrap(2)).misses.length, 0);
    }

    function test_dutiesOf__when_the_seed_was_not_captured_in_time__nothing_can_be_reported() external {
        ask(1, SEED);
        warpToQuarter(1, 3);
        IDutyLens.Duties memory duties = dutyLens.dutiesOf(NodeId.wrap(1));
        assertFalse(duties.capture || duties.prove);
        assertEq(duties.misses.length, 0);
    }

    function test_dutiesOf__when_the_draw_is_lost__nothing_is_asked() external {
        ask(1, 0);
        IDutyLens.Duties memory duties = dutyLens.dutiesOf(NodeId.wrap(1));
        assertFalse(duties.capture || duties.prove);
    }

    function test_dutiesOf__when_there_is_nothing_to_ask__nobody_proves() external {
        deployCustody();
        ask(1, SEED);
        custody.captureSeed(Epoch.wrap(1));
        assertFalse(dutyLens.dutiesOf(NodeId.wrap(1)).prove);
        assertAgrees();
        warpToQuarter(1, 3);
        assertEq(dutyLens.dutiesOf(NodeId.wrap(1)).misses.length, 0);
        assertAgrees();
    }

    /// forge-config: default.fuzz.runs = 32
    function test_dutiesOf__given_any_history__each_flag_says_whether_the_call_is_accepted(uint256[12] calldata steps)
        external
    {
        for (uint256 i = 0; i < steps.length; ++i) {
            act(steps[i]);
            assertAgrees();
        }
    }

    /// @dev Does something that is possible, or lets up to an epoch pass.
    function act(uint256 step) private {
        uint256 kind = step % 8;
        uint32 epoch = currentEpoch();
        IDutyLens.Duties memory duties = dutyLens.dutiesOf(NodeId.wrap(1));
        if (kind == 0 && duties.select) committee.selectCommittee();
        else if (kind == 0 && staking.stakeAt(NodeId.wrap(2), Epoch.wrap(epoch + 2)) < Amount.wrap(300e18)) raise();
        else if (kind == 1 && duties.advance) committee.advanceEpoch();
        else if (kind == 2 && duties.tally) prices.tally();
        else if (kind <= 3 && duties.open) custody.openWindow();
        else if (kind <= 4 && custody.isOpen()) randomness.draw(keccak256(abi.encode(step)));
        else if (kind == 5 && duties.prove) proveHonestly(epoch, 1);
        else if (kind == 5 && duties.capture) custody.captureSeed(Epoch.wrap(epoch));
        else if (kind == 6 && duties.misses.length != 0) report(duties.misses[(step >> 8) % duties.misses.length]);
        else skip((step >> 8) % 8 * 3 hours);
    }

    function raise() private {
        address operator = makeAddr("operator 1");
        giveTokens(operator, 200e18);
        vm.prank(operator);
        staking.delegate(NodeId.wrap(2), Amount.wrap(200e18));
    }

    function report(IDutyLens.Miss memory missed) private {
        custody.reportMiss(missed.epoch, missed.nodeId);
    }

    function assertAgrees() private {
        IDutyLens.Duties memory duties = dutyLens.dutiesOf(NodeId.wrap(1));
        Epoch current = duties.currentEpoch;
        assertEq(duties.timestamp, vm.getBlockTimestamp());
        assertEq(duties.blockNumber, vm.getBlockNumber());
        assertEq(Epoch.unwrap(current), currentEpoch());
        assertEq(duties.seed, windowOf(Epoch.unwrap(current)).seed);
        assertEq(accepts(address(committee), abi.encodeCall(committee.selectCommittee, ())), duties.select, "select");
        assertEq(accepts(address(committee), abi.encodeCall(committee.advanceEpoch, ())), duties.advance, "advance");
        assertEq(accepts(address(prices), abi.encodeCall(prices.tally, ())), duties.tally, "tally");
        assertEq(accepts(address(custody), abi.encodeCall(custody.openWindow, ())), duties.open, "open");
        if (duties.seed == 0) {
            bytes memory capture = abi.encodeCall(custody.captureSeed, (current));
            assertEq(accepts(address(custody), capture), duties.capture, "capture");
        }
        assertEq(acceptsProof(Epoch.unwrap(current)), duties.prove, "prove");

        uint256 found = 0;
        for (uint32 back = 0; back < 3 && back < Epoch.unwrap(current); ++back) {
            Epoch epoch = Epoch.wrap(Epoch.unwrap(current) - back);
            for (uint32 node = 1; node <= 11; ++node) {
                bytes memory call = abi.encodeCall(custody.reportMiss, (epoch, NodeId.wrap(node)));
                if (!accepts(address(custody), call)) continue;
                assertEq(abi.encode(duties.misses[found++]), abi.encode(epoch, node));
            }
        }
        assertEq(duties.misses.length, found, "misses");
    }

    function acceptsProof(uint32 epoch) private returns (bool) {
        try this.answer(epoch) returns (bytes memory proofs) {
            return accepts(address(custody), abi.encodeCall(custody.prove, (NodeId.wrap(1), proofs)));
        } catch {
            return false;
        }
    }

    /// @dev External, so that it may revert.
    function answer(uint32 epoch) external view returns (bytes memory) {
        return answerOf(epoch, 1);
    }

    function accepts(address callee, bytes memory call) private returns (bool success) {
        uint256 snapshot = vm.snapshotState();
        (success,) = callee.call(call);
        assertTrue(vm.revertToState(snapshot));
    }
}
