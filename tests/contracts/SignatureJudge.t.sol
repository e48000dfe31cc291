// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {AccountFactoryMock} from "../../contracts/mocks/AccountFactoryMock.sol";
import {PolicyMock} from "../../contracts/mocks/PolicyMock.sol";
import {SmartAccountMock} from "../../contracts/mocks/SmartAccountMock.sol";
import {SignatureJudge} from "../../contracts/policies/SignatureJudge.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract SignatureJudgeTest is Test {
    bytes32 private constant DIGEST = keccak256("what was signed");
    bytes32 private constant MARK = 0x6492649264926492649264926492649264926492649264926492649264926492;
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant CALLERS_GAS = 10_000_000;

    SignatureJudge private judge;
    AccountFactoryMock private factory;
    Account private owner;
    bytes private signature;

    function setUp() public {
        judge = new SignatureJudge();
        factory = new AccountFactoryMock();
        owner = makeAccount("owner");
        signature = sign(owner.key, DIGEST);
    }

    // Keys

    function test_isValid__given_a_key__when_it_signed__is_true() external {
        assertTrue(judge.isValid(owner.addr, DIGEST, signature));
    }

    function test_isValid__given_a_key__when_another_digest_or_account_was_signed__is_false(bytes32 digest) external {
        vm.assume(digest != DIGEST);
        assertFalse(judge.isValid(owner.addr, digest, signature));
        assertFalse(judge.isValid(makeAddr("other"), DIGEST, signature));
    }

    function test_isValid__given_a_key__when_s_is_the_higher_one__is_false() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(owner.key, DIGEST);
        bytes memory other = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? 28 : 27);
        assertFalse(judge.isValid(owner.addr, DIGEST, other));
    }

    function test_isValid__given_any_bytes__is_false_and_never_reverts(bytes calldata bytes_) external {
        assertFalse(judge.isValid(owner.addr, DIGEST, bytes_));
        assertFalse(judge.isValid(owner.addr, DIGEST, bytes.concat(bytes_, MARK)));
        assertFalse(judge.isValid(address(factory), DIGEST, bytes.concat(bytes_, MARK)));
    }

    function test_isValid__given_the_zero_address__is_false() external {
        // What recovers to nobody.
        assertFalse(judge.isValid(address(0), DIGEST, new bytes(65)));
        assertFalse(judge.isValid(address(0), DIGEST, ""));
        assertFalse(judge.isValid(address(0), DIGEST, wrapped(signature)));
    }

    function test_isValid__given_a_key_that_code_was_delegated_to__still_counts() external {
        vm.etch(owner.addr, bytes.concat(hex"ef0100", bytes20(address(factory))));
        assertTrue(judge.isValid(owner.addr, DIGEST, signature));
    }

    // ERC-1271

    function test_isValid__given_a_contract__when_its_owner_signed__is_true() external {
        address account = address(new SmartAccountMock(owner.addr));
        assertTrue(judge.isValid(account, DIGEST, signature));
        assertFalse(judge.isValid(account, keccak256("another"), signature));
    }

    function test_isValid__given_a_contract_that_misbehaves__is_false() external {
        PolicyMock account = new PolicyMock(0);
        bytes4 selector = IERC1271.isValidSignature.selector;
        account.answer(selector, abi.encode(selector));
        assertTrue(judge.isValid{gas: CALLERS_GAS}(address(account), DIGEST, ""));

        account.answer(selector, abi.encode(selector, 0));
        assertFalse(judge.isValid{gas: CALLERS_GAS}(address(account), DIGEST, ""));
        account.answer(selector, abi.encode(bytes32(selector) | bytes32(uint256(1))));
        assertFalse(judge.isValid{gas: CALLERS_GAS}(address(account), DIGEST, ""));
        PolicyMock.Deed[4] memory deeds =
            [PolicyMock.Deed.Revert, PolicyMock.Deed.BurnGas, PolicyMock.Deed.AnswerWithMegabyte, PolicyMock.Deed.Note];
        for (uint256 i = 0; i < deeds.length; ++i) {
            account.behave(selector, deeds[i]);
            assertFalse(judge.isValid{gas: CALLERS_GAS}(address(account), DIGEST, ""));
        }
    }

    function test_isValid__given_a_contract__when_the_caller_gives_little_gas__does_not_ask() external {
        address account = address(new SmartAccountMock(owner.addr));
        vm.expectCall(account, "", 0);
        assertFalse(judge.isValid{gas: 3_000_000}(account, DIGEST, signature));
    }

    // ERC-6492

    function test_isValid__given_an_account_not_deployed_yet__deploys_and_asks_it() external {
        address account = factory.addressOf(owner.addr);
        assertEq(account.code.length, 0);
        assertFalse(judge.isValid(account, DIGEST, signature));
        assertTrue(judge.isValid(account, DIGEST, wrapped(signature)));
        assertGt(account.code.length, 0);
    }

    function test_isValid__given_a_wrapped_signature__when_deployed_already__only_asks() external {
        address account = factory.deploy(owner.addr);
        vm.expectCall(address(factory), "", 0);
        assertTrue(judge.isValid(account, DIGEST, wrapped(signature)));
    }

    function test_isValid__given_a_wrapped_signature__when_somebody_else_signed__is_false() external {
        address account = factory.addressOf(owner.addr);
        bytes memory other = sign(makeAccount("other").key, DIGEST);
        assertFalse(judge.isValid(account, DIGEST, wrapped(other)));
    }

    function test_isValid__given_a_wrapped_signature__when_the_factory_deploys_another__is_false() external {
        address account = factory.addressOf(makeAddr("other"));
        assertFalse(judge.isValid(account, DIGEST, wrapped(signature)));
        // Nor does a key's signature count when it is wrapped: there is no code to ask.
        assertFalse(judge.isValid(owner.addr, DIGEST, wrapped(signature)));
    }

    function test_isValid__given_a_factory_that_fails__is_false() external {
        address account = factory.addressOf(owner.addr);
        bytes memory burning = abi.encode(factory, abi.encodeCall(AccountFactoryMock.burnGas, ()), signature);
        assertFalse(judge.isValid{gas: CALLERS_GAS}(account, DIGEST, bytes.concat(burning, MARK)));
        bytes memory none = abi.encode(makeAddr("no factory"), new bytes(4), signature);
        assertFalse(judge.isValid(account, DIGEST, bytes.concat(none, MARK)));
    }

    function test_isValid__given_a_wrapping_that_is_malformed__is_false() external {
        address account = factory.deploy(owner.addr);
        bytes memory right = abi.encode(factory, bytes("deploy"), signature);
        assertTrue(judge.isValid(account, DIGEST, bytes.concat(right, MARK)));
        // Each of the five words that give an address, a place or a length, too large.
        uint256[5] memory places = [uint256(0), 32, 64, 96, 160];
        uint256[3] memory values = [right.length, 2 ** 160, type(uint256).max];
        for (uint256 i = 0; i < places.length; ++i) {
            for (uint256 j = 0; j < values.length; ++j) {
                if (places[i] == 0 && j == 0) continue;
                bytes memory wrong = bytes.concat(right, MARK);
                (uint256 place, uint256 value) = (32 + places[i], values[j]);
                assembly ("memory-safe") {
                    mstore(add(wrong, place), value)
                }
                assertFalse(judge.isValid(account, DIGEST, wrong));
            }
        }
        assertFalse(judge.isValid(account, DIGEST, bytes.concat(MARK)));
        assertFalse(judge.isValid(account, DIGEST, bytes.concat(new bytes(95), MARK)));
    }

    function wrapped(bytes memory inner) private view returns (bytes memory) {
        return bytes.concat(abi.encode(factory, abi.encodeCall(AccountFactoryMock.deploy, (owner.addr)), inner), MARK);
    }
}
