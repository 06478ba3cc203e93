-- What do prices in other currencies come to in dollars, and how do they compare with the provider's own dollar price?
-- Prices per token in force now. The reference rate is that of the day on which the price came into force, so that a
-- converted price moves when the provider moves it and not with the rate. Without a dollar price of the provider's own
-- for the same model, tier, band and meter the comparison is null.
with prices as (
    select history.*
    from marts.fct_price_history as history
    cross join marts.dim_clock as clock
    where
        history.known_to is null
        and history.quality = 'ok'
        and history.valid_from <= clock.recorded_until
        and coalesce(history.valid_to > clock.recorded_until, true)
),

dollar_prices as (
    select
        provider_id,
        model_id,
        meter,
        service_tier,
        coalesce(context_from, 0) as band_from,
        min(usd_per_mtok) as usd_per_mtok
    from prices
    where currency = 'USD' and usd_per_mtok > 0 and region is null and time_window is null
    group by provider_id, model_id, meter, service_tier, band_from
)

select
    prices.provider_id,
    prices.model_label,
    prices.meter,
    prices.service_tier,
    prices.context_from,
    prices.region,
    prices.time_window,
    prices.list_unit_price,
    prices.currency,
    prices.pricing_unit,
    prices.valid_from,
    prices.exchange_rate_date,
    prices.usd_per_mtok_converted,
    dollar_prices.usd_per_mtok as own_usd_per_mtok,
    cast(prices.usd_per_mtok_converted as double) / cast(dollar_prices.usd_per_mtok as double)
        as converted_over_own
from prices
left join dollar_prices
    on
        prices.provider_id = dollar_prices.provider_id
        and prices.model_id = dollar_prices.model_id
        and prices.meter = dollar_prices.meter
        and prices.service_tier = dollar_prices.service_tier
        and coalesce(prices.context_from, 0) = dollar_prices.band_from
where prices.currency <> 'USD' and prices.usd_per_mtok_converted is not null
order by
    prices.currency, prices.provider_id, prices.model_label, prices.service_tier, prices.meter, prices.context_from
