// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ISignatureJudge
/// @notice Decides by one call whether an account signed a digest: a key, a contract (ERC-1271), or one that is not deployed yet
/// (ERC-6492).
interface ISignatureJudge {
    /// @notice Whether `signer` signed `digest`. Never reverts: whatever fails is no.
    /// @dev For `eth_call` only, at the block of a request: for ERC-6492 it deploys the account, which a call forgets again.
    /// Notes:
    /// - The digest must be one that the caller computed itself.
    /// - Give 10,000,000 gas: a contract that would get less than {signatureGas} is not asked.
    /// @param signer Zero never signed.
    /// @param signature 65 bytes r,s,v of a key; or what the account's code wants; or, for an account that may not be deployed
    /// yet, `abi.encode(address factory, bytes deployment, bytes signature) ‖ 0x6492…6492`.
    function isValid(address signer, bytes32 digest, bytes calldata signature) external returns (bool);

    /// @notice Gas that an account gets to decide, and a factory to deploy it.
    function signatureGas() external view returns (uint256);
}
