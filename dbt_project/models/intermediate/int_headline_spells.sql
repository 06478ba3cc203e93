{#
    The one history that we believe of each price, from the best witness in force: a provider's primary pages, before
    their first capture its cross-check pages, a price map only where no page has been read, and what a price map said
    in the past where neither speaks. Of two witnesses of one rank that say the same price, the one that stands first
    in our list of sources speaks from when it first did.

    Only prices are told again on which something new has come up.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_outdated('int_price_fingerprints', ['price_fingerprint']) }}"
) }}

with prices_to_tell as (
    {{ to_tell('int_price_fingerprints', ['price_fingerprint']) }}
),

witness_spells as (
    select
        spells.*,
        prices.price_fingerprint,
        sources.role,
        sources.source_order,
        sources.provider_id as source_provider_id,
        coalesce(spells.valid_to, cast('infinity' as timestamp)) as valid_until,
        coalesce(spells.known_to, cast('infinity' as timestamp)) as known_until,
        case
            when sources.role in ('price_map', 'price_history') then 'price_map'
            when sources.format = 'json' then 'provider_api'
            else 'provider_page'
        end as source_kind,
        dense_rank() over (
            partition by spells.price_key
            order by
                case sources.role when 'primary' then 1 when 'cross_check' then 2 when 'price_map' then 3 else 4 end,
                sources.source_order,
                spells.page_key
        ) as witness_rank
    from {{ ref('int_witness_spells') }} as spells
    inner join prices_to_tell as prices on spells.price_key = prices.price_key
    inner join {{ source('raw', 'sources') }} as sources
        on spells.page_key = sources.provider_id || '/' || sources.page_id
    where {{ is_of_provider('spells', 'prices_to_tell') }}
),

-- What a map contradicts itself about is believed where another witness, page or map, says the same.
agreed_prices as (
    select distinct
        doubted.page_key,
        doubted.price_key,
        doubted.series_price
    from witness_spells as doubted
    inner join witness_spells as agreeing
        on
            doubted.price_key = agreeing.price_key
            and doubted.series_price = agreeing.series_price
            and doubted.source_provider_id <> agreeing.source_provider_id
    where
        doubted.doubt is not null
        and agreeing.doubt is null
        and agreeing.known_to is null
),

-- Where one primary page is all that speaks of a price, its word is the history.
contested_prices as (
    select
        price_key,
        provider_id
    from witness_spells
    group by price_key, provider_id
    having bool_or(role <> 'primary' or witness_rank > 1)
),

-- The moments at which our belief about a price, or what covers it, can have changed.
moments_of_knowledge as (
    select
        price_key,
        known_at,
        row_number() over (partition by price_key order by known_at) as known_no,
        lead(known_at, 1, cast('infinity' as timestamp)) over (
            partition by price_key order by known_at
        ) as next_known_at
    from (
        select
            spells.price_key,
            unnest([spells.known_from, spells.known_until]) as known_at
        from witness_spells as spells
        inner join contested_prices on spells.price_key = contested_prices.price_key
        union
        select
            contested_prices.price_key,
            cover.known_from as known_at
        from contested_prices
        inner join {{ ref('int_page_cover') }} as cover on contested_prices.provider_id = cover.provider_id
    ) as moments
    where known_at < cast('infinity' as timestamp)
),

-- A better witness speaks from its first capture, or from an earlier date that it announces.
limited_spells as (
    select
        moments.known_at,
        moments.next_known_at,
        moments.known_no,
        spells.page_key,
        spells.price_key,
        spells.series_price,
        spells.valid_from,
        spells.date_precision,
        spells.ended_by,
        spells.known_from as spell_known_from,
        spells.valid_until as spell_until,
        least(
            spells.valid_until,
            cover.cover_from,
            min(spells.valid_from) over (
                partition by spells.price_key, moments.known_no
                order by spells.witness_rank
                range between unbounded preceding and 1 preceding
            )
        ) as valid_until
    from moments_of_knowledge as moments
    inner join witness_spells as spells
        on
            moments.price_key = spells.price_key
            and moments.known_at >= spells.known_from
            and moments.known_at < spells.known_until
    left join {{ ref('int_page_cover') }} as cover
        on
            spells.provider_id = cover.provider_id
            and replace(spells.role, 'price_history', 'price_map') = cover.covered_role
            and moments.known_at >= cover.known_from
            and moments.known_at < cover.known_to
),

remaining_spells as (
    select
        * exclude (ended_by),
        case when valid_until < spell_until then 'better_witness' else ended_by end as ended_by
    from limited_spells
    where valid_from < valid_until
),

-- Neighbouring moments of knowledge at which the same remains of a spell are one span.
islands as (
    select
        *,
        known_no - row_number() over (
            partition by price_key, page_key, valid_from, valid_until, series_price, date_precision, ended_by
            order by known_no
        ) as island
    from remaining_spells
),

remainders as (
    select
        page_key,
        price_key,
        valid_from,
        valid_until,
        ended_by,
        min(spell_known_from) as spell_known_from,
        min(known_at) as known_from,
        max(next_known_at) as known_until
    from islands
    group by price_key, page_key, valid_from, valid_until, series_price, date_precision, ended_by, island
)

select
    spells.page_key,
    spells.price_key,
    spells.price_fingerprint,
    spells.offer_id,
    spells.provider_id,
    spells.model_label,
    spells.meter,
    spells.series_unit,
    spells.currency,
    spells.service_tier,
    spells.context_from,
    spells.context_to,
    spells.region,
    spells.time_window,
    spells.list_unit_price,
    spells.pricing_unit,
    spells.usd_per_mtok,
    spells.series_price,
    spells.valid_from,
    spells.date_precision,
    spells.evidence_sha256,
    spells.evidence,
    spells.locator,
    spells.role,
    spells.source_order,
    spells.source_kind,
    coalesce(remainders.known_from, spells.known_from) as known_from,
    nullif(coalesce(remainders.known_until, spells.known_until), cast('infinity' as timestamp)) as known_to,
    nullif(coalesce(remainders.valid_until, spells.valid_until), cast('infinity' as timestamp)) as valid_to,
    coalesce(remainders.ended_by, spells.ended_by) as ended_by,
    spells.doubt is not null and agreed_prices.price_key is null as is_doubted
from witness_spells as spells
left join contested_prices on spells.price_key = contested_prices.price_key
left join remainders
    on
        spells.page_key = remainders.page_key
        and spells.price_key = remainders.price_key
        and spells.valid_from = remainders.valid_from
        and spells.known_from = remainders.spell_known_from
left join agreed_prices
    on
        spells.page_key = agreed_prices.page_key
        and spells.price_key = agreed_prices.price_key
        and spells.series_price = agreed_prices.series_price
where contested_prices.price_key is null or remainders.page_key is not null
{{ together() }}
