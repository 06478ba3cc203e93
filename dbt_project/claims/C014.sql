-- How many times more efficient is the new generation of GPUs: output tokens per dollar of rent, and per GPU?
-- B200 over H100, every pair of runs and of months in which both were rented. Nothing newer is on record.
{{ with_b200_beside_h100('2025-01-01', '2027-12-31') }}

select
    min(runs.faster / rents.dearer) as observed_low,
    max(runs.faster) as observed_high,
    count(*) as n_evidence,
    printf(
        'B200 over H100: %.3gx to %.3gx as fast, %.3gx to %.3gx as dear to rent',
        min(runs.faster), max(runs.faster), min(rents.dearer), max(rents.dearer)
    ) as evidence
from runs
cross join rents
where runs.faster is not null and rents.dearer is not null
