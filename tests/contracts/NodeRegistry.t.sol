// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../contracts/interfaces/INodeRegistry.sol";
import {NodeRegistry} from "../../contracts/staking/NodeRegistry.sol";
import {NodeId} from "../../contracts/types/NodeId.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract NodeRegistryTest is Test {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    NodeId private constant FIRST = NodeId.wrap(1);
    uint64 private constant NOTICE = 2 days;

    NodeRegistry private registry;
    Account private signer;
    Account private otherSigner;
    address private operator;
    address private stranger;

    function setUp() external {
        registry = new NodeRegistry(NOTICE);
        signer = makeAccount("signer");
        otherSigner = makeAccount("other signer");
        operator = makeAddr("operator");
        stranger = makeAddr("stranger");
    }

    // register

    function test_register__when_name_has_wrong_length__reverts() external {
        INodeRegistry.NodeDetails memory details = _details();
        details.name = "";
        _expectWrongLength("name", 1, 64, 0);
        _register(details);
        details.name = _text(65, "n");
        _expectWrongLength("name", 1, 64, 65);
        _register(details);
    }

    function test_register__when_url_has_wrong_length__reverts() external {
        INodeRegistry.NodeDetails memory details = _details();
        details.url = "";
        _expectWrongLength("url", 1, 256, 0);
        _register(details);
        details.url = _text(257, "u");
        _expectWrongLength("url", 1, 256, 257);
        _register(details);
    }

    function test_register__when_region_has_wrong_length__reverts() external {
        INodeRegistry.NodeDetails memory details = _details();
        details.region = "";
        _expectWrongLength("region", 1, 32, 0);
        _register(details);
        details.region = _text(33, "r");
        _expectWrongLength("region", 1, 32, 33);
        _register(details);
    }

    function test_register__when_encryption_key_has_wrong_length__reverts() external {
        INodeRegistry.NodeDetails memory details = _details();
        details.encryptionKey = new bytes(31);
        _expectWrongLength("encryptionKey", 32, 192, 31);
        _register(details);
        details.encryptionKey = new bytes(193);
        _expectWrongLength("encryptionKey", 32, 192, 193);
        _register(details);
    }

    function test_register__with_longest_texts__keeps_them() external {
        INodeRegistry.NodeDetails memory details = _details();
        details.name = _text(64, "n");
        details.url = _text(256, "u");
        details.region = _text(32, "r");
        details.encryptionKey = bytes(_text(192, "k"));
        _register(details);
        (, INodeRegistry.NodeDetails memory kept) = registry.nodeOf(FIRST);
        assertEq(abi.encode(kept), abi.encode(details));
    }

    function test_register__when_name_has_a_wrong_character__reverts(bytes1 letter) external {
        bool allowed = letter >= 0x20 && letter <= 0x7e;
        INodeRegistry.NodeDetails memory details = _details();
        details.name = string(abi.encodePacked("Node", letter));
        if (!allowed) {
            vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_WrongCharacter.selector, bytes32("name")));
        }
        _register(details);
        assertEq(registry.nodeCount(), allowed ? 1 : 0);
    }

    function test_register__when_url_has_a_wrong_character__reverts(bytes1 letter) external {
        bool allowed = letter >= 0x21 && letter <= 0x7e;
        INodeRegistry.NodeDetails memory details = _details();
        details.url = string(abi.encodePacked("http://", letter));
        if (!allowed) {
            vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_WrongCharacter.selector, bytes32("url")));
        }
        _register(details);
        assertEq(registry.nodeCount(), allowed ? 1 : 0);
    }

    function test_register__when_region_has_a_wrong_character__reverts(bytes1 letter) external {
        bool allowed = (letter >= 0x61 && letter <= 0x7a) || (letter >= 0x30 && letter <= 0x39) || letter == 0x2d;
        INodeRegistry.NodeDetails memory details = _details();
        details.region = string(abi.encodePacked("eu", letter, "1"));
        if (!allowed) {
            vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_WrongRegion.selector, details.region));
        }
        _register(details);
        assertEq(registry.nodeCount(), allowed ? 1 : 0);
    }

    function test_register__when_signer_is_zero__reverts() external {
        INodeRegistry.NodeDetails memory details = _details();
        details.signer = address(0);
        vm.expectRevert(INodeRegistry.NodeRegistry_ZeroSigner.selector);
        vm.prank(operator);
        registry.register(details, new bytes(65));
    }

    function test_register__when_signer_is_a_nodes_key__reverts() external {
        _register(_details());
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_SignerTaken.selector, signer.addr, FIRST));
        _register(_details());
    }

    function test_register__when_signer_once_was_a_nodes_key__reverts() external {
        _register(_details());
        _rotate(operator, otherSigner);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_SignerTaken.selector, signer.addr, FIRST));
        _register(_details());
    }

    function test_register__when_another_key_signed__reverts() external {
        INodeRegistry.NodeDetails memory details = _details();
        bytes memory proof = sign(
            otherSigner.key, _digest(address(registry), block.chainid, operator, signer.addr, details.encryptionKey)
        );
        _expectWrongProof(details, proof, otherSigner.addr);
    }

    function test_register__when_proof_is_malformed__reverts(bytes calldata noise) external {
        vm.assume(noise.length != 65);
        _expectWrongProof(_details(), noise, address(0));
    }

    function test_register__when_proof_is_malleable__reverts() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            signer.key, _digest(address(registry), block.chainid, operator, signer.addr, _details().encryptionKey)
        );
        bytes memory high = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _expectWrongProof(_details(), high, address(0));
    }

    function test_register__when_proof_names_other_words__reverts(uint256 which) external {
        which = bound(which, 0, 4);
        bytes32 digest = _digest(
            which == 0 ? address(this) : address(registry),
            which == 1 ? block.chainid + 1 : block.chainid,
            which == 2 ? stranger : operator,
            which == 3 ? otherSigner.addr : signer.addr,
            which == 4 ? bytes("another key of more than 32 bytes") : _details().encryptionKey
        );
        bytes memory proof = sign(signer.key, digest);
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_WrongSignerProof.selector);
        vm.prank(operator);
        registry.register(_details(), proof);
    }

    function test_register__when_all_is_well__keeps_every_word() external {
        INodeRegistry.NodeDetails memory details = _details();
        bytes memory proof = _proof(signer, operator, details.encryptionKey);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeRegistered(
            FIRST, operator, details.name, details.url, details.region, details.signer, details.encryptionKey
        );
        vm.prank(operator);
        NodeId nodeId = registry.register(details, proof);

        assertEq(NodeId.unwrap(nodeId), 1);
        assertEq(registry.nodeCount(), 1);
        (address keptOperator, INodeRegistry.NodeDetails memory kept) = registry.nodeOf(nodeId);
        assertEq(keptOperator, operator);
        assertEq(abi.encode(kept), abi.encode(details));
        assertEq(registry.operatorOf(nodeId), operator);
        assertEq(registry.signerOf(nodeId), signer.addr);
        assertEq(registry.regionOf(nodeId), keccak256("eu-west-1"));
        assertEq(NodeId.unwrap(registry.nodeOfSigner(signer.addr)), 1);
        assertEq(NodeId.unwrap(registry.nodeOfSigner(otherSigner.addr)), 0);
    }

    function test_register__the_second_node__gets_the_next_id() external {
        _register(_details());
        INodeRegistry.NodeDetails memory details = _details();
        details.signer = otherSigner.addr;
        bytes memory proof = _proof(otherSigner, operator, details.encryptionKey);
        vm.prank(operator);
        assertEq(NodeId.unwrap(registry.register(details, proof)), 2);
    }

    // update

    function test_update__when_there_is_no_such_node__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, FIRST));
        registry.update(FIRST, "name", "http://url", "region");
    }

    function test_update__when_caller_is_not_operator__reverts() external {
        _register(_details());
        _expectNotOperator(stranger);
        vm.prank(stranger);
        registry.update(FIRST, "name", "http://url", "region");
    }

    function test_update__when_texts_are_not_well_formed__reverts() external {
        _register(_details());
        vm.startPrank(operator);
        _expectWrongLength("name", 1, 64, 0);
        registry.update(FIRST, "", "http://url", "region");
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_WrongRegion.selector, "Region"));
        registry.update(FIRST, "name", "http://url", "Region");
        vm.stopPrank();
    }

    function test_update__when_operator_calls__keeps_the_new_texts() external {
        _register(_details());
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeUpdated(FIRST, "name", "http://url", "region");
        vm.prank(operator);
        registry.update(FIRST, "name", "http://url", "region");

        INodeRegistry.NodeDetails memory expected = _details();
        (expected.name, expected.url, expected.region) = ("name", "http://url", "region");
        (, INodeRegistry.NodeDetails memory kept) = registry.nodeOf(FIRST);
        assertEq(abi.encode(kept), abi.encode(expected));
    }

    function test_update__given_a_new_region__counts_after_its_notice() external {
        assertEq(registry.regionNotice(), NOTICE);
        _register(_details());
        _move("region-b");
        skip(NOTICE - 1);
        assertEq(registry.regionOf(FIRST), keccak256("eu-west-1"));
        skip(1);
        assertEq(registry.regionOf(FIRST), keccak256("region-b"));
    }

    function test_update__given_another_region_before_the_notice_is_over__starts_it_anew() external {
        _register(_details());
        _move("region-b");
        skip(NOTICE - 1);
        _move("region-c");
        skip(NOTICE - 1);
        // The one between never counted.
        assertEq(registry.regionOf(FIRST), keccak256("eu-west-1"));
        skip(1);
        assertEq(registry.regionOf(FIRST), keccak256("region-c"));
    }

    function test_update__given_the_region_of_before__counts_at_once_only_where_it_never_stopped() external {
        _register(_details());
        _move("region-b");
        _move("eu-west-1");
        assertEq(registry.regionOf(FIRST), keccak256("eu-west-1"));
        _move("region-b");
        skip(NOTICE);
        _move("eu-west-1");
        assertEq(registry.regionOf(FIRST), keccak256("region-b"));
        skip(NOTICE);
        assertEq(registry.regionOf(FIRST), keccak256("eu-west-1"));
    }

    function test_update__given_the_same_region__does_not_delay_a_new_one() external {
        _register(_details());
        _move("region-b");
        skip(NOTICE - 1);
        _move("region-b");
        skip(1);
        assertEq(registry.regionOf(FIRST), keccak256("region-b"));
    }

    // rotateKeys

    function test_rotateKeys__when_caller_is_not_operator__reverts() external {
        _register(_details());
        bytes memory proof = _proof(otherSigner, stranger, _newKey());
        _expectNotOperator(stranger);
        vm.prank(stranger);
        registry.rotateKeys(FIRST, otherSigner.addr, _newKey(), proof);
    }

    function test_rotateKeys__when_signer_belongs_to_another_node__reverts() external {
        _register(_details());
        INodeRegistry.NodeDetails memory details = _details();
        details.signer = otherSigner.addr;
        bytes memory proof = _proof(otherSigner, stranger, details.encryptionKey);
        vm.prank(stranger);
        registry.register(details, proof);

        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_SignerTaken.selector, otherSigner.addr, NodeId.wrap(2))
        );
        _rotate(operator, otherSigner);
    }

    function test_rotateKeys__when_signer_is_of_the_nodes_past__reverts() external {
        _register(_details());
        _rotate(operator, otherSigner);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_SignerTaken.selector, signer.addr, FIRST));
        _rotate(operator, signer);
    }

    function test_rotateKeys__when_proof_is_not_the_new_signers__reverts() external {
        _register(_details());
        bytes memory proof =
            sign(signer.key, _digest(address(registry), block.chainid, operator, otherSigner.addr, _newKey()));
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_WrongSignerProof.selector, otherSigner.addr, signer.addr)
        );
        vm.prank(operator);
        registry.rotateKeys(FIRST, otherSigner.addr, _newKey(), proof);
    }

    function test_rotateKeys__when_only_the_encryption_key_is_new__keeps_the_signer() external {
        _register(_details());
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeKeysRotated(FIRST, signer.addr, signer.addr, _newKey());
        _rotate(operator, signer);
        (, INodeRegistry.NodeDetails memory kept) = registry.nodeOf(FIRST);
        assertEq(kept.signer, signer.addr);
        assertEq(kept.encryptionKey, _newKey());
    }

    function test_rotateKeys__when_signer_is_new__it_speaks_and_the_old_one_stays_taken() external {
        _register(_details());
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeKeysRotated(FIRST, signer.addr, otherSigner.addr, _newKey());
        _rotate(operator, otherSigner);
        assertEq(registry.signerOf(FIRST), otherSigner.addr);
        assertEq(NodeId.unwrap(registry.nodeOfSigner(otherSigner.addr)), 1);
        assertEq(NodeId.unwrap(registry.nodeOfSigner(signer.addr)), 1);
    }

    // transferOperator, acceptOperator

    function test_transferOperator__when_caller_is_not_operator__reverts() external {
        _register(_details());
        _expectNotOperator(stranger);
        vm.prank(stranger);
        registry.transferOperator(FIRST, stranger);
    }

    function test_transferOperator__when_operator_calls__records_the_offer_only() external {
        _register(_details());
        vm.expectEmit(address(registry));
        emit INodeRegistry.OperatorTransferStarted(FIRST, operator, stranger);
        _offer(stranger);
        assertEq(registry.operatorOf(FIRST), operator);
    }

    function test_acceptOperator__when_caller_was_not_asked__reverts() external {
        _register(_details());
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_CallerNotOffered.selector, FIRST, address(0), stranger)
        );
        vm.prank(stranger);
        registry.acceptOperator(FIRST);
    }

    function test_acceptOperator__when_offer_was_taken_back__reverts() external {
        _register(_details());
        _offer(stranger);
        _offer(address(0));
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_CallerNotOffered.selector, FIRST, address(0), stranger)
        );
        vm.prank(stranger);
        registry.acceptOperator(FIRST);
    }

    function test_acceptOperator__when_caller_was_asked__becomes_operator_once() external {
        _register(_details());
        _offer(stranger);
        vm.expectEmit(address(registry));
        emit INodeRegistry.OperatorTransferred(FIRST, operator, stranger);
        vm.prank(stranger);
        registry.acceptOperator(FIRST);
        assertEq(registry.operatorOf(FIRST), stranger);

        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_CallerNotOffered.selector, FIRST, address(0), stranger)
        );
        vm.prank(stranger);
        registry.acceptOperator(FIRST);
    }

    // views

    function test_views__when_there_is_no_such_node__revert() external {
        bytes memory failure = abi.encodeWithSelector(INodeRegistry.NodeRegistry_UnknownNode.selector, FIRST);
        vm.expectRevert(failure);
        registry.nodeOf(FIRST);
        vm.expectRevert(failure);
        registry.operatorOf(FIRST);
        vm.expectRevert(failure);
        registry.signerOf(FIRST);
        vm.expectRevert(failure);
        registry.regionOf(FIRST);
        vm.expectRevert(failure);
        registry.acceptOperator(FIRST);
    }

    // Helpers

    function _details() private view returns (INodeRegistry.NodeDetails memory) {
        return INodeRegistry.NodeDetails({
            name: "Node One",
            url: "https://one.example:9000",
            region: "eu-west-1",
            signer: signer.addr,
            encryptionKey: bytes("an encryption key of 32 bytes...")
        });
    }

    function _newKey() private pure returns (bytes memory) {
        return bytes("another encryption key of more than 32 bytes");
    }

    /// @dev As `operator`, with `signer`'s proof.
    function _register(INodeRegistry.NodeDetails memory details) private {
        bytes memory proof = _proof(signer, operator, details.encryptionKey);
        vm.prank(operator);
        registry.register(details, proof);
    }

    function _rotate(address caller, Account memory newSigner) private {
        bytes memory proof = _proof(newSigner, caller, _newKey());
        vm.prank(caller);
        registry.rotateKeys(FIRST, newSigner.addr, _newKey(), proof);
    }

    function _offer(address to) private {
        vm.prank(operator);
        registry.transferOperator(FIRST, to);
    }

    function _expectWrongLength(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_WrongLength.selector, field, minimum, maximum, actual)
        );
    }

    function _expectNotOperator(address caller) private {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_CallerNotOperator.selector, FIRST, operator, caller)
        );
    }

    function _expectWrongProof(INodeRegistry.NodeDetails memory details, bytes memory proof, address recovered)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_WrongSignerProof.selector, details.signer, recovered)
        );
        vm.prank(operator);
        registry.register(details, proof);
    }

    function _proof(Account memory of_, address operator_, bytes memory encryptionKey)
        private
        view
        returns (bytes memory)
    {
        return sign(of_.key, _digest(address(registry), block.chainid, operator_, of_.addr, encryptionKey));
    }

    function _digest(address contract_, uint256 chainId, address operator_, address signer_, bytes memory encryptionKey)
        private
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Walrus Chain Node Registry"),
                keccak256("1"),
                chainId,
                contract_
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                keccak256("NodeKeys(address operator,address signer,bytes encryptionKey)"),
                operator_,
                signer_,
                keccak256(encryptionKey)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    function _move(string memory region) private {
        vm.prank(operator);
        registry.update(FIRST, "name", "http://url", region);
    }

    function _text(uint256 length, bytes1 letter) private pure returns (string memory) {
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            text[i] = letter;
        }
        return string(text);
    }
}
