{#
    The readings that may speak. A page that lost a large part of what the capture before it had may be half a page: it
    is held back until the next capture agrees, or a person releases it (`tokenfall release`), and believed from then
    on. Lost is a large part where fewer than 70 % are left of its offers or of its prices for one meter in one service
    tier, as when a column is gone; or where an offer has only one of an input and an output price that had both.
#}
with readings as (
    select * from {{ ref('stg_readings') }}
    where outcome = 'ok'
),

neighbours as (
    select
        capture_id,
        lag(quotes_sha256) over in_time as previous_quotes_sha256,
        lead(quotes_sha256) over in_time as next_quotes_sha256,
        lead(known_from) over in_time as next_known_from
    from readings
    where known_to is null
    window in_time as (
        partition by page_key order by captured_at, origin <> 'web_archive', requested_at, capture_id
    )
),

counts as (
    select
        quotes_sha256,
        'offers' as counted,
        count(distinct offer_id) as how_many
    from {{ ref('stg_quotes') }}
    group by quotes_sha256
    union all
    select
        quotes_sha256,
        concat_ws(' ', service_tier, meter) as counted,
        count(distinct offer_id) as how_many
    from {{ ref('stg_quotes') }}
    group by quotes_sha256, service_tier, meter
),

directions as (
    select
        quotes_sha256,
        offer_id,
        count(distinct meter) as how_many
    from {{ ref('stg_quotes') }}
    where meter in ('input', 'output')
    group by quotes_sha256, offer_id
),

-- What is compared: every reading with the capture before it and with the one after it.
pairs as (
    select
        neighbours.previous_quotes_sha256 as whole_sha256,
        readings.quotes_sha256 as part_sha256
    from readings
    inner join neighbours on readings.capture_id = neighbours.capture_id
    union
    select
        neighbours.next_quotes_sha256,
        readings.quotes_sha256
    from readings
    inner join neighbours on readings.capture_id = neighbours.capture_id
),

losses as (
    select
        pairs.whole_sha256,
        pairs.part_sha256
    from pairs
    inner join counts as whole on pairs.whole_sha256 = whole.quotes_sha256
    left join counts as part on pairs.part_sha256 = part.quotes_sha256 and whole.counted = part.counted
    where pairs.whole_sha256 <> pairs.part_sha256 and coalesce(part.how_many, 0) < 0.7 * whole.how_many
    union
    select
        pairs.whole_sha256,
        pairs.part_sha256
    from pairs
    inner join directions as whole on pairs.whole_sha256 = whole.quotes_sha256
    inner join directions as part on pairs.part_sha256 = part.quotes_sha256 and whole.offer_id = part.offer_id
    where pairs.whole_sha256 <> pairs.part_sha256 and part.how_many < whole.how_many
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
