// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";

/// @title IStorageFees
/// @notice What storage costs, and the ring of epochs that remembers for which epochs it was paid.
/// @dev Glossary: a *unit* is a fixed number of encoded bytes; a *rate* is what an object pays for each epoch of its term.
/// The ring keeps, for each epoch, by how much the sum of all rates changes when it begins, and what came in once; so a
/// term of any length touches two lines.
///
/// Invariant: the vault's reserve of this contract equals the income of all epochs, past and to come.
interface IStorageFees {
    /// @notice Emitted when an object's term was paid.
    event TermPaid(uint256 indexed blobObject, address indexed payer, Amount rate, Epoch start, Epoch end, Amount charge);

    /// @notice Emitted when unused epochs were paid back as the payee's claim in the vault.
    event TermRefunded(uint256 indexed blobObject, address indexed payee, Amount amount);

    /// @notice Thrown when the caller is not the blob registry.
    error StorageFees_CallerNotRegistry(address registry, address caller);

    /// @notice Thrown when a term has no epoch, or reaches further than epochs can be paid ahead.
    error StorageFees_WrongTerm(uint32 epochs, uint32 maximum);

    /// @notice Charges a new object's term, beginning with the current epoch. Only the blob registry.
    /// @dev Emits {TermPaid}. Charge: rate * epochs + write fee.
    /// @return rate The object's rate per epoch.
    function charge(uint256 blobObject, address payer, uint64 size, uint32 epochs) external returns (Amount rate);

    /// @notice One object of a batch.
    struct Term {
        uint256 blobObject;
        uint64 size;
        uint32 epochs;
    }

    /// @notice {charge} for several objects of one payer, with one payment.
    function chargeBatch(address payer, Term[] calldata terms) external returns (Amount[] memory rates);

    /// @notice Charges `epochs` more epochs at today's price and spreads the rate evenly over what is left. Only the registry.
    /// @dev Emits {TermPaid}. With F paid epochs after the current one:
    /// newRate = ceil((rate * F + units * price * epochs) / (F + epochs)); charge = newRate * (F + epochs) - rate * F.
    function chargeExtension(uint256 blobObject, address payer, uint64 size, Amount rate, Epoch end, uint32 epochs)
        external
        returns (Amount newRate);

    /// @notice Gives back rate * epochs after the current one, as a claim of `payee`. Only the registry.
    /// @dev Emits {TermRefunded}.
    function refund(uint256 blobObject, address payee, Amount rate, Epoch end) external returns (Amount amount);

    /// @notice The price of a new object: what {charge} would take.
    function quote(uint64 size, uint32 epochs) external view returns (Amount total, Amount rate, Amount fee);

    /// @notice The price of an extension: what {chargeExtension} would take.
    function quoteExtension(uint64 size, Amount rate, Epoch end, uint32 epochs)
        external
        view
        returns (Amount total, Amount newRate);

    /// @notice What the network earns in an epoch from all terms, plus what came in once during it.
    /// @dev Costs a step for each epoch between the last settled one and `epoch`.
    function incomeOf(Epoch epoch) external view returns (Amount);

    /// @notice Bytes of encoded data in one unit.
    function unitBytes() external view returns (uint32);

    /// @notice Price of one unit for one epoch.
    function unitPrice() external view returns (Amount);

    /// @notice Paid once for each registration.
    function writeFee() external view returns (Amount);

    /// @notice How many epochs ahead may be paid.
    function maximumEpochs() external view returns (uint32);

    /// @notice The units that a blob of `size` bytes is charged for.
    function unitsOf(uint64 size) external view returns (uint128);
}
