import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import product

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from scipy import stats

from pipeline.analytics import index
from pipeline.analytics.index import bilateral, geks, hedonic, jevons, price_index, time_product_dummy, unmatched_median

# Balk, "Price and Quantity Index Numbers" (2008), tables 3.1 and 3.2, after tables 19.1 and 19.2 of the PPI Manual.
BALK_PRICES = [
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    [1.2, 3.0, 1.3, 0.7, 1.4, 0.8],
    [1.0, 1.0, 1.5, 0.5, 1.7, 0.6],
    [0.8, 0.5, 1.6, 0.3, 1.9, 0.4],
    [1.0, 1.0, 1.6, 0.1, 2.0, 0.2],
]
BALK_QUANTITIES = [
    [1.0, 1.0, 2.0, 1.0, 4.5, 0.5],
    [0.8, 0.9, 1.9, 1.3, 4.7, 0.6],
    [1.0, 1.1, 1.8, 3.0, 5.0, 0.8],
    [1.2, 1.2, 1.9, 6.0, 5.6, 1.3],
    [0.9, 1.2, 2.0, 12.0, 6.5, 2.5],
]


def panel(prices: list[list[float]], quantities: list[list[float]] | None = None) -> pd.DataFrame:
    """A panel from rows of periods and columns of items; NaN where an item has no price."""
    rows = pd.DataFrame(
        [(t + 1, f"item {i}", price) for t, row in enumerate(prices) for i, price in enumerate(row)],
        columns=["period", "item", "price"],
    ).astype({"price": "float64"})
    if quantities is not None:
        rows["quantity"] = np.ravel(quantities)
    return rows.dropna(subset="price")


BALK = panel(BALK_PRICES, BALK_QUANTITIES)


def values(frame: pd.DataFrame, column: str = "index_value") -> list[float]:
    """A column with NaN for null."""
    return [float(value) for value in frame[column].to_numpy(dtype=float, na_value=math.nan)]


def approx(expected: Sequence[float], rel: float = 1e-9) -> object:
    return pytest.approx(expected, rel=rel, nan_ok=True)


def random_panel(seed: int, n_periods: int = 6, n_items: int = 30, missing: float = 0.3) -> pd.DataFrame:
    """Items in clusters of their own kind of change, some of them missing at times."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(product(range(n_periods), range(n_items)), columns=["period", "item"])
    rows["cluster"] = rows["item"] % 7
    rows["quality"] = rng.normal(size=n_items)[rows["item"]]
    drift = rng.normal(-0.1, 0.1, 7)[rows["cluster"]] * rows["period"]
    rows["price"] = np.exp(rows["quality"] + drift + rng.normal(0, 0.2, len(rows)))
    rows["quantity"] = rng.lognormal(size=len(rows))
    return rows[rng.random(len(rows)) >= missing].reset_index(drop=True)


# --- worked tables --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "printed"),
    {
        # Balk (2008), tables 3.4, 3.6 and 3.12. The book prints 1.3823 for Paasche, where 11.75 / 8.5 = 1.38235.
        "laspeyres": [1.0, 1.4200, 1.3450, 1.3550, 1.4400],
        "paasche": [1.0, 1.3824, 1.2031, 1.0209, 0.7968],
        "geometric_laspeyres": [1.0, 1.3300, 1.2523, 1.1331, 1.0999],
        "geometric_paasche": [1.0, 1.4846, 1.3268, 1.3282, 1.4153],
        "fisher": [1.0, 1.4011, 1.2721, 1.1762, 1.0712],
        "tornqvist": [1.0, 1.4052, 1.2890, 1.2268, 1.2477],
        "walsh": [1.0, 1.4017, 1.2850, 1.2193, 1.1850],
    }.items(),
)
def test_fixed_base_indices_of_balk(formula: str, printed: list[float]) -> None:
    assert np.round(values(bilateral(BALK, formula, 1)), 4) == pytest.approx(printed, abs=0)


@pytest.mark.parametrize(
    ("formula", "fractions"),
    {
        # All prices are 1 in the first period, so that Carli and Dutot agree there, and only there.
        "carli": [1, 8.4 / 6, 6.3 / 6, 5.5 / 6, 5.9 / 6],
        "dutot": [1, 8.4 / 6, 6.3 / 6, 5.5 / 6, 5.9 / 6],
        "jevons": [1, *(math.prod(row) ** (1 / 6) for row in BALK_PRICES[1:])],
    }.items(),
)
def test_unweighted_indices_of_balks_prices(formula: str, fractions: list[float]) -> None:
    assert values(bilateral(BALK, formula, 1)) == pytest.approx(fractions)


@pytest.mark.parametrize("formula", index.FORMULAS)
def test_a_chain_is_the_product_of_its_links(formula: str) -> None:
    links = [
        values(bilateral(BALK[BALK["period"].isin([period - 1, period])], formula, period - 1))[1]
        for period in range(2, 6)
    ]
    chain = bilateral(BALK, formula, chained=True)
    assert values(chain) == pytest.approx(np.cumprod([1, *links]))
    assert values(chain, "ln_change")[1:] == pytest.approx(np.log(links))


def test_carli_drifts_up_and_jevons_does_not() -> None:
    there_and_back = panel([[1, 1], [2, 1], [1, 1]])
    assert values(bilateral(there_and_back, "carli", chained=True)) == pytest.approx([1, 1.5, 1.125])
    assert values(jevons(there_and_back)) == pytest.approx([1, math.sqrt(2), 1])


# Thirteen periods of five products at prices 1 to 65 and quantities 65 to 1. The values are those that the R packages
# IndexNumR and gpindex agree upon in the tests of the latter.
COUNTING = pd.DataFrame(
    [(i % 13 + 1, i // 13, i + 1.0, 65.0 - i) for i in range(65)], columns=["period", "item", "price", "quantity"]
)
GAPS = COUNTING[~COUNTING["price"].isin([1, 3, 11, 63, 64])]


GEKS_VALUES = {
    ("all", "tornqvist"): (
        "1.07334245809641 1.13758500234551 1.19943273670278 1.26078373138759 1.32242752173496 1.38478458426165 "
        "1.44813211799635 1.51269173915522 1.57867050804161 1.64628410287697 1.71577307463249 1.78741712742392"
    ),
    ("all", "jevons"): (
        "1.18338442313092 1.32033674805411 1.43711591151299 1.54248452241533 1.64048980305452 1.73334427991861 "
        "1.82239254133738 1.90851390842145 1.99231538702512 2.07423380909548 2.15459410924166 2.23364458259815"
    ),
    ("all", "walsh"): (
        "1.0566699129383 1.11378295838144 1.17139426903106 1.22956960896297 1.28838882562161 1.34795095779689 "
        "1.40838221049365 1.46984928172641 1.53258374680655 1.59693277586978 1.66348762735518 1.7335492978583"
    ),
    ("gaps", "tornqvist"): (
        "0.97012367078552 1.07680890198379 1.07558882705777 1.12676970820557 1.17801945580172 1.22966120693395 "
        "1.28190412021848 1.33491131065706 1.38883148578389 1.40614308033419 1.5157156152315 1.55767693905705"
    ),
    ("gaps", "jevons"): (
        "0.881430091367338 1.07738238354928 1.04409985620757 1.11240421520015 1.1762944906968 1.23711048474119 "
        "1.29566160297349 1.35247476672703 1.40791242863053 1.40078559388863 1.56851442510621 1.56825957051767"
    ),
}


@pytest.mark.parametrize(("rows", "formula"), GEKS_VALUES)
def test_geks_of_indexnumr_and_gpindex(rows: str, formula: str) -> None:
    frame = geks(COUNTING if rows == "all" else GAPS, formula, window=13)
    assert values(frame)[1:] == pytest.approx([float(v) for v in GEKS_VALUES[rows, formula].split()], rel=1e-12)


def test_geks_with_movement_splice_of_indexnumr_and_gpindex() -> None:
    expected = [1.05584109330239, 1.11216779883715, 1.16904493358996, 1.22654588965604, 1.28475480484066]
    expected += [1.34376919838486, 1.40370325012859, 1.46469196029632, 1.5268965162016, 1.59051132643364]
    expected += [1.65525192178965, 1.721202953357]
    assert values(geks(COUNTING, "fisher", 11, "movement"))[1:] == pytest.approx(expected, rel=1e-12)


def ces_panel() -> pd.DataFrame:
    """Diewert and Fox's artificial data: four goods, twelve periods, CES preferences with elasticity 2."""
    taste = np.array([0.2, 0.2, 0.2, 0.4])
    prices = np.array(
        [
            [2, 1.75, 1.6, 1.5, 1.45, 1.4, 1.35, 1.3, 1.25, 1.2, 1.15, 1.1],
            [1, 0.5, 1.05, 1.1, 1.12, 1.15, 1.18, 0.6, 1.2, 1.25, 1.28, 1.3],
            [1, 0.95, 0.9, 0.85, 0.4, 0.8, 0.75, 0.72, 0.7, 0.4, 0.7, 0.65],
            [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.7, 0.65, 0.7, 0.75, 0.75, 0.8],
        ]
    ).T
    spent = np.array([10, 13, 11, 12, 15, 13, 14, 17, 15, 18, 16, 17])
    value = taste / prices
    return panel(prices.tolist(), (spent[:, None] * value / value.sum(axis=1, keepdims=True) / prices).tolist())


def test_time_product_dummy_of_indexnumr() -> None:
    expected = [1, 0.880339868502394, 1.11310561070234, 1.15879006335178, 0.944228876424154, 1.23413422819567]
    expected += [1.17381864977063, 0.96466253410287, 1.14473361053433, 0.955804858341343, 1.17418844896016]
    expected += [1.17377193225844]
    assert values(time_product_dummy(ces_panel())) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("splice", "last"), [("mean", 1.17283932343105), ("movement", 1.169222231299), ("window", 1.18221020311053)]
)
def test_splices_of_indexnumr(splice: index.Splice, last: float) -> None:
    expected = [1, 0.88125316126336, 1.11113003298188, 1.15577105831891, 0.939283785493012, 1.22946886276831]
    expected += [1.16928578010074, 0.962925047843644, 1.13966638509599, 0.949589626761819, 1.16793031098926, last]
    assert values(time_product_dummy(ces_panel(), window=11, splice=splice)) == pytest.approx(expected, rel=1e-12)


# --- independent routes ---------------------------------------------------------------------------------------------


def test_geks_is_the_mean_over_all_ways_round() -> None:
    rows = random_panel(1)
    periods = sorted(rows["period"].unique())
    direct = np.log([values(bilateral(rows, "tornqvist", base)) for base in periods])
    expected = [np.mean(direct[0] + direct[:, period]) for period in periods]
    assert np.log(values(geks(rows, "tornqvist", None))) == pytest.approx(expected, abs=1e-12)


def test_geks_without_some_comparisons_is_their_least_squares_fit() -> None:
    none = math.nan
    rows = panel([[1, 2, none], [1.1, 2.5, 3], [none, 2.2, 2], [none, none, 1.5]])
    pairs = [(a, b) for a, b in product(range(4), repeat=2) if a < b and (a, b) != (0, 3)]
    design = np.zeros((len(pairs), 4))
    for row, (a, b) in enumerate(pairs):
        design[row, [a, b]] = -1, 1
    direct = [math.log(values(bilateral(rows, "jevons", a + 1))[b]) for a, b in pairs]
    levels = np.linalg.lstsq(design, np.array(direct), rcond=None)[0]
    assert np.log(values(geks(rows, "jevons"))) == pytest.approx(levels - levels[0])


def test_mean_splice_by_hand() -> None:
    rows = random_panel(2)
    old, new = (np.log(values(geks(rows[rows["period"].between(first, first + 4)], "fisher"))) for first in (0, 1))
    movements = [(new[4] - new[period]) - (old[4] - old[period + 1]) for period in range(4)]
    spliced = geks(rows, "fisher", window=5)
    assert values(spliced, "ln_change")[5] == pytest.approx(np.mean(movements))
    assert np.log(values(spliced)[:5]) == pytest.approx(old)


def test_a_window_of_two_periods_is_a_chain() -> None:
    rows = random_panel(3)
    for column in ("index_value", "lo90", "hi90"):
        assert values(geks(rows, "jevons", 2), column) == approx(values(jevons(rows), column))


def test_later_periods_never_revise_a_spliced_index() -> None:
    rows = random_panel(4, n_periods=9)
    assert values(geks(rows[rows["period"] < 7], "tornqvist", 4)) == values(geks(rows, "tornqvist", 4))[:7]


def period_effects(rows: pd.DataFrame, formula: str, weights: "pd.Series[float]") -> list[float]:
    fit = smf.wls(f"np.log(price) ~ C(period) + {formula}", rows, weights=weights).fit()
    return [0.0, *fit.params.filter(like="C(period)")]


def test_time_product_dummy_is_a_regression_on_dummies() -> None:
    rows = random_panel(5)
    value, ones = rows["price"] * rows["quantity"], pd.Series(1.0, rows.index)
    share = value / value.groupby(rows["period"]).transform("sum")
    weighted, unweighted = time_product_dummy(rows), time_product_dummy(rows.drop(columns="quantity"))
    assert np.log(values(weighted)) == approx(period_effects(rows, "C(item)", share))
    assert np.log(values(unweighted)) == approx(period_effects(rows, "C(item)", ones))


def test_hedonic_is_a_regression_on_characteristics() -> None:
    rows = random_panel(6).assign(size=lambda rows: rows["item"].map(lambda item: "large" if item % 3 else "small"))
    expected = period_effects(rows, "quality + size", pd.Series(1.0, rows.index))
    assert np.log(values(hedonic(rows, "quality + size"))) == approx(expected)


def test_hedonic_recovers_what_made_the_prices() -> None:
    rows = random_panel(7)
    rows["price"] = np.exp(1 + 0.8 * rows["quality"] - 0.3 * rows["period"])
    assert np.log(values(hedonic(rows, "quality"))) == approx(-0.3 * np.arange(6), rel=1e-8)


# --- intervals ------------------------------------------------------------------------------------------------------


def test_interval_of_one_link_with_equal_clusters_is_the_t_interval_of_their_means() -> None:
    rows = random_panel(8, n_periods=2, n_items=28, missing=0)
    wide = rows.pivot(index="item", columns="period", values="price")
    means = np.log(wide[1] / wide[0]).groupby(wide.index % 7).mean()
    interval = stats.ttest_1samp(means, 0).confidence_interval(0.90)
    frame = jevons(rows)
    assert np.log([values(frame, "lo90")[1], values(frame, "hi90")[1]]) == approx([interval.low, interval.high])


INDICES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "jevons": jevons,
    "jevons, fixed base": lambda rows: jevons(rows, chained=False),
    "chained tornqvist": lambda rows: bilateral(rows, "tornqvist", chained=True),
    "chained from the middle": lambda rows: bilateral(rows, "walsh", 3, chained=True),
    "fixed fisher": lambda rows: bilateral(rows, "fisher"),
    "laspeyres": lambda rows: bilateral(rows, "laspeyres", 2),
    "geks walsh": lambda rows: geks(rows, "walsh", 4),
    "geks tornqvist": lambda rows: geks(rows, "tornqvist"),
    "time product dummy": lambda rows: time_product_dummy(rows.drop(columns="quantity")),
    "time product dummy in windows": lambda rows: time_product_dummy(rows.drop(columns="quantity"), window=4),
}


@pytest.mark.parametrize("name", [*INDICES, "hedonic"])
def test_intervals_are_a_jackknife_of_clusters(name: str) -> None:
    rows = random_panel(9, missing=0.1)
    build = INDICES.get(name, lambda rows: hedonic(rows, "quality + quantity"))
    frame = build(rows)
    log = np.log(values(frame))
    without = np.log([values(build(rows[rows["cluster"] != cluster])) for cluster in range(7)])
    reach = np.sqrt(6 / 7 * ((without - log) ** 2).sum(axis=0)) * stats.t.ppf(0.95, 6)
    reach[values(frame).index(1.0)] = math.nan
    assert np.log(values(frame, "hi90")) - log == approx(reach, rel=1e-6)
    assert log - np.log(values(frame, "lo90")) == approx(reach, rel=1e-6)


def test_what_rests_on_one_cluster_adds_no_width() -> None:
    rows = panel([[1, 1, 1], [1, 2, 4], [math.nan, math.nan, 2]])
    frame = jevons(rows.assign(cluster=rows["item"]))
    widths = np.log(values(frame, "hi90")) - np.log(values(frame, "lo90"))
    assert widths[1] > 1
    assert widths[2] == approx(widths[1])


# --- axioms ---------------------------------------------------------------------------------------------------------

amounts = st.floats(0.01, 100)


@st.composite
def two_periods(draw: st.DrawFn) -> tuple[list[list[float]], list[list[float]]]:
    n_items = draw(st.integers(1, 6))
    row = st.lists(amounts, min_size=n_items, max_size=n_items)
    return [draw(row), draw(row)], [draw(row), draw(row)]


def changes(prices: list[list[float]], quantities: list[list[float]], formula: str) -> list[float]:
    """The index of each further period against the first."""
    return values(bilateral(panel(prices, quantities), formula))[1:]


@pytest.mark.parametrize("formula", index.FORMULAS)
@settings(max_examples=10, deadline=None)
@given(data=two_periods(), factor=amounts)
def test_axioms_of_bilateral_formulas(
    formula: str, data: tuple[list[list[float]], list[list[float]]], factor: float
) -> None:
    (before, after), (q_before, q_after) = data
    relatives = [b / a for a, b in zip(before, after, strict=True)]
    result, multiple, same = changes(
        [before, after, [factor * price for price in after], before], [q_before, q_after, q_after, q_after], formula
    )
    assert same == approx(1)
    assert multiple == approx(factor * result)
    assert min(relatives) * (1 - 1e-9) <= result <= max(relatives) * (1 + 1e-9)
    if formula != "dutot":
        # In other units the first item's price is `factor` times as large, and its quantity as small.
        units = np.array([factor] + [1.0] * (len(before) - 1))
        prices, quantities = np.array([before, after]) * units, np.array([q_before, q_after]) / units
        assert changes(prices.tolist(), quantities.tolist(), formula) == approx([result])
    if formula in index.REVERSIBLE:
        assert changes([after, before], [q_after, q_before], formula) == approx([1 / result])


def test_laspeyres_and_carli_do_not_reverse() -> None:
    for formula in ("laspeyres", "carli"):
        [there] = changes(BALK_PRICES[1:3], BALK_QUANTITIES[1:3], formula)
        [back] = changes(BALK_PRICES[2:0:-1], BALK_QUANTITIES[2:0:-1], formula)
        assert there * back > 1.01


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_multilateral_indices_are_transitive_and_know_no_direction(seed: int) -> None:
    rows = random_panel(seed, n_items=12)
    for build in (lambda rows: geks(rows, "tornqvist"), time_product_dummy):
        forwards = np.log(values(build(rows)))
        backwards = np.log(values(build(rows.assign(period=-rows["period"]))))[::-1]
        assert backwards - backwards[0] == pytest.approx(forwards)


def test_one_of_two_equal_items_halving() -> None:
    (_, result) = values(jevons(panel([[3, 3], [3, 1.5]])))
    assert result == pytest.approx(1 - 0.2929, abs=5e-5)


@pytest.mark.parametrize("name", INDICES)
def test_pure_entry_and_exit_move_nothing(name: str) -> None:
    rows, build = random_panel(10), INDICES[name]
    brief = pd.DataFrame(
        {
            "period": range(6),
            "item": [f"seen once, {period}" for period in range(6)],
            "cluster": "brief",
            "price": 1000.0,
            "quantity": 1000.0,
        }
    )
    without, having = build(rows), build(pd.concat([rows, brief]))
    for column in ("index_value", "ln_change", "lo90", "hi90"):
        assert values(having, column) == approx(values(without, column))
    assert values(having, "n_matched") == approx(values(without, "n_matched"))
    assert (having["n_items"] == without["n_items"] + 1).all()


def test_unmatched_median_moves_on_pure_entry() -> None:
    entry = panel([[4, 4, math.nan], [4, 4, 1], [4, math.nan, 1]])
    assert values(unmatched_median(entry)) == pytest.approx([1, 1, 0.625])
    assert values(jevons(entry)) == [1, 1, 1]
    assert "biased" in unmatched_median(entry)["reason"].iloc[1]


# --- what the data cannot support -----------------------------------------------------------------------------------

EVERY: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "laspeyres": lambda rows: bilateral(rows, "laspeyres"),
    "chained paasche": lambda rows: bilateral(rows, "paasche", chained=True),
    "fisher": lambda rows: bilateral(rows, "fisher"),
    "carli": lambda rows: bilateral(rows, "carli"),
    "jevons": jevons,
    "geks walsh": lambda rows: geks(rows, "walsh", 2),
    "geks tornqvist": lambda rows: geks(rows, "tornqvist"),
    "time product dummy": time_product_dummy,
    "unmatched median": unmatched_median,
    "hedonic": lambda rows: hedonic(rows.assign(quality=rows["price"].rank()), "quality"),
}


def assert_sound(frame: pd.DataFrame) -> None:
    numbers = frame[["index_value", "ln_change", "lo90", "hi90"]].to_numpy(dtype=float, na_value=0.0)
    assert np.isfinite(numbers).all()
    assert (frame["lo90"].notna() | frame["reason"].notna()).all()
    assert ((frame["lo90"] <= frame["index_value"]) & (frame["index_value"] <= frame["hi90"])).fillna(True).all()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "prices",
    [
        [[]],
        [[1.0]],
        [[1.0], [2.0]],
        [[1, 2, 3, 4]] * 3,
        [[1, 2, 3, 4], [1, 2, 3, 1e9], [1, 2, 3, 4]],
        [[1, 2, 3, 4], [2, 3, 4, 5], [4, 5, 6, 7]],
        [[1, 2, 0, 4], [1, 0, 3, 4], [0, 0, 0, 0], [1, 1, 1, 1]],
        [[0, 0, 0, 0]] * 3,
        [[1, 2, math.nan, math.nan], [math.nan, math.nan, 3, 4], [math.nan, math.nan, 4, 4]],
        [[1, 2, 3, 4], [math.nan, math.nan, math.nan, 4], [math.nan, math.nan, math.nan, 4]],
        [[1e-300, 1, 1, 1], [1e300, 1, 1, 2], [1, 1, 1, 3]],
    ],
    ids=[
        "none",
        "one point",
        "two",
        "constant",
        "outlier",
        "only rises",
        "free",
        "all free",
        "turnover",
        "ends",
        "huge",
    ],
)
def test_degenerate_panels_give_nulls_with_reasons(name: str, prices: list[list[float]]) -> None:
    rows = panel(prices).assign(quantity=1.0)
    rows["cluster"] = rows["item"]
    assert_sound(EVERY[name](rows))


def test_a_free_item_is_missing_while_it_is_free() -> None:
    frame = jevons(panel([[1, 2], [0, 4], [0.5, 4], [0.25, 4]]))
    assert values(frame) == pytest.approx([1, 2, 2, math.sqrt(2)])
    assert values(frame, "n_items") == [2, 1, 2, 2]
    assert values(frame, "n_matched") == approx([math.nan, 1, 1, 2])


def test_a_period_without_prices_breaks_no_chain() -> None:
    frame = jevons(panel([[1, 2], [0, 0], [2, 4]]))
    assert values(frame) == approx([1, math.nan, 2])
    assert frame["reason"].iloc[1] == "no price"


def test_a_chain_links_over_periods_that_share_nothing_with_it() -> None:
    nan = math.nan
    frame = jevons(panel([[1, nan], [nan, 5], [2, nan], [4, 5]]))
    assert values(frame) == approx([1, math.nan, 2, 4])
    assert frame["reason"].iloc[1] == "no item links it to the base period"


def test_geks_ends_where_no_window_overlaps() -> None:
    nan = math.nan
    frame = geks(panel([[1, nan], [2, nan], [nan, 5], [nan, 6]]), "jevons", window=2)
    assert values(frame) == approx([1, 2, math.nan, math.nan])


def test_no_hedonic_index_where_characteristics_move_with_time_alone() -> None:
    frame = hedonic(panel([[1, 2], [1, 2], [1, 2]]).assign(age=lambda rows: rows["period"]), "age")
    assert frame["index_value"].isna().all()
    assert frame["reason"].unique().tolist() == ["characteristics move with time alone"]


def test_a_characteristic_that_only_one_cluster_varies_in_leaves_the_index_standing() -> None:
    rows = panel([[1, 2, 3, 4]] * 3).assign(age=lambda rows: 1.0 * rows["period"])
    rows["cluster"] = rows["item"]
    rows.loc[rows["item"] == "item 3", "age"] = 7.0
    rows.loc[rows["period"] == 3, "price"] *= rows["age"] / 2
    frame = hedonic(rows, "age")
    assert frame["index_value"].notna().all()
    assert_sound(frame)


def test_time_product_dummy_without_any_value_in_a_period() -> None:
    frame = time_product_dummy(panel([[1, 2], [2, 4], [4, 8]], [[1, 1], [0, 0], [1, 1]]))
    assert values(frame) == approx([1, math.nan, 4])


def test_rows_without_a_characteristic_are_left_out_of_hedonic() -> None:
    rows = panel([[1, 2, 3], [1, 1, 1], [1, 1, 1]]).assign(quality=lambda rows: rows["item"].str[-1].astype(float))
    rows.loc[(rows["item"] == "item 2") | (rows["period"] == 3), "quality"] = math.nan
    frame = hedonic(rows, "quality")
    assert values(frame, "n_items") == [2, 2, 0]
    assert values(frame) == approx([1, 2**-0.5, math.nan])


def test_intervals_need_three_clusters_that_did_not_move_alike() -> None:
    rows = panel([[1, 1, 1], [1, 2, 4]])
    assert "no clusters" in jevons(rows)["reason"].iloc[1]
    two = jevons(rows.assign(cluster=["a", "b", "b"] * 2))
    assert "under 3 clusters" in two["reason"].iloc[1]
    assert values(two, "n_clusters") == [2, 2]
    alike = jevons(panel([[1, 2, 3], [2, 4, 6]]).assign(cluster=["a", "b", "c"] * 2))
    assert values(alike) == [1, pytest.approx(2)]
    assert "moved alike" in alike["reason"].iloc[1]
    assert values(jevons(rows.assign(cluster=["a", "b", "c"] * 2)), "hi90")[1] > 1


def test_a_cluster_that_only_entered_does_not_count() -> None:
    rows = panel([[1, 1, math.nan], [1, 2, 4]])
    frame = jevons(rows.assign(cluster=rows["item"]))
    assert values(frame, "n_clusters") == [2, 3]
    assert "under 3 clusters" in frame["reason"].iloc[1]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (BALK.assign(price=-1.0), "every price is finite"),
        (BALK.assign(price=math.inf), "every price is finite"),
        (BALK.assign(quantity=-1.0), "every quantity is finite"),
        (BALK.drop(columns="quantity"), "needs a column `quantity`"),
        (pd.concat([BALK, BALK.tail(1)]), "item item 5 has two prices"),
        (BALK.assign(cluster=range(30)), "item item 0 belongs to two clusters"),
        (BALK.assign(item=None), "none may be null"),
    ],
)
def test_what_is_no_panel_is_refused(rows: pd.DataFrame, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        bilateral(rows, "fisher")


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: bilateral(BALK, "fischer"), "no such formula: fischer"),
        (lambda: bilateral(BALK, "fisher", 9), "no price in the base period 9"),
        (lambda: geks(BALK, "laspeyres"), "reverses in time"),
        (lambda: geks(BALK, "fisher", 1), "at least 2 periods"),
        (lambda: geks(BALK, "fisher", 3, "half"), "no such splice: half"),
        (lambda: time_product_dummy(BALK, window=1), "at least 2 periods"),
        (lambda: hedonic(BALK, "price ~ item"), "characteristics only"),
        (lambda: hedonic(BALK, "np.log(price - price)"), "characteristics are finite"),
        (lambda: price_index(BALK, datetime(2026, 1, 1)), "no time zone"),
    ],
)
def test_what_makes_no_index_is_refused(call: Callable[[], object], complaint: str) -> None:
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match=complaint):
        call()


# --- the published table --------------------------------------------------------------------------------------------


def market(n_months: int = 30) -> pd.DataFrame:
    rows = random_panel(11, n_periods=n_months)
    scores = {
        "capability_eci": rows["quality"],
        "context_tokens": 1000.0 + rows["item"],
        "reasoning": 1.0 * (rows["item"] % 2),
    }
    rows = rows.drop(columns=["quantity", "quality"]).assign(
        **scores, age_months=rows["item"] % 5 + 1.0 * rows["period"]
    )
    rows["period"] = pd.Timestamp("2024-01-01", tz="UTC") + rows["period"].map(
        lambda month: pd.DateOffset(months=month)
    )
    return rows.assign(series_id="all", workload="output_only")


def test_published_methods_are_those_of_the_api_at_100() -> None:
    rows = market()
    table = price_index(rows, datetime(2026, 6, 30, tzinfo=UTC))
    equal = rows.assign(quantity=1 / rows["price"])
    methods = {
        "jevons_chained": jevons(rows),
        "geks_tornqvist": geks(equal, "tornqvist", 25, "mean"),
        "time_product_dummy": time_product_dummy(equal),
        "hedonic": hedonic(rows, "capability_eci + np.log(context_tokens) + reasoning + age_months"),
        "hedonic_without_age": hedonic(rows, "capability_eci + np.log(context_tokens) + reasoning"),
        "unmatched_median": unmatched_median(rows),
    }
    assert {column: str(kind) for column, kind in table.dtypes.items()} == index.PRICE_INDEX_COLUMNS
    assert set(table["method"]) == set(methods)
    for method, frame in methods.items():
        published = table[table["method"] == method]
        for column in ("index_value", "lo90", "hi90"):
            assert values(published, column) == approx([100 * value for value in values(frame, column)])
        assert values(published, "n_providers") == values(frame, "n_clusters")
    assert not table.duplicated(["series_id", "workload", "method", "period"]).any()
    assert not table["is_live"].any()
    assert_sound(table)


def test_with_equal_expenditures_geks_tornqvist_is_geks_jevons() -> None:
    rows = market()
    assert values(geks(rows.assign(quantity=1 / rows["price"]), "tornqvist")) == pytest.approx(
        values(geks(rows, "jevons"))
    )


def test_gates_say_where_there_is_no_interval() -> None:
    table = price_index(market(), datetime(2026, 6, 30, tzinfo=UTC))
    first = table["period"] == table["period"].min()
    assert (table.loc[first, "reason"] == "the base period").all()
    assert (table.loc[first, "index_value"] == 100).all()
    assert (table.loc[first, "gate"] == "ok").all()
    later = table[~first]
    assert (later["gate"].eq("ok") == later["lo90"].notna()).all()
    assert later.loc[later["method"] == "unmatched_median", "gate"].eq("insufficient").all()


@pytest.mark.parametrize(("day", "live"), [(30, False), (29, True), (1, True)])
def test_the_month_of_as_of_is_live_until_it_is_over(day: int, live: bool) -> None:
    table = price_index(market(), datetime(2026, 6, day, tzinfo=UTC))
    newest = table["period"] == table["period"].max()
    assert table.loc[newest, "is_live"].eq(live).all()
    assert not table.loc[~newest, "is_live"].any()


def test_a_series_begins_with_the_third_provider() -> None:
    rows = market(6)
    early = rows["period"] < pd.Timestamp("2024-03-01", tz="UTC")
    rows = rows[~early | rows["cluster"].isin([0, 1])]
    table = price_index(rows, datetime(2024, 6, 30, tzinfo=UTC))
    assert table["period"].min() == pd.Timestamp("2024-03-01", tz="UTC")
    nothing = price_index(rows[rows["cluster"].isin([0, 1])], datetime(2024, 6, 30, tzinfo=UTC))
    assert nothing.empty
    assert list(nothing.columns) == list(table.columns)


def test_months_after_as_of_and_free_items_change_nothing() -> None:
    rows, as_of = market(), datetime(2025, 3, 31, tzinfo=UTC)
    free = rows.assign(price=0.0, item=rows["item"] + 1000)
    expected = price_index(rows[rows["period"] < pd.Timestamp("2025-04-01", tz="UTC")], as_of)
    pd.testing.assert_frame_equal(price_index(rows, as_of), expected)
    pd.testing.assert_frame_equal(price_index(pd.concat([rows, free]), as_of), expected)


def test_errors_name_their_series() -> None:
    with pytest.raises(ValueError, match="series all, output_only: item 0 has two prices"):
        price_index(pd.concat([market(), market()]), datetime(2026, 6, 30, tzinfo=UTC))
