// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../../contracts/interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../../contracts/interfaces/IBlobRegistry.sol";
import {PolicyMock} from "../../contracts/mocks/PolicyMock.sol";
import {PolicyFixture} from "../contracts/support/PolicyFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title PolicyGasTest
/// @notice What policies cost an owner, as whole transactions, with policies that do next to nothing. An envelope of 2 KiB is one
/// for about 30 agents.
contract PolicyGasTest is PolicyFixture {
    string private constant GROUP = "gas";

    function test_gas__attach() public {
        uint256 object = register();
        attach(object, pair(address(access), address(0)));
        vm.snapshotGasLastCall(GROUP, "attachPolicy");
    }

    function test_gas__attachWithEnvelope() public {
        uint256 object = register();
        bytes memory envelope = new bytes(2048);
        for (uint256 i = 0; i < envelope.length; ++i) {
            envelope[i] = 0x5a;
        }
        IBlobPolicies.Policies memory both = pair(address(access), address(retention));
        vm.prank(owner);
        policies.attach(object, both, NOTICE, envelope);
        vm.snapshotGasLastCall(GROUP, "attachPoliciesAndEnvelope");
    }

    function test_gas__announce() public {
        announce(pair(address(access), address(0)));
        vm.snapshotGasLastCall(GROUP, "announcePolicies");
    }

    function test_gas__transferGoverned() public {
        vm.prank(owner);
        registry.transferFrom(owner, other, blobObject);
        vm.snapshotGasLastCall(GROUP, "transferGoverned");
    }

    /// @dev Nobody is told. Others pay until the same end, as where {GasTest} extends.
    function test_gas__extendGoverned() public {
        IBlobRegistry.Registration memory neighbour = defaultRegistration();
        neighbour.epochs = EPOCHS + 2;
        vm.prank(other);
        registry.register(neighbour);
        address deaf = address(new PolicyMock(0));
        uint256 object = register();
        attach(object, pair(deaf, deaf));
        vm.prank(owner);
        registry.extend(object, 2);
        vm.snapshotGasLastCall(GROUP, "extendGoverned");
    }
}
