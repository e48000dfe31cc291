// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobRegistry} from "../../../contracts/interfaces/IBlobRegistry.sol";
import {BlobId} from "../../../contracts/types/BlobId.sol";
import {System} from "./System.sol";
import {vm} from "./Vm.sol";

/// @title BlobFixture
/// @notice Ten nodes with a shard each (f = 3, a quorum is seven signatures), two accounts with tokens, one without.
abstract contract BlobFixture is System {
    uint64 internal constant SIZE = 2 ** 20;
    uint32 internal constant EPOCHS = 5;
    uint256 internal constant QUORUM = 7;
    uint256 internal constant BALANCE = 1000e18;

    address internal owner;
    address internal other;
    address internal stranger;

    function setUp() public virtual {
        deploySystem(defaultParameters());
        formCommittee(10, 4);
        owner = makeAddr("owner");
        other = makeAddr("other");
        stranger = makeAddr("stranger");
        giveTokens(owner, BALANCE);
        giveTokens(other, BALANCE);
    }

    function register() internal returns (uint256) {
        vm.prank(owner);
        return registry.register(defaultRegistration());
    }

    function registerPermanent() internal returns (uint256) {
        IBlobRegistry.Registration memory registration = defaultRegistration();
        registration.deletable = false;
        vm.prank(owner);
        return registry.register(registration);
    }

    function certified() internal returns (uint256 blobObject) {
        blobObject = register();
        certify(blobObject, bitmap(0, QUORUM));
    }

    function certify(uint256 blobObject, uint256 signers) internal {
        registry.certify(blobObject, signers, attestations(blobObject, signers));
    }

    function invalidate(BlobId id) internal {
        registry.invalidate(
            id, bitmap(0, 4), signaturesOf(registry.invalidityDigest(id, committee.epoch()), bitmap(0, 4))
        );
    }

    function assertStatus(uint256 blobObject, IBlobRegistry.Status status) internal view {
        assertEq(uint256(registry.statusOf(blobObject)), uint256(status));
        assertEq(uint256(registry.blobOf(blobObject).status), uint256(status));
    }
}
