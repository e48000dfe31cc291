// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IBlobAttributes} from "../../contracts/interfaces/IBlobAttributes.sol";
import {BlobFixture} from "./support/BlobFixture.sol";
import {vm} from "./support/Vm.sol";

contract BlobAttributesTest is BlobFixture {
    uint256 private blobObject;
    /// @dev What a plain map holds after the same writes.
    mapping(string key => string value) private expected;

    function setUp() public override {
        super.setUp();
        blobObject = register();
    }

    function test_setAttributes__when_there_is_no_such_object__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 99));
        attributes.setAttributes(99, one("name", "a"));
    }

    function test_setAttributes__when_the_caller_is_a_stranger__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IBlobAttributes.BlobAttributes_CallerNotOwner.selector, blobObject, owner, stranger)
        );
        vm.prank(stranger);
        attributes.setAttributes(blobObject, one("name", "a"));
    }

    function test_setAttributes__when_the_caller_is_approved__writes() external {
        vm.prank(owner);
        registry.approve(stranger, blobObject);
        vm.prank(stranger);
        attributes.setAttributes(blobObject, one("name", "a"));
        vm.prank(owner);
        registry.setApprovalForAll(other, true);
        vm.prank(other);
        attributes.setAttributes(blobObject, one("type", "b"));
        assertEq(attributes.attributeOf(blobObject, "name"), "a");
        assertEq(attributes.attributeOf(blobObject, "type"), "b");
    }

    function test_setAttributes__when_a_length_is_out_of_bounds__reverts() external {
        expectWrongLength("", 64, 0);
        set("", "a");
        expectWrongLength(text(65), 64, 65);
        set(text(65), "a");
        expectWrongLength("name", 256, 257);
        set("name", text(257));
        set(text(64), text(256));
        assertEq(attributes.attributeOf(blobObject, text(64)), text(256));
    }

    function test_setAttributes__when_there_would_be_too_many__reverts() external {
        IBlobAttributes.Attribute[] memory full = new IBlobAttributes.Attribute[](32);
        for (uint256 i = 0; i < 32; ++i) {
            full[i] = IBlobAttributes.Attribute(vm.toString(i), "a");
        }
        vm.prank(owner);
        attributes.setAttributes(blobObject, full);
        vm.expectRevert(abi.encodeWithSelector(IBlobAttributes.BlobAttributes_TooMany.selector, blobObject, 32));
        set("one more", "a");
        set("7", "b");
        assertEq(attributes.attributeOf(blobObject, "7"), "b");
        set("7", "");
        set("one more", "a");
        assertEq(attributes.attributesOf(blobObject).length, 32);
    }

    function test_setAttributes__given_new_keys__keeps_them_in_order_and_tells() external {
        IBlobAttributes.Attribute[] memory two = new IBlobAttributes.Attribute[](2);
        two[0] = IBlobAttributes.Attribute("name", "report.pdf");
        two[1] = IBlobAttributes.Attribute("type", "application/pdf");
        vm.expectEmit(address(attributes));
        emit IBlobAttributes.AttributeSet(blobObject, "name", "report.pdf");
        vm.expectEmit(address(attributes));
        emit IBlobAttributes.AttributeSet(blobObject, "type", "application/pdf");
        vm.prank(owner);
        attributes.setAttributes(blobObject, two);
        assertEq(abi.encode(attributes.attributesOf(blobObject)), abi.encode(two));
    }

    function test_setAttributes__given_a_key_that_exists__overwrites_the_value() external {
        set("name", "a");
        set("name", "b");
        assertEq(abi.encode(attributes.attributesOf(blobObject)), abi.encode(one("name", "b")));
    }

    function test_setAttributes__given_an_empty_value__removes_the_key_and_tells() external {
        set("first", "a");
        set("second", "b");
        set("third", "c");
        vm.expectEmit(address(attributes));
        emit IBlobAttributes.AttributeRemoved(blobObject, "first");
        set("first", "");
        assertEq(attributes.attributeOf(blobObject, "first"), "");
        assertEq(attributes.attributeOf(blobObject, "second"), "b");
        assertEq(attributes.attributeOf(blobObject, "third"), "c");
        assertEq(attributes.attributesOf(blobObject).length, 2);
    }

    function test_setAttributes__given_a_key_that_is_not_there__removes_nothing() external {
        set("name", "a");
        set("none", "");
        assertEq(abi.encode(attributes.attributesOf(blobObject)), abi.encode(one("name", "a")));
    }

    function test_setAttributes__given_any_writes__holds_what_a_map_would(uint256 seed) external {
        for (uint256 i = 0; i < 24; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            string memory key = vm.toString(dice % 6);
            string memory value = dice >> 8 & 1 == 0 ? "" : vm.toString(i);
            set(key, value);
            expected[key] = value;
        }
        uint256 count = 0;
        for (uint256 i = 0; i < 6; ++i) {
            string memory key = vm.toString(i);
            assertEq(attributes.attributeOf(blobObject, key), expected[key]);
            if (bytes(expected[key]).length != 0) ++count;
        }
        IBlobAttributes.Attribute[] memory all = attributes.attributesOf(blobObject);
        assertEq(all.length, count);
        for (uint256 i = 0; i < count; ++i) {
            assertEq(all[i].value, expected[all[i].key]);
        }
    }

    function test_attributesOf__when_the_object_was_deleted__are_none() external {
        set("name", "a");
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertEq(attributes.attributesOf(blobObject).length, 0);
        assertEq(attributes.attributeOf(blobObject, "name"), "");
    }

    function test_attributesOf__when_the_object_was_transferred__stay() external {
        set("name", "a");
        vm.prank(owner);
        registry.transferFrom(owner, other, blobObject);
        assertEq(attributes.attributeOf(blobObject, "name"), "a");
        vm.expectRevert(
            abi.encodeWithSelector(IBlobAttributes.BlobAttributes_CallerNotOwner.selector, blobObject, other, owner)
        );
        set("name", "b");
        vm.prank(other);
        attributes.setAttributes(blobObject, one("name", "c"));
        assertEq(attributes.attributeOf(blobObject, "name"), "c");
    }

    function set(string memory key, string memory value) private {
        vm.prank(owner);
        attributes.setAttributes(blobObject, one(key, value));
    }

    function one(string memory key, string memory value)
        private
        pure
        returns (IBlobAttributes.Attribute[] memory list)
    {
        list = new IBlobAttributes.Attribute[](1);
        list[0] = IBlobAttributes.Attribute(key, value);
    }

    function text(uint256 length) private pure returns (string memory) {
        return string(new bytes(length));
    }

    function expectWrongLength(string memory key, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IBlobAttributes.BlobAttributes_WrongLength.selector, key, maximum, actual)
        );
    }
}
