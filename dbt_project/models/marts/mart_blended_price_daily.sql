{# The blended price at the end of each day, up to the last day that any page was seen. #}
{{ config(materialized='view') }}

select
    blends.day_from
    + cast(
        unnest(range(least(coalesce(blends.day_to - 1, clock.as_of), clock.as_of) - blends.day_from + 1)) as integer
    ) as price_date,
    blends.offer_id,
    blends.provider_id,
    blends.model_id,
    blends.workload_id,
    blends.service_tier,
    blends.context_from,
    blends.region,
    blends.time_window,
    blends.usd_per_mtok,
    blends.is_promo,
    blends.source_kind
from {{ ref('mart_blended_price') }} as blends
cross join {{ ref('dim_clock') }} as clock
where blends.day_from <= clock.as_of
