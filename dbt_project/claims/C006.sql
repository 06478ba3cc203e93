-- What did a million input tokens of deepseek-chat cost at DeepSeek in early 2026, outside of the cache and of nights?
-- By its name, which meant DeepSeek-V3.2 then.
with prices as (
    select
        cast(usd_per_mtok as double) as price,
        evidence_sha256,
        printf(
            '%g for input of %s at %s since %s (%s)', cast(usd_per_mtok as double), model_id, provider_id,
            strftime(valid_from, '%Y-%m-%d'), source_kind
        ) as evidence
    from marts.fct_price_history
    where
        provider_id = 'deepseek'
        and model_label = 'deepseek-chat'
        and meter = 'input'
        and service_tier = 'standard'
        and time_window is null
        and usd_per_mtok is not null
        and quality <> 'quarantined'
        and known_to is null
        and valid_from < date '2026-04-01'
        and coalesce(valid_to > date '2026-01-01', true)
)

select
    min(price) as observed_low,
    max(price) as observed_high,
    count(*) as n_evidence,
    string_agg(evidence, '; ' order by evidence) as evidence,
    string_agg(distinct evidence_sha256, '; ' order by evidence_sha256) as evidence_sha256
from prices
