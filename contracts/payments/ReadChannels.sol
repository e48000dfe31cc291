// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IReadChannels} from "../interfaces/IReadChannels.sol";
import {IRevenuePools} from "../interfaces/IRevenuePools.sol";
import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {Amount} from "../types/Amount.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title ReadChannels
/// @notice Keeps deposits and pays out of them what their signers promised.
/// @dev Flow: {open} -> {redeem}, as often as anyone likes -> {topUp} -> {startClose} -> {finishClose}; {punishEquivocation} ends a
/// channel at any time.
///
/// Only the largest amount that the signer promised counts, so it does not matter which vouchers are redeemed, in what order or by
/// whom; the money goes to the pool that was named when the channel was opened. What a redeemer can take is its tip.
///
/// Calls go only to contracts fixed at construction, so no account gets control inside a call.
///
/// Invariants:
/// - I8: a voucher of a channel's signer, up to the deposit, is payable in full until the channel is closed, and once: what a
///   channel paid is the largest amount redeemed, or the whole deposit when its signer was shown to have cheated.
/// - The vault's reserve of this contract is the sum over all channels that are not closed of deposit - redeemed.
contract ReadChannels is IReadChannels, EIP712 {
    /// @dev Who is paid, by whose word. `_payers` says who pays, when it is not the signer itself.
    struct Parties {
        address signer;
        PoolId pool;
        bool signerPays;
        bool closed;
    }

    /// @dev What a redemption writes. Closes at no time while `closesAt` is zero.
    struct Balance {
        uint96 deposit;
        uint96 redeemed;
        Timestamp closesAt;
    }

    /// @dev What one voucher brings.
    struct Redemption {
        PoolId pool;
        address payer;
        uint128 paid;
    }

    bytes32 private constant VOUCHER_TYPEHASH =
        keccak256("Voucher(uint256 channel,uint128 cumulative,uint128 amount,bytes32 purpose)");

    uint256 private constant ONE_BPS = 10_000;
    uint16 private constant MAXIMUM_TIP_BPS = 500;
    uint64 private constant MAXIMUM_CLOSE_DELAY = 30 days;
    uint256 private constant SIGNATURE_BYTES = 65;

    ITokenVault private immutable _vault;
    IRevenuePools private immutable _pools;
    INodeRegistry private immutable _nodes;

    /// @inheritdoc IReadChannels
    uint64 public immutable closeDelay;

    /// @inheritdoc IReadChannels
    uint16 public immutable tipBps;

    /// @inheritdoc IReadChannels
    uint256 public channelCount;

    mapping(uint256 channel => Parties) private _partiesOf;
    mapping(uint256 channel => Balance) private _balanceOf;
    mapping(uint256 channel => address) private _payers;

    /// @notice Fixes the partners for ever.
    /// @param vault Holds the deposits; this contract must be one of its modules.
    /// @param pools Get what is redeemed; must name this contract as its channels.
    /// @param nodes Says whose tips are paid.
    /// @param closeDelay_ Seconds between {startClose} and {finishClose}: 1 to 30 days.
    /// @param tipBps_ What the signer of a node keeps of what it redeems, of 10,000: at most 500.
    constructor(ITokenVault vault, IRevenuePools pools, INodeRegistry nodes, uint64 closeDelay_, uint16 tipBps_)
        EIP712("Walrus Chain Read Channels", "1")
    {
        _checkBounds("closeDelay", 1, MAXIMUM_CLOSE_DELAY, closeDelay_);
        _checkBounds("tipBps", 0, MAXIMUM_TIP_BPS, tipBps_);
        _vault = vault;
        _pools = pools;
        _nodes = nodes;
        closeDelay = closeDelay_;
        tipBps = tipBps_;
    }

    /// @inheritdoc IReadChannels
    function open(PoolId pool, address signer, Amount deposit) external returns (uint256 channel) {
        // Check
        if (signer == address(0)) revert ReadChannels_ZeroSigner();
        uint96 sum = _checkedDeposit(0, deposit);
        if (!_pools.exists(pool)) revert ReadChannels_UnknownPool(pool);

        // Effect
        channel = ++channelCount;
        bool signerPays = msg.sender == signer;
        _partiesOf[channel] = Parties({signer: signer, pool: pool, signerPays: signerPays, closed: false});
        _balanceOf[channel].deposit = sum;
        if (!signerPays) _payers[channel] = msg.sender;
        emit ChannelOpened(channel, msg.sender, pool, signer, deposit);

        // Interaction
        _vault.collect(msg.sender, deposit);
    }

    /// @inheritdoc IReadChannels
    function topUp(uint256 channel, Amount amount) external {
        // Check
        _open(channel);
        Balance memory balance = _balanceOf[channel];
        if (Timestamp.unwrap(balance.closesAt) != 0) revert ReadChannels_Closing(channel, balance.closesAt);
        uint96 sum = _checkedDeposit(balance.deposit, amount);

        // Effect
        _balanceOf[channel].deposit = sum;
        emit ChannelToppedUp(channel, msg.sender, amount, Amount.wrap(sum));

        // Interaction
        _vault.collect(msg.sender, amount);
    }

    /// @inheritdoc IReadChannels
    function redeem(Voucher[] calldata vouchers, bytes calldata signatures) external returns (Amount total) {
        // Check
        uint256 count = vouchers.length;
        if (signatures.length != count * SIGNATURE_BYTES) {
            revert ReadChannels_WrongSignatureLength(count * SIGNATURE_BYTES, signatures.length);
        }
        uint256 bps = _nodes.nodeOfSigner(msg.sender).isNobody() ? 0 : tipBps;

        // Effect: each voucher pays what was not redeemed of it, at most the deposit; of that the tip, rounded down, is the caller's.
        Redemption[] memory redemptions = new Redemption[](count);
        uint256 sum = 0;
        uint256 tips = 0;
        for (uint256 i = 0; i < count; ++i) {
            Redemption memory redemption = redemptions[i];
            _redeem(vouchers[i], signatures[i * SIGNATURE_BYTES:(i + 1) * SIGNATURE_BYTES], redemption);
            uint256 tip = redemption.paid * bps / ONE_BPS;
            sum += redemption.paid;
            tips += tip;
            // A tip is a small part of what is paid.
            // forge-lint: disable-next-line(unsafe-typecast)
            redemption.paid -= uint128(tip);
        }
        if (sum == 0) revert ReadChannels_NothingToRedeem();

        // Interaction: the money goes first, in one movement, then each pool divides its part.
        // No more than all deposits, which the vault holds.
        // forge-lint: disable-next-item(unsafe-typecast)
        {
            total = Amount.wrap(uint128(sum));
            _vault.move(address(_pools), Amount.wrap(uint128(sum - tips)));
            if (tips != 0) _vault.release(msg.sender, Amount.wrap(uint128(tips)));
        }
        for (uint256 i = 0; i < count; ++i) {
            Redemption memory redemption = redemptions[i];
            if (redemption.paid == 0) continue;
            _pools.credit(redemption.pool, redemption.payer, Amount.wrap(redemption.paid), vouchers[i].purpose);
        }
    }

    /// @inheritdoc IReadChannels
    function startClose(uint256 channel) external {
        // Check
        address payer = _payerOf(channel, _open(channel));
        if (msg.sender != payer) revert ReadChannels_CallerNotPayer(channel, payer, msg.sender);
        Timestamp closesAt = _balanceOf[channel].closesAt;
        if (Timestamp.unwrap(closesAt) != 0) revert ReadChannels_Closing(channel, closesAt);

        // Effect
        closesAt = Timestamp.wrap(uint64(block.timestamp)).plusSeconds(closeDelay);
        _balanceOf[channel].closesAt = closesAt;
        emit ChannelClosing(channel, closesAt);
    }

    /// @inheritdoc IReadChannels
    function finishClose(uint256 channel) external returns (Amount refunded) {
        // Check
        Parties memory parties = _open(channel);
        Balance memory balance = _balanceOf[channel];
        if (Timestamp.unwrap(balance.closesAt) == 0) revert ReadChannels_NotClosing(channel);
        if (Timestamp.wrap(uint64(block.timestamp)) < balance.closesAt) {
            revert ReadChannels_StillOpen(channel, balance.closesAt);
        }

        // Effect
        refunded = Amount.wrap(balance.deposit - balance.redeemed);
        _partiesOf[channel].closed = true;
        emit ChannelClosed(channel, refunded);

        // Interaction: the payer asked for it by {startClose}.
        if (!refunded.isZero()) _vault.pay(_payerOf(channel, parties), refunded);
    }

    /// @inheritdoc IReadChannels
    function punishEquivocation(
        Voucher calldata one,
        bytes calldata oneSignature,
        Voucher calldata other,
        bytes calldata otherSignature
    ) external returns (Amount forfeited) {
        // Check: both are the signer's, for different uses, and share a part of what the channel pays.
        uint256 channel = one.channel;
        Parties memory parties = _open(channel);
        _checkSignatureLength(oneSignature);
        _checkSignatureLength(otherSignature);
        bool proven = other.channel == channel && one.purpose != other.purpose && _overlap(one, other)
            && _isSigned(one, oneSignature, parties.signer) && _isSigned(other, otherSignature, parties.signer);
        if (!proven) revert ReadChannels_NoEquivocation(channel);

        // Effect: the channel has nothing left, and takes nothing any more.
        Balance memory balance = _balanceOf[channel];
        forfeited = Amount.wrap(balance.deposit - balance.redeemed);
        _balanceOf[channel].redeemed = balance.deposit;
        _partiesOf[channel].closed = true;
        emit EquivocationPunished(channel, msg.sender, forfeited);
        emit ChannelClosed(channel, Amount.wrap(0));

        // Interaction
        if (forfeited.isZero()) return forfeited;
        _vault.move(address(_pools), forfeited);
        _pools.credit(parties.pool, _payerOf(channel, parties), forfeited, 0);
    }

    /// @inheritdoc IReadChannels
    function channelOf(uint256 channel) external view returns (Channel memory) {
        Parties memory parties = _known(channel);
        Balance memory balance = _balanceOf[channel];
        return Channel({
            payer: _payerOf(channel, parties),
            signer: parties.signer,
            pool: parties.pool,
            deposit: Amount.wrap(balance.deposit),
            redeemed: Amount.wrap(balance.redeemed),
            closesAt: balance.closesAt,
            closed: parties.closed
        });
    }

    /// @inheritdoc IReadChannels
    function voucherDigest(Voucher calldata voucher) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(VOUCHER_TYPEHASH, voucher.channel, voucher.cumulative, voucher.amount, voucher.purpose)
            )
        );
    }

    /// @dev Redeems one voucher of a batch into `redemption`, which stays empty when it pays nothing.
    function _redeem(Voucher calldata voucher, bytes calldata signature, Redemption memory redemption) private {
        // Check: what was paid before needs no signature, whoever sends it.
        uint256 channel = voucher.channel;
        Parties memory parties = _partiesOf[channel];
        if (parties.signer == address(0)) return _skip(channel, "UnknownChannel");
        if (parties.closed) return _skip(channel, "Closed");
        Balance memory balance = _balanceOf[channel];
        uint128 payable_ = Amount.unwrap(voucher.cumulative);
        if (payable_ > balance.deposit) payable_ = balance.deposit;
        if (payable_ <= balance.redeemed) return;
        if (!_isSigned(voucher, signature, parties.signer)) return _skip(channel, "WrongSignature");

        // Effect
        // At most the deposit, which has 96 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        _balanceOf[channel].redeemed = uint96(payable_);
        (redemption.pool, redemption.payer) = (parties.pool, _payerOf(channel, parties));
        redemption.paid = payable_ - balance.redeemed;
        emit VoucherRedeemed(channel, msg.sender, Amount.wrap(redemption.paid), Amount.wrap(payable_), voucher.purpose);
    }

    function _skip(uint256 channel, bytes32 reason) private {
        emit VoucherSkipped(channel, reason);
    }

    function _isSigned(Voucher calldata voucher, bytes calldata signature, address signer) private view returns (bool) {
        // A signature that is none recovers the zero address, which is never a signer.
        (address recovered,,) = ECDSA.tryRecoverCalldata(voucherDigest(voucher), signature);
        return recovered == signer;
    }

    function _known(uint256 channel) private view returns (Parties memory parties) {
        parties = _partiesOf[channel];
        if (parties.signer == address(0)) revert ReadChannels_UnknownChannel(channel);
    }

    function _open(uint256 channel) private view returns (Parties memory parties) {
        parties = _known(channel);
        if (parties.closed) revert ReadChannels_Closed(channel);
    }

    function _payerOf(uint256 channel, Parties memory parties) private view returns (address) {
        return parties.signerPays ? parties.signer : _payers[channel];
    }

    /// @dev The deposit with `amount` added, which has to fit 96 bits.
    function _checkedDeposit(uint96 deposit, Amount amount) private pure returns (uint96) {
        if (amount.isZero()) revert ReadChannels_ZeroAmount();
        Amount maximum = Amount.wrap(type(uint96).max - deposit);
        if (amount > maximum) revert ReadChannels_AmountOutOfBounds(maximum, amount);
        // Below 2^96 by the check.
        // forge-lint: disable-next-line(unsafe-typecast)
        return deposit + uint96(Amount.unwrap(amount));
    }

    /// @dev Whether the stretches share a part. A voucher for nothing, or for more than it says in all, has no stretch.
    function _overlap(Voucher calldata one, Voucher calldata other) private pure returns (bool) {
        if (one.amount.isZero() || other.amount.isZero()) return false;
        if (one.amount > one.cumulative || other.amount > other.cumulative) return false;
        return one.cumulative - one.amount < other.cumulative && other.cumulative - other.amount < one.cumulative;
    }

    function _checkSignatureLength(bytes calldata signature) private pure {
        if (signature.length != SIGNATURE_BYTES) {
            revert ReadChannels_WrongSignatureLength(SIGNATURE_BYTES, signature.length);
        }
    }

    function _checkBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert ReadChannels_ParameterOutOfBounds(parameter, minimum, maximum, actual);
        }
    }
}
