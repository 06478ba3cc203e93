{# Readings and captures never change, but a reading ends when its capture is read again. #}
{{ config(materialized='incremental', pre_hook="{{ drop_read_again() }}") }}

with readings as (
    select readings.*
    from {{ source('raw', 'readings') }} as readings
    {% if is_incremental() %}
        anti join {{ this }} as built on readings.reading_id = built.reading_id
    {% endif %}
),

-- Few captures are ever read again, and a window over all would take longer than everything else here.
read_again as (
    select
        reading_id,
        lead(read_at) over (partition by capture_id order by read_at, reading_id) as known_to
    from readings
    where
        capture_id in (
            select several.capture_id
            from readings as several
            group by several.capture_id
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
from readings
inner join {{ ref('stg_captures') }} as captures on readings.capture_id = captures.capture_id
left join read_again on readings.reading_id = read_again.reading_id
