{# Every day that any of the spans covers. Joining it counts days out, and one day of a view costs one day. #}
{% macro days_of(spans) %}
    select cast(unnest(generate_series(
        cast(min(day_from) as timestamp), cast(max(day_to) as timestamp), interval 1 day
    )) as date) as price_date
    from {{ spans }}
{% endmacro %}
