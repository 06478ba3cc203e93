{# What every witness says of every price, and up to which day it was looked at. #}
{{ config(materialized='view') }}

select
    claims.* exclude (price_fingerprint),
    least(claims.day_to, cast(last_looks.last_captured_at as date) + 1) as seen_until
from {{ ref('int_price_claims') }} as claims
left join (
    select
        page_key,
        max(captured_at) as last_captured_at
    from {{ ref('int_good_readings') }}
    where known_to is null
    group by page_key
) as last_looks on claims.page_key = last_looks.page_key
