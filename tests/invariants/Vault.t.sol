// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WAL} from "../../contracts/token/WAL.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {TokenVault} from "../../contracts/vault/TokenVault.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {Test} from "../contracts/support/Test.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @notice Drives the vault from three modules and four accounts, whose parts it also pays out, moves and burns, and keeps its own books beside the vault's.
/// @dev Every amount is bounded by what the actor has, so no call reverts.
contract VaultHandler is Test {
    WAL public immutable token;
    TokenVault public immutable vault;
    address[] public modules;
    address[] public accounts;

    /// @dev The ghost ledger: what each should have.
    mapping(address module => uint256) public reserve;
    mapping(address account => uint256) public claim;
    mapping(address account => uint256) public deposited;
    mapping(address account => uint256) public earned;
    mapping(address account => uint256) public withdrawn;
    uint256 public donated;
    uint256 public moved;
    uint256 public burned;
    uint256 public paid;

    constructor() {
        for (uint256 i = 0; i < 3; i++) {
            modules.push(makeAddr(string.concat("module ", vm.toString(i))));
        }
        token = new WAL(address(this), type(uint128).max);
        vault = new TokenVault(token, modules);
        for (uint256 i = 0; i < 4; i++) {
            accounts.push(makeAddr(string.concat("account ", vm.toString(i))));
            token.transfer(accounts[i], type(uint128).max / 4);
            vm.prank(accounts[i]);
            token.approve(address(vault), type(uint256).max);
        }
    }

    function collect(uint256 module, uint256 payer, uint256 amount) external {
        address by = modules[module % modules.length];
        address from = accounts[payer % accounts.length];
        amount = bound(amount, 0, token.balanceOf(from));
        vm.prank(by);
        vault.collect(from, Amount.wrap(uint128(amount)));
        reserve[by] += amount;
        deposited[from] += amount;
    }

    function release(uint256 module, uint256 payee, uint256 amount) external {
        address by = modules[module % modules.length];
        address to = accounts[payee % accounts.length];
        amount = bound(amount, 0, reserve[by]);
        vm.prank(by);
        vault.release(to, Amount.wrap(uint128(amount)));
        reserve[by] -= amount;
        claim[to] += amount;
        earned[to] += amount;
    }

    function move(uint256 module, uint256 to, uint256 amount) external {
        address by = modules[module % modules.length];
        address receiver = modules[to % modules.length];
        amount = bound(amount, 0, reserve[by]);
        vm.prank(by);
        vault.move(receiver, Amount.wrap(uint128(amount)));
        reserve[by] -= amount;
        reserve[receiver] += amount;
        moved += amount;
    }

    function pay(uint256 module, uint256 recipient, uint256 amount) external {
        address by = modules[module % modules.length];
        amount = bound(amount, 0, reserve[by]);
        vm.prank(by);
        vault.pay(accounts[recipient % accounts.length], Amount.wrap(uint128(amount)));
        reserve[by] -= amount;
        paid += amount;
    }

    function burn(uint256 module, uint256 amount) external {
        address by = modules[module % modules.length];
        // A small part at most, so that something is left to play with.
        amount = bound(amount, 0, reserve[by] / 16);
        vm.prank(by);
        vault.burn(Amount.wrap(uint128(amount)));
        reserve[by] -= amount;
        burned += amount;
    }

    function withdraw(uint256 account, uint256 recipient, uint256 amount) external {
        address by = accounts[account % accounts.length];
        amount = bound(amount, 0, claim[by]);
        vm.prank(by);
        vault.withdraw(Amount.wrap(uint128(amount)), accounts[recipient % accounts.length]);
        claim[by] -= amount;
        withdrawn[by] += amount;
    }

    function donate(uint256 account, uint256 amount) external {
        address by = accounts[account % accounts.length];
        amount = bound(amount, 0, token.balanceOf(by));
        vm.prank(by);
        token.transfer(address(vault), amount);
        donated += amount;
    }

    function moduleCount() external view returns (uint256) {
        return modules.length;
    }

    function accountCount() external view returns (uint256) {
        return accounts.length;
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract VaultInvariants is InvariantTest {
    VaultHandler private handler;
    WAL private token;
    TokenVault private vault;

    function setUp() external {
        handler = new VaultHandler();
        token = handler.token();
        vault = handler.vault();
        bytes4[] memory actions = new bytes4[](7);
        actions[0] = VaultHandler.collect.selector;
        actions[1] = VaultHandler.release.selector;
        actions[2] = VaultHandler.withdraw.selector;
        actions[3] = VaultHandler.donate.selector;
        actions[4] = VaultHandler.move.selector;
        actions[5] = VaultHandler.burn.selector;
        actions[6] = VaultHandler.pay.selector;
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    function invariant_I1_balance_is_reserves_claims_and_free() external view {
        uint256 reserves = 0;
        for (uint256 i = 0; i < handler.moduleCount(); i++) {
            reserves += Amount.unwrap(vault.reserveOf(handler.modules(i)));
        }
        uint256 claims = 0;
        for (uint256 i = 0; i < handler.accountCount(); i++) {
            claims += Amount.unwrap(vault.claimOf(handler.accounts(i)));
        }
        assertEq(Amount.unwrap(vault.totalClaims()), claims);
        assertEq(token.balanceOf(address(vault)), reserves + claims + Amount.unwrap(vault.free()));
        assertEq(Amount.unwrap(vault.free()), handler.donated());
    }

    function invariant_I1_what_is_burned_is_gone_and_nothing_else() external view {
        assertEq(token.totalSupply() + handler.burned(), type(uint128).max);
        uint256 held = token.balanceOf(address(vault)) + token.balanceOf(address(handler));
        for (uint256 i = 0; i < handler.accountCount(); i++) {
            held += token.balanceOf(handler.accounts(i));
        }
        assertEq(held, token.totalSupply());
    }

    function invariant_I1_books_agree_with_the_ghost_ledger() external view {
        for (uint256 i = 0; i < handler.moduleCount(); i++) {
            address module = handler.modules(i);
            assertEq(Amount.unwrap(vault.reserveOf(module)), handler.reserve(module));
        }
        for (uint256 i = 0; i < handler.accountCount(); i++) {
            address account = handler.accounts(i);
            assertEq(Amount.unwrap(vault.claimOf(account)), handler.claim(account));
        }
    }

    function invariant_I2_nobody_withdraws_more_than_was_released_to_them() external view {
        for (uint256 i = 0; i < handler.accountCount(); i++) {
            address account = handler.accounts(i);
            assertLe(handler.withdrawn(account), handler.earned(account));
            assertEq(handler.earned(account) - handler.withdrawn(account), Amount.unwrap(vault.claimOf(account)));
        }
    }

    /// @dev The handlers do something.
    function test_handler__after_some_calls__reached_every_kind() external {
        handler.collect(0, 0, 1e18);
        handler.move(0, 1, 7e17);
        handler.burn(1, 1e16);
        handler.release(0, 1, 3e17);
        handler.withdraw(1, 1, 1e17);
        handler.pay(1, 2, 2e16);
        handler.donate(1, 5);
        assertEq(handler.moved(), 7e17);
        assertEq(handler.burned(), 1e16);
        assertEq(handler.paid(), 2e16);
        assertEq(handler.withdrawn(handler.accounts(1)), 1e17);
        assertEq(Amount.unwrap(vault.free()), 5);
    }
}
