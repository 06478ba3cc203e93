{# The blended price at the end of each day, up to the last day that any page was seen. #}
{{ config(materialized='view') }}

with spans as (
    select
        blends.* exclude (day_to),
        least(coalesce(blends.day_to - 1, clock.as_of), clock.as_of) as day_to
    from {{ ref('mart_blended_price') }} as blends
    cross join {{ ref('dim_clock') }} as clock
    where blends.day_from <= clock.as_of
),

days as (
    {{ days_of('spans') }}
)

select
    days.price_date,
    spans.offer_id,
    spans.provider_id,
    spans.model_id,
    spans.workload_id,
    spans.service_tier,
    spans.context_from,
    spans.region,
    spans.time_window,
    spans.usd_per_mtok,
    spans.is_promo,
    spans.source_kind
from spans
inner join days on days.price_date between spans.day_from and spans.day_to
