// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {AccessRequest, Action, IDataPolicy} from "../../contracts/interfaces/IDataPolicy.sol";
import {IFixedPrice, IPurchases, ISubscribable} from "../../contracts/interfaces/IPurchases.sol";
import {AnsweringMock} from "../../contracts/mocks/AnsweringMock.sol";
import {AccountList} from "../../contracts/policies/kinds/AccountList.sol";
import {Administered} from "../../contracts/policies/kinds/Administered.sol";
import {AllowListPolicy} from "../../contracts/policies/kinds/AllowListPolicy.sol";
import {DataPolicy} from "../../contracts/policies/kinds/DataPolicy.sol";
import {MerkleAllowListPolicy} from "../../contracts/policies/kinds/MerkleAllowListPolicy.sol";
import {TokenHolder} from "../../contracts/policies/kinds/TokenHolder.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {Timestamp} from "../../contracts/types/Timestamp.sol";
import {KindsFixture} from "./support/KindsFixture.sol";
import {vm} from "./support/Vm.sol";

/// @notice A policy as somebody writes it: one function, and a constructor.
contract OnlyPrograms is DataPolicy {
    bytes32 private immutable _program;

    constructor(bytes32 program) {
        _program = program;
    }

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        if (request.action != Action.Compute) return "OnlyPrograms";
        if (request.program != _program) return "OtherProgram";
    }
}

contract AccessKindsTest is KindsFixture {
    string private constant ALLOW_LIST_VECTORS = "tests/vectors/allow_list.json";
    bytes32 private constant SCHEMA = "ethics";

    // -- DataPolicy

    function test_DataPolicy__given_one_function__decides_by_it_and_allows_all_else() external {
        IDataPolicy policy = new OnlyPrograms("mean");
        AccessRequest memory request = requestOf(reader);
        assertDenies(address(policy), request, "OnlyPrograms");
        request.action = Action.Compute;
        assertDenies(address(policy), request, "OtherProgram");
        request.program = "mean";
        assertAllows(address(policy), request);
        assertCosts(address(policy), request, 0);

        assertEq(policy.kind(), "Custom");
        assertEq(uint256(policy.depth()), 0);
        assertEq(uint256(policy.hooks()), 0);
        assertTrue(policy.canDelete(OBJECT));
        assertTrue(policy.canTransfer(OBJECT, stranger));
        assertTrue(policy.canReplace(OBJECT, address(0)));
        assertEq(uint256(Epoch.unwrap(policy.minimumEndEpoch(OBJECT))), 0);
        assertEq(uint256(Timestamp.unwrap(policy.destroyAt(OBJECT))), 0);
        policy.onCertified(OBJECT);
        policy.onExtended(OBJECT, Epoch.wrap(9));
        policy.onRead(OBJECT, reader, 1, Amount.wrap(1));
        policy.onExpired(OBJECT);
    }

    // -- Programs

    function test_Programs__given_a_program_on_its_list__lets_it_compute() external {
        address policy = factory.create("Programs", abi.encode(programs(16)));
        AccessRequest memory request = requestOf(stranger);
        request.action = Action.Compute;
        for (uint256 i = 1; i <= 16; ++i) {
            request.program = bytes32(i);
            assertAllows(policy, request);
        }
        assertCosts(policy, request, 0);
    }

    function test_Programs__given_another_program_or_a_read__denies() external {
        address policy = factory.create("Programs", abi.encode(programs(2)));
        AccessRequest memory request = requestOf(owner);
        assertDenies(policy, request, "ReadingDenied");
        request.program = bytes32(uint256(1));
        assertDenies(policy, request, "ReadingDenied");
        request.action = Action.Compute;
        request.program = bytes32(uint256(3));
        assertDenies(policy, request, "NotAProgram");
        request.program = 0;
        assertDenies(policy, request, "NotAProgram");
    }

    // -- Owner

    function test_Owner__when_the_requester_owns_the_object__allows() external {
        assertAllows(ownerPolicy(), requestOf(owner));
    }

    function test_Owner__when_the_requester_is_another__denies() external {
        assertDenies(ownerPolicy(), requestOf(reader), "NotOwner");
    }

    // -- AllowList, DenyList

    function test_AllowList__when_the_requester_is_listed__allows() external {
        AllowListPolicy policy = allowList();
        setListed(policy, true);
        assertAllows(address(policy), requestOf(reader));
    }

    function test_AllowList__when_the_requester_is_not_listed__denies() external {
        AllowListPolicy policy = allowList();
        assertDenies(address(policy), requestOf(reader), "NotListed");
        setListed(policy, true);
        setListed(policy, false);
        assertDenies(address(policy), requestOf(reader), "NotListed");
    }

    function test_AllowList__given_two_of_them__each_has_its_own_list() external {
        setListed(allowList(), true);
        assertDenies(address(allowList()), requestOf(reader), "NotListed");
    }

    function test_DenyList__when_the_requester_is_listed__denies() external {
        AccountList policy = AccountList(factory.create("DenyList", abi.encode(administrator)));
        assertAllows(address(policy), requestOf(reader));
        setListed(policy, true);
        assertDenies(address(policy), requestOf(reader), "Listed");
    }

    function test_setListed__when_the_caller_is_not_the_administrator__reverts() external {
        AllowListPolicy policy = allowList();
        assertEq(policy.administrator(), administrator);
        vm.expectRevert(
            abi.encodeWithSelector(Administered.Administered_CallerNotAdministrator.selector, administrator, stranger)
        );
        vm.prank(stranger);
        policy.setListed(one(stranger), true);
    }

    function test_setListed__given_accounts__tells_of_those_that_change() external {
        AllowListPolicy policy = allowList();
        setListed(policy, true);
        vm.recordLogs();
        vm.prank(administrator);
        policy.setListed(two(reader, owner), true);
        assertEq(vm.getRecordedLogs().length, 1);
        assertTrue(policy.isListed(reader));
        assertTrue(policy.isListed(owner));
        vm.expectEmit(address(policy));
        emit AccountList.AccountListed(reader, false);
        setListed(policy, false);
        assertFalse(policy.isListed(reader));
    }

    // -- MerkleAllowList

    function test_MerkleAllowList__given_the_proofs_of_the_vectors__allows() external {
        string memory json = vm.readFile(ALLOW_LIST_VECTORS);
        uint256 count = vm.parseJsonUint(json, ".count");
        assertGt(count, 3);
        for (uint256 i = 0; i < count; ++i) {
            string memory key = string.concat(".lists[", vm.toString(i), "]");
            address policy = merkleAllowList(vm.parseJsonBytes32(json, string.concat(key, ".root")));
            uint256 accounts = vm.parseJsonUint(json, string.concat(key, ".count"));
            for (uint256 k = 0; k < accounts; ++k) {
                string memory member = string.concat(key, ".members[", vm.toString(k), "]");
                AccessRequest memory request = requestOf(vm.parseJsonAddress(json, string.concat(member, ".account")));
                request.evidence = vm.parseJsonBytes(json, string.concat(member, ".evidence"));
                assertAllows(policy, request);
                request.requester = stranger;
                assertDenies(policy, request, "WrongProof");
            }
        }
    }

    function test_MerkleAllowList__given_evidence_that_is_no_proof__denies() external {
        address policy = merkleAllowList(leafOf(reader));
        bytes memory good = abi.encode(new bytes32[](0));
        assertAllows(policy, showing(good));
        assertDenies(policy, showing(""), "WrongEvidence");
        assertDenies(policy, showing(abi.encode(1)), "WrongEvidence");
        assertDenies(policy, showing(bytes.concat(good, bytes1(0))), "WrongEvidence");
        assertDenies(policy, showing(bytes.concat(good, bytes32(0))), "WrongEvidence");
        assertDenies(policy, showing(abi.encode(64, 0)), "WrongEvidence");
        assertDenies(policy, showing(abi.encode(32, 1)), "WrongEvidence");
        assertDenies(policy, showing(abi.encode(32, type(uint256).max)), "WrongEvidence");
        assertDenies(policy, showing(abi.encode(new bytes32[](1))), "WrongProof");
        assertDenies(policy, showing(abi.encode(new bytes32[](126))), "WrongProof");
    }

    function test_MerkleAllowList__given_an_inner_node_as_a_leaf__denies() external {
        // Two members: the root is the hash of 64 bytes, but nobody's leaf.
        (bytes32 left, bytes32 right) = (leafOf(reader), leafOf(owner));
        if (right < left) (left, right) = (right, left);
        address policy = merkleAllowList(keccak256(abi.encode(left, right)));
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = leafOf(owner);
        assertAllows(policy, showing(abi.encode(proof)));
        assertDenies(policy, showing(abi.encode(new bytes32[](0))), "WrongProof");
    }

    function test_setRoot__when_the_caller_is_not_the_administrator__reverts() external {
        MerkleAllowListPolicy policy = MerkleAllowListPolicy(merkleAllowList("root"));
        vm.expectRevert(
            abi.encodeWithSelector(Administered.Administered_CallerNotAdministrator.selector, administrator, stranger)
        );
        vm.prank(stranger);
        policy.setRoot("other");
    }

    function test_setRoot__given_none__reverts() external {
        MerkleAllowListPolicy policy = MerkleAllowListPolicy(merkleAllowList("root"));
        vm.expectRevert(MerkleAllowListPolicy.MerkleAllowListPolicy_ZeroRoot.selector);
        vm.prank(administrator);
        policy.setRoot(0);
    }

    function test_setRoot__given_another__lets_in_those_below_it_and_tells() external {
        MerkleAllowListPolicy policy = MerkleAllowListPolicy(merkleAllowList(leafOf(owner)));
        assertEq(policy.root(), leafOf(owner));
        vm.expectEmit(address(policy));
        emit MerkleAllowListPolicy.RootChanged(leafOf(owner), leafOf(reader));
        vm.prank(administrator);
        policy.setRoot(leafOf(reader));
        assertEq(policy.root(), leafOf(reader));
        assertAllows(address(policy), showing(abi.encode(new bytes32[](0))));
    }

    // -- Erc20Holder, Erc721Holder, Erc1155Holder

    function test_Erc20Holder__given_enough_tokens__allows() external {
        AnsweringMock token = new AnsweringMock();
        address policy = factory.create("Erc20Holder", abi.encode(token, 10));
        token.answer(abi.encode(10));
        vm.expectCall(address(token), abi.encodeCall(IERC20.balanceOf, (reader)));
        assertAllows(policy, requestOf(reader));
        token.answer(abi.encode(9));
        assertDenies(policy, requestOf(reader), "TooFewTokens");
    }

    function test_Erc721Holder__given_a_token__allows() external {
        AnsweringMock token = new AnsweringMock();
        address policy = factory.create("Erc721Holder", abi.encode(token));
        token.answer(abi.encode(1));
        vm.expectCall(address(token), abi.encodeCall(IERC20.balanceOf, (reader)));
        assertAllows(policy, requestOf(reader));
        token.answer(abi.encode(0));
        assertDenies(policy, requestOf(reader), "TooFewTokens");
    }

    function test_Erc1155Holder__given_enough_of_the_token__allows() external {
        AnsweringMock token = new AnsweringMock();
        address policy = factory.create("Erc1155Holder", abi.encode(token, 77, 10));
        token.answer(abi.encode(10));
        vm.expectCall(address(token), abi.encodeCall(IERC1155.balanceOf, (reader, 77)));
        assertAllows(policy, requestOf(reader));
        token.answer(abi.encode(9));
        assertDenies(policy, requestOf(reader), "TooFewTokens");
    }

    function test_token_that_lies__whatever_it_does__lets_nobody_in() external {
        AnsweringMock token = new AnsweringMock();
        address[] memory policies = new address[](3);
        policies[0] = factory.create("Erc20Holder", abi.encode(token, 1));
        policies[1] = factory.create("Erc721Holder", abi.encode(token));
        policies[2] = factory.create("Erc1155Holder", abi.encode(token, 1, 1));
        bytes memory expected = abi.encodeWithSelector(TokenHolder.TokenHolder_NoAnswer.selector, address(token));
        for (uint256 i = 0; i < policies.length; ++i) {
            token.answer("");
            assertFails(policies[i], requestOf(reader), expected);
            token.answer(new bytes(31));
            assertFails(policies[i], requestOf(reader), expected);
            token.answer(abi.encode(10, 10));
            assertFails(policies[i], requestOf(reader), expected);
            token.behave(AnsweringMock.Behaviour.Revert);
            assertFails(policies[i], requestOf(reader), expected);
            token.behave(AnsweringMock.Behaviour.Megabyte);
            assertFails(policies[i], requestOf(reader), expected);
            token.behave(AnsweringMock.Behaviour.BurnGas);
            assertFails(policies[i], requestOf(reader), expected);
            vm.etch(address(token), "");
            assertFails(policies[i], requestOf(reader), expected);
            vm.etch(address(token), address(new AnsweringMock()).code);
        }
    }

    // -- Credential

    function test_Credential__given_one_that_holds__allows() external {
        assertAllows(credentialPolicy(), showing(abi.encode(attest(reader, 0))));
        assertAllows(credentialPolicy(), showing(abi.encode(attest(reader, uint64(NOW + 1)))));
    }

    function test_Credential__given_no_evidence__denies() external {
        assertDenies(credentialPolicy(), showing(""), "NoCredential");
    }

    function test_Credential__given_evidence_of_another_length__denies() external {
        bytes32 uid = attest(reader, 0);
        assertDenies(credentialPolicy(), showing(new bytes(31)), "WrongEvidence");
        assertDenies(credentialPolicy(), showing(abi.encode(uid, 0)), "WrongEvidence");
    }

    function test_Credential__given_an_unknown_id__denies() external {
        assertDenies(credentialPolicy(), showing(abi.encode("none")), "WrongEvidence");
        assertDenies(credentialPolicy(), showing(abi.encode(bytes32("none"))), "NoCredential");
        assertDenies(credentialPolicy(), showing(abi.encode(0)), "NoCredential");
    }

    function test_Credential__given_one_of_another_schema__denies() external {
        vm.prank(administrator);
        bytes32 uid = credentials.attest("sports", reader, 0, "");
        assertDenies(credentialPolicy(), showing(abi.encode(uid)), "WrongSchema");
    }

    function test_Credential__given_one_of_another_attester__denies() external {
        vm.prank(stranger);
        bytes32 uid = credentials.attest(SCHEMA, reader, 0, "");
        assertDenies(credentialPolicy(), showing(abi.encode(uid)), "WrongAttester");
    }

    function test_Credential__given_one_about_another_recipient__denies() external {
        assertDenies(credentialPolicy(), showing(abi.encode(attest(stranger, 0))), "WrongRecipient");
    }

    function test_Credential__given_one_that_was_revoked__denies() external {
        bytes32 uid = attest(reader, 0);
        vm.prank(administrator);
        credentials.revoke(uid);
        assertDenies(credentialPolicy(), showing(abi.encode(uid)), "CredentialRevoked");
    }

    function test_Credential__given_one_that_expired__denies() external {
        bytes32 uid = attest(reader, uint64(NOW + 10));
        skip(9);
        assertAllows(credentialPolicy(), showing(abi.encode(uid)));
        skip(1);
        assertDenies(credentialPolicy(), showing(abi.encode(uid)), "CredentialExpired");
    }

    function test_Credential__when_the_registry_misbehaves__lets_nobody_in() external {
        AnsweringMock registry = new AnsweringMock();
        address policy = factory.create("Credential", abi.encode(registry, SCHEMA, administrator));
        AccessRequest memory request = showing(abi.encode(1));
        assertFails(policy, request, "");
        registry.answer(abi.encode(1));
        assertFails(policy, request);
        registry.answer(abi.encode(32, 1, SCHEMA, 0, 0));
        assertFails(policy, request);
        for (uint256 i = 1; i <= uint256(type(AnsweringMock.Behaviour).max); ++i) {
            registry.behave(AnsweringMock.Behaviour(i));
            assertFails(policy, request);
        }
        vm.etch(address(registry), "");
        assertFails(policy, request);
    }

    function test_Credential__when_the_registry_answers_with_another_one__denies() external {
        AnsweringMock registry = new AnsweringMock();
        registry.answer(abi.encode(credentials.getAttestation(attest(reader, 0))));
        address policy = factory.create("Credential", abi.encode(registry, SCHEMA, administrator));
        assertDenies(policy, showing(abi.encode(1)), "NoCredential");
    }

    // -- TimeWindow

    function test_TimeWindow__when_it_is_too_early_or_too_late__denies() external {
        address policy = factory.create("TimeWindow", abi.encode(NOW + 10, NOW + 20));
        skip(9);
        assertDenies(policy, requestOf(reader), "TooEarly");
        skip(1);
        assertAllows(policy, requestOf(reader));
        skip(9);
        assertAllows(policy, requestOf(reader));
        skip(1);
        assertDenies(policy, requestOf(reader), "TooLate");
    }

    // -- PayPerRead

    function test_PayPerRead__when_anybody_reads_or_computes__allows_at_its_price() external {
        address policy = payPerRead(5e17);
        AccessRequest memory request = requestOf(reader);
        assertAllows(policy, request);
        assertCosts(policy, request, 5e17);
        (request.action, request.program, request.sequence) = (Action.Compute, "mean", 12);
        assertAllows(policy, request);
        assertCosts(policy, request, 5e17);
        assertCosts(policy, requestOf(owner), 5e17);
    }

    function test_PayPerRead__when_asked_for_its_terms__names_what_it_quotes() external {
        (Amount price, PoolId pool) = IFixedPrice(payPerRead(5e17)).readTerms();
        assertEq(abi.encode(price, pool), abi.encode(5e17, POOL));
    }

    // -- ReadQuota

    function test_ReadQuota__when_it_is_used_up__denies() external {
        address policy = factory.create("ReadQuota", abi.encode(3));
        AccessRequest memory request = requestOf(reader);
        request.sequence = 2;
        assertAllows(policy, request);
        request.sequence = 3;
        assertDenies(policy, request, "QuotaUsedUp");
        request.sequence = type(uint64).max;
        assertDenies(policy, request, "QuotaUsedUp");
    }

    // -- Subscription

    function test_Subscription__when_the_reader_subscribed__allows_until_it_is_over() external {
        address policy = factory.create("Subscription", abi.encode(5e18, 30 days, POOL));
        assertDenies(policy, requestOf(reader), "NoSubscription");
        vm.mockCall(purchases, abi.encodeCall(IPurchases.subscribedUntil, (policy, reader)), abi.encode(NOW + 10));
        skip(9);
        assertAllows(policy, requestOf(reader));
        assertCosts(policy, requestOf(reader), 0);
        assertDenies(policy, requestOf(stranger), "NoSubscription");
        skip(1);
        assertDenies(policy, requestOf(reader), "NoSubscription");
    }

    function test_Subscription__when_asked_for_its_terms__names_them() external {
        address policy = factory.create("Subscription", abi.encode(5e18, 30 days, POOL));
        (Amount price, uint32 periodSeconds, PoolId pool) = ISubscribable(policy).subscriptionTerms();
        assertEq(abi.encode(price, periodSeconds, pool), abi.encode(5e18, 30 days, POOL));
    }

    function setListed(AccountList policy, bool listed) private {
        vm.prank(administrator);
        policy.setListed(one(reader), listed);
    }

    function merkleAllowList(bytes32 root) private returns (address) {
        return factory.create("MerkleAllowList", abi.encode(root, administrator));
    }

    function credentialPolicy() private returns (address) {
        return factory.create("Credential", abi.encode(credentials, SCHEMA, administrator));
    }

    function attest(address recipient, uint64 expirationTime) private returns (bytes32) {
        vm.prank(administrator);
        return credentials.attest(SCHEMA, recipient, expirationTime, "");
    }

    function leafOf(address account) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account))));
    }
}
