-- How many times more output tokens per dollar of rent does a generation make than the one before?
-- B200 over H100, every pair of runs and of months in which both were rented.
with runs as (
    select
        max(tokens_per_s_per_gpu) filter (where gpu = 'B200')
        / max(tokens_per_s_per_gpu) filter (where gpu = 'H100_SXM') as faster
    from marts.mart_throughput
    where counts = 'output'
    group by source, measured_model, input_tokens, output_tokens
),

rents as (
    select
        rent_month,
        max(rent_median) filter (where gpu = 'B200') / max(rent_median) filter (where gpu = 'H100_SXM') as dearer
    from marts.mart_gpu_rent
    where kind = 'on_demand' and rent_month between date '2022-01-01' and date '2026-12-31'
    group by rent_month
)

select
    min(runs.faster / rents.dearer) as observed_low,
    max(runs.faster / rents.dearer) as observed_high,
    count(*) as n_evidence,
    printf(
        'B200 over H100: %.3gx to %.3gx as fast, %.3gx to %.3gx as dear to rent',
        min(runs.faster), max(runs.faster), min(rents.dearer), max(rents.dearer)
    ) as evidence
from runs
cross join rents
where runs.faster is not null and rents.dearer is not null
