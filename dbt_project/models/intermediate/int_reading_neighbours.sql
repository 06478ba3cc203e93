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
current_readings as (
    select
        reading_id,
        capture_id,
        page_key,
        captured_at,
        known_from,
        known_to,
        quotes_sha256,
        is_released,
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
),

replaced_readings as (
    select * from readings
    where known_to is not null
),

-- Few enough to be looked at twice.
uncommon_readings as (
    select
        *,
        coalesce(
            previous_quotes_sha256 = quotes_sha256
            and next_quotes_sha256 = quotes_sha256
            and previous_captured_at < captured_at
            and previous_known_from <= known_from,
            false
        ) as is_mere_repetition
    from current_readings
    where
        not is_mere_repetition
        or capture_id in (select replaced_readings.capture_id from replaced_readings)
),

readings_beside_others as (
    select * from uncommon_readings
    where not is_mere_repetition
    union all by name
    select
        replaced.reading_id,
        replaced.capture_id,
        replaced.page_key,
        replaced.captured_at,
        replaced.known_from,
        replaced.known_to,
        replaced.quotes_sha256,
        replaced.is_released,
        present.previous_captured_at,
        present.previous_known_from,
        present.previous_quotes_sha256,
        present.next_quotes_sha256,
        present.next_known_from
    from replaced_readings as replaced
    left join uncommon_readings as present on replaced.capture_id = present.capture_id
)

select
    reading_id,
    page_key,
    captured_at,
    known_from,
    known_to,
    quotes_sha256,
    is_released,
    coalesce(previous_captured_at < captured_at and previous_known_from <= known_from, true) as is_in_order,
    previous_quotes_sha256,
    next_quotes_sha256,
    next_known_from
from readings_beside_others
