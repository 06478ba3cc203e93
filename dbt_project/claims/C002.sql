-- What did a million output tokens of gpt-4 cost at OpenAI in June 2023?
with prices as (
    select
        cast(usd_per_mtok as double) as price,
        valid_from,
        valid_from < date '2023-07-01' and coalesce(valid_to > date '2023-06-01', true) as is_then,
        printf(
            '%s %s of %s at %s in force from %s (%s, sha256 %s)',
            printf('%g', cast(usd_per_mtok as double)), meter, model_label, provider_id,
            strftime(valid_from, '%Y-%m-%d'), source_kind, evidence_sha256
        ) as evidence
    from marts.fct_price_history
    where
        provider_id = 'openai'
        and model_id in ('openai/gpt-4-0314', 'openai/gpt-4-0613')
        and meter = 'output'
        and service_tier = 'standard'
        and currency = 'USD'
        and usd_per_mtok is not null
        and quality <> 'quarantined'
        and known_to is null
)

select
    min(price) filter (where is_then) as observed_low,
    max(price) filter (where is_then) as observed_high,
    count(*) filter (where is_then) as n_evidence,
    -- Where there is none of that time, the first there is.
    coalesce(
        string_agg(distinct evidence, '; ' order by evidence) filter (where is_then),
        arg_min(evidence, (valid_from, evidence))
    ) as evidence
from prices
