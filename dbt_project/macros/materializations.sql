{#
    A table or a view is dropped and made again, and an incremental table added to, in one transaction: readers of the
    build file see the old one or the new one. So they do with the adapter's own ways, but these make another relation
    beside each, rename both and drop one, and write twice what they add.
#}
{% materialization table, adapter='duckdb' %}
    {{ return(make_in_one_transaction('table')) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return(make_in_one_transaction('view')) }}
{% endmaterialization %}

{% materialization incremental, adapter='duckdb' %}
    {{ return(make_in_one_transaction('table')) }}
{% endmaterialization %}

{% macro make_in_one_transaction(type) %}
    {%- set target = this.incorporate(type=type) -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {%- if is_incremental() -%}
            insert into {{ target }} by name {{ compiled_code }}
        {%- else -%}
            {%- if existing %} drop {{ existing.type }} {{ existing }}; {% endif -%}
            {{ create_view_as(target, compiled_code) if type == 'view'
               else create_table_as(False, target, compiled_code) }}
        {%- endif -%}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}
