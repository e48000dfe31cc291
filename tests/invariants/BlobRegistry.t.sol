// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {System} from "../contracts/support/System.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @dev Three owners register, extend, transfer and delete; members certify, invalidate and vote for prices; windows are
/// opened, what is over is swept, incomes are paid and burned; time passes. Beside the contracts it keeps what each object
/// should be and what nodes may be asked about it, and notes when something passed that must not.
contract BlobHandler is System {
    uint256 public constant OWNERS = 3;
    uint256 public constant BLOBS = 4;

    struct Object {
        address owner;
        BlobId blobId;
        uint32 end;
        bool deletable;
        bool certified;
    }

    /// @dev What nodes may be asked about.
    struct Kept {
        BlobId blobId;
        uint64 size;
        uint32 until;
    }

    mapping(uint256 blobObject => Object) public objects;
    mapping(uint256 blobObject => Kept) private _kept;
    mapping(BlobId => bool) public invalid;
    uint256 public paid;
    uint256 public refunded;
    uint256 private _stakeBefore;
    address[3] private _owners;
    uint256 public registered;
    bool public certifiedWithoutQuorum;
    bool public deletedAgainstTheRules;
    bool public refusedWhatWasDue;
    bool public sweptWhatWasDue;
    bool public talliedOutOfTurn;
    /// @dev How often each way was gone, for a test that all are.
    mapping(string way => uint256) public reached;

    constructor() {
        deploySystem(defaultParameters());
        formCommittee(10, 4);
        for (uint256 i = 0; i < OWNERS; ++i) {
            _owners[i] = makeAddr(string.concat("owner ", vm.toString(i)));
            giveTokens(_owners[i], 1e24);
        }
        _stakeBefore = Amount.unwrap(staking.totalStake());
    }

    function register(uint256 who, uint256 what, uint64 size, uint32 epochs, bool deletable) public {
        IBlobRegistry.Registration memory registration = IBlobRegistry.Registration({
            blobId: idAt(what),
            size: uint64(bound(size, 0, 2 ** 40 - 1)),
            epochs: uint32(bound(epochs, 1, 10)),
            deletable: deletable
        });
        paid += priceOf(registration.size, registration.epochs);
        vm.prank(ownerAt(who));
        uint256 blobObject = registry.register(registration);
        objects[blobObject] =
            Object(ownerAt(who), registration.blobId, currentEpoch() + registration.epochs, deletable, false);
        registered = blobObject;
    }

    function certify(uint256 which, uint256 signers) external {
        if (registered == 0) return;
        uint256 blobObject = pick(which);
        signers = which % 2 == 0 ? bitmap(0, 7) : bound(signers, 1, bitmap(0, 10));
        uint256 weight = 0;
        for (uint256 i = 0; i < 10; ++i) {
            weight += signers >> i & 1;
        }
        Object storage object = objects[blobObject];
        bool due = weight >= 7 && isLive(object) && !object.certified;
        bytes memory signatures = attestations(blobObject, signers);
        try registry.certify(blobObject, signers, signatures) {
            object.certified = true;
            _kept[blobObject] = Kept(object.blobId, registry.blobOf(blobObject).size, object.end);
            if (!due) certifiedWithoutQuorum = true;
            reached["certify"]++;
        } catch {
            if (due) refusedWhatWasDue = true;
        }
    }

    function extend(uint256 who, uint256 which, uint32 epochs) external {
        if (registered == 0) return;
        uint256 blobObject = pick(which);
        Object storage object = objects[blobObject];
        if (!isLive(object)) return;
        epochs = uint32(bound(epochs, 1, 5));
        if (object.end + epochs - currentEpoch() > 50) return;
        uint256 before = token.balanceOf(ownerAt(who));
        vm.prank(ownerAt(who));
        registry.extend(blobObject, epochs);
        paid += before - token.balanceOf(ownerAt(who));
        object.end += epochs;
        if (object.certified) _kept[blobObject].until = object.end;
        reached["extend"]++;
    }

    function transfer(uint256 which, uint256 to) external {
        if (registered == 0) return;
        uint256 blobObject = pick(which);
        Object storage object = objects[blobObject];
        if (object.owner == address(0)) return;
        vm.prank(object.owner);
        registry.transferFrom(object.owner, ownerAt(to), blobObject);
        object.owner = ownerAt(to);
    }

    function deleteBlob(uint256 who, uint256 which) external {
        if (registered == 0) return;
        uint256 blobObject = pick(which);
        Object storage object = objects[blobObject];
        address caller = ownerAt(who);
        bool due = isLive(object) && object.deletable && object.owner == caller;
        vm.prank(caller);
        try registry.deleteBlob(blobObject) returns (Amount amount) {
            if (!due) deletedAgainstTheRules = true;
            refunded += Amount.unwrap(amount);
            if (object.certified) {
                _kept[blobObject].until = currentEpoch() + 1;
                reached["delete: certified"]++;
            }
            delete objects[blobObject];
        } catch {
            if (due) refusedWhatWasDue = true;
        }
    }

    function invalidate(uint256 what) external {
        // Rarely: nothing can be done with a blob afterwards.
        if (what % 8 != 0) return;
        BlobId id = idAt(what / 8);
        if (invalid[id]) return;
        bytes memory signatures = signaturesOf(registry.invalidityDigest(id, committee.epoch()), bitmap(5, 4));
        registry.invalidate(id, bitmap(5, 4), signatures);
        invalid[id] = true;
    }

    function vote(uint256 node, uint256 unitPrice, uint256 writeFee) external {
        // Members that want the same move a price.
        node = node % 10;
        for (uint256 i = 0; i < 1 + node; ++i) {
            address operator = makeAddr(string.concat("operator ", vm.toString(i)));
            vm.prank(operator);
            prices.vote(
                NodeId.wrap(uint32(i + 1)), Amount.wrap(uint128(unitPrice % 4000)), Amount.wrap(uint128(writeFee % 300))
            );
        }
    }

    function tally() external {
        uint32 next = currentEpoch() + 1;
        if (Epoch.unwrap(committee.targetEpoch()) < next || Epoch.unwrap(prices.talliedFor()) >= next) {
            try prices.tally() {
                talliedOutOfTurn = true;
            } catch {}
            return;
        }
        (Amount before,) = fees.pricesAt(Epoch.wrap(next));
        (Amount unitPrice,) = prices.tally();
        if (!(before == unitPrice)) reached["tally: another price"]++;
    }

    function openWindow() external {
        uint256 elapsed = (vm.getBlockTimestamp() - Timestamp.unwrap(committee.startOf(Epoch.wrap(1)))) % 1 days;
        bool opened = Epoch.unwrap(custody.windowOf(committee.currentEpoch()).committeeEpoch) != 0;
        if (elapsed < 6 hours || elapsed >= 12 hours || opened) return;
        custody.openWindow();
        reached[custody.windowOf(committee.currentEpoch()).empty ? "window: empty" : "window: to prove"]++;
    }

    function settlePool(uint256 node, uint32 maximum) external {
        uint256 before = Amount.unwrap(staking.totalStake());
        staking.settle(NodeId.wrap(uint32(1 + node % 10)), 1 + maximum % 40);
        if (Amount.unwrap(staking.totalStake()) > before) reached["paid out"]++;
    }

    function burnUnearned(uint32 maximum) external {
        uint256 before = token.totalSupply();
        rewards.burnUnearned(maximum % 10);
        if (token.totalSupply() < before) reached["burned"]++;
    }

    function settleLines(uint32 maximum) external {
        fees.settle(maximum % 10);
    }

    function sweep(uint256 class, uint256 index) external {
        uint32[] memory counts = custody.entryCounts();
        class = class % counts.length;
        for (uint256 i = 0; counts[class] == 0; ++i) {
            if (i == counts.length) return;
            class = (class + 1) % counts.length;
        }
        uint256[] memory indexes = new uint256[](1);
        indexes[0] = index % counts[class];
        uint256 blobObject = custody.entries(class, indexes[0], 1)[0];
        Kept storage kept = _kept[blobObject];
        bool over = kept.until <= currentEpoch() || invalid[kept.blobId];
        if (custody.isOpen() || !over) {
            try custody.sweep(class, indexes) {
                sweptWhatWasDue = true;
            } catch {}
            return;
        }
        custody.sweep(class, indexes);
        if (objects[blobObject].owner == address(0)) {
            delete _kept[blobObject];
            reached["sweep: deleted"]++;
        } else {
            reached["sweep: expired"]++;
        }
    }

    function wait(uint32 time) external {
        skip(bound(time, 1, 2 days));
    }

    /// @dev To the next quarter of an epoch, where windows open.
    function waitForTheWindow() external {
        uint256 elapsed = (vm.getBlockTimestamp() - Timestamp.unwrap(committee.startOf(Epoch.wrap(1)))) % 1 days;
        skip((elapsed < 6 hours ? 6 hours : 30 hours) - elapsed);
    }

    /// @notice Whether the registry tells of an object what nodes may be asked about it.
    function keepsWhatIsAsked(uint256 blobObject) external view returns (bool) {
        Kept storage kept = _kept[blobObject];
        (BlobId blobId, uint64 size, Epoch until) = registry.custodyOf(blobObject);
        uint32 expected = invalid[kept.blobId] ? 0 : kept.until;
        return blobId == kept.blobId && size == kept.size && Epoch.unwrap(until) == expected;
    }

    function expectedStatus(uint256 blobObject) external view returns (IBlobRegistry.Status) {
        Object storage object = objects[blobObject];
        if (object.owner == address(0)) return IBlobRegistry.Status.Unknown;
        if (invalid[object.blobId]) return IBlobRegistry.Status.Invalid;
        if (object.end <= currentEpoch()) return IBlobRegistry.Status.Expired;
        return object.certified ? IBlobRegistry.Status.Certified : IBlobRegistry.Status.Registered;
    }

    function actual(uint256 blobObject) external view returns (IBlobRegistry.BlobObject memory) {
        return registry.blobOf(blobObject);
    }

    function balanceOf(address owner) external view returns (uint256) {
        return registry.balanceOf(owner);
    }

    function ownerAt(uint256 who) public view returns (address) {
        return _owners[who % OWNERS];
    }

    /// @notice What the fees hold, and what of them became stake or was burned.
    function money() external view returns (uint256 reserve, uint256 paidOut, uint256 burned) {
        reserve = Amount.unwrap(vault.reserveOf(address(fees)));
        paidOut = Amount.unwrap(staking.totalStake()) - _stakeBefore;
        burned = SUPPLY - token.totalSupply();
    }

    /// @notice What all epochs earn.
    function incomeInAll() external returns (uint256 income) {
        fees.settle(type(uint32).max);
        for (uint32 epoch = 1; epoch < currentEpoch() + 50; ++epoch) {
            income += Amount.unwrap(fees.incomeOf(Epoch.wrap(epoch)));
        }
    }

    function pick(uint256 which) private view returns (uint256) {
        return 1 + which % registered;
    }

    function isLive(Object storage object) private view returns (bool) {
        return object.owner != address(0) && object.end > currentEpoch() && !invalid[object.blobId];
    }

    function idAt(uint256 what) private pure returns (BlobId) {
        return BlobId.wrap(bytes32(1 + what % BLOBS));
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract BlobRegistryInvariantTest is InvariantTest {
    BlobHandler private handler;

    function setUp() public {
        handler = new BlobHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](15);
        selectors[0] = BlobHandler.register.selector;
        selectors[1] = BlobHandler.certify.selector;
        selectors[2] = BlobHandler.extend.selector;
        selectors[3] = BlobHandler.transfer.selector;
        selectors[4] = BlobHandler.deleteBlob.selector;
        selectors[5] = BlobHandler.invalidate.selector;
        selectors[6] = BlobHandler.wait.selector;
        selectors[7] = BlobHandler.vote.selector;
        selectors[8] = BlobHandler.tally.selector;
        selectors[9] = BlobHandler.openWindow.selector;
        selectors[10] = BlobHandler.settlePool.selector;
        selectors[11] = BlobHandler.burnUnearned.selector;
        selectors[12] = BlobHandler.settleLines.selector;
        selectors[13] = BlobHandler.sweep.selector;
        selectors[14] = BlobHandler.waitForTheWindow.selector;
        targetSelector(address(handler), selectors);
    }

    function invariant_objects_are_what_was_done_to_them() external view {
        uint256[] memory counts = new uint256[](handler.OWNERS());
        for (uint256 id = 1; id <= handler.registered(); ++id) {
            (address owner, BlobId blobId, uint32 end, bool deletable,) = handler.objects(id);
            IBlobRegistry.BlobObject memory blob = handler.actual(id);
            assertEq(uint256(blob.status), uint256(handler.expectedStatus(id)));
            assertEq(blob.owner, owner);
            assertEq(BlobId.unwrap(blob.blobId), BlobId.unwrap(blobId));
            assertEq(Epoch.unwrap(blob.end), end);
            assertEq(blob.deletable, deletable);
            assertTrue(handler.keepsWhatIsAsked(id));
            for (uint256 i = 0; i < counts.length; ++i) {
                if (blob.owner == handler.ownerAt(i)) ++counts[i];
            }
        }
        for (uint256 i = 0; i < counts.length; ++i) {
            assertEq(handler.balanceOf(handler.ownerAt(i)), counts[i]);
        }
        assertFalse(handler.certifiedWithoutQuorum());
        assertFalse(handler.deletedAgainstTheRules());
        assertFalse(handler.refusedWhatWasDue());
        assertFalse(handler.sweptWhatWasDue());
        assertFalse(handler.talliedOutOfTurn());
    }

    function invariant_I1_every_wei_that_was_paid_is_held_paid_out_or_burned() external view {
        (uint256 reserve, uint256 paidOut, uint256 burned) = handler.money();
        assertEq(reserve + paidOut + burned, handler.paid() - handler.refunded());
    }

    /// @dev At the end of each run: all that was paid and not given back is the income of some epoch.
    function afterInvariant() external {
        assertEq(handler.incomeInAll(), handler.paid() - handler.refunded());
    }

    /// @dev One walk by dice, long enough that every way of the handler is gone.
    function test_handler__given_a_long_walk__goes_every_way() external {
        // An epoch in which something was paid and nothing had to be proved.
        handler.register(0, 0, 2 ** 20, 5, false);
        handler.waitForTheWindow();
        handler.openWindow();
        for (uint256 i = 0; i < 800; ++i) {
            uint256 dice = uint256(keccak256(abi.encode("a long walk", i)));
            step(dice % 18, dice >> 16, dice >> 160);
        }
        string[10] memory ways = [
            "certify",
            "extend",
            "delete: certified",
            "tally: another price",
            "window: empty",
            "window: to prove",
            "paid out",
            "burned",
            "sweep: deleted",
            "sweep: expired"
        ];
        for (uint256 i = 0; i < ways.length; ++i) {
            assertGt(handler.reached(ways[i]), 0, ways[i]);
        }
    }

    function step(uint256 what, uint256 a, uint256 b) private {
        if (what < 2) {
            handler.register(a, b, uint64(b), uint32(a), b % 4 != 0);
        } else if (what < 4) {
            handler.certify(2 * a, b);
        } else if (what == 4) {
            handler.certify(a, b);
        } else if (what == 5) {
            handler.extend(a, b, uint32(a));
        } else if (what == 6) {
            handler.transfer(a, b);
        } else if (what < 9) {
            handler.deleteBlob(a, b);
        } else if (what == 9) {
            handler.wait(uint32(a));
        } else if (what == 10) {
            handler.vote(a, a >> 8, b);
        } else if (what == 11) {
            handler.tally();
        } else if (what == 12) {
            handler.openWindow();
        } else if (what == 13) {
            handler.settlePool(a, uint32(b));
        } else if (what == 14) {
            handler.burnUnearned(uint32(a));
        } else if (what == 15) {
            handler.settleLines(uint32(a));
        } else if (what == 16) {
            for (uint256 i = 0; i < 8; ++i) {
                handler.sweep(a + i, b >> i);
            }
        } else {
            handler.waitForTheWindow();
        }
        if (what == 17) handler.openWindow();
    }
}
