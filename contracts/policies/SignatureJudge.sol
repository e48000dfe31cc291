// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ISignatureJudge} from "../interfaces/ISignatureJudge.sol";
import {CappedCall} from "../libraries/CappedCall.sol";

/// @title SignatureJudge
/// @notice Says whether an account signed, whatever kind of account it is.
/// @dev A key counts first: it rules its account also after code was delegated to it (EIP-7702). Then the account's code is
/// asked. For an account that is not deployed yet the signature says how to deploy it: `abi.encode(factory, calldata,
/// signature) ‖ 0x6492…6492`.
///
/// Warning: anyone makes this contract call any factory with any bytes. It owns nothing, and nobody may ever trust it as a
/// caller.
contract SignatureJudge is ISignatureJudge {
    /// @inheritdoc ISignatureJudge
    uint256 public constant signatureGas = 3_000_000;

    /// @dev Ends a signature of an account that may not be deployed yet (ERC-6492).
    bytes32 private constant WRAPPED = 0x6492649264926492649264926492649264926492649264926492649264926492;
    uint256 private constant WORD = 32;

    /// @inheritdoc ISignatureJudge
    function isValid(address signer, bytes32 digest, bytes calldata signature) external returns (bool) {
        if (signer == address(0)) return false;
        (bool wrapped, bytes calldata body) = _unwrap(signature);
        if (!wrapped) return _signedByKey(signer, digest, signature) || _signedByCode(signer, digest, signature);

        (address factory, bytes calldata deployment, bytes calldata inner, bool sound) = _parse(body);
        if (!sound) return false;
        if (signer.code.length == 0) {
            if (!CappedCall.suffices(signatureGas) || !CappedCall.tell(factory, signatureGas, deployment)) {
                return false;
            }
        }
        return _signedByCode(signer, digest, inner);
    }

    /// @dev Of 65 bytes, with the lower of the two possible s.
    function _signedByKey(address signer, bytes32 digest, bytes calldata signature) private pure returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && recovered == signer;
    }

    function _signedByCode(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        if (!CappedCall.suffices(signatureGas)) return false;
        (bool answered, uint256 word) = CappedCall.askWord(signer, signatureGas, question);
        return answered && bytes32(word) == bytes32(IERC1271.isValidSignature.selector);
    }

    /// @dev What stands before the mark of ERC-6492, if there is one.
    function _unwrap(bytes calldata signature) private pure returns (bool wrapped, bytes calldata body) {
        body = signature;
        if (signature.length >= WORD && bytes32(signature[signature.length - WORD:]) == WRAPPED) {
            (wrapped, body) = (true, signature[:signature.length - WORD]);
        }
    }

    /// @dev Reads `(address, bytes, bytes)` without reverting for what is none.
    function _parse(bytes calldata body)
        private
        pure
        returns (address factory, bytes calldata deployment, bytes calldata signature, bool sound)
    {
        (deployment, signature) = (body, body);
        if (body.length < 3 * WORD) return (factory, deployment, signature, false);
        uint256 first = uint256(bytes32(body[:WORD]));
        // Compared in the same line.
        // forge-lint: disable-next-line(unsafe-typecast)
        (factory, sound) = (address(uint160(first)), first <= type(uint160).max);
        bool found;
        (deployment, found) = _bytesAt(body, WORD);
        sound = sound && found;
        (signature, found) = _bytesAt(body, 2 * WORD);
        sound = sound && found;
    }

    /// @dev The bytes whose place stands at `place`; nothing when they are not wholly inside.
    function _bytesAt(bytes calldata body, uint256 place) private pure returns (bytes calldata part, bool found) {
        part = body[:0];
        uint256 offset = uint256(bytes32(body[place:]));
        if (offset > body.length - WORD) return (part, false);
        uint256 length = uint256(bytes32(body[offset:]));
        uint256 begin = offset + WORD;
        if (length > body.length - begin) return (part, false);
        return (body[begin:begin + length], true);
    }
}
