"""Groups of returns whose error rates are compared.

They are made for the audit alone: nothing here is an input of the model. A row whose group cannot be told is in the
group `unknown`, which is compared like the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.signals import ModelFeature
from training.dataset import Rows
from training.errors import TrainingError

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]

UNKNOWN: Final = "unknown"

#: What is compared, by the name of its column, as a heading for people.
SEGMENTS: Final = {
    "country": "Country of the order",
    "channel": "Channel of the order",
    "tenure": "Time since the customer's first order",
    "size_range": "Size range of the main item",
    "household": "Address shared with other customers",
    "bracketing": "Several items of one kind in the order",
}

#: Upper ends of the bands of tenure, in days.
TENURE_BANDS: Final = ((90.0, "under 3 months"), (365.0, "3 to 12 months"), (730.0, "1 to 2 years"))
_LONG: Final = "2 years or more"

_LETTERS: Final = re.compile(r"(?:.*[-_/ .:])(XXS|XS|S|M|L|(?:X{1,5}|[2-5]X)L)", re.IGNORECASE)
_NUMBERS: Final = re.compile(r"(?:.*[-_/ .:])(\d{2}(?:[.,]5)?)")
_SMALL_LETTERS: Final = frozenset({"XXS", "XS"})
_USUAL_LETTERS: Final = frozenset({"S", "M", "L"})
#: Two-digit numbers that are sizes of clothes and shoes somewhere.
_NUMBERS_FROM_TO: Final = (16.0, 64.0)
#: Numeric sizes below the 10th and above the 90th percentile of their category are small and large.
_TAILS: Final = (10.0, 90.0)


def segments(rows: Rows, features: Sequence[ModelFeature]) -> pd.DataFrame:
    """The group of each row in each of `SEGMENTS`: (n rows, one column of words each), indexed 0 to n - 1.

    Raises:
        TrainingError: `features` lacks one that groups are made of.
    """
    context = rows.context
    return pd.DataFrame(
        {
            "country": _words(context["country"]),
            "channel": _words(context["channel"]),
            "tenure": tenure(_column(rows, features, "customer_tenure_days")),
            "size_range": size_range(context["sku"], context["category"]),
            "household": _more_than(_column(rows, features, "address_customers_lifetime"), 1.0, "shared", "not shared"),
            "bracketing": _more_than(
                _column(rows, features, "request_order_similar_lines"), 1.0, "several of a kind", "one of a kind"
            ),
        }
    )


def tenure(days: Floats) -> Words:
    """Bands of the days since the first order. (n,) -> (n,) words.

    >>> tenure(np.array([3.0, 364.9, 365.0, 4000.0, float("nan")])).tolist()
    ['under 3 months', '3 to 12 months', '1 to 2 years', '2 years or more', 'unknown']
    """
    ends = [end for end, _ in TENURE_BANDS]
    names = np.array([*(name for _, name in TENURE_BANDS), _LONG, UNKNOWN], dtype=object)
    band = np.searchsorted(ends, np.nan_to_num(days, nan=0.0), side="right")
    return np.asarray(names[np.where(np.isnan(days), len(names) - 1, band)], dtype=object)


def size_range(sku: pd.Series[str], category: pd.Series[str]) -> Words:
    """`small`, `usual` or `large`, from the end of the sku behind one of the signs - _ / . : or a space.

    Letters: XXS and XS are small, S, M and L usual, XL and above (up to 5XL) large. Numbers from 16 to 64, also with a
    half, are compared with the other numeric sizes of their category: below the 10th percentile small, above the 90th
    large. Everything else, and a sku without such an ending, is `unknown`.

    A rough stand-in for whom a shop's sizes fit, for the audit only: a size is never a feature, the same letter is cut
    differently from brand to brand, and some endings that look like sizes are none.

    >>> size_range(pd.Series(["A1-M", "A1-2XL", "B/xs", "LAMP"]), pd.Series(["tops"] * 4)).tolist()
    ['usual', 'large', 'small', 'unknown']
    """
    codes, names = pd.factorize(sku.astype(object), use_na_sentinel=True)
    letters = np.array([*(_letter_range(str(name)) for name in names), UNKNOWN], dtype=object)
    numbers = np.array([*(_number(str(name)) for name in names), np.nan])
    return _by_number(np.asarray(letters[codes], dtype=object), numbers[codes], category)


def _letter_range(sku: str) -> str:
    found = _LETTERS.fullmatch(sku)
    if found is None:
        return UNKNOWN
    size = found[1].upper()
    return "small" if size in _SMALL_LETTERS else "usual" if size in _USUAL_LETTERS else "large"


def _number(sku: str) -> float:
    found = _NUMBERS.fullmatch(sku)
    size = float(found[1].replace(",", ".")) if found else np.nan
    return size if _NUMBERS_FROM_TO[0] <= size <= _NUMBERS_FROM_TO[1] else np.nan


def _by_number(by_letter: Words, size: Floats, category: pd.Series[str]) -> Words:
    """Ranges by letter, completed by numeric sizes (NaN: none) within their category. (n,) -> (n,)."""
    out = by_letter.copy()
    codes, _ = pd.factorize(category.astype(object), use_na_sentinel=False)
    for code in np.unique(codes[~np.isnan(size)]):
        those = (codes == code) & ~np.isnan(size)
        low, high = np.percentile(size[those], _TAILS)
        out[those] = np.where(size[those] < low, "small", np.where(size[those] > high, "large", "usual"))
    return out


def _words(column: pd.Series[str]) -> Words:
    values = column.astype(object)
    return values.where(values.notna(), UNKNOWN).to_numpy(dtype=object)


def _more_than(values: Floats, bound: float, above: str, not_above: str) -> Words:
    words = np.where(np.isnan(values), UNKNOWN, np.where(values > bound, above, not_above))
    return words.astype(object)


def _column(rows: Rows, features: Sequence[ModelFeature], name: str) -> Floats:
    names = [feature.name for feature in features]
    if name not in names:
        raise TrainingError(f"groups cannot be compared: there is no feature {name!r} to make them of")
    return np.asarray(rows.X[:, names.index(name)], dtype=np.float64)
