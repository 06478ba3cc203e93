{#
    Whether a quote set lost a large part of what another one beside it in time has: fewer than 70 % are left of its
    offers or of its prices for one meter in one service tier, as when a column is gone; or an offer has only one of an
    input and an output price that had both. Quote sets never change, so each pair is compared once.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_quote_set_pairs', ['whole_sha256', 'part_sha256']) }}"
) }}

with pairs as (
    {{ to_tell('int_quote_set_pairs', ['whole_sha256', 'part_sha256']) }}
),

compared_sets as (
    select unnest([whole_sha256, part_sha256]) as quotes_sha256 from pairs
),

quotes as (
    select
        quotes.quotes_sha256,
        quotes.offer_id,
        quotes.service_tier,
        quotes.meter
    from {{ ref('stg_quotes') }} as quotes
    semi join compared_sets on quotes.quotes_sha256 = compared_sets.quotes_sha256
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
