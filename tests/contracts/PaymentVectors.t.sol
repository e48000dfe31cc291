// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {BlobId} from "../../contracts/types/BlobId.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {PaymentsFixture} from "./support/PaymentsFixture.sol";
import {vm} from "./support/Vm.sol";

/// @notice Shows the places of tests/vectors/units.json and plays the histories of tests/vectors/accrual.json, which the Python rules
/// made, coin for coin.
/// @dev The names of the steps, and the columns of a row, are those of scripts/make_units_vectors.py.
contract PaymentVectorsTest is PaymentsFixture {
    uint256 private constant INCOME = 0;
    uint256 private constant CLAIM = 1;
    uint256 private constant TRANSFER = 2;
    uint256 private constant SETTLE = 3;
    uint256 private constant ACCOUNTS = 4;

    string private trees;
    string private histories;

    function setUp() external {
        trees = vm.readFile(string.concat(vm.projectRoot(), "/tests/vectors/units.json"));
        histories = vm.readFile(string.concat(vm.projectRoot(), "/tests/vectors/accrual.json"));
        deployPayments(type(uint128).max);
    }

    function test_trees__agree_with_the_python_rules() external {
        for (uint256 i = 0;; ++i) {
            string memory path = string.concat(".trees[", vm.toString(i), "]");
            if (!vm.keyExistsJson(trees, path)) {
                assertGt(i, 9);
                return;
            }
            showAll(path);
        }
    }

    function test_I10_histories__agree_with_the_python_rules() external {
        assertEq(vm.parseJsonUint(histories, ".protocolBps"), PROTOCOL_BPS);
        uint256 columns = vm.parseJsonUint(histories, ".columns");
        for (uint256 i = 0;; ++i) {
            string memory path = string.concat(".histories[", vm.toString(i), "]");
            if (!vm.keyExistsJson(histories, path)) {
                assertGt(i, 4);
                return;
            }
            PoolId pool = poolOf(path);
            uint256[] memory cells = vm.parseJsonUintArray(histories, string.concat(path, ".rows"));
            for (uint256 first = 0; first < cells.length; first += columns) {
                uint256[] memory row = new uint256[](columns);
                for (uint256 column = 0; column < columns; ++column) {
                    row[column] = cells[first + column];
                }
                play(pool, row, string.concat(path, ", row ", vm.toString(first / columns)));
            }
        }
    }

    function showAll(string memory path) private {
        PoolId pool = pools.createFromRoot(
            vm.parseJsonBytes32(trees, string.concat(path, ".root")),
            uint64(vm.parseJsonUint(trees, string.concat(path, ".units"))),
            NODES_BPS,
            BlobId.wrap(0)
        );
        uint256[] memory units = vm.parseJsonUintArray(trees, string.concat(path, ".heldUnits"));
        uint256[] memory indices = vm.parseJsonUintArray(trees, string.concat(path, ".indices"));
        bytes[] memory proofs = vm.parseJsonBytesArray(trees, string.concat(path, ".proofs"));
        for (uint256 i = 0; i < units.length; ++i) {
            address account = vm.parseJsonAddress(trees, string.concat(path, ".accounts[", vm.toString(i), "]"));
            pools.enter(pool, account, uint64(units[i]), indices[i], proofs[i]);
            assertEq(pools.memberOf(pool, account).units, units[i]);
        }
    }

    function poolOf(string memory path) private returns (PoolId) {
        uint256[] memory units = vm.parseJsonUintArray(histories, string.concat(path, ".units"));
        uint256 count = 0;
        for (uint256 i = 0; i < units.length; ++i) {
            if (units[i] != 0) ++count;
        }
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](count);
        for (uint256 i = units.length; i > 0; --i) {
            if (units[i - 1] != 0) shares[--count] = IRevenuePools.Share(accountAt(i - 1), uint64(units[i - 1]));
        }
        return pools.create(shares, uint16(vm.parseJsonUint(histories, string.concat(path, ".nodesBps"))));
    }

    /// @dev The columns: step, who, amount, paid, earned per weight, dust, units, claimable, to nodes, to burn.
    function play(PoolId pool, uint256[] memory row, string memory where) private {
        address account = accountAt(row[1]);
        uint256 paid = 0;
        if (row[0] == INCOME) {
            pools.distribute(pool, Amount.wrap(uint128(row[2])));
        } else if (row[0] == CLAIM) {
            paid = claim(pool, account);
        } else if (row[0] == TRANSFER) {
            vm.prank(account);
            pools.transferUnits(pool, accountAt((row[1] + 1) % ACCOUNTS), uint64(row[2]));
        } else {
            assertEq(row[0], SETTLE);
            (Amount nodesPart, Amount burned) = pools.settle(pool);
            paid = Amount.unwrap(nodesPart) + Amount.unwrap(burned);
        }
        assertEq(paid, row[3], where);
        IRevenuePools.Pool memory kept = pools.poolOf(pool);
        assertEq(Amount.unwrap(kept.earnedPerWeight), row[4], where);
        assertEq(kept.dust, row[5], where);
        assertEq(pools.memberOf(pool, account).units, row[6], where);
        assertEq(claimable(pool, account), row[7], where);
        (Amount toNodes, Amount toBurn) = pools.settleable(pool);
        assertEq(Amount.unwrap(toNodes), row[8], where);
        assertEq(Amount.unwrap(toBurn), row[9], where);
    }

    function accountAt(uint256 index) private pure returns (address) {
        return address(uint160(1_000_000 + index));
    }
}
