// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest} from "../../interfaces/IDataPolicy.sol";
import {Leaf} from "./Leaf.sol";

/// @title Retention
/// @notice A ready-made policy that says what the owner may not do; nobody is let in by it.
abstract contract Retention is Leaf {
    function _decide(AccessRequest calldata) internal pure override returns (bytes32) {
        return "RetentionOnly";
    }
}
