// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {IStorageFees} from "../../contracts/interfaces/IStorageFees.sol";
import {ITokenVault} from "../../contracts/interfaces/ITokenVault.sol";
import {RevenuePools} from "../../contracts/payments/RevenuePools.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {PaymentsFixture} from "./support/PaymentsFixture.sol";
import {vm} from "./support/Vm.sol";

contract RevenuePoolsTest is PaymentsFixture {
    uint64 private constant MAXIMUM_UNITS = 2 ** 40 - 1;
    uint256 private constant SUPPLY = type(uint128).max;
    PoolId private constant UNKNOWN = PoolId.wrap(99);

    function setUp() external {
        deployPayments(SUPPLY);
    }

    // constructor

    function test_constructor__when_the_protocol_gets_nothing_or_too_much__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_SharesOutOfBounds.selector, 1000, 0));
        new RevenuePools(vault, fees, alice, bob, carol, 0);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_SharesOutOfBounds.selector, 1000, 1001));
        new RevenuePools(vault, fees, alice, bob, carol, 1001);
        assertEq(new RevenuePools(vault, fees, alice, bob, carol, 1000).protocolBps(), 1000);
    }

    // create

    function test_create__without_members_or_with_101__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongMemberCount.selector, 100, 0));
        pools.create(new IRevenuePools.Share[](0), NODES_BPS);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongMemberCount.selector, 100, 101));
        createPoolOf(101);
    }

    function test_create__when_a_member_is_zero__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongAccount.selector, address(0)));
        pools.create(two(alice, 1, address(0), 1), NODES_BPS);
    }

    function test_create__when_a_member_has_no_units__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongUnits.selector, bob, 0));
        pools.create(two(alice, 1, bob, 0), NODES_BPS);
    }

    function test_create__when_an_account_is_named_twice__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_NamedTwice.selector, alice));
        pools.create(two(alice, 1, alice, 1), NODES_BPS);
    }

    function test_create__when_there_are_too_many_units__reverts() external {
        expectUnitsOutOfBounds(uint256(MAXIMUM_UNITS) + 1);
        pools.create(two(alice, MAXIMUM_UNITS, bob, 1), NODES_BPS);
        expectUnitsOutOfBounds(2 * uint256(type(uint64).max));
        pools.create(two(alice, type(uint64).max, bob, type(uint64).max), NODES_BPS);
    }

    function test_create__when_nodes_would_get_more_than_half__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_SharesOutOfBounds.selector, 5000, 5001));
        pools.create(two(alice, 1, bob, 1), 5001);
    }

    function test_create__when_all_is_in_order__tells_and_keeps_it() external {
        IRevenuePools.Share[] memory shares = two(alice, MAXIMUM_UNITS - 1, bob, 1);
        vm.expectEmit(address(pools));
        emit IRevenuePools.PoolCreated(PoolId.wrap(1), carol, MAXIMUM_UNITS, 5000, 0, BlobId.wrap(0));
        vm.expectEmit(address(pools));
        emit IRevenuePools.MemberAdded(PoolId.wrap(1), alice, MAXIMUM_UNITS - 1);
        vm.expectEmit(address(pools));
        emit IRevenuePools.MemberAdded(PoolId.wrap(1), bob, 1);
        vm.prank(carol);
        PoolId pool = pools.create(shares, 5000);

        assertEq(pools.poolCount(), 1);
        assertTrue(pools.exists(pool));
        IRevenuePools.Pool memory kept = pools.poolOf(pool);
        assertEq(kept.units, MAXIMUM_UNITS);
        assertEq(kept.nodesBps, 5000);
        assertEq(kept.root, bytes32(0));
        assertEq(Amount.unwrap(kept.earnedPerWeight), 0);
        assertEq(kept.dust, 0);
        assertEq(pools.memberOf(pool, alice).units, MAXIMUM_UNITS - 1);
        assertEq(pools.memberOf(pool, bob).units, 1);
        assertEq(pools.memberOf(pool, carol).units, 0);
    }

    function test_pools__when_unknown__nothing_works() external {
        assertFalse(pools.exists(UNKNOWN));
        expectUnknown();
        pools.poolOf(UNKNOWN);
        expectUnknown();
        pools.distribute(UNKNOWN, Amount.wrap(1));
        expectUnknown();
        pools.claim(UNKNOWN, alice);
        expectUnknown();
        pools.claimFromRoot(UNKNOWN, 1, 0, "", alice);
        expectUnknown();
        pools.enter(UNKNOWN, alice, 1, 0, "");
        expectUnknown();
        pools.transferUnits(UNKNOWN, alice, 1);
        expectUnknown();
        pools.settle(UNKNOWN);
        expectUnknown();
        pools.claimable(UNKNOWN, alice);
        expectUnknown();
        pools.claimableFromRoot(UNKNOWN, 1);
        expectUnknown();
        pools.settleable(UNKNOWN);
        vm.prank(address(purchases));
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_UnknownPool.selector, UNKNOWN));
        pools.collect(UNKNOWN, alice, Amount.wrap(1), 0);
    }

    // distribute, collect, credit

    function test_distribute__when_the_amount_is_zero__reverts() external {
        PoolId pool = createPool();
        vm.expectRevert(IRevenuePools.RevenuePools_ZeroAmount.selector);
        distribute(pool, 0);
    }

    function test_distribute__when_the_caller_did_not_approve__reverts_and_changes_nothing() external {
        PoolId pool = createPool();
        assertTrue(token.transfer(alice, 5));
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, 5));
        vm.prank(alice);
        pools.distribute(pool, Amount.wrap(5));
        assertEq(pools.poolOf(pool).dust, 0);
    }

    function test_distribute__given_ten_units__divides_by_weights_and_keeps_the_dust() external {
        PoolId pool = createPool();
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeReceived(pool, address(pools), payer.addr, Amount.wrap(1_234_567), 0);
        distribute(pool, 1_234_567);
        // 100,000 weights earn 12 each; 8,750 for each unit of a member, 1,000 for nodes, 250 for the protocol.
        assertEq(Amount.unwrap(pools.poolOf(pool).earnedPerWeight), 12);
        assertEq(pools.poolOf(pool).dust, 34_567);
        assertEq(claimable(pool, alice), 12 * 5 * 8750);
        assertEq(claimable(pool, bob), 12 * 3 * 8750);
        assertEq(claimable(pool, carol), 12 * 2 * 8750);
        assertSettleable(pool, 12 * 10 * 1000, 12 * 10 * 250);
        assertEq(reserveOf(address(pools)), 1_234_567);
    }

    function test_distribute__given_tiny_incomes__dust_is_carried_until_it_divides() external {
        PoolId pool = createPool();
        for (uint256 i = 0; i < 3; ++i) {
            distribute(pool, 33_333);
        }
        assertEq(pools.poolOf(pool).dust, 99_999);
        assertEq(claimable(pool, alice), 0);
        distribute(pool, 1);
        assertEq(pools.poolOf(pool).dust, 0);
        assertEq(claimable(pool, alice), 5 * 8750);
        assertEq(claimable(pool, alice) + claimable(pool, bob) + claimable(pool, carol), 87_500);
        assertSettleable(pool, 10_000, 2500);
    }

    function test_distribute__given_the_whole_supply_in_a_pool_of_one_unit__divides_it() external {
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](1);
        shares[0] = IRevenuePools.Share(alice, 1);
        PoolId pool = pools.create(shares, 0);
        uint256 all = SUPPLY - 2 * BALANCE;
        pools.distribute(pool, Amount.wrap(uint128(all)));
        assertEq(claimable(pool, alice), all / 10_000 * 9750);
        assertEq(claim(pool, alice), all / 10_000 * 9750);
    }

    /// @dev What came back is distributed again until nothing is left: all of it is burned in the end, so the sum is bounded.
    function test_distribute__when_the_supply_goes_round__the_pool_never_overflows() external {
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](1);
        shares[0] = IRevenuePools.Share(address(this), 1);
        PoolId pool = pools.create(shares, 0);
        uint256 distributed = 0;
        for (uint256 i = 0; i < 300; ++i) {
            uint256 all = token.balanceOf(address(this));
            pools.distribute(pool, Amount.wrap(uint128(all)));
            distributed += all;
            pools.claim(pool, address(this));
            pools.settle(pool);
        }
        // Forty times the supply, since one part in forty is burned each time.
        assertGt(distributed, 39 * SUPPLY);
        assertLe(Amount.unwrap(pools.poolOf(pool).earnedPerWeight), SUPPLY / PROTOCOL_BPS);
    }

    function test_collect__when_the_caller_is_not_the_purchases__reverts() external {
        PoolId pool = createPool();
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_CallerNotSeller.selector, address(channels)));
        vm.prank(address(channels));
        pools.collect(pool, payer.addr, Amount.wrap(1), 0);
    }

    function test_collect__by_the_purchases__takes_it_from_the_payer() external {
        PoolId pool = createPool();
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeReceived(pool, address(purchases), payer.addr, Amount.wrap(100_000), bytes32("why"));
        vm.prank(address(purchases));
        pools.collect(pool, payer.addr, Amount.wrap(100_000), "why");
        assertEq(token.balanceOf(payer.addr), BALANCE - 100_000);
        assertEq(claimable(pool, alice), 5 * 8750);
    }

    function test_credit__when_the_caller_is_not_the_channels__reverts() external {
        PoolId pool = createPool();
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_CallerNotSeller.selector, address(purchases)));
        vm.prank(address(purchases));
        pools.credit(pool, payer.addr, Amount.wrap(1), 0);
    }

    // claim

    function test_claim__by_who_is_no_member__reverts() external {
        PoolId pool = createPool();
        distribute(pool, 1e18);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_NotAMember.selector, pool, payer.addr));
        claim(pool, payer.addr);
    }

    function test_claim__when_nothing_was_earned__reverts() external {
        PoolId pool = createPool();
        expectNothing(pool, alice);
        claim(pool, alice);
        distribute(pool, 1e18);
        claim(pool, alice);
        expectNothing(pool, alice);
        claim(pool, alice);
    }

    function test_claim__to_zero__reverts() external {
        PoolId pool = createPool();
        distribute(pool, 1e18);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_ZeroRecipient.selector, address(pools)));
        vm.prank(alice);
        pools.claim(pool, address(0));
    }

    function test_claim__when_there_is_something__pays_it_once_and_tells() external {
        PoolId pool = createPool();
        distribute(pool, 1e18);
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeClaimed(pool, alice, carol, Amount.wrap(0.4375e18));
        vm.prank(alice);
        assertEq(Amount.unwrap(pools.claim(pool, carol)), 0.4375e18);
        assertEq(token.balanceOf(carol), 0.4375e18);
        assertEq(claimable(pool, alice), 0);
        assertEq(claimable(pool, bob), 0.2625e18);

        distribute(pool, 2e18);
        assertEq(claim(pool, alice), 0.875e18);
        assertEq(claim(pool, bob), 3 * 0.2625e18);
    }

    function test_claim__given_one_member__gets_all_that_members_get() external {
        PoolId pool = createPoolOf(1);
        distribute(pool, 1e18);
        assertEq(claim(pool, alice), 0.875e18);
    }

    function test_I10_claim__given_a_hundred_members__all_get_their_part_and_nothing_is_lost() external {
        PoolId pool = createPoolOf(100);
        distribute(pool, 1e18 + 12_345);
        uint256 perWeight = Amount.unwrap(pools.poolOf(pool).earnedPerWeight);
        uint256 paid = 0;
        for (uint256 i = 0; i < 100; ++i) {
            uint256 got = claim(pool, memberAt(i));
            assertEq(got, perWeight * (i + 1) * 8750);
            paid += got;
        }
        (Amount toNodes, Amount burned) = pools.settle(pool);
        assertEq(paid + Amount.unwrap(toNodes) + Amount.unwrap(burned) + pools.poolOf(pool).dust, 1e18 + 12_345);
        assertEq(reserveOf(address(pools)), pools.poolOf(pool).dust);
    }

    // Pools from a root

    function test_createFromRoot__when_units_are_out_of_bounds__reverts() external {
        expectUnitsOutOfBounds(0);
        pools.createFromRoot("root", 0, NODES_BPS, BlobId.wrap(0));
        expectUnitsOutOfBounds(uint256(MAXIMUM_UNITS) + 1);
        pools.createFromRoot("root", MAXIMUM_UNITS + 1, NODES_BPS, BlobId.wrap(0));
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_SharesOutOfBounds.selector, 5000, 5001));
        pools.createFromRoot("root", 1, 5001, BlobId.wrap(0));
    }

    function test_createFromRoot__when_all_is_in_order__tells_and_keeps_it() external {
        vm.expectEmit(address(pools));
        emit IRevenuePools.PoolCreated(PoolId.wrap(1), address(this), 7, 10, "root", BlobId.wrap("list"));
        PoolId pool = pools.createFromRoot("root", 7, 10, BlobId.wrap("list"));
        assertEq(pools.poolOf(pool).root, bytes32("root"));
        assertEq(pools.poolOf(pool).units, 7);
    }

    function test_claimFromRoot__given_any_size__every_place_gets_its_part(uint256 count) external {
        count = bound(count, 1, 40);
        Tree memory tree = treeOf(count);
        PoolId pool = createFrom(tree);
        distribute(pool, 1e18);
        uint256 perWeight = Amount.unwrap(pools.poolOf(pool).earnedPerWeight);
        for (uint256 i = 0; i < count; ++i) {
            uint256 expected = perWeight * (i + 1) * 8750;
            assertEq(Amount.unwrap(pools.claimableFromRoot(pool, uint64(i + 1))), expected);
            assertEq(claimFromRoot(pool, tree, i), expected);
        }
    }

    function test_claimFromRoot__given_10000_members__first_and_last_get_their_part() external {
        Tree memory tree = treeOf(10_000);
        PoolId pool = createFrom(tree);
        distribute(pool, 1e22);
        uint256 perWeight = Amount.unwrap(pools.poolOf(pool).earnedPerWeight);
        vm.expectEmit(address(pools));
        emit IRevenuePools.MemberAdded(pool, memberAt(9999), 10_000);
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeClaimed(
            pool, memberAt(9999), memberAt(9999), Amount.wrap(uint128(perWeight * 10_000 * 8750))
        );
        assertEq(claimFromRoot(pool, tree, 9999), perWeight * 10_000 * 8750);
        assertEq(claimFromRoot(pool, tree, 0), perWeight * 8750);
        // From then on as a member of a list.
        distribute(pool, 1e22);
        assertGt(claim(pool, alice), 0);
    }

    function test_claimFromRoot__in_a_pool_from_a_list__reverts() external {
        PoolId pool = createPool();
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_NotFromRoot.selector, pool));
        pools.claimFromRoot(pool, 5, 0, "", alice);
    }

    function test_claimFromRoot__when_nothing_came_in__reverts_and_enter_does_not() external {
        Tree memory tree = treeOf(3);
        PoolId pool = createFrom(tree);
        expectNothing(pool, alice);
        vm.prank(alice);
        pools.claimFromRoot(pool, 1, 0, proofOf(tree, 0), alice);
        enter(pool, tree, 0);
        assertEq(pools.memberOf(pool, alice).units, 1);
        assertTrue(pools.memberOf(pool, alice).entered);
    }

    function test_claimFromRoot__before_a_place_was_shown__claim_reverts() external {
        Tree memory tree = treeOf(3);
        PoolId pool = createFrom(tree);
        distribute(pool, 1e18);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_NotAMember.selector, pool, alice));
        claim(pool, alice);
    }

    function test_enter__twice__reverts() external {
        Tree memory tree = treeOf(3);
        PoolId pool = createFrom(tree);
        distribute(pool, 1e18);
        claimFromRoot(pool, tree, 0);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_AlreadyAMember.selector, pool, alice));
        enter(pool, tree, 0);
        // Nor after everything was handed on.
        vm.prank(alice);
        pools.transferUnits(pool, bob, 1);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_AlreadyAMember.selector, pool, alice));
        enter(pool, tree, 0);
    }

    function test_enter__with_no_units__reverts() external {
        address[] memory accounts = new address[](2);
        uint64[] memory units = new uint64[](2);
        (accounts[0], accounts[1], units[0], units[1]) = (alice, bob, 0, 3);
        Tree memory tree = treeOf(accounts, units);
        PoolId pool = createFrom(tree);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongUnits.selector, alice, 0));
        pools.enter(pool, alice, 0, 0, proofOf(tree, 0));
        pools.enter(pool, bob, 3, 1, proofOf(tree, 1));
    }

    function test_enter__by_the_zero_account__reverts() external {
        address[] memory accounts = new address[](1);
        uint64[] memory units = new uint64[](1);
        units[0] = 3;
        Tree memory tree = treeOf(accounts, units);
        PoolId pool = createFrom(tree);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongAccount.selector, address(0)));
        pools.enter(pool, address(0), 3, 0, proofOf(tree, 0));
    }

    function test_enter__when_the_tree_names_an_account_twice__only_one_place_counts() external {
        address[] memory accounts = new address[](2);
        uint64[] memory units = new uint64[](2);
        (accounts[0], accounts[1], units[0], units[1]) = (alice, alice, 4, 6);
        Tree memory tree = treeOf(accounts, units);
        PoolId pool = createFrom(tree);
        pools.enter(pool, alice, 6, 1, proofOf(tree, 1));
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_AlreadyAMember.selector, pool, alice));
        pools.enter(pool, alice, 4, 0, proofOf(tree, 0));
        assertEq(pools.memberOf(pool, alice).units, 6);
    }

    function test_enter__when_anything_of_the_proof_is_wrong__reverts() external {
        Tree memory tree = treeOf(5);
        PoolId pool = createFrom(tree);
        bytes memory proof = proofOf(tree, 2);
        address third = memberAt(2);
        // Other account, units or place.
        expectWrongProof(pool, memberAt(1), 3, 2, proof);
        expectWrongProof(pool, third, 4, 2, proof);
        expectWrongProof(pool, third, 3, 3, proof);
        expectWrongProof(pool, third, 3, 5, proof);
        expectWrongProof(pool, third, 3, 2 + 8, proof);
        expectWrongProof(pool, third, 3, type(uint256).max, proof);
        // Any bit of the proof.
        for (uint256 i = 0; i < proof.length; ++i) {
            expectWrongProof(pool, third, 3, 2, flipped(proof, i));
        }
        // Shorter and longer.
        expectWrongProof(pool, third, 3, 2, "");
        expectWrongProof(pool, third, 3, 2, bytes.concat(proof, hex"00"));
        expectWrongProof(pool, third, 3, 2, bytes.concat(proof, new bytes(40)));
        expectWrongProof(pool, third, 3, 2, abi.encodePacked(uint64(5)));
        // And then it is right.
        pools.enter(pool, third, 3, 2, proof);
    }

    function test_enter__with_the_proof_of_another_pool__reverts() external {
        Tree memory tree = treeOf(5);
        Tree memory larger = treeOf(6);
        createFrom(tree);
        PoolId pool = createFrom(larger);
        expectWrongProof(pool, alice, 1, 0, proofOf(tree, 0));
    }

    function test_enter__with_a_node_or_the_root_in_the_place_of_a_leaf__reverts() external {
        Tree memory tree = treeOf(4);
        PoolId pool = createFrom(tree);
        (bytes32 right, uint64 rightUnits) = nodeAt(tree, 1, 1);
        // Half of the tree is offered as one leaf: its hash has another tag, whoever's account the bytes are.
        expectWrongProof(pool, memberAt(0), tree.units[1][0], 0, abi.encodePacked(uint64(2), right, rightUnits));
    }

    function test_enter__when_the_pool_says_more_units_than_its_tree__nobody_gets_in() external {
        Tree memory tree = treeOf(3);
        PoolId pool = pools.createFromRoot(tree.root, totalOf(tree) + 1, NODES_BPS, BlobId.wrap(0));
        for (uint256 i = 0; i < 3; ++i) {
            expectWrongProof(pool, memberAt(i), uint64(i + 1), i, proofOf(tree, i));
        }
    }

    /// @dev A creator writes less units than there are over one half of the tree: that half cannot be shown, the other half gets
    /// what the root says and no more.
    function test_enter__given_forged_sums__places_below_them_cannot_be_shown() external {
        Tree memory tree = treeOf(4);
        tree.units[1][0] = 1;
        setNode(tree, 2, 0);
        setRoot(tree);
        PoolId pool = createFrom(tree);
        assertEq(totalOf(tree), 1 + 7);
        distribute(pool, 1e18);
        expectWrongProof(pool, memberAt(0), 1, 0, proofOf(tree, 0));
        expectWrongProof(pool, memberAt(1), 2, 1, proofOf(tree, 1));
        uint256 paid = claimFromRoot(pool, tree, 2) + claimFromRoot(pool, tree, 3);
        assertLe(paid, 0.875e18);
    }

    function test_enter__given_sums_that_leave_64_bits__reverts() external {
        Tree memory tree = treeOf(2);
        tree.units[0][0] = type(uint64).max;
        tree.hashes[1][0] = keccak256(
            abi.encodePacked(bytes1(0x11), tree.hashes[0][0], type(uint64).max, tree.hashes[0][1], uint64(2))
        );
        tree.units[1][0] = 1;
        setRoot(tree);
        PoolId pool = createFrom(tree);
        // 2^64 - 1 and 2 would be 1, as the root says.
        expectWrongProof(pool, memberAt(1), 2, 1, proofOf(tree, 1));
    }

    function test_enter__when_units_were_handed_before__keeps_both(uint64 income) external {
        Tree memory tree = treeOf(4);
        PoolId pool = createFrom(tree);
        distribute(pool, 1e18);
        enter(pool, tree, 3);
        vm.prank(memberAt(3));
        pools.transferUnits(pool, alice, 2);
        distribute(pool, uint256(income) + 1);
        uint256 expected = claimable(pool, alice) + Amount.unwrap(pools.claimableFromRoot(pool, 1));
        enter(pool, tree, 0);
        assertEq(claimable(pool, alice), expected);
        assertEq(pools.memberOf(pool, alice).units, 3);
        if (expected != 0) assertEq(claim(pool, alice), expected);
    }

    function test_enter__when_units_were_handed_on_before__the_place_keeps_its_past() external {
        Tree memory tree = treeOf(4);
        PoolId pool = createFrom(tree);
        distribute(pool, 1e18);
        enter(pool, tree, 3);
        vm.prank(memberAt(3));
        pools.transferUnits(pool, alice, 2);
        distribute(pool, 1e18);
        vm.prank(alice);
        pools.transferUnits(pool, memberAt(3), 2);
        claim(pool, alice);
        uint256 due = Amount.unwrap(pools.claimableFromRoot(pool, 1));
        assertEq(claimFromRoot(pool, tree, 0), due);
        assertEq(due, 0.175e18);
    }

    function test_enter__when_units_were_handed_before_any_income__all_earn_from_the_first_one_on() external {
        Tree memory tree = treeOf(4);
        PoolId pool = createFrom(tree);
        enter(pool, tree, 3);
        vm.prank(memberAt(3));
        pools.transferUnits(pool, alice, 2);
        enter(pool, tree, 0);
        distribute(pool, 1e18);
        assertEq(claim(pool, alice), 3 * 0.0875e18);
    }

    // transferUnits

    function test_transferUnits__when_it_makes_no_sense__reverts() external {
        PoolId pool = createPool();
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongAccount.selector, address(0)));
        pools.transferUnits(pool, address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongAccount.selector, alice));
        pools.transferUnits(pool, alice, 1);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongUnits.selector, bob, 0));
        pools.transferUnits(pool, bob, 0);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_TooFewUnits.selector, pool, alice, 6, 5));
        pools.transferUnits(pool, bob, 6);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_TooFewUnits.selector, pool, payer.addr, 1, 0));
        vm.prank(payer.addr);
        pools.transferUnits(pool, bob, 1);
    }

    function test_transferUnits__between_two_incomes__each_gets_what_its_units_earned() external {
        PoolId pool = createPool();
        distribute(pool, 1e18);
        vm.expectEmit(address(pools));
        emit IRevenuePools.UnitsTransferred(pool, alice, bob, 4);
        vm.prank(alice);
        pools.transferUnits(pool, bob, 4);
        assertEq(claimable(pool, alice), 5 * 0.0875e18);
        assertEq(claimable(pool, bob), 3 * 0.0875e18);

        distribute(pool, 1e18);
        assertEq(claimable(pool, alice), 6 * 0.0875e18);
        assertEq(claimable(pool, bob), 10 * 0.0875e18);
        assertEq(claim(pool, alice), 6 * 0.0875e18);
        assertEq(claim(pool, bob), 10 * 0.0875e18);
        assertEq(claim(pool, carol), 4 * 0.0875e18);
    }

    function test_transferUnits__to_a_newcomer__earns_only_from_then_on() external {
        PoolId pool = createPool();
        distribute(pool, 1e18);
        vm.prank(alice);
        pools.transferUnits(pool, payer.addr, 5);
        assertEq(claimable(pool, payer.addr), 0);
        distribute(pool, 1e18);
        assertEq(claim(pool, payer.addr), 5 * 0.0875e18);
        // A former member claims what it had earned, then is none.
        assertEq(claim(pool, alice), 5 * 0.0875e18);
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_NotAMember.selector, pool, alice));
        claim(pool, alice);
    }

    function test_I10_transferUnits__back_and_forth__changes_no_sum(uint64[8] calldata steps) external {
        PoolId pool = createPool();
        uint256 received = 0;
        for (uint256 i = 0; i < steps.length; ++i) {
            (address from, address to) = steps[i] % 2 == 0 ? (alice, bob) : (bob, alice);
            uint64 held = pools.memberOf(pool, from).units;
            if (held != 0) {
                vm.prank(from);
                pools.transferUnits(pool, to, 1 + steps[i] % held);
            }
            distribute(pool, uint256(steps[i]) + 1);
            received += uint256(steps[i]) + 1;
        }
        (Amount toNodes, Amount burned) = pools.settleable(pool);
        assertEq(
            claimable(pool, alice) + claimable(pool, bob) + claimable(pool, carol) + Amount.unwrap(toNodes)
                + Amount.unwrap(burned) + pools.poolOf(pool).dust,
            received
        );
    }

    // settle

    function test_settle__when_nothing_came_in__does_nothing() external {
        PoolId pool = createPool();
        distribute(pool, 99_999);
        pools.settle(pool);
        assertEq(reserveOf(address(pools)), 99_999);
    }

    function test_settle__when_there_is_income__moves_it_into_the_present_epoch_and_burns() external {
        PoolId pool = createPool();
        distribute(pool, 1e18);
        warpTo(3);
        vm.expectEmit(address(pools));
        emit IRevenuePools.PoolSettled(pool, Amount.wrap(0.1e18), Amount.wrap(0.025e18));
        vm.expectEmit(address(vault));
        emit ITokenVault.Moved(address(pools), address(fees), Amount.wrap(0.1e18));
        vm.expectEmit(address(fees));
        emit IStorageFees.IncomeEarned(Epoch.wrap(3), Amount.wrap(0.1e18));
        (Amount toNodes, Amount burned) = pools.settle(pool);
        assertEq(Amount.unwrap(toNodes), 0.1e18);
        assertEq(Amount.unwrap(burned), 0.025e18);
        assertEq(Amount.unwrap(fees.incomeOf(Epoch.wrap(3))), 0.1e18);
        assertEq(token.totalSupply(), SUPPLY - 0.025e18);
        assertSettleable(pool, 0, 0);
        assertEq(claimable(pool, alice), 0.4375e18);
        // Once.
        pools.settle(pool);
        assertEq(token.totalSupply(), SUPPLY - 0.025e18);
    }

    function test_settle__when_nodes_get_nothing__burns_only() external {
        IRevenuePools.Share[] memory shares = two(alice, 1, bob, 1);
        PoolId pool = pools.create(shares, 0);
        distribute(pool, 1e18);
        pools.settle(pool);
        assertEq(reserveOf(address(fees)), 0);
        assertEq(token.totalSupply(), SUPPLY - 0.025e18);
        assertEq(claim(pool, alice), 0.4875e18);
    }

    // Helpers

    function enter(PoolId pool, Tree memory tree, uint256 index) private {
        pools.enter(pool, memberAt(index), uint64(index + 1), index, proofOf(tree, index));
    }

    function claimFromRoot(PoolId pool, Tree memory tree, uint256 index) private returns (uint256) {
        bytes memory proof = proofOf(tree, index);
        address account = memberAt(index);
        vm.prank(account);
        return Amount.unwrap(pools.claimFromRoot(pool, uint64(index + 1), index, proof, account));
    }

    function two(address a, uint64 unitsA, address b, uint64 unitsB)
        private
        pure
        returns (IRevenuePools.Share[] memory shares)
    {
        shares = new IRevenuePools.Share[](2);
        (shares[0], shares[1]) = (IRevenuePools.Share(a, unitsA), IRevenuePools.Share(b, unitsB));
    }

    function flipped(bytes memory proof, uint256 i) private pure returns (bytes memory changed) {
        changed = bytes.concat(proof);
        changed[i] = changed[i] ^ 0x01;
    }

    function assertSettleable(PoolId pool, uint256 toNodes, uint256 burned) private view {
        (Amount toNodes_, Amount burned_) = pools.settleable(pool);
        assertEq(Amount.unwrap(toNodes_), toNodes);
        assertEq(Amount.unwrap(burned_), burned);
    }

    function expectUnknown() private {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_UnknownPool.selector, UNKNOWN));
    }

    function expectNothing(PoolId pool, address account) private {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_NothingToClaim.selector, pool, account));
    }

    function expectUnitsOutOfBounds(uint256 units) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRevenuePools.RevenuePools_UnitsOutOfBounds.selector, MAXIMUM_UNITS, units)
        );
    }

    function expectWrongProof(PoolId pool, address account, uint64 units, uint256 index, bytes memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(IRevenuePools.RevenuePools_WrongProof.selector, pool, account));
        pools.enter(pool, account, units, index, proof);
    }
}
