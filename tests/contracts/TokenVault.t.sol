// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ITokenVault} from "../../contracts/interfaces/ITokenVault.sol";
import {IWAL} from "../../contracts/interfaces/IWAL.sol";
import {HostileTokenMock} from "../../contracts/mocks/HostileTokenMock.sol";
import {WAL} from "../../contracts/token/WAL.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {TokenVault} from "../../contracts/vault/TokenVault.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract TokenVaultTest is Test {
    uint128 private constant FUNDS = 1000e18;

    WAL private token;
    TokenVault private vault;
    address private module;
    address private otherModule;
    address private payer;
    address private account;
    address private stranger;

    function setUp() external {
        module = makeAddr("module");
        otherModule = makeAddr("other module");
        payer = makeAddr("payer");
        account = makeAddr("account");
        stranger = makeAddr("stranger");
        token = new WAL(payer, FUNDS);
        vault = new TokenVault(token, _list(module, otherModule));
        vm.prank(payer);
        token.approve(address(vault), type(uint256).max);
    }

    // constructor

    function test_constructor__when_there_is_no_module__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_WrongModuleCount.selector, 16, 0));
        new TokenVault(token, new address[](0));
    }

    function test_constructor__when_there_are_too_many_modules__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_WrongModuleCount.selector, 16, 17));
        new TokenVault(token, new address[](17));
    }

    function test_constructor__when_a_module_is_zero__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_WrongModule.selector, address(0)));
        new TokenVault(token, _list(module, address(0)));
    }

    function test_constructor__when_a_module_is_named_twice__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_WrongModule.selector, module));
        new TokenVault(token, _list(module, module));
    }

    function test_constructor__knows_its_modules_and_token() external view {
        assertEq(abi.encode(vault.modules()), abi.encode(_list(module, otherModule)));
        assertEq(address(vault.token()), address(token));
    }

    // collect

    function test_collect__when_caller_is_no_module__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_CallerNotModule.selector, stranger));
        vm.prank(stranger);
        vault.collect(payer, Amount.wrap(1));
    }

    function test_collect__when_payer_did_not_approve__reverts() external {
        vm.prank(payer);
        token.approve(address(vault), 4);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 4, 5));
        _collect(module, 5);
    }

    function test_collect__when_payer_has_too_little__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, payer, FUNDS, FUNDS + 1));
        _collect(module, FUNDS + 1);
    }

    function test_collect__when_token_answers_false__reverts() external {
        HostileTokenMock hostile = _useHostileToken();
        hostile.refuse();
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        _collect(module, 5);
        assertEq(_reserve(module), 0);
    }

    function test_I1_collect__when_token_calls_back__books_stay_right() external {
        HostileTokenMock hostile = _useHostileToken();
        _claim(address(hostile), 5);
        hostile.callBack(address(vault), abi.encodeCall(ITokenVault.withdraw, (Amount.wrap(5), stranger)));
        _collect(module, 7);
        assertEq(hostile.answer(), "");
        assertEq(hostile.balanceOf(stranger), 5);
        _assertBooks(7, 0, 0);
    }

    function test_collect__when_payer_approved__moves_tokens_into_the_reserve(uint128 amount) external {
        amount = uint128(bound(amount, 0, FUNDS));
        vm.expectEmit(address(vault));
        emit ITokenVault.Collected(module, payer, Amount.wrap(amount));
        _collect(module, amount);
        assertEq(token.balanceOf(payer), FUNDS - amount);
        assertEq(token.balanceOf(address(vault)), amount);
        assertEq(_reserve(module), amount);
        assertEq(_reserve(otherModule), 0);
    }

    // release

    function test_release__when_caller_is_no_module__reverts() external {
        _collect(module, 5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_CallerNotModule.selector, stranger));
        _release(stranger, account, 5);
    }

    function test_release__when_payee_is_zero__reverts() external {
        _collect(module, 5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_ZeroRecipient.selector, module));
        _release(module, address(0), 5);
    }

    function test_release__when_only_another_reserve_suffices__reverts() external {
        _collect(module, 5);
        _collect(otherModule, 100);
        _expectReserveTooSmall(6, 5);
        _release(module, account, 6);
    }

    function test_release__when_reserve_suffices__turns_it_into_a_claim(uint128 amount, uint128 part) external {
        amount = uint128(bound(amount, 1, FUNDS));
        part = uint128(bound(part, 0, amount));
        _collect(module, amount);
        vm.expectEmit(address(vault));
        emit ITokenVault.Released(module, account, Amount.wrap(part));
        _release(module, account, part);
        _assertBooks(amount - part, part, 0);
        assertEq(Amount.unwrap(vault.claimOf(account)), part);
        assertEq(token.balanceOf(account), 0);
    }

    // move

    function test_move__when_caller_is_no_module__reverts() external {
        _collect(module, 5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_CallerNotModule.selector, stranger));
        vm.prank(stranger);
        vault.move(module, Amount.wrap(5));
    }

    function test_move__when_receiver_is_no_module__reverts() external {
        _collect(module, 5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_ReceiverNotModule.selector, stranger));
        vm.prank(module);
        vault.move(stranger, Amount.wrap(5));
    }

    function test_move__when_only_another_reserve_suffices__reverts() external {
        _collect(module, 5);
        _collect(otherModule, 100);
        _expectReserveTooSmall(6, 5);
        vm.prank(module);
        vault.move(otherModule, Amount.wrap(6));
    }

    function test_move__when_reserve_suffices__joins_the_other_reserve(uint128 amount, uint128 part) external {
        amount = uint128(bound(amount, 1, FUNDS));
        part = uint128(bound(part, 0, amount));
        _collect(module, amount);
        vm.expectEmit(address(vault));
        emit ITokenVault.Moved(module, otherModule, Amount.wrap(part));
        vm.prank(module);
        vault.move(otherModule, Amount.wrap(part));
        assertEq(_reserve(module), amount - part);
        assertEq(_reserve(otherModule), part);
        _assertBooks(amount, 0, 0);
    }

    function test_I1_move__to_itself__changes_nothing() external {
        _collect(module, 5);
        vm.prank(module);
        vault.move(module, Amount.wrap(3));
        assertEq(_reserve(module), 5);
        _assertBooks(5, 0, 0);
    }

    // pay

    function test_pay__when_caller_is_no_module__reverts() external {
        _collect(module, 5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_CallerNotModule.selector, stranger));
        vm.prank(stranger);
        vault.pay(stranger, Amount.wrap(5));
    }

    function test_pay__when_recipient_is_zero__reverts() external {
        _collect(module, 5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_ZeroRecipient.selector, module));
        vm.prank(module);
        vault.pay(address(0), Amount.wrap(5));
    }

    function test_pay__when_only_others_have_as_much__reverts() external {
        _collect(module, 5);
        _collect(otherModule, 100);
        _claim(account, 50);
        _expectReserveTooSmall(6, 5);
        vm.prank(module);
        vault.pay(account, Amount.wrap(6));
    }

    function test_pay__when_token_answers_false__reverts_and_the_reserve_stays() external {
        HostileTokenMock hostile = _useHostileToken();
        _collect(module, 5);
        hostile.refuse();
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        vm.prank(module);
        vault.pay(account, Amount.wrap(5));
        _assertBooks(5, 0, 0);
    }

    function test_I1_pay__when_token_calls_back__pays_once() external {
        HostileTokenMock hostile = _useHostileToken();
        // The token itself is the module, so its call back comes from the one that pays.
        vault = new TokenVault(IWAL(address(hostile)), _list(address(hostile), otherModule));
        vm.prank(payer);
        hostile.approve(address(vault), type(uint256).max);
        _collect(address(hostile), 5);
        hostile.callBack(address(vault), abi.encodeCall(ITokenVault.pay, (stranger, Amount.wrap(5))));
        vm.prank(address(hostile));
        vault.pay(stranger, Amount.wrap(5));
        assertEq(
            hostile.answer(),
            abi.encodeWithSelector(
                ITokenVault.TokenVault_ReserveTooSmall.selector, address(hostile), Amount.wrap(5), Amount.wrap(0)
            )
        );
        assertEq(hostile.balanceOf(stranger), 5);
    }

    function test_pay__when_reserve_suffices__pays_the_recipient(uint128 amount, uint128 part) external {
        amount = uint128(bound(amount, 1, FUNDS));
        part = uint128(bound(part, 0, amount));
        _collect(module, amount);
        vm.expectEmit(address(vault));
        emit ITokenVault.Paid(module, stranger, Amount.wrap(part));
        vm.prank(module);
        vault.pay(stranger, Amount.wrap(part));
        assertEq(token.balanceOf(stranger), part);
        assertEq(_reserve(module), amount - part);
        _assertBooks(amount - part, 0, 0);
    }

    // burn

    function test_burn__when_caller_is_no_module__reverts() external {
        _collect(module, 5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_CallerNotModule.selector, stranger));
        vm.prank(stranger);
        vault.burn(Amount.wrap(1));
    }

    function test_burn__when_only_others_have_as_much__reverts() external {
        _collect(module, 5);
        _collect(otherModule, 100);
        _claim(account, 50);
        vm.prank(payer);
        assertTrue(token.transfer(address(vault), 7));
        _expectReserveTooSmall(6, 5);
        vm.prank(module);
        vault.burn(Amount.wrap(6));
    }

    function test_burn__when_reserve_suffices__lowers_the_supply(uint128 amount, uint128 part) external {
        amount = uint128(bound(amount, 1, FUNDS));
        part = uint128(bound(part, 0, amount));
        _collect(module, amount);
        vm.expectEmit(address(vault));
        emit ITokenVault.Burned(module, Amount.wrap(part));
        vm.prank(module);
        vault.burn(Amount.wrap(part));
        assertEq(token.totalSupply(), FUNDS - part);
        _assertBooks(amount - part, 0, 0);
    }

    // withdraw

    function test_withdraw__when_recipient_is_zero__reverts() external {
        _claim(account, 5);
        vm.expectRevert(abi.encodeWithSelector(ITokenVault.TokenVault_ZeroRecipient.selector, account));
        _withdraw(account, 5, address(0));
    }

    function test_withdraw__when_claim_is_too_small__reverts() external {
        _claim(account, 5);
        _claim(stranger, 100);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenVault.TokenVault_ClaimTooSmall.selector, account, Amount.wrap(6), Amount.wrap(5)
            )
        );
        _withdraw(account, 6, account);
    }

    function test_withdraw__when_token_answers_false__reverts_and_claim_stays() external {
        HostileTokenMock hostile = _useHostileToken();
        _claim(account, 5);
        hostile.refuse();
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(hostile)));
        _withdraw(account, 5, account);
        _assertBooks(0, 5, 0);
    }

    function test_I1_withdraw__when_token_calls_back__pays_once() external {
        HostileTokenMock hostile = _useHostileToken();
        // The token itself has the claim, so its call back comes from the account that is being paid.
        _claim(address(hostile), 5);
        _claim(account, 5);
        hostile.callBack(address(vault), abi.encodeCall(ITokenVault.withdraw, (Amount.wrap(5), stranger)));
        _withdraw(address(hostile), 5, stranger);
        assertEq(
            hostile.answer(),
            abi.encodeWithSelector(
                ITokenVault.TokenVault_ClaimTooSmall.selector, address(hostile), Amount.wrap(5), Amount.wrap(0)
            )
        );
        assertEq(hostile.balanceOf(stranger), 5);
        _assertBooks(0, 5, 0);
    }

    function test_withdraw__when_claim_suffices__pays_the_recipient(uint128 claim, uint128 part) external {
        claim = uint128(bound(claim, 1, FUNDS));
        part = uint128(bound(part, 0, claim));
        _claim(account, claim);
        vm.expectEmit(address(vault));
        emit ITokenVault.Withdrawn(account, stranger, Amount.wrap(part));
        _withdraw(account, part, stranger);
        assertEq(token.balanceOf(stranger), part);
        assertEq(Amount.unwrap(vault.claimOf(account)), claim - part);
        _assertBooks(0, claim - part, 0);
    }

    // free

    function test_free__is_what_was_sent_by_no_rule() external {
        _collect(module, 7);
        _collect(otherModule, 9);
        _release(otherModule, account, 4);
        vm.prank(payer);
        assertTrue(token.transfer(address(vault), 3));
        assertEq(_reserve(module), 7);
        assertEq(_reserve(otherModule), 5);
        _assertBooks(12, 4, 3);
    }

    // Helpers

    function _collect(address caller, uint128 amount) private {
        vm.prank(caller);
        vault.collect(payer, Amount.wrap(amount));
    }

    function _release(address caller, address payee, uint128 amount) private {
        vm.prank(caller);
        vault.release(payee, Amount.wrap(amount));
    }

    function _withdraw(address caller, uint128 amount, address to) private {
        vm.prank(caller);
        vault.withdraw(Amount.wrap(amount), to);
    }

    function _claim(address claimant, uint128 amount) private {
        _collect(module, amount);
        _release(module, claimant, amount);
    }

    function _expectReserveTooSmall(uint128 requested, uint128 reserve) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenVault.TokenVault_ReserveTooSmall.selector, module, Amount.wrap(requested), Amount.wrap(reserve)
            )
        );
    }

    /// @dev Puts another vault with a token that obeys this test in the place of the good ones.
    function _useHostileToken() private returns (HostileTokenMock hostile) {
        hostile = new HostileTokenMock(payer, FUNDS);
        vault = new TokenVault(IWAL(address(hostile)), _list(module, otherModule));
        vm.prank(payer);
        hostile.approve(address(vault), type(uint256).max);
    }

    /// @dev Invariant I1, with each side named.
    function _assertBooks(uint256 reserves, uint256 claims, uint256 free) private view {
        assertEq(_reserve(module) + _reserve(otherModule), reserves);
        assertEq(Amount.unwrap(vault.totalClaims()), claims);
        assertEq(Amount.unwrap(vault.free()), free);
        assertEq(vault.token().balanceOf(address(vault)), reserves + claims + free);
    }

    function _reserve(address of_) private view returns (uint256) {
        return Amount.unwrap(vault.reserveOf(of_));
    }

    function _list(address a, address b) private pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (a, b);
    }
}
