// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {IRenewals} from "../interfaces/IRenewals.sol";
import {IStorageFees} from "../interfaces/IStorageFees.sol";
import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {IWAL} from "../interfaces/IWAL.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {Timestamp} from "../types/Timestamp.sol";

/// @title Renewals
/// @notice Extends terms from balances that belong to objects.
/// @dev Flow: {setTerms} -> {fund} -> {renew}, each time the end is near -> {withdraw}.
///
/// Balances lie in this contract's reserve in the vault. For a renewal the price is paid out to this contract, which pays it to the
/// registry like any other account; so nothing in the registry knows of renewals, and between calls this contract holds no token.
///
/// A policy of the object may be called inside a renewal ({IDataPolicy-onExtended}). The balance is lowered before, and the object
/// is extended then, so a renewal inside is judged like any later one.
///
/// Invariant: the vault's reserve of this contract is the sum of all balances.
contract Renewals is IRenewals {
    using SafeERC20 for IWAL;

    /// @dev One slot for the terms, one for who set them last.
    struct Kept {
        uint32 epochs;
        uint32 lead;
        Amount tip;
        address setBy;
    }

    ITokenVault private immutable _vault;
    IBlobRegistry private immutable _registry;
    IStorageFees private immutable _fees;
    Timestamp private immutable _genesis;
    uint64 private immutable _epochSeconds;

    mapping(uint256 blobObject => Kept) private _kept;

    /// @inheritdoc IRenewals
    mapping(uint256 blobObject => Amount) public balanceOf;

    /// @notice Fixes the partners for ever, and lets the vault collect what renewals cost.
    /// @param vault Holds the balances; this contract must be one of its modules.
    /// @param token What the vault holds.
    /// @param registry Keeps the objects.
    /// @param fees Prices extensions.
    /// @param committee Gives the clock, which never changes.
    constructor(ITokenVault vault, IWAL token, IBlobRegistry registry, IStorageFees fees, ICommittee committee) {
        _vault = vault;
        _registry = registry;
        _fees = fees;
        _genesis = committee.startOf(Epoch.wrap(1));
        _epochSeconds = committee.epochSeconds();
        token.forceApprove(address(vault), type(uint256).max);
    }

    /// @inheritdoc IRenewals
    function setTerms(uint256 blobObject, Terms calldata terms) external {
        // Check
        _checkOwner(blobObject);
        uint32 maximum = _fees.maximumEpochs();
        if (terms.epochs == 0 || terms.lead == 0 || uint256(terms.epochs) + terms.lead > maximum) {
            revert Renewals_WrongTerms(terms.epochs, terms.lead, maximum);
        }

        // Effect
        _kept[blobObject] = Kept({epochs: terms.epochs, lead: terms.lead, tip: terms.tip, setBy: msg.sender});
        emit RenewalTermsSet(blobObject, msg.sender, terms.epochs, terms.lead, terms.tip);
    }

    /// @inheritdoc IRenewals
    function fund(uint256 blobObject, Amount amount) external {
        // Check
        if (amount.isZero()) revert Renewals_ZeroAmount();
        Kept memory kept = _termsSet(blobObject);
        if (!_isLive(_registry.statusOf(blobObject))) revert Renewals_NotLive(blobObject);
        // Terms of an owner before could name a tip that takes it all, and after a deletion the rest would be that owner's.
        if (kept.setBy != _registry.ownerOf(blobObject)) revert Renewals_NoTerms(blobObject);

        // Effect
        Amount balance = balanceOf[blobObject] + amount;
        balanceOf[blobObject] = balance;
        emit RenewalFunded(blobObject, msg.sender, amount, balance);

        // Interaction
        _vault.collect(msg.sender, amount);
    }

    /// @inheritdoc IRenewals
    function renew(uint256 blobObject) external returns (Epoch newEnd) {
        // Check
        Kept memory kept = _termsSet(blobObject);
        IBlobRegistry.BlobObject memory blob = _registry.blobOf(blobObject);
        if (!_isLive(blob.status)) revert Renewals_NotLive(blobObject);
        if (!_isNear(blob.end, kept.lead)) {
            revert Renewals_NotDue(blobObject, blob.end, Epoch.wrap(Epoch.unwrap(blob.end) - kept.lead));
        }
        (Amount price,) = _fees.quoteExtension(blob.size, blob.rate, blob.end, kept.epochs);

        // Effect
        _takeOut(blobObject, price + kept.tip);
        newEnd = blob.end.plus(kept.epochs);
        emit Renewed(blobObject, msg.sender, newEnd, price, kept.tip);

        // Interaction: the registry collects the price from this contract.
        _vault.pay(address(this), price);
        _registry.extend(blobObject, kept.epochs);
        if (!kept.tip.isZero()) _vault.release(msg.sender, kept.tip);
    }

    /// @inheritdoc IRenewals
    function withdraw(uint256 blobObject, Amount amount, address to) external {
        // Check
        if (amount.isZero()) revert Renewals_ZeroAmount();
        _checkOwner(blobObject);

        // Effect
        _takeOut(blobObject, amount);
        emit RenewalWithdrawn(blobObject, to, amount);

        // Interaction
        _vault.pay(to, amount);
    }

    /// @inheritdoc IRenewals
    function isDue(uint256 blobObject) external view returns (bool) {
        Kept memory kept = _kept[blobObject];
        IBlobRegistry.BlobObject memory blob = _registry.blobOf(blobObject);
        if (kept.epochs == 0 || !_isLive(blob.status) || !_isNear(blob.end, kept.lead)) return false;
        (Amount price,) = _fees.quoteExtension(blob.size, blob.rate, blob.end, kept.epochs);
        Amount balance = balanceOf[blobObject];
        return kept.tip <= balance && price <= balance - kept.tip;
    }

    /// @inheritdoc IRenewals
    function termsOf(uint256 blobObject) external view returns (Terms memory) {
        Kept memory kept = _kept[blobObject];
        return Terms({epochs: kept.epochs, lead: kept.lead, tip: kept.tip});
    }

    /// @dev Lowers a balance.
    function _takeOut(uint256 blobObject, Amount amount) private {
        // Check
        Amount balance = balanceOf[blobObject];
        if (amount > balance) revert Renewals_BalanceTooSmall(blobObject, amount, balance);

        // Effect
        balanceOf[blobObject] = balance - amount;
    }

    function _termsSet(uint256 blobObject) private view returns (Kept memory kept) {
        kept = _kept[blobObject];
        if (kept.epochs == 0) revert Renewals_NoTerms(blobObject);
    }

    /// @dev The caller owns the object, or set the terms of one that nobody owns any more.
    function _checkOwner(uint256 blobObject) private view {
        address owner = _registry.blobOf(blobObject).owner;
        if (owner == address(0)) owner = _kept[blobObject].setBy;
        if (msg.sender != owner) revert Renewals_CallerNotOwner(blobObject, owner, msg.sender);
    }

    /// @dev Whether at most `lead` epochs are left of a term that is not over, the present one included.
    function _isNear(Epoch end, uint32 lead) private view returns (bool) {
        return EpochClock.current(_genesis, _epochSeconds).until(end) <= lead;
    }

    function _isLive(IBlobRegistry.Status status) private pure returns (bool) {
        return status == IBlobRegistry.Status.Registered || status == IBlobRegistry.Status.Certified;
    }
}
