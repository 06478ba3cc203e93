"""Price indices of everything that first parties and hosts sell, month by month."""

from datetime import datetime
from functools import partial

import duckdb
import pandas as pd

from pipeline.assets.analytics.common import HEADLINE_WORKLOAD, Result, analytic, columns, mart, outside, result

WORKLOADS = (HEADLINE_WORKLOAD, "output_only")


def price_panel(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """Monthly prices as `pipeline.analytics.index.price_index` takes them.

    An item is one offer of one model, its price in a month the geometric mean over the days on which a price above 0
    was in force, up to and with the day of `as_of`; its cluster is the provider. First parties and hosts, standard
    tier, from the first token of context; aggregators, and providers that only others' price maps know, are left out.
    """
    panel = connection.execute(
        """
        with spans as (
            select dense_rank() over (order by blends.offer_id, blends.model_id) as item,
                dense_rank() over (order by provider_id) as cluster,
                blends.model_id, blends.workload_id, blends.day_from, blends.usd_per_mtok,
                least(coalesce(blends.day_to, $as_of + 1), $as_of + 1) as day_to
            from marts.mart_blended_price as blends
            join marts.dim_provider as providers using (provider_id)
            where list_contains($workloads, blends.workload_id) and blends.service_tier = 'standard'
                and coalesce(blends.context_from, 0) = 0 and blends.usd_per_mtok > 0 and blends.day_from <= $as_of
                and providers.provider_kind in ('first_party', 'reseller')
        ),
        months as (
            select *, cast(unnest(generate_series(date_trunc('month', day_from), day_to - 1, interval 1 month)) as date)
                as month
            from spans
        ),
        days as (
            select *, date_diff('day', greatest(day_from, month), least(day_to, month + interval 1 month)) as n_days,
                n_days * ln(usd_per_mtok) as log_days
            from months
        ),
        -- To add floats up in a fixed order takes long, and most prices stand all month.
        item_months as (
            select workload_id, month, item, cluster, model_id, n_days, log_days from days
            where n_days = day(last_day(month))
            union all
            select workload_id, month, item, cluster, model_id, sum(n_days), sum(log_days order by day_from) from days
            where n_days < day(last_day(month))
            group by workload_id, month, item, cluster, model_id
        )
        select item_months.workload_id as workload, item_months.item, item_months.cluster,
            exp(item_months.log_days / item_months.n_days) as price, cast(month as timestamp) as period,
            models.open_weights, models.capability_eci, cast(models.context_tokens as double) as context_tokens,
            cast(models.reasoning as double) as reasoning,
            cast(date_diff('month', models.release_date, month) as double) as age_months
        from item_months
        left join marts.dim_model as models using (model_id)
        order by workload, period, item
        """,
        {"as_of": as_of.date(), "workloads": list(WORKLOADS)},
    ).df()
    panel["period"] = panel["period"].dt.tz_localize("UTC")
    weights = panel.pop("open_weights")
    series = {"all": panel, "open_weights": panel[weights.eq(True)], "closed_weights": panel[weights.eq(False)]}
    return pd.concat([rows.assign(series_id=name) for name, rows in series.items()], ignore_index=True)


def price_index_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.price_index`."""
    from pipeline.analytics import index

    return index.price_index(price_panel(connection, as_of), as_of)


@analytic("price_index", [mart("mart_blended_price"), mart("dim_model"), mart("dim_provider"), mart("dim_clock")])
def price_index(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    rows = price_index_frame(connection, as_of)
    numbers = rows["index_value"].notna()
    broken = rows[
        (numbers & (rows["index_value"] <= 0))
        | outside(rows, "lo90", "index_value", "hi90")
        | (rows["lo90"].isna() & rows["reason"].isna())
    ]
    shown = rows[(rows["series_id"] == "all") & (rows["workload"] == HEADLINE_WORKLOAD)]
    curves = columns(shown, "method", "period", "index_value", "lo90", "hi90")
    return result(
        rows,
        broken,
        "Indices are positive and lie in their intervals, and every missing number has a reason.",
        indices=partial(plots.indices, curves, f"One market, six indices: 3:1 input to output, as of {as_of:%Y-%m-%d}"),
    )
