// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch} from "../types/Epoch.sol";

/// @notice What an object's first storage slot holds: `flags 8 | end 24 | start 24 | size 40 | owner 160`, highest bits first.
/// @dev One word instead of a struct, so that a call reads it once and writes it once. Zero means that there is no object.
/// Without an owner it is what is left of a deleted object: enough to ask nodes about it until the end.
type BlobFacts is uint256;

using {
    ownerOf,
    sizeOf,
    startOf,
    endOf,
    isDeletable,
    isCertified,
    isGoverned,
    wasGiven,
    withOwner,
    withEnd,
    withCertificate,
    withPolicies
} for BlobFacts global;

uint256 constant SIZE_SHIFT = 160;
uint256 constant START_SHIFT = 200;
uint256 constant END_SHIFT = 224;
uint256 constant DELETABLE_FLAG = 1 << 248;
uint256 constant CERTIFIED_FLAG = 1 << 249;
uint256 constant GOVERNED_FLAG = 1 << 250;
uint256 constant GIVEN_FLAG = 1 << 251;
uint256 constant END_MASK = uint256(type(uint24).max) << END_SHIFT;

/// @notice The facts of a new object.
/// @param end The first epoch that is not paid.
function newBlobFacts(address owner, uint40 size, uint24 start, uint24 end, bool deletable) pure returns (BlobFacts) {
    return BlobFacts.wrap(
        uint160(owner) | uint256(size) << SIZE_SHIFT | uint256(start) << START_SHIFT | uint256(end) << END_SHIFT
            | (deletable ? DELETABLE_FLAG : 0)
    );
}

function ownerOf(BlobFacts facts) pure returns (address) {
    return address(uint160(BlobFacts.unwrap(facts)));
}

function sizeOf(BlobFacts facts) pure returns (uint64) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return uint40(BlobFacts.unwrap(facts) >> SIZE_SHIFT);
}

function startOf(BlobFacts facts) pure returns (Epoch) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return Epoch.wrap(uint24(BlobFacts.unwrap(facts) >> START_SHIFT));
}

function endOf(BlobFacts facts) pure returns (Epoch) {
    // The cast cuts the field out.
    // forge-lint: disable-next-line(unsafe-typecast)
    return Epoch.wrap(uint24(BlobFacts.unwrap(facts) >> END_SHIFT));
}

function isDeletable(BlobFacts facts) pure returns (bool) {
    return BlobFacts.unwrap(facts) & DELETABLE_FLAG != 0;
}

function isCertified(BlobFacts facts) pure returns (bool) {
    return BlobFacts.unwrap(facts) & CERTIFIED_FLAG != 0;
}

/// @notice Whether the object has policies, which are asked and told.
function isGoverned(BlobFacts facts) pure returns (bool) {
    return BlobFacts.unwrap(facts) & GOVERNED_FLAG != 0;
}

/// @notice Whether the object has an owner who did not register it.
function wasGiven(BlobFacts facts) pure returns (bool) {
    return BlobFacts.unwrap(facts) & GIVEN_FLAG != 0;
}

/// @notice The same facts of another owner, who was given the object; of nobody when zero.
function withOwner(BlobFacts facts, address owner) pure returns (BlobFacts) {
    uint256 given = owner == address(0) ? 0 : GIVEN_FLAG;
    return BlobFacts.wrap(BlobFacts.unwrap(facts) >> SIZE_SHIFT << SIZE_SHIFT | uint160(owner) | given);
}

/// @notice The same facts with another end.
function withEnd(BlobFacts facts, uint24 end) pure returns (BlobFacts) {
    return BlobFacts.wrap(BlobFacts.unwrap(facts) & ~END_MASK | uint256(end) << END_SHIFT);
}

/// @notice The same facts, certified.
function withCertificate(BlobFacts facts) pure returns (BlobFacts) {
    return BlobFacts.wrap(BlobFacts.unwrap(facts) | CERTIFIED_FLAG);
}

/// @notice The same facts, with policies.
function withPolicies(BlobFacts facts) pure returns (BlobFacts) {
    return BlobFacts.wrap(BlobFacts.unwrap(facts) | GOVERNED_FLAG);
}
