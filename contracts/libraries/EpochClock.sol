// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch} from "../types/Epoch.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title EpochClock
/// @notice The number of an epoch as a function of the time alone: epoch 1 begins at genesis, each lasts equally long.
/// @dev Nothing has to be called for an epoch to begin. Contracts keep `genesis` and `epochSeconds` as immutables.
library EpochClock {
    /// @notice The epoch that holds the moment `time`, which is not before `genesis`.
    function epochAt(Timestamp genesis, uint64 epochSeconds, Timestamp time) internal pure returns (Epoch) {
        // Seconds since genesis fit 32 bits for 136 years.
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast)
            return Epoch.wrap(uint32(genesis.secondsUntil(time) / epochSeconds + 1));
        }
    }

    /// @notice The epoch of the present block.
    function current(Timestamp genesis, uint64 epochSeconds) internal view returns (Epoch) {
        return epochAt(genesis, epochSeconds, Timestamp.wrap(uint64(block.timestamp)));
    }

    /// @notice The newest epoch whose stakes are fixed at the moment `time`: the *cut* of an epoch, `epochSeconds / 2` after
    /// it began, fixes those of the next one. So the next epoch from the cut on, the present one before.
    function targetAt(Timestamp genesis, uint64 epochSeconds, Timestamp time) internal pure returns (Epoch) {
        return epochAt(genesis, epochSeconds, time.plusSeconds(epochSeconds - epochSeconds / 2));
    }

    /// @notice {targetAt} of the present block.
    function target(Timestamp genesis, uint64 epochSeconds) internal view returns (Epoch) {
        return targetAt(genesis, epochSeconds, Timestamp.wrap(uint64(block.timestamp)));
    }

    /// @notice The moment at which `epoch`, from 1, begins.
    function startOf(Timestamp genesis, uint64 epochSeconds, Epoch epoch) internal pure returns (Timestamp) {
        return genesis.plusSeconds((Epoch.unwrap(epoch) - 1) * epochSeconds);
    }
}
