// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {IWAL} from "./IWAL.sol";

/// @title ITokenVault
/// @notice The one contract that holds the system's WAL. All others move balances inside it.
/// @dev Glossary: a *module* is one of the contracts fixed at construction that may collect and release; a *reserve* is
/// what a module holds under its own rules; a *claim* is what an account may withdraw at any time.
///
/// Invariant I1: `token.balanceOf(vault) == sum of reserves + totalClaims() + free()` at every moment, where `free()` is
/// what was sent to the vault by nobody's rule; `free()` never turns negative.
interface ITokenVault {
    /// @notice Emitted when a module took WAL from a payer into its reserve.
    event Collected(address indexed module, address indexed payer, Amount amount);

    /// @notice Emitted when a module turned part of its reserve into an account's claim.
    event Released(address indexed module, address indexed payee, Amount amount);

    /// @notice Emitted when a module handed part of its reserve to another.
    event Moved(address indexed module, address indexed to, Amount amount);

    /// @notice Emitted when a module paid part of its reserve out of the system.
    event Paid(address indexed module, address indexed to, Amount amount);

    /// @notice Emitted when a module destroyed part of its reserve.
    event Burned(address indexed module, Amount amount);

    /// @notice Emitted when an account took part of its claim out of the system.
    event Withdrawn(address indexed account, address indexed to, Amount amount);

    /// @notice Thrown when the caller is not one of the modules.
    error TokenVault_CallerNotModule(address caller);

    /// @notice Thrown when a module hands something to what is no module.
    error TokenVault_ReceiverNotModule(address to);

    /// @notice Thrown when a module releases more than it holds.
    error TokenVault_ReserveTooSmall(address module, Amount requested, Amount reserve);

    /// @notice Thrown when an account withdraws more than its claim.
    error TokenVault_ClaimTooSmall(address account, Amount requested, Amount claim);

    /// @notice Thrown when the recipient or payee is the zero address.
    error TokenVault_ZeroRecipient(address account);

    /// @notice Thrown at construction when there is no module, or there are more than `maximum`.
    error TokenVault_WrongModuleCount(uint256 maximum, uint256 actual);

    /// @notice Thrown at construction when a module is the zero address or named twice.
    error TokenVault_WrongModule(address module);

    /// @notice Takes `amount` from `payer` into the calling module's reserve.
    /// @dev Emits {Collected}.
    /// Warning: the vault trusts its modules to name only a payer who asked for it (their own `msg.sender`).
    /// Requirements:
    /// - The caller must be a module.
    /// - `payer` must have approved the vault for `amount` of WAL, and hold it.
    function collect(address payer, Amount amount) external;

    /// @notice Turns `amount` of the calling module's reserve into a claim of `payee`.
    /// @dev Emits {Released}.
    /// Requirements:
    /// - The caller must be a module whose reserve is at least `amount`.
    function release(address payee, Amount amount) external;

    /// @notice Hands `amount` of the calling module's reserve to another module.
    /// @dev Emits {Moved}.
    /// Requirements:
    /// - Both must be modules, and the caller's reserve at least `amount`.
    function move(address to, Amount amount) external;

    /// @notice Pays `amount` of the calling module's reserve out to `to`.
    /// @dev Emits {Paid}.
    /// Notes:
    /// - For payees who asked for it themselves; for others there is {release}.
    /// Requirements:
    /// - The caller must be a module whose reserve is at least `amount`.
    function pay(address to, Amount amount) external;

    /// @notice Destroys `amount` of the calling module's reserve; the token's supply falls by it.
    /// @dev Emits {Burned}.
    /// Requirements:
    /// - The caller must be a module whose reserve is at least `amount`.
    function burn(Amount amount) external;

    /// @notice Pays `amount` of the caller's claim out to `to`.
    /// @dev Emits {Withdrawn}.
    /// Requirements:
    /// - The caller's claim must be at least `amount`.
    function withdraw(Amount amount, address to) external;

    /// @notice The token that the vault holds.
    function token() external view returns (IWAL);

    /// @notice The contracts that may collect and release; fixed at construction.
    function modules() external view returns (address[] memory);

    /// @notice What `module` holds under its own rules.
    function reserveOf(address module) external view returns (Amount);

    /// @notice What `account` may withdraw now.
    function claimOf(address account) external view returns (Amount);

    /// @notice The sum of all claims.
    function totalClaims() external view returns (Amount);

    /// @notice Tokens in the vault that nobody is owed: sent directly, outside every rule. They stay there.
    function free() external view returns (Amount);
}
