{# A table: half of the models need to know which reading another one replaced, and finding out takes the longest. #}
{{ config(materialized='table') }}

select
    readings.reading_id,
    readings.capture_id,
    captures.provider_id,
    captures.page_id,
    captures.page_key,
    captures.origin,
    captures.requested_at,
    captures.captured_at,
    captures.sha256 as evidence_sha256,
    readings.read_at as known_from,
    lead(readings.read_at) over (
        partition by readings.capture_id order by readings.read_at, readings.reading_id
    ) as known_to,
    readings.outcome,
    readings.quotes_sha256,
    coalesce(readings.message = 'released', false) as is_released
from {{ source('raw', 'readings') }} as readings
inner join {{ ref('stg_captures') }} as captures on readings.capture_id = captures.capture_id
