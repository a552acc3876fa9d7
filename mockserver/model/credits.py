"""Credits, exact to the last decimal."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Final

from safelight.contracts.wording import echoed

#: Whole credits are an int, as most are; the rest are decimals, which add up without rounding.
Credits = int | Decimal

#: Twelve digits and three decimals: also a double, which is what JSON has, carries them exactly.
_FORM: Final = re.compile(r"\d{1,12}(\.\d{1,3})?", re.ASCII)


def is_credits(value: object) -> bool:
    """It can be a number of credits."""
    return not isinstance(value, bool) and bool(_FORM.fullmatch(_written(value)))


def _written(value: object) -> str:
    if isinstance(value, int) and abs(value) >= _MAX_CREDITS:
        return "more than 12 digits"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


_MAX_CREDITS: Final = 10**12


def credits_of(value: object, name: str = "balance") -> Credits:
    """Credits as people write them: `1000`, `12.5`. Raises `ValueError` with a sentence."""
    written = _written(value)
    if not is_credits(value):
        raise ValueError(
            f"{echoed(written)} is no {name}: write credits, 0 or more, with at most 3 decimals: 1000, 12.5"
        )
    exact = Decimal(written)
    return int(exact) if exact == int(exact) else exact


def plus(one: Credits, other: Credits) -> Credits:
    """The exact sum, whatever the caller's decimals are set to."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return _EXACT.add(Decimal(one), Decimal(other))


def times(amount: Credits, factor: float) -> Credits:
    """The exact product, the factor as it is written in decimals."""
    if factor == 1:
        return amount
    exact = _EXACT.multiply(Decimal(amount), Decimal(str(factor)))
    return int(exact) if exact == int(exact) else exact


#: Digits enough for all credits there are.
_EXACT: Final = Context(prec=60)


def signed(amount: Credits) -> str:
    """`+10`, `-12.5`: with a sign, and no decimals that say nothing."""
    return f"{_EXACT.normalize(Decimal(amount)):+f}"
