{#
    What every page said, when, and when we knew: one row per good capture that says something new.
    A quote set with dates in it can change its meaning without changing its bytes, so the number of its dates that
    have passed is part of the state. On a page without dates whose captures became known in the order of time nothing
    can come between two that found the same: the second one says nothing new.
#}
with moments as (
    select distinct
        quotes_sha256,
        unnest([announced_from, valid_until]) as moment
    from {{ ref('stg_quotes') }}
    where announced_from is not null or valid_until is not null
),

pages_with_dates as (
    select distinct page_key
    from {{ ref('int_reading_neighbours') }}
    where quotes_sha256 in (select moments.quotes_sha256 from moments)
),

readings as (
    select * from {{ ref('int_good_readings') }}
    where is_repetition is not true or page_key in (select pages_with_dates.page_key from pages_with_dates)
    window
        of_one_instant as (
            partition by page_key, captured_at
            -- Of two readings of one moment the second one replaced the first.
            order by origin <> 'web_archive', requested_at, capture_id, known_from, reading_id
        )
    -- An instant that is asked for again and says the same says nothing new.
    qualify not coalesce(
        lag(quotes_sha256) over of_one_instant = quotes_sha256
        and lag(known_from) over of_one_instant <= known_from
        and known_to is null
        and lag(known_to) over of_one_instant is null,
        false
    )
),

good_readings as (
    select
        reading_id,
        page_key,
        provider_id,
        page_id,
        captured_at,
        evidence_sha256,
        quotes_sha256,
        known_from,
        -- Of two captures of one instant the page's own word goes before a web archive's, and else the later request
        -- speaks; each once it has been read.
        least(
            coalesce(known_to, cast('infinity' as timestamp)),
            coalesce(
                min(known_from) over (
                    partition by page_key, captured_at
                    order by origin <> 'web_archive', requested_at, capture_id
                    groups between 1 following and unbounded following
                ),
                cast('infinity' as timestamp)
            )
        ) as known_to
    from readings
),

passed_moments as (
    select
        readings.reading_id,
        count(*) as passed
    from good_readings as readings
    inner join moments
        on readings.quotes_sha256 = moments.quotes_sha256 and readings.captured_at >= moments.moment
    group by readings.reading_id
),

events as (
    select
        readings.*,
        readings.quotes_sha256 || ':' || coalesce(passed_moments.passed, 0) as state
    from good_readings as readings
    left join passed_moments on readings.reading_id = passed_moments.reading_id
    where readings.known_from < readings.known_to
)

{{ without_repetitions('events', 'page_key') }}
