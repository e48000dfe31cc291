// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadChannels} from "../../contracts/interfaces/IReadChannels.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {PaymentsFixture} from "../contracts/support/PaymentsFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title PaymentsGasTest
/// @notice What payments cost in the steady state: pools and channels that had income before, accounts that hold WAL and approved
/// the vault, agents that had a tip before.
/// @dev Run with `isolate`, so that each call is a transaction of its own, with its base cost and calldata.
contract PaymentsGasTest is PaymentsFixture {
    string private constant GROUP = "gas";
    uint256 private constant READ = 0.5e18;

    function setUp() public {
        deployPayments(1_000_000_000e18);
        giveTokens(alice, 1);
    }

    function test_gas__distribute() public {
        measureDistribution(createPoolOf(3), "distribute3");
        measureDistribution(createPoolOf(10), "distribute10");
        measureDistribution(createFrom(treeOf(10_000)), "distribute10000");
    }

    function test_gas__claim() public {
        PoolId pool = createPoolOf(3);
        distribute(pool, READ);
        claim(pool, memberAt(1));
        claim(pool, alice);
        distribute(pool, READ);
        claim(pool, alice);
        vm.snapshotGasLastCall(GROUP, "claim");
        claim(pool, memberAt(2));
        vm.snapshotGasLastCall(GROUP, "claimFirst");
    }

    function test_gas__claimFromRoot() public {
        Tree memory tree = treeOf(10_000);
        PoolId pool = createFrom(tree);
        distribute(pool, READ);
        bytes memory proof = proofOf(tree, 0);
        vm.prank(alice);
        pools.claimFromRoot(pool, 1, 0, proof, alice);
        vm.snapshotGasLastCall(GROUP, "claimFromRoot10000");
    }

    function test_gas__transferUnits() public {
        PoolId pool = createPool();
        distribute(pool, READ);
        vm.prank(alice);
        pools.transferUnits(pool, bob, 1);
        vm.snapshotGasLastCall(GROUP, "transferUnits");
    }

    function test_gas__settlePool() public {
        PoolId pool = createPool();
        distribute(pool, READ);
        pools.settle(pool);
        distribute(pool, READ);
        pools.settle(pool);
        vm.snapshotGasLastCall(GROUP, "settlePool");
    }

    function test_gas__openChannel() public {
        PoolId pool = createPool();
        openChannel(pool, 1e18);
        openChannel(pool, 1e18);
        vm.snapshotGasLastCall(GROUP, "openChannel");
    }

    function test_gas__redeemVoucher() public {
        uint256 channel = openChannel(createPool(), 100e18);
        redeem(channel, READ);
        vm.snapshotGasLastCall(GROUP, "redeemVoucherFirst");
        redeem(channel, 2 * READ);
        vm.snapshotGasLastCall(GROUP, "redeemVoucher");
    }

    /// @dev Twenty channels of twenty pools: the dearest batch.
    function test_gas__redeemVouchers20() public {
        uint256[] memory list = new uint256[](20);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = openChannel(createPool(), 100e18);
            redeem(list[i], READ);
        }
        measureBatch(list, "redeemVouchers20");
    }

    /// @dev Twenty channels of one pool.
    function test_gas__redeemVouchers20OfOnePool() public {
        PoolId pool = createPool();
        uint256[] memory list = new uint256[](20);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = openChannel(pool, 100e18);
            redeem(list[i], READ);
        }
        measureBatch(list, "redeemVouchers20OfOnePool");
    }

    function test_gas__closeChannel() public {
        uint256 channel = openChannel(createPool(), 100e18);
        redeem(channel, READ);
        vm.prank(payer.addr);
        channels.startClose(channel);
        vm.snapshotGasLastCall(GROUP, "startCloseChannel");
        skip(CLOSE_DELAY);
        channels.finishClose(channel);
        vm.snapshotGasLastCall(GROUP, "finishCloseChannel");
    }

    function measureDistribution(PoolId pool, string memory name) private {
        distribute(pool, READ);
        distribute(pool, READ);
        vm.snapshotGasLastCall(GROUP, name);
    }

    function measureBatch(uint256[] memory list, string memory name) private {
        IReadChannels.Voucher[] memory vouchers = new IReadChannels.Voucher[](list.length);
        bytes memory signatures;
        for (uint256 i = 0; i < list.length; ++i) {
            vouchers[i] = voucherOf(list[i], 2 * READ, READ, keccak256(abi.encode(i)));
            signatures = bytes.concat(signatures, signed(payer, vouchers[i]));
        }
        vm.prank(agent.addr);
        channels.redeem(vouchers, signatures);
        uint256 used = vm.snapshotGasLastCall(GROUP, name);
        vm.snapshotValue(GROUP, string.concat(name, "Each"), used / list.length);
    }
}
