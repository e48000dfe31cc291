// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRandomness} from "../interfaces/IRandomness.sol";

/// @title FixedRandomness
/// @notice A source whose draws happen when somebody says so, with the bytes they say: for tests; never deployed.
contract FixedRandomness is IRandomness {
    /// @inheritdoc IRandomness
    uint256 public nextTicket = 1;

    mapping(uint256 ticket => bytes32) private _drawn;

    /// @notice Lets the draw of {nextTicket} happen. Zero bytes make a draw that is lost.
    function draw(bytes32 bytes_) external {
        _drawn[nextTicket++] = bytes_;
    }

    /// @inheritdoc IRandomness
    function reveal(uint256 ticket) external view returns (bytes32 drawn) {
        if (ticket >= nextTicket) revert Randomness_TooEarly(ticket, nextTicket);
        drawn = _drawn[ticket];
        if (drawn == 0) revert Randomness_Lost(ticket, nextTicket);
    }

    /// @inheritdoc IRandomness
    function isRevealed(uint256 ticket) external view returns (bool) {
        return ticket < nextTicket && _drawn[ticket] != 0;
    }
}
