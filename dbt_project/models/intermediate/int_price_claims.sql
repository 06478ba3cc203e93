{#
    What every witness says of every price, as believed today, with what makes it comparable to what others say: which
    model the label stands for, and the days it covers.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_price_fingerprints', ['price_fingerprint']) }}"
) }}

with prices_to_tell as (
    {{ to_tell('int_price_fingerprints', ['price_fingerprint']) }}
),

names as (
    select
        provider_id,
        model_label,
        model_id,
        coalesce(cast(valid_from as timestamp), cast('-infinity' as timestamp)) as named_from,
        coalesce(cast(valid_to as timestamp), cast('infinity' as timestamp)) as named_to
    from {{ ref('model_aliases') }}
),

-- Between two models, before the first and after the last, a label that a provider re-points stands for none we know.
names_and_gaps as (
    select * from names
    union all
    select
        provider_id,
        model_label,
        null as model_id,
        lag(named_to, 1, cast('-infinity' as timestamp)) over in_time as gap_from,
        named_from as gap_to
    from names
    window in_time as (partition by provider_id, model_label order by named_from)
    qualify gap_from < gap_to
    union all
    select
        provider_id,
        model_label,
        null as model_id,
        max(named_to) as gap_from,
        cast('infinity' as timestamp) as gap_to
    from names
    group by provider_id, model_label
    having max(named_to) < cast('infinity' as timestamp)
),

witnesses as (
    select
        provider_id || '/' || page_id as page_key,
        role in ('primary', 'cross_check') as is_first_party,
        row_number() over (
            order by
                case role when 'primary' then 1 when 'cross_check' then 2 when 'price_map' then 3 else 4 end,
                source_order,
                provider_id,
                page_id
        ) as witness_rank
    from {{ source('raw', 'sources') }}
),

spells as (
    select
        spells.*,
        prices.price_fingerprint,
        coalesce(spells.valid_to, cast('infinity' as timestamp)) as valid_until
    from {{ ref('int_witness_spells') }} as spells
    inner join prices_to_tell as prices on spells.price_key = prices.price_key
    where
        spells.known_to is null
        and spells.series_price is not null
        and {{ is_of_provider('spells', 'prices_to_tell') }}
),

identified as (
    select
        spells.*,
        coalesce(named.model_id, spells.provider_id || ':' || spells.model_label) as model_id,
        greatest(spells.valid_from, coalesce(named.named_from, cast('-infinity' as timestamp))) as said_from,
        least(spells.valid_until, coalesce(named.named_to, cast('infinity' as timestamp))) as said_until
    from spells
    left join names_and_gaps as named
        on
            spells.provider_id = named.provider_id
            and spells.model_label = named.model_label
            and spells.valid_from < named.named_to
            and spells.valid_until > named.named_from
)

select
    {{ subject_key('identified') }} as subject_key,
    identified.page_key,
    witnesses.witness_rank,
    witnesses.is_first_party,
    identified.offer_id,
    identified.price_key,
    identified.price_fingerprint,
    identified.provider_id,
    identified.model_id,
    identified.model_label,
    -- The label without what people write in different ways.
    regexp_replace(lower(identified.model_label), '[\s._:/()-]', '', 'g') as label_name,
    identified.meter,
    identified.service_tier,
    identified.context_from,
    identified.region,
    identified.time_window,
    identified.currency,
    identified.series_unit,
    identified.series_price,
    {{ price_figure('identified.series_price') }} as price_figure,
    identified.said_from as valid_from,
    identified.said_until as valid_until,
    cast(identified.said_from as date) as day_from,
    cast(identified.said_until as date) as day_to,
    coalesce(identified.ended_by = 'announced_end', false) and identified.said_until = identified.valid_until
        as has_announced_end,
    identified.date_precision,
    identified.evidence_sha256
from identified
inner join witnesses on identified.page_key = witnesses.page_key
{{ together() }}
