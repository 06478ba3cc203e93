-- How many of OpenAI, Anthropic and Google cut a price in the ten weeks after DeepSeek R1 came out on 20 January 2025?
-- Standard prices for input or output tokens. Whether R1 was the cause, prices cannot tell.
with cuts as (
    select
        provider_id,
        model_label,
        min(change_percent) as change_percent
    from marts.mart_price_changes
    where
        provider_id in ('openai', 'anthropic', 'google')
        and meter in ('input', 'output')
        and service_tier = 'standard'
        and quality = 'ok'
        and direction = 'cut'
        and changed_at >= timestamp '2025-01-20'
        and changed_at < timestamp '2025-04-01'
    group by provider_id, model_label
)

select
    count(distinct provider_id) as observed_low,
    count(distinct provider_id) as observed_high,
    -- That nothing was cut can be said only where prices of all three were known.
    if(
        (
            select count(distinct history.provider_id) from marts.fct_price_history as history
            where
                history.provider_id in ('openai', 'anthropic', 'google')
                and history.valid_from < timestamp '2025-01-20'
                and history.known_to is null
        ) = 3, greatest(1, count(*)), 0
    ) as n_evidence,
    string_agg(
        printf('%s %s %.0f %%', provider_id, model_label, change_percent), '; ' order by provider_id, model_label
    ) as evidence
from cuts
