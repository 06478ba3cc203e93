{#
    The readings that may speak. A page with far fewer offers than the capture before it may be half a page: it is held
    back until the next capture agrees, or a person releases it (`tokenfall release`), and believed from then on.
#}
with sizes as (
    select
        quotes_sha256,
        count(distinct offer_id) as offers
    from {{ ref('stg_quotes') }}
    group by quotes_sha256
),

readings as (
    select
        readings.*,
        sizes.offers
    from {{ ref('stg_readings') }} as readings
    inner join sizes on readings.quotes_sha256 = sizes.quotes_sha256
    where readings.outcome = 'ok'
),

neighbours as (
    select
        capture_id,
        lag(offers) over in_time as previous_offers,
        lead(offers) over in_time as next_offers,
        lead(known_from) over in_time as next_known_from
    from readings
    where known_to is null
    window in_time as (
        partition by page_key order by captured_at, origin <> 'web_archive', requested_at, capture_id
    )
),

judged as (
    select
        readings.*,
        coalesce(0.7 * neighbours.next_offers <= readings.offers, false) as is_confirmed,
        neighbours.next_known_from,
        not readings.is_released
        and coalesce(readings.offers < 0.7 * neighbours.previous_offers, false) as is_suspect
    from readings
    left join neighbours on readings.capture_id = neighbours.capture_id
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
