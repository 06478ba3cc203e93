-- What did a million tokens of the gpt-4 class cost in January 2023?
-- The lowest price on the median day, from input to output tokens.
with prices as (
    select
        *,
        price_date between date '2023-01-01' and date '2023-01-31' as is_then
    from marts.mart_frontier_price_daily
    where
        tier_id = 'eci-gpt-4'
        and model_group = 'all'
        and workload_id in ('input_only', 'output_only')
        and p_star is not null
)

select
    median(p_star) filter (where is_then and workload_id = 'input_only') as observed_low,
    median(p_star) filter (where is_then and workload_id = 'output_only') as observed_high,
    count(*) filter (where is_then) as n_evidence,
    -- Where there is none of that time, the first there is.
    coalesce(
        string_agg(
            distinct leader_model_id || ' at ' || leader_provider_id, '; '
            order by leader_model_id || ' at ' || leader_provider_id
        ) filter (where is_then),
        printf(
            '%g for output of %s at %s on %s', arg_min(p_star, price_date) filter (where workload_id = 'output_only'),
            arg_min(leader_model_id, price_date), arg_min(leader_provider_id, price_date),
            strftime(min(price_date), '%Y-%m-%d')
        )
    ) as evidence
from prices
