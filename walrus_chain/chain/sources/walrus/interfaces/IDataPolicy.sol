// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {Epoch} from "../types/Epoch.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @notice What somebody wants to do with the data of a blob object.
enum Action {
    None,
    Read,
    Compute
}

/// @notice One use of the data of a blob object, as a policy sees it.
/// @param requester Who wants it; the account whose signature the storage agents checked.
/// @param blobObject The object.
/// @param blobId Its blob.
/// @param owner Its owner.
/// @param action What for.
/// @param program The blob id of the program that would run on the data, which commits to all its bytes; zero for reads.
/// @param sequence Which use by this requester of this object it is, counted from 0. Agents serve each once.
/// @param evidence What the requester shows: a Merkle proof, a credential's id. At most 4,096 bytes. Each kind of policy says
/// what it expects; a combinator expects `abi.encode(bytes[])`, one entry for each operand.
struct AccessRequest {
    address requester;
    uint256 blobObject;
    BlobId blobId;
    address owner;
    Action action;
    bytes32 program;
    uint64 sequence;
    bytes evidence;
}

/// @title IDataPolicy
/// @notice The rules of a blob object: who may use its data, at what price, and what its owner may not do to it.
/// @dev An object has two places for such a contract, see {IBlobPolicies}: its *access* policy is asked by {evaluate} and
/// {quote}, its *retention* policy by the views of retention. One contract may fill both.
///
/// Deny by default: no code, a revert, too much gas or returned bytes, an unknown answer, all deny. Storage agents ask at one
/// block that the requester names, so every agent gets the same answer.
///
/// Warning: do not answer by `gasleft()`, `msg.sender`, `tx.origin` or `block.coinbase`: the first is fixed by the protocol, the
/// others are whoever happens to ask.
interface IDataPolicy is IERC165 {
    /// @notice Decides a use of the data.
    /// @dev Called by STATICCALL with {IBlobPolicies-evaluationGas}.
    /// @return answer `ALLOW` or `DENY` of {PolicyAnswers}; everything else denies, and counts as a failure of the policy.
    /// @return ttlSeconds For how long a requester may rely on an answer that allows; agents do not keep answers longer.
    /// @return reason When denied, the clause that failed in up to 32 ASCII characters, such as `CredentialExpired`.
    function evaluate(AccessRequest calldata request)
        external
        view
        returns (bytes4 answer, uint32 ttlSeconds, bytes32 reason);

    /// @notice What a use that is allowed costs.
    /// @return token WAL, or zero when it is free. Any other token is refused.
    /// @return amount For this one use.
    /// @return pool The revenue pool that is paid.
    function quote(AccessRequest calldata request) external view returns (address token, Amount amount, PoolId pool);

    /// @notice Whether the owner may delete the object now.
    function canDelete(uint256 blobObject) external view returns (bool);

    /// @notice Whether the object may go from its owner to `to` now.
    function canTransfer(uint256 blobObject, address to) external view returns (bool);

    /// @notice Whether this contract may be replaced as the object's policy now; `next` is zero when it would have none.
    function canReplace(uint256 blobObject, address next) external view returns (bool);

    /// @notice The first epoch in which the object need not be stored any more; before, it is not deleted.
    function minimumEndEpoch(uint256 blobObject) external view returns (Epoch);

    /// @notice From when on agents release no key of the object and destroy what they need to make one; zero for never.
    function destroyAt(uint256 blobObject) external view returns (Timestamp);

    /// @notice Which hooks the contract wants: bit 0 {onCertified}, 1 {onExtended}, 2 {onRead}, 3 {onExpired}. Asked once,
    /// when the policy is attached.
    function hooks() external view returns (uint8);

    /// @notice Tells that the network took responsibility for the object.
    /// @dev Hooks are called by {IBlobPolicies} with {IBlobPolicies-hookGas} after all state is final; their failure
    /// changes nothing. Whoever relies on a hook checks that the caller is that contract.
    function onCertified(uint256 blobObject) external;

    /// @notice Tells that the object's term became longer.
    function onExtended(uint256 blobObject, Epoch newEnd) external;

    /// @notice Tells that uses of the object's data were bought on chain.
    function onRead(uint256 blobObject, address reader, uint32 count, Amount paid) external;

    /// @notice Tells that the object's term is over; once, when somebody says so.
    function onExpired(uint256 blobObject) external;

    /// @notice What kind of policy this is, in up to 32 ASCII characters, such as `Credential`.
    function kind() external view returns (bytes32);

    /// @notice How many levels of policies this one asks: 0 for one that asks none.
    function depth() external view returns (uint8);
}
