"""Vouchers that are not taken. Each names what was wanted and what came, so that the payer can give a better one."""

from __future__ import annotations

from walrus_chain.errors.roots import Misuse, Untrusted


class VoucherRefused(Untrusted):
    """A voucher that pays nothing, or not this."""


class WrongChannel(VoucherRefused):
    """A voucher of another channel than the one that was looked at."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the voucher is of channel {actual}, not of channel {expected}")
        self.expected, self.actual = expected, actual


class ChannelIsClosing(VoucherRefused):
    """The channel is being closed, or is closed; pay from another."""

    def __init__(self, channel: int, closes_at: int) -> None:
        super().__init__(f"channel {channel} is closing or closed (at {closes_at}); open another")
        self.channel, self.closes_at = channel, closes_at


class WrongVoucherSigner(VoucherRefused):
    """A voucher that the channel's signer did not sign."""

    def __init__(self, channel: int, expected: object) -> None:
        super().__init__(f"the voucher is not signed by {expected}, the signer of channel {channel}")
        self.channel, self.expected = channel, expected


class WrongPurpose(VoucherRefused):
    """A voucher for another use."""

    def __init__(self, expected: bytes, actual: bytes) -> None:
        super().__init__(f"the voucher pays for use 0x{actual.hex()}, not for 0x{expected.hex()}")
        self.expected, self.actual = expected, actual


class WrongPool(VoucherRefused):
    """The channel pays another revenue pool than the one that the use is owed to."""

    def __init__(self, channel: int, expected: int, actual: int) -> None:
        super().__init__(f"channel {channel} pays pool {actual}, the use is owed to pool {expected}")
        self.channel, self.expected, self.actual = channel, expected, actual


class AmountTooSmall(VoucherRefused):
    """A voucher for less than the price, or for more than it promises in all."""

    def __init__(self, required: int, actual: int) -> None:
        super().__init__(f"the voucher must pay at least {required} wei; it pays {actual}")
        self.required, self.actual = required, actual


class AboveDeposit(VoucherRefused):
    """A voucher that promises more than lies in the channel; top it up."""

    def __init__(self, channel: int, deposit: int, cumulative: int) -> None:
        super().__init__(f"{cumulative} wei are promised in all, channel {channel} holds {deposit}; top it up")
        self.channel, self.deposit, self.cumulative = channel, deposit, cumulative


class UseCostsMore(Misuse):
    """A use that a voucher was given for costs more now than then."""

    def __init__(self, promised: int, price: int) -> None:
        super().__init__(
            f"the use was paid with {promised} wei and now costs {price}; pay it as another use, with the next sequence"
        )
        self.promised, self.price = promised, price
