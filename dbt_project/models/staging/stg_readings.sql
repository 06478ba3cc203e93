{# A table: half of the models need to know which reading another one replaced, and finding out takes the longest. #}
{{ config(materialized='table') }}

-- Few captures are ever read again, and a window over all would take longer than everything else here.
with read_again as (
    select
        reading_id,
        lead(read_at) over (partition by capture_id order by read_at, reading_id) as known_to
    from {{ source('raw', 'readings') }}
    where
        capture_id in (
            select readings.capture_id
            from {{ source('raw', 'readings') }} as readings
            group by readings.capture_id
            having count(*) > 1
        )
)

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
    read_again.known_to,
    readings.outcome,
    readings.quotes_sha256,
    coalesce(readings.message = 'released', false) as is_released
from {{ source('raw', 'readings') }} as readings
inner join {{ ref('stg_captures') }} as captures on readings.capture_id = captures.capture_id
left join read_again on readings.reading_id = read_again.reading_id
