// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICommittee} from "../interfaces/ICommittee.sol";
import {IStorageFees} from "../interfaces/IStorageFees.sol";
import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {RedStuffMath} from "../libraries/RedStuffMath.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {FeeLine} from "./FeeLine.sol";
import {NEVER, PricePeriod, newPricePeriod} from "./PricePeriod.sol";

/// @title StorageFees
/// @notice Prices storage and keeps the income of each epoch as differences.
/// @dev A term [start, end) at some rate adds the rate to the line of `start` and takes it from the line of `end`. The sum
/// of all rates in an epoch is the sum of the differences up to it. Only lines of the current epoch and later ones are ever
/// written by terms, so lines of past epochs are final and may be settled at leisure.
///
/// A refund or an extension never touches the current epoch: it is earned as a whole when it begins.
///
/// Prices change only for epochs to come, so an object's rate can always be derived again: units of its size times the
/// price of the epoch in which it was registered. A rate is stored only for objects whose extension mixed prices.
///
/// Invariants:
/// - The vault's reserve of this contract equals the income of all epochs, from terms and from the revenue pools, less what the
///   rewards contract paid and burned.
/// - The differences of all unsettled lines, plus the sum in the settled one, are zero: every term ends.
/// - The prices of an epoch that has begun never change.
contract StorageFees is IStorageFees {
    using SafeCast for uint256;
    using SafeCast for int256;

    /// @dev The rate of an object that is not units * price; it may be zero, hence the flag.
    struct MixedRate {
        Amount rate;
        bool mixed;
    }

    uint256 private constant MINIMUM_UNIT_BYTES = 1024;
    uint256 private constant MAXIMUM_UNIT_BYTES = 2 ** 30;
    uint256 private constant MAXIMUM_EPOCHS = type(uint16).max;
    /// @dev A thousand WAL for a unit or a write: the rate of the largest blob stays below 2^104, its longest term below 2^120.
    uint256 private constant MAXIMUM_PRICE = 1000e18;
    Epoch private constant FIRST_EPOCH = Epoch.wrap(1);

    ITokenVault private immutable _vault;
    address private immutable _registry;
    address private immutable _pricesContract;
    address private immutable _rewards;
    address private immutable _pools;
    Timestamp private immutable _genesis;
    uint64 private immutable _epochSeconds;
    uint16 private immutable _shards;
    uint256 private immutable _rows;
    uint256 private immutable _columns;

    /// @inheritdoc IStorageFees
    uint32 public immutable unitBytes;

    /// @inheritdoc IStorageFees
    uint32 public immutable maximumEpochs;

    /// @inheritdoc IStorageFees
    Epoch public settledEpoch;

    /// @dev By epoch. An array as long as epochs can be numbered, of which only what is used takes room, since the place in
    /// it needs no hash.
    FeeLine[2 ** 32] private _lines;

    /// @dev Prices of even and of odd epochs, so that an epoch mostly finds its own with one read: those in the slot of its
    /// parity, unless they are over; then those in the other.
    PricePeriod[2] private _prices;

    /// @dev Every change of prices, in ascending order of their beginnings; their ends are not kept up. Never empty.
    PricePeriod[] private _history;

    mapping(uint256 blobObject => MixedRate) private _mixedRates;

    /// @notice Fixes first prices, and partners for ever.
    /// @param vault Holds the fees; this contract must be one of its modules.
    /// @param committee Gives the clock and the number of shards, which never change.
    /// @param registry The blob registry, the only one that may charge and refund.
    /// @param prices The contract that counts votes, the only one that may set prices.
    /// @param rewards The contract that divides incomes, the only one that may pay them out and burn them.
    /// @param pools The revenue pools, the only ones that may add income of another kind.
    /// @param unitBytes_ Encoded bytes in one unit: 1 KiB to 1 GiB.
    /// @param unitPrice_ Price of one unit for one epoch, until it is changed: at most 1,000 WAL.
    /// @param writeFee_ Paid once for each registration, until it is changed: at most 1,000 WAL.
    /// @param maximumEpochs_ How many epochs may be paid, the current one included: 1 to 65,535.
    constructor(
        ITokenVault vault,
        ICommittee committee,
        address registry,
        address prices,
        address rewards,
        address pools,
        uint32 unitBytes_,
        Amount unitPrice_,
        Amount writeFee_,
        uint32 maximumEpochs_
    ) {
        _checkBounds("registry", 1, type(uint160).max, uint160(registry));
        _checkBounds("prices", 1, type(uint160).max, uint160(prices));
        _checkBounds("rewards", 1, type(uint160).max, uint160(rewards));
        _checkBounds("pools", 1, type(uint160).max, uint160(pools));
        _checkBounds("unitBytes", MINIMUM_UNIT_BYTES, MAXIMUM_UNIT_BYTES, unitBytes_);
        PricePeriod first = _checkedPrices(FIRST_EPOCH, unitPrice_, writeFee_);
        _checkBounds("maximumEpochs", 1, MAXIMUM_EPOCHS, maximumEpochs_);

        _vault = vault;
        _registry = registry;
        _pricesContract = prices;
        _rewards = rewards;
        _pools = pools;
        _genesis = committee.startOf(Epoch.wrap(1));
        _epochSeconds = committee.epochSeconds();
        _shards = committee.shards();
        _rows = RedStuffMath.rows(_shards);
        _columns = RedStuffMath.columns(_shards);
        unitBytes = unitBytes_;
        maximumEpochs = maximumEpochs_;
        (_prices[0], _prices[1]) = (first, first);
        _history.push(first);
    }

    modifier onlyRegistry() {
        if (msg.sender != _registry) revert StorageFees_CallerNotRegistry(_registry, msg.sender);
        _;
    }

    modifier only(address expected) {
        if (msg.sender != expected) revert StorageFees_CallerNotAllowed(expected, msg.sender);
        _;
    }

    /// @inheritdoc IStorageFees
    function charge(uint256 blobObject, address payer, uint64 size, uint32 epochs, Amount unitPrice_, Amount writeFee_)
        external
        onlyRegistry
        returns (Amount rate)
    {
        // Check and effect
        Amount price;
        (rate, price) = _openTerm(unitPrice_, writeFee_, _currentEpoch(), blobObject, payer, size, epochs);

        // Interaction
        _vault.collect(payer, price);
    }

    /// @inheritdoc IStorageFees
    function chargeBatch(address payer, Term[] calldata terms, Amount unitPrice_, Amount writeFee_)
        external
        onlyRegistry
        returns (Amount[] memory rates)
    {
        // Check and effect
        Epoch current = _currentEpoch();
        rates = new Amount[](terms.length);
        Amount total;
        for (uint256 i = 0; i < terms.length; ++i) {
            Amount price;
            (rates[i], price) =
                _openTerm(unitPrice_, writeFee_, current, terms[i].blobObject, payer, terms[i].size, terms[i].epochs);
            total = total + price;
        }

        // Interaction
        _vault.collect(payer, total);
    }

    /// @inheritdoc IStorageFees
    function chargeExtension(uint256 blobObject, address payer, uint64 size, Epoch start, Epoch end, uint32 epochs)
        external
        onlyRegistry
        returns (Amount newRate)
    {
        // Check
        Epoch current = _currentEpoch();
        Amount rate = rateOfObject(blobObject, size, start);
        Amount price;
        (price, newRate) = _priceOfExtension(current, size, rate, end, epochs);

        // Effect: from the next epoch on the new rate instead of the old one, up to the new end instead of the old one.
        Epoch newEnd = end.plus(epochs);
        if (!(newRate == rate)) _mixedRates[blobObject] = MixedRate({rate: newRate, mixed: true});
        _changeRate(current.plus(1), _signed(newRate) - _signed(rate));
        _changeRate(end, _signed(rate));
        _changeRate(newEnd, -_signed(newRate));
        emit TermPaid(blobObject, payer, newRate, current.plus(1), newEnd, price);

        // Interaction
        _vault.collect(payer, price);
    }

    /// @inheritdoc IStorageFees
    function refund(uint256 blobObject, address payee, uint64 size, Epoch start, Epoch end)
        external
        onlyRegistry
        returns (Amount amount)
    {
        // Check
        Epoch current = _currentEpoch();
        Amount rate = rateOfObject(blobObject, size, start);
        amount = rate.times(_paidAhead(current, end));

        // Effect
        _changeRate(current.plus(1), -_signed(rate));
        _changeRate(end, _signed(rate));
        emit TermRefunded(blobObject, payee, amount);

        // Interaction
        _vault.release(payee, amount);
    }

    /// @inheritdoc IStorageFees
    function setPrices(Epoch from, Amount unitPrice_, Amount writeFee_) external only(_pricesContract) {
        // Check
        Epoch current = _currentEpoch();
        if (!(from == current.plus(1))) revert StorageFees_WrongPriceEpoch(current.plus(1), from);
        PricePeriod next = _checkedPrices(from, unitPrice_, writeFee_);

        // Effect: the present prices go where present epochs look, the next ones where the next epoch looks.
        PricePeriod present = _pricesNow(current);
        bool same = next.hasPricesOf(present);
        _prices[_parity(current)] = present.withUntil(same ? NEVER : from);
        _prices[_parity(from)] = same ? present.withUntil(NEVER) : next;
        _remember(next, same);
        emit PricesSet(from, unitPrice_, writeFee_);
    }

    /// @inheritdoc IStorageFees
    function earn(Amount amount) external only(_pools) {
        // Effect: the vault moved it before.
        Epoch current = _currentEpoch();
        _changeLine(current, 0, Amount.unwrap(amount));
        emit IncomeEarned(current, amount);
    }

    /// @inheritdoc IStorageFees
    function payOut(address to, Amount amount) external only(_rewards) {
        _vault.move(to, amount);
    }

    /// @inheritdoc IStorageFees
    function burn(Amount amount) external only(_rewards) {
        _vault.burn(amount);
    }

    /// @inheritdoc IStorageFees
    function settle(uint32 maximum) external returns (Epoch settled) {
        // Check
        settled = settledEpoch;
        uint32 steps = uint32(Math.min(settled.until(_currentEpoch()) - 1, maximum));

        // Effect
        int128 sum = _lines[Epoch.unwrap(settled)].rateOf();
        for (uint32 i = 0; i < steps; ++i) {
            settled = settled.plus(1);
            FeeLine line = _lines[Epoch.unwrap(settled)];
            sum += line.rateOf();
            _lines[Epoch.unwrap(settled)] = line.withRate(sum);
        }
        settledEpoch = settled;
    }

    /// @inheritdoc IStorageFees
    function quote(uint64 size, uint32 epochs) external view returns (Amount total, Amount rate, Amount fee) {
        PricePeriod prices = _pricesNow(_currentEpoch());
        fee = prices.writeFeeOf();
        (total, rate) = _priceOfTerm(prices.unitPriceOf(), fee, size, epochs);
    }

    /// @inheritdoc IStorageFees
    function quoteExtension(uint64 size, Amount rate, Epoch end, uint32 epochs)
        external
        view
        returns (Amount total, Amount newRate)
    {
        return _priceOfExtension(_currentEpoch(), size, rate, end, epochs);
    }

    /// @inheritdoc IStorageFees
    function incomeOf(Epoch epoch) external view returns (Amount) {
        // Every term that is paid today ends before this horizon.
        if (epoch >= _currentEpoch().plus(maximumEpochs)) return Amount.wrap(0);

        FeeLine line = _lines[Epoch.unwrap(epoch)];
        int128 sum = line.rateOf();
        Epoch reached = settledEpoch;
        if (reached < epoch) {
            sum = _lines[Epoch.unwrap(reached)].rateOf();
            while (reached < epoch) {
                reached = reached.plus(1);
                sum += _lines[Epoch.unwrap(reached)].rateOf();
            }
        }
        return Amount.wrap(int256(sum).toUint256().toUint128() + line.oneOffOf());
    }

    /// @inheritdoc IStorageFees
    function unitPrice() external view returns (Amount) {
        return _pricesNow(_currentEpoch()).unitPriceOf();
    }

    /// @inheritdoc IStorageFees
    function writeFee() external view returns (Amount) {
        return _pricesNow(_currentEpoch()).writeFeeOf();
    }

    /// @inheritdoc IStorageFees
    function pricesAt(Epoch epoch) external view returns (Amount, Amount) {
        PricePeriod prices = _pricesAt(epoch);
        return (prices.unitPriceOf(), prices.writeFeeOf());
    }

    /// @inheritdoc IStorageFees
    function maximumPrice() external pure returns (Amount) {
        // A constant of 70 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return Amount.wrap(uint128(MAXIMUM_PRICE));
    }

    /// @inheritdoc IStorageFees
    function unitsOf(uint64 size) public view returns (uint128) {
        // Cannot overflow: a size has 64 bits, its encoding four more at most, and no encoding is empty.
        unchecked {
            return uint128((RedStuffMath.encodedSizeOf(size, _shards, _rows, _columns) - 1) / unitBytes + 1);
        }
    }

    /// @inheritdoc IStorageFees
    function rateOf(uint64 size) public view returns (Amount) {
        return _rateAt(_pricesNow(_currentEpoch()).unitPriceOf(), size);
    }

    /// @inheritdoc IStorageFees
    function rateOfObject(uint256 blobObject, uint64 size, Epoch start) public view returns (Amount) {
        MixedRate memory kept = _mixedRates[blobObject];
        return kept.mixed ? kept.rate : _rateAt(_pricesAt(start).unitPriceOf(), size);
    }

    /// @dev Writes the lines of a new object's term.
    function _openTerm(
        Amount unitPrice_,
        Amount writeFee_,
        Epoch start,
        uint256 blobObject,
        address payer,
        uint64 size,
        uint32 epochs
    ) private returns (Amount rate, Amount price) {
        // Check
        (price, rate) = _priceOfTerm(unitPrice_, writeFee_, size, epochs);

        // Effect
        Epoch end = start.plus(epochs);
        _changeLine(start, _signed(rate), Amount.unwrap(writeFee_));
        _changeRate(end, -_signed(rate));
        emit TermPaid(blobObject, payer, rate, start, end, price);
    }

    /// @dev Changes the sum of all rates from `epoch` on.
    function _changeRate(Epoch epoch, int128 change) private {
        if (change != 0) _changeLine(epoch, change, 0);
    }

    function _changeLine(Epoch epoch, int128 change, uint128 oneOff) private {
        _lines[Epoch.unwrap(epoch)] = _lines[Epoch.unwrap(epoch)].plus(change, oneOff);
    }

    /// @dev Writes prices unless they are the present ones; and in any case in the place of others that were set for the
    /// same epoch before.
    function _remember(PricePeriod prices, bool same) private {
        uint256 last = _history.length - 1;
        if (_history[last].sinceOf() == prices.sinceOf()) _history[last] = prices;
        else if (!same) _history.push(prices);
    }

    function _priceOfTerm(Amount unitPrice_, Amount writeFee_, uint64 size, uint32 epochs)
        private
        view
        returns (Amount price, Amount rate)
    {
        if (epochs == 0 || epochs > maximumEpochs) revert StorageFees_WrongTerm(epochs, maximumEpochs);
        rate = _rateAt(unitPrice_, size);
        // Cannot overflow 256 bits: a rate has 127 bits, epochs have 16, a fee has 70.
        unchecked {
            uint256 total = uint256(Amount.unwrap(rate)) * epochs + Amount.unwrap(writeFee_);
            price = Amount.wrap(total.toUint128());
        }
    }

    /// @dev The payer covers the rounding: the new rate is rounded up, and the price is what it takes to pay it to the end.
    function _priceOfExtension(Epoch current, uint64 size, Amount rate, Epoch end, uint32 epochs)
        private
        view
        returns (Amount price, Amount newRate)
    {
        uint32 ahead = _paidAhead(current, end);
        uint32 room = maximumEpochs - ahead - 1;
        if (epochs == 0 || epochs > room) revert StorageFees_WrongTerm(epochs, room);

        Amount paid = rate.times(ahead);
        Amount needed = paid + rateOf(size).times(epochs);
        newRate = Amount.wrap(uint128(Math.ceilDiv(Amount.unwrap(needed), ahead + epochs)));
        price = newRate.times(ahead + epochs) - paid;
    }

    function _rateAt(Amount unitPrice_, uint64 size) private view returns (Amount) {
        // Cannot overflow: a price has 70 bits, units have 57.
        unchecked {
            return Amount.wrap(Amount.unwrap(unitPrice_) * unitsOf(size));
        }
    }

    /// @dev The prices of the present epoch.
    function _pricesNow(Epoch current) private view returns (PricePeriod prices) {
        uint256 parity = _parity(current);
        prices = _prices[parity];
        if (prices.untilOf() <= current) prices = _prices[1 - parity];
    }

    /// @dev The prices of any epoch. Those of objects that are not older than the last change are where the present ones
    /// are; others are searched for.
    function _pricesAt(Epoch epoch) private view returns (PricePeriod prices) {
        prices = _pricesNow(_currentEpoch());
        if (prices.holdsIn(epoch)) return prices;

        uint256 low = 0;
        uint256 high = _history.length - 1;
        while (low < high) {
            uint256 middle = (low + high + 1) / 2;
            if (_history[middle].sinceOf() <= epoch) low = middle;
            else high = middle - 1;
        }
        return _history[low];
    }

    function _checkedPrices(Epoch since, Amount unitPrice_, Amount writeFee_) private pure returns (PricePeriod) {
        _checkBounds("unitPrice", 0, MAXIMUM_PRICE, Amount.unwrap(unitPrice_));
        _checkBounds("writeFee", 0, MAXIMUM_PRICE, Amount.unwrap(writeFee_));
        return newPricePeriod(unitPrice_, writeFee_, since);
    }

    function _parity(Epoch epoch) private pure returns (uint256) {
        return Epoch.unwrap(epoch) & 1;
    }

    /// @dev The paid epochs of a term after the current one.
    function _paidAhead(Epoch current, Epoch end) private pure returns (uint32) {
        if (end <= current) revert StorageFees_TermOver(end, current);
        return current.until(end) - 1;
    }

    function _currentEpoch() private view returns (Epoch) {
        return EpochClock.current(_genesis, _epochSeconds);
    }

    /// @dev Cannot turn negative: rates stay below 2^104, see {MAXIMUM_PRICE}.
    function _signed(Amount rate) private pure returns (int128) {
        return int128(Amount.unwrap(rate));
    }

    function _checkBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert StorageFees_ParameterOutOfBounds(parameter, minimum, maximum, actual);
        }
    }
}
