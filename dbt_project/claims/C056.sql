-- What share of the price does a token from the cache save in 2026, over the share a year before?
-- The median of the offers of OpenAI, Anthropic, Google and DeepSeek that print both, on the last day of June.
with offers as (
    select
        moments.price_day,
        cast(any_value(history.usd_per_mtok) filter (where history.meter = 'cache_read') as double)
        / cast(any_value(history.usd_per_mtok) filter (where history.meter = 'input') as double) as paid
    from marts.fct_price_history as history
    inner join (values (timestamp '2025-06-30'), (timestamp '2026-06-30')) as moments (price_day)
        on
            history.valid_from <= moments.price_day
            and coalesce(history.valid_to > moments.price_day, true)
    where
        history.provider_id in ('openai', 'anthropic', 'google', 'deepseek')
        and history.meter in ('input', 'cache_read')
        and history.service_tier = 'standard'
        and history.usd_per_mtok > 0
        and history.quality = 'ok'
        and history.known_to is null
    group by moments.price_day, history.offer_id, history.model_id
),

shares as (
    select
        price_day,
        1 - median(paid) as saved,
        count(paid) as n_offers
    from offers
    where paid is not null
    group by price_day
)

select
    arg_max(saved, price_day) / nullif(arg_min(saved, price_day), 0) as observed_low,
    arg_max(saved, price_day) / nullif(arg_min(saved, price_day), 0) as observed_high,
    if(count(*) = 2, sum(n_offers), 0) as n_evidence,
    string_agg(
        printf('%s: %.0f %%, the median of %d offers', strftime(price_day, '%Y-%m-%d'), 100 * saved, n_offers), '; '
        order by price_day
    ) as evidence
from shares
