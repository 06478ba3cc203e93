-- What do a million output tokens of a 70B model cost to make on a rented H100 that is never idle?
-- Benchmark runs of many requests at once on one or more H100, at the median rent of the months since the run.
with costs as (
    select
        rents.rent_median * 1e6 / (3600 * runs.tokens_per_s_per_gpu) as usd,
        printf(
            '%s on %d H100 (%s), %s: %.3g', runs.measured_model, runs.n_gpu, runs.source,
            strftime(rents.rent_month, '%Y-%m'), rents.rent_median * 1e6 / (3600 * runs.tokens_per_s_per_gpu)
        ) as run
    from marts.mart_throughput as runs
    inner join marts.mart_gpu_rent as rents on runs.gpu = rents.gpu and runs.published_on <= rents.rent_month
    where
        runs.model_class = '70b_dense'
        and runs.gpu = 'H100_SXM'
        and runs.basis = 'benchmark_output'
        and rents.kind = 'on_demand'
        and rents.rent_month between date '2024-01-01' and date '2026-12-31'
)

select
    min(usd) as observed_low,
    max(usd) as observed_high,
    count(*) as n_evidence,
    string_agg(run, '; ' order by run) as evidence
from costs
