-- What did a million input tokens of gpt-4 cost at OpenAI in March 2024?
with prices as (
    select
        cast(usd_per_mtok as double) as price,
        valid_from,
        valid_from < date '2024-04-01' and coalesce(valid_to > date '2024-03-01', true) as is_then,
        printf(
            '%s %s of %s at %s in force from %s (%s, sha256 %s)',
            printf('%g', cast(usd_per_mtok as double)), meter, model_label, provider_id,
            strftime(valid_from, '%Y-%m-%d'), source_kind, evidence_sha256
        ) as evidence
    from marts.fct_price_history
    where
        provider_id = 'openai'
        and model_id = 'openai/gpt-4-0613'
        and meter = 'input'
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
