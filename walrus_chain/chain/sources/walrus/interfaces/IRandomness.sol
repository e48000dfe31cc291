// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IRandomness
/// @notice Random bytes that nobody knew when they were asked for.
/// @dev A *ticket* names a draw that has not happened yet. Whoever uses the bytes keeps them once they are read, since a
/// source may forget. A source says nothing rather than something predictable: it reverts.
interface IRandomness {
    /// @notice Thrown when the draw has not happened yet.
    error Randomness_TooEarly(uint256 ticket, uint256 now_);

    /// @notice Thrown when the source does not remember the draw any more.
    error Randomness_Lost(uint256 ticket, uint256 now_);

    /// @notice Thrown at construction when the chain does not offer what the source needs.
    error Randomness_SourceMissing();

    /// @notice Names a draw that will happen after this transaction.
    function nextTicket() external view returns (uint256 ticket);

    /// @notice The 32 bytes of a draw; the same whenever and whoever asks.
    function reveal(uint256 ticket) external view returns (bytes32);

    /// @notice Whether {reveal} would answer now.
    function isRevealed(uint256 ticket) external view returns (bool);
}
