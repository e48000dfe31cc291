// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {IRenewals} from "../../contracts/interfaces/IRenewals.sol";
import {ITokenVault} from "../../contracts/interfaces/ITokenVault.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {PaymentsFixture} from "./support/PaymentsFixture.sol";
import {vm} from "./support/Vm.sol";

contract RenewalsTest is PaymentsFixture {
    /// @dev 63 units for 1,000 each.
    uint256 private constant RATE = 63_000;
    uint128 private constant TIP = 10_000;
    uint256 private constant FUNDS = 1e18;

    uint256 private blobObject;

    function setUp() external {
        deployPayments(1_000_000_000e18);
        vm.prank(payer.addr);
        blobObject = registry.register(
            IBlobRegistry.Registration({blobId: BlobId.wrap("blob"), size: 2 ** 20, epochs: 5, deletable: true})
        );
    }

    // setTerms

    function test_setTerms__by_another_than_the_owner__reverts() external {
        expectNotOwner(blobObject, payer.addr, bob);
        setTermsBy(bob, 3, 2);
        expectNotOwner(99, address(0), bob);
        vm.prank(bob);
        renewals.setTerms(99, IRenewals.Terms(3, 2, Amount.wrap(TIP)));
    }

    function test_setTerms__that_cannot_be_kept__reverts() external {
        expectWrongTerms(0, 2);
        setTermsBy(payer.addr, 0, 2);
        expectWrongTerms(3, 0);
        setTermsBy(payer.addr, 3, 0);
        expectWrongTerms(49, 2);
        setTermsBy(payer.addr, 49, 2);
        expectWrongTerms(type(uint32).max, type(uint32).max);
        setTermsBy(payer.addr, type(uint32).max, type(uint32).max);
        setTermsBy(payer.addr, 49, 1);
    }

    function test_setTerms__by_the_owner__keeps_them_and_tells() external {
        vm.expectEmit(address(renewals));
        emit IRenewals.RenewalTermsSet(blobObject, payer.addr, 3, 2, Amount.wrap(TIP));
        setTermsBy(payer.addr, 3, 2);
        IRenewals.Terms memory kept = renewals.termsOf(blobObject);
        assertEq(kept.epochs, 3);
        assertEq(kept.lead, 2);
        assertEq(Amount.unwrap(kept.tip), TIP);
        setTermsBy(payer.addr, 7, 1);
        assertEq(renewals.termsOf(blobObject).epochs, 7);
    }

    // fund

    function test_fund__when_it_makes_no_sense__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_NoTerms.selector, blobObject));
        renewals.fund(blobObject, Amount.wrap(1));
        setTermsBy(payer.addr, 3, 2);
        vm.expectRevert(IRenewals.Renewals_ZeroAmount.selector);
        renewals.fund(blobObject, Amount.wrap(0));
        warpTo(6);
        expectNotLive();
        renewals.fund(blobObject, Amount.wrap(1));
    }

    /// @dev The seller of an object could leave terms whose tip takes what its buyer pays in, or have it after a deletion.
    function test_fund__under_terms_of_an_owner_before__reverts() external {
        setTermsBy(payer.addr, 3, 2);
        vm.prank(payer.addr);
        registry.transferFrom(payer.addr, bob, blobObject);
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_NoTerms.selector, blobObject));
        renewals.fund(blobObject, Amount.wrap(uint128(FUNDS)));

        setTermsBy(bob, 3, 2);
        renewals.fund(blobObject, Amount.wrap(uint128(FUNDS)));
        vm.prank(bob);
        registry.deleteBlob(blobObject);
        expectNotOwner(blobObject, bob, payer.addr);
        vm.prank(payer.addr);
        renewals.withdraw(blobObject, Amount.wrap(1), payer.addr);
    }

    function test_fund__by_anyone__adds_to_the_balance() external {
        setTermsBy(payer.addr, 3, 2);
        vm.expectEmit(address(renewals));
        emit IRenewals.RenewalFunded(blobObject, agent.addr, Amount.wrap(5), Amount.wrap(5));
        vm.prank(agent.addr);
        renewals.fund(blobObject, Amount.wrap(5));
        vm.expectEmit(address(renewals));
        emit IRenewals.RenewalFunded(blobObject, address(this), Amount.wrap(6), Amount.wrap(11));
        renewals.fund(blobObject, Amount.wrap(6));
        assertEq(Amount.unwrap(renewals.balanceOf(blobObject)), 11);
        assertEq(reserveOf(address(renewals)), 11);
    }

    // renew

    function test_renew__without_terms__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_NoTerms.selector, blobObject));
        renewals.renew(blobObject);
        assertFalse(renewals.isDue(blobObject));
    }

    function test_renew__before_it_is_due__reverts() external {
        evergreen();
        warpTo(3);
        assertFalse(renewals.isDue(blobObject));
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_NotDue.selector, blobObject, 6, 4));
        renewals.renew(blobObject);
        warpTo(4);
        assertTrue(renewals.isDue(blobObject));
    }

    function test_renew__when_expired__reverts() external {
        evergreen();
        warpTo(6);
        assertFalse(renewals.isDue(blobObject));
        expectNotLive();
        renewals.renew(blobObject);
    }

    function test_renew__when_the_balance_is_too_small__reverts() external {
        setTermsBy(payer.addr, 3, 2);
        uint128 required = uint128(3 * RATE + TIP);
        renewals.fund(blobObject, Amount.wrap(required - 1));
        warpTo(4);
        assertFalse(renewals.isDue(blobObject));
        vm.expectRevert(
            abi.encodeWithSelector(IRenewals.Renewals_BalanceTooSmall.selector, blobObject, required, required - 1)
        );
        renewals.renew(blobObject);
        renewals.fund(blobObject, Amount.wrap(1));
        assertTrue(renewals.isDue(blobObject));
        renewals.renew(blobObject);
        assertEq(Amount.unwrap(renewals.balanceOf(blobObject)), 0);
    }

    function test_renew__with_a_tip_that_nothing_covers__is_never_due() external {
        vm.prank(payer.addr);
        renewals.setTerms(blobObject, IRenewals.Terms(3, 2, Amount.wrap(type(uint128).max)));
        renewals.fund(blobObject, Amount.wrap(uint128(FUNDS)));
        warpTo(4);
        assertFalse(renewals.isDue(blobObject));
    }

    function test_renew__when_due__extends_the_term_and_tips() external {
        evergreen();
        warpTo(4);
        uint256 income = reserveOf(address(fees));
        vm.expectEmit(address(renewals));
        emit IRenewals.Renewed(blobObject, agent.addr, Epoch.wrap(9), Amount.wrap(uint128(3 * RATE)), Amount.wrap(TIP));
        vm.prank(agent.addr);
        assertEq(Epoch.unwrap(renewals.renew(blobObject)), 9);

        assertEq(Epoch.unwrap(registry.blobOf(blobObject).end), 9);
        assertEq(reserveOf(address(fees)), income + 3 * RATE);
        assertEq(Amount.unwrap(vault.claimOf(agent.addr)), TIP);
        assertEq(Amount.unwrap(renewals.balanceOf(blobObject)), FUNDS - 3 * RATE - TIP);
        assertEq(reserveOf(address(renewals)), FUNDS - 3 * RATE - TIP);
        assertEq(token.balanceOf(address(renewals)), 0);
        // Not again before the next time.
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_NotDue.selector, blobObject, 9, 7));
        renewals.renew(blobObject);
        warpTo(8);
        renewals.renew(blobObject);
        assertEq(Epoch.unwrap(registry.blobOf(blobObject).end), 12);
    }

    function test_renew__with_the_longest_terms__can_always_be_paid(uint32 epochs) external {
        epochs = uint32(bound(epochs, 1, MAXIMUM_EPOCHS - 1));
        setTermsBy(payer.addr, epochs, MAXIMUM_EPOCHS - epochs);
        renewals.fund(blobObject, Amount.wrap(uint128(FUNDS)));
        Epoch end = registry.blobOf(blobObject).end;
        uint32 lead = MAXIMUM_EPOCHS - epochs;
        if (Epoch.unwrap(end) > lead + 1) warpTo(Epoch.unwrap(end) - lead);
        renewals.renew(blobObject);
        assertEq(Epoch.unwrap(registry.blobOf(blobObject).end), Epoch.unwrap(end) + epochs);
    }

    function test_renew__without_a_tip__pays_the_price_only() external {
        vm.prank(payer.addr);
        renewals.setTerms(blobObject, IRenewals.Terms(3, 2, Amount.wrap(0)));
        renewals.fund(blobObject, Amount.wrap(uint128(3 * RATE)));
        warpTo(4);
        vm.prank(agent.addr);
        renewals.renew(blobObject);
        assertEq(Amount.unwrap(vault.claimOf(agent.addr)), 0);
        assertEq(reserveOf(address(renewals)), 0);
    }

    function test_renew__cannot_spend_another_objects_balance() external {
        evergreen();
        vm.startPrank(agent.addr);
        uint256 other = registry.register(
            IBlobRegistry.Registration({blobId: BlobId.wrap("other"), size: 2 ** 20, epochs: 5, deletable: true})
        );
        renewals.setTerms(other, IRenewals.Terms(3, 2, Amount.wrap(TIP)));
        vm.stopPrank();
        warpTo(4);
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_BalanceTooSmall.selector, other, 3 * RATE + TIP, 0));
        renewals.renew(other);
    }

    // withdraw

    function test_withdraw__by_another_than_the_owner_or_too_much__reverts() external {
        evergreen();
        expectNotOwner(blobObject, payer.addr, bob);
        vm.prank(bob);
        renewals.withdraw(blobObject, Amount.wrap(1), bob);
        vm.startPrank(payer.addr);
        vm.expectRevert(IRenewals.Renewals_ZeroAmount.selector);
        renewals.withdraw(blobObject, Amount.wrap(0), bob);
        vm.expectRevert(
            abi.encodeWithSelector(IRenewals.Renewals_BalanceTooSmall.selector, blobObject, FUNDS + 1, FUNDS)
        );
        renewals.withdraw(blobObject, Amount.wrap(uint128(FUNDS + 1)), bob);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_ZeroRecipient.selector, address(renewals)));
        renewals.withdraw(blobObject, Amount.wrap(1), address(0));
        vm.stopPrank();
    }

    function test_withdraw__by_the_owner__pays_out() external {
        evergreen();
        vm.expectEmit(address(renewals));
        emit IRenewals.RenewalWithdrawn(blobObject, bob, Amount.wrap(4));
        vm.prank(payer.addr);
        renewals.withdraw(blobObject, Amount.wrap(4), bob);
        assertEq(token.balanceOf(bob), 4);
        assertEq(Amount.unwrap(renewals.balanceOf(blobObject)), FUNDS - 4);
    }

    function test_withdraw__after_a_transfer__is_for_the_new_owner() external {
        evergreen();
        vm.prank(payer.addr);
        registry.transferFrom(payer.addr, bob, blobObject);
        expectNotOwner(blobObject, bob, payer.addr);
        vm.prank(payer.addr);
        renewals.withdraw(blobObject, Amount.wrap(1), payer.addr);
        vm.prank(bob);
        renewals.withdraw(blobObject, Amount.wrap(uint128(FUNDS)), bob);
        assertEq(token.balanceOf(bob), FUNDS);
    }

    function test_withdraw__after_expiry__is_for_the_owner() external {
        evergreen();
        warpTo(20);
        vm.prank(payer.addr);
        renewals.withdraw(blobObject, Amount.wrap(uint128(FUNDS)), bob);
        assertEq(token.balanceOf(bob), FUNDS);
    }

    function test_withdraw__after_a_deletion__is_for_who_set_the_terms() external {
        evergreen();
        vm.prank(payer.addr);
        registry.deleteBlob(blobObject);
        assertFalse(renewals.isDue(blobObject));
        expectNotOwner(blobObject, payer.addr, bob);
        vm.prank(bob);
        renewals.withdraw(blobObject, Amount.wrap(1), bob);
        vm.prank(payer.addr);
        renewals.withdraw(blobObject, Amount.wrap(uint128(FUNDS)), bob);
        assertEq(token.balanceOf(bob), FUNDS);
    }

    // Helpers

    function evergreen() private {
        setTermsBy(payer.addr, 3, 2);
        renewals.fund(blobObject, Amount.wrap(uint128(FUNDS)));
    }

    function setTermsBy(address account, uint32 epochs, uint32 lead) private {
        vm.prank(account);
        renewals.setTerms(blobObject, IRenewals.Terms(epochs, lead, Amount.wrap(TIP)));
    }

    function expectNotOwner(uint256 object, address owner, address caller) private {
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_CallerNotOwner.selector, object, owner, caller));
    }

    function expectWrongTerms(uint32 epochs, uint32 lead) private {
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_WrongTerms.selector, epochs, lead, MAXIMUM_EPOCHS));
    }

    function expectNotLive() private {
        vm.expectRevert(abi.encodeWithSelector(IRenewals.Renewals_NotLive.selector, blobObject));
    }
}
