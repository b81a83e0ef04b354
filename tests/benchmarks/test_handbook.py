"""The book's protocol, the declarations for its payments, and the way from one to the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from benchmarks.handbook import learn, protocol, published, signals
from benchmarks.handbook.__main__ import FILE, payments_of
from benchmarks.handbook.declarations import CUSTOMER, LARGE, TERMINAL, USUAL
from benchmarks.handbook.payments import LABEL_DELAY, Payments, read
from benchmarks.handbook.table import table, usual_amounts
from features.clock import DAY, SECOND, window_us

_START = (date(2018, 7, 25) - date(1970, 1, 1)).days


def made_up(n: int, days: int, seed: int = 1, customers: int = 8, terminals: int = 6, first_day: int = 0) -> Payments:
    """Payments on a coarse grid of time, so that ties and exact ends of windows are common; one in eight a fraud."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, days * 4, n) * (DAY // 4)) + first_day * DAY
    fraud = (rng.random(n) < 0.125).astype(np.int64)
    amount = rng.integers(1_00, 90_00, n) * np.where(fraud & (rng.random(n) < 0.6), 5, 1)
    return Payments(rng.integers(0, customers, n), rng.integers(0, terminals, n), at, amount, fraud)


def _usual(p: Payments, row: int) -> float:
    """What the customer of a payment usually paid before it, in the plainest way."""
    own = p.customer == p.customer[row]
    before = own & (p.at < p.at[row])
    left_out = own & (p.at + LABEL_DELAY < p.at[row]) & (p.fraud == 1)
    amounts = [5000, 5000, *p.amount[before & ~left_out].tolist()]
    return sum(amounts) / len(amounts)


def _plain(p: Payments, multiple: np.ndarray, row: int) -> dict[str, float]:
    """Every declared value, word for word: known before the moment, occurred within the window before it."""
    moment, out = int(p.at[row]), {}
    for entity, own in ((CUSTOMER, p.customer == p.customer[row]), (TERMINAL, p.terminal == p.terminal[row])):
        made = own & (p.at < moment)
        known = own & (p.at + LABEL_DELAY < moment)
        for window in entity.windows:
            within = p.at >= moment - window_us(window)
            sums = {
                "payments": (made & within).sum(),
                "amount": p.amount[made & within].sum(),
                "multiples": multiple[made & within].sum(),
                "large": (multiple[made & within] > LARGE).sum(),
                "known": (known & within).sum(),
                "frauds": p.fraud[known & within].sum(),
                "usual_frauds": (p.fraud[known & within] * (multiple[known & within] <= USUAL)).sum(),
            }
            out |= {f"{entity.name}_{name}_{window}": float(value) for name, value in sums.items()}
        for name, which in (
            ("usual_fraud", known & (p.fraud == 1) & (multiple <= USUAL)),
            ("genuine", known & (p.fraud == 0)),
        ):
            last = p.at[which].max(initial=-1)
            out[f"{entity.name}_seconds_since_{name}"] = np.nan if last < 0 else (moment - last) // SECOND
    return out


def test_values_are_what_their_declarations_say() -> None:
    p = made_up(300, 60)
    usual = np.array([_usual(p, row) for row in range(len(p))])
    multiple = np.rint(100 * p.amount / usual)
    rows = np.arange(1, 300, 2)
    known = table(p, rows)
    np.testing.assert_allclose(known.values["usual"], usual[rows], rtol=1e-12)
    np.testing.assert_array_equal(known.values["multiple"], multiple[rows])
    plain = [_plain(p, multiple, row) for row in rows]
    for name in (*CUSTOMER.feature_names(), *TERMINAL.feature_names()):
        np.testing.assert_array_equal(known.values[name], [values[name] for values in plain], err_msg=name)
        assert len(np.unique(known.values[name])) > 1, name


def test_the_books_windows_end_seven_days_before_the_payment() -> None:
    p = made_up(400, 60, seed=2)
    rows = np.arange(250, 400)
    X = table(p, rows).X(rows, signals.BOOK)
    names = [feature.name for feature in signals.BOOK]
    assert len(names) == 15
    for place, row in enumerate(rows):
        end = p.at[row] - 7 * DAY
        month = (p.terminal == p.terminal[row]) & (p.at < end) & (p.at >= end - 30 * DAY)
        share = p.fraud[month].mean() if month.any() else 0.0
        assert X[place, names.index("terminal_share_37d")] == pytest.approx(share)
        week = (p.customer == p.customer[row]) & (p.at < p.at[row]) & (p.at >= p.at[row] - 7 * DAY)
        week[row] = True
        assert X[place, names.index("customer_number_7d")] == week.sum()
        assert X[place, names.index("customer_mean_7d")] == pytest.approx(p.amount[week].mean())


def test_weekend_and_night_are_those_of_the_payment() -> None:
    monday = (date(2018, 7, 30) - date(1970, 1, 1)).days
    hours = np.array([6, 7, 5 * 24 - 1, 5 * 24, 7 * 24 - 1])
    p = made_up(5, 1)
    p = replace(p, at=monday * DAY + hours * 3_600 * SECOND)
    X = table(p, np.arange(5)).X(np.arange(5), signals.BOOK[1:3])
    assert X[:, 0].tolist() == [0, 0, 0, 1, 1]
    assert X[:, 1].tolist() == [1, 0, 0, 1, 0]


def test_a_label_that_is_not_yet_known_changes_nothing() -> None:
    p = made_up(300, 60, seed=3)
    row = np.array([280])
    unknown = p.at + LABEL_DELAY >= p.at[row[0]]
    assert p.fraud[unknown].any()
    features = (*signals.BOOK, *signals.OWN)
    before = table(p, row).X(row, features)
    np.testing.assert_array_equal(table(replace(p, fraud=p.fraud ^ unknown), row).X(row, features), before)
    assert not np.array_equal(table(replace(p, fraud=p.fraud ^ 1), row).X(row, features), before, equal_nan=True)


def test_known_frauds_do_not_raise_what_is_usual() -> None:
    days = np.array([0, 1, 6, 9])
    p = Payments(
        np.zeros(4, int), np.zeros(4, int), days * DAY, np.array([20_00, 500_00, 20_00, 20_00]), np.eye(4, dtype=int)[1]
    )
    # The fraud of day 1 counts as a payment like any other until day 8.
    assert usual_amounts(p).tolist() == [50_00, 40_00, 155_00, 35_00]


def _on_days(*of: tuple[int, int, int]) -> Payments:
    """One payment for each (day of the fold, card, fraud), at noon."""
    day, card, fraud = (np.array(column) for column in zip(*sorted(of), strict=True))
    return Payments(card, card, (_START + day) * DAY + DAY // 2, np.full(len(day), 10_00), fraud)


def test_a_fold_trains_seven_days_waits_seven_and_tests_seven() -> None:
    p = _on_days(*((day, 1, 0) for day in range(-2, 25)))
    fold = protocol.fold(p, date(2018, 7, 25))
    assert (p.at[fold.train] // DAY - _START).tolist() == list(range(7))
    assert (p.at[fold.test] // DAY - _START).tolist() == list(range(14, 21))


@pytest.mark.parametrize(
    ("day_of_fraud", "tested"),
    [
        (-1, [14, 15, 16, 17, 18, 19, 20]),  # before training: not looked at
        (0, []),
        (6, []),
        (7, [14]),  # known when day 15 begins
        (10, [14, 15, 16, 17]),
        (12, [14, 15, 16, 17, 18, 19]),
        (13, [14, 15, 16, 17, 18, 19, 20]),
        (15, [14, 15, 15, 16, 17, 18, 19, 20]),  # frauds of the test days are what is to be found
    ],
)
def test_a_card_drops_out_once_a_fraud_of_it_is_known(day_of_fraud: int, tested: list[int]) -> None:
    others = [(day, 2, 0) for day in range(21)]
    p = _on_days(*others, *((day, 1, 0) for day in range(14, 21)), (day_of_fraud, 1, 1))
    fold = protocol.fold(p, date(2018, 7, 25))
    days = p.at[fold.test] // DAY - _START
    assert days[p.customer[fold.test] == 1].tolist() == tested
    assert days[p.customer[fold.test] == 2].tolist() == [14, 15, 16, 17, 18, 19, 20]


def test_card_precision_takes_the_highest_score_of_a_card_and_leaves_found_ones_out() -> None:
    day = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
    card = np.array([1, 1, 2, 3, 4, 1, 2, 3, 4])
    fraud = np.array([0, 1, 0, 1, 1, 1, 1, 0, 1])
    score = np.array([0.9, 0.1, 0.8, 0.7, 0.6, 0.9, 0.5, 0.4, 0.3])
    # Day 0: cards 1 (its fraud has the lower score, it counts all the same) and 2; one of two. Day 1: without card 1,
    # cards 2 (frauded) and 3 (not); one of two.
    assert protocol.card_precision(day, card, fraud, score, top=2) == 0.5
    # Day 0: three of the four cards. Day 1: only card 2 is left; the divisor stays four.
    assert protocol.card_precision(day, card, fraud, score, top=4) == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert protocol.card_precision(day, card, fraud, score, top=1) == pytest.approx((1 / 1 + 1 / 1) / 2)


def test_a_model_finds_what_is_plain_to_see_and_gives_probabilities() -> None:
    p = made_up(8_000, 40, customers=200, terminals=200, first_day=_START - 19)
    p = replace(p, fraud=(p.amount > 90_00).astype(np.int64))
    fold = protocol.fold(p, date(2018, 7, 25))
    known = table(p, protocol.rows_of([fold]))
    score = learn.scores(p, known, fold, signals.OWN)
    found = protocol.figures(p, fold.test, score)
    assert found["auc"] > 0.99
    assert found["ap"] > 0.95
    risk = learn.risks(p, known, fold, signals.OWN, score)
    assert (np.diff(risk[np.argsort(score)]) >= 0).all()
    assert abs(risk.mean() - p.fraud[fold.test].mean()) < 0.02
    np.testing.assert_array_equal(learn.scores(p, known, fold, signals.OWN), score)


def test_the_best_published_figures_are_those_to_beat() -> None:
    assert published.best(published.SINGLE) == {"auc": 0.871, "ap": 0.658, "cp100": 0.291}
    assert published.best(published.PREQUENTIAL) == {"auc": 0.879, "ap": 0.694, "cp100": 0.305}


def test_no_fold_of_the_choices_reaches_into_the_test_days_of_another() -> None:
    first_test_day = min(fold.toordinal() for fold in protocol.TEST_FOLDS) + 2 * protocol.DAYS
    assert max(fold.toordinal() for fold in protocol.EARLIER_FOLDS) + 3 * protocol.DAYS <= first_test_day


def test_without_the_data_the_run_ends_and_says_so(tmp_path: Path) -> None:
    missing = tmp_path / "payments.parquet"
    with pytest.raises(SystemExit, match=f"no file {missing}"):  # a text: exit status 1
        payments_of(missing)


@pytest.mark.data
@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the checkout")
def test_the_single_split_has_the_published_rows_and_frauds() -> None:
    payments = read(FILE)
    assert protocol.fold(payments, protocol.SINGLE).counts(payments) == protocol.SINGLE_COUNTS
