// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRandomness} from "../interfaces/IRandomness.sol";

/// @title BlockHashRandomness
/// @notice The hash of a later block. A ticket is the number of that block.
/// @dev Flow: {nextTicket} names the block `delayBlocks` ahead -> once it is past, {reveal} gives its hash, by
/// BLOCKHASH for 256 blocks, then by the history contract of EIP-2935 up to 8,191 blocks back, on chains that have it.
///
/// Nothing that a caller chooses enters. Who builds the named block can try many versions of it before it is published: this
/// source trusts builders not to work for a cheat. See docs/spec/11-custody.md, "Bias".
///
/// A reorganisation that replaces the block changes the bytes, and undoes everything that was derived from the old ones
/// with it: both are on the same chain.
///
/// Not for chains where BLOCKHASH is not the hash of the block that NUMBER counts, such as Arbitrum (NUMBER is that of
/// the parent chain), or where it answers with a number anybody could have computed. Where one sequencer builds all
/// blocks, as on OP Stack chains, it can choose among hashes at no cost: users trust it not to.
contract BlockHashRandomness is IRandomness {
    uint64 private constant MINIMUM_DELAY = 1;
    uint64 private constant MAXIMUM_DELAY = 200;
    uint256 private constant BLOCKHASH_REACH = 256;
    uint256 private constant HISTORY_REACH = 8191;
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @notice How many blocks after the one that asks a draw happens.
    uint64 public immutable delayBlocks;

    /// @notice Whether the chain had the history contract of EIP-2935 when this contract was made; else draws are lost
    /// after 256 blocks.
    bool public immutable hasHistory;

    /// @notice Thrown at construction when the delay is outside its bounds.
    error BlockHashRandomness_DelayOutOfBounds(uint64 minimum, uint64 maximum, uint64 delayBlocks);

    /// @param delayBlocks_ 1 to 200. More than the longest reorganisation that is expected makes draws final.
    constructor(uint64 delayBlocks_) {
        if (delayBlocks_ < MINIMUM_DELAY || delayBlocks_ > MAXIMUM_DELAY) {
            revert BlockHashRandomness_DelayOutOfBounds(MINIMUM_DELAY, MAXIMUM_DELAY, delayBlocks_);
        }
        bytes32 parent = block.number == 0 ? bytes32(0) : blockhash(block.number - 1);
        if (parent == 0) revert Randomness_SourceMissing();
        delayBlocks = delayBlocks_;
        hasHistory = _historyOf(block.number - 1) == parent;
    }

    /// @inheritdoc IRandomness
    function nextTicket() external view returns (uint256 ticket) {
        return block.number + delayBlocks;
    }

    /// @inheritdoc IRandomness
    function reveal(uint256 ticket) external view returns (bytes32 drawn) {
        if (block.number <= ticket) revert Randomness_TooEarly(ticket, block.number);
        drawn = _hashOf(ticket);
        if (drawn == 0) revert Randomness_Lost(ticket, block.number);
    }

    /// @inheritdoc IRandomness
    function isRevealed(uint256 ticket) external view returns (bool) {
        return block.number > ticket && _hashOf(ticket) != 0;
    }

    /// @dev The hash of a block before this one; zero when it is out of reach.
    function _hashOf(uint256 number) private view returns (bytes32) {
        uint256 age = block.number - number;
        if (age <= BLOCKHASH_REACH) return blockhash(number);
        if (!hasHistory || age > HISTORY_REACH) return 0;
        return _historyOf(number);
    }

    /// @dev What the history contract answers; zero when it is missing or does not know. It takes 32 bytes without a
    /// selector, which no typed call can send.
    function _historyOf(uint256 number) private view returns (bytes32) {
        (bool success, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
        // Cannot cut anything off: the length is checked.
        // forge-lint: disable-next-line(unsafe-typecast)
        return success && answer.length == 32 ? bytes32(answer) : bytes32(0);
    }
}
