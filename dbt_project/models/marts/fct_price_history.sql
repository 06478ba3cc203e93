{{ config(materialized='view') }}

select
    history.offer_id,
    history.price_key,
    history.provider_id,
    history.model_id,
    history.model_label,
    history.is_mapped,
    history.meter,
    history.service_tier,
    history.context_from,
    history.context_to,
    history.region,
    history.time_window,
    history.list_unit_price,
    history.pricing_unit,
    history.currency,
    history.usd_per_mtok,
    history.usd_per_mtok_converted,
    history.exchange_rate_date,
    history.valid_from,
    history.valid_to,
    history.ended_by,
    history.date_precision,
    history.known_from,
    history.known_to,
    case when looks.last_captured_before >= history.spell_from then looks.last_captured_before end as last_observed_at,
    history.page_key,
    history.source_kind,
    history.other_witnesses,
    coalesce(doubtful.quality, 'ok') as quality,
    history.evidence_sha256,
    history.evidence,
    history.locator
from {{ ref('int_price_history') }} as history
left join {{ ref('int_page_looks') }} as looks
    on
        history.page_key = looks.page_key
        and coalesce(history.valid_to, cast('infinity' as timestamp)) = looks.moment
left join {{ ref('int_doubtful_prices') }} as doubtful
    on
        history.price_key = doubtful.price_key
        and history.valid_from = doubtful.valid_from
        and history.known_from = doubtful.known_from
