{{ config(materialized='view') }}

select
    price_key,
    offer_id,
    provider_id,
    model_id,
    model_label,
    rung,
    meter,
    service_tier,
    context_from,
    region,
    time_window,
    currency,
    pricing_unit,
    day_from,
    day_to,
    price,
    standard_price,
    ratio,
    standard_price_key
from {{ ref('int_discount_ladder') }}
where price_key is not null
