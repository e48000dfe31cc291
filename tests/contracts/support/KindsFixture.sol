// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../../../contracts/interfaces/ICommittee.sol";
import {AccessRequest, Action, IDataPolicy} from "../../../contracts/interfaces/IDataPolicy.sol";
import {IPurchases} from "../../../contracts/interfaces/IPurchases.sol";
import {IRevenuePools} from "../../../contracts/interfaces/IRevenuePools.sol";
import {IWAL} from "../../../contracts/interfaces/IWAL.sol";
import {PolicyAnswers} from "../../../contracts/libraries/PolicyAnswers.sol";
import {OperandMock} from "../../../contracts/mocks/OperandMock.sol";
import {CredentialRegistry} from "../../../contracts/policies/CredentialRegistry.sol";
import {PolicyFactory} from "../../../contracts/policies/PolicyFactory.sol";
import {AllOfPolicy} from "../../../contracts/policies/kinds/AllOfPolicy.sol";
import {AllowListPolicy} from "../../../contracts/policies/kinds/AllowListPolicy.sol";
import {AnyOfPolicy} from "../../../contracts/policies/kinds/AnyOfPolicy.sol";
import {Combinator} from "../../../contracts/policies/kinds/Combinator.sol";
import {CredentialPolicy} from "../../../contracts/policies/kinds/CredentialPolicy.sol";
import {DeleteAfterPolicy} from "../../../contracts/policies/kinds/DeleteAfterPolicy.sol";
import {DenyListPolicy} from "../../../contracts/policies/kinds/DenyListPolicy.sol";
import {Erc1155HolderPolicy} from "../../../contracts/policies/kinds/Erc1155HolderPolicy.sol";
import {Erc20HolderPolicy} from "../../../contracts/policies/kinds/Erc20HolderPolicy.sol";
import {Erc721HolderPolicy} from "../../../contracts/policies/kinds/Erc721HolderPolicy.sol";
import {FixedTermPolicy} from "../../../contracts/policies/kinds/FixedTermPolicy.sol";
import {KOfNPolicy} from "../../../contracts/policies/kinds/KOfNPolicy.sol";
import {LegalHoldPolicy} from "../../../contracts/policies/kinds/LegalHoldPolicy.sol";
import {MerkleAllowListPolicy} from "../../../contracts/policies/kinds/MerkleAllowListPolicy.sol";
import {NotPolicy} from "../../../contracts/policies/kinds/NotPolicy.sol";
import {OwnerPolicy} from "../../../contracts/policies/kinds/OwnerPolicy.sol";
import {PayPerReadPolicy} from "../../../contracts/policies/kinds/PayPerReadPolicy.sol";
import {ProgramsPolicy} from "../../../contracts/policies/kinds/ProgramsPolicy.sol";
import {ReadQuotaPolicy} from "../../../contracts/policies/kinds/ReadQuotaPolicy.sol";
import {SubscriptionPolicy} from "../../../contracts/policies/kinds/SubscriptionPolicy.sol";
import {TimeWindowPolicy} from "../../../contracts/policies/kinds/TimeWindowPolicy.sol";
import {WriteOncePolicy} from "../../../contracts/policies/kinds/WriteOncePolicy.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {BlobId} from "../../../contracts/types/BlobId.sol";
import {PoolId} from "../../../contracts/types/PoolId.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// @title KindsFixture
/// @notice A factory of all kinds. It is epoch 7; there is one revenue pool, number 3; nobody subscribed to anything.
abstract contract KindsFixture is Test {
    uint256 internal constant EVALUATION_GAS = 8_000_000;
    uint32 internal constant CURRENT_EPOCH = 7;
    uint64 internal constant POOL = 3;
    uint256 internal constant OBJECT = 5;
    uint256 internal constant NOW = 1_800_000_000;

    PolicyFactory internal factory;
    CredentialRegistry internal credentials;
    address internal wal;
    address internal pools;
    address internal purchases;
    address internal owner;
    address internal administrator;
    address internal reader;
    address internal stranger;

    function setUp() public virtual {
        vm.warp(NOW);
        (owner, administrator) = (makeAddr("owner"), makeAddr("administrator"));
        (reader, stranger) = (makeAddr("reader"), makeAddr("stranger"));
        (wal, pools, purchases) = (makeAddr("wal"), makeAddr("pools"), makeAddr("purchases"));
        address committee = makeAddr("committee");
        vm.mockCall(committee, abi.encodeCall(ICommittee.currentEpoch, ()), abi.encode(CURRENT_EPOCH));
        vm.mockCall(pools, abi.encodeWithSelector(IRevenuePools.exists.selector), abi.encode(false));
        vm.mockCall(pools, abi.encodeCall(IRevenuePools.exists, (PoolId.wrap(POOL))), abi.encode(true));
        vm.mockCall(purchases, abi.encodeWithSelector(IPurchases.subscribedUntil.selector), abi.encode(0));
        credentials = new CredentialRegistry();

        PolicyFactory.Kind[] memory kinds = new PolicyFactory.Kind[](21);
        kinds[0] = PolicyFactory.Kind("Owner", address(new OwnerPolicy()));
        kinds[1] = PolicyFactory.Kind("AllowList", address(new AllowListPolicy()));
        kinds[2] = PolicyFactory.Kind("MerkleAllowList", address(new MerkleAllowListPolicy()));
        kinds[3] = PolicyFactory.Kind("DenyList", address(new DenyListPolicy()));
        kinds[4] = PolicyFactory.Kind("Erc20Holder", address(new Erc20HolderPolicy()));
        kinds[5] = PolicyFactory.Kind("Erc721Holder", address(new Erc721HolderPolicy()));
        kinds[6] = PolicyFactory.Kind("Erc1155Holder", address(new Erc1155HolderPolicy()));
        kinds[7] = PolicyFactory.Kind("Credential", address(new CredentialPolicy()));
        kinds[8] = PolicyFactory.Kind("TimeWindow", address(new TimeWindowPolicy()));
        kinds[9] = PolicyFactory.Kind("PayPerRead", address(new PayPerReadPolicy(IWAL(wal), IRevenuePools(pools))));
        kinds[10] = PolicyFactory.Kind("ReadQuota", address(new ReadQuotaPolicy()));
        kinds[11] = PolicyFactory.Kind(
            "Subscription", address(new SubscriptionPolicy(IPurchases(purchases), IRevenuePools(pools)))
        );
        kinds[12] = PolicyFactory.Kind("AllOf", address(new AllOfPolicy()));
        kinds[13] = PolicyFactory.Kind("AnyOf", address(new AnyOfPolicy()));
        kinds[14] = PolicyFactory.Kind("Not", address(new NotPolicy()));
        kinds[15] = PolicyFactory.Kind("KOfN", address(new KOfNPolicy()));
        kinds[16] = PolicyFactory.Kind("FixedTerm", address(new FixedTermPolicy(ICommittee(committee))));
        kinds[17] = PolicyFactory.Kind("WriteOnce", address(new WriteOncePolicy()));
        kinds[18] = PolicyFactory.Kind("LegalHold", address(new LegalHoldPolicy()));
        kinds[19] = PolicyFactory.Kind("DeleteAfter", address(new DeleteAfterPolicy()));
        kinds[20] = PolicyFactory.Kind("Programs", address(new ProgramsPolicy()));
        factory = new PolicyFactory(kinds);
    }

    // -- policies

    /// @notice A list of so many programs: 1, 2, 3 ...
    function programs(uint256 count) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = bytes32(i + 1);
        }
    }

    function ownerPolicy() internal returns (address) {
        return factory.create("Owner", "");
    }

    function allowList() internal returns (AllowListPolicy) {
        return AllowListPolicy(factory.create("AllowList", abi.encode(administrator)));
    }

    function payPerRead(uint128 price) internal returns (address) {
        return factory.create("PayPerRead", abi.encode(price, POOL));
    }

    function allOf(address[] memory operands) internal returns (AllOfPolicy) {
        return AllOfPolicy(factory.create("AllOf", abi.encode(operands)));
    }

    function anyOf(address[] memory operands) internal returns (address) {
        return factory.create("AnyOf", abi.encode(operands));
    }

    function kOfN(uint8 k, address[] memory operands) internal returns (address) {
        return factory.create("KOfN", abi.encode(k, operands));
    }

    function not(address operand) internal returns (address) {
        return factory.create("Not", abi.encode(operand));
    }

    function mock(OperandMock.Behaviour behaviour) internal returns (OperandMock) {
        return new OperandMock(behaviour);
    }

    /// @dev One new mock for each behaviour.
    function mocks(OperandMock.Behaviour first, OperandMock.Behaviour second) internal returns (address[] memory) {
        return two(address(mock(first)), address(mock(second)));
    }

    function one(address first) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = first;
    }

    function two(address first, address second) internal pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (first, second);
    }

    // -- requests

    /// @dev The reader reads the owner's object for the first time and shows nothing.
    function requestOf(address requester) internal view returns (AccessRequest memory) {
        return AccessRequest({
            requester: requester,
            blobObject: OBJECT,
            blobId: BlobId.wrap(bytes32(uint256(1))),
            owner: owner,
            action: Action.Read,
            program: 0,
            sequence: 0,
            evidence: ""
        });
    }

    function showing(bytes memory evidence) internal view returns (AccessRequest memory request) {
        request = requestOf(reader);
        request.evidence = evidence;
    }

    // -- answers

    function assertAllows(address policy, AccessRequest memory request) internal view {
        (bytes4 answer, uint32 ttlSeconds, bytes32 reason) = IDataPolicy(policy).evaluate(request);
        assertEq(reason, "");
        assertEq(bytes32(answer), bytes32(PolicyAnswers.ALLOW));
        assertTrue(ttlSeconds <= 60);
    }

    function assertDenies(address policy, AccessRequest memory request, bytes32 expected) internal view {
        (bytes4 answer, uint32 ttlSeconds, bytes32 reason) = IDataPolicy(policy).evaluate(request);
        assertEq(reason, expected);
        assertEq(bytes32(answer), bytes32(PolicyAnswers.DENY));
        assertEq(uint256(ttlSeconds), 0);
    }

    /// @dev Neither allowed nor denied: it reverts with all the gas that the protocol gives.
    function assertFails(address policy, AccessRequest memory request) internal view {
        (bool done,) = policy.staticcall{gas: EVALUATION_GAS}(abi.encodeCall(IDataPolicy.evaluate, (request)));
        assertFalse(done);
    }

    function assertFails(address policy, AccessRequest memory request, bytes memory expected) internal view {
        (bool done, bytes memory why) =
            policy.staticcall{gas: EVALUATION_GAS}(abi.encodeCall(IDataPolicy.evaluate, (request)));
        assertFalse(done);
        assertEq(why, expected);
    }

    function assertCosts(address policy, AccessRequest memory request, uint128 price) internal view {
        (address token, Amount amount, PoolId pool) = IDataPolicy(policy).quote(request);
        assertEq(token, price == 0 ? address(0) : wal);
        assertEq(uint256(Amount.unwrap(amount)), price);
        assertEq(uint256(PoolId.unwrap(pool)), price == 0 ? 0 : POOL);
    }

    function operandFailed(address operand) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Combinator.Combinator_OperandFailed.selector, operand);
    }
}
