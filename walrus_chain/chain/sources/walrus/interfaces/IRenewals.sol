// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";

/// @title IRenewals
/// @notice Evergreen objects: a balance from which anybody may have an object's term extended, for a tip.
/// @dev Flow: the owner {setTerms}s -> anybody {fund}s -> whoever sees that the end is near calls {renew} -> the owner may {withdraw}.
/// The balance belongs to the object: whoever owns it may take it out.
interface IRenewals {
    /// @notice How an object is renewed.
    /// @param epochs By how many each renewal extends the term: 1 or more.
    /// @param lead A renewal is due when at most so many epochs are left, the present one included: 1 or more.
    /// @param tip For whoever renews.
    struct Terms {
        uint32 epochs;
        uint32 lead;
        Amount tip;
    }

    /// @notice Emitted when an owner said how its object is renewed.
    event RenewalTermsSet(uint256 indexed blobObject, address indexed owner, uint32 epochs, uint32 lead, Amount tip);

    /// @notice Emitted when a balance grew.
    /// @param balance The new one.
    event RenewalFunded(uint256 indexed blobObject, address indexed payer, Amount amount, Amount balance);

    /// @notice Emitted when a term was extended.
    /// @param price What the storage fees took; the tip came on top.
    event Renewed(uint256 indexed blobObject, address indexed renewer, Epoch newEnd, Amount price, Amount tip);

    /// @notice Emitted when an owner took something out of the balance.
    event RenewalWithdrawn(uint256 indexed blobObject, address indexed to, Amount amount);

    /// @notice Thrown when the caller does not own the object.
    /// @param owner Who does; of an object that is no more, who set its terms last.
    error Renewals_CallerNotOwner(uint256 blobObject, address owner, address caller);

    /// @notice Thrown when terms have no epoch or lead, or lead and epochs together are more than can be paid ahead.
    /// @param maximum What they may be together.
    error Renewals_WrongTerms(uint32 epochs, uint32 lead, uint32 maximum);

    /// @notice Thrown when the owner did not say how the object is renewed; to {fund}, the present one.
    error Renewals_NoTerms(uint256 blobObject);

    /// @notice Thrown when the object's term cannot be extended: unknown, expired or invalid.
    error Renewals_NotLive(uint256 blobObject);

    /// @notice Thrown when the object's end is too far away. `dueFrom` is the first epoch in which a renewal is due.
    error Renewals_NotDue(uint256 blobObject, Epoch end, Epoch dueFrom);

    /// @notice Thrown when the balance does not cover price and tip, or what is to be withdrawn.
    error Renewals_BalanceTooSmall(uint256 blobObject, Amount required, Amount balance);

    /// @notice Thrown when nothing is paid in or taken out.
    error Renewals_ZeroAmount();

    /// @notice Says how an object is renewed, anew each time. Only the owner.
    /// @dev Emits {RenewalTermsSet}.
    /// Requirements:
    /// - epochs + lead must be at most {IStorageFees-maximumEpochs}, so that a renewal that is due can be paid.
    function setTerms(uint256 blobObject, Terms calldata terms) external;

    /// @notice Adds to an object's balance. Anyone may pay, for an object that is live and has terms of its present owner.
    /// @dev Emits {RenewalFunded}.
    /// Warning: the balance is the owner's, whoever paid it.
    function fund(uint256 blobObject, Amount amount) external;

    /// @notice Extends the object's term from its balance; the tip becomes the caller's claim in the vault. Anyone may call.
    /// @dev Emits {Renewed}.
    /// Requirements:
    /// - The object must be live, its renewal due, and the balance cover today's price of the extension and the tip.
    function renew(uint256 blobObject) external returns (Epoch newEnd);

    /// @notice Takes `amount` of an object's balance out. Only the owner; when the object is no more, who set its terms last.
    /// @dev Emits {RenewalWithdrawn}.
    function withdraw(uint256 blobObject, Amount amount, address to) external;

    /// @notice Whether {renew} would extend the term now.
    function isDue(uint256 blobObject) external view returns (bool);

    /// @notice How the object is renewed; all zero when nobody said.
    function termsOf(uint256 blobObject) external view returns (Terms memory);

    /// @notice What is there for the object's renewals.
    function balanceOf(uint256 blobObject) external view returns (Amount);
}
