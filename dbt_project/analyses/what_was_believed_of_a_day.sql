-- What has the warehouse believed of the prices of a model on one day, since when, and what became of each belief?
-- Change the day and the model. `price_on(day, moment)` gives what was believed at one moment.
-- A belief is replaced by the next one, also where only the end of the price became known; one that is `corrected` was
-- withdrawn.
select
    provider_id,
    model_label,
    meter,
    service_tier,
    context_from,
    region,
    time_window,
    known_from,
    known_to,
    list_unit_price,
    currency,
    pricing_unit,
    usd_per_mtok,
    valid_from,
    valid_to,
    ended_by,
    page_key,
    quality,
    known_to is null as is_believed_today,
    count(*) over of_one_price as beliefs,
    count(distinct list_unit_price) over of_one_price > 1 as price_is_revised
from marts.fct_price_history
where
    model_id = 'z-ai/glm-5.1'
    and meter in ('input', 'output')
    and valid_from < date '2026-08-21' + interval 1 day
    and coalesce(valid_to >= date '2026-08-21' + interval 1 day, true)
window of_one_price as (partition by price_key)
order by provider_id, model_label, service_tier, context_from, region, time_window, meter, known_from, valid_from
