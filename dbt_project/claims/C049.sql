-- By what factor a year does hardware alone cut the cost of output tokens?
-- B200 over H100 per dollar of rent, every pair of runs and of months in which both were rented, spread over the time
-- between the two data sheets.
{{ with_b200_beside_h100('2024-01-01', '2026-12-31') }},

generation as (
    select max(described_on) filter (where gpu = 'B200') - max(described_on) filter (where gpu = 'H100_SXM') as n_days
    from marts.dim_gpu
)

select
    pow(min(runs.faster / rents.dearer), 365 / any_value(generation.n_days)) as observed_low,
    pow(max(runs.faster / rents.dearer), 365 / any_value(generation.n_days)) as observed_high,
    count(*) as n_evidence,
    printf(
        'B200 over H100: %.3gx to %.3gx as fast, %.3gx to %.3gx as dear to rent, %d days later',
        min(runs.faster), max(runs.faster), min(rents.dearer), max(rents.dearer), any_value(generation.n_days)
    ) as evidence
from runs
cross join rents
cross join generation
where runs.faster is not null and rents.dearer is not null
