-- What did a million tokens of what had been the frontier in 2024, the gpt-4 class, cost in February 2026?
-- The lowest price on the median day, from input to output tokens.
select
    median(p_star) filter (where workload_id = 'input_only') as observed_low,
    median(p_star) filter (where workload_id = 'output_only') as observed_high,
    count(*) as n_evidence,
    array_to_string(
        list_sort(list_distinct(list(leader_model_id || ' at ' || leader_provider_id))), '; '
    ) as evidence
from marts.mart_frontier_price_daily
where
    tier_id = 'eci-gpt-4'
    and model_group = 'all'
    and workload_id in ('input_only', 'output_only')
    and p_star is not null
    and price_date between date '2026-02-01' and date '2026-02-28'
