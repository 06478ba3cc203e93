{# The prices that are not, or no longer, simply believed, and what each is worth by what is known today. #}
select
    history.price_key,
    history.valid_from,
    history.known_from,
    case
        when history.is_withdrawn then 'corrected'
        when history.is_doubted then 'quarantined'
        -- Believed when a second capture says the same, or when a person has released the first.
        when
            coalesce(
                looks_at_start.first_captured_since >= looks_at_end.last_captured_before
                or looks_at_end.last_captured_before < history.spell_from,
                true
            )
            and not coalesce(looks_at_start.first_is_released, false)
            then 'quarantined'
        else 'ok'
    end as quality
from {{ ref('int_price_history') }} as history
left join {{ ref('int_page_looks') }} as looks_at_end
    on
        history.page_key = looks_at_end.page_key
        and coalesce(history.valid_to, cast('infinity' as timestamp)) = looks_at_end.moment
left join {{ ref('int_page_looks') }} as looks_at_start
    on history.page_key = looks_at_start.page_key and history.spell_from = looks_at_start.moment
where history.is_withdrawn or history.is_doubted or history.is_leap
