{#
    What the captures before and after that of each reading say, by what is believed today: one row per capture, the
    page's own word before a web archive's of the same instant.
#}
{% macro neighbours_in_time(readings) %}
    select
        capture_id,
        lag(captured_at) over in_time as previous_captured_at,
        lag(known_from) over in_time as previous_known_from,
        lag(quotes_sha256) over in_time as previous_quotes_sha256,
        lead(quotes_sha256) over in_time as next_quotes_sha256,
        lead(known_from) over in_time as next_known_from
    from {{ readings }}
    where known_to is null
    window in_time as (
        partition by page_key order by captured_at, origin <> 'web_archive', requested_at, capture_id
    )
{% endmacro %}
