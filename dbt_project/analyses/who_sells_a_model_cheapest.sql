-- Who sells a model cheapest now, three input tokens to one output token, and on what evidence?
-- Change the model. Standard tier and short prompts; prices that an aggregator routes are left out.
with clock as (
    select recorded_until from marts.dim_clock
),

offers as (
    select blends.*
    from marts.mart_blended_price as blends
    inner join marts.dim_provider as providers on blends.provider_id = providers.provider_id
    cross join clock
    where
        blends.model_id = 'openai/gpt-oss-120b'
        and blends.workload_id = 'input_output_3_1'
        and blends.service_tier = 'standard'
        and coalesce(blends.context_from, 0) = 0
        and providers.provider_kind <> 'aggregator'
        and blends.usd_per_mtok > 0
        and blends.day_from <= cast(clock.recorded_until as date)
        and coalesce(blends.day_to > cast(clock.recorded_until as date), true)
),

prices as (
    select history.*
    from marts.fct_price_history as history
    cross join clock
    where
        history.known_to is null
        and history.quality = 'ok'
        and history.valid_from <= clock.recorded_until
        and coalesce(history.valid_to > clock.recorded_until, true)
)

select
    rank() over (order by offers.usd_per_mtok) as place,
    offers.provider_id,
    inputs.model_label,
    offers.region,
    offers.time_window,
    offers.usd_per_mtok as blended_usd_per_mtok,
    inputs.usd_per_mtok as input_usd_per_mtok,
    outputs.usd_per_mtok as output_usd_per_mtok,
    greatest(inputs.valid_from, outputs.valid_from) as in_force_from,
    least(inputs.last_observed_at, outputs.last_observed_at) as last_observed_at,
    inputs.source_kind,
    inputs.page_key,
    inputs.evidence_sha256,
    inputs.locator as input_locator,
    outputs.locator as output_locator
from offers
inner join prices as inputs
    on offers.offer_id = inputs.offer_id and offers.model_id = inputs.model_id and inputs.meter = 'input'
inner join prices as outputs
    on offers.offer_id = outputs.offer_id and offers.model_id = outputs.model_id and outputs.meter = 'output'
where inputs.currency = 'USD' and outputs.currency = 'USD'
order by place, offers.provider_id, inputs.model_label, offers.region
