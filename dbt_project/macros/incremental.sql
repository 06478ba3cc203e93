{#
    Models that tell a thing anew only where something new has come up: a fingerprint says what all that is told of a
    key depends on, and is kept in every row. Before such a model is built, `drop_outdated` deletes what was told by
    another fingerprint, or of a key that is gone; the model then tells the keys that `to_tell` names. The index that it
    has on its fingerprints also keeps DuckDB from writing the whole table anew at a checkpoint, to fill what was
    deleted.
#}
{% macro to_tell(fingerprints, key, fingerprint) -%}
    select current.*
    from {{ ref(fingerprints) }} as current
    {% if is_incremental() %}
        anti join {{ this }} as built on {{ as_it_was_told(key, fingerprint) }}
    {% endif %}
{% endmacro %}

{% macro drop_outdated(fingerprints, key, fingerprint) %}
    {% if is_incremental() %}
        delete from {{ this }} as built
        where not exists (
            from {{ ref(fingerprints) }} as current
            where {{ as_it_was_told(key, fingerprint) }}
        )
    {% endif %}
{% endmacro %}

{% macro as_it_was_told(key, fingerprint) %}
    {%- for column in key + [fingerprint] -%}
        {{ 'and ' if not loop.first }}current.{{ column }} = built.{{ column }}{{ ' ' if not loop.last }}
    {%- endfor -%}
{% endmacro %}
