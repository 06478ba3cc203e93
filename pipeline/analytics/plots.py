"""Plots as SVG text, for the Dagster UI and the README. Colours are told apart without seeing red and green.

They are drawn in a process of their own, which has no pandas: it takes longer to load than most plots take to draw. So
a table is its columns by name, without nulls: NaN is a missing number.
"""

import io
from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Columns = Mapping[str, npt.NDArray[Any]]

# Okabe and Ito's palette.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def frontier(prices: Columns, names: dict[str, str], title: str) -> str:
    """Curves of p* over time. `prices`, in order: price_date, tier_id, p_star in USD per 1M tokens.

    `names` are those of the tiers that are drawn, by tier_id.
    """
    figure = _figure(9.5, 4.8)
    axes = figure.subplots()
    ends: dict[float, list[tuple[str, str]]] = {}
    for colour, (tier_id, name) in zip(COLOURS, names.items(), strict=False):
        of_tier = prices["tier_id"] == tier_id
        if not of_tier.any():
            continue
        p_star = prices["p_star"][of_tier]
        axes.step(prices["price_date"][of_tier], p_star, where="post", color=colour, linewidth=1.8, alpha=0.85)
        ends.setdefault(p_star[-1], []).append((name, colour))
    # Curves that end at one price share a label; the first of them gives the colour.
    for price, curves in ends.items():
        axes.annotate(
            fill(f"${price:.3g}  " + ", ".join(name for name, _ in curves), width=28),
            (prices["price_date"].max(), price),
            xytext=(6, 0),
            textcoords="offset points",
            color=curves[0][1],
            fontsize=8.5,
            verticalalignment="center",
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"${value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"${value:g}" if f"{value:e}"[0] in "25" else "")
    axes.tick_params(axis="both", which="both", labelsize=8.5)
    axes.set_ylabel("USD per 1M tokens")
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(visible=True, which="major", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.subplots_adjust(left=0.09, right=0.74)
    return _svg(figure)


def intervals(rows: Columns, title: str, axis: str, *, log: bool = False) -> str:
    """Estimates with their intervals, one line each. `rows`: label, value, low, high; lines without a value say so."""
    labels = [str(label) for label in rows["label"]]
    figure = _figure(9, 1.2 + 0.34 * max(len(labels), 1))
    axes = figure.subplots()
    positions = np.arange(len(labels))[::-1]
    for position, value, low, high in zip(positions, rows["value"], rows["low"], rows["high"], strict=True):
        if np.isnan(value):
            axes.annotate(
                "not supported by the data",
                (0.02, position),
                xycoords=("axes fraction", "data"),
                fontsize=8,
                color="#777777",
                verticalalignment="center",
            )
            continue
        axes.plot([low, high], [position, position], color=COLOURS[0], linewidth=2)
        axes.plot([value], [position], "o", color=COLOURS[1], markersize=5)
    axes.set_yticks(positions, labels, fontsize=9)
    axes.set_ylim(-0.7, len(labels) - 0.3)
    if log:
        # Every tick takes as long to draw as a line of the plot, and a power of ten longer than all the rest.
        axes.set_xscale("log", subs=(2, 5))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}")
        axes.tick_params(axis="x", which="both", labelsize=8.5)
    else:
        axes.axvline(0, color="#999999", linewidth=0.8)
    axes.set_xlabel(axis)
    axes.set_title(title, loc="left", fontsize=11, y=1)  # given, it need not be searched for
    axes.grid(visible=True, axis="x", alpha=0.25)
    axes.spines[["top", "right", "left"]].set_visible(False)
    # Room for the longest label and the title; laying the figure out by trial would take longer than drawing it.
    longest = max(map(len, labels), default=0)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.02 + 0.0078 * longest, right=0.98, bottom=0.52 / height, top=1 - 0.35 / height)
    return _svg(figure)


def fan(history: Columns, free: Columns, floored: Columns, title: str) -> str:
    """A price and where it goes. `history`: month_end, price; forecasts without and with a floor: target_month, p05,
    p50, p95. All are in order, all prices USD per 1M tokens, the band is from p05 to p95.
    """
    figure = _figure(9, 4.5)
    axes = figure.subplots()
    known = ~np.isnan(history["price"])
    month_ends, prices = history["month_end"][known], history["price"][known]
    axes.step(month_ends, prices, where="post", color=COLOURS[6], linewidth=1.8)
    months, floored_months = (np.concatenate([month_ends[-1:], rows["target_month"]]) for rows in (free, floored))

    def path(rows: Columns, quantile: str) -> npt.NDArray[np.float64]:
        return np.concatenate([prices[-1:], rows[quantile]])

    axes.fill_between(months, path(free, "p05"), path(free, "p95"), color=COLOURS[0], alpha=0.2, label="90 % interval")
    axes.plot(months, path(free, "p50"), color=COLOURS[1], linewidth=1.8, label="median")
    for quantile, name, colour in (("p50", "median", COLOURS[1]), ("p05", "5 %", COLOURS[0])):
        axes.plot(
            floored_months, path(floored, quantile), ":", color=colour, linewidth=1.8, label=f"{name}, with floor"
        )
    # A logarithmic axis without a price is an error.
    if len(prices):
        axes.set_yscale("log", subs=(1,))
    axes.yaxis.set_major_formatter(lambda value, _: f"${value:g}")
    axes.tick_params(axis="both", labelsize=8.5)
    axes.set_ylabel("USD per 1M tokens")
    axes.set_title(title, loc="left", fontsize=11, y=1)
    axes.legend(loc="lower left", frameon=False, fontsize=8.5)
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.09, top=0.92)
    return _svg(figure)


def indices(rows: Columns, title: str) -> str:
    """Index curves with their intervals as bands. `rows`, in order: method, period, index_value, lo90, hi90."""
    figure = _figure(9.5, 4.8)
    axes = figure.subplots()
    methods = sorted(set(rows["method"]))
    for colour, method in zip(COLOURS, methods, strict=False):
        of_method = rows["method"] == method
        period, value, low, high = (rows[name][of_method] for name in ("period", "index_value", "lo90", "hi90"))
        axes.plot(period, value, color=colour, linewidth=1.8, label=method)
        axes.fill_between(period, low, high, color=colour, alpha=0.12, linewidth=0)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(axis="both", which="both", labelsize=8.5)
    axes.set_ylabel("first month = 100, with 90 % interval")
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(visible=True, which="major", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if methods:
        axes.legend(fontsize=8.5, frameon=False, loc="lower left")
    figure.subplots_adjust(left=0.09, right=0.98)
    return _svg(figure)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def _svg(figure: "Figure") -> str:
    import matplotlib as mpl

    out = io.StringIO()
    # The same figure gives the same bytes: no date, and ids that do not depend on chance.
    with mpl.rc_context({"svg.hashsalt": "tokenfall", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()
