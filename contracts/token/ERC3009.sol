// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IWAL} from "../interfaces/IWAL.sol";

/// @title ERC3009
/// @notice Transfers by signature with random nonces, so that authorizations can be made and used in any order.
/// @dev Flow: the holder signs -> anyone ({transferWithAuthorization}) or only the payee ({receiveWithAuthorization})
/// submits, or the holder's {cancelAuthorization} comes first.
///
/// Invariant: a nonce of an authorizer is spent at most once, by exactly one of the three, and never becomes unspent.
///
/// The v,r,s forms take keys only (ECDSA); the forms with bytes ask the account's contract (ERC-1271) where it has code.
abstract contract ERC3009 is ERC20Permit, IWAL {
    bytes32 private constant TRANSFER_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant CANCEL_TYPEHASH = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    mapping(address authorizer => mapping(bytes32 nonce => bool)) private _spent;

    /// @inheritdoc IWAL
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
    ) external {
        _checkWindow(nonce, validAfter, validBefore);
        bytes32 digest = _digest(TRANSFER_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _use(from, nonce, _isSignedBy(from, digest, v, r, s));
        _transfer(from, to, value);
    }

    /// @inheritdoc IWAL
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _checkWindow(nonce, validAfter, validBefore);
        bytes32 digest = _digest(TRANSFER_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _use(from, nonce, SignatureChecker.isValidSignatureNowCalldata(from, digest, signature));
        _transfer(from, to, value);
    }

    /// @inheritdoc IWAL
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
    ) external {
        _checkPayee(to);
        _checkWindow(nonce, validAfter, validBefore);
        bytes32 digest = _digest(RECEIVE_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _use(from, nonce, _isSignedBy(from, digest, v, r, s));
        _transfer(from, to, value);
    }

    /// @inheritdoc IWAL
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _checkPayee(to);
        _checkWindow(nonce, validAfter, validBefore);
        bytes32 digest = _digest(RECEIVE_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _use(from, nonce, SignatureChecker.isValidSignatureNowCalldata(from, digest, signature));
        _transfer(from, to, value);
    }

    /// @inheritdoc IWAL
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        _cancel(authorizer, nonce, _isSignedBy(authorizer, _cancelDigest(authorizer, nonce), v, r, s));
    }

    /// @inheritdoc IWAL
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external {
        bytes32 digest = _cancelDigest(authorizer, nonce);
        _cancel(authorizer, nonce, SignatureChecker.isValidSignatureNowCalldata(authorizer, digest, signature));
    }

    /// @inheritdoc IWAL
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool spent) {
        return _spent[authorizer][nonce];
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }

    function _use(address authorizer, bytes32 nonce, bool signed) private {
        _spend(authorizer, nonce, signed);
        emit AuthorizationUsed(authorizer, nonce);
    }

    function _cancel(address authorizer, bytes32 nonce, bool signed) private {
        _spend(authorizer, nonce, signed);
        emit AuthorizationCanceled(authorizer, nonce);
    }

    function _spend(address authorizer, bytes32 nonce, bool signed) private {
        // Check: the nonce is fresh and the authorizer wants this.
        if (_spent[authorizer][nonce]) revert WAL_AuthorizationSpent(authorizer, nonce);
        if (!signed) revert WAL_WrongSignature(authorizer, nonce);

        // Effect: never again.
        _spent[authorizer][nonce] = true;
    }

    function _checkPayee(address to) private view {
        if (msg.sender != to) revert WAL_CallerNotPayee(to, msg.sender);
    }

    function _checkWindow(bytes32 nonce, uint256 validAfter, uint256 validBefore) private view {
        if (block.timestamp <= validAfter) revert WAL_AuthorizationNotYetValid(nonce, validAfter, block.timestamp);
        if (block.timestamp >= validBefore) revert WAL_AuthorizationExpired(nonce, validBefore, block.timestamp);
    }

    function _digest(
        bytes32 typehash,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(typehash, from, to, value, validAfter, validBefore, nonce)));
    }

    function _cancelDigest(address authorizer, bytes32 nonce) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CANCEL_TYPEHASH, authorizer, nonce)));
    }

    /// @dev A malformed signature (high s, wrong v) recovers the zero address, which is nobody's signature.
    function _isSignedBy(address signer, bytes32 digest, uint8 v, bytes32 r, bytes32 s) private pure returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, v, r, s);
        return failure == ECDSA.RecoverError.NoError && recovered == signer;
    }
}
