// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title IReadChannels
/// @notice Deposits from which a payer pays use after use by signed vouchers, without a transaction for each.
/// @dev Glossary: a *channel* pays one revenue pool. A *voucher* says what the channel's signer has promised in all so far; the next
/// one promises more. It pays for one use, its *purpose*, with the *stretch* from `cumulative - amount` to `cumulative`.
///
/// Flow: {open} -> the signer gives vouchers to storage agents, which release keys for them -> any of them {redeem}s the latest ->
/// {topUp} -> {startClose} -> after {closeDelay} {finishClose} pays the rest back.
///
/// Voucher: EIP-712 `Voucher(uint256 channel,uint128 cumulative,uint128 amount,bytes32 purpose)` in this contract's domain, name
/// "Walrus Chain Read Channels", version "1".
///
/// Of what is redeemed {tipBps} of 10,000 go to the caller when it is the signer of a registered node, for the gas; the rest to the pool.
///
/// Invariant I8: a voucher of the channel's signer up to the deposit is payable in full until the channel is closed, and once: what
/// a channel paid is the largest amount redeemed.
interface IReadChannels {
    /// @notice A promise of a channel's signer.
    /// @param cumulative What it promised in all, this voucher included.
    /// @param amount What this use is paid: the last part of `cumulative`.
    /// @param purpose The use: its digest, as storage agents and readers compute it.
    struct Voucher {
        uint256 channel;
        Amount cumulative;
        Amount amount;
        bytes32 purpose;
    }

    /// @notice A channel as it is kept.
    /// @param payer Opened it, may close it, and gets the rest.
    /// @param signer Its signature makes a voucher.
    /// @param pool Gets what is redeemed.
    /// @param deposit All that was ever paid in.
    /// @param redeemed What of it was paid out to the pool, and as tips.
    /// @param closesAt From when on it may be closed; zero when the payer did not ask for it.
    /// @param closed Whether it pays nothing any more.
    struct Channel {
        address payer;
        address signer;
        PoolId pool;
        Amount deposit;
        Amount redeemed;
        Timestamp closesAt;
        bool closed;
    }

    /// @notice Emitted when a channel was opened.
    event ChannelOpened(
        uint256 indexed channel, address indexed payer, PoolId indexed pool, address signer, Amount deposit
    );

    /// @notice Emitted when a deposit grew.
    /// @param payer Who paid; not always the channel's payer.
    /// @param deposit The new sum.
    event ChannelToppedUp(uint256 indexed channel, address indexed payer, Amount amount, Amount deposit);

    /// @notice Emitted when a voucher was paid, in part or in full.
    /// @param paid To the pool, and as a tip to the redeemer.
    /// @param cumulative What the channel has paid in all now.
    event VoucherRedeemed(
        uint256 indexed channel, address indexed redeemer, Amount paid, Amount cumulative, bytes32 purpose
    );

    /// @notice Emitted when a voucher of a batch was worth nothing; `reason` is `WrongSignature`, `UnknownChannel`, `Closed`.
    event VoucherSkipped(uint256 indexed channel, bytes32 reason);

    /// @notice Emitted when the payer asked to close a channel.
    event ChannelClosing(uint256 indexed channel, Timestamp closesAt);

    /// @notice Emitted when a channel ended.
    event ChannelClosed(uint256 indexed channel, Amount refunded);

    /// @notice Emitted when a signer was shown to have paid two uses with one stretch; the whole rest went to the pool.
    event EquivocationPunished(uint256 indexed channel, address indexed reporter, Amount forfeited);

    /// @notice Thrown when there is no such channel.
    error ReadChannels_UnknownChannel(uint256 channel);

    /// @notice Thrown when a channel would pay a pool that there is not.
    error ReadChannels_UnknownPool(PoolId pool);

    /// @notice Thrown when a channel would have no signer.
    error ReadChannels_ZeroSigner();

    /// @notice Thrown when nothing is paid in.
    error ReadChannels_ZeroAmount();

    /// @notice Thrown when a deposit would grow to 2^96 or more. `maximum` is what may still be added.
    error ReadChannels_AmountOutOfBounds(Amount maximum, Amount actual);

    /// @notice Thrown when the caller is not the one who opened the channel.
    error ReadChannels_CallerNotPayer(uint256 channel, address payer, address caller);

    /// @notice Thrown when the payer asked to close the channel already.
    error ReadChannels_Closing(uint256 channel, Timestamp closesAt);

    /// @notice Thrown when the payer did not ask to close the channel.
    error ReadChannels_NotClosing(uint256 channel);

    /// @notice Thrown when the delay before closing is not over.
    error ReadChannels_StillOpen(uint256 channel, Timestamp closesAt);

    /// @notice Thrown when the channel is closed.
    error ReadChannels_Closed(uint256 channel);

    /// @notice Thrown when no voucher of a batch pays anything.
    error ReadChannels_NothingToRedeem();

    /// @notice Thrown when signatures are not 65 bytes for each voucher.
    error ReadChannels_WrongSignatureLength(uint256 expected, uint256 actual);

    /// @notice Thrown when two vouchers do not show that the signer paid two uses with one stretch.
    error ReadChannels_NoEquivocation(uint256 channel);

    /// @notice Thrown at construction when a parameter is outside its bounds. `parameter` is its name.
    error ReadChannels_ParameterOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Opens a channel of the caller; ids count from 1.
    /// @dev Emits {ChannelOpened}.
    /// Requirements:
    /// - The pool must exist; the caller must have approved the vault for `deposit` of WAL, and hold it.
    /// @param signer Signs the vouchers: the caller's own key, or a session key. An externally owned account.
    /// @param deposit More than zero, below 2^96.
    function open(PoolId pool, address signer, Amount deposit) external returns (uint256 channel);

    /// @notice Adds to a channel's deposit. Anyone may pay; not while it is closing.
    /// @dev Emits {ChannelToppedUp}.
    /// Warning: what is left goes back to the channel's payer, whoever paid it.
    function topUp(uint256 channel, Amount amount) external;

    /// @notice Redeems vouchers, 65 bytes r,s,v for each in `signatures`. Anyone may call. A voucher that promises no more than was
    /// redeemed is passed over, one that is worth nothing is skipped with {VoucherSkipped}; one above the deposit pays what is left.
    /// @dev Emits {VoucherRedeemed} for each that pays. Reverts {ReadChannels_NothingToRedeem} when none pays anything.
    /// @return total What all paid together, tips included.
    function redeem(Voucher[] calldata vouchers, bytes calldata signatures) external returns (Amount total);

    /// @notice Begins closing. Only the payer. Vouchers are payable until {finishClose}.
    /// @dev Emits {ChannelClosing}.
    function startClose(uint256 channel) external;

    /// @notice Pays the rest of the deposit back to the payer. Anyone may call, {closeDelay} after {startClose}.
    /// @dev Emits {ChannelClosed}.
    function finishClose(uint256 channel) external returns (Amount refunded);

    /// @notice Shows two vouchers of one channel for different uses whose stretches overlap; the rest of the deposit goes to the
    /// pool, and the channel is closed. Anyone may call until then, for no tip.
    /// @dev Emits {EquivocationPunished} and {ChannelClosed}.
    function punishEquivocation(
        Voucher calldata one,
        bytes calldata oneSignature,
        Voucher calldata other,
        bytes calldata otherSignature
    ) external returns (Amount forfeited);

    /// @notice What the signer of a voucher signs.
    function voucherDigest(Voucher calldata voucher) external view returns (bytes32);

    /// @notice The channel as it is kept. Reverts when there is none.
    function channelOf(uint256 channel) external view returns (Channel memory);

    /// @notice How many channels were opened; they are numbered from 1.
    function channelCount() external view returns (uint256);

    /// @notice Seconds between {startClose} and {finishClose}.
    function closeDelay() external view returns (uint64);

    /// @notice What the signer of a node keeps of what it redeems, of 10,000.
    function tipBps() external view returns (uint16);
}
