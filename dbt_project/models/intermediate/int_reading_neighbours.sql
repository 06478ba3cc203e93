{#
    Readings that do not simply repeat, in the order of time, what the captures beside theirs say, and those of captures
    that were read again: with the two captures beside them, by what is believed today. They are few, and all the
    others need no judgement.
#}
with readings as (
    select * from {{ ref('stg_readings') }}
    where outcome = 'ok'
),

-- One row per capture, the page's own word before a web archive's of the same instant.
neighbours as (
    select
        capture_id,
        lag(captured_at) over in_time as previous_captured_at,
        lag(known_from) over in_time as previous_known_from,
        lag(quotes_sha256) over in_time as previous_quotes_sha256,
        lead(quotes_sha256) over in_time as next_quotes_sha256,
        lead(known_from) over in_time as next_known_from
    from readings
    where known_to is null
    window in_time as (
        partition by page_key order by captured_at, origin <> 'web_archive', requested_at, capture_id
    )
)

select
    readings.reading_id,
    readings.page_key,
    readings.known_from,
    readings.known_to,
    readings.quotes_sha256,
    readings.is_released,
    coalesce(
        neighbours.previous_captured_at < readings.captured_at
        and neighbours.previous_known_from <= readings.known_from,
        true
    ) as is_in_order,
    neighbours.previous_quotes_sha256,
    neighbours.next_quotes_sha256,
    neighbours.next_known_from
from readings
left join neighbours on readings.capture_id = neighbours.capture_id
where
    readings.known_to is not null
    or neighbours.previous_quotes_sha256 is distinct from readings.quotes_sha256
    or neighbours.next_quotes_sha256 is distinct from readings.quotes_sha256
    or not is_in_order
