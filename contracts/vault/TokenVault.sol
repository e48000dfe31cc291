// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {IWAL} from "../interfaces/IWAL.sol";
import {Amount} from "../types/Amount.sol";

/// @title TokenVault
/// @notice Holds all WAL of the system and remembers whose it is.
/// @dev Flow: a module {collect}s from a payer into its reserve -> {release}s from its reserve into a claim -> the
/// account {withdraw}s its claim. A module may also {pay} part of its reserve out, {move} it to another, or {burn} it.
/// Nothing else moves a token, and nobody has a key to the vault.
///
/// Invariant I1: `token.balanceOf(this) == sum of reserves + totalClaims() + free()`.
///
/// The token is fixed and trusted to be {WAL}: a transfer moves exactly what it says. Balances are written before the
/// token is called all the same, so even a token that calls back finds the books closed.
contract TokenVault is ITokenVault {
    using SafeERC20 for IWAL;
    using SafeCast for uint256;

    /// @dev One slot, so that knowing a module costs nothing on top of its reserve.
    struct Module {
        Amount reserve;
        bool known;
    }

    uint256 private constant MAXIMUM_MODULES = 16;

    /// @inheritdoc ITokenVault
    IWAL public immutable token;

    address[] private _modules;
    mapping(address module => Module) private _moduleOf;
    mapping(address account => Amount) private _claims;
    Amount private _totalClaims;

    /// @param token_ {WAL}.
    /// @param modules_ 1 to 16 different contracts that may collect and release; they may be deployed later, at addresses
    /// known in advance.
    constructor(IWAL token_, address[] memory modules_) {
        if (modules_.length == 0 || modules_.length > MAXIMUM_MODULES) {
            revert TokenVault_WrongModuleCount(MAXIMUM_MODULES, modules_.length);
        }
        for (uint256 i = 0; i < modules_.length; i++) {
            if (modules_[i] == address(0) || _moduleOf[modules_[i]].known) revert TokenVault_WrongModule(modules_[i]);
            _moduleOf[modules_[i]].known = true;
        }
        _modules = modules_;
        token = token_;
    }

    /// @inheritdoc ITokenVault
    function collect(address payer, Amount amount) external {
        // Check: a module asks.
        Module storage module = _callingModule();

        // Effect: it holds more.
        module.reserve = module.reserve + amount;
        emit Collected(msg.sender, payer, amount);

        // Interaction: the token moves.
        token.safeTransferFrom(payer, address(this), Amount.unwrap(amount));
    }

    /// @inheritdoc ITokenVault
    function release(address payee, Amount amount) external {
        // Check: a module gives what it has to somebody.
        Module storage module = _callingModule();
        if (payee == address(0)) revert TokenVault_ZeroRecipient(msg.sender);
        Amount rest = _restAfter(module, amount);

        // Effect: the same WAL, owed to somebody else.
        module.reserve = rest;
        _claims[payee] = _claims[payee] + amount;
        _totalClaims = _totalClaims + amount;
        emit Released(msg.sender, payee, amount);
    }

    /// @inheritdoc ITokenVault
    function move(address to, Amount amount) external {
        // Check: a module gives what it has to another.
        Module storage module = _callingModule();
        if (!_moduleOf[to].known) revert TokenVault_ReceiverNotModule(to);
        Amount rest = _restAfter(module, amount);

        // Effect: the same WAL, under another module's rules. The sum is read afterwards: both may be the same one.
        module.reserve = rest;
        _moduleOf[to].reserve = _moduleOf[to].reserve + amount;
        emit Moved(msg.sender, to, amount);
    }

    /// @inheritdoc ITokenVault
    function pay(address to, Amount amount) external {
        // Check: a module gives what it has to somebody.
        Module storage module = _callingModule();
        if (to == address(0)) revert TokenVault_ZeroRecipient(msg.sender);
        Amount rest = _restAfter(module, amount);

        // Effect: it holds less.
        module.reserve = rest;
        emit Paid(msg.sender, to, amount);

        // Interaction: the token moves.
        token.safeTransfer(to, Amount.unwrap(amount));
    }

    /// @inheritdoc ITokenVault
    function burn(Amount amount) external {
        // Check: a module destroys what it has.
        Module storage module = _callingModule();
        Amount rest = _restAfter(module, amount);

        // Effect: it holds less.
        module.reserve = rest;
        emit Burned(msg.sender, amount);

        // Interaction: so does the vault, and there is less of the token.
        token.burn(Amount.unwrap(amount));
    }

    /// @inheritdoc ITokenVault
    function withdraw(Amount amount, address to) external {
        // Check: the caller is owed as much.
        Amount claim = _claims[msg.sender];
        if (to == address(0)) revert TokenVault_ZeroRecipient(msg.sender);
        if (amount > claim) revert TokenVault_ClaimTooSmall(msg.sender, amount, claim);

        // Effect: it is owed less.
        _claims[msg.sender] = claim - amount;
        _totalClaims = _totalClaims - amount;
        emit Withdrawn(msg.sender, to, amount);

        // Interaction: the token moves.
        token.safeTransfer(to, Amount.unwrap(amount));
    }

    /// @inheritdoc ITokenVault
    function modules() external view returns (address[] memory) {
        return _modules;
    }

    /// @inheritdoc ITokenVault
    function reserveOf(address module) external view returns (Amount) {
        return _moduleOf[module].reserve;
    }

    /// @inheritdoc ITokenVault
    function claimOf(address account) external view returns (Amount) {
        return _claims[account];
    }

    /// @inheritdoc ITokenVault
    function totalClaims() external view returns (Amount) {
        return _totalClaims;
    }

    /// @inheritdoc ITokenVault
    function free() external view returns (Amount) {
        Amount owed = _totalClaims;
        for (uint256 i = 0; i < _modules.length; i++) {
            owed = owed + _moduleOf[_modules[i]].reserve;
        }
        return Amount.wrap(token.balanceOf(address(this)).toUint128()) - owed;
    }

    function _callingModule() private view returns (Module storage module) {
        module = _moduleOf[msg.sender];
        if (!module.known) revert TokenVault_CallerNotModule(msg.sender);
    }

    /// @dev What the calling module holds once it gave `amount` away.
    function _restAfter(Module storage module, Amount amount) private view returns (Amount) {
        Amount reserve = module.reserve;
        if (amount > reserve) revert TokenVault_ReserveTooSmall(msg.sender, amount, reserve);
        return reserve - amount;
    }
}
