{# The price in force at the end of each day, as believed today, up to the last day that any page was seen. #}
{{ config(materialized='view') }}

with spells as (
    select
        history.*,
        cast(history.valid_from as date) as day_from,
        least(
            coalesce(cast(history.valid_to as date) - 1, clock.as_of),
            clock.as_of
        ) as day_to
    from {{ ref('fct_price_history') }} as history
    cross join {{ ref('dim_clock') }} as clock
    where history.known_to is null and history.quality <> 'quarantined'
)

select
    day_from + cast(unnest(range(day_to - day_from + 1)) as integer) as price_date,
    offer_id,
    price_key,
    provider_id,
    model_id,
    model_label,
    meter,
    service_tier,
    context_from,
    context_to,
    region,
    time_window,
    list_unit_price,
    pricing_unit,
    currency,
    usd_per_mtok,
    date_precision,
    source_kind,
    evidence_sha256
from spells
where day_from <= day_to
