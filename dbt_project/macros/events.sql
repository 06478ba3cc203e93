{#
    The events of `relation` that can ever be the start or the end of a spell.

    An event says which `state` a `key` was in at `captured_at`, and is believed from `known_from` until `known_to`.
    It starts nothing if the event just before it says the same, was known no later and is believed just as long: then
    whenever this one is believed, that one is too, and nothing can come between them. It ends nothing if the event
    just after it says the same, is believed just as long, and was known before anything later was. Events that a later
    reading replaced have their own `known_to`, which is why neighbours are looked for among events believed equally
    long.
#}
{% macro without_repetitions(relation, key) %}
    select * exclude (
        instant_no, is_of_last_instant, known_since,
        previous_state, previous_known_from, previous_instant_no,
        next_state, next_known_from, next_instant_no, next_known_since
    )
    from (
        select
            *,
            lag(state) over believed_equally_long as previous_state,
            lag(known_from) over believed_equally_long as previous_known_from,
            lag(instant_no) over believed_equally_long as previous_instant_no,
            lead(state) over believed_equally_long as next_state,
            lead(known_from) over believed_equally_long as next_known_from,
            lead(instant_no) over believed_equally_long as next_instant_no,
            lead(known_since) over believed_equally_long as next_known_since
        from (
            select
                *,
                dense_rank() over (partition by {{ key }} order by captured_at) as instant_no,
                captured_at = max(captured_at) over (partition by {{ key }}) as is_of_last_instant,
                -- When the first of all events from this instant on was known.
                min(known_from) over (partition by {{ key }} order by captured_at desc) as known_since
            from {{ relation }}
        )
        window believed_equally_long as (partition by {{ key }}, known_to order by captured_at, known_from)
    )
    where not (
        coalesce(
            previous_state = state
            and previous_known_from <= known_from
            and previous_instant_no = instant_no - 1,
            false
        )
        and coalesce(
            next_state = state
            and (is_of_last_instant or (next_known_from <= next_known_since and next_instant_no = instant_no + 1)),
            is_of_last_instant
        )
    )
{% endmacro %}
