-- What did a million calls that sort something into classes cost in February 2026, in the gpt-3.5 and gpt-4 classes?
-- 500 input and 10 output tokens a call, as in the workload "classify"; the lowest price on the median day.
with prices as (
    select
        tier_id,
        median(p_star) as price,
        count(*) as n_days
    from marts.mart_frontier_price_daily
    where
        tier_id in ('eci-gpt-3.5', 'eci-gpt-4')
        and model_group = 'all'
        and workload_id = 'classify'
        and p_star is not null
        and price_date between date '2026-02-01' and date '2026-02-28'
    group by tier_id
)

select
    510 * min(price) as observed_low,
    510 * max(price) as observed_high,
    coalesce(sum(n_days), 0) as n_evidence,
    printf('0.50 would buy %.0f tokens a call', 0.5 / min(price)) as evidence
from prices
