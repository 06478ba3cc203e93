{# Passes where no two rows agree in all of the columns and none of the columns is missing. #}
{% test grain(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as n_rows
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1 or {% for column in columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %}
{% endtest %}

{#
    The grain of a view that counts out the days of spans: no two spans of one key share a day, and nothing of the key
    is missing. Counting the days out would take more time and memory than the rest of a day's build.
#}
{% test grain_of_days(model, spans, columns, day_from, day_to, among) %}
    with spans as (
        select
            {{ columns | join(', ') }},
            {{ day_from }} as day_from,
            {{ day_to }} as day_to,
            max({{ day_to }}) over (
                partition by {{ columns | join(', ') }}
                order by {{ day_from }}, {{ day_to }}
                rows between unbounded preceding and 1 preceding
            ) as ended_before
        from {{ spans }}
        where {{ among }}
    )

    select *
    from spans
    where
        day_from < ended_before
        or day_from is null
        {% for column in columns %}or {{ column }} is null {% endfor %}
{% endtest %}
