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

{# Whose prices several witnesses speak of at all. #}
{% macro providers_of_several(claims) %}
    select provider_id
    from {{ claims }}
    group by provider_id
    having min(page_key) < max(page_key)
{% endmacro %}

{# What is claimed of subjects of which several witnesses speak, with all names that each uses for it. #}
{% macro claims_of_several(claims) %}
    select
        claims.*,
        names.label_names
    from {{ claims }} as claims
    inner join (
        select
            subject_key,
            page_key,
            list(distinct label_name) as label_names
        from {{ claims }}
        where
            subject_key in (
                select spoken_of.subject_key
                from {{ claims }} as spoken_of
                group by spoken_of.subject_key
                having min(spoken_of.page_key) < max(spoken_of.page_key)
            )
        group by subject_key, page_key
    ) as names
        on claims.subject_key = names.subject_key and claims.page_key = names.page_key
{% endmacro %}

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
