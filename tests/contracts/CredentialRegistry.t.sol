// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestation, ICredentialRegistry} from "../../contracts/interfaces/ICredentialRegistry.sol";
import {CredentialRegistry} from "../../contracts/policies/CredentialRegistry.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract CredentialRegistryTest is Test {
    uint256 private constant NOW = 1_800_000_000;
    bytes32 private constant SCHEMA = "ethics";

    CredentialRegistry private credentials;
    address private board;
    address private researcher;
    address private stranger;

    function setUp() external {
        vm.warp(NOW);
        credentials = new CredentialRegistry();
        (board, researcher, stranger) = (makeAddr("board"), makeAddr("researcher"), makeAddr("stranger"));
    }

    function test_attest__given_no_recipient__reverts() external {
        vm.expectRevert(ICredentialRegistry.CredentialRegistry_ZeroRecipient.selector);
        credentials.attest(SCHEMA, address(0), 0, "");
    }

    function test_attest__when_it_would_be_expired__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.CredentialRegistry_ExpiresInThePast.selector, NOW));
        credentials.attest(SCHEMA, researcher, uint64(NOW), "");
        credentials.attest(SCHEMA, researcher, uint64(NOW + 1), "");
    }

    function test_attest__given_too_much_data__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.CredentialRegistry_DataTooLong.selector, 1024, 1025));
        credentials.attest(SCHEMA, researcher, 0, new bytes(1025));
        assertEq(credentials.getAttestation(attest(0, new bytes(1024))).data.length, 1024);
    }

    function test_attest__given_a_statement__keeps_it_and_tells() external {
        bytes32 uid = keccak256(abi.encode(block.chainid, address(credentials), 1));
        vm.expectEmit(address(credentials));
        emit ICredentialRegistry.Attested(researcher, board, uid, SCHEMA, uint64(NOW + 9));
        assertEq(attest(uint64(NOW + 9), "level 2"), uid);
        Attestation memory expected = Attestation({
            uid: uid,
            schema: SCHEMA,
            time: uint64(NOW),
            expirationTime: uint64(NOW + 9),
            revocationTime: 0,
            refUID: 0,
            recipient: researcher,
            attester: board,
            revocable: true,
            data: "level 2"
        });
        assertEq(abi.encode(credentials.getAttestation(uid)), abi.encode(expected));
    }

    function test_attest__given_the_same_statement_twice__makes_two_credentials() external {
        assertTrue(attest(0, "") != attest(0, ""));
    }

    function test_revoke__given_an_unknown_id__reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(ICredentialRegistry.CredentialRegistry_UnknownCredential.selector, bytes32("none"))
        );
        credentials.revoke("none");
    }

    function test_revoke__when_the_caller_is_not_the_attester__reverts() external {
        bytes32 uid = attest(0, "");
        vm.expectRevert(
            abi.encodeWithSelector(
                ICredentialRegistry.CredentialRegistry_CallerNotAttester.selector, uid, board, researcher
            )
        );
        vm.prank(researcher);
        credentials.revoke(uid);
    }

    function test_revoke__when_it_is_revoked__reverts() external {
        bytes32 uid = attest(0, "");
        revoke(uid);
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.CredentialRegistry_AlreadyRevoked.selector, uid));
        revoke(uid);
    }

    function test_revoke__when_the_caller_is_the_attester__keeps_when_and_tells() external {
        bytes32 uid = attest(0, "");
        bytes32 untouched = attest(0, "");
        skip(5);
        vm.expectEmit(address(credentials));
        emit ICredentialRegistry.Revoked(researcher, board, uid, SCHEMA);
        revoke(uid);
        assertEq(uint256(credentials.getAttestation(uid).revocationTime), NOW + 5);
        assertEq(uint256(credentials.getAttestation(untouched).revocationTime), 0);
    }

    function test_getAttestation__given_an_unknown_id__is_all_zero() external view {
        Attestation memory nothing;
        assertEq(abi.encode(credentials.getAttestation("none")), abi.encode(nothing));
    }

    function attest(uint64 expirationTime, bytes memory data) private returns (bytes32) {
        vm.prank(board);
        return credentials.attest(SCHEMA, researcher, expirationTime, data);
    }

    function revoke(bytes32 uid) private {
        vm.prank(board);
        credentials.revoke(uid);
    }
}
