{#
    From when a reading may speak. A page that lost a large part of what the capture before it had may be half a page:
    it is held back until the next capture agrees, or a person releases it (`tokenfall release`), and believed from then
    on.
#}
with losses as (
    select * from {{ ref('int_quote_set_losses') }}
    where is_loss
),

judged as (
    select
        readings.*,
        not readings.is_released and since_the_last.part_sha256 is not null as is_suspect,
        readings.next_quotes_sha256 is not null and until_the_next.part_sha256 is null as is_confirmed
    from {{ ref('int_reading_neighbours') }} as readings
    left join losses as since_the_last
        on
            readings.previous_quotes_sha256 = since_the_last.whole_sha256
            and readings.quotes_sha256 = since_the_last.part_sha256
    left join losses as until_the_next
        on
            readings.next_quotes_sha256 = until_the_next.whole_sha256
            and readings.quotes_sha256 = until_the_next.part_sha256
)

select
    reading_id,
    page_key,
    captured_at,
    known_to,
    case
        when not is_suspect then known_from
        when is_confirmed and next_known_from < coalesce(known_to, cast('infinity' as timestamp))
            then greatest(known_from, next_known_from)
    end as speaks_from,
    coalesce(previous_quotes_sha256 = quotes_sha256, false) as is_like_previous,
    -- Became known in the order of time, and was never read again or held back.
    known_to is null and is_in_order and not is_suspect as is_plain
from judged
