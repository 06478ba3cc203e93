-- What did an interaction of 10 to 20 calls cost in February 2026 in the gpt-4 class, the history sent again each call?
-- 200 tokens of instructions, 100 per question and 300 per answer, as in the workload "chat": 24,000 tokens after 10
-- calls and 88,000 after 20; the lowest price on the median day.
select
    24000 * median(p_star) / 1e6 as observed_low,
    88000 * median(p_star) / 1e6 as observed_high,
    count(*) as n_evidence,
    printf('%g per 1M tokens', median(p_star)) as evidence
from marts.mart_frontier_price_daily
where
    tier_id = 'eci-gpt-4'
    and model_group = 'all'
    and workload_id = 'chat'
    and p_star is not null
    and price_date between date '2026-02-01' and date '2026-02-28'
