// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IComputeJobs} from "../../contracts/interfaces/IComputeJobs.sol";
import {IJobTriggers} from "../../contracts/interfaces/IJobTriggers.sol";
import {ComputeFixture} from "../contracts/support/ComputeFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title ComputeGasTest
/// @notice What a job costs in the steady state: one input under an `AllOf` of `Programs` and `PayPerRead`, a requester who had a job
/// on it before, operators and pool that earned before.
/// @dev Run with `isolate`, so that each call is a transaction of its own, with its base cost and calldata.
contract ComputeGasTest is ComputeFixture {
    string private constant GROUP = "gas";

    function setUp() public override {
        super.setUp();
        // Every node earns once.
        for (uint256 i = 0; i < 8; ++i) {
            uint256 job = drawn(7);
            answer(job, results(7, 7));
            settle(job);
        }
    }

    function test_gas__job1() public {
        measureJob(1, "1");
    }

    function test_gas__job3() public {
        measureJob(3, "3");
    }

    function test_gas__job5() public {
        measureJob(5, "5");
    }

    /// @dev An object under `Programs` alone: what any policy costs without operands or price.
    function test_gas__requestJob() public {
        IComputeJobs.Order memory order = orderOf(3);
        order.inputs = list(certified());
        govern(order.inputs[0], programsPolicy);
        request(order, free());
        measureRequest(order, free(), "requestJob");
        order.inputs = list(certified());
        measureRequest(order, free(), "requestPublicJob");
    }

    /// @dev A requester without jobs on the object yet.
    function test_gas__requestFirstJob() public {
        vm.prank(owner);
        jobs.request(orderOf(3), new bytes[](1), orderOf(3).fee.times(2));
        vm.snapshotGasLastCall(GROUP, "requestFirstJob");
    }

    function test_gas__settleJob__with_a_liar_and_an_absent_node() public {
        uint256 job = drawn(5);
        for (uint8 place = 0; place < 4; ++place) {
            commit(job, place, place == 3 ? WRONG : RIGHT);
        }
        passCommit();
        for (uint8 place = 0; place < 4; ++place) {
            reveal(job, place, place == 3 ? WRONG : RIGHT);
        }
        settle(job);
        vm.snapshotGasLastCall(GROUP, "settleJob5Slashing2");
    }

    function test_gas__cancelJob() public {
        uint256 job = request(3);
        skip(DRAW_SECONDS);
        jobs.cancel(job, requestOf(job));
        vm.snapshotGasLastCall(GROUP, "cancelJob");
    }

    function test_gas__fireTrigger() public {
        IJobTriggers.Terms memory terms = termsOfTrigger(IJobTriggers.Kind.OnCertify);
        uint256 trigger = createTrigger(terms);
        (uint256 first, uint256 second) = (certified(), certified());
        jobs.fire(trigger, terms, first, new bytes[](1));
        jobs.fire(trigger, terms, second, new bytes[](1));
        vm.snapshotGasLastCall(GROUP, "fireTrigger");
    }

    function measureRequest(IComputeJobs.Order memory order, IComputeJobs.Charge[] memory charges, string memory name)
        private
        returns (uint256 job)
    {
        bytes memory requested = abi.encode(requestOf(other, order, charges));
        vm.prank(other);
        job = jobs.request(order, new bytes[](1), order.fee.times(2));
        vm.snapshotGasLastCall(GROUP, name);
        requests[job] = requested;
    }

    function measureJob(uint8 replicas, string memory name) private {
        uint256 job = measureRequest(orderOf(replicas), chargesOf(1), string.concat("requestPricedJob", name));
        randomness.draw(keccak256(abi.encode("seed", job)));
        jobs.draw(job, requestOf(job));
        vm.snapshotGasLastCall(GROUP, string.concat("drawJob", name));
        for (uint8 place = 0; place < replicas; ++place) {
            commit(job, place, RIGHT);
        }
        vm.snapshotGasLastCall(GROUP, string.concat("commitResult", name));
        for (uint8 place = 0; place < replicas; ++place) {
            reveal(job, place, RIGHT);
            if (place == 0) vm.snapshotGasLastCall(GROUP, string.concat("revealResult", name));
        }
        settle(job);
        vm.snapshotGasLastCall(GROUP, string.concat("settleJob", name));
    }
}
