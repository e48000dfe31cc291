// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {IDataPolicy} from "../interfaces/IDataPolicy.sol";
import {IPolicyFactory} from "../interfaces/IPolicyFactory.sol";
import {IReadyMadePolicy} from "../interfaces/IReadyMadePolicy.sol";

/// @title PolicyFactory
/// @notice Makes clones of the contracts it was given, one for each kind.
/// @dev A policy's address follows from its kind, its arguments, who made it, and how many that account made before. So a
/// reorganisation, or somebody else's transaction, never puts another policy where one was: an owner may have named it already.
///
/// Invariant: a kind in `_kinds` has an implementation that says it is of this kind; no other kind has one.
contract PolicyFactory is IPolicyFactory {
    /// @notice A kind and the contract that its clones run.
    struct Kind {
        bytes32 name;
        address implementation;
    }

    /// @inheritdoc IPolicyFactory
    mapping(bytes32 kind => address) public implementationOf;

    bytes32[] private _kinds;

    mapping(address creator => uint256) private _countOf;

    /// @param kinds_ Each contract has to be of the kind that it is given for.
    constructor(Kind[] memory kinds_) {
        for (uint256 i = 0; i < kinds_.length; ++i) {
            bytes32 name = kinds_[i].name;
            bytes32 actual = IDataPolicy(kinds_[i].implementation).kind();
            if (actual != name) revert PolicyFactory_WrongKind(name, actual);
            if (implementationOf[name] != address(0)) revert PolicyFactory_NamedTwice(name);
            implementationOf[name] = kinds_[i].implementation;
            _kinds.push(name);
        }
    }

    /// @inheritdoc IPolicyFactory
    function create(bytes32 kind, bytes calldata arguments) external returns (address policy) {
        // Check
        address implementation = implementationOf[kind];
        if (implementation == address(0)) revert PolicyFactory_UnknownKind(kind);
        bytes memory data = IReadyMadePolicy(implementation).validate(arguments);

        // Effect
        bytes32 salt = keccak256(abi.encode(msg.sender, ++_countOf[msg.sender]));
        policy = Clones.cloneDeterministicWithImmutableArgs(implementation, data, salt);
        emit PolicyCreated(policy, kind, msg.sender, arguments);
    }

    /// @inheritdoc IPolicyFactory
    function kinds() external view returns (bytes32[] memory) {
        return _kinds;
    }
}
