-- What share of the price does a token from the cache save in 2026, over the share a year before?
-- The median of the offers of OpenAI, Anthropic, Google and DeepSeek that print both, on the last day of June.
with shares as (
    select
        moments.price_day,
        1 - median(cast(cached.usd_per_mtok as double) / cast(fresh.usd_per_mtok as double)) as saved,
        count(*) as n_offers
    from (values (date '2025-06-30'), (date '2026-06-30')) as moments (price_day)
    cross join marts.fct_price_history as fresh
    inner join marts.fct_price_history as cached
        on
            fresh.offer_id = cached.offer_id
            and fresh.model_id = cached.model_id
            and moments.price_day >= cached.valid_from
            and moments.price_day < coalesce(cached.valid_to, timestamp '9999-12-31')
    where
        fresh.provider_id in ('openai', 'anthropic', 'google', 'deepseek')
        and fresh.meter = 'input'
        and cached.meter = 'cache_read'
        and fresh.service_tier = 'standard'
        and fresh.usd_per_mtok > 0
        and fresh.quality = 'ok'
        and cached.quality = 'ok'
        and fresh.known_to is null
        and cached.known_to is null
        and moments.price_day >= fresh.valid_from
        and moments.price_day < coalesce(fresh.valid_to, timestamp '9999-12-31')
    group by moments.price_day
)

select
    arg_max(saved, price_day) / nullif(arg_min(saved, price_day), 0) as observed_low,
    arg_max(saved, price_day) / nullif(arg_min(saved, price_day), 0) as observed_high,
    if(count(*) = 2, sum(n_offers), 0) as n_evidence,
    string_agg(
        printf('%s: %.0f %%, the median of %d offers', price_day, 100 * saved, n_offers), '; ' order by price_day
    ) as evidence
from shares
