// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Committee} from "../../contracts/committee/Committee.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {Apportionment} from "../../contracts/libraries/Apportionment.sol";
import {NodeRegistry} from "../../contracts/staking/NodeRegistry.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {CommitteeFixture} from "../contracts/support/CommitteeFixture.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @notice Lets nodes join, leave, move, be jailed, change keys and hands, and their stake move, while committees are
/// selected, advanced to and synced in any order, and nobody calls for long.
/// @dev Beside the contract it keeps what each committee should be. Calls that must fail are made too, and noted when they
/// succeed; nothing else reverts.
contract CommitteeHandler is CommitteeFixture {
    uint256 public constant MAXIMUM_NODES = 12;

    /// @dev What is expected of a committee, worked out when it is selected.
    struct Expected {
        Epoch epoch;
        bool kept;
        NodeId[] members;
        bytes assignment;
        uint256 moved;
    }

    /// @dev The ghost ledger: who should speak for each node, and for each seat.
    mapping(uint256 node => address) public signer;
    mapping(uint256 member => address) public seatSigner;
    mapping(uint256 node => address) private _waitingSigner;
    uint256 public nodes;
    uint256 public keys;

    Expected private _selected;
    Epoch[] public offices;
    mapping(Epoch officeEpoch => bytes32) public historyOf;
    uint256 public pending;
    uint256 private _since;

    /// @dev What must not be.
    string public wrong;
    /// @dev How often each way was gone, for a test that all are.
    mapping(string way => uint256) public reached;

    constructor() {
        vm.warp(1_800_000_000);
        deploySystem(defaultParameters());
        for (uint256 i = 0; i < 4; ++i) {
            join(i + 2);
        }
    }

    function join(uint256 regions) public {
        if (nodes == MAXIMUM_NODES) return;
        joinNode(nodes, bound(regions, 1, 6));
        signer[nodes + 1] = signerAccount(nodes).addr;
        nodes++;
    }

    function stakeMore(uint256 node, uint256 amount, bool byOperator) external {
        node = _pick(node);
        amount = bound(amount, 1, 1000e18);
        address delegator = byOperator ? nodeRegistry.operatorOf(_id(node)) : makeAddr("delegator");
        giveTokens(delegator, amount);
        // Pools are mostly behind, but never so far that a deposit finds no place.
        if (Epoch.unwrap(staking.poolOf(_id(node)).settled) + 32 < currentEpoch()) {
            staking.settle(_id(node), type(uint32).max);
        }
        vm.prank(delegator);
        staking.delegate(_id(node), Amount.wrap(uint128(amount)));
        reached["stakeMore"]++;
    }

    function stakeLess(uint256 node, uint256 amount, bool byOperator) external {
        node = _pick(node);
        address delegator = byOperator ? nodeRegistry.operatorOf(_id(node)) : makeAddr("delegator");
        staking.settle(_id(node), type(uint32).max);
        uint256 active = Amount.unwrap(staking.delegationOf(_id(node), delegator).active);
        if (active == 0 || staking.unbondingOf(_id(node), delegator).length == 32) return;
        amount = amount % 3 == 0 ? active : bound(amount, 1, active);
        vm.prank(delegator);
        staking.undelegate(_id(node), Amount.wrap(uint128(amount)));
        reached["stakeLess"]++;
    }

    function jail(uint256 node, uint256 epochs) external {
        // Rarely: it takes long to get out again.
        if (epochs % 4 != 0) return;
        node = _pick(node);
        staking.settle(_id(node), type(uint32).max);
        Epoch until = Epoch.wrap(currentEpoch() + uint32(bound(epochs, 1, 5)));
        vm.prank(address(custody));
        staking.slash(_id(node), 100, 0, address(this), until);
        reached["jail"]++;
    }

    function standAgain(uint256 node) external {
        node = _pick(node);
        Epoch until = staking.poolOf(_id(node)).jailedUntil;
        address operator = nodeRegistry.operatorOf(_id(node));
        if (Epoch.unwrap(until) != 0 && until <= committee.currentEpoch()) {
            vm.prank(operator);
            staking.unjail(_id(node));
            reached["unjail"]++;
        }
        try staking.stand(_id(node)) {}
        catch {
            staking.dismiss(_id(node));
        }
    }

    function moveRegion(uint256 node, uint256 region) external {
        node = _pick(node);
        vm.prank(nodeRegistry.operatorOf(_id(node)));
        nodeRegistry.update(
            _id(node), "moved", "http://moved.example", string.concat("region-", vm.toString(region % 6))
        );
    }

    function renewKey(uint256 node) external {
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
        uint256 node = NodeId.unwrap(members[member].nodeId);
        (seatSigner[member], _waitingSigner[node]) = (signer[node], signer[node]);
        reached["refresh"]++;
    }

    function waitAWhile(uint256 duration) external {
        skip(bound(duration, 1, 18 hours));
    }

    /// @dev To the next moment at which something may be called.
    function waitForTheHalf(uint256 halves) external {
        uint256 elapsed = vm.getBlockTimestamp() - 1_800_000_000;
        skip(bound(halves, 1, 3) * 12 hours - elapsed % 12 hours);
    }

    function waitLong(uint256 epochs) external {
        if (epochs % 4 == 0) skip(bound(epochs, 1, 10) * 1 days);
    }

    function openWindow() external {
        uint256 elapsed = (vm.getBlockTimestamp() - 1_800_000_000) % 1 days;
        Epoch epoch = committee.currentEpoch();
        bool opened = Epoch.unwrap(custody.windowOf(epoch).committeeEpoch) != 0;
        if (offices.length == 0 || elapsed < 6 hours || elapsed >= 12 hours || opened) return;
        custody.openWindow();
        reached["openWindow"]++;
    }

    function form() external {
        if (offices.length != 0) {
            try committee.form() {
                wrong = "formed twice";
            } catch {}
            return;
        }
        // All deposits count, from whatever epoch on.
        Epoch any = Epoch.wrap(type(uint32).max);
        (NodeId[] memory eligible,) = staking.candidatesAt(any);
        if (eligible.length == 0) return;
        _expect(committee.currentEpoch(), any);
        committee.form();
        _checkOffice();
    }

    function select() external {
        Epoch target = committee.targetEpoch();
        bool due = offices.length != 0 && target > committee.epoch() && target > committee.selectedEpoch();
        bool over = count(pending) <= committee.faults() || vm.getBlockTimestamp() >= _since + 1 days;
        if (committee.isSelectionDue() != (due && over)) wrong = "due, or not";
        (NodeId[] memory eligible,) = staking.candidatesAt(target);
        if (!due || !over || eligible.length == 0) {
            try committee.selectCommittee() {
                wrong = "selected out of turn";
            } catch {}
            return;
        }
        _expect(target, target);
        vm.expectEmit(address(committee));
        emit ICommittee.CommitteeSelected(target, _selected.members, _selected.assignment, _selected.kept);
        committee.selectCommittee();
        reached[_selected.kept ? "select: kept" : "select: changed"]++;
    }

    function advance() external {
        Epoch current = committee.currentEpoch();
        bool selected = Epoch.unwrap(_selected.epoch) != 0 && _selected.epoch == current;
        if (committee.isAdvanceDue() != selected) wrong = "to be advanced to, or not";
        if (!selected || custody.isOpen()) {
            try committee.advanceEpoch() {
                wrong = "advanced out of turn";
            } catch {}
            if (selected) reached["advance: window open"]++;
            return;
        }
        if (_selected.kept) {
            bytes memory old = abi.encode(committee.members(), committee.assignment(), committee.epoch());
            committee.advanceEpoch();
            bytes memory fresh = abi.encode(committee.members(), committee.assignment(), committee.epoch());
            if (keccak256(old) != keccak256(fresh)) wrong = "kept, but changed";
            _selected.epoch = Epoch.wrap(0);
            reached["advance: kept"]++;
            return;
        }
        Epoch before = committee.epoch();
        vm.expectEmit(address(committee));
        emit ICommittee.EpochChangeStarted(current, before, _selected.moved);
        committee.advanceEpoch();
        if (!(committee.previousEpoch() == before)) wrong = "another one before";
        _checkOffice();
        reached[count(pending) <= committee.faults() ? "advance: done" : "advance: not done"]++;
    }

    function sync(uint256 node, uint256 caller) external {
        node = _pick(node);
        (, uint256 shards) = committee.seatOf(committee.epoch(), _id(node));
        address by = [nodeRegistry.operatorOf(_id(node)), signer[node], makeAddr("stranger")][caller % 3];
        bool due = caller % 3 != 2 && shards & pending != 0;
        vm.prank(by);
        if (!due) {
            try committee.epochSyncDone(_id(node)) {
                wrong = "synced what was not pending, or by a stranger";
            } catch {}
            return;
        }
        committee.epochSyncDone(_id(node));
        pending &= ~shards;
        reached["sync"]++;
    }

    function theCommittee() external view returns (Committee) {
        return committee;
    }

    function theRegistry() external view returns (NodeRegistry) {
        return nodeRegistry;
    }

    function officeCount() external view returns (uint256) {
        return offices.length;
    }

    /// @notice What can be seen of a committee, as one word.
    function seen(Epoch officeEpoch) public view returns (bytes32 digest) {
        digest = keccak256(abi.encode(committee.membersOf(officeEpoch), committee.assignmentOf(officeEpoch)));
        for (uint256 node = 1; node <= nodes; ++node) {
            (uint256 member, uint256 shards) = committee.seatOf(officeEpoch, _id(node));
            // Who joined later did not serve, so it does not matter how many there are.
            if (shards != 0) digest = keccak256(abi.encode(digest, node, member, shards));
        }
    }

    /// @dev Works out who serves what in an epoch: stake by stake, shard by shard, without heap, queue or packed words.
    function _expect(Epoch epoch, Epoch stakesOf) private {
        (uint256[] memory ids, uint256[] memory weights_) = _elected(stakesOf);
        uint256[] memory owners = ownersIn(committee.epoch());
        uint256 shards = committee.shards();
        bytes memory assignment = new bytes(shards);
        uint256 moved = 0;
        uint256[] memory owed = new uint256[](ids.length);
        for (uint256 i = 0; i < owed.length; ++i) {
            owed[i] = weights_[i];
        }
        for (uint256 shard = 0; shard < shards; ++shard) {
            uint256 place = 0;
            while (place < ids.length && (owners.length == 0 || ids[place] != owners[shard])) place++;
            if (place < ids.length && owed[place] > 0) {
                owed[place]--;
                assignment[shard] = bytes1(uint8(place));
            } else {
                moved |= 1 << shard;
            }
        }
        uint256 next = 0;
        for (uint256 shard = 0; shard < shards; ++shard) {
            if ((moved >> shard) & 1 == 0) continue;
            while (owed[next] == 0) next = (next + 1) % owed.length;
            assignment[shard] = bytes1(uint8(next));
            owed[next]--;
            next = (next + 1) % owed.length;
        }
        _selected.epoch = epoch;
        _selected.assignment = assignment;
        _selected.moved = owners.length == 0 ? 0 : moved;
        _selected.members = new NodeId[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            _selected.members[i] = _id(ids[i]);
            _waitingSigner[ids[i]] = signer[ids[i]];
        }
        _selected.kept = moved == 0;
        for (uint256 i = 0; moved == 0 && i < ids.length; ++i) {
            if (seatSigner[i] != signer[ids[i]]) _selected.kept = false;
        }
    }

    /// @dev D'Hondt by looking at everybody for each shard; those without one left out; and I4 of the result.
    function _elected(Epoch epoch) private returns (uint256[] memory ids, uint256[] memory weights_) {
        uint256[] memory stakes;
        (ids, stakes) = _candidates(epoch);
        bytes32[] memory regions = new bytes32[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            regions[i] = nodeRegistry.regionOf(_id(ids[i]));
        }
        (uint256[] memory regionOf, uint256[] memory sizes) = Apportionment.group(regions);
        uint256 shards = committee.shards();
        uint256 faults = committee.faults();
        uint256 nodeCap = Apportionment.nodeCapOf(ids.length, shards, faults);
        uint256 regionCap = Apportionment.regionCapOf(sizes, nodeCap, shards, faults);
        if (sizes.length * faults >= shards && regionCap != faults) wrong = "a region cap above f";
        weights_ = new uint256[](ids.length);
        uint256[] memory held = new uint256[](sizes.length);
        for (uint256 shard = 0; shard < shards; ++shard) {
            uint256 best = ids.length;
            for (uint256 i = 0; i < ids.length; ++i) {
                if (weights_[i] == nodeCap || held[regionOf[i]] == regionCap) continue;
                if (best == ids.length || stakes[i] * (weights_[best] + 1) > stakes[best] * (weights_[i] + 1)) {
                    best = i;
                }
            }
            weights_[best]++;
            held[regionOf[best]]++;
        }
        uint256 size = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (weights_[i] == 0) continue;
            (ids[size], weights_[size]) = (ids[i], weights_[i]);
            size++;
        }
        assembly ("memory-safe") {
            mstore(ids, size)
            mstore(weights_, size)
        }
    }

    /// @dev Those who stand and are eligible, ascending: by asking for every node.
    function _candidates(Epoch epoch) private view returns (uint256[] memory ids, uint256[] memory stakes) {
        ids = new uint256[](nodes);
        stakes = new uint256[](nodes);
        uint256 size = 0;
        for (uint256 node = 1; node <= nodes; ++node) {
            bool jailed = Epoch.unwrap(staking.poolOf(_id(node)).jailedUntil) != 0;
            if (jailed || !staking.isCandidate(_id(node))) continue;
            if (Amount.unwrap(staking.ownStakeAt(_id(node), epoch)) < 1e18) continue;
            ids[size] = node;
            stakes[size++] = Amount.unwrap(staking.stakeAt(_id(node), epoch));
        }
        assembly ("memory-safe") {
            mstore(ids, size)
            mstore(stakes, size)
        }
    }

    /// @dev Holds the committee that took office to what was expected, and remembers it.
    function _checkOffice() private {
        Epoch officeEpoch = committee.epoch();
        if (!(officeEpoch == _selected.epoch)) wrong = "another epoch";
        bytes memory found = abi.encode(committee.membersOf(officeEpoch), committee.assignmentOf(officeEpoch));
        if (keccak256(found) != keccak256(abi.encode(_selected.members, _selected.assignment))) wrong = "another one";
        if (committee.pendingShards() != _selected.moved) wrong = "another set of shards moved";
        if (offices.length != 0) _checkMoved(offices[offices.length - 1], officeEpoch);
        pending = _selected.moved;
        _since = vm.getBlockTimestamp();
        offices.push(officeEpoch);
        historyOf[officeEpoch] = seen(officeEpoch);
        _selected.epoch = Epoch.wrap(0);
        ICommittee.Member[] memory members = committee.members();
        for (uint256 i = 0; i < members.length; i++) {
            seatSigner[i] = _waitingSigner[NodeId.unwrap(members[i].nodeId)];
        }
    }

    /// @dev Each moved shard has another node, each other one the same, and no more moved than weights fell.
    function _checkMoved(Epoch before, Epoch afterwards) private {
        uint256[] memory had = ownersIn(before);
        uint256[] memory has = ownersIn(afterwards);
        for (uint256 shard = 0; shard < had.length; ++shard) {
            if ((_selected.moved >> shard) & 1 == (had[shard] == has[shard] ? 1 : 0)) wrong = "moved, or not";
        }
        uint256 least = 0;
        for (uint256 node = 1; node <= nodes; ++node) {
            (, uint256 old) = committee.seatOf(before, _id(node));
            (, uint256 fresh) = committee.seatOf(afterwards, _id(node));
            if (count(old) > count(fresh)) least += count(old) - count(fresh);
        }
        if (count(_selected.moved) != least) wrong = "moved more than needed";
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
    Committee private committee;

    function setUp() external {
        handler = new CommitteeHandler();
        committee = handler.theCommittee();
        bytes4[] memory actions = new bytes4[](17);
        actions[0] = CommitteeHandler.join.selector;
        actions[1] = CommitteeHandler.stakeMore.selector;
        actions[2] = CommitteeHandler.stakeLess.selector;
        actions[3] = CommitteeHandler.jail.selector;
        actions[4] = CommitteeHandler.standAgain.selector;
        actions[5] = CommitteeHandler.moveRegion.selector;
        actions[6] = CommitteeHandler.renewKey.selector;
        actions[7] = CommitteeHandler.handOver.selector;
        actions[8] = CommitteeHandler.refresh.selector;
        actions[9] = CommitteeHandler.waitAWhile.selector;
        actions[10] = CommitteeHandler.waitForTheHalf.selector;
        actions[11] = CommitteeHandler.waitLong.selector;
        actions[12] = CommitteeHandler.form.selector;
        actions[13] = CommitteeHandler.select.selector;
        actions[14] = CommitteeHandler.advance.selector;
        actions[15] = CommitteeHandler.sync.selector;
        actions[16] = CommitteeHandler.openWindow.selector;
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    /// @dev At every committee: what was expected took office (I4, the fewest shards moved), out of turn nothing did.
    function invariant_I3_I4_exactly_the_committee_that_is_due_serves() external view {
        assertEq(handler.wrong(), "");
        uint256 offices = handler.officeCount();
        assertEq(Epoch.unwrap(committee.epoch()), offices == 0 ? 0 : Epoch.unwrap(handler.offices(offices - 1)));
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
            assertEq(members[i].signer, handler.seatSigner(i));
            total += served[i];
        }
        assertEq(total, members.length == 0 ? 0 : committee.shards());
        // Pending shards come by changes only.
        assertEq(committee.pendingShards(), handler.pending());
        assertLe(Epoch.unwrap(committee.epoch()), Epoch.unwrap(committee.currentEpoch()));
    }

    /// @dev At the end of each run: what was seen of a committee when it took office is seen for ever.
    function afterInvariant() external view {
        for (uint256 i = 0; i < handler.officeCount(); i++) {
            Epoch officeEpoch = handler.offices(i);
            assertEq(handler.seen(officeEpoch), handler.historyOf(officeEpoch));
            if (i > 0) assertLt(Epoch.unwrap(handler.offices(i - 1)), Epoch.unwrap(officeEpoch));
        }
        NodeRegistry registry = handler.theRegistry();
        for (uint32 node = 1; node <= handler.nodes(); node++) {
            assertEq(registry.signerOf(NodeId.wrap(node)), handler.signer(node));
            assertEq(NodeId.unwrap(registry.nodeOfSigner(handler.signer(node))), node);
        }
    }

    /// @dev One walk by dice, long enough that every way of the handler is gone.
    function test_handler__given_a_long_walk__goes_every_way() external {
        uint256 seed = uint256(keccak256("a long walk"));
        handler.form();
        for (uint256 i = 0; i < 1000; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            step(dice % 20, dice >> 16, dice >> 160);
        }
        // A window is opened before anybody advances.
        uint256 start = Timestamp.unwrap(committee.startOf(committee.currentEpoch()));
        vm.warp(start + 4 days + 12 hours);
        handler.select();
        vm.warp(start + 5 days + 6 hours);
        handler.openWindow();
        handler.advance();
        string[13] memory ways = [
            "stakeMore",
            "stakeLess",
            "jail",
            "unjail",
            "refresh",
            "openWindow",
            "select: kept",
            "select: changed",
            "advance: window open",
            "advance: kept",
            "advance: done",
            "advance: not done",
            "sync"
        ];
        for (uint256 i = 0; i < ways.length; ++i) {
            assertGt(handler.reached(ways[i]), 0, ways[i]);
        }
        assertEq(handler.wrong(), "");
        assertEq(handler.nodes(), handler.MAXIMUM_NODES());
    }

    function step(uint256 what, uint256 a, uint256 b) private {
        if (what == 0) handler.join(a);
        else if (what == 1) handler.stakeMore(a, b, b % 2 == 0);
        else if (what == 2) handler.stakeLess(a, b, b % 2 == 0);
        else if (what == 3) handler.jail(a, b);
        else if (what == 4) handler.standAgain(a);
        else if (what == 5) handler.moveRegion(a, b);
        else if (what == 6) handler.renewKey(a);
        else if (what == 7) handler.refresh(a);
        else if (what < 10) handler.waitAWhile(a);
        else if (what < 12) handler.waitForTheHalf(a);
        else if (what == 12) handler.waitLong(a);
        else if (what == 13) handler.openWindow();
        else if (what < 16) handler.select();
        else if (what < 18) handler.advance();
        else handler.sync(a, b);
    }
}
