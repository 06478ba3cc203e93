-- How many times more output tokens per GPU does a generation make than the one before, in the same benchmark?
-- B200 over H100, best published runs of one model, benchmark and shape of requests; no run on an A100 is on record.
with best as (
    select
        source,
        measured_model,
        input_tokens,
        output_tokens,
        max(tokens_per_s_per_gpu) filter (where gpu = 'H100_SXM') as older,
        max(tokens_per_s_per_gpu) filter (where gpu = 'B200') as newer
    from marts.mart_throughput
    where counts = 'output'
    group by source, measured_model, input_tokens, output_tokens
)

select
    min(newer / older) as observed_low,
    max(newer / older) as observed_high,
    count(*) as n_evidence,
    string_agg(printf('%s in %s %.3gx', measured_model, source, newer / older), '; ' order by source, measured_model)
        as evidence
from best
where older is not null and newer is not null
