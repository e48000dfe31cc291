// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {Action} from "../../contracts/interfaces/IDataPolicy.sol";
import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {AllowListPolicy} from "../../contracts/policies/kinds/AllowListPolicy.sol";
import {LegalHoldPolicy} from "../../contracts/policies/kinds/LegalHoldPolicy.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {BlobFixture} from "./support/BlobFixture.sol";
import {vm} from "./support/Vm.sol";

/// @title GovernedObjectsTest
/// @notice Ready-made policies on objects of the real registry, asked as agents and the registry ask them.
contract GovernedObjectsTest is BlobFixture {
    uint32 private constant NOTICE = 1 days;
    bytes32 private constant SCHEMA = "ethics";

    uint256 private blobObject;
    address private board;
    PoolId private pool;

    function setUp() public override {
        super.setUp();
        deployPolicyFactory();
        board = makeAddr("board");
        blobObject = certified();
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](1);
        shares[0] = IRevenuePools.Share(owner, 1);
        pool = revenuePools.create(shares, 0);
    }

    function test_judge__given_a_credential_and_a_price__follows_both() external {
        address credential = create("Credential", abi.encode(credentials, SCHEMA, board));
        address[] memory operands = two(credential, create("PayPerRead", abi.encode(5e17, pool)));
        attach(create("AllOf", abi.encode(operands)), address(0));
        vm.prank(board);
        bytes32 uid = credentials.attest(SCHEMA, other, 0, "");
        bytes[] memory parts = new bytes[](2);
        parts[0] = abi.encode(uid);

        IBlobPolicies.Verdict memory verdict = judge(other, abi.encode(parts));
        assertTrue(verdict.allowed);
        assertEq(uint256(Amount.unwrap(verdict.price)), 5e17);
        assertTrue(verdict.pool == pool);
        assertDenied(judge(other, ""), "NoCredential");
        assertDenied(judge(stranger, abi.encode(parts)), "WrongRecipient");

        vm.prank(board);
        credentials.revoke(uid);
        assertDenied(judge(other, abi.encode(parts)), "CredentialRevoked");
    }

    function test_judge__when_a_subscription_is_bought__allows_for_its_time() external {
        address policy = create("Subscription", abi.encode(2e18, 30 days, pool));
        attach(policy, address(0));
        assertDenied(judge(other, ""), "NoSubscription");
        vm.prank(other);
        purchases.subscribe(policy, 1, other, Amount.wrap(2e18));
        assertTrue(judge(other, "").allowed);
        assertTrue(judge(other, "").price.isZero());
    }

    function test_judge__when_an_operand_below_a_not_fails__denies() external {
        address holders = create("Erc20Holder", abi.encode(token, 1));
        attach(create("Not", abi.encode(holders)), address(0));
        assertTrue(judge(stranger, "").allowed);
        assertDenied(judge(other, ""), "OperandAllows");
        // The token is gone: nobody knows any more who holds how much.
        vm.etch(address(token), "");
        assertDenied(judge(stranger, ""), "PolicyFailed");
    }

    function test_judge__given_the_largest_tree__decides() external {
        attach(tree(3), address(0));
        assertTrue(judge(owner, "").allowed);
        assertDenied(judge(stranger, ""), "NotOwner");
    }

    function test_judge__after_the_time_to_delete__denies() external {
        attach(create("AllowList", abi.encode(board)), create("DeleteAfter", abi.encode(block.timestamp + 100)));
        skip(99);
        assertDenied(judge(other, ""), "NotListed");
        skip(1);
        assertDenied(judge(other, ""), "KeysDestroyed");
    }

    function test_FixedTerm__before_its_epoch__keeps_the_object() external {
        Epoch current = committee.currentEpoch();
        attach(address(0), create("FixedTerm", abi.encode(current.plus(2))));
        expectForbidden("canDelete");
        deleteBlob();
        skip(2 days);
        deleteBlob();
    }

    function test_WriteOnce__given_another_access_policy__lets_it_pass() external {
        address once = create("WriteOnce", "");
        address list = create("AllowList", abi.encode(other));
        attach(create("Owner", ""), once);
        expectForbidden("canDelete");
        deleteBlob();
        expectForbidden("canReplace");
        announce(list, address(0));
        announce(list, once);
        vm.prank(owner);
        registry.transferFrom(owner, other, blobObject);
        skip(NOTICE);
        vm.prank(other);
        AllowListPolicy(list).setListed(two(stranger, board), true);
        assertTrue(judge(stranger, "").allowed);
    }

    function test_LegalHold__while_it_lasts__keeps_the_object() external {
        LegalHoldPolicy hold = LegalHoldPolicy(create("LegalHold", abi.encode(two(board, other))));
        attach(address(0), address(hold));
        setHold(hold, true);
        expectForbidden("canDelete");
        deleteBlob();
        setHold(hold, false);
        deleteBlob();
    }

    function test_LegalHold__that_begins_during_a_notice__keeps_the_rule() external {
        LegalHoldPolicy hold = LegalHoldPolicy(create("LegalHold", abi.encode(two(board, other))));
        attach(address(0), address(hold));
        announce(address(0), address(0));
        setHold(hold, true);
        skip(NOTICE);
        assertEq(policies.policiesOf(blobObject).retention, address(hold));
        expectForbidden("canDelete");
        deleteBlob();
    }

    function create(bytes32 kind, bytes memory arguments) private returns (address) {
        return policyFactory.create(kind, arguments);
    }

    /// @dev Eight operands in each of so many levels, owners at the end.
    function tree(uint256 levels) private returns (address) {
        if (levels == 0) return create("Owner", "");
        address[] memory operands = new address[](8);
        for (uint256 i = 0; i < 8; ++i) {
            operands[i] = tree(levels - 1);
        }
        return create("AllOf", abi.encode(operands));
    }

    function attach(address access, address retention) private {
        vm.prank(owner);
        policies.attach(blobObject, IBlobPolicies.Policies(access, retention), NOTICE, "");
    }

    function announce(address access, address retention) private {
        vm.prank(owner);
        policies.announce(blobObject, IBlobPolicies.Policies(access, retention));
    }

    function judge(address requester, bytes memory evidence) private view returns (IBlobPolicies.Verdict memory) {
        return policies.judge(IBlobPolicies.Question(requester, blobObject, uint8(Action.Read), 0, 0, evidence));
    }

    function setHold(LegalHoldPolicy hold, bool held) private {
        vm.prank(board);
        hold.setHold(blobObject, held);
    }

    function deleteBlob() private {
        vm.prank(owner);
        registry.deleteBlob(blobObject);
    }

    function expectForbidden(bytes32 rule) private {
        address retention = policies.policiesOf(blobObject).retention;
        vm.expectRevert(
            abi.encodeWithSelector(IBlobPolicies.BlobPolicies_Forbidden.selector, blobObject, retention, rule)
        );
    }

    function assertDenied(IBlobPolicies.Verdict memory verdict, bytes32 reason) private pure {
        assertFalse(verdict.allowed);
        assertEq(verdict.reason, reason);
    }

    function two(address first, address second) private pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (first, second);
    }
}
