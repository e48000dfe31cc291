// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBlobPolicies} from "../../../contracts/interfaces/IBlobPolicies.sol";
import {IComputeJobs} from "../../../contracts/interfaces/IComputeJobs.sol";
import {IJobTriggers} from "../../../contracts/interfaces/IJobTriggers.sol";
import {IRevenuePools} from "../../../contracts/interfaces/IRevenuePools.sol";
import {PolicyFactory} from "../../../contracts/policies/PolicyFactory.sol";
import {AllOfPolicy} from "../../../contracts/policies/kinds/AllOfPolicy.sol";
import {PayPerReadPolicy} from "../../../contracts/policies/kinds/PayPerReadPolicy.sol";
import {ProgramsPolicy} from "../../../contracts/policies/kinds/ProgramsPolicy.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {BlobId} from "../../../contracts/types/BlobId.sol";
import {NodeId} from "../../../contracts/types/NodeId.sol";
import {PoolId} from "../../../contracts/types/PoolId.sol";
import {Timestamp} from "../../../contracts/types/Timestamp.sol";
import {BlobFixture} from "./BlobFixture.sol";
import {vm} from "./Vm.sol";

/// @title ComputeFixture
/// @notice Ten nodes with a shard each; `owner` has a certified object on which one program may run, at a price that goes to a pool
/// of `owner`. `other` requests jobs.
abstract contract ComputeFixture is BlobFixture {
    uint128 internal constant PRICE = 0.5e18;
    uint128 internal constant FEE = 1e18;
    uint256 internal constant TOTAL = uint256(FEE) + PRICE;
    uint32 internal constant DRAW_SECONDS = 10 minutes;
    uint32 internal constant COMMIT_SECONDS = 10 minutes;
    uint32 internal constant REVEAL_SECONDS = 5 minutes;
    uint32 internal constant WINDOW_BLOCKS = 10;
    uint16 internal constant WRONG_BPS = 500;
    uint16 internal constant ABSENT_BPS = 20;
    bytes32 internal constant RIGHT = keccak256("the right result");
    bytes32 internal constant WRONG = keccak256("another one");
    bytes32 internal constant SALT = keccak256("salt");
    uint64 internal constant OUTPUT = 1234;

    PolicyFactory internal factory;
    PoolId internal pool;
    BlobId internal program;
    /// @dev `Programs` alone, and with a price.
    address internal programsPolicy;
    address internal policy;
    uint256 internal blobObject;
    /// @dev Each job's request, as it was encoded.
    mapping(uint256 job => bytes) internal requests;

    function setUp() public virtual override {
        super.setUp();
        vm.roll(1000);
        program = blobId("program");
        PolicyFactory.Kind[] memory kinds = new PolicyFactory.Kind[](3);
        kinds[0] = PolicyFactory.Kind("Programs", address(new ProgramsPolicy()));
        kinds[1] = PolicyFactory.Kind("PayPerRead", address(new PayPerReadPolicy(token, revenuePools)));
        kinds[2] = PolicyFactory.Kind("AllOf", address(new AllOfPolicy()));
        factory = new PolicyFactory(kinds);
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](1);
        shares[0] = IRevenuePools.Share(owner, 1);
        pool = revenuePools.create(shares, 1000);
        bytes32[] memory programs = new bytes32[](1);
        programs[0] = BlobId.unwrap(program);
        address[] memory operands = new address[](2);
        programsPolicy = factory.create("Programs", abi.encode(programs));
        operands[0] = programsPolicy;
        operands[1] = factory.create("PayPerRead", abi.encode(PRICE, pool));
        policy = factory.create("AllOf", abi.encode(operands));
        blobObject = certified();
        govern(blobObject, policy);
    }

    function govern(uint256 object, address access) internal {
        vm.prank(owner);
        policies.attach(object, IBlobPolicies.Policies(access, address(0)), 1 days, "");
    }

    // Orders

    function orderOf(uint8 replicas) internal view returns (IComputeJobs.Order memory) {
        return IComputeJobs.Order({
            inputs: list(blobObject),
            program: program,
            arguments: "minimum=10",
            fuel: 10 ** 9,
            outputLimit: 2 ** 20,
            replicas: replicas,
            engine: 1,
            encryptionKey: keccak256("key"),
            fee: Amount.wrap(FEE)
        });
    }

    /// @notice An order for {blobObject} is charged like this.
    function chargesOf(uint256 count) internal view returns (IComputeJobs.Charge[] memory charges) {
        charges = new IComputeJobs.Charge[](count);
        for (uint256 i = 0; i < count; ++i) {
            charges[i] = IComputeJobs.Charge(blobId("default"), pool, Amount.wrap(PRICE));
        }
    }

    function list(uint256 number) internal pure returns (uint256[] memory numbers) {
        numbers = new uint256[](1);
        numbers[0] = number;
    }

    /// @notice The request of a job of `requester` that is made now.
    function requestOf(address requester, IComputeJobs.Order memory order, IComputeJobs.Charge[] memory charges)
        internal
        view
        returns (IComputeJobs.Request memory)
    {
        return IComputeJobs.Request({
            requester: requester,
            order: order,
            charges: charges,
            ticket: uint64(randomness.nextTicket()),
            office: committee.epoch(),
            since: Timestamp.wrap(uint64(vm.getBlockTimestamp()))
        });
    }

    /// @notice The request of a job that was kept by {request}.
    function requestOf(uint256 job) internal view returns (IComputeJobs.Request memory) {
        return abi.decode(requests[job], (IComputeJobs.Request));
    }

    /// @notice `other` requests a job that is charged as {chargesOf} says.
    function request(IComputeJobs.Order memory order) internal returns (uint256) {
        return request(order, chargesOf(order.inputs.length));
    }

    function request(IComputeJobs.Order memory order, IComputeJobs.Charge[] memory charges)
        internal
        returns (uint256 job)
    {
        // Nothing is called before: a test may expect the call to revert.
        vm.prank(other);
        job = jobs.request(order, new bytes[](order.inputs.length), Amount.wrap(type(uint128).max));
        requests[job] = abi.encode(requestOf(other, order, charges));
    }

    function request(uint8 replicas) internal returns (uint256) {
        return request(orderOf(replicas));
    }

    // Steps of a job

    function draw(uint256 job) internal returns (NodeId[] memory) {
        randomness.draw(keccak256(abi.encode("seed", job)));
        return jobs.draw(job, requestOf(job));
    }

    /// @notice A job for so many replicas that was requested and drawn.
    function drawn(uint8 replicas) internal returns (uint256 job) {
        job = request(replicas);
        draw(job);
    }

    function nodeAt(uint256 job, uint8 place) internal view returns (NodeId) {
        return jobs.jobOf(job).nodes[place];
    }

    function signerAt(uint256 job, uint8 place) internal view returns (address) {
        return nodeRegistry.signerOf(nodeAt(job, place));
    }

    function operatorAt(uint256 job, uint8 place) internal view returns (address) {
        return nodeRegistry.operatorOf(nodeAt(job, place));
    }

    function termsOf(uint256 job) internal view returns (bytes32) {
        return jobs.jobOf(job).terms;
    }

    function commit(uint256 job, uint8 place, bytes32 result) internal {
        bytes32 commitment = keccak256(abi.encode(job, nodeAt(job, place), result, OUTPUT, SALT));
        (address signer, bytes32 terms) = (signerAt(job, place), termsOf(job));
        vm.prank(signer);
        jobs.commit(job, place, terms, commitment);
    }

    function decline(uint256 job, uint8 place) internal {
        address signer = signerAt(job, place);
        vm.prank(signer);
        jobs.decline(job, place);
    }

    function reveal(uint256 job, uint8 place, bytes32 result) internal {
        address signer = signerAt(job, place);
        vm.prank(signer);
        jobs.reveal(job, place, result, OUTPUT, SALT);
    }

    /// @notice Each node commits and reveals; the results by place.
    function answer(uint256 job, bytes32[] memory found) internal {
        for (uint8 place = 0; place < found.length; ++place) {
            commit(job, place, found[place]);
        }
        for (uint8 place = 0; place < found.length; ++place) {
            reveal(job, place, found[place]);
        }
    }

    /// @notice The right result `right` times, then the wrong one.
    function results(uint256 replicas, uint256 right) internal pure returns (bytes32[] memory found) {
        found = new bytes32[](replicas);
        for (uint256 place = 0; place < replicas; ++place) {
            found[place] = place < right ? RIGHT : WRONG;
        }
    }

    function settle(uint256 job) internal returns (IComputeJobs.Outcome memory) {
        return jobs.settle(job, requestOf(job));
    }

    /// @notice The charges of an object that is free.
    function free() internal pure returns (IComputeJobs.Charge[] memory charges) {
        charges = new IComputeJobs.Charge[](1);
        charges[0].blobId = blobId("default");
    }

    /// @notice Lets the time for commitments pass, in seconds and blocks.
    function passCommit() internal {
        skip(COMMIT_SECONDS);
        vm.roll(vm.getBlockNumber() + WINDOW_BLOCKS);
    }

    function passReveal() internal {
        skip(REVEAL_SECONDS);
        vm.roll(vm.getBlockNumber() + WINDOW_BLOCKS);
    }

    // Triggers

    function termsOfTrigger(IJobTriggers.Kind kind) internal view returns (IJobTriggers.Terms memory terms) {
        terms.kind = kind;
        terms.perEpoch = 1;
        terms.maximum = Amount.wrap(10e18);
        terms.order = orderOf(3);
        if (kind == IJobTriggers.Kind.OnCertify) {
            terms.order.inputs = new uint256[](0);
            terms.perEpoch = 2;
        }
        if (kind == IJobTriggers.Kind.EveryEpochs) terms.epochs = 2;
    }

    /// @notice A trigger of `owner` with a balance of 10 WAL.
    function createTrigger(IJobTriggers.Terms memory terms) internal returns (uint256 trigger) {
        vm.startPrank(owner);
        trigger = jobs.createTrigger(terms);
        jobs.fundTrigger(trigger, Amount.wrap(10e18));
        vm.stopPrank();
    }

    // Books

    function claimOf(address account) internal view returns (uint256) {
        return Amount.unwrap(vault.claimOf(account));
    }

    function reserve() internal view returns (uint256) {
        return Amount.unwrap(vault.reserveOf(address(jobs)));
    }

    function stakeOf(NodeId nodeId) internal view returns (uint256) {
        return Amount.unwrap(staking.stakeAt(nodeId, committee.currentEpoch()));
    }

    function assertStatus(uint256 job, IComputeJobs.Status status) internal view {
        assertEq(uint256(jobs.statusOf(job)), uint256(status));
        assertEq(uint256(jobs.jobOf(job).status), uint256(status));
    }

    function expectStillOpen(uint256 job) internal {
        Timestamp since = jobs.jobOf(job).drawnAt;
        vm.expectRevert(
            abi.encodeWithSelector(
                IComputeJobs.ComputeJobs_StillOpen.selector, job, openUntil(job, Timestamp.unwrap(since))
            )
        );
    }

    function openUntil(uint256 job, uint64 since) internal view returns (uint64) {
        bool committing = jobs.statusOf(job) == IComputeJobs.Status.Committing;
        return since + COMMIT_SECONDS + (committing ? 0 : REVEAL_SECONDS);
    }
}
