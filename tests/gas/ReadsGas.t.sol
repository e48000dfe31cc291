// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IRenewals} from "../../contracts/interfaces/IRenewals.sol";
import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {PolicyFactory} from "../../contracts/policies/PolicyFactory.sol";
import {PayPerReadPolicy} from "../../contracts/policies/kinds/PayPerReadPolicy.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {BlobFixture} from "../contracts/support/BlobFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title ReadsGasTest
/// @notice What reads that are paid on chain and renewals cost: a certified object with a policy of the factory, a pool that had income before,
/// a buyer who holds WAL and approved the vault.
/// @dev Run with `isolate`, so that each call is a transaction of its own, with its base cost and calldata.
contract ReadsGasTest is BlobFixture {
    string private constant GROUP = "gas";
    uint128 private constant READ = 0.5e18;

    uint256 private blobObject;

    function setUp() public override {
        super.setUp();
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](1);
        shares[0] = IRevenuePools.Share(owner, 1);
        PoolId pool = revenuePools.create(shares, 1000);
        PolicyFactory.Kind[] memory kinds = new PolicyFactory.Kind[](1);
        kinds[0] = PolicyFactory.Kind("PayPerRead", address(new PayPerReadPolicy(token, revenuePools)));
        address policy = new PolicyFactory(kinds).create("PayPerRead", abi.encode(READ, pool));
        blobObject = certified();
        vm.prank(owner);
        policies.attach(blobObject, IBlobPolicies.Policies(policy, address(0)), 1 days, "");
        buyRead(stranger);
    }

    /// @dev The first one of a new reader writes a new slot; the next ones do not.
    function test_gas__buyRead() public {
        buyRead(other);
        vm.snapshotGasLastCall(GROUP, "buyFirstRead");
        buyRead(other);
        vm.snapshotGasLastCall(GROUP, "buyRead");
    }

    /// @dev At an unchanged price, of an object that was renewed before, by somebody who was tipped before.
    function test_gas__renew() public {
        vm.startPrank(owner);
        renewals.setTerms(blobObject, IRenewals.Terms(2, 20, Amount.wrap(1e15)));
        renewals.fund(blobObject, Amount.wrap(1e18));
        vm.stopPrank();
        renew();
        renew();
        vm.snapshotGasLastCall(GROUP, "renew");
    }

    function renew() private {
        vm.prank(other);
        renewals.renew(blobObject);
    }

    function buyRead(address reader) private {
        vm.prank(reader == stranger ? owner : reader);
        purchases.buyReads(blobObject, 1, reader, Amount.wrap(READ), "");
    }
}
