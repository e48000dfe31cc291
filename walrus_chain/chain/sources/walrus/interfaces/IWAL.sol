// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title IWAL
/// @notice The token that pays for storage, reading and computation, and that operators stake.
/// @dev ERC-20 with ERC-2612 permits and ERC-3009 authorizations with random nonces, each also in the form that takes
/// the signature as bytes, so that smart accounts (ERC-1271) can authorize.
interface IWAL is IERC20, IERC20Permit {
    /// @notice Emitted when an authorization was used; its nonce is spent for ever.
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);

    /// @notice Emitted when an authorization was cancelled before use; its nonce is spent for ever.
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    /// @notice Thrown when the block's time is not after `validAfter`.
    error WAL_AuthorizationNotYetValid(bytes32 nonce, uint256 validAfter, uint256 timestamp);

    /// @notice Thrown when the block's time is not before `validBefore`.
    error WAL_AuthorizationExpired(bytes32 nonce, uint256 validBefore, uint256 timestamp);

    /// @notice Thrown when the nonce was used or cancelled already.
    error WAL_AuthorizationSpent(address authorizer, bytes32 nonce);

    /// @notice Thrown when the signature is not the authorizer's.
    error WAL_WrongSignature(address authorizer, bytes32 nonce);

    /// @notice Thrown at construction when the supply is zero or does not fit an {Amount}.
    error WAL_SupplyOutOfBounds(uint256 maximum, uint256 supply);

    /// @notice Thrown when somebody other than the payee calls {receiveWithAuthorization}.
    error WAL_CallerNotPayee(address payee, address caller);

    /// @notice Destroys `value` of the caller's tokens; the supply falls by it.
    /// @dev Emits {Transfer} to the zero address.
    function burn(uint256 value) external;

    /// @notice Moves tokens by the holder's signature. Anyone may submit it.
    /// @dev Emits {AuthorizationUsed} and {Transfer}.
    /// Warning: anyone who sees the authorization may submit it first; a contract that credits a deposit must use
    /// {receiveWithAuthorization}.
    /// @param from The holder who signed.
    /// @param to The payee.
    /// @param value The amount in the smallest unit.
    /// @param validAfter Unix seconds; valid strictly after.
    /// @param validBefore Unix seconds; valid strictly before.
    /// @param nonce Any 32 bytes that the holder never used before.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice {transferWithAuthorization} with the signature as bytes: 65 bytes r,s,v or whatever the account's ERC-1271 takes.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Moves tokens by the holder's signature; only the payee may submit it, so it cannot be front-run.
    /// @dev Emits {AuthorizationUsed} and {Transfer}. Parameters as in {transferWithAuthorization}.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice {receiveWithAuthorization} with the signature as bytes.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Spends a nonce so that its authorization can never be used.
    /// @dev Emits {AuthorizationCanceled}.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice {cancelAuthorization} with the signature as bytes.
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;

    /// @notice Whether the nonce was used or cancelled.
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool spent);

    /// @notice Version in the EIP-712 domain; wallets and payment clients ask for it.
    function version() external view returns (string memory);
}
