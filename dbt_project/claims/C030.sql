-- How many times cheaper were output tokens of gpt-4o-mini in July 2024 than those of gpt-4 in March 2023?
with prices as (
    select
        model_id = 'openai/gpt-4o-mini' as is_mini,
        cast(usd_per_mtok as double) as price,
        valid_from,
        if(
            model_id = 'openai/gpt-4o-mini',
            valid_from < timestamp '2024-08-01' and coalesce(valid_to > timestamp '2024-07-18', true),
            valid_from < timestamp '2023-04-01' and coalesce(valid_to > timestamp '2023-03-14', true)
        ) as is_then
    from marts.fct_price_history
    where
        provider_id = 'openai'
        and model_id in ('openai/gpt-4-0314', 'openai/gpt-4o-mini')
        and meter = 'output'
        and service_tier = 'standard'
        and usd_per_mtok > 0
        and quality <> 'quarantined'
        and known_to is null
)

select
    min(price) filter (where is_then and not is_mini) / max(price) filter (where is_then and is_mini) as observed_low,
    max(price) filter (where is_then and not is_mini) / min(price) filter (where is_then and is_mini) as observed_high,
    if(count(distinct is_mini) filter (where is_then) = 2, count(*) filter (where is_then), 0) as n_evidence,
    printf(
        '%g for gpt-4 on %s and %g for gpt-4o-mini on %s',
        arg_min(price, valid_from) filter (where not is_mini),
        strftime(min(valid_from) filter (where not is_mini), '%Y-%m-%d'),
        arg_min(price, valid_from) filter (where is_mini),
        strftime(min(valid_from) filter (where is_mini), '%Y-%m-%d')
    ) as evidence
from prices
