-- How did every price of one label of a provider move, from its first day to now?
-- Change the provider and the label. One row per spell; between two rows of a meter lies a change, a change of the page
-- that says so (`better_witness`), or a time in which the price was not on sale.
select
    meter,
    service_tier,
    context_from,
    region,
    time_window,
    valid_from,
    valid_to,
    list_unit_price,
    currency,
    pricing_unit,
    usd_per_mtok,
    100 * (
        cast(list_unit_price as double) / nullif(cast(lag(list_unit_price) over of_one_price as double), 0) - 1
    ) as change_percent,
    date_diff('day', lag(valid_to) over of_one_price, valid_from) as days_not_listed,
    ended_by,
    date_precision,
    last_observed_at,
    source_kind,
    quality,
    evidence_sha256
from marts.fct_price_history
where provider_id = 'openai' and model_label = 'gpt-5.6-terra' and known_to is null
window
    of_one_price as (
        partition by meter, service_tier, coalesce(context_from, 0), region, time_window, currency, pricing_unit
        order by valid_from
    )
order by service_tier, coalesce(context_from, 0), region, time_window, meter, valid_from
