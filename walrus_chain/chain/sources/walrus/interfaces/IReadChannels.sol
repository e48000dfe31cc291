// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title IReadChannels
/// @notice Deposits from which a payer pays use after use by signed vouchers, without a transaction for each.
/// @dev Glossary: a *channel* pays one revenue pool. A *voucher* says what the channel's signer has promised in all so far; the next
/// one promises more. It pays for one use, its *purpose*, with the stretch from `cumulative - amount` to `cumulative`.
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
    struct Voucher {
        uint256 channel;
        Amount cumulative;
        Amount amount;
        bytes32 purpose;
    }

    struct Channel {
        address payer;
        address signer;
        PoolId pool;
        Amount deposit;
        Amount redeemed;
        Timestamp closesAt;
        bool closed;
    }

    event ChannelOpened(
        uint256 indexed channel, address indexed payer, PoolId indexed pool, address signer, Amount deposit
    );
    event ChannelToppedUp(uint256 indexed channel, address indexed payer, Amount amount, Amount deposit);
    event VoucherRedeemed(
        uint256 indexed channel, address indexed redeemer, Amount paid, Amount cumulative, bytes32 purpose
    );
    /// @notice Emitted when a voucher of a batch was worth nothing; `reason` is `WrongSignature`, `UnknownChannel`, `Closed`.
    event VoucherSkipped(uint256 indexed channel, bytes32 reason);
    event ChannelClosing(uint256 indexed channel, Timestamp closesAt);
    event ChannelClosed(uint256 indexed channel, Amount refunded);
    /// @notice Emitted when a signer was shown to have paid two uses with one stretch; the whole rest went to the pool.
    event EquivocationPunished(uint256 indexed channel, address indexed reporter, Amount forfeited);

    error ReadChannels_UnknownChannel(uint256 channel);
    error ReadChannels_UnknownPool(PoolId pool);
    error ReadChannels_ZeroSigner();
    error ReadChannels_ZeroAmount();
    error ReadChannels_AmountOutOfBounds(Amount maximum, Amount actual);
    error ReadChannels_CallerNotPayer(uint256 channel, address payer, address caller);
    error ReadChannels_Closing(uint256 channel, Timestamp closesAt);
    error ReadChannels_NotClosing(uint256 channel);
    error ReadChannels_StillOpen(uint256 channel, Timestamp closesAt);
    error ReadChannels_Closed(uint256 channel);
    error ReadChannels_NothingToRedeem();
    error ReadChannels_WrongSignatureLength(uint256 expected, uint256 actual);
    error ReadChannels_NoEquivocation(uint256 channel);

    /// @notice Opens a channel of the caller with a deposit below 2^96; ids count from 1.
    /// @param signer Signs the vouchers: the caller's own key, or a session key. An externally owned account.
    function open(PoolId pool, address signer, Amount deposit) external returns (uint256 channel);

    /// @notice Adds to a channel's deposit. Anyone may pay; not while it is closing.
    function topUp(uint256 channel, Amount amount) external;

    /// @notice Redeems vouchers, 65 bytes r,s,v for each in `signatures`. Anyone may call. A voucher that promises no more than was
    /// redeemed is passed over, one that is worth nothing is skipped with {VoucherSkipped}; one above the deposit pays what is left.
    /// @dev Reverts {ReadChannels_NothingToRedeem} when none pays anything.
    function redeem(Voucher[] calldata vouchers, bytes calldata signatures) external returns (Amount total);

    /// @notice Begins closing. Only the payer. Vouchers are payable until {finishClose}.
    function startClose(uint256 channel) external;

    /// @notice Pays the rest of the deposit back to the payer. Anyone may call, {closeDelay} after {startClose}.
    function finishClose(uint256 channel) external returns (Amount refunded);

    /// @notice Shows two vouchers of one channel for different uses whose stretches overlap; the rest of the deposit goes to the
    /// pool. Anyone may call until the channel is closed.
    function punishEquivocation(
        Voucher calldata one,
        bytes calldata oneSignature,
        Voucher calldata other,
        bytes calldata otherSignature
    ) external returns (Amount forfeited);

    function voucherDigest(Voucher calldata voucher) external view returns (bytes32);
    function channelOf(uint256 channel) external view returns (Channel memory);
    function channelCount() external view returns (uint256);
    function closeDelay() external view returns (uint64);
    function tipBps() external view returns (uint16);
}
