// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IEvidenceReader
/// @notice Whether what a requester shows can change a policy's answer.
/// @dev Nobody can be made to show something. So a policy that reads evidence may not stand below a `Not`: who shows nothing, or
/// something wrong, would be let in.
interface IEvidenceReader {
    /// @notice Whether the answer may depend on the evidence. A contract without this function counts as one that does.
    function readsEvidence() external view returns (bool);
}
