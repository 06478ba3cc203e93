{{ config(materialized='view') }}

with observed as (
    select
        history.*,
        looks_at_start.first_captured_since as first_observed_at,
        coalesce(looks_at_start.first_is_released, false) as is_released,
        case
            when looks_at_end.last_captured_before >= history.spell_from then looks_at_end.last_captured_before
        end as last_observed_at
    from {{ ref('int_price_history') }} as history
    left join {{ ref('int_page_looks') }} as looks_at_end
        on
            history.page_key = looks_at_end.page_key
            and coalesce(history.valid_to, cast('infinity' as timestamp)) = looks_at_end.moment
    left join {{ ref('int_page_looks') }} as looks_at_start
        on history.page_key = looks_at_start.page_key and history.spell_from = looks_at_start.moment
)

select
    offer_id,
    price_key,
    provider_id,
    model_id,
    model_label,
    is_mapped,
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
    usd_per_mtok_converted,
    exchange_rate_date,
    valid_from,
    valid_to,
    ended_by,
    date_precision,
    known_from,
    known_to,
    last_observed_at,
    page_key,
    source_kind,
    other_witnesses,
    case
        when is_withdrawn then 'corrected'
        when is_doubted then 'quarantined'
        -- Believed when a second capture says the same, or when a person has released the first.
        when is_leap and coalesce(first_observed_at >= last_observed_at, true) and not is_released then 'quarantined'
        else 'ok'
    end as quality,
    evidence_sha256,
    evidence,
    locator
from observed
