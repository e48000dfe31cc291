// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ISignatureJudge
/// @notice Decides by one call whether an account signed a digest: a key, a contract (ERC-1271), or one not deployed yet (ERC-6492).
interface ISignatureJudge {
    /// @notice For `eth_call` at the block of a request only: for ERC-6492 it deploys the account and forgets it again.
    /// @dev The digest is one that the caller computed itself. Contracts get {signatureGas}; failures are no.
    function isValid(address signer, bytes32 digest, bytes calldata signature) external returns (bool);

    function signatureGas() external view returns (uint256);
}
