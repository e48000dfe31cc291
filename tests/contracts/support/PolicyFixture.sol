// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../../../contracts/interfaces/IBlobPolicies.sol";
import {Action, IDataPolicy} from "../../../contracts/interfaces/IDataPolicy.sol";
import {IRevenuePools} from "../../../contracts/interfaces/IRevenuePools.sol";
import {PolicyAnswers} from "../../../contracts/libraries/PolicyAnswers.sol";
import {PolicyMock} from "../../../contracts/mocks/PolicyMock.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {PoolId} from "../../../contracts/types/PoolId.sol";
import {Timestamp} from "../../../contracts/types/Timestamp.sol";
import {BlobFixture} from "./BlobFixture.sol";
import {vm} from "./Vm.sol";

/// @title PolicyFixture
/// @notice A certified object of `owner` with an access and a retention policy that allow everything and want all hooks; pool 1
/// exists, pool 2 does not. The certificate was made before the policies were attached: nothing was told yet.
abstract contract PolicyFixture is BlobFixture {
    uint32 internal constant NOTICE = 2 days;
    uint8 internal constant ALL_HOOKS = 15;

    PolicyMock internal access;
    PolicyMock internal retention;
    uint256 internal blobObject;

    function setUp() public virtual override {
        super.setUp();
        vm.mockCall(address(revenuePools), abi.encodeCall(IRevenuePools.exists, (PoolId.wrap(1))), abi.encode(true));
        vm.mockCall(address(revenuePools), abi.encodeCall(IRevenuePools.exists, (PoolId.wrap(2))), abi.encode(false));
        access = new PolicyMock(ALL_HOOKS);
        retention = new PolicyMock(ALL_HOOKS);
        blobObject = certified();
        attach(blobObject, pair(address(access), address(retention)));
    }

    function attach(uint256 object, IBlobPolicies.Policies memory both) internal {
        vm.prank(owner);
        policies.attach(object, both, NOTICE, "");
    }

    function announce(IBlobPolicies.Policies memory both) internal {
        vm.prank(owner);
        policies.announce(blobObject, both);
    }

    function pair(address first, address second) internal pure returns (IBlobPolicies.Policies memory) {
        return IBlobPolicies.Policies(first, second);
    }

    /// @notice `other` wants to read the object.
    function question() internal view returns (IBlobPolicies.Question memory) {
        return IBlobPolicies.Question(other, blobObject, uint8(Action.Read), 0, 0, "");
    }

    function judge() internal view returns (IBlobPolicies.Verdict memory) {
        return policies.judge(question());
    }

    function deny(bytes32 reason) internal {
        access.answer(IDataPolicy.evaluate.selector, abi.encode(PolicyAnswers.DENY, uint32(0), reason));
    }

    function quote(address payment, uint256 amount, uint256 pool) internal {
        access.answer(IDataPolicy.quote.selector, abi.encode(payment, amount, pool));
    }

    /// @notice Nobody is allowed anything, for `reason`, and nothing is sold.
    function assertDenied(bytes32 reason) internal view {
        assertDenied(judge(), reason);
    }

    function assertDenied(IBlobPolicies.Verdict memory verdict, bytes32 reason) internal pure {
        assertFalse(verdict.allowed);
        assertEq(verdict.reason, reason);
        assertEq(Amount.unwrap(verdict.price), 0);
        assertEq(PoolId.unwrap(verdict.pool), 0);
    }

    function assertAllowed() internal view {
        IBlobPolicies.Verdict memory verdict = judge();
        assertTrue(verdict.allowed);
        assertEq(verdict.reason, 0);
    }

    function assertInForce(address first, address second) internal view {
        IBlobPolicies.Policies memory both = policies.policiesOf(blobObject);
        assertEq(both.access, first);
        assertEq(both.retention, second);
        both = policies.recordOf(blobObject).current;
        assertEq(both.access, first);
        assertEq(both.retention, second);
    }

    function assertAnnounced(address first, address second, uint256 from) internal view {
        IBlobPolicies.Record memory record = policies.recordOf(blobObject);
        assertEq(record.next.access, first);
        assertEq(record.next.retention, second);
        assertEq(Timestamp.unwrap(record.nextFrom), from);
    }

    function expectForbidden(bytes32 rule) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IBlobPolicies.BlobPolicies_Forbidden.selector, blobObject, address(retention), rule)
        );
    }

    function expectNotOwner(address caller) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IBlobPolicies.BlobPolicies_CallerNotOwner.selector, blobObject, owner, caller)
        );
    }
}
