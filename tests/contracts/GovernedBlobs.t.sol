// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {PolicyMock} from "../../contracts/mocks/PolicyMock.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {PolicyFixture} from "./support/PolicyFixture.sol";
import {vm} from "./support/Vm.sol";

/// @notice What the registry does with objects that have policies.
contract GovernedBlobsTest is PolicyFixture {
    bytes4 private constant ON_CERTIFIED = IDataPolicy.onCertified.selector;
    bytes4 private constant ON_EXTENDED = IDataPolicy.onExtended.selector;

    // setGoverned

    function test_setGoverned__when_the_caller_is_not_the_policies__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                IBlobRegistry.BlobRegistry_CallerNotPolicies.selector, address(policies), address(this)
            )
        );
        registry.setGoverned(blobObject);
    }

    function test_setGoverned__when_done__changes_nothing_else_of_the_object() external {
        uint256 object = certified();
        bytes memory before = abi.encode(registry.blobOf(object));
        attach(object, pair(address(access), address(retention)));
        assertEq(abi.encode(registry.blobOf(object)), before);
    }

    // deleteBlob

    function test_deleteBlob__when_the_retention_policy_forbids__reverts() external {
        retention.answer(IDataPolicy.canDelete.selector, abi.encode(false));
        expectForbidden("canDelete");
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertStatus(blobObject, IBlobRegistry.Status.Certified);
    }

    function test_deleteBlob__when_before_the_minimum_end__reverts() external {
        retention.answer(IDataPolicy.minimumEndEpoch.selector, abi.encode(3));
        warpTo(2);
        expectForbidden("minimumEndEpoch");
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        warpTo(3);
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        assertStatus(blobObject, IBlobRegistry.Status.Unknown);
    }

    function test_deleteBlob__when_the_caller_may_not__reverts_before_policies_are_asked() external {
        vm.expectCall(address(retention), abi.encodeWithSelector(IDataPolicy.canDelete.selector), 0);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, stranger, blobObject));
        vm.prank(stranger);
        registry.deleteBlob(blobObject);
    }

    function test_deleteBlob__when_allowed__nodes_still_answer_and_the_rest_is_cleared_afterwards() external {
        vm.prank(owner);
        registry.deleteBlob(blobObject);
        (BlobId blobId, uint64 size, Epoch until) = registry.custodyOf(blobObject);
        assertEq(BlobId.unwrap(blobId), BlobId.unwrap(blobId_()));
        assertEq(size, SIZE);
        assertEq(Epoch.unwrap(until), 2);
        assertStatus(blobObject, IBlobRegistry.Status.Unknown);

        warpTo(2);
        vm.prank(address(custody));
        registry.forget(blobObject);
        (blobId, size, until) = registry.custodyOf(blobObject);
        assertEq(BlobId.unwrap(blobId), 0);
        vm.expectRevert(abi.encodeWithSelector(IBlobRegistry.BlobRegistry_UnknownObject.selector, blobObject));
        registry.extend(blobObject, 1);
    }

    function test_deleteBlob__given_only_an_access_policy__asks_nobody() external {
        uint256 object = certified();
        attach(object, pair(address(access), address(0)));
        access.answer(IDataPolicy.canDelete.selector, abi.encode(false));
        vm.prank(owner);
        registry.deleteBlob(object);
        assertStatus(object, IBlobRegistry.Status.Unknown);
    }

    // transfer

    function test_transferFrom__when_the_retention_policy_forbids__reverts() external {
        retention.answer(IDataPolicy.canTransfer.selector, abi.encode(false));
        vm.startPrank(owner);
        expectForbidden("canTransfer");
        registry.transferFrom(owner, other, blobObject);
        expectForbidden("canTransfer");
        registry.safeTransferFrom(owner, other, blobObject);
        assertEq(registry.ownerOf(blobObject), owner);
    }

    function test_transferFrom__when_an_operator_does_it__is_forbidden_too() external {
        retention.answer(IDataPolicy.canTransfer.selector, abi.encode(false));
        vm.prank(owner);
        registry.setApprovalForAll(other, true);
        expectForbidden("canTransfer");
        vm.prank(other);
        registry.transferFrom(owner, stranger, blobObject);
    }

    function test_transferFrom__when_allowed__asks_for_the_receiver_and_policies_stay() external {
        vm.expectCall(address(retention), abi.encodeCall(IDataPolicy.canTransfer, (blobObject, other)));
        vm.prank(owner);
        registry.transferFrom(owner, other, blobObject);
        assertEq(registry.ownerOf(blobObject), other);
        assertInForce(address(access), address(retention));
        retention.answer(IDataPolicy.canTransfer.selector, abi.encode(false));
        expectForbidden("canTransfer");
        vm.prank(other);
        registry.transferFrom(other, stranger, blobObject);
    }

    function test_transferFrom__when_the_caller_may_not__reverts_before_policies_are_asked() external {
        vm.expectCall(address(retention), abi.encodeWithSelector(IDataPolicy.canTransfer.selector), 0);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, stranger, blobObject));
        vm.prank(stranger);
        registry.transferFrom(owner, stranger, blobObject);
    }

    // certify, extend

    function test_certify__given_policies__tells_both() external {
        uint256 object = register();
        attach(object, pair(address(access), address(retention)));
        certify(object, bitmap(0, QUORUM));
        bytes32 news = keccak256(abi.encodeCall(IDataPolicy.onCertified, (object)));
        assertEq(access.last(ON_CERTIFIED), news);
        assertEq(retention.last(ON_CERTIFIED), news);
    }

    function test_certify__given_one_contract_in_both_places__tells_it_once() external {
        uint256 object = register();
        attach(object, pair(address(access), address(access)));
        certify(object, bitmap(0, QUORUM));
        assertEq(access.count(ON_CERTIFIED), 1);
    }

    function test_certify__given_a_policy_that_wants_no_hook__does_not_call_it() external {
        PolicyMock deaf = new PolicyMock(0x0e);
        uint256 object = register();
        attach(object, pair(address(deaf), address(0)));
        vm.expectCall(address(deaf), abi.encodeWithSelector(ON_CERTIFIED), 0);
        certify(object, bitmap(0, QUORUM));
    }

    function test_certify__given_no_policies__asks_and_tells_nobody() external {
        uint256 object = register();
        vm.expectCall(address(policies), "", 0);
        certify(object, bitmap(0, QUORUM));
        vm.startPrank(owner);
        registry.extend(object, 1);
        registry.transferFrom(owner, other, object);
        vm.stopPrank();
        vm.prank(other);
        registry.deleteBlob(object);
    }

    function test_extend__given_policies__tells_both() external {
        vm.prank(other);
        registry.extend(blobObject, 3);
        bytes32 news = keccak256(abi.encodeCall(IDataPolicy.onExtended, (blobObject, Epoch.wrap(9))));
        assertEq(access.last(ON_EXTENDED), news);
        assertEq(retention.last(ON_EXTENDED), news);
    }

    function test_extend__when_announced_policies_hold__tells_those_when_nobody_could_forbid() external {
        uint256 object = certified();
        attach(object, pair(address(access), address(0)));
        PolicyMock next = new PolicyMock(ALL_HOOKS);
        vm.prank(owner);
        policies.announce(object, pair(address(next), address(0)));
        skip(NOTICE);
        vm.prank(owner);
        registry.extend(object, 1);
        assertEq(next.count(ON_EXTENDED), 1);
        assertEq(access.count(ON_EXTENDED), 0);
    }

    function test_extend__when_announced_policies_hold__tells_the_former_until_they_are_enacted() external {
        PolicyMock next = new PolicyMock(ALL_HOOKS);
        announce(pair(address(next), address(0)));
        skip(NOTICE);
        vm.expectCall(address(retention), abi.encodeWithSelector(IDataPolicy.canReplace.selector), 0);
        vm.prank(owner);
        registry.extend(blobObject, 1);
        assertEq(access.count(ON_EXTENDED), 1);
        assertEq(next.count(ON_EXTENDED), 0);
    }

    function test_extend__when_enacted__tells_the_new_ones() external {
        PolicyMock next = new PolicyMock(ALL_HOOKS);
        announce(pair(address(next), address(0)));
        skip(NOTICE);
        policies.enact(blobObject);
        vm.prank(owner);
        registry.extend(blobObject, 1);
        assertEq(access.count(ON_EXTENDED), 0);
        assertEq(next.count(ON_EXTENDED), 1);
    }

    function blobId_() private pure returns (BlobId) {
        return blobId("default");
    }
}
