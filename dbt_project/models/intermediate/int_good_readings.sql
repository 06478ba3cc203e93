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
)

select
    reading_id,
    capture_id,
    provider_id,
    page_id,
    page_key,
    origin,
    requested_at,
    captured_at,
    evidence_sha256,
    quotes_sha256,
    is_released,
    case when is_suspect then greatest(known_from, next_known_from) else known_from end as known_from,
    known_to
from judged
where
    not is_suspect
    or (is_confirmed and next_known_from < coalesce(known_to, cast('infinity' as timestamp)))
