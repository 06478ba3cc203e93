-- By what factor did output tokens of the gpt-4 class become cheaper from January 2024 to January 2025?
select
    arg_min(p_star, price_date) / arg_max(p_star, price_date) as observed_low,
    arg_min(p_star, price_date) / arg_max(p_star, price_date) as observed_high,
    count(*) as n_evidence,
    min(price_date) as observed_from,
    max(price_date) as observed_to,
    printf(
        '%g for %s at %s on %s, %g for %s at %s on %s',
        arg_min(p_star, price_date), arg_min(leader_model_id, price_date), arg_min(leader_provider_id, price_date),
        strftime(min(price_date), '%Y-%m-%d'),
        arg_max(p_star, price_date), arg_max(leader_model_id, price_date), arg_max(leader_provider_id, price_date),
        strftime(max(price_date), '%Y-%m-%d')
    ) as evidence
from marts.mart_frontier_price_daily
where
    tier_id = 'eci-gpt-4'
    and model_group = 'all'
    and workload_id = 'output_only'
    and p_star is not null
    and price_date between date '2024-01-01' and date '2025-01-31'
