// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";

/// @title IStorageFees
/// @notice What storage costs, and the lines that remember for which epochs it was paid.
/// @dev Glossary: a *unit* is a fixed number of encoded bytes; a *rate* is what an object pays for each epoch of its term;
/// a *line* belongs to one epoch and keeps by how much the sum of all rates changes when it begins, and what came in once
/// during it; so a term of any length touches two lines. A line is *settled* once it holds the sum itself.
///
/// Flow: the registry calls {charge}, {chargeExtension} and {refund}; each costs the same however long nobody called.
/// {settle} turns the lines of past epochs into sums, as many as its caller pays for; nothing depends on it but the cost of
/// {incomeOf}.
///
/// Prices hold for whole epochs. An object's rate follows from its size and the price of the epoch in which it was
/// registered, until an extension mixes it with a later price; then it is kept by itself.
///
/// Invariant: the vault's reserve of this contract equals the income of all epochs, past and to come, less what was paid
/// out as rewards and burned.
interface IStorageFees {
    /// @notice Emitted when an object's term was paid.
    event TermPaid(
        uint256 indexed blobObject, address indexed payer, Amount rate, Epoch start, Epoch end, Amount charge
    );

    /// @notice Emitted when unused epochs were paid back as the payee's claim in the vault.
    event TermRefunded(uint256 indexed blobObject, address indexed payee, Amount amount);

    /// @notice Emitted when the revenue pools added to what an epoch earns.
    event IncomeEarned(Epoch indexed epoch, Amount amount);

    /// @notice Emitted when prices were fixed for the epochs from `from` on.
    event PricesSet(Epoch indexed from, Amount unitPrice, Amount writeFee);

    /// @notice Thrown when the caller is not the contract that may do this.
    error StorageFees_CallerNotAllowed(address expected, address caller);

    /// @notice Thrown when prices are set for another epoch than the next one.
    error StorageFees_WrongPriceEpoch(Epoch expected, Epoch actual);

    /// @notice Thrown when the caller is not the blob registry.
    error StorageFees_CallerNotRegistry(address registry, address caller);

    /// @notice Thrown when a term has no epoch, or reaches further than epochs can be paid ahead.
    /// @param epochs What was asked for.
    /// @param maximum How many could be paid now: for an extension what the object's term leaves of {maximumEpochs}.
    error StorageFees_WrongTerm(uint32 epochs, uint32 maximum);

    /// @notice Thrown when the term that is to be extended or refunded is over.
    error StorageFees_TermOver(Epoch end, Epoch currentEpoch);

    /// @notice Thrown at construction when a parameter is outside its bounds. `parameter` is its name.
    error StorageFees_ParameterOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Charges a new object's term, beginning with the current epoch. Only the blob registry.
    /// @dev Emits {TermPaid}. Charge: rate * epochs + write fee.
    /// @param unitPrice_ The unit price of the current epoch. It and the write fee are what {pricesAt} tells: they are final
    /// once the epoch has begun, so the registry asks once an epoch and keeps them where it counts objects.
    /// @return rate The object's rate per epoch.
    function charge(uint256 blobObject, address payer, uint64 size, uint32 epochs, Amount unitPrice_, Amount writeFee_)
        external
        returns (Amount rate);

    /// @notice One object of a batch.
    struct Term {
        uint256 blobObject;
        uint64 size;
        uint32 epochs;
    }

    /// @notice {charge} for several objects of one payer, with one payment.
    function chargeBatch(address payer, Term[] calldata terms, Amount unitPrice_, Amount writeFee_)
        external
        returns (Amount[] memory rates);

    /// @notice Charges `epochs` more epochs at today's price and spreads the rate evenly over what is left. Only the registry.
    /// @dev Emits {TermPaid}. With F paid epochs after the current one:
    /// newRate = ceil((rate * F + units * price * epochs) / (F + epochs)); charge = newRate * (F + epochs) - rate * F.
    /// @param start The epoch in which the object was registered.
    function chargeExtension(uint256 blobObject, address payer, uint64 size, Epoch start, Epoch end, uint32 epochs)
        external
        returns (Amount newRate);

    /// @notice Gives back rate * epochs after the current one, as a claim of `payee`. Only the registry.
    /// @dev Emits {TermRefunded}, also when no epoch is left and the amount is zero.
    /// @param start The epoch in which the object was registered.
    function refund(uint256 blobObject, address payee, uint64 size, Epoch start, Epoch end)
        external
        returns (Amount amount);

    /// @notice Fixes the prices of the epochs from the next one on. Only the contract that counts votes.
    /// @dev Emits {PricesSet}. Replaces prices that were set for the same epoch.
    /// Requirements:
    /// - `from` must be the next epoch, the prices within their bounds.
    function setPrices(Epoch from, Amount unitPrice, Amount writeFee) external;

    /// @notice Adds `amount`, which was moved to this contract's reserve before, to what the present epoch earns once. Only the
    /// revenue pools.
    /// @dev Emits {IncomeEarned}.
    function earn(Amount amount) external;

    /// @notice Hands `amount` of the fees of past epochs to the reserve of `to`. Only the rewards contract.
    function payOut(address to, Amount amount) external;

    /// @notice Burns `amount` of the fees of past epochs. Only the rewards contract.
    function burn(Amount amount) external;

    /// @notice The price of a new object: what {charge} would take.
    function quote(uint64 size, uint32 epochs) external view returns (Amount total, Amount rate, Amount fee);

    /// @notice The price of an extension: what {chargeExtension} would take.
    /// @param rate What the object pays for each epoch so far.
    function quoteExtension(uint64 size, Amount rate, Epoch end, uint32 epochs)
        external
        view
        returns (Amount total, Amount newRate);

    /// @notice What the network earns in an epoch from all terms, plus what came in once during it: write fees and {earn}.
    /// @dev Costs a step for each epoch between the last settled one and `epoch`. Final once the epoch is over.
    function incomeOf(Epoch epoch) external view returns (Amount);

    /// @notice Settles the lines of at most `maximum` epochs that are over. Anyone may call, at any time or never.
    /// @dev Changes no income, only what asking for it costs: a line is read and written for each epoch, once.
    /// @return settled {settledEpoch} afterwards.
    function settle(uint32 maximum) external returns (Epoch settled);

    /// @notice The last epoch whose line is settled; zero at first.
    function settledEpoch() external view returns (Epoch);

    /// @notice Bytes of encoded data in one unit.
    function unitBytes() external view returns (uint32);

    /// @notice Price of one unit for one epoch, in the present epoch.
    function unitPrice() external view returns (Amount);

    /// @notice Paid once for each registration, in the present epoch.
    function writeFee() external view returns (Amount);

    /// @notice The prices of an epoch that has begun, or of the next one as far as they are known.
    function pricesAt(Epoch epoch) external view returns (Amount unitPrice, Amount writeFee);

    /// @notice The most that a unit price or a write fee may be.
    function maximumPrice() external view returns (Amount);

    /// @notice How many epochs ahead may be paid.
    function maximumEpochs() external view returns (uint32);

    /// @notice The units that a blob of `size` bytes is charged for: of its encoded size, rounded up.
    function unitsOf(uint64 size) external view returns (uint128);

    /// @notice What a blob of `size` bytes costs for each epoch at today's price.
    function rateOf(uint64 size) external view returns (Amount);

    /// @notice What an object pays for each epoch of its term.
    /// @param start The epoch in which it was registered.
    function rateOfObject(uint256 blobObject, uint64 size, Epoch start) external view returns (Amount);
}
