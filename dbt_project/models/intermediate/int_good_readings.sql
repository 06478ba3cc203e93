{# The readings that may speak, and from when. #}
{{ config(materialized='view') }}

with pages_out_of_order as (
    select distinct page_key
    from {{ ref('int_reading_judgements') }}
    where not is_plain
)

select
    readings.reading_id,
    readings.capture_id,
    readings.provider_id,
    readings.page_id,
    readings.page_key,
    readings.origin,
    readings.requested_at,
    readings.captured_at,
    readings.evidence_sha256,
    readings.quotes_sha256,
    readings.is_released,
    coalesce(judgements.speaks_from, readings.known_from) as known_from,
    readings.known_to,
    -- On a page whose captures became known in the order of time: what finds the quotes that the one before it found.
    pages_out_of_order.page_key is null and coalesce(judgements.is_like_previous, true) as is_repetition
from {{ ref('stg_readings') }} as readings
left join {{ ref('int_reading_judgements') }} as judgements on readings.reading_id = judgements.reading_id
left join pages_out_of_order on readings.page_key = pages_out_of_order.page_key
where
    readings.outcome = 'ok'
    and (judgements.reading_id is null or judgements.speaks_from is not null)
