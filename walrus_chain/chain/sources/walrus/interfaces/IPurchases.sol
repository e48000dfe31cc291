// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {PoolId} from "../types/PoolId.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @notice What a policy answers whose reads cost everybody the same at any time.
interface IFixedPrice {
    /// @notice What one read costs, and who is paid: what {IDataPolicy-quote} answers to whatever it is asked. The price is above zero.
    function readTerms() external view returns (Amount price, PoolId pool);
}

/// @notice What a policy that sells time answers.
interface ISubscribable {
    /// @notice What one period costs, how long it is, and who is paid. Price and length are above zero.
    function subscriptionTerms() external view returns (Amount price, uint32 periodSeconds, PoolId pool);
}

/// @title IPurchases
/// @notice Uses of data that are paid on chain beforehand: so many reads of an object, or a time under a policy.
/// @dev Keeps no money: the revenue pool collects it from the buyer. Nothing is ever paid back.
interface IPurchases {
    /// @notice Emitted when reads were bought.
    /// @param payer Who paid; the reader or anybody else.
    /// @param paid For all of them together.
    event ReadsBought(
        uint256 indexed blobObject,
        address indexed reader,
        address indexed payer,
        uint32 count,
        Amount paid,
        PoolId pool
    );

    /// @notice Emitted when time was bought.
    /// @param until The end of all that the reader bought under the policy.
    event Subscribed(
        address indexed policy, address indexed reader, address indexed payer, Timestamp until, Amount paid, PoolId pool
    );

    /// @notice Thrown when nothing is bought, or more than `maximum`: one, when the last read has another price than the first.
    error Purchases_WrongCount(uint32 maximum, uint32 actual);

    /// @notice Thrown when all together costs more than the buyer is ready to pay.
    error Purchases_TooExpensive(Amount maximum, Amount price);

    /// @notice Thrown when reads of the object cost the reader nothing.
    error Purchases_ForFree(uint256 blobObject);

    /// @notice Thrown when what was named as a policy sells no time.
    error Purchases_NotSubscribable(address policy);

    /// @notice Thrown when the time would end more than ten years ahead.
    error Purchases_TooFarAhead(Timestamp latest, Timestamp actual);

    /// @notice Buys `count` more reads of an object for a reader, at the price its policy quotes now for that reader. The paid uses are
    /// the sequences readsOf(before) .. readsOf(after) - 1.
    /// @dev Emits {ReadsBought}.
    /// Notes:
    /// - A policy that is an {IFixedPrice} is asked for that, which costs far less than a quote.
    /// Warning: with a fixed price nobody checks that the object still is certified, nor ever that the reader would be let in: ask
    /// {IBlobPolicies-judge} before.
    /// Requirements:
    /// - The policy must name a price, the same for the first and the last of these reads; the caller must have approved the vault for
    /// it, and hold it.
    /// @param count 1 or more; all that a reader ever buys of an object are at most 2^32 - 1.
    /// @param reader Who may use the data; the caller or anybody else.
    /// @param maximum The most that all of them together may cost.
    /// @param evidence Handed to the policy's quote.
    function buyReads(uint256 blobObject, uint32 count, address reader, Amount maximum, bytes calldata evidence)
        external
        returns (Amount paid);

    /// @notice Buys time under a policy of the kind that sells it ({ISubscribable}), from now or from the end of what was bought.
    /// @dev Emits {Subscribed}.
    /// Warning: the policy is any contract the caller names; what is bought is worth what that policy makes of it.
    /// @param periods 1 or more; the time may reach ten years ahead.
    /// @param reader Who may use the data; the caller or anybody else.
    /// @param maximum The most that all of them together may cost.
    function subscribe(address policy, uint32 periods, address reader, Amount maximum)
        external
        returns (Timestamp until);

    /// @notice How many reads of the object were ever bought for the reader: sequences below it are paid.
    function readsOf(uint256 blobObject, address reader) external view returns (uint32);

    /// @notice Until when the reader bought time under the policy.
    function subscribedUntil(address policy, address reader) external view returns (Timestamp);
}
