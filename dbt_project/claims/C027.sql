-- By what factor did a capability become cheaper in the two years to January 2026?
-- The capability tiers of one index that were on sale already, three input tokens to one output token; the median tier.
with falls as (
    select
        tier_id,
        ln(arg_min(p_star, price_date) / arg_max(p_star, price_date)) as ln_fall
    from marts.mart_frontier_price_daily
    where
        tier_id like 'eci-%'
        and model_group = 'all'
        and workload_id = 'input_output_3_1'
        and p_star is not null
        and price_date in (date '2024-01-01', date '2026-01-01')
    group by tier_id
    having count(*) = 2
)

select
    exp(median(ln_fall)) as observed_low,
    exp(median(ln_fall)) as observed_high,
    count(*) as n_evidence,
    string_agg(printf('%s %.3gx', tier_id, exp(ln_fall)), ', ' order by tier_id) as evidence
from falls
