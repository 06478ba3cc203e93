{# Questions that several public claims ask, with other models and days: see `claims/`. #}

{# By what factor the gpt-4 class became cheaper from the first to the last of these days with a price. #}
{% macro fall_in_all(workload_id, first_day, last_day) -%}
select
    arg_min(p_star, price_date) / arg_max(p_star, price_date) as observed_low,
    arg_min(p_star, price_date) / arg_max(p_star, price_date) as observed_high,
    count(*) as n_evidence,
    min(price_date) as observed_from,
    max(price_date) as observed_to,
    printf(
        '%g for %s at %s on %s, %g for %s at %s on %s',
        arg_min(p_star, price_date), arg_min(leader_model_id, price_date), arg_min(leader_provider_id, price_date),
        strftime(min(price_date), '%Y-%m-%d'),
        arg_max(p_star, price_date), arg_max(leader_model_id, price_date), arg_max(leader_provider_id, price_date),
        strftime(max(price_date), '%Y-%m-%d')
    ) as evidence
from marts.mart_frontier_price_daily
where
    tier_id = 'eci-gpt-4'
    and model_group = 'all'
    and workload_id = '{{ workload_id }}'
    and p_star is not null
    and price_date between date '{{ first_day }}' and date '{{ last_day }}'
{%- endmacro %}

{#
    By what factor the gpt-4 class becomes cheaper in so many days, by its prices on these days if they are 90 at
    least, and the 90 % interval of the rate since prices are known.
#}
{% macro fall_in_days(days, first_day, last_day) -%}
with ends as (
    select
        ln(arg_min(p_star, price_date) / arg_max(p_star, price_date)) as ln_fall,
        max(price_date) - min(price_date) as n_days,
        count(*) as n_evidence,
        min(price_date) as observed_from,
        max(price_date) as observed_to
    from marts.mart_frontier_price_daily
    where
        tier_id = 'eci-gpt-4'
        and model_group = 'all'
        and workload_id = 'input_output_3_1'
        and p_star is not null
        and price_date between date '{{ first_day }}' and date '{{ last_day }}'
)

select
    if(ends.n_days >= 90, exp(ends.ln_fall * {{ days }} / ends.n_days), null) as observed_low,
    if(ends.n_days >= 90, exp(ends.ln_fall * {{ days }} / ends.n_days), null) as observed_high,
    ends.n_evidence,
    ends.observed_from,
    ends.observed_to,
    exp(least(rates.lo90{{ ' * ' ~ days ~ ' / 365' if days != 365 }}, 700)) as interval_low,
    exp(least(rates.hi90{{ ' * ' ~ days ~ ' / 365' if days != 365 }}, 700)) as interval_high,
    printf('%d price changes of the gpt-4 class since prices are known', rates.n_events) as evidence
from ends
left join analytics.decline_rates as rates
    on
        rates.series_kind = 'capability_tier'
        and rates.series_id = 'eci-gpt-4'
        and rates.workload = 'input_output_3_1'
        and rates.method = 'asof_endpoint'
        and rates.window_days is null
{%- endmacro %}

{#
    By what factor the median tier became cheaper since the first price of these days, and by the last day of the
    forecast at the rate of the last 365 days.
#}
{% macro fall_carried_on(first_day, last_first_day, last_day) -%}
with tiers as (
    select
        frontier.tier_id,
        arg_min(frontier.p_star, frontier.price_date) filter (
            where frontier.price_date between date '{{ first_day }}' and date '{{ last_first_day }}'
        ) as p_from,
        arg_max(frontier.p_star, frontier.price_date) as p_now,
        arg_max(frontier.p_star, frontier.price_date) filter (
            where frontier.price_date <= clock.as_of - 365
        ) as p_year_before,
        greatest(0, date '{{ last_day }}' - any_value(clock.as_of)) / 365 as years_left
    from marts.mart_frontier_price_daily as frontier
    cross join marts.dim_clock as clock
    where
        frontier.tier_id like 'eci-%'
        and frontier.model_group = 'all'
        and frontier.workload_id = 'input_output_3_1'
        and frontier.p_star is not null
        and frontier.price_date <= date '{{ last_day }}'
    group by frontier.tier_id
),

falls as (
    select
        tier_id,
        ln(p_from / p_now) as ln_fall,
        ln(p_from / p_now) + ln(p_year_before / p_now) * years_left as ln_fall_at_the_end
    from tiers
    where p_from is not null
)

select
    exp(median(ln_fall)) as observed_low,
    exp(median(ln_fall)) as observed_high,
    exp(median(ln_fall_at_the_end)) as projected_low,
    exp(median(ln_fall_at_the_end)) as projected_high,
    count(*) as n_evidence,
    string_agg(printf('%s %.3gx', tier_id, exp(ln_fall)), ', ' order by tier_id) as evidence
from falls
{%- endmacro %}

{# The lowest price of a tier on the median day, from input to output tokens. #}
{% macro price_of_tier(tier_id, first_day, last_day) -%}
select
    median(p_star) filter (where workload_id = 'input_only') as observed_low,
    median(p_star) filter (where workload_id = 'output_only') as observed_high,
    count(*) as n_evidence,
    array_to_string(
        list_sort(list_distinct(list(leader_model_id || ' at ' || leader_provider_id))), '; '
    ) as evidence
from marts.mart_frontier_price_daily
where
    tier_id = '{{ tier_id }}'
    and model_group = 'all'
    and workload_id in ('input_only', 'output_only')
    and p_star is not null
    and price_date between date '{{ first_day }}' and date '{{ last_day }}'
{%- endmacro %}

{# The lowest price of a tier now, and by the last day of the forecast at the rate of the last 365 days. #}
{% macro price_to_come(tier_id, last_day) -%}
with prices as (
    select
        frontier.workload_id,
        arg_max(frontier.p_star, frontier.price_date) as p_now,
        arg_max(frontier.p_star, frontier.price_date) filter (
            where frontier.price_date <= clock.as_of - 365
        ) as p_year_before,
        greatest(0, date '{{ last_day }}' - any_value(clock.as_of)) / 365 as years_left,
        printf(
            '%s at %s', arg_max(frontier.leader_model_id, frontier.price_date),
            arg_max(frontier.leader_provider_id, frontier.price_date)
        ) as leader
    from marts.mart_frontier_price_daily as frontier
    cross join marts.dim_clock as clock
    where
        frontier.tier_id = '{{ tier_id }}'
        and frontier.model_group = 'all'
        and frontier.workload_id in ('input_only', 'output_only')
        and frontier.p_star is not null
        and frontier.price_date <= date '{{ last_day }}'
    group by frontier.workload_id
)

select
    min(p_now) as observed_low,
    max(p_now) as observed_high,
    min(p_now * pow(p_now / p_year_before, years_left)) as projected_low,
    max(p_now * pow(p_now / p_year_before, years_left)) as projected_high,
    count(*) as n_evidence,
    string_agg(printf('%s: %s', workload_id, leader), '; ' order by workload_id) as evidence
from prices
{%- endmacro %}

{#
    What a provider asked for a model from the first day on, until before the last; where nothing is known, what is
    first.
#}
{% macro list_price(provider_id, model_ids, meters, first_day, until) -%}
with prices as (
    select
        cast(usd_per_mtok as double) as price,
        valid_from,
        valid_from < date '{{ until }}' and coalesce(valid_to > date '{{ first_day }}', true) as is_then,
        evidence_sha256,
        printf(
            '%g for %s of %s at %s since %s (%s)', cast(usd_per_mtok as double), meter, model_label, provider_id,
            strftime(valid_from, '%Y-%m-%d'), source_kind
        ) as evidence
    from marts.fct_price_history
    where
        provider_id = '{{ provider_id }}'
        and model_id {{ is_one_of(model_ids) }}
        and meter {{ is_one_of(meters) }}
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
{%- endmacro %}

{# A condition that a column holds one of these texts. #}
{% macro is_one_of(values) -%}
    {{ "= '" ~ values[0] ~ "'" if values | length == 1 else "in ('" ~ values | join("', '") ~ "')" }}
{%- endmacro %}

{#
    Runs of one benchmark and months of rent in which both GPUs occur: how many times as fast the B200 is as the H100,
    and how many times as dear.
#}
{% macro with_b200_beside_h100(first_month, last_month) -%}
with runs as (
    select
        max(tokens_per_s_per_gpu) filter (where gpu = 'B200')
        / max(tokens_per_s_per_gpu) filter (where gpu = 'H100_SXM') as faster
    from marts.mart_throughput
    where counts = 'output'
    group by source, measured_model, input_tokens, output_tokens
),

rents as (
    select
        rent_month,
        max(rent_median) filter (where gpu = 'B200') / max(rent_median) filter (where gpu = 'H100_SXM') as dearer
    from marts.mart_gpu_rent
    where kind = 'on_demand' and rent_month between date '{{ first_month }}' and date '{{ last_month }}'
    group by rent_month
)
{%- endmacro %}
