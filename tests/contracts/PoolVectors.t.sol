// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStaking} from "../../contracts/interfaces/IStaking.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {PoolFixture} from "./support/PoolFixture.sol";
import {vm} from "./support/Vm.sol";

/// @notice Plays the histories of tests/vectors/pools.json, which the Python rules made, coin for coin (I11).
/// @dev The names of the steps, and the columns of a row, are those of scripts/make_pool_vectors.py.
contract PoolVectorsTest is PoolFixture {
    uint256 private constant NEXT_EPOCH = 0;
    uint256 private constant CUT = 1;
    uint256 private constant DELEGATE = 2;
    uint256 private constant UNDELEGATE = 3;
    uint256 private constant WITHDRAW = 4;
    uint256 private constant CLAIM = 5;
    uint256 private constant CLAIM_COMMISSION = 6;
    uint256 private constant SET_COMMISSION = 7;
    uint256 private constant SLASH = 8;

    string private vectors;

    function setUp() external {
        vectors = vm.readFile(string.concat(vm.projectRoot(), "/tests/vectors/pools.json"));
        deployPool(uint32(vm.parseJsonUint(vectors, ".unbondingEpochs")));
        // A pool that nobody dealt with begins late, and its node serves nobody before. These earn from epoch 1 on.
        staking.settle(NODE, 0);
    }

    function test_I11_histories__when_settled_at_once__agree_with_the_python_rules() external {
        _playAll(false);
    }

    function test_I11_histories__when_settled_as_late_as_it_goes__agree_with_the_python_rules() external {
        _playAll(true);
    }

    function _playAll(bool late) private {
        uint256 columns = vm.parseJsonUint(vectors, ".columns");
        uint256 start = vm.snapshotState();
        for (uint256 i = 0;; i++) {
            string memory path = string.concat(".histories[", vm.toString(i), "]");
            if (!vm.keyExistsJson(vectors, path)) {
                assertGt(i, 0);
                return;
            }
            string memory name = vm.parseJsonString(vectors, string.concat(path, ".name"));
            uint256[] memory cells = vm.parseJsonUintArray(vectors, string.concat(path, ".rows"));
            for (uint256 first = 0; first < cells.length; first += columns) {
                uint256[] memory row = new uint256[](columns);
                for (uint256 column = 0; column < columns; column++) {
                    row[column] = cells[first + column];
                }
                _play(row, late, string.concat(name, ", row ", vm.toString(first / columns)));
            }
            vm.revertToState(start);
        }
    }

    function _play(uint256[] memory row, bool late, string memory where) private {
        address who = makeAddr(string.concat("account ", vm.toString(row[1])));
        assertEq(_apply(row[0], who, row[2]), row[3], string.concat(where, ": paid"));
        bool settles = row[0] != NEXT_EPOCH && row[0] != CUT && row[0] != DELEGATE && row[0] != WITHDRAW;
        if (!late) staking.settle(NODE, 1);
        if (late && !settles) return;

        IStaking.Pool memory now_ = pool();
        assertEq(Amount.unwrap(now_.active), row[4], string.concat(where, ": active"));
        assertEq(now_.shares, row[5], string.concat(where, ": shares"));
        assertEq(Amount.unwrap(now_.waiting), row[6], string.concat(where, ": waiting"));
        assertEq(Amount.unwrap(now_.unbonding), row[7], string.concat(where, ": unbonding"));
        assertEq(now_.unbondingShares, row[8], string.concat(where, ": unbonding shares"));
        assertEq(Amount.unwrap(now_.commission), row[9], string.concat(where, ": commission"));
        assertEq(Amount.unwrap(staking.totalStake()), row[4] + row[6] + row[7] + row[9], string.concat(where, ": all"));
        IStaking.Delegation memory mine = staking.delegationOf(NODE, who);
        assertEq(Amount.unwrap(mine.active), row[10], string.concat(where, ": account's active"));
        assertEq(Amount.unwrap(mine.principal), row[11], string.concat(where, ": account's principal"));
        assertEq(mine.shares, row[12], string.concat(where, ": account's shares"));
        assertEq(Amount.unwrap(mine.waiting), row[13], string.concat(where, ": account's waiting"));
        assertEq(leaving(who), row[14], string.concat(where, ": account's leaving"));
    }

    function _apply(uint256 step, address who, uint256 amount) private returns (uint256 paid) {
        if (step == NEXT_EPOCH) nextEpoch(amount);
        else if (step == CUT) toCut();
        else if (step == DELEGATE) delegate(who, uint128(amount));
        else if (step == UNDELEGATE) undelegate(who, uint128(amount));
        else if (step == SLASH) return slash(uint16(amount));
        else return _callAs(step, who, amount);
    }

    function _callAs(uint256 step, address who, uint256 amount) private returns (uint256 paid) {
        vm.prank(step == WITHDRAW || step == CLAIM ? who : operator);
        if (step == WITHDRAW) return Amount.unwrap(staking.withdrawUnbonded(NODE));
        if (step == CLAIM) return Amount.unwrap(staking.claimRewards(NODE));
        if (step == CLAIM_COMMISSION) return Amount.unwrap(staking.claimCommission(NODE));
        assertEq(step, SET_COMMISSION);
        staking.setCommission(NODE, uint16(amount));
    }
}
