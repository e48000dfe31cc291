// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {BlobSampler} from "../../contracts/custody/BlobSampler.sol";
import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {IBlobSampler} from "../../contracts/interfaces/IBlobSampler.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {CustodyFixture} from "./support/CustodyFixture.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

/// @dev The sampler with a window that the test opens, in epoch 10.
contract SamplerHarness is BlobSampler {
    bool private _open;

    constructor(IBlobRegistry registry) BlobSampler(registry) {}

    function setOpen(bool open) external {
        _open = open;
    }

    function freeze() external returns (uint8) {
        return _freeze();
    }

    function frozenWeight(uint8 words) external view returns (uint256) {
        return _frozenSet(words).weight;
    }

    function draw(uint8 words, uint256 drawn) external view returns (uint256) {
        return _draw(_frozenSet(words), drawn);
    }

    function isOpen() public view override returns (bool) {
        return _open;
    }

    function _currentEpoch() internal pure override returns (Epoch) {
        return Epoch.wrap(10);
    }
}

/// @dev In the place of the registry: objects are due for ever until the test ends them.
contract EntryRegistry {
    mapping(uint256 blobObject => bool) public isOver;
    mapping(uint256 blobObject => uint256) public forgotten;

    function end(uint256 blobObject) external {
        isOver[blobObject] = true;
    }

    function forget(uint256 blobObject) external {
        ++forgotten[blobObject];
    }

    function custodyOf(uint256 blobObject) external view returns (BlobId, uint64, Epoch) {
        return (BlobId.wrap(bytes32(blobObject)), 1, Epoch.wrap(isOver[blobObject] ? 10 : 11));
    }
}

contract BlobSamplerTest is Test {
    SamplerHarness private sampler;
    EntryRegistry private registry;
    uint256[][32] private model;

    function setUp() public {
        registry = new EntryRegistry();
        sampler = new SamplerHarness(IBlobRegistry(address(registry)));
    }

    // add

    function test_add__when_the_caller_is_not_the_registry__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                IBlobSampler.BlobSampler_CallerNotRegistry.selector, address(registry), address(this)
            )
        );
        sampler.add(1, 1);
    }

    function test_add__when_the_id_has_more_than_32_bits__reverts(uint256 id) external {
        id = bound(id, 2 ** 32, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 32, id));
        vm.prank(address(registry));
        sampler.add(id, 1);
    }

    function test_add__given_sizes_at_the_borders__each_class_holds_a_doubling() external {
        assertClass(0, 0);
        assertClass(8191, 0);
        for (uint256 class = 1; class < 32; ++class) {
            assertClass(uint64(2 ** (class + 12)), class);
            assertClass(uint64(2 ** (class + 13) - 1), class);
        }
        assertClass(type(uint64).max, 31);
    }

    function test_add__given_many__each_stands_at_its_place() external {
        for (uint256 i = 0; i < 300; ++i) {
            enter(1000 + i, 2 ** 20);
            enter(5000 + i, 2 ** 21);
        }
        assertLists();
        assertEq(sampler.entryCounts()[8], 300);
        assertEq(sampler.entryCounts()[9], 300);
    }

    function test_add__when_an_object_enters__says_where() external {
        enter(3, 2 ** 20);
        vm.expectEmit(address(sampler));
        emit IBlobSampler.SampleAdded(type(uint32).max, 8, 1);
        enter(type(uint32).max, 2 ** 20);
    }

    // entries

    function test_entries__given_any_range__gives_what_there_is(uint256 first, uint256 count) external {
        for (uint256 i = 0; i < 20; ++i) {
            enter(1 + i, 1);
        }
        first = bound(first, 0, 30);
        count = bound(count, 0, 30);
        uint256[] memory found = sampler.entries(0, first, count);
        uint256 expected = first >= 20 ? 0 : count < 20 - first ? count : 20 - first;
        assertEq(found.length, expected);
        for (uint256 i = 0; i < expected; ++i) {
            assertEq(found[i], 1 + first + i);
        }
        assertEq(sampler.entries(1, 0, 10).length, 0);
        assertEq(sampler.entries(32, 0, 10).length, 0);
        assertEq(sampler.entries(type(uint256).max, 0, type(uint256).max).length, 0);
    }

    // sweep

    function test_sweep__when_a_window_is_open__reverts() external {
        enter(1, 1);
        registry.end(1);
        sampler.setOpen(true);
        vm.expectRevert(IBlobSampler.BlobSampler_WindowOpen.selector);
        sampler.sweep(0, only(0));
    }

    function test_sweep__when_there_is_no_such_entry__reverts(uint256 class, uint256 index) external {
        enter(1, 1);
        registry.end(1);
        class = bound(class, 1, type(uint256).max);
        expectUnknown(class, 0, index);
        sampler.sweep(class, only(index));
        index = bound(index, 1, type(uint256).max);
        expectUnknown(0, 1, index);
        sampler.sweep(0, only(index));
    }

    function test_sweep__when_an_object_is_still_due__sweeps_none() external {
        enter(1, 1);
        enter(2, 1);
        registry.end(2);
        uint256[] memory indexes = new uint256[](2);
        indexes[0] = 1;
        vm.expectRevert(abi.encodeWithSelector(IBlobSampler.BlobSampler_StillDue.selector, 1));
        sampler.sweep(0, indexes);
        assertLists();
    }

    function test_sweep__when_indexes_ascend__reverts() external {
        for (uint256 i = 1; i <= 3; ++i) {
            enter(i, 1);
            registry.end(i);
        }
        uint256[] memory indexes = new uint256[](2);
        indexes[1] = 2;
        expectUnknown(0, 2, 2);
        sampler.sweep(0, indexes);
    }

    function test_sweep__when_an_index_stands_twice__takes_what_moved_there_only_if_it_is_over() external {
        for (uint256 i = 1; i <= 3; ++i) {
            enter(i, 1);
        }
        registry.end(1);
        vm.expectRevert(abi.encodeWithSelector(IBlobSampler.BlobSampler_StillDue.selector, 3));
        sampler.sweep(0, new uint256[](2));
    }

    function test_sweep__when_in_the_middle__the_last_one_takes_its_place() external {
        for (uint256 i = 1; i <= 40; ++i) {
            enter(i, 1);
        }
        registry.end(5);
        vm.expectEmit(address(sampler));
        emit IBlobSampler.SampleRemoved(5, 0, 4, 40);
        sampler.sweep(0, only(4));
        assertEq(sampler.entries(0, 4, 1)[0], 40);
        assertEq(sampler.entries(0, 0, 100).length, 39);
        assertEq(registry.forgotten(5), 1);
    }

    function test_sweep__when_all_are_over__sweeps_all_and_takes_new_ones() external {
        uint256[] memory indexes = new uint256[](150);
        for (uint256 i = 0; i < 150; ++i) {
            enter(1 + i, 1);
            registry.end(1 + i);
            indexes[i] = 149 - i;
        }
        sampler.sweep(0, indexes);
        delete model[0];
        assertLists();
        enter(500, 1);
        assertLists();
    }

    function test_sweep__given_any_order_of_additions_and_sweeps__equals_plain_arrays(uint256[60] calldata steps)
        external
    {
        uint256 next = 1;
        for (uint256 i = 0; i < steps.length; ++i) {
            uint256 class = steps[i] % 3;
            uint256 length = model[class].length;
            if (length == 0 || steps[i] >> 8 & 3 != 0) {
                enter(next++, uint64(2 ** (class + 12)));
                continue;
            }
            uint256 index = (steps[i] >> 16) % length;
            registry.end(model[class][index]);
            sampler.sweep(class, only(index));
            model[class][index] = model[class][length - 1];
            model[class].pop();
        }
        assertLists();
    }

    // what a window draws

    function test_draw__given_all_words_below_the_weight__each_object_is_drawn_by_its_weight() external {
        // Classes 0, 3 and 9: words 0 and 1 of the lengths.
        enter(1, 1);
        enter(2, 4096);
        enter(3, 2 ** 15);
        enter(4, 2 ** 21);
        enter(5, 2 ** 21 + 1);
        uint8 words = sampler.freeze();
        assertEq(words, 3);
        assertEq(sampler.frozenWeight(words), 1034);
        // From the highest class down.
        uint256[5] memory ends = [uint256(512), 1024, 1032, 1033, 1034];
        uint256[5] memory objects = [uint256(4), 5, 3, 1, 2];
        uint256 drawn = 0;
        for (uint256 k = 0; k < 5; ++k) {
            for (; drawn < ends[k]; ++drawn) {
                assertEq(sampler.draw(words, drawn), objects[k]);
                assertEq(sampler.draw(words, drawn + 7 * 1034), objects[k]);
            }
        }
    }

    function test_draw__when_objects_enter_after_the_freeze__they_are_not_drawn(uint256 drawn, uint8 more) external {
        for (uint256 i = 1; i <= 20; ++i) {
            enter(i, uint64(2 ** (12 + i % 4)));
        }
        uint8 words = sampler.freeze();
        uint256 before = sampler.draw(words, drawn);
        for (uint256 i = 0; i < more; ++i) {
            enter(100 + i, uint64(2 ** (12 + i % 32)));
        }
        assertEq(sampler.draw(words, drawn), before);
    }

    function test_freeze__when_words_are_empty__they_are_left_out() external {
        assertEq(sampler.freeze(), 0);
        enter(1, uint64(2 ** 43));
        assertEq(sampler.freeze(), 8);
        assertEq(sampler.frozenWeight(8), 2 ** 31);
        enter(2, 1);
        assertEq(sampler.freeze(), 9);
        registry.end(1);
        sampler.sweep(31, only(0));
        assertEq(sampler.freeze(), 1);
        assertEq(sampler.frozenWeight(1), 1);
    }

    function enter(uint256 blobObject, uint64 size) private {
        vm.prank(address(registry));
        sampler.add(blobObject, size);
        uint256 class = 0;
        while (class < 31 && uint256(size) >> (class + 13) != 0) ++class;
        model[class].push(blobObject);
    }

    function assertClass(uint64 size, uint256 class) private {
        uint256 count = sampler.entryCounts()[class];
        vm.expectEmit(address(sampler));
        emit IBlobSampler.SampleAdded(1, class, count);
        vm.prank(address(registry));
        sampler.add(1, size);
        assertEq(sampler.entryCounts()[class], count + 1);
    }

    function assertLists() private view {
        for (uint256 class = 0; class < 32; ++class) {
            assertEq(sampler.entries(class, 0, type(uint256).max), model[class]);
            assertEq(sampler.entryCounts()[class], model[class].length);
        }
    }

    function expectUnknown(uint256 class, uint256 count, uint256 index) private {
        vm.expectRevert(abi.encodeWithSelector(IBlobSampler.BlobSampler_UnknownEntry.selector, class, count, index));
    }

    function only(uint256 index) private pure returns (uint256[] memory indexes) {
        indexes = new uint256[](1);
        indexes[0] = index;
    }
}

/// @dev Sweeping with the real registry: whatever happened to an object, it can be swept once it is over, and only then.
contract BlobSamplerRegistryTest is CustodyFixture {
    uint32 private constant EPOCHS = 2;

    function setUp() public {
        deployCustody();
        readBlobs();
    }

    function test_sweep__given_any_life_of_an_object__it_leaves_once_it_is_over(uint8 life) external {
        // Bits: extend, delete, invalidate before the deletion, after it, in the next epoch, wait for the end.
        uint256 blobObject = certifyEncoded(SMALL, EPOCHS);
        uint256 other = certifyEncoded(BYTE, EPOCHS);
        uint32 over = 1 + EPOCHS;
        bool invalid = false;
        bool deleted = false;
        if (life & 1 != 0) {
            vm.prank(owner);
            registry.extend(blobObject, 3);
            over += 3;
        }
        if (life & 4 != 0) invalid = invalidateOnce(invalid);
        if (life & 2 != 0 && !invalid) {
            vm.prank(owner);
            registry.deleteBlob(blobObject);
            (deleted, over) = (true, 2);
        }
        if (life & 8 != 0) invalid = invalidateOnce(invalid);
        if (!invalid) {
            expectDue(blobObject);
            warpTo(2);
            if (life & 16 != 0) invalid = invalidateOnce(invalid);
        }
        if (!invalid && currentEpoch() < over) {
            expectDue(blobObject);
            warpTo(over);
        }
        if (life & 32 != 0) warpTo(over + 10);
        if (life & 64 != 0) invalid = invalidateOnce(invalid);

        custody.sweep(1, new uint256[](1));
        assertEq(custody.entryCounts()[1], 0);
        (BlobId known,,) = registry.custodyOf(blobObject);
        assertEq(BlobId.unwrap(known), deleted ? bytes32(0) : BlobId.unwrap(encoded[SMALL].blobId));
        IBlobRegistry.Status status = registry.statusOf(blobObject);
        assertEq(
            uint256(status),
            uint256(
                deleted
                    ? IBlobRegistry.Status.Unknown
                    : invalid ? IBlobRegistry.Status.Invalid : IBlobRegistry.Status.Expired
            )
        );
        // It cannot come back.
        uint256 signers = bitmap(0, 7);
        bytes memory signatures = attestations(other, signers);
        vm.expectRevert();
        registry.certify(blobObject, signers, signatures);
        assertEq(custody.entryCounts()[0], 1);
    }

    function test_sweep__when_the_window_is_open__reverts_until_it_closes() external {
        certifyEncoded(SMALL, 1);
        ask(2, keccak256("seed"));
        vm.expectRevert(IBlobSampler.BlobSampler_WindowOpen.selector);
        custody.sweep(1, new uint256[](1));
        warpToQuarter(2, 3);
        custody.sweep(1, new uint256[](1));
        assertEq(custody.entryCounts()[1], 0);
    }

    function test_sweep__when_no_window_was_opened__works_at_any_time() external {
        certifyEncoded(SMALL, 1);
        warpToQuarter(2, 1);
        custody.sweep(1, new uint256[](1));
        assertEq(custody.entryCounts()[1], 0);
    }

    function test_forget__when_the_caller_is_not_the_custody_contract__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                IBlobRegistry.BlobRegistry_CallerNotCustody.selector, address(custody), address(this)
            )
        );
        registry.forget(1);
    }

    function test_forget__when_the_object_is_still_due__reverts() external {
        uint256 blobObject = certifyEncoded(SMALL, EPOCHS);
        vm.startPrank(address(custody));
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_StillKept.selector, blobObject));
        registry.forget(blobObject);
        vm.stopPrank();
    }

    function test_custodyOf__when_never_certified__knows_nothing() external {
        vm.prank(owner);
        uint256 blobObject = registry.register(defaultRegistration());
        (BlobId known, uint64 size, Epoch until) = registry.custodyOf(blobObject);
        assertEq(abi.encode(known, size, until), abi.encode(0, 0, 0));
    }

    function test_custodyOf__when_a_blob_is_invalid__only_its_objects_are_over() external {
        uint256 small = certifyEncoded(SMALL, EPOCHS);
        uint256 one = certifyEncoded(BYTE, EPOCHS);
        invalidateBlob(encoded[SMALL].blobId);
        (BlobId known, uint64 size, Epoch until) = registry.custodyOf(small);
        assertEq(abi.encode(known, size, until), abi.encode(encoded[SMALL].blobId, encoded[SMALL].size, 0));
        (known, size, until) = registry.custodyOf(one);
        assertEq(abi.encode(known, size, until), abi.encode(encoded[BYTE].blobId, 1, 1 + EPOCHS));
    }

    function invalidateOnce(bool invalid) private returns (bool) {
        if (!invalid) invalidateBlob(encoded[SMALL].blobId);
        return true;
    }

    function expectDue(uint256 blobObject) private {
        vm.expectRevert(abi.encodeWithSelector(IBlobSampler.BlobSampler_StillDue.selector, blobObject));
        custody.sweep(1, new uint256[](1));
    }
}
