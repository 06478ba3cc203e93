{# What every witness says of every price, and up to which day it was looked at. #}
{{ config(materialized='view') }}

-- The last reading that may speak has another one, or none, behind it, so it is among the few that are judged.
with last_looks as (
    select
        page_key,
        max(captured_at) as last_captured_at
    from {{ ref('int_reading_judgements') }}
    where speaks_from is not null and known_to is null
    group by page_key
)

select
    claims.subject_key,
    claims.page_key,
    claims.witness_rank,
    claims.is_first_party,
    claims.offer_id,
    claims.price_key,
    claims.provider_id,
    claims.model_id,
    claims.model_label,
    claims.label_name,
    claims.meter,
    claims.service_tier,
    claims.context_from,
    claims.region,
    claims.time_window,
    claims.currency,
    claims.series_unit,
    claims.series_price,
    claims.price_figure,
    claims.valid_from,
    claims.valid_until,
    claims.day_from,
    claims.day_to,
    claims.has_announced_end,
    claims.date_precision,
    claims.evidence_sha256,
    least(claims.day_to, cast(last_looks.last_captured_at as date) + 1) as seen_until
from {{ ref('int_price_claims') }} as claims
left join last_looks on claims.page_key = last_looks.page_key
