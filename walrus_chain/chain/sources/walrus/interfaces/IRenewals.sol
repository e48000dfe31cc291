// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";

/// @title IRenewals
/// @notice Evergreen objects: a balance from which anybody may have an object's term extended, for a tip.
/// @dev Flow: the owner {setTerms}s -> anybody {fund}s -> whoever sees that the end is near calls {renew} -> the owner may {withdraw}.
/// The balance belongs to the object: whoever owns it may take it out.
interface IRenewals {
    /// @param epochs By how many each renewal extends the term: 1 or more.
    /// @param lead A renewal is due when at most so many epochs are left, the present one included: 1 or more.
    /// @param tip For whoever renews.
    struct Terms {
        uint32 epochs;
        uint32 lead;
        Amount tip;
    }

    event RenewalTermsSet(uint256 indexed blobObject, uint32 epochs, uint32 lead, Amount tip);
    event RenewalFunded(uint256 indexed blobObject, address indexed payer, Amount amount, Amount balance);
    event Renewed(uint256 indexed blobObject, address indexed renewer, Epoch newEnd, Amount price, Amount tip);
    event RenewalWithdrawn(uint256 indexed blobObject, address indexed to, Amount amount);

    error Renewals_CallerNotOwner(uint256 blobObject, address owner, address caller);
    error Renewals_WrongTerms(uint32 epochs, uint32 lead);
    error Renewals_NoTerms(uint256 blobObject);
    error Renewals_NotLive(uint256 blobObject);
    error Renewals_NotDue(uint256 blobObject, Epoch end, Epoch dueFrom);
    error Renewals_BalanceTooSmall(uint256 blobObject, Amount required, Amount balance);
    error Renewals_ZeroAmount();

    function setTerms(uint256 blobObject, Terms calldata terms) external;
    function fund(uint256 blobObject, Amount amount) external;
    /// @notice Extends the object's term from its balance; the tip becomes the caller's claim in the vault. Anyone may call.
    function renew(uint256 blobObject) external returns (Epoch newEnd);
    function withdraw(uint256 blobObject, Amount amount, address to) external;
    function isDue(uint256 blobObject) external view returns (bool);
    function termsOf(uint256 blobObject) external view returns (Terms memory);
    function balanceOf(uint256 blobObject) external view returns (Amount);
}
