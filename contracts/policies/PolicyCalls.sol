// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";

import {IBlobPolicies} from "../interfaces/IBlobPolicies.sol";
import {AccessRequest, IDataPolicy} from "../interfaces/IDataPolicy.sol";
import {CappedCall} from "../libraries/CappedCall.sol";
import {PolicyAnswers} from "../libraries/PolicyAnswers.sol";
import {Amount} from "../types/Amount.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title PolicyCalls
/// @notice How a policy is asked, whatever it is: what it answers counts only in the form that {IDataPolicy} says, to the bit.
/// @dev Every call reverts {IBlobPolicies-BlobPolicies_GasTooLow} rather than give a policy less gas than its share; nothing
/// that a policy does makes one revert.
library PolicyCalls {
    /// @dev Also for the views of retention: a combinator asks its operands there as it does here.
    uint256 internal constant EVALUATION_GAS = 8_000_000;
    uint256 internal constant HOOK_GAS = 100_000;

    /// @dev Bits of {IDataPolicy-hooks}.
    uint8 internal constant ON_CERTIFIED = 0;
    uint8 internal constant ON_EXTENDED = 1;
    uint8 internal constant ON_READ = 2;
    uint8 internal constant ON_EXPIRED = 3;
    uint8 private constant ALL_HOOKS = 15;

    /// @dev Reasons of the protocol's own, see {IBlobPolicies-Verdict}.
    bytes32 private constant POLICY_WITHOUT_CODE = "PolicyWithoutCode";
    bytes32 private constant POLICY_FAILED = "PolicyFailed";
    bytes32 private constant QUOTE_FAILED = "QuoteFailed";

    /// @notice Decides a use.
    /// @return allowed Only when the policy said so.
    /// @return ttlSeconds As the policy answered.
    /// @return reason Why not; zero when it is allowed.
    function evaluate(address policy, AccessRequest memory request)
        internal
        view
        returns (bool allowed, uint32 ttlSeconds, bytes32 reason)
    {
        if (policy.code.length == 0) return (false, 0, POLICY_WITHOUT_CODE);
        bytes memory question = abi.encodeCall(IDataPolicy.evaluate, (request));
        _checkGas(EVALUATION_GAS);
        (bool answered, uint256 answer, uint256 ttl, uint256 why) =
            CappedCall.askThreeWords(policy, EVALUATION_GAS, question);
        allowed = bytes32(answer) == bytes32(PolicyAnswers.ALLOW);
        bool denied = bytes32(answer) == bytes32(PolicyAnswers.DENY);
        if (!answered || !(allowed || denied) || ttl > type(uint32).max) return (false, 0, POLICY_FAILED);
        // Just compared.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (allowed, uint32(ttl), allowed ? bytes32(0) : bytes32(why));
    }

    /// @notice What a use costs.
    /// @return reason Zero when the policy answered in the right form; then it may still name a wrong token or pool.
    function quote(address policy, AccessRequest memory request)
        internal
        view
        returns (bytes32 reason, address token, Amount amount, PoolId pool)
    {
        if (policy.code.length == 0) return (POLICY_WITHOUT_CODE, token, amount, pool);
        bytes memory question = abi.encodeCall(IDataPolicy.quote, (request));
        _checkGas(EVALUATION_GAS);
        (bool answered, uint256 what, uint256 price, uint256 payee) =
            CappedCall.askThreeWords(policy, EVALUATION_GAS, question);
        bool fits = what <= type(uint160).max && price <= type(uint128).max && payee <= type(uint64).max;
        if (!answered || !fits) return (QUOTE_FAILED, token, amount, pool);
        // Just compared.
        // forge-lint: disable-next-item(unsafe-typecast)
        return (0, address(uint160(what)), Amount.wrap(uint128(price)), PoolId.wrap(uint64(payee)));
    }

    /// @notice Whether the answer to a view of retention is yes; whatever else it is, it is no.
    function allows(address policy, bytes memory question) internal view returns (bool) {
        (bool answered, uint256 word) = _view(policy, question);
        return answered && word == 1;
    }

    /// @notice Whether a policy says that its object must be stored in the epoch `current`; without an answer, it must.
    function isKeptIn(address policy, uint256 blobObject, uint32 current) internal view returns (bool) {
        (bool answered, uint256 minimum) = _view(policy, abi.encodeCall(IDataPolicy.minimumEndEpoch, (blobObject)));
        return !answered || current < minimum;
    }

    /// @notice From when on no key is released; zero for never.
    /// @return answered False when the policy does not say.
    function destroyAt(address policy, uint256 blobObject) internal view returns (bool answered, Timestamp time) {
        uint256 word;
        (answered, word) = _view(policy, abi.encodeCall(IDataPolicy.destroyAt, (blobObject)));
        if (word > type(uint64).max) return (false, time);
        // Just compared.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (answered, Timestamp.wrap(uint64(word)));
    }

    /// @notice The hooks that a policy wants, if it is one.
    /// @dev Reverts {IBlobPolicies-BlobPolicies_NotAPolicy} when it is neither zero nor a contract that says by ERC-165 that it
    /// is one, and names its hooks.
    function hooksOf(address policy) internal view returns (uint8) {
        if (policy == address(0)) return 0;
        if (!ERC165Checker.supportsInterface(policy, type(IDataPolicy).interfaceId)) {
            revert IBlobPolicies.BlobPolicies_NotAPolicy(policy);
        }
        bytes memory question = abi.encodeCall(IDataPolicy.hooks, ());
        _checkGas(HOOK_GAS);
        (bool answered, uint256 hooks) = CappedCall.askWord(policy, HOOK_GAS, question);
        if (!answered || hooks > ALL_HOOKS) revert IBlobPolicies.BlobPolicies_NotAPolicy(policy);
        // Just compared.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint8(hooks);
    }

    /// @notice Calls a hook.
    /// @return done False when the policy failed.
    function tell(address policy, bytes memory news) internal returns (bool done) {
        _checkGas(HOOK_GAS);
        return CappedCall.tell(policy, HOOK_GAS, news);
    }

    function _view(address policy, bytes memory question) private view returns (bool answered, uint256 word) {
        _checkGas(EVALUATION_GAS);
        return CappedCall.askWord(policy, EVALUATION_GAS, question);
    }

    function _checkGas(uint256 gasCap) private view {
        if (!CappedCall.suffices(gasCap)) {
            revert IBlobPolicies.BlobPolicies_GasTooLow(CappedCall.required(gasCap), gasleft());
        }
    }
}
