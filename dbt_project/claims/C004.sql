-- What did a million output tokens of Claude 2 cost at Anthropic in July 2023?
with prices as (
    select
        cast(usd_per_mtok as double) as price,
        valid_from,
        valid_from < date '2023-08-01' and coalesce(valid_to > date '2023-07-01', true) as is_then,
        evidence_sha256,
        printf(
            '%g for %s of %s at %s since %s (%s)', cast(usd_per_mtok as double), meter, model_label, provider_id,
            strftime(valid_from, '%Y-%m-%d'), source_kind
        ) as evidence
    from marts.fct_price_history
    where
        provider_id = 'anthropic'
        and model_id in ('anthropic/claude-2.0', 'anthropic:claude-2')
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
    ) as evidence,
    coalesce(
        string_agg(distinct evidence_sha256, '; ' order by evidence_sha256) filter (where is_then),
        arg_min(evidence_sha256, (valid_from, evidence))
    ) as evidence_sha256
from prices
