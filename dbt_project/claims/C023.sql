-- What did a million input tokens cost beyond 128,000 tokens: the dearest in 2024, and the cheapest in 2026?
-- Where a page has prices by length of the prompt those of long ones, else those of models that take 200,000 tokens.
with prices as (
    select
        cast(history.usd_per_mtok as double) as price,
        history.provider_id || ' ' || history.model_label as offer,
        history.valid_from < timestamp '2025-01-01' as is_of_2024,
        clock.as_of >= date '2026-01-01' and coalesce(history.valid_to > timestamp '2026-01-01', true) as is_of_2026
    from marts.fct_price_history as history
    inner join marts.dim_provider as providers on history.provider_id = providers.provider_id
    inner join marts.dim_model as models on history.model_id = models.model_id
    cross join marts.dim_clock as clock
    where
        history.meter = 'input'
        and history.service_tier = 'standard'
        and history.currency = 'USD'
        and history.usd_per_mtok > 0
        and history.quality <> 'quarantined'
        and history.known_to is null
        and providers.provider_kind <> 'aggregator'
        and models.capability_eci >= 126
        and (
            history.context_from >= 128000
            or (history.context_from is null and models.context_tokens >= 200000)
        )
)

select
    min(price) filter (where is_of_2026) as observed_low,
    max(price) filter (where is_of_2024) as observed_high,
    count(*) as n_evidence,
    printf(
        '%s in 2024, %s in 2026',
        arg_max(offer, (price, offer)) filter (where is_of_2024),
        arg_min(offer, (price, offer)) filter (where is_of_2026)
    ) as evidence
from prices
