{#
    Whether a quote set lost a large part of what another one beside it in time has: fewer than 70 % are left of its
    offers or of its prices for one meter in one service tier, as when a column is gone; or an offer has only one of an
    input and an output price that had both. Quote sets never change, so each pair is compared once.
#}
{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail') }}

with readings as (
    select * from {{ ref('stg_readings') }}
    where outcome = 'ok'
),

neighbours as (
    {{ neighbours_in_time('readings') }}
),

beside_one_another as (
    select
        neighbours.previous_quotes_sha256 as whole_sha256,
        readings.quotes_sha256 as part_sha256
    from readings
    inner join neighbours on readings.capture_id = neighbours.capture_id
    union
    select
        neighbours.next_quotes_sha256 as whole_sha256,
        readings.quotes_sha256 as part_sha256
    from readings
    inner join neighbours on readings.capture_id = neighbours.capture_id
),

pairs as (
    select both_sets.*
    from beside_one_another as both_sets
    {% if is_incremental() %}
        anti join {{ this }} as compared
            on
                both_sets.whole_sha256 = compared.whole_sha256
                and both_sets.part_sha256 = compared.part_sha256
    {% endif %}
    where both_sets.whole_sha256 <> both_sets.part_sha256
),

quotes as (
    select
        quotes.quotes_sha256,
        quotes.offer_id,
        quotes.service_tier,
        quotes.meter
    from {{ ref('stg_quotes') }} as quotes
    semi join (
        select unnest([whole_sha256, part_sha256]) as quotes_sha256 from pairs
    ) as compared on quotes.quotes_sha256 = compared.quotes_sha256
),

counts as (
    select
        quotes_sha256,
        'offers' as counted,
        count(distinct offer_id) as how_many
    from quotes
    group by quotes_sha256
    union all
    select
        quotes_sha256,
        concat_ws(' ', service_tier, meter) as counted,
        count(distinct offer_id) as how_many
    from quotes
    group by quotes_sha256, service_tier, meter
),

directions as (
    select
        quotes_sha256,
        offer_id,
        count(distinct meter) as how_many
    from quotes
    where meter in ('input', 'output')
    group by quotes_sha256, offer_id
),

losses as (
    select
        pairs.whole_sha256,
        pairs.part_sha256
    from pairs
    inner join counts as whole on pairs.whole_sha256 = whole.quotes_sha256
    left join counts as part on pairs.part_sha256 = part.quotes_sha256 and whole.counted = part.counted
    where coalesce(part.how_many, 0) < 0.7 * whole.how_many
    union
    select
        pairs.whole_sha256,
        pairs.part_sha256
    from pairs
    inner join directions as whole on pairs.whole_sha256 = whole.quotes_sha256
    inner join directions as part on pairs.part_sha256 = part.quotes_sha256 and whole.offer_id = part.offer_id
    where part.how_many < whole.how_many
)

select
    pairs.whole_sha256,
    pairs.part_sha256,
    losses.part_sha256 is not null as is_loss
from pairs
left join losses on pairs.whole_sha256 = losses.whole_sha256 and pairs.part_sha256 = losses.part_sha256
