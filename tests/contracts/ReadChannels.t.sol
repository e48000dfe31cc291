// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadChannels} from "../../contracts/interfaces/IReadChannels.sol";
import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {ITokenVault} from "../../contracts/interfaces/ITokenVault.sol";
import {ReadChannels} from "../../contracts/payments/ReadChannels.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {PaymentsFixture} from "./support/PaymentsFixture.sol";
import {vm} from "./support/Vm.sol";

contract ReadChannelsTest is PaymentsFixture {
    uint256 private constant DEPOSIT = 100e18;
    uint256 private constant READ = 0.5e18;
    bytes32 private constant USE = keccak256("use");
    bytes32 private constant OTHER_USE = keccak256("other use");

    PoolId private pool;
    uint256 private channel;
    Account private thief;

    function setUp() external {
        deployPayments(1_000_000_000e18);
        thief = makeAccount("thief");
        pool = createPool();
        channel = openChannel(pool, DEPOSIT);
    }

    // constructor

    function test_constructor__when_a_parameter_is_outside_its_bounds__reverts() external {
        expectOutOfBounds("closeDelay", 1, 30 days, 0);
        new ReadChannels(vault, pools, nodes, 0, TIP_BPS);
        expectOutOfBounds("closeDelay", 1, 30 days, 30 days + 1);
        new ReadChannels(vault, pools, nodes, 30 days + 1, TIP_BPS);
        expectOutOfBounds("tipBps", 0, 500, 501);
        new ReadChannels(vault, pools, nodes, 1, 501);
        ReadChannels other = new ReadChannels(vault, pools, nodes, 30 days, 0);
        assertEq(other.closeDelay(), 30 days);
        assertEq(other.tipBps(), 0);
    }

    // open

    function test_open__when_it_makes_no_sense__reverts() external {
        vm.expectRevert(IReadChannels.ReadChannels_ZeroSigner.selector);
        channels.open(pool, address(0), Amount.wrap(1));
        vm.expectRevert(IReadChannels.ReadChannels_ZeroAmount.selector);
        channels.open(pool, alice, Amount.wrap(0));
        expectAmountOutOfBounds(type(uint96).max, 2 ** 96);
        channels.open(pool, alice, Amount.wrap(2 ** 96));
        vm.expectRevert(abi.encodeWithSelector(IReadChannels.ReadChannels_UnknownPool.selector, PoolId.wrap(99)));
        channels.open(PoolId.wrap(99), alice, Amount.wrap(1));
    }

    function test_open__when_all_is_in_order__keeps_the_deposit_and_tells() external {
        vm.expectEmit(address(channels));
        emit IReadChannels.ChannelOpened(2, payer.addr, pool, alice, Amount.wrap(7));
        vm.prank(payer.addr);
        assertEq(channels.open(pool, alice, Amount.wrap(7)), 2);
        assertEq(channels.channelCount(), 2);
        IReadChannels.Channel memory kept = channels.channelOf(2);
        assertEq(kept.payer, payer.addr);
        assertEq(kept.signer, alice);
        assertTrue(kept.pool == pool);
        assertEq(Amount.unwrap(kept.deposit), 7);
        assertEq(Amount.unwrap(kept.redeemed), 0);
        assertEq(Timestamp.unwrap(kept.closesAt), 0);
        assertFalse(kept.closed);
        assertEq(reserveOf(address(channels)), DEPOSIT + 7);
        // The other one's signer is its payer.
        assertEq(channels.channelOf(channel).payer, payer.addr);
        assertEq(channels.channelOf(channel).signer, payer.addr);
    }

    function test_channels__when_unknown__nothing_works() external {
        expectUnknown();
        channels.channelOf(9);
        expectUnknown();
        channels.topUp(9, Amount.wrap(1));
        expectUnknown();
        channels.startClose(9);
        expectUnknown();
        channels.finishClose(9);
        IReadChannels.Voucher memory voucher = voucherOf(9, 1, 1, USE);
        expectUnknown();
        channels.punishEquivocation(voucher, new bytes(65), voucher, new bytes(65));
    }

    // topUp

    function test_topUp__by_anyone__adds_to_the_deposit() external {
        vm.expectEmit(address(channels));
        emit IReadChannels.ChannelToppedUp(channel, agent.addr, Amount.wrap(5), Amount.wrap(uint128(DEPOSIT + 5)));
        vm.prank(agent.addr);
        channels.topUp(channel, Amount.wrap(5));
        assertEq(Amount.unwrap(channels.channelOf(channel).deposit), DEPOSIT + 5);
        assertEq(reserveOf(address(channels)), DEPOSIT + 5);
    }

    function test_topUp__with_nothing_or_too_much__reverts() external {
        vm.expectRevert(IReadChannels.ReadChannels_ZeroAmount.selector);
        channels.topUp(channel, Amount.wrap(0));
        expectAmountOutOfBounds(type(uint96).max - DEPOSIT, type(uint128).max);
        channels.topUp(channel, Amount.wrap(type(uint128).max));
    }

    function test_topUp__while_closing_or_closed__reverts() external {
        startClose();
        vm.expectRevert(
            abi.encodeWithSelector(
                IReadChannels.ReadChannels_Closing.selector, channel, vm.getBlockTimestamp() + CLOSE_DELAY
            )
        );
        channels.topUp(channel, Amount.wrap(1));
        skip(CLOSE_DELAY);
        channels.finishClose(channel);
        expectClosed();
        channels.topUp(channel, Amount.wrap(1));
    }

    // redeem

    function test_redeem__by_a_node__pays_tip_pool_nodes_and_protocol() external {
        IReadChannels.Voucher memory voucher = voucherOf(channel, 1e18, READ, USE);
        vm.expectEmit(address(channels));
        emit IReadChannels.VoucherRedeemed(channel, agent.addr, Amount.wrap(1e18), Amount.wrap(1e18), USE);
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeReceived(pool, address(channels), payer.addr, Amount.wrap(0.99e18), USE);
        assertEq(redeemBy(agent.addr, voucher, signed(payer, voucher)), 1e18);

        assertEq(Amount.unwrap(vault.claimOf(agent.addr)), 0.01e18);
        assertEq(claimable(pool, alice), 0.99e18 / 10 * 5 * 8750 / 10_000);
        (Amount toNodes, Amount burned) = pools.settleable(pool);
        assertEq(Amount.unwrap(toNodes), 0.099e18);
        assertEq(Amount.unwrap(burned), 0.02475e18);
        assertEq(Amount.unwrap(channels.channelOf(channel).redeemed), 1e18);
        assertEq(reserveOf(address(channels)), DEPOSIT - 1e18);
        assertEq(reserveOf(address(pools)), 0.99e18);
    }

    function test_redeem__by_anyone_else__pays_no_tip() external {
        IReadChannels.Voucher memory voucher = voucherOf(channel, 1e18, READ, USE);
        redeemBy(thief.addr, voucher, signed(payer, voucher));
        assertEq(Amount.unwrap(vault.claimOf(thief.addr)), 0);
        assertEq(reserveOf(address(pools)), 1e18);
    }

    function test_redeem__of_very_little__rounds_the_tip_down() external {
        assertEq(redeem(channel, 99), 99);
        assertEq(Amount.unwrap(vault.claimOf(agent.addr)), 0);
        assertEq(redeem(channel, 199), 100);
        assertEq(Amount.unwrap(vault.claimOf(agent.addr)), 1);
        assertEq(reserveOf(address(pools)), 198);
    }

    function test_redeem__when_a_session_key_signed__names_the_payer() external {
        vm.prank(payer.addr);
        uint256 second = channels.open(pool, thief.addr, Amount.wrap(uint128(DEPOSIT)));
        IReadChannels.Voucher memory voucher = voucherOf(second, READ, READ, USE);
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeReceived(
            pool, address(channels), payer.addr, Amount.wrap(uint128(READ - READ / 100)), USE
        );
        redeemBy(agent.addr, voucher, signed(thief, voucher));
    }

    function test_redeem__a_voucher_lower_than_before__pays_nothing() external {
        redeem(channel, 2 * READ);
        expectNothing();
        redeem(channel, READ);
        expectNothing();
        redeem(channel, 2 * READ);
        assertEq(Amount.unwrap(channels.channelOf(channel).redeemed), 2 * READ);
    }

    function test_redeem__a_higher_voucher__pays_the_difference() external {
        redeem(channel, READ);
        assertEq(redeem(channel, 5 * READ), 4 * READ);
    }

    function test_redeem__a_voucher_above_the_deposit__pays_what_is_left_and_the_rest_after_a_top_up() external {
        assertEq(redeem(channel, DEPOSIT + 3), DEPOSIT);
        expectNothing();
        redeem(channel, DEPOSIT + 3);
        vm.prank(payer.addr);
        channels.topUp(channel, Amount.wrap(2));
        assertEq(redeem(channel, DEPOSIT + 3), 2);
        assertEq(reserveOf(address(channels)), 0);
    }

    function test_I8_redeem__on_a_closing_channel__pays_until_it_is_closed() external {
        startClose();
        assertEq(redeem(channel, READ), READ);
        // Also when it could be closed, but nobody did.
        skip(10 * CLOSE_DELAY);
        assertEq(redeem(channel, 3 * READ), 2 * READ);
        assertEq(Amount.unwrap(channels.finishClose(channel)), DEPOSIT - 3 * READ);
    }

    function test_redeem__after_closing__is_skipped() external {
        startClose();
        skip(CLOSE_DELAY);
        channels.finishClose(channel);
        expectNothing();
        redeem(channel, READ);
        assertSkippedBesideAGoodOne(
            voucherOf(channel, READ, READ, USE), signed(payer, voucherOf(channel, READ, READ, USE)), "Closed"
        );
    }

    function test_redeem__a_voucher_signed_for_another_channel__is_skipped() external {
        uint256 second = openChannel(pool, DEPOSIT);
        bytes memory signature = signed(payer, voucherOf(channel, READ, READ, USE));
        assertSkippedBesideAGoodOne(voucherOf(second, READ, READ, USE), signature, "WrongSignature");
    }

    function test_redeem__a_voucher_signed_for_another_amount_or_use__is_skipped() external {
        bytes memory signature = signed(payer, voucherOf(channel, READ, READ, USE));
        assertSkippedBesideAGoodOne(voucherOf(channel, READ + 1, READ, USE), signature, "WrongSignature");
        assertSkippedBesideAGoodOne(voucherOf(channel, READ, READ + 1, USE), signature, "WrongSignature");
        assertSkippedBesideAGoodOne(voucherOf(channel, READ, READ, OTHER_USE), signature, "WrongSignature");
    }

    function test_redeem__a_voucher_signed_for_another_contract__is_skipped() external {
        ReadChannels other = new ReadChannels(vault, pools, nodes, CLOSE_DELAY, TIP_BPS);
        IReadChannels.Voucher memory voucher = voucherOf(channel, READ, READ, USE);
        bytes memory signature = sign(payer.key, other.voucherDigest(voucher));
        assertSkippedBesideAGoodOne(voucher, signature, "WrongSignature");
    }

    function test_redeem__a_voucher_signed_for_another_chain__is_skipped() external {
        IReadChannels.Voucher memory voucher = voucherOf(channel, READ, READ, USE);
        bytes32 digest =
            typedDigestOn(block.chainid + 1, "Walrus Chain Read Channels", address(channels), structHashOf(voucher));
        assertSkippedBesideAGoodOne(voucher, sign(payer.key, digest), "WrongSignature");
    }

    function test_redeem__a_voucher_by_another_key__is_skipped() external {
        IReadChannels.Voucher memory voucher = voucherOf(channel, READ, READ, USE);
        assertSkippedBesideAGoodOne(voucher, signed(thief, voucher), "WrongSignature");
    }

    function test_redeem__a_signature_with_high_s__is_skipped() external {
        IReadChannels.Voucher memory voucher = voucherOf(channel, READ, READ, USE);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(payer.key, channels.voucherDigest(voucher));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes memory mirrored = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        assertSkippedBesideAGoodOne(voucher, mirrored, "WrongSignature");
    }

    function test_redeem__a_signature_that_is_none__is_skipped() external {
        assertSkippedBesideAGoodOne(voucherOf(channel, READ, READ, USE), new bytes(65), "WrongSignature");
    }

    function test_redeem__a_voucher_of_an_unknown_channel__is_skipped() external {
        IReadChannels.Voucher memory voucher = voucherOf(77, READ, READ, USE);
        assertSkippedBesideAGoodOne(voucher, signed(payer, voucher), "UnknownChannel");
    }

    function test_redeem__by_two_agents_at_once__the_second_gets_nothing() external {
        Account memory second = makeAccount("second agent");
        registerNode(second);
        uint256 other = openChannel(pool, DEPOSIT);
        IReadChannels.Voucher memory voucher = voucherOf(channel, READ, READ, USE);
        bytes memory signature = signed(payer, voucher);
        redeemBy(agent.addr, voucher, signature);

        // Alone it reverts; in a batch with a good one it is passed over.
        expectNothing();
        redeemBy(second.addr, voucher, signature);
        IReadChannels.Voucher[] memory batch = new IReadChannels.Voucher[](2);
        (batch[0], batch[1]) = (voucher, voucherOf(other, READ, READ, USE));
        bytes memory signatures = bytes.concat(signature, signed(payer, batch[1]));
        vm.prank(second.addr);
        assertEq(Amount.unwrap(channels.redeem(batch, signatures)), READ);
        assertEq(Amount.unwrap(vault.claimOf(second.addr)), READ / 100);
        assertEq(Amount.unwrap(vault.claimOf(agent.addr)), READ / 100);
    }

    function test_redeem__the_same_voucher_twice_in_a_batch__pays_once() external {
        IReadChannels.Voucher[] memory batch = new IReadChannels.Voucher[](3);
        (batch[0], batch[1]) = (voucherOf(channel, READ, READ, USE), voucherOf(channel, READ, READ, USE));
        batch[2] = voucherOf(channel, 3 * READ, 2 * READ, OTHER_USE);
        bytes memory signatures =
            bytes.concat(signed(payer, batch[0]), signed(payer, batch[1]), signed(payer, batch[2]));
        vm.prank(agent.addr);
        assertEq(Amount.unwrap(channels.redeem(batch, signatures)), 3 * READ);
        assertEq(reserveOf(address(channels)), DEPOSIT - 3 * READ);
        assertEq(reserveOf(address(pools)) + Amount.unwrap(vault.claimOf(agent.addr)), 3 * READ);
    }

    function test_redeem__without_vouchers__reverts() external {
        expectNothing();
        channels.redeem(new IReadChannels.Voucher[](0), "");
    }

    function test_redeem__when_signatures_do_not_fit__reverts() external {
        IReadChannels.Voucher memory voucher = voucherOf(channel, READ, READ, USE);
        expectWrongLength(65, 64);
        channels.redeem(listOf(voucher), new bytes(64));
        expectWrongLength(65, 130);
        channels.redeem(listOf(voucher), new bytes(130));
        expectWrongLength(0, 65);
        channels.redeem(new IReadChannels.Voucher[](0), new bytes(65));
    }

    function test_I8_redeem__in_any_order__pays_the_largest_amount(uint96[6] calldata amounts) external {
        uint256 largest = 0;
        for (uint256 i = 0; i < amounts.length; ++i) {
            uint256 cumulative = bound(amounts[i], 1, 2 * DEPOSIT);
            uint256 reachable = cumulative < DEPOSIT ? cumulative : DEPOSIT;
            if (reachable <= largest) expectNothing();
            redeem(channel, cumulative);
            if (reachable > largest) largest = reachable;
            assertEq(Amount.unwrap(channels.channelOf(channel).redeemed), largest);
        }
        assertEq(reserveOf(address(pools)) + Amount.unwrap(vault.claimOf(agent.addr)), largest);
        assertEq(reserveOf(address(channels)), DEPOSIT - largest);
    }

    // startClose, finishClose

    function test_startClose__by_another_than_the_payer__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IReadChannels.ReadChannels_CallerNotPayer.selector, channel, payer.addr, thief.addr)
        );
        vm.prank(thief.addr);
        channels.startClose(channel);
        // Nor the signer, when it is not the payer.
        vm.prank(payer.addr);
        uint256 second = channels.open(pool, thief.addr, Amount.wrap(1));
        vm.expectRevert(
            abi.encodeWithSelector(IReadChannels.ReadChannels_CallerNotPayer.selector, second, payer.addr, thief.addr)
        );
        vm.prank(thief.addr);
        channels.startClose(second);
    }

    function test_startClose__twice__reverts_and_the_time_stays() external {
        startClose();
        uint256 closesAt = vm.getBlockTimestamp() + CLOSE_DELAY;
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IReadChannels.ReadChannels_Closing.selector, channel, closesAt));
        startClose();
        assertEq(Timestamp.unwrap(channels.channelOf(channel).closesAt), closesAt);
    }

    function test_startClose__by_the_payer__tells_when() external {
        vm.expectEmit(address(channels));
        emit IReadChannels.ChannelClosing(channel, Timestamp.wrap(uint64(vm.getBlockTimestamp() + CLOSE_DELAY)));
        startClose();
    }

    function test_finishClose__before_its_time__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IReadChannels.ReadChannels_NotClosing.selector, channel));
        channels.finishClose(channel);
        startClose();
        uint256 closesAt = vm.getBlockTimestamp() + CLOSE_DELAY;
        skip(CLOSE_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IReadChannels.ReadChannels_StillOpen.selector, channel, closesAt));
        channels.finishClose(channel);
    }

    function test_finishClose__by_anyone__pays_the_rest_to_the_payer_once() external {
        redeem(channel, READ);
        startClose();
        skip(CLOSE_DELAY);
        vm.expectEmit(address(channels));
        emit IReadChannels.ChannelClosed(channel, Amount.wrap(uint128(DEPOSIT - READ)));
        vm.expectEmit(address(vault));
        emit ITokenVault.Paid(address(channels), payer.addr, Amount.wrap(uint128(DEPOSIT - READ)));
        vm.prank(thief.addr);
        assertEq(Amount.unwrap(channels.finishClose(channel)), DEPOSIT - READ);
        assertEq(token.balanceOf(payer.addr), BALANCE - READ);
        assertEq(reserveOf(address(channels)), 0);
        assertTrue(channels.channelOf(channel).closed);
        expectClosed();
        channels.finishClose(channel);
        expectClosed();
        startClose();
    }

    function test_finishClose__when_nothing_is_left__closes_all_the_same() external {
        redeem(channel, DEPOSIT);
        startClose();
        skip(CLOSE_DELAY);
        assertEq(Amount.unwrap(channels.finishClose(channel)), 0);
        assertTrue(channels.channelOf(channel).closed);
    }

    // punishEquivocation

    function test_punishEquivocation__given_overlapping_stretches__the_rest_goes_to_the_pool() external {
        redeem(channel, 10);
        IReadChannels.Voucher memory one = voucherOf(channel, 100, 60, USE);
        IReadChannels.Voucher memory other = voucherOf(channel, 120, 21, OTHER_USE);
        vm.expectEmit(address(channels));
        emit IReadChannels.EquivocationPunished(channel, thief.addr, Amount.wrap(uint128(DEPOSIT - 10)));
        vm.expectEmit(address(channels));
        emit IReadChannels.ChannelClosed(channel, Amount.wrap(0));
        vm.expectEmit(address(pools));
        emit IRevenuePools.IncomeReceived(
            pool, address(channels), payer.addr, Amount.wrap(uint128(DEPOSIT - 10)), bytes32(0)
        );
        vm.prank(thief.addr);
        assertEq(Amount.unwrap(punish(one, other)), DEPOSIT - 10);
        assertEq(reserveOf(address(channels)), 0);
        assertEq(reserveOf(address(pools)), DEPOSIT);
        assertTrue(channels.channelOf(channel).closed);

        // Nothing can be paid in or out any more, nor be punished again.
        expectClosed();
        channels.topUp(channel, Amount.wrap(1));
        expectClosed();
        punish(one, other);
        expectNothing();
        redeem(channel, 100);
    }

    function test_punishEquivocation__while_closing__comes_in_time() external {
        startClose();
        skip(CLOSE_DELAY);
        punish(voucherOf(channel, 100, 100, USE), voucherOf(channel, 100, 100, OTHER_USE));
        expectClosed();
        channels.finishClose(channel);
    }

    function test_punishEquivocation__when_all_was_redeemed__closes_all_the_same() external {
        redeem(channel, DEPOSIT);
        assertEq(Amount.unwrap(punish(voucherOf(channel, 100, 100, USE), voucherOf(channel, 1, 1, OTHER_USE))), 0);
        assertTrue(channels.channelOf(channel).closed);
    }

    function test_punishEquivocation__given_adjacent_stretches__reverts() external {
        expectNoEquivocation();
        punish(voucherOf(channel, 100, 60, USE), voucherOf(channel, 120, 20, OTHER_USE));
        expectNoEquivocation();
        punish(voucherOf(channel, 120, 20, USE), voucherOf(channel, 100, 60, OTHER_USE));
    }

    function test_punishEquivocation__for_the_same_use__reverts() external {
        expectNoEquivocation();
        punish(voucherOf(channel, 100, 60, USE), voucherOf(channel, 120, 60, USE));
    }

    function test_punishEquivocation__given_a_voucher_without_a_stretch__reverts() external {
        expectNoEquivocation();
        punish(voucherOf(channel, 100, 60, USE), voucherOf(channel, 80, 0, OTHER_USE));
        expectNoEquivocation();
        punish(voucherOf(channel, 100, 60, USE), voucherOf(channel, 80, 81, OTHER_USE));
        expectNoEquivocation();
        punish(voucherOf(channel, 80, 81, OTHER_USE), voucherOf(channel, 100, 60, USE));
    }

    function test_punishEquivocation__given_vouchers_of_two_channels__reverts() external {
        uint256 second = openChannel(pool, DEPOSIT);
        expectNoEquivocation();
        punish(voucherOf(channel, 100, 60, USE), voucherOf(second, 100, 60, OTHER_USE));
    }

    function test_punishEquivocation__when_another_signed_one__reverts() external {
        IReadChannels.Voucher memory one = voucherOf(channel, 100, 60, USE);
        IReadChannels.Voucher memory other = voucherOf(channel, 100, 60, OTHER_USE);
        (bytes memory good, bytes memory bad) = (signed(payer, one), signed(thief, other));
        expectNoEquivocation();
        channels.punishEquivocation(one, good, other, bad);
        expectNoEquivocation();
        channels.punishEquivocation(other, bad, one, good);
    }

    function test_punishEquivocation__when_a_signature_has_another_length__reverts() external {
        IReadChannels.Voucher memory voucher = voucherOf(channel, 100, 60, USE);
        expectWrongLength(65, 64);
        channels.punishEquivocation(voucher, new bytes(64), voucher, new bytes(65));
        expectWrongLength(65, 66);
        channels.punishEquivocation(voucher, new bytes(65), voucher, new bytes(66));
    }

    function test_punishEquivocation__given_any_two_stretches__only_if_they_share_a_part(
        uint64 a,
        uint64 b,
        uint64 c,
        uint64 d
    ) external {
        (uint256 oneEnd, uint256 otherEnd) = (bound(a, 1, 40), bound(c, 1, 40));
        (uint256 oneStart, uint256 otherStart) = (bound(b, 0, oneEnd - 1), bound(d, 0, otherEnd - 1));
        bool shared = false;
        for (uint256 place = oneStart; place < oneEnd; ++place) {
            if (place >= otherStart && place < otherEnd) shared = true;
        }
        IReadChannels.Voucher memory one = voucherOf(channel, oneEnd, oneEnd - oneStart, USE);
        IReadChannels.Voucher memory other = voucherOf(channel, otherEnd, otherEnd - otherStart, OTHER_USE);
        if (!shared) expectNoEquivocation();
        punish(one, other);
        assertEq(channels.channelOf(channel).closed, shared);
    }

    function test_voucherDigest__is_that_of_the_typed_message() external view {
        IReadChannels.Voucher memory voucher = voucherOf(channel, 7, 5, USE);
        assertEq(
            channels.voucherDigest(voucher),
            typedDigest("Walrus Chain Read Channels", address(channels), structHashOf(voucher))
        );
    }

    // Helpers

    function startClose() private {
        vm.prank(payer.addr);
        channels.startClose(channel);
    }

    function redeemBy(address redeemer, IReadChannels.Voucher memory voucher, bytes memory signature)
        private
        returns (uint256)
    {
        vm.prank(redeemer);
        return Amount.unwrap(channels.redeem(listOf(voucher), signature));
    }

    function punish(IReadChannels.Voucher memory one, IReadChannels.Voucher memory other) private returns (Amount) {
        return channels.punishEquivocation(one, signed(payer, one), other, signed(payer, other));
    }

    /// @dev The bad voucher comes first, then one of a fresh channel, which is paid.
    function assertSkippedBesideAGoodOne(IReadChannels.Voucher memory bad, bytes memory badSignature, bytes32 reason)
        private
    {
        uint256 fresh = openChannel(pool, DEPOSIT);
        uint256 before = reserveOf(address(channels));
        IReadChannels.Voucher[] memory batch = new IReadChannels.Voucher[](2);
        (batch[0], batch[1]) = (bad, voucherOf(fresh, READ, READ, USE));
        bytes memory signatures = bytes.concat(badSignature, signed(payer, batch[1]));
        vm.expectEmit(address(channels));
        emit IReadChannels.VoucherSkipped(bad.channel, reason);
        vm.prank(agent.addr);
        assertEq(Amount.unwrap(channels.redeem(batch, signatures)), READ);
        assertEq(reserveOf(address(channels)), before - READ);

        expectNothing();
        channels.redeem(listOf(bad), badSignature);
    }

    function expectUnknown() private {
        vm.expectRevert(abi.encodeWithSelector(IReadChannels.ReadChannels_UnknownChannel.selector, 9));
    }

    function expectClosed() private {
        vm.expectRevert(abi.encodeWithSelector(IReadChannels.ReadChannels_Closed.selector, channel));
    }

    function expectNothing() private {
        vm.expectRevert(IReadChannels.ReadChannels_NothingToRedeem.selector);
    }

    function expectNoEquivocation() private {
        vm.expectRevert(abi.encodeWithSelector(IReadChannels.ReadChannels_NoEquivocation.selector, channel));
    }

    function expectWrongLength(uint256 expected, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IReadChannels.ReadChannels_WrongSignatureLength.selector, expected, actual)
        );
    }

    function expectAmountOutOfBounds(uint256 maximum, uint256 actual) private {
        vm.expectRevert(abi.encodeWithSelector(IReadChannels.ReadChannels_AmountOutOfBounds.selector, maximum, actual));
    }

    function expectOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IReadChannels.ReadChannels_ParameterOutOfBounds.selector, parameter, minimum, maximum, actual
            )
        );
    }
}
