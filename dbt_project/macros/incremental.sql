{#
    Models that tell a thing anew only where something new has come up: a fingerprint says what all that is told of a
    key depends on, and is kept in every row. Before such a model is built, `drop_outdated` deletes what was told by
    another fingerprint, or of a key that is gone; the model then tells the keys that `to_tell` names.
#}
{% macro to_tell(fingerprints, key, fingerprint) %}
    select told_anew.*
    from {{ ref(fingerprints) }} as told_anew
    {% if is_incremental() %}
        anti join {{ this }} as built
            on
                {% for column in key %}told_anew.{{ column }} = built.{{ column }} and {% endfor %}
                told_anew.{{ fingerprint }} = built.{{ fingerprint }}
    {% endif %}
{% endmacro %}

{% macro drop_outdated(fingerprints, key, fingerprint) %}
    {% if is_incremental() %}
        delete from {{ this }} as built
        where not exists (
            from {{ ref(fingerprints) }} as current
            where
                {% for column in key %}current.{{ column }} = built.{{ column }} and {% endfor %}
                current.{{ fingerprint }} = built.{{ fingerprint }}
        )
    {% endif %}
{% endmacro %}
