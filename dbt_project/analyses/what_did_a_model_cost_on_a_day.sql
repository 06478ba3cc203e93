-- What did a model cost at the end of a day, meter by meter, at whoever sold it, and where does that stand?
-- Change the day and the model. A price in another currency than USD is also shown as converted.
select
    provider_id,
    model_label,
    meter,
    service_tier,
    context_from,
    context_to,
    region,
    time_window,
    list_unit_price,
    currency,
    pricing_unit,
    coalesce(usd_per_mtok, usd_per_mtok_converted) as usd_per_mtok,
    valid_from,
    date_precision,
    last_observed_at,
    source_kind,
    evidence,
    evidence_sha256
from price_on(date '2026-08-21')
where model_id = 'openai/gpt-5.6-terra' and quality = 'ok'
order by provider_id, model_label, service_tier, context_from, region, time_window, meter
