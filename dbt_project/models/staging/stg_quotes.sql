{#
    A table to which only new quote sets are added: they never change, and to make the keys of all their quotes takes
    longer than anything that is asked of them. Where a unit counts otherwise than before, all are told again.
#}
{{ config(
    materialized='incremental',
    pre_hook="{{ drop_of_other_units() }}"
) }}

-- Asked for twice, and too much to be held in memory for that.
with all_quotes as not materialized (
    select * from {{ source('raw', 'price_quotes') }}
    union all
    select * from {{ source('raw', 'observations') }}
),

{% if is_incremental() %}
    -- Every set has a first quote, and to look for that takes a quarter of the time that it takes to look at all.
    sets as (
        select quotes_sha256 from all_quotes
        where quote_no = 0
    ),

    told_sets as (
        select quotes_sha256 from {{ this }}
        where quote_no = 0
    ),

    new_sets as (
        select sets.quotes_sha256 from sets
        anti join told_sets on sets.quotes_sha256 = told_sets.quotes_sha256
    ),
{% endif %}

quotes as (
    select all_quotes.*
    from all_quotes
    {% if is_incremental() %}
        inner join new_sets on all_quotes.quotes_sha256 = new_sets.quotes_sha256
    {% endif %}
),

normalised as (
    select
        quotes.*,
        units.mtok_factor,
        -- Prices per token, per 1K and per 1M tokens are one series; any other unit is a series of its own.
        case when units.mtok_factor is null then quotes.pricing_unit else '1M tokens' end as series_unit,
        -- Exact: a multiplication of decimals, and a width that holds the product.
        cast(
            cast(quotes.list_unit_price as decimal(30, 18)) * coalesce(units.mtok_factor, 1) as decimal(38, 18)
        ) as series_price
    from quotes
    left join {{ source('raw', 'pricing_units') }} as units on quotes.pricing_unit = units.pricing_unit
)

select
    quotes_sha256,
    quote_no,
    provider_id,
    model_label,
    meter,
    list_unit_price,
    pricing_unit,
    currency,
    case when currency = 'USD' and mtok_factor is not null then series_price end as usd_per_mtok,
    series_price,
    series_unit,
    service_tier,
    context_from,
    context_to,
    region,
    time_window,
    announced_from,
    valid_until,
    doubt,
    evidence,
    locator,
    md5(concat_ws(
        '|',
        provider_id,
        model_label,
        service_tier,
        coalesce(cast(context_from as varchar), ''),
        coalesce(cast(context_to as varchar), ''),
        coalesce(region, ''),
        coalesce(time_window, '')
    )) as offer_id,
    md5(concat_ws(
        '|',
        provider_id,
        model_label,
        service_tier,
        coalesce(cast(context_from as varchar), ''),
        coalesce(cast(context_to as varchar), ''),
        coalesce(region, ''),
        coalesce(time_window, ''),
        meter,
        series_unit,
        currency
    )) as price_key,
    {{ units_hash() }} as units_hash
from normalised
{{ together() }}
