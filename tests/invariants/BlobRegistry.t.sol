// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {System} from "../contracts/support/System.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @dev Three owners register, extend, transfer and delete; members certify and invalidate; time passes. Beside the contract
/// it keeps what each object should be, and notes when something passed that must not.
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

    mapping(uint256 blobObject => Object) public objects;
    mapping(BlobId => bool) public invalid;
    uint256 public registered;
    bool public certifiedWithoutQuorum;
    bool public deletedAgainstTheRules;
    bool public refusedWhatWasDue;

    constructor() {
        deploySystem(defaultParameters());
        formCommittee(10, 4);
        for (uint256 i = 0; i < OWNERS; ++i) {
            giveTokens(ownerAt(i), 1e24);
        }
    }

    function register(uint256 who, uint256 what, uint64 size, uint32 epochs, bool deletable) public {
        IBlobRegistry.Registration memory registration = IBlobRegistry.Registration({
            blobId: idAt(what),
            size: uint64(bound(size, 0, 2 ** 40 - 1)),
            epochs: uint32(bound(epochs, 1, 10)),
            deletable: deletable
        });
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
            if (!due) certifiedWithoutQuorum = true;
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
        vm.prank(ownerAt(who));
        registry.extend(blobObject, epochs);
        object.end += epochs;
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
        try registry.deleteBlob(blobObject) {
            if (!due) deletedAgainstTheRules = true;
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

    function wait(uint32 time) external {
        skip(bound(time, 1, 2 days));
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

    function ownerAt(uint256 who) public returns (address) {
        return makeAddr(string.concat("owner ", vm.toString(who % OWNERS)));
    }

    function reserveAndIncome() external view returns (uint256 reserve, uint256 income) {
        reserve = Amount.unwrap(vault.reserveOf(address(fees)));
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

contract BlobRegistryInvariantTest is InvariantTest {
    BlobHandler private handler;

    function setUp() public {
        handler = new BlobHandler();
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = BlobHandler.register.selector;
        selectors[1] = BlobHandler.certify.selector;
        selectors[2] = BlobHandler.extend.selector;
        selectors[3] = BlobHandler.transfer.selector;
        selectors[4] = BlobHandler.deleteBlob.selector;
        selectors[5] = BlobHandler.invalidate.selector;
        selectors[6] = BlobHandler.wait.selector;
        targetSelector(address(handler), selectors);
    }

    /// forge-config: default.invariant.runs = 16
    function invariant_objects_are_what_was_done_to_them() external view {
        for (uint256 id = 1; id <= handler.registered(); ++id) {
            (address owner, BlobId blobId, uint32 end, bool deletable,) = handler.objects(id);
            IBlobRegistry.BlobObject memory blob = handler.actual(id);
            assertEq(uint256(blob.status), uint256(handler.expectedStatus(id)));
            assertEq(blob.owner, owner);
            assertEq(BlobId.unwrap(blob.blobId), BlobId.unwrap(blobId));
            assertEq(Epoch.unwrap(blob.end), end);
            assertEq(blob.deletable, deletable);
        }
    }

    /// forge-config: default.invariant.runs = 16
    function invariant_balances_count_objects() external {
        for (uint256 i = 0; i < handler.OWNERS(); ++i) {
            address owner = handler.ownerAt(i);
            uint256 count = 0;
            for (uint256 id = 1; id <= handler.registered(); ++id) {
                if (handler.actual(id).owner == owner) ++count;
            }
            assertEq(handler.balanceOf(owner), count);
        }
    }

    /// forge-config: default.invariant.runs = 16
    function invariant_only_quorums_certify_and_only_owners_delete() external view {
        assertFalse(handler.certifiedWithoutQuorum());
        assertFalse(handler.deletedAgainstTheRules());
        assertFalse(handler.refusedWhatWasDue());
    }

    /// forge-config: default.invariant.runs = 6
    function invariant_I1_reserve_equals_the_income_of_all_epochs() external view {
        (uint256 reserve, uint256 income) = handler.reserveAndIncome();
        assertEq(reserve, income);
    }
}
