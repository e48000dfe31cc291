// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {IPurchases} from "../../contracts/interfaces/IPurchases.sol";
import {AnsweringMock} from "../../contracts/mocks/AnsweringMock.sol";
import {HostileTokenMock} from "../../contracts/mocks/HostileTokenMock.sol";
import {AllowListPolicy} from "../../contracts/policies/kinds/AllowListPolicy.sol";
import {LegalHoldPolicy} from "../../contracts/policies/kinds/LegalHoldPolicy.sol";
import {MerkleAllowListPolicy} from "../../contracts/policies/kinds/MerkleAllowListPolicy.sol";
import {KindsFixture} from "../contracts/support/KindsFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @title KindsGasTest
/// @notice What making a ready-made policy costs as a transaction, and what asking it does: a view, so the gas of the call alone,
/// with everything that it touches touched for the first time. Those asked allow; a denial costs no more.
/// @dev Run with `isolate`, see {GasTest}. Pools and purchases are stood in for by answers of the test, so their own cost is not
/// in it.
contract KindsGasTest is KindsFixture {
    string private constant GROUP = "gas";
    uint256 private constant CREATION_LIMIT = 120_000;
    bytes32 private constant SCHEMA = "ethics";

    HostileTokenMock private token;

    function setUp() public override {
        super.setUp();
        token = new HostileTokenMock(reader, 100);
    }

    function test_gas__createPolicy() public {
        measureCreation("Owner", "");
        measureCreation("AllowList", abi.encode(administrator));
        measureCreation("MerkleAllowList", abi.encode(keccak256("root"), administrator));
        measureCreation("DenyList", abi.encode(administrator));
        measureCreation("Erc20Holder", abi.encode(token, 100));
        measureCreation("Erc721Holder", abi.encode(token));
        measureCreation("Erc1155Holder", abi.encode(token, 1, 100));
        measureCreation("Credential", abi.encode(credentials, keccak256("schema"), administrator));
        measureCreation("TimeWindow", abi.encode(NOW, NOW + 1 days));
        measureCreation("PayPerRead", abi.encode(5e17, POOL));
        measureCreation("ReadQuota", abi.encode(10));
        measureCreation("Subscription", abi.encode(5e18, 30 days, POOL));
        measureCreation("Not", abi.encode(ownerPolicy()));
        measureCreation("FixedTerm", abi.encode(CURRENT_EPOCH + 50));
        measureCreation("WriteOnce", "");
        measureCreation("LegalHold", abi.encode(two(administrator, owner)));
        measureCreation("DeleteAfter", abi.encode(NOW + 1 days));
        measureCreation("Programs", abi.encode(programs(2)));
    }

    function test_gas__createPolicyOfTwo() public {
        measureCreation("AllOf", abi.encode(two(ownerPolicy(), credentialPolicy())));
        measureCreation("AnyOf", abi.encode(two(ownerPolicy(), payPerRead(1))));
        measureCreation("KOfN", abi.encode(2, two(ownerPolicy(), credentialPolicy())));
    }

    function test_gas__createPolicyOfEight() public {
        factory.create("AllOf", abi.encode(owners(8)));
        vm.snapshotGasLastCall(GROUP, "createPolicyAllOf8");
    }

    function test_gas__evaluate() public {
        measure("Owner", ownerPolicy(), requestOf(owner));
        measure("Erc20Holder", factory.create("Erc20Holder", abi.encode(token, 100)), requestOf(reader));
        AnsweringMock other = new AnsweringMock();
        other.answer(abi.encode(1));
        measure("Erc721Holder", factory.create("Erc721Holder", abi.encode(other)), requestOf(reader));
        measure("Erc1155Holder", factory.create("Erc1155Holder", abi.encode(other, 7, 1)), requestOf(reader));
        measure("TimeWindow", factory.create("TimeWindow", abi.encode(NOW, NOW + 1)), requestOf(reader));
        measure("PayPerRead", payPerRead(5e17), requestOf(reader));
        measure("ReadQuota", factory.create("ReadQuota", abi.encode(10)), requestOf(reader));
        measure("DenyList", factory.create("DenyList", abi.encode(administrator)), requestOf(reader));
        measure("Not", not(ownerPolicy()), requestOf(reader));
    }

    function test_gas__evaluate_lists() public {
        AllowListPolicy list = allowList();
        setListed(list);
        measure("AllowList", address(list), requestOf(reader));

        // A list of a million accounts: twenty nodes up to the root.
        bytes32[] memory proof = new bytes32[](20);
        bytes32 root = keccak256(bytes.concat(keccak256(abi.encode(reader))));
        for (uint256 i = 0; i < proof.length; ++i) {
            proof[i] = keccak256(abi.encode(i));
            root = root < proof[i] ? keccak256(abi.encode(root, proof[i])) : keccak256(abi.encode(proof[i], root));
        }
        address merkle = factory.create("MerkleAllowList", abi.encode(root, administrator));
        measure("MerkleAllowList", merkle, showing(abi.encode(proof)));
    }

    function test_gas__evaluate_Credential() public {
        address policy = credentialPolicy();
        vm.prank(administrator);
        bytes32 uid = credentials.attest(SCHEMA, reader, uint64(NOW + 1 days), "");
        vm.snapshotGasLastCall(GROUP, "attestCredential");
        measure("Credential", policy, showing(abi.encode(uid)));
        vm.prank(administrator);
        credentials.revoke(uid);
        vm.snapshotGasLastCall(GROUP, "revokeCredential");
    }

    function test_gas__evaluate_Subscription() public {
        address policy = factory.create("Subscription", abi.encode(5e18, 30 days, POOL));
        vm.mockCall(purchases, abi.encodeCall(IPurchases.subscribedUntil, (policy, reader)), abi.encode(NOW + 1));
        measure("Subscription", policy, requestOf(reader));
    }

    function test_gas__evaluate_combinators() public {
        measure("AllOf2", address(allOf(owners(2))), requestOf(owner));
        measure("AllOf8", address(allOf(owners(8))), requestOf(owner));
        measure("AnyOf2", anyOf(two(ownerPolicy(), payPerRead(1))), requestOf(reader));
        measure("KOfN2Of3", kOfN(2, owners(3)), requestOf(owner));
    }

    function test_gas__evaluate_the_largest_tree() public {
        address[] memory top = new address[](8);
        for (uint256 i = 0; i < 8; ++i) {
            address[] memory middle = new address[](8);
            for (uint256 k = 0; k < 8; ++k) {
                middle[k] = address(allOf(owners(8)));
            }
            top[i] = address(allOf(middle));
        }
        address tree = address(allOf(top));
        uint256 used = measure("LargestTree", tree, requestOf(owner));
        assertLe(used, EVALUATION_GAS);
    }

    function test_gas__administration() public {
        AllowListPolicy list = allowList();
        setListed(list);
        vm.snapshotGasLastCall(GROUP, "setListed");
        MerkleAllowListPolicy merkle =
            MerkleAllowListPolicy(factory.create("MerkleAllowList", abi.encode(1, administrator)));
        vm.prank(administrator);
        merkle.setRoot("root");
        vm.snapshotGasLastCall(GROUP, "setRoot");
        LegalHoldPolicy hold = LegalHoldPolicy(factory.create("LegalHold", abi.encode(two(administrator, owner))));
        vm.prank(administrator);
        hold.setHold(OBJECT, true);
        vm.snapshotGasLastCall(GROUP, "setHold");
    }

    function measureCreation(string memory kind, bytes memory arguments) private {
        factory.create(bytes32(bytes(kind)), arguments);
        assertLe(vm.snapshotGasLastCall(GROUP, string.concat("createPolicy", kind)), CREATION_LIMIT, kind);
    }

    function measure(string memory kind, address policy, AccessRequest memory request) private returns (uint256 used) {
        assertAllows(policy, request);
        IDataPolicy(policy).evaluate(request);
        return vm.snapshotGasLastCall(GROUP, string.concat("evaluate", kind));
    }

    function setListed(AllowListPolicy list) private {
        vm.prank(administrator);
        list.setListed(one(reader), true);
    }

    function credentialPolicy() private returns (address) {
        return factory.create("Credential", abi.encode(credentials, SCHEMA, administrator));
    }

    function owners(uint256 count) private returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = ownerPolicy();
        }
    }
}
