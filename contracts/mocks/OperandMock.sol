// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest} from "../interfaces/IDataPolicy.sol";
import {PolicyAnswers} from "../libraries/PolicyAnswers.sol";
import {PolicyDefaults} from "../policies/kinds/PolicyDefaults.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title OperandMock
/// @notice A policy that does what it was told to, well or badly: for tests of who asks policies; never deployed.
contract OperandMock is PolicyDefaults {
    /// @notice What it does when it is asked to decide.
    enum Behaviour {
        Allow,
        Deny,
        DenyWithoutReason,
        AnswerUnknown,
        AnswerShort,
        AnswerLong,
        AnswerMegabyte,
        TtlTooLarge,
        Revert,
        BurnGas
    }

    /// @notice What it says about retention.
    struct Retention {
        bool canDelete;
        bool canTransfer;
        bool canReplace;
        Epoch minimumEndEpoch;
        Timestamp destroyAt;
        bool fails;
    }

    uint32 private constant TTL = 45;

    Behaviour private _behaviour;
    uint32 private _ttl = TTL;
    uint8 private _depth;
    bool private _readsEvidence;
    bool private _quoteFails;
    address private _token;
    Amount private _amount;
    PoolId private _pool;
    Retention private _retention = Retention(true, true, true, Epoch.wrap(0), Timestamp.wrap(0), false);

    constructor(Behaviour behaviour) {
        _behaviour = behaviour;
    }

    function behave(Behaviour behaviour) external {
        _behaviour = behaviour;
    }

    function setTtl(uint32 ttl) external {
        _ttl = ttl;
    }

    function setDepth(uint8 depth_) external {
        _depth = depth_;
    }

    function setReadsEvidence(bool reads) external {
        _readsEvidence = reads;
    }

    function setPrice(address token, Amount amount, PoolId pool) external {
        (_token, _amount, _pool) = (token, amount, pool);
    }

    function setQuoteFails(bool fails) external {
        _quoteFails = fails;
    }

    function setRetention(Retention calldata retention) external {
        _retention = retention;
    }

    function evaluate(AccessRequest calldata) external view returns (bytes4, uint32, bytes32) {
        Behaviour behaviour = _behaviour;
        if (behaviour == Behaviour.Allow) return (PolicyAnswers.ALLOW, _ttl, 0);
        if (behaviour == Behaviour.Deny) return (PolicyAnswers.DENY, 0, "Denied");
        if (behaviour == Behaviour.DenyWithoutReason) return (PolicyAnswers.DENY, 0, 0);
        if (behaviour == Behaviour.AnswerUnknown) return (0x00000001, TTL, 0);
        if (behaviour == Behaviour.AnswerShort) _answer(64, TTL);
        if (behaviour == Behaviour.AnswerLong) _answer(128, TTL);
        if (behaviour == Behaviour.AnswerMegabyte) _answer(2 ** 20, TTL);
        if (behaviour == Behaviour.TtlTooLarge) _answer(96, uint256(type(uint32).max) + 1);
        if (behaviour == Behaviour.Revert) revert("no answer");
        while (true) {}
        return (0, 0, 0);
    }

    function quote(AccessRequest calldata) external view override returns (address, Amount, PoolId) {
        require(!_quoteFails, "no price");
        return (_token, _amount, _pool);
    }

    function canDelete(uint256) external view override returns (bool) {
        return _told().canDelete;
    }

    function canTransfer(uint256, address) external view override returns (bool) {
        return _told().canTransfer;
    }

    function canReplace(uint256, address) external view override returns (bool) {
        return _told().canReplace;
    }

    function minimumEndEpoch(uint256) external view override returns (Epoch) {
        return _told().minimumEndEpoch;
    }

    function destroyAt(uint256) external view override returns (Timestamp) {
        return _told().destroyAt;
    }

    function depth() external view override returns (uint8) {
        return _depth;
    }

    function readsEvidence() external view override returns (bool) {
        return _readsEvidence;
    }

    function _told() private view returns (Retention memory) {
        require(!_retention.fails, "no answer");
        return _retention;
    }

    /// @dev Returns an answer that would allow, were it not for its length or time.
    function _answer(uint256 length, uint256 ttl) private pure {
        bytes32 allow = PolicyAnswers.ALLOW;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, allow)
            mstore(add(start, 32), ttl)
            return(start, length)
        }
    }
}
