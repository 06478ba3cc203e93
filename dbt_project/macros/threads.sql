{#
    A day asks hundreds of small questions, and to share each of them among threads takes longer than to answer it, as
    long as the history is short.
#}
{% macro answer_small_questions_alone() %}
    {% if execute and not flags.FULL_REFRESH %}
        {% set readings = run_query('select count(*) from raw.readings').columns[0].values()[0] %}
        {% if readings < 100000 %} set threads = 1 {% endif %}
    {% endif %}
{% endmacro %}
