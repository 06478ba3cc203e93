with offers as (
    select
        offer_id,
        any_value(provider_id) as provider_id,
        any_value(model_label) as model_label,
        arg_max(model_id, valid_from) as model_id,
        bool_or(is_mapped) as is_mapped,
        any_value(service_tier) as service_tier,
        any_value(context_from) as context_from,
        any_value(context_to) as context_to,
        any_value(region) as region,
        any_value(time_window) as time_window,
        min(valid_from) as listed_from,
        case when bool_and(valid_to is not null) then max(valid_to) end as listed_to,
        list_sort(list(distinct meter)) as meters
    from {{ ref('int_price_history') }}
    where known_to is null
    group by offer_id
)

select
    offer_id,
    provider_id,
    model_id,
    model_label,
    is_mapped,
    service_tier,
    context_from,
    context_to,
    region,
    time_window,
    listed_from,
    listed_to,
    meters
from offers
