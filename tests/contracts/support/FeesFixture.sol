// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StorageFees} from "../../../contracts/blobs/StorageFees.sol";
import {Committee} from "../../../contracts/committee/Committee.sol";
import {ICommittee} from "../../../contracts/interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../../../contracts/interfaces/ICustodyChallenges.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IStaking} from "../../../contracts/interfaces/IStaking.sol";
import {WAL} from "../../../contracts/token/WAL.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {Epoch} from "../../../contracts/types/Epoch.sol";
import {Timestamp} from "../../../contracts/types/Timestamp.sol";
import {TokenVault} from "../../../contracts/vault/TokenVault.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// @title FeesFixture
/// @notice Storage fees with a real vault, token and clock, this contract in the place of the blob registry, and accounts in
/// the places of the contracts that count votes, divide incomes and keep stake.
abstract contract FeesFixture is Test {
    /// @notice What a price list says.
    struct Prices {
        uint16 shards;
        uint32 unitBytes;
        uint128 unitPrice;
        uint128 writeFee;
        uint32 maximumEpochs;
    }

    uint256 internal constant SUPPLY = type(uint128).max;

    WAL internal token;
    TokenVault internal vault;
    Committee internal committee;
    StorageFees internal fees;
    address internal votes;
    address internal rewards;
    address internal stakes;
    address internal pools;

    /// @notice n = 10, a unit of 64 KiB for 1,000 wei, a write fee of 77 wei, 50 epochs.
    function defaultPrices() internal pure returns (Prices memory) {
        return Prices({shards: 10, unitBytes: 64 * 1024, unitPrice: 1000, writeFee: 77, maximumEpochs: 50});
    }

    /// @notice Deploys all; this contract holds the supply and approved the vault.
    function deployFees(Prices memory prices) internal {
        votes = makeAddr("votes");
        rewards = makeAddr("rewards");
        stakes = makeAddr("stakes");
        pools = makeAddr("pools");
        address[] memory modules = new address[](3);
        modules[0] = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 3);
        modules[1] = stakes;
        modules[2] = pools;
        token = new WAL(address(this), SUPPLY);
        vault = new TokenVault(token, modules);
        committee = new Committee(
            INodeRegistry(address(1)),
            IStaking(address(1)),
            ICustodyChallenges(address(1)),
            prices.shards,
            1 days,
            1 days,
            address(this)
        );
        fees = newFees(prices);
        assertTrue(token.approve(address(vault), type(uint256).max));
    }

    function newFees(Prices memory prices) internal returns (StorageFees) {
        return new StorageFees(
            vault,
            ICommittee(committee),
            address(this),
            votes,
            rewards,
            pools,
            prices.unitBytes,
            Amount.wrap(prices.unitPrice),
            Amount.wrap(prices.writeFee),
            prices.maximumEpochs
        );
    }

    /// @notice Charges a new object at the prices of the present epoch, as the registry does.
    function charge(uint256 blobObject, uint64 size, uint32 epochs) internal returns (uint128 rate) {
        (Amount unitPrice, Amount writeFee) = fees.pricesAt(committee.currentEpoch());
        return Amount.unwrap(fees.charge(blobObject, address(this), size, epochs, unitPrice, writeFee));
    }

    /// @notice Fixes the prices of the epochs from the next one on.
    function setPrices(uint128 unitPrice, uint128 writeFee) internal {
        Epoch from = committee.currentEpoch().plus(1);
        vm.prank(votes);
        fees.setPrices(from, Amount.wrap(unitPrice), Amount.wrap(writeFee));
    }

    function warpTo(uint32 epoch) internal {
        vm.warp(Timestamp.unwrap(committee.startOf(Epoch.wrap(epoch))));
    }

    /// @notice The epoch of the clock.
    function currentEpoch() internal view returns (uint32) {
        return Epoch.unwrap(committee.currentEpoch());
    }

    function income(uint32 epoch) internal view returns (uint256) {
        return Amount.unwrap(fees.incomeOf(Epoch.wrap(epoch)));
    }

    function reserve() internal view returns (uint256) {
        return Amount.unwrap(vault.reserveOf(address(fees)));
    }
}
