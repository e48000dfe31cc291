// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {IPolicyFactory} from "../../contracts/interfaces/IPolicyFactory.sol";
import {ISubscribable} from "../../contracts/interfaces/IPurchases.sol";
import {IReadyMadePolicy} from "../../contracts/interfaces/IReadyMadePolicy.sol";
import {PolicyFactory} from "../../contracts/policies/PolicyFactory.sol";
import {Combinator} from "../../contracts/policies/kinds/Combinator.sol";
import {OwnerPolicy} from "../../contracts/policies/kinds/OwnerPolicy.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {KindsFixture} from "./support/KindsFixture.sol";
import {vm} from "./support/Vm.sol";

contract PolicyFactoryTest is KindsFixture {
    function test_constructor__given_a_kind_twice__reverts() external {
        address implementation = address(new OwnerPolicy());
        PolicyFactory.Kind[] memory kinds = new PolicyFactory.Kind[](2);
        (kinds[0], kinds[1]) =
        (PolicyFactory.Kind("Owner", implementation), PolicyFactory.Kind("Owner", implementation));
        vm.expectRevert(abi.encodeWithSelector(IPolicyFactory.PolicyFactory_NamedTwice.selector, bytes32("Owner")));
        new PolicyFactory(kinds);
    }

    function test_constructor__given_a_contract_of_another_kind__reverts() external {
        PolicyFactory.Kind[] memory kinds = new PolicyFactory.Kind[](1);
        kinds[0] = PolicyFactory.Kind("AllowList", address(new OwnerPolicy()));
        vm.expectRevert(
            abi.encodeWithSelector(
                IPolicyFactory.PolicyFactory_WrongKind.selector, bytes32("AllowList"), bytes32("Owner")
            )
        );
        new PolicyFactory(kinds);
    }

    function test_create__given_an_unknown_kind__reverts() external {
        assertEq(factory.implementationOf("Nothing"), address(0));
        vm.expectRevert(abi.encodeWithSelector(IPolicyFactory.PolicyFactory_UnknownKind.selector, bytes32("Nothing")));
        factory.create("Nothing", "");
    }

    function test_create__given_good_arguments__makes_a_policy_that_knows_them_and_tells() external {
        bytes memory arguments = abi.encode(administrator);
        address expected = Clones.predictDeterministicAddressWithImmutableArgs(
            factory.implementationOf("AllowList"), arguments, keccak256(abi.encode(stranger, 1)), address(factory)
        );
        vm.expectEmit(address(factory));
        emit IPolicyFactory.PolicyCreated(expected, "AllowList", stranger, arguments);
        vm.prank(stranger);
        address policy = factory.create("AllowList", arguments);
        assertEq(policy, expected);
        assertEq(IReadyMadePolicy(policy).arguments(), arguments);
    }

    /// @dev An owner attaches a policy that was just made. In another order of transactions its address would be that of a
    /// stranger's policy, whose administrator lets himself in.
    function test_create__given_others_that_came_first_after_a_reorganisation__is_at_the_same_place() external {
        uint256 before = vm.snapshotState();
        vm.prank(reader);
        address policy = factory.create("AllowList", abi.encode(reader));
        assertTrue(vm.revertToState(before));

        vm.prank(stranger);
        assertTrue(factory.create("AllowList", abi.encode(stranger)) != policy);
        assertEq(policy.code.length, 0);
        vm.prank(reader);
        assertEq(factory.create("AllowList", abi.encode(reader)), policy);
    }

    function test_create__given_the_same_arguments__makes_another_policy() external {
        assertTrue(ownerPolicy() != ownerPolicy());
    }

    function test_create__given_any_kind__makes_a_policy_of_that_kind_with_those_arguments() external {
        bytes32[] memory kinds = factory.kinds();
        assertEq(kinds.length, 21);
        for (uint256 i = 0; i < kinds.length; ++i) {
            bytes memory arguments = goodArgumentsOf(kinds[i]);
            address policy = factory.create(kinds[i], arguments);
            assertEq(IDataPolicy(policy).kind(), kinds[i]);
            assertEq(IReadyMadePolicy(policy).arguments(), arguments);
            assertTrue(IERC165(policy).supportsInterface(type(IDataPolicy).interfaceId));
            assertTrue(IERC165(policy).supportsInterface(type(IERC165).interfaceId));
            assertFalse(IERC165(policy).supportsInterface(0xffffffff));
            assertEq(IERC165(policy).supportsInterface(type(ISubscribable).interfaceId), kinds[i] == "Subscription");
            assertEq(uint256(IDataPolicy(policy).hooks()), 0);
        }
    }

    function test_create__given_arguments_that_are_too_short_or_too_long__reverts() external {
        bytes32[] memory kinds = factory.kinds();
        for (uint256 i = 0; i < kinds.length; ++i) {
            bytes memory arguments = goodArgumentsOf(kinds[i]);
            bytes memory tooLong = bytes.concat(arguments, bytes1(0));
            vm.expectPartialRevert(IReadyMadePolicy.ReadyMadePolicy_WrongLength.selector);
            factory.create(kinds[i], tooLong);
            if (arguments.length == 0) continue;
            vm.expectPartialRevert(IReadyMadePolicy.ReadyMadePolicy_WrongLength.selector);
            factory.create(kinds[i], "");
        }
    }

    function test_create__given_a_zero_or_too_large_argument__reverts() external {
        expectOutOfBounds("AllowList", abi.encode(address(0)), 0, 1, type(uint160).max, 0);
        expectOutOfBounds("DenyList", abi.encode(2 ** 160), 0, 1, type(uint160).max, 2 ** 160);
        expectOutOfBounds("MerkleAllowList", abi.encode(0, reader), 0, 1, type(uint256).max, 0);
        expectOutOfBounds("MerkleAllowList", abi.encode(1, 0), 1, 1, type(uint160).max, 0);
        expectOutOfBounds("Erc20Holder", abi.encode(factory, 0), 1, 1, type(uint256).max, 0);
        expectOutOfBounds("Erc1155Holder", abi.encode(factory, 0, 0), 2, 1, type(uint256).max, 0);
        expectOutOfBounds("Credential", abi.encode(factory, 0, 0), 2, 1, type(uint160).max, 0);
        expectOutOfBounds("TimeWindow", abi.encode(9, 9), 1, 10, type(uint64).max, 9);
        expectOutOfBounds("PayPerRead", abi.encode(0, POOL), 0, 1, type(uint128).max, 0);
        expectOutOfBounds("PayPerRead", abi.encode(1, 0), 1, 1, type(uint64).max, 0);
        expectOutOfBounds("ReadQuota", abi.encode(0), 0, 1, type(uint64).max, 0);
        expectOutOfBounds("Subscription", abi.encode(0, 1, POOL), 0, 1, type(uint128).max, 0);
        expectOutOfBounds("Subscription", abi.encode(1, 0, POOL), 1, 1, type(uint32).max, 0);
        expectOutOfBounds("FixedTerm", abi.encode(CURRENT_EPOCH), 0, CURRENT_EPOCH + 1, type(uint32).max, CURRENT_EPOCH);
        expectOutOfBounds("DeleteAfter", abi.encode(NOW), 0, NOW + 1, type(uint64).max, NOW);
        expectOutOfBounds("KOfN", abi.encode(0, one(ownerPolicy())), 0, 1, 1, 0);
        expectOutOfBounds("KOfN", abi.encode(2, one(ownerPolicy())), 0, 1, 1, 2);
        expectOutOfBounds("LegalHold", abi.encode(one(address(0))), 2, 1, type(uint160).max, 0);
        expectOutOfBounds("LegalHold", abi.encode(64, 0), 0, 32, 32, 64);
        expectOutOfBounds("Programs", abi.encode(64, 0), 0, 32, 32, 64);
        expectOutOfBounds("Programs", abi.encode(new bytes32[](2)), 2, 1, type(uint256).max, 0);
    }

    function test_create__given_an_account_without_code_for_a_contract__reverts() external {
        bytes memory expected = abi.encodeWithSelector(IReadyMadePolicy.ReadyMadePolicy_NoCode.selector, 0, stranger);
        vm.expectRevert(expected);
        factory.create("Erc20Holder", abi.encode(stranger, 1));
        vm.expectRevert(expected);
        factory.create("Erc721Holder", abi.encode(stranger));
        vm.expectRevert(expected);
        factory.create("Erc1155Holder", abi.encode(stranger, 1, 1));
        vm.expectRevert(expected);
        factory.create("Credential", abi.encode(stranger, 1, reader));
    }

    function test_create__given_a_pool_that_does_not_exist__reverts() external {
        bytes memory expected =
            abi.encodeWithSelector(IReadyMadePolicy.ReadyMadePolicy_UnknownPool.selector, PoolId.wrap(4));
        vm.expectRevert(expected);
        factory.create("PayPerRead", abi.encode(1, 4));
        vm.expectRevert(expected);
        factory.create("Subscription", abi.encode(1, 1, 4));
    }

    function test_create__given_a_list_without_entries_or_with_too_many__reverts() external {
        address[] memory nine = new address[](9);
        for (uint160 i = 0; i < 9; ++i) {
            nine[i] = address(i + 1);
        }
        expectWrongCount("LegalHold", abi.encode(new address[](0)), 8, 0);
        expectWrongCount("LegalHold", abi.encode(nine), 8, 9);
        expectWrongCount("AllOf", abi.encode(new address[](0)), 8, 0);
        expectWrongCount("AllOf", abi.encode(nine), 8, 9);
        expectWrongCount("AnyOf", abi.encode(nine), 8, 9);
        expectWrongCount("KOfN", abi.encode(1, nine), 8, 9);
        expectWrongCount("Programs", abi.encode(programs(0)), 16, 0);
        expectWrongCount("Programs", abi.encode(programs(17)), 16, 17);
    }

    function test_create__given_a_list_with_an_entry_twice__reverts() external {
        address policy = ownerPolicy();
        bytes memory expected = abi.encodeWithSelector(IReadyMadePolicy.ReadyMadePolicy_NamedTwice.selector, policy);
        vm.expectRevert(expected);
        factory.create("LegalHold", abi.encode(two(policy, policy)));
        vm.expectRevert(expected);
        factory.create("KOfN", abi.encode(2, two(policy, policy)));
    }

    function test_implementation__when_asked_itself__has_no_arguments_and_is_no_policy() external {
        bytes32[] memory kinds = factory.kinds();
        for (uint256 i = 0; i < kinds.length; ++i) {
            address implementation = factory.implementationOf(kinds[i]);
            vm.expectRevert(IReadyMadePolicy.ReadyMadePolicy_NotAClone.selector);
            IReadyMadePolicy(implementation).arguments();
            assertFalse(IERC165(implementation).supportsInterface(type(IDataPolicy).interfaceId));
            vm.expectRevert(abi.encodeWithSelector(Combinator.Combinator_NotAPolicy.selector, implementation));
            allOf(one(implementation));
        }
    }

    function goodArgumentsOf(bytes32 kind) private returns (bytes memory) {
        if (kind == "AllowList" || kind == "DenyList") return abi.encode(administrator);
        if (kind == "MerkleAllowList") return abi.encode(1, administrator);
        if (kind == "Erc20Holder") return abi.encode(factory, 10);
        if (kind == "Erc721Holder") return abi.encode(factory);
        if (kind == "Erc1155Holder") return abi.encode(factory, 0, 10);
        if (kind == "Credential") return abi.encode(credentials, bytes32("ethics"), administrator);
        if (kind == "TimeWindow") return abi.encode(NOW, NOW + 1 days);
        if (kind == "PayPerRead") return abi.encode(5e17, POOL);
        if (kind == "ReadQuota") return abi.encode(3);
        if (kind == "Subscription") return abi.encode(5e18, 30 days, POOL);
        if (kind == "AllOf" || kind == "AnyOf") return abi.encode(two(ownerPolicy(), ownerPolicy()));
        if (kind == "Not") return abi.encode(ownerPolicy());
        if (kind == "KOfN") return abi.encode(2, two(ownerPolicy(), ownerPolicy()));
        if (kind == "FixedTerm") return abi.encode(CURRENT_EPOCH + 1);
        if (kind == "LegalHold") return abi.encode(two(administrator, owner));
        if (kind == "DeleteAfter") return abi.encode(NOW + 1);
        if (kind == "Programs") return abi.encode(programs(16));
        return "";
    }

    function expectOutOfBounds(
        bytes32 kind,
        bytes memory arguments,
        uint256 index,
        uint256 minimum,
        uint256 maximum,
        uint256 actual
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IReadyMadePolicy.ReadyMadePolicy_ArgumentOutOfBounds.selector, index, minimum, maximum, actual
            )
        );
        factory.create(kind, arguments);
    }

    function expectWrongCount(bytes32 kind, bytes memory arguments, uint256 maximum, uint256 actual) private {
        vm.expectRevert(abi.encodeWithSelector(IReadyMadePolicy.ReadyMadePolicy_WrongCount.selector, maximum, actual));
        factory.create(kind, arguments);
    }
}
