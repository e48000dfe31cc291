// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {IReadChannels} from "../../contracts/interfaces/IReadChannels.sol";
import {IRenewals} from "../../contracts/interfaces/IRenewals.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {PaymentsFixture} from "../contracts/support/PaymentsFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @dev Payers who open, top up, promise and close; agents and strangers who redeem what they hold of it, one by one and in batches,
/// with vouchers that are worth nothing among them; cheats who are shown. Beside them reads are bought, and an object is renewed.
/// Beside the contract it keeps what every channel promised, paid in and paid out.
contract ChannelsHandler is PaymentsFixture {
    uint256 private constant MAXIMUM_CHANNELS = 5;
    uint256 private constant MOST = 1e21;

    struct Ledger {
        uint256 deposit;
        uint256 promised;
        uint256 largestRedeemed;
        uint256 refunded;
        bool punished;
        bool closed;
    }

    struct Held {
        IReadChannels.Voucher voucher;
        bytes signature;
    }

    uint256 public channelCount;
    mapping(uint256 channel => Ledger) public ledgers;
    Held[] private _held;
    PoolId public pool;
    uint256 public blobObject;
    uint256 public income;
    uint256 public tips;
    uint256 public bought;
    uint256 public funded;
    uint256 public renewalsPaid;
    uint256 public renewalTips;
    uint256 public donated;
    uint256 public skipped;
    uint256 public punishments;
    uint256 public settledIncome;
    uint256 public burned;

    constructor() {
        deployPayments(type(uint128).max);
        giveTokens(payer.addr, 1e30);
        pool = createPool();
        (priceOfRead, poolOfRead) = (Amount.wrap(3), pool);
        vm.prank(payer.addr);
        blobObject = registry.register(
            IBlobRegistry.Registration({blobId: BlobId.wrap("blob"), size: 1000, epochs: 20, deletable: true})
        );
        vm.prank(payer.addr);
        renewals.setTerms(blobObject, IRenewals.Terms(5, 30, Amount.wrap(7)));
        open(1e18);
    }

    function open(uint96 deposit) public {
        if (channelCount >= MAXIMUM_CHANNELS) return;
        deposit = uint96(bound(deposit, 1, MOST));
        channelCount = openChannel(pool, deposit);
        ledgers[channelCount].deposit = deposit;
    }

    function topUp(uint256 channel, uint96 amount) external {
        channel = chosen(channel);
        if (isClosing(channel) || ledgers[channel].closed) return;
        amount = uint96(bound(amount, 1, MOST));
        vm.prank(payer.addr);
        channels.topUp(channel, Amount.wrap(amount));
        ledgers[channel].deposit += amount;
    }

    /// @dev The payer pays a use with the next stretch; an agent keeps the voucher. Sometimes beyond the deposit.
    function pledge(uint256 channel, uint96 amount) external {
        channel = chosen(channel);
        Ledger storage ledger = ledgers[channel];
        ledger.promised += bound(amount, 1, ledger.deposit);
        keep(voucherOf(channel, ledger.promised, 1, keccak256(abi.encode(channel, ledger.promised))), payer);
    }

    /// @dev Somebody else signs, or for a channel that there is not.
    function forge_(uint256 channel, uint96 amount, bool unknown) external {
        keep(voucherOf(unknown ? 1000 : chosen(channel), bound(amount, 1, MOST), 1, "forged"), agent);
    }

    function redeem(uint256 which, bool byAgent) external {
        if (_held.length == 0) return;
        uint256[] memory list = new uint256[](1);
        list[0] = which % _held.length;
        redeemAll(list, byAgent);
    }

    /// @dev Any of those that are held, some twice.
    function redeemBatch(uint256[3] calldata which, bool byAgent) external {
        if (_held.length == 0) return;
        uint256[] memory list = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) {
            list[i] = which[i] % _held.length;
        }
        redeemAll(list, byAgent);
    }

    function startClose(uint256 channel) external {
        channel = chosen(channel);
        if (isClosing(channel) || ledgers[channel].closed) return;
        vm.prank(payer.addr);
        channels.startClose(channel);
    }

    function finishClose(uint256 channel) external {
        channel = chosen(channel);
        if (!isClosing(channel) || ledgers[channel].closed) return;
        if (Timestamp.unwrap(channels.channelOf(channel).closesAt) > vm.getBlockTimestamp()) return;
        ledgers[channel].refunded = Amount.unwrap(channels.finishClose(channel));
        ledgers[channel].closed = true;
    }

    /// @dev The payer gives a stretch away twice, and somebody shows it; seldom, so that others go on.
    function equivocate(uint256 channel, uint96 amount, uint8 chance) external {
        channel = chosen(channel);
        Ledger storage ledger = ledgers[channel];
        if (ledger.closed || chance % 8 != 0) return;
        amount = uint96(bound(amount, 1, MOST));
        IReadChannels.Voucher memory one = voucherOf(channel, amount, amount, "one");
        IReadChannels.Voucher memory other = voucherOf(channel, amount, 1, "other");
        income += Amount.unwrap(channels.punishEquivocation(one, signed(payer, one), other, signed(payer, other)));
        (ledger.punished, ledger.closed) = (true, true);
        ++punishments;
    }

    function buyReads(uint32 count) external {
        count = uint32(bound(count, 1, 1000));
        vm.prank(payer.addr);
        bought += Amount.unwrap(purchases.buyReads(blobObject, count, agent.addr, Amount.wrap(type(uint128).max), ""));
    }

    function fund(uint96 amount) external {
        if (!isLive()) return;
        amount = uint96(bound(amount, 1, 1e18));
        renewals.fund(blobObject, Amount.wrap(amount));
        funded += amount;
    }

    function renew() external {
        if (!renewals.isDue(blobObject)) return;
        uint256 before = reserveOf(address(fees));
        vm.prank(agent.addr);
        renewals.renew(blobObject);
        uint256 price = reserveOf(address(fees)) - before;
        renewalsPaid += price;
        funded -= price + 7;
        renewalTips += 7;
    }

    function withdraw(uint96 amount) external {
        if (funded == 0) return;
        amount = uint96(bound(amount, 1, funded));
        vm.prank(payer.addr);
        renewals.withdraw(blobObject, Amount.wrap(amount), payer.addr);
        funded -= amount;
    }

    function settle() external {
        (Amount toNodes, Amount burned_) = pools.settle(pool);
        settledIncome += Amount.unwrap(toNodes);
        burned += Amount.unwrap(burned_);
    }

    function donate(uint96 amount) external {
        assertTrue(token.transfer(address(vault), amount));
        donated += amount;
    }

    function wait(uint32 time) external {
        skip(bound(time, 1, 1 days));
    }

    function channelAt(uint256 channel) external view returns (IReadChannels.Channel memory) {
        return channels.channelOf(channel);
    }

    function reserves()
        external
        view
        returns (uint256 ofPools, uint256 ofChannels, uint256 ofRenewals, uint256 ofFees)
    {
        return (
            reserveOf(address(pools)),
            reserveOf(address(channels)),
            reserveOf(address(renewals)),
            reserveOf(address(fees))
        );
    }

    function books() external view returns (uint256 held, uint256 claims, uint256 free) {
        return (token.balanceOf(address(vault)), Amount.unwrap(vault.totalClaims()), Amount.unwrap(vault.free()));
    }

    function heldByRenewals() external view returns (uint256) {
        return token.balanceOf(address(renewals));
    }

    function claimOfAgent() external view returns (uint256) {
        return Amount.unwrap(vault.claimOf(agent.addr));
    }

    /// @notice What a voucher that is held could still bring: nothing once its channel is closed.
    function payableOf(uint256 channel) public view returns (uint256) {
        Ledger storage ledger = ledgers[channel];
        if (ledger.closed) return 0;
        uint256 most = ledger.promised < ledger.deposit ? ledger.promised : ledger.deposit;
        return most > ledger.largestRedeemed ? most - ledger.largestRedeemed : 0;
    }

    /// @dev Foresees by the ledger what a batch pays, voucher by voucher.
    function redeemAll(uint256[] memory list, bool byAgent) private {
        IReadChannels.Voucher[] memory vouchers = new IReadChannels.Voucher[](list.length);
        bytes memory signatures;
        uint256 expected = 0;
        uint256 tip = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            Held storage held = _held[list[i]];
            vouchers[i] = held.voucher;
            signatures = bytes.concat(signatures, held.signature);
            uint256 paid = foresee(held.voucher);
            expected += paid;
            if (byAgent) tip += paid / 100;
        }
        if (expected == 0) {
            vm.expectRevert(IReadChannels.ReadChannels_NothingToRedeem.selector);
            vm.prank(agent.addr);
            channels.redeem(vouchers, signatures);
            ++skipped;
            return;
        }
        vm.prank(byAgent ? agent.addr : alice);
        assertEq(Amount.unwrap(channels.redeem(vouchers, signatures)), expected);
        tips += tip;
        income += expected - tip;
    }

    function foresee(IReadChannels.Voucher memory voucher) private returns (uint256 paid) {
        if (voucher.purpose == "forged" || ledgers[voucher.channel].closed) return 0;
        Ledger storage ledger = ledgers[voucher.channel];
        uint256 most = Amount.unwrap(voucher.cumulative);
        if (most > ledger.deposit) most = ledger.deposit;
        if (most <= ledger.largestRedeemed) return 0;
        paid = most - ledger.largestRedeemed;
        ledger.largestRedeemed = most;
    }

    function keep(IReadChannels.Voucher memory voucher, Account memory signer) private {
        Held storage held = _held.push();
        held.voucher = voucher;
        held.signature = signed(signer, voucher);
    }

    function isClosing(uint256 channel) private view returns (bool) {
        return Timestamp.unwrap(channels.channelOf(channel).closesAt) != 0;
    }

    function isLive() private view returns (bool) {
        return registry.statusOf(blobObject) == IBlobRegistry.Status.Registered;
    }

    function chosen(uint256 channel) private view returns (uint256) {
        return 1 + channel % channelCount;
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract ChannelsInvariants is InvariantTest {
    ChannelsHandler private handler;

    function setUp() external {
        handler = new ChannelsHandler();
        bytes4[] memory actions = new bytes4[](16);
        actions[0] = ChannelsHandler.open.selector;
        actions[1] = ChannelsHandler.topUp.selector;
        actions[2] = ChannelsHandler.pledge.selector;
        actions[3] = ChannelsHandler.forge_.selector;
        actions[4] = bytes4(keccak256("redeem(uint256,bool)"));
        actions[5] = ChannelsHandler.redeemBatch.selector;
        actions[6] = ChannelsHandler.startClose.selector;
        actions[7] = ChannelsHandler.finishClose.selector;
        actions[8] = ChannelsHandler.equivocate.selector;
        actions[9] = ChannelsHandler.buyReads.selector;
        actions[10] = ChannelsHandler.fund.selector;
        actions[11] = ChannelsHandler.renew.selector;
        actions[12] = ChannelsHandler.withdraw.selector;
        actions[13] = ChannelsHandler.settle.selector;
        actions[14] = ChannelsHandler.donate.selector;
        actions[15] = ChannelsHandler.wait.selector;
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    /// @dev The largest amount redeemed, or all of it when the signer cheated; what is left is there, or was paid back. What was promised
    /// up to the deposit lies there until the channel is closed, whatever the payer does.
    function invariant_I8_a_channel_paid_the_largest_amount_redeemed_and_can_pay_what_it_promised() external view {
        uint256 reserve = 0;
        uint256 payable_ = 0;
        for (uint256 channel = 1; channel <= handler.channelCount(); ++channel) {
            (uint256 deposit,, uint256 largest, uint256 refunded, bool punished, bool closed) = handler.ledgers(channel);
            IReadChannels.Channel memory kept = handler.channelAt(channel);
            assertEq(Amount.unwrap(kept.deposit), deposit);
            assertEq(Amount.unwrap(kept.redeemed), punished ? deposit : largest);
            assertEq(kept.closed, closed);
            assertEq(refunded, closed && !punished ? deposit - largest : 0);
            if (!closed) reserve += deposit - largest;
            payable_ += handler.payableOf(channel);
        }
        (, uint256 ofChannels,,) = handler.reserves();
        assertEq(ofChannels, reserve);
        assertLe(payable_, reserve);
    }

    /// @dev With all modules; what was redeemed is income of the pool and tips, renewals hold the balances and no token.
    function invariant_I1_every_wei_is_where_it_belongs() external view {
        (uint256 ofPools, uint256 ofChannels, uint256 ofRenewals, uint256 ofFees) = handler.reserves();
        (uint256 held, uint256 claims, uint256 free) = handler.books();
        assertEq(held, ofPools + ofChannels + ofRenewals + ofFees + claims + free);
        assertEq(claims, handler.claimOfAgent());
        assertEq(free, handler.donated());
        assertEq(ofPools + handler.settledIncome() + handler.burned(), handler.income() + handler.bought());
        assertEq(handler.claimOfAgent(), handler.tips() + handler.renewalTips());
        assertEq(ofRenewals, handler.funded());
        assertEq(handler.heldByRenewals(), 0);
    }

    /// @dev The handlers do something.
    function test_handler__after_some_calls__reached_every_kind() external {
        handler.open(1e20);
        handler.open(1e20);
        handler.topUp(1, 5e19);
        handler.pledge(0, 1e17);
        handler.pledge(1, 2e17);
        handler.pledge(1, 4e17);
        handler.forge_(0, 1e18, false);
        handler.forge_(0, 1e18, true);
        handler.redeem(1, true);
        handler.redeem(1, true);
        handler.redeem(3, true);
        handler.redeemBatch([uint256(0), 4, 2], false);
        handler.buyReads(9);
        handler.fund(1e15);
        handler.renew();
        handler.withdraw(5);
        handler.donate(3);
        handler.settle();
        handler.equivocate(2, 1e18, 0);
        handler.startClose(1);
        handler.redeem(0, true);
        handler.wait(1 days);
        handler.finishClose(1);
        handler.redeem(2, true);
        (uint256 deposit, uint256 promised, uint256 largest, uint256 refunded, bool punished, bool closed) =
            handler.ledgers(2);
        assertEq(deposit, 1.5e20);
        assertEq(promised, 6e17);
        assertEq(largest, 6e17);
        assertEq(refunded, 1.5e20 - 6e17);
        assertTrue(closed && !punished);
        assertEq(handler.punishments(), 1);
        assertEq(handler.skipped(), 4);
        assertGt(handler.tips(), 0);
        assertEq(handler.bought(), 27);
        assertGt(handler.renewalsPaid(), 0);
        assertGt(handler.settledIncome(), 0);
    }
}
