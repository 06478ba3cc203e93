{# What several witnesses can speak of, whatever label each of them uses: equal for prices that ought to be equal. #}
{% macro subject_key(relation) %}
    md5(concat_ws(
        '|',
        {{ relation }}.provider_id,
        {{ relation }}.model_id,
        {{ relation }}.service_tier,
        coalesce({{ relation }}.context_from, 0),
        coalesce({{ relation }}.region, ''),
        coalesce({{ relation }}.time_window, ''),
        {{ relation }}.meter,
        {{ relation }}.series_unit,
        {{ relation }}.currency
    ))
{%- endmacro %}

{# A price to six digits, so that 0.083333 and one twelfth are the same price, and equal prices can be joined. #}
{% macro price_figure(price) %}
    cast(printf('%.5e', cast({{ price }} as double)) as double)
{%- endmacro %}

{#
    Whether two claims about one subject are to be compared: under the name that both witnesses use for it, and under
    every name of a model that they name differently.
#}
{% macro named_alike(claim, other) %}
    (
        {{ claim }}.label_name = {{ other }}.label_name
        or not (
            list_contains({{ other }}.label_names, {{ claim }}.label_name)
            or list_contains({{ claim }}.label_names, {{ other }}.label_name)
        )
    )
{%- endmacro %}

{#
    One line per price over all pages of a provider. A page that begins to print context bands goes on with the band
    that starts at nothing.
#}
{% macro sequence_key(relation) %}
    hash(
        {{ relation }}.provider_id,
        {{ relation }}.model_label,
        {{ relation }}.service_tier,
        coalesce({{ relation }}.context_from, 0),
        {{ relation }}.region,
        {{ relation }}.time_window,
        {{ relation }}.meter,
        {{ relation }}.series_unit,
        {{ relation }}.currency
    )
{%- endmacro %}
