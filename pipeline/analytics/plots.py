"""Plots as SVG text, for the Dagster UI and the README. Colours are told apart without seeing red and green."""

import io
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def frontier(prices: pd.DataFrame, names: dict[str, str], title: str) -> str:
    """Curves of p* over time. `prices`: price_date, tier_id, p_star (USD per 1M tokens); `names` by tier_id."""
    figure = _figure(9.5, 4.8)
    axes = figure.subplots()
    ends: dict[float, list[tuple[str, str]]] = {}
    for colour, (tier_id, name) in zip(COLOURS, names.items(), strict=False):
        curve = prices[prices["tier_id"] == tier_id].sort_values("price_date")
        if curve.empty:
            continue
        p_star = curve["p_star"].to_numpy(dtype=float)
        axes.step(curve["price_date"], p_star, where="post", color=colour, linewidth=1.8, alpha=0.85)
        ends.setdefault(p_star[-1], []).append((name, colour))
    last_day = prices["price_date"].max()
    # Curves that end at one price share a label; the first of them gives the colour.
    for price, curves in ends.items():
        axes.annotate(
            fill(f"${price:.3g}  " + ", ".join(name for name, _ in curves), width=28),
            (last_day, price),
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


def intervals(rows: pd.DataFrame, title: str, axis: str, *, log: bool = False) -> str:
    """Estimates with their intervals, one line each. `rows`: label, value, low, high; lines without a value say so."""
    figure = _figure(9, 1.2 + 0.34 * max(len(rows), 1))
    axes = figure.subplots()
    positions = np.arange(len(rows))[::-1]
    limits = rows[["value", "low", "high"]].to_numpy(dtype=float, na_value=np.nan)
    for position, (value, low, high) in zip(positions, limits, strict=True):
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
    axes.set_yticks(positions, [str(label) for label in rows["label"]], fontsize=9)
    axes.set_ylim(-0.7, len(rows) - 0.3)
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
    longest = max((len(str(label)) for label in rows["label"]), default=0)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.02 + 0.0078 * longest, right=0.98, bottom=0.52 / height, top=1 - 0.35 / height)
    return _svg(figure)


def fan(history: pd.DataFrame, free: pd.DataFrame, floored: pd.DataFrame, title: str) -> str:
    """A price and where it goes. `history`: month_end, price; forecasts without and with a floor: target_month, p05,
    p50, p95. All prices are USD per 1M tokens, the band is from p05 to p95.
    """
    figure = _figure(9, 4.5)
    axes = figure.subplots()
    known = history.dropna(subset="price").sort_values("month_end")
    axes.step(known["month_end"], known["price"], where="post", color=COLOURS[6], linewidth=1.8)
    start = known.tail(1)
    months, floored_months = (np.concatenate([start["month_end"], rows["target_month"]]) for rows in (free, floored))

    def path(rows: pd.DataFrame, quantile: str) -> npt.NDArray[np.float64]:
        return np.concatenate([start["price"], rows[quantile]]).astype(np.float64)

    axes.fill_between(months, path(free, "p05"), path(free, "p95"), color=COLOURS[0], alpha=0.2, label="90 % interval")
    axes.plot(months, path(free, "p50"), color=COLOURS[1], linewidth=1.8, label="median")
    for quantile, name, colour in (("p50", "median", COLOURS[1]), ("p05", "5 %", COLOURS[0])):
        axes.plot(
            floored_months, path(floored, quantile), ":", color=colour, linewidth=1.8, label=f"{name}, with floor"
        )
    # A logarithmic axis without a price is an error.
    if len(known):
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


def indices(rows: pd.DataFrame, title: str) -> str:
    """Index curves with their intervals as bands. `rows`: method, period, index_value, lo90, hi90 (null: none)."""
    figure = _figure(9.5, 4.8)
    axes = figure.subplots()
    for colour, (method, curve) in zip(COLOURS, rows.groupby("method"), strict=False):
        values = curve[["index_value", "lo90", "hi90"]].to_numpy(dtype=float, na_value=np.nan)
        axes.plot(curve["period"], values[:, 0], color=colour, linewidth=1.8, label=method)
        axes.fill_between(curve["period"], values[:, 1], values[:, 2], color=colour, alpha=0.12, linewidth=0)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(axis="both", which="both", labelsize=8.5)
    axes.set_ylabel("first month = 100, with 90 % interval")
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(visible=True, which="major", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(rows):
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
