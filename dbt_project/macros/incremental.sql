{#
    Models that tell a thing anew only where something new has come up: a fingerprint says what all that is told of a
    key depends on, its key included, and is kept in every row. Before such a model is built, `drop_outdated` deletes
    what was told by a fingerprint that is no more; the model then tells the keys that `to_tell` names, whose
    fingerprints it does not have.
#}
{% macro to_tell(fingerprints, columns) -%}
    select current.*
    from {{ ref(fingerprints) }} as current
    {% if is_incremental() %}
        anti join {{ this }} as built on {{ alike('current', 'built', columns) }}
    {% endif %}
{% endmacro %}

{% macro drop_outdated(fingerprints, columns) %}
    {% if is_incremental() %}
        delete from {{ this }} as built
        where not exists (
            from {{ ref(fingerprints) }} as current
            where {{ alike('current', 'built', columns) }}
        )
    {% endif %}
{% endmacro %}

{% macro alike(one, other, columns) %}
    {%- for column in columns -%}
        {{ 'and ' if not loop.first }}{{ one }}.{{ column }} = {{ other }}.{{ column }}{{ ' ' if not loop.last }}
    {%- endfor -%}
{% endmacro %}

{#
    What is said of one provider stands together in the file: DuckDB knows the least and the greatest value of every
    120,000 rows, and reads no others for the few providers that say something new.
#}
{% macro together() %}
order by provider_id
{%- endmacro %}

{#
    Whether a row is said of one of the providers in `to_tell`. Each is named once, as up to 50 names are looked for one
    by one, and more only between the least and the greatest of them.
#}
{% macro is_of_provider(relation, to_tell) %}
    {{ relation }}.provider_id in (select distinct {{ to_tell }}.provider_id from {{ to_tell }})
{%- endmacro %}

{# How many tokens each unit counts, in one value. #}
{% macro units_hash() -%}
    (select bit_xor(hash(hash(pricing_unit, mtok_factor))) from {{ source('raw', 'pricing_units') }})
{%- endmacro %}

{% macro drop_of_other_units() %}
    {% if is_incremental() %}
        delete from {{ this }} where units_hash is distinct from {{ units_hash() }}
    {% endif %}
{% endmacro %}

{# All readings of a capture that was read again, since the last of them ends what the one before it said. #}
{% macro drop_read_again() %}
    {% if is_incremental() %}
        delete from {{ this }}
        where capture_id in (
            select readings.capture_id
            from {{ source('raw', 'readings') }} as readings
            anti join {{ this }} as built on readings.reading_id = built.reading_id
        )
    {% endif %}
{% endmacro %}
