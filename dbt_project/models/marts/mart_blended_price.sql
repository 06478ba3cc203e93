{{ config(materialized='view') }}

select
    offer_id,
    model_id,
    provider_id,
    workload_id,
    source_kind,
    service_tier,
    context_from,
    region,
    time_window,
    day_from,
    day_to,
    usd_per_mtok,
    is_promo
from {{ ref('int_blended_price') }}
