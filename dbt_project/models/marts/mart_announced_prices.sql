{#
    What providers announced, and what became of it, as believed today. Judged by the first good capture after the last
    one that still announced it: until then nobody knows more than was announced.
#}
with pages as (
    select distinct page_key
    from {{ ref('int_reading_neighbours') }}
    where quotes_sha256 in (
        select quotes.quotes_sha256 from {{ ref('stg_quotes') }} as quotes
        where quotes.announced_from is not null
    )
),

instants as (
    select
        page_key,
        captured_at,
        quotes_sha256,
        evidence_sha256
    from {{ ref('int_good_readings') }}
    where known_to is null and page_key in (select pages.page_key from pages)
    -- Of two captures of one instant the page's own word goes before a web archive's, and else the later one speaks.
    qualify
        row_number() over (
            partition by page_key, captured_at
            order by origin = 'web_archive', requested_at desc, capture_id desc
        ) = 1
),

captures as (
    select
        *,
        lead(captured_at) over in_time as next_captured_at,
        lead(evidence_sha256) over in_time as next_evidence_sha256
    from instants
    window in_time as (partition by page_key order by captured_at)
),

-- Distinct: a page may print its announcement twice.
announcements as (
    select distinct
        captures.page_key,
        captures.captured_at,
        captures.next_captured_at,
        captures.evidence_sha256,
        captures.next_evidence_sha256,
        quotes.price_key,
        quotes.offer_id,
        quotes.provider_id,
        quotes.model_label,
        quotes.meter,
        quotes.service_tier,
        quotes.context_from,
        quotes.context_to,
        quotes.region,
        quotes.time_window,
        quotes.currency,
        quotes.series_unit,
        quotes.series_price,
        quotes.announced_from
    from captures
    inner join {{ ref('stg_quotes') }} as quotes on captures.quotes_sha256 = quotes.quotes_sha256
    where quotes.announced_from > captures.captured_at and quotes.series_price is not null
),

announced as (
    select
        page_key,
        price_key,
        announced_from,
        series_price,
        any_value(offer_id) as offer_id,
        any_value(provider_id) as provider_id,
        any_value(model_label) as model_label,
        any_value(meter) as meter,
        any_value(service_tier) as service_tier,
        any_value(context_from) as context_from,
        any_value(context_to) as context_to,
        any_value(region) as region,
        any_value(time_window) as time_window,
        any_value(currency) as currency,
        any_value(series_unit) as series_unit,
        min(captured_at) as announced_at,
        max(captured_at) as last_announced_at,
        arg_min(evidence_sha256, captured_at) as announced_sha256,
        arg_max(coalesce(next_captured_at, cast('infinity' as timestamp)), captured_at) as judged_at,
        arg_max(next_evidence_sha256, captured_at) as judged_sha256
    from announcements
    group by page_key, price_key, announced_from, series_price
),

spells as (
    select spells.*
    from {{ ref('int_witness_spells') }} as spells
    where
        spells.known_to is null
        and {{ is_of_provider('spells', 'announced') }}
),

-- The price that was in force beside the announcement, and the one that was when it was gone.
with_prices as (
    select
        announced.*,
        max(spells.series_price) filter (
            where
            announced.last_announced_at >= spells.valid_from
            and announced.last_announced_at < coalesce(spells.valid_to, cast('infinity' as timestamp))
        ) as price_before,
        max(spells.series_price) filter (
            where
            announced.judged_at >= spells.valid_from
            and announced.judged_at < coalesce(spells.valid_to, cast('infinity' as timestamp))
        ) as price_after,
        min(spells.valid_from) filter (
            where
            announced.judged_at >= spells.valid_from
            and announced.judged_at < coalesce(spells.valid_to, cast('infinity' as timestamp))
        ) as price_after_from
    from announced
    left join spells on announced.page_key = spells.page_key and announced.price_key = spells.price_key
    group by all
),

succeeded as (
    select distinct
        page_key,
        price_key,
        captured_at
    from announcements
)

select
    md5(
        concat_ws('|', prices.page_key, prices.price_key, prices.announced_from, prices.series_price)
    ) as announcement_id,
    prices.announced_at,
    prices.announced_from,
    prices.offer_id,
    prices.price_key,
    prices.provider_id,
    prices.model_label,
    prices.meter,
    prices.service_tier,
    prices.context_from,
    prices.context_to,
    prices.region,
    prices.time_window,
    prices.currency,
    prices.series_unit as pricing_unit,
    cast(prices.price_before as decimal(38, 18)) as price_before,
    cast(prices.series_price as decimal(38, 18)) as announced_price,
    cast(prices.price_after as decimal(38, 18)) as price_after,
    case
        when prices.judged_sha256 is null and prices.announced_from > clock.recorded_until then 'ahead'
        when prices.judged_sha256 is null then null
        when prices.price_after = prices.series_price then 'took_effect'
        when succeeded.price_key is not null then 'changed'
        when coalesce(prices.price_after = prices.price_before, prices.price_after is null) then 'withdrawn'
        else 'changed'
    end as outcome,
    case when prices.price_after = prices.series_price then prices.price_after_from end as took_effect_at,
    prices.last_announced_at,
    nullif(prices.judged_at, cast('infinity' as timestamp)) as judged_at,
    prices.page_key,
    prices.announced_sha256,
    prices.judged_sha256
from with_prices as prices
cross join {{ ref('dim_clock') }} as clock
left join succeeded
    on
        prices.page_key = succeeded.page_key
        and prices.price_key = succeeded.price_key
        and prices.judged_at = succeeded.captured_at
