-- What does a million tokens of an 8B model cost to make on a spot GPU that is never idle?
-- From all tokens of requests with long prompts to output tokens of requests with long answers, in the best published
-- runs, at the median rent. Idle hours come on top.
with costs as (
    select
        rents.rent_median * 1e6 / (
            3600 * runs.tokens_per_s_per_gpu * if(
                runs.input_tokens > runs.output_tokens, (runs.input_tokens + runs.output_tokens) / runs.output_tokens, 1
            )
        ) as usd,
        printf(
            '%s on %s, %d in and %d out: %.0f tokens out per second; rent %g', runs.measured_model, runs.gpu,
            runs.input_tokens, runs.output_tokens, runs.tokens_per_s_per_gpu, rents.rent_median
        ) as run
    from marts.mart_throughput as runs
    inner join marts.mart_gpu_rent as rents on runs.gpu = rents.gpu
    where
        runs.model_class = '8b_dense'
        and runs.counts = 'output'
        and runs.input_tokens is not null
        and rents.kind = 'spot'
    qualify
        runs.tokens_per_s_per_gpu
        = max(runs.tokens_per_s_per_gpu) over (partition by runs.input_tokens, runs.output_tokens)
)

select
    min(usd) as observed_low,
    max(usd) as observed_high,
    count(*) as n_evidence,
    string_agg(run, '; ' order by run) as evidence
from costs
