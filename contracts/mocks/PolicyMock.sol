// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IDataPolicy} from "../interfaces/IDataPolicy.sol";
import {PolicyAnswers} from "../libraries/PolicyAnswers.sol";

/// @title PolicyMock
/// @notice A policy that allows everything for free until it is told how to behave, also badly: for tests of who asks policies;
/// never deployed.
contract PolicyMock is IERC165 {
    /// @notice What it does when a function is called. Note: counts the call. Strike: calls a target.
    enum Deed {
        Answer,
        Revert,
        BurnGas,
        AnswerWithMegabyte,
        DenyByGasLeft,
        Note,
        Strike
    }

    struct Script {
        Deed deed;
        bytes answer;
    }

    uint256 private constant MEGABYTE = 2 ** 20;

    /// @notice How often a hook was called.
    mapping(bytes4 selector => uint256) public count;

    /// @notice keccak256 of the last call of a hook, with its arguments.
    mapping(bytes4 selector => bytes32) public last;

    /// @notice Whether the strike succeeded.
    bool public struck;

    mapping(bytes4 selector => Script) private _scripts;
    address private _target;
    bytes private _call;

    /// @param hooks_ The hooks that it wants; they are counted.
    constructor(uint8 hooks_) {
        answer(IDataPolicy.evaluate.selector, abi.encode(PolicyAnswers.ALLOW, uint32(60), bytes32(0)));
        answer(IDataPolicy.quote.selector, new bytes(96));
        answer(IDataPolicy.canDelete.selector, abi.encode(true));
        answer(IDataPolicy.canTransfer.selector, abi.encode(true));
        answer(IDataPolicy.canReplace.selector, abi.encode(true));
        answer(IDataPolicy.minimumEndEpoch.selector, abi.encode(0));
        answer(IDataPolicy.destroyAt.selector, abi.encode(0));
        answer(IDataPolicy.hooks.selector, abi.encode(hooks_));
        behave(IDataPolicy.onCertified.selector, Deed.Note);
        behave(IDataPolicy.onExtended.selector, Deed.Note);
        behave(IDataPolicy.onRead.selector, Deed.Note);
        behave(IDataPolicy.onExpired.selector, Deed.Note);
    }

    /// @notice What it answers from now on, in the raw.
    function answer(bytes4 selector, bytes memory bytes_) public {
        _scripts[selector] = Script(Deed.Answer, bytes_);
    }

    /// @notice What it does from now on.
    function behave(bytes4 selector, Deed deed) public {
        _scripts[selector].deed = deed;
    }

    /// @notice What it calls when it strikes.
    function aim(address target, bytes memory data) external {
        (_target, _call) = (target, data);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IERC165).interfaceId || id == type(IDataPolicy).interfaceId;
    }

    fallback(bytes calldata data) external returns (bytes memory) {
        uint256 gas = gasleft();
        Deed deed = _scripts[msg.sig].deed;
        if (deed == Deed.Revert) revert("PolicyMock: told to");
        if (deed == Deed.BurnGas) {
            assembly {
                invalid()
            }
        }
        if (deed == Deed.AnswerWithMegabyte) {
            assembly {
                return(0, MEGABYTE)
            }
        }
        if (deed == Deed.DenyByGasLeft) return abi.encode(PolicyAnswers.DENY, uint32(0), bytes32(gas));
        if (deed == Deed.Note) {
            count[msg.sig]++;
            last[msg.sig] = keccak256(data);
        }
        if (deed == Deed.Strike) (struck,) = _target.call(_call);
        return _scripts[msg.sig].answer;
    }
}
