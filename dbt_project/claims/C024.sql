-- By what factors did what had been the frontier and the middle in 2023 become cheaper?
-- The gpt-3.5 and gpt-4 classes have become plateaus since; three input tokens to one output token.
with falls as (
    select
        tier_id,
        arg_min(p_star, price_date) / arg_max(p_star, price_date) as fall,
        min(price_date) as day_from,
        max(price_date) as day_to
    from marts.mart_frontier_price_daily
    where
        tier_id in ('eci-gpt-3.5', 'eci-gpt-4')
        and model_group = 'all'
        and workload_id = 'input_output_3_1'
        and p_star is not null
        and price_date between date '2023-01-01' and date '2026-12-31'
    group by tier_id
)

select
    min(fall) as observed_low,
    max(fall) as observed_high,
    count(*) as n_evidence,
    max(day_from) as observed_from,
    min(day_to) as observed_to,
    string_agg(printf('%s %.3gx', tier_id, fall), ', ' order by tier_id) as evidence
from falls
