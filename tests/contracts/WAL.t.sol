// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {IWAL} from "../../contracts/interfaces/IWAL.sol";
import {SmartAccountMock} from "../../contracts/mocks/SmartAccountMock.sol";
import {WAL} from "../../contracts/token/WAL.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract WALTest is Test {
    string private constant TRANSFER =
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
    string private constant RECEIVE =
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)";
    uint256 private constant SUPPLY = 1e27;
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /// @dev What a holder signs.
    struct Authorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    WAL private token;
    Account private holder;
    Account private payee;
    Account private stranger;

    function setUp() external {
        vm.warp(1_800_000_000);
        holder = makeAccount("holder");
        payee = makeAccount("payee");
        stranger = makeAccount("stranger");
        token = new WAL(holder.addr, SUPPLY);
    }

    // constructor, version

    function test_constructor__when_supply_is_zero__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IWAL.WAL_SupplyOutOfBounds.selector, type(uint128).max, 0));
        new WAL(holder.addr, 0);
    }

    function test_constructor__when_supply_does_not_fit_an_amount__reverts() external {
        uint256 supply = uint256(type(uint128).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(IWAL.WAL_SupplyOutOfBounds.selector, type(uint128).max, supply));
        new WAL(holder.addr, supply);
    }

    function test_constructor__when_supply_fits__gives_all_to_the_holder(uint128 supply) external {
        vm.assume(supply != 0);
        WAL other = new WAL(payee.addr, supply);
        assertEq(other.totalSupply(), supply);
        assertEq(other.balanceOf(payee.addr), supply);
        assertEq(other.decimals(), 18);
        assertEq(other.symbol(), "WAL");
    }

    function test_version__equals_the_domain_version() external view {
        (, string memory name, string memory version, uint256 chainId, address contract_,,) = token.eip712Domain();
        assertEq(token.version(), version);
        assertEq(token.version(), "1");
        assertEq(token.name(), name);
        assertEq(chainId, block.chainid);
        assertEq(contract_, address(token));
        assertEq(token.DOMAIN_SEPARATOR(), _domain(address(token), block.chainid));
    }

    // burn

    function test_burn__when_the_caller_has_less__reverts() external {
        vm.prank(holder.addr);
        assertTrue(token.transfer(payee.addr, 5));
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, payee.addr, 5, 6));
        vm.prank(payee.addr);
        token.burn(6);
    }

    function test_burn__lowers_balance_and_supply(uint256 value) external {
        value = bound(value, 0, SUPPLY);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(holder.addr, address(0), value);
        vm.prank(holder.addr);
        token.burn(value);
        assertEq(token.balanceOf(holder.addr), SUPPLY - value);
        assertEq(token.totalSupply(), SUPPLY - value);
    }

    function test_burn__takes_nothing_of_an_allowance() external {
        vm.prank(holder.addr);
        token.approve(stranger.addr, 5);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, stranger.addr, 0, 5));
        vm.prank(stranger.addr);
        token.burn(5);
    }

    // permit

    function test_permit__when_owner_signed__sets_the_allowance() external {
        (uint8 v, bytes32 r, bytes32 s) = _permit(5, block.timestamp);
        token.permit(holder.addr, payee.addr, 5, block.timestamp, v, r, s);
        assertEq(token.allowance(holder.addr, payee.addr), 5);
        assertEq(token.nonces(holder.addr), 1);
    }

    function test_permit__when_front_run__reverts_but_allowance_is_there() external {
        (uint8 v, bytes32 r, bytes32 s) = _permit(5, block.timestamp);
        vm.prank(stranger.addr);
        token.permit(holder.addr, payee.addr, 5, block.timestamp, v, r, s);

        vm.expectPartialRevert(ERC20Permit.ERC2612InvalidSigner.selector);
        token.permit(holder.addr, payee.addr, 5, block.timestamp, v, r, s);
        assertEq(token.allowance(holder.addr, payee.addr), 5);
    }

    function test_permit__when_deadline_passed__reverts() external {
        (uint8 v, bytes32 r, bytes32 s) = _permit(5, block.timestamp - 1);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, block.timestamp - 1));
        token.permit(holder.addr, payee.addr, 5, block.timestamp - 1, v, r, s);
    }

    // transferWithAuthorization

    function test_transferWithAuthorization__when_holder_signed__moves_and_spends(uint256 value, bytes32 nonce)
        external
    {
        Authorization memory a = _default();
        a.value = bound(value, 0, SUPPLY);
        a.nonce = nonce;
        bytes memory signature = _sign(holder, TRANSFER, a);
        assertFalse(token.authorizationState(holder.addr, nonce));

        vm.expectEmit(address(token));
        emit IWAL.AuthorizationUsed(holder.addr, nonce);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(holder.addr, payee.addr, a.value);
        vm.prank(stranger.addr);
        _transfer(a, signature);

        assertEq(token.balanceOf(payee.addr), a.value);
        assertEq(token.balanceOf(holder.addr), SUPPLY - a.value);
        assertTrue(token.authorizationState(holder.addr, nonce));
    }

    function test_transferWithAuthorization__by_vrs__moves_and_spends() external {
        Authorization memory a = _default();
        _transferVrs(a, _sign(holder, TRANSFER, a));
        assertEq(token.balanceOf(payee.addr), a.value);
        assertTrue(token.authorizationState(holder.addr, a.nonce));
    }

    function test_transferWithAuthorization__when_not_yet_valid__reverts() external {
        Authorization memory a = _default();
        a.validAfter = block.timestamp;
        bytes memory signature = _sign(holder, TRANSFER, a);
        bytes memory failure = abi.encodeWithSelector(
            IWAL.WAL_AuthorizationNotYetValid.selector, a.nonce, block.timestamp, block.timestamp
        );
        vm.expectRevert(failure);
        _transfer(a, signature);
        vm.expectRevert(failure);
        _transferVrs(a, signature);
    }

    function test_transferWithAuthorization__when_expired__reverts() external {
        Authorization memory a = _default();
        a.validBefore = block.timestamp;
        bytes memory signature = _sign(holder, TRANSFER, a);
        bytes memory failure =
            abi.encodeWithSelector(IWAL.WAL_AuthorizationExpired.selector, a.nonce, block.timestamp, block.timestamp);
        vm.expectRevert(failure);
        _transfer(a, signature);
        vm.expectRevert(failure);
        _transferVrs(a, signature);
    }

    function test_transferWithAuthorization__inside_a_window_of_one_second__moves() external {
        Authorization memory a = _default();
        (a.validAfter, a.validBefore) = (block.timestamp - 1, block.timestamp + 1);
        _transfer(a, _sign(holder, TRANSFER, a));
        assertEq(token.balanceOf(payee.addr), a.value);
    }

    function test_transferWithAuthorization__when_replayed__reverts_spent() external {
        Authorization memory a = _default();
        bytes memory signature = _sign(holder, TRANSFER, a);
        _transfer(a, signature);
        _expectSpent(a);
        _transfer(a, signature);
        _expectSpent(a);
        _transferVrs(a, signature);
        assertEq(token.balanceOf(payee.addr), a.value);
    }

    function test_transferWithAuthorization__when_cancelled__reverts_spent() external {
        Authorization memory a = _default();
        _cancel(holder.addr, a.nonce, _signCancel(holder, holder.addr, a.nonce));
        bytes memory signature = _sign(holder, TRANSFER, a);
        _expectSpent(a);
        _transfer(a, signature);
    }

    function test_transferWithAuthorization__when_nonce_is_of_another_holder__moves() external {
        Authorization memory a = _default();
        _cancel(stranger.addr, a.nonce, _signCancel(stranger, stranger.addr, a.nonce));
        _transfer(a, _sign(holder, TRANSFER, a));
        assertEq(token.balanceOf(payee.addr), a.value);
    }

    function test_transferWithAuthorization__when_any_word_changed__reverts_wrong_signature(uint256 which) external {
        Authorization memory a = _default();
        bytes memory signature = _sign(holder, TRANSFER, a);
        which = bound(which, 0, 5);
        if (which == 0) a.from = payee.addr;
        if (which == 1) a.to = stranger.addr;
        if (which == 2) a.value++;
        if (which == 3) a.validAfter++;
        if (which == 4) a.validBefore++;
        if (which == 5) a.nonce = bytes32(uint256(a.nonce) + 1);
        _expectWrongSignature(a);
        _transfer(a, signature);
        _expectWrongSignature(a);
        _transferVrs(a, signature);
    }

    function test_transferWithAuthorization__when_signature_is_malleable__reverts_wrong_signature() external {
        Authorization memory a = _default();
        bytes memory signature = _sign(holder, TRANSFER, a);
        (uint8 v, bytes32 r, bytes32 s) = _split(signature);
        bytes memory high = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _expectWrongSignature(a);
        _transfer(a, high);
        _expectWrongSignature(a);
        _transferVrs(a, high);
    }

    function test_transferWithAuthorization__when_signature_is_malformed__reverts_wrong_signature(bytes calldata noise)
        external
    {
        Authorization memory a = _default();
        _expectWrongSignature(a);
        _transfer(a, noise);
        _expectWrongSignature(a);
        _transferVrs(a, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
    }

    function test_transferWithAuthorization__when_holder_is_zero__reverts_wrong_signature() external {
        Authorization memory a = _default();
        a.from = address(0);
        _expectWrongSignature(a);
        _transferVrs(a, abi.encodePacked(bytes32(uint256(1)), bytes32(uint256(1)), uint8(29)));
    }

    function test_transferWithAuthorization__when_signed_by_another__reverts_wrong_signature() external {
        Authorization memory a = _default();
        bytes memory signature = _sign(payee, TRANSFER, a);
        _expectWrongSignature(a);
        _transfer(a, signature);
    }

    function test_transferWithAuthorization__when_signed_for_another_token_or_chain__reverts_wrong_signature()
        external
    {
        Authorization memory a = _default();
        WAL other = new WAL(holder.addr, SUPPLY);
        bytes32 message = _message(TRANSFER, a);
        bytes memory forOther = sign(holder.key, _typed(_domain(address(other), block.chainid), message));
        _expectWrongSignature(a);
        _transfer(a, forOther);
        bytes memory forChain = sign(holder.key, _typed(_domain(address(token), block.chainid + 1), message));
        _expectWrongSignature(a);
        _transfer(a, forChain);
    }

    function test_transferWithAuthorization__when_holder_is_a_contract__takes_what_it_accepts() external {
        Authorization memory a = _ofSmartAccount();
        _transfer(a, _sign(holder, TRANSFER, a));
        assertEq(token.balanceOf(payee.addr), a.value);
    }

    function test_transferWithAuthorization__when_holder_contract_refuses__reverts_wrong_signature() external {
        Authorization memory a = _ofSmartAccount();
        bytes memory byStranger = _sign(stranger, TRANSFER, a);
        _expectWrongSignature(a);
        _transfer(a, byStranger);
        bytes memory byOwner = _sign(holder, TRANSFER, a);
        _expectWrongSignature(a);
        _transferVrs(a, byOwner);
    }

    function test_transferWithAuthorization__when_holder_contract_knows_no_signatures__reverts_wrong_signature()
        external
    {
        Authorization memory a = _default();
        a.from = address(token);
        bytes memory signature = _sign(holder, TRANSFER, a);
        _expectWrongSignature(a);
        _transfer(a, signature);
    }

    function test_transferWithAuthorization__when_balance_is_too_small__reverts_and_nonce_stays_fresh() external {
        Authorization memory a = _default();
        a.value = SUPPLY + 1;
        bytes memory signature = _sign(holder, TRANSFER, a);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, holder.addr, SUPPLY, a.value)
        );
        _transfer(a, signature);
        assertFalse(token.authorizationState(holder.addr, a.nonce));
    }

    function test_transferWithAuthorization__when_payee_is_zero__reverts() external {
        Authorization memory a = _default();
        a.to = address(0);
        bytes memory signature = _sign(holder, TRANSFER, a);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        _transfer(a, signature);
    }

    // receiveWithAuthorization

    function test_receiveWithAuthorization__when_payee_submits__moves_and_spends() external {
        Authorization memory a = _default();
        bytes memory signature = _sign(holder, RECEIVE, a);
        vm.expectEmit(address(token));
        emit IWAL.AuthorizationUsed(holder.addr, a.nonce);
        vm.prank(payee.addr);
        _receive(a, signature);
        assertEq(token.balanceOf(payee.addr), a.value);
        assertTrue(token.authorizationState(holder.addr, a.nonce));
    }

    function test_receiveWithAuthorization__by_vrs__moves_and_spends() external {
        Authorization memory a = _default();
        bytes memory signature = _sign(holder, RECEIVE, a);
        vm.prank(payee.addr);
        _receiveVrs(a, signature);
        assertEq(token.balanceOf(payee.addr), a.value);
        _expectSpent(a);
        vm.prank(payee.addr);
        _receive(a, signature);
    }

    function test_receiveWithAuthorization__when_front_run__reverts_caller_not_payee() external {
        Authorization memory a = _default();
        bytes memory signature = _sign(holder, RECEIVE, a);
        bytes memory failure = abi.encodeWithSelector(IWAL.WAL_CallerNotPayee.selector, payee.addr, stranger.addr);
        vm.startPrank(stranger.addr);
        vm.expectRevert(failure);
        _receive(a, signature);
        vm.expectRevert(failure);
        _receiveVrs(a, signature);
        vm.expectRevert(abi.encodeWithSelector(IWAL.WAL_WrongSignature.selector, a.from, a.nonce));
        _transfer(a, signature);
        vm.stopPrank();
    }

    function test_receiveWithAuthorization__when_signed_for_transfer__reverts_wrong_signature() external {
        Authorization memory a = _default();
        bytes memory signature = _sign(holder, TRANSFER, a);
        vm.startPrank(payee.addr);
        _expectWrongSignature(a);
        _receive(a, signature);
        _expectWrongSignature(a);
        _receiveVrs(a, signature);
        vm.stopPrank();
    }

    function test_receiveWithAuthorization__outside_the_window__reverts() external {
        Authorization memory a = _default();
        bytes memory signature = _sign(holder, RECEIVE, a);
        vm.startPrank(payee.addr);
        vm.warp(a.validBefore);
        vm.expectRevert(
            abi.encodeWithSelector(IWAL.WAL_AuthorizationExpired.selector, a.nonce, a.validBefore, a.validBefore)
        );
        _receive(a, signature);
        vm.warp(a.validAfter);
        vm.expectRevert(
            abi.encodeWithSelector(IWAL.WAL_AuthorizationNotYetValid.selector, a.nonce, a.validAfter, a.validAfter)
        );
        _receiveVrs(a, signature);
        vm.stopPrank();
    }

    // cancelAuthorization

    function test_cancelAuthorization__when_authorizer_signed__spends() external {
        bytes32 nonce = _default().nonce;
        bytes memory signature = _signCancel(holder, holder.addr, nonce);
        vm.expectEmit(address(token));
        emit IWAL.AuthorizationCanceled(holder.addr, nonce);
        vm.prank(stranger.addr);
        _cancel(holder.addr, nonce, signature);
        assertTrue(token.authorizationState(holder.addr, nonce));
    }

    function test_cancelAuthorization__by_vrs__spends() external {
        bytes32 nonce = _default().nonce;
        (uint8 v, bytes32 r, bytes32 s) = _split(_signCancel(holder, holder.addr, nonce));
        token.cancelAuthorization(holder.addr, nonce, v, r, s);
        assertTrue(token.authorizationState(holder.addr, nonce));
    }

    function test_cancelAuthorization__when_used__reverts_spent() external {
        Authorization memory a = _default();
        _transfer(a, _sign(holder, TRANSFER, a));
        bytes memory signature = _signCancel(holder, holder.addr, a.nonce);
        _expectSpent(a);
        _cancel(holder.addr, a.nonce, signature);
    }

    function test_cancelAuthorization__when_signed_by_another__reverts_wrong_signature() external {
        Authorization memory a = _default();
        bytes memory signature = _signCancel(stranger, holder.addr, a.nonce);
        (uint8 v, bytes32 r, bytes32 s) = _split(signature);
        _expectWrongSignature(a);
        _cancel(holder.addr, a.nonce, signature);
        _expectWrongSignature(a);
        token.cancelAuthorization(holder.addr, a.nonce, v, r, s);
        assertFalse(token.authorizationState(holder.addr, a.nonce));
    }

    // Helpers

    function _default() private view returns (Authorization memory) {
        return Authorization({
            from: holder.addr,
            to: payee.addr,
            value: 12e18,
            validAfter: block.timestamp - 100,
            validBefore: block.timestamp + 100,
            nonce: keccak256("nonce")
        });
    }

    /// @dev Of a contract owned by `holder`, with a balance.
    function _ofSmartAccount() private returns (Authorization memory a) {
        a = _default();
        a.from = address(new SmartAccountMock(holder.addr));
        vm.prank(holder.addr);
        assertTrue(token.transfer(a.from, a.value));
    }

    function _transfer(Authorization memory a, bytes memory signature) private {
        token.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
    }

    function _transferVrs(Authorization memory a, bytes memory signature) private {
        (uint8 v, bytes32 r, bytes32 s) = _split(signature);
        token.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
    }

    function _receive(Authorization memory a, bytes memory signature) private {
        token.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
    }

    function _receiveVrs(Authorization memory a, bytes memory signature) private {
        (uint8 v, bytes32 r, bytes32 s) = _split(signature);
        token.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
    }

    function _cancel(address authorizer, bytes32 nonce, bytes memory signature) private {
        token.cancelAuthorization(authorizer, nonce, signature);
    }

    function _expectSpent(Authorization memory a) private {
        vm.expectRevert(abi.encodeWithSelector(IWAL.WAL_AuthorizationSpent.selector, a.from, a.nonce));
    }

    function _expectWrongSignature(Authorization memory a) private {
        vm.expectRevert(abi.encodeWithSelector(IWAL.WAL_WrongSignature.selector, a.from, a.nonce));
    }

    function _sign(Account memory signer, string memory kind, Authorization memory a)
        private
        view
        returns (bytes memory)
    {
        return sign(signer.key, _typed(_domain(address(token), block.chainid), _message(kind, a)));
    }

    /// @dev What `signer` signs to cancel `authorizer`'s nonce.
    function _signCancel(Account memory signer, address authorizer, bytes32 nonce) private view returns (bytes memory) {
        bytes32 message = keccak256(
            abi.encode(keccak256("CancelAuthorization(address authorizer,bytes32 nonce)"), authorizer, nonce)
        );
        return sign(signer.key, _typed(_domain(address(token), block.chainid), message));
    }

    function _permit(uint256 value, uint256 deadline) private view returns (uint8, bytes32, bytes32) {
        bytes32 message = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                holder.addr,
                payee.addr,
                value,
                token.nonces(holder.addr),
                deadline
            )
        );
        return vm.sign(holder.key, _typed(_domain(address(token), block.chainid), message));
    }

    function _message(string memory kind, Authorization memory a) private pure returns (bytes32) {
        return
            keccak256(abi.encode(keccak256(bytes(kind)), a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce));
    }

    function _typed(bytes32 domain, bytes32 message) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    function _domain(address contract_, uint256 chainId) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Walrus Chain"),
                keccak256("1"),
                chainId,
                contract_
            )
        );
    }

    function _split(bytes memory signature) private pure returns (uint8 v, bytes32 r, bytes32 s) {
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
    }
}
