{#
    The readings that may speak. A page that lost a large part of what the capture before it had may be half a page: it
    is held back until the next capture agrees, or a person releases it (`tokenfall release`), and believed from then
    on.
#}
with readings as (
    select * from {{ ref('stg_readings') }}
    where outcome = 'ok'
),

neighbours as (
    {{ neighbours_in_time('readings') }}
),

losses as (
    select * from {{ ref('int_quote_set_losses') }}
    where is_loss
),

judged as (
    select
        readings.*,
        neighbours.previous_captured_at,
        neighbours.previous_known_from,
        neighbours.previous_quotes_sha256,
        neighbours.next_known_from,
        not readings.is_released and since_the_last.part_sha256 is not null as is_suspect,
        neighbours.next_quotes_sha256 is not null and until_the_next.part_sha256 is null as is_confirmed
    from readings
    left join neighbours on readings.capture_id = neighbours.capture_id
    left join losses as since_the_last
        on
            neighbours.previous_quotes_sha256 = since_the_last.whole_sha256
            and readings.quotes_sha256 = since_the_last.part_sha256
    left join losses as until_the_next
        on
            neighbours.next_quotes_sha256 = until_the_next.whole_sha256
            and readings.quotes_sha256 = until_the_next.part_sha256
),

-- Whose captures became known in the order of time, one after the other, and were never read again or held back.
plain_pages as (
    select page_key
    from judged
    group by page_key
    having
        bool_and(
            known_to is null
            and not is_suspect
            and coalesce(previous_captured_at < captured_at and previous_known_from <= known_from, true)
        )
)

select
    judged.reading_id,
    judged.capture_id,
    judged.provider_id,
    judged.page_id,
    judged.page_key,
    judged.origin,
    judged.requested_at,
    judged.captured_at,
    judged.evidence_sha256,
    judged.quotes_sha256,
    judged.is_released,
    case
        when judged.is_suspect then greatest(judged.known_from, judged.next_known_from) else judged.known_from
    end as known_from,
    judged.known_to,
    -- On such a page, what finds the quotes that the capture before it found.
    plain_pages.page_key is not null
    and coalesce(judged.previous_quotes_sha256 = judged.quotes_sha256, false) as is_repetition
from judged
left join plain_pages on judged.page_key = plain_pages.page_key
where
    not judged.is_suspect
    or (judged.is_confirmed and judged.next_known_from < coalesce(judged.known_to, cast('infinity' as timestamp)))
