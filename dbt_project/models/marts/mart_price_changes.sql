{{ config(materialized='view') }}

select
    moves.change_id,
    moves.changed_at,
    moves.date_precision,
    moves.first_known_at,
    moves.offer_id,
    moves.provider_id,
    history.model_id,
    moves.model_label,
    moves.meter,
    moves.service_tier,
    moves.context_from,
    moves.context_to,
    moves.region,
    moves.time_window,
    moves.currency,
    moves.pricing_unit,
    moves.old_price,
    moves.new_price,
    moves.direction,
    moves.ln_step,
    moves.change_percent,
    moves.old_price_age_days,
    moves.days_not_listed,
    moves.is_promo,
    moves.is_revert,
    history.quality,
    moves.old_evidence_sha256,
    moves.evidence_sha256
from {{ ref('int_price_moves') }} as moves
inner join {{ ref('fct_price_history') }} as history
    on
        moves.price_key = history.price_key
        and moves.changed_at = history.valid_from
        and history.known_to is null
