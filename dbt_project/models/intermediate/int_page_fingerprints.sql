{# What the history of a page depends on, in one value: as long as it stands, its spells stand. #}
select
    events.page_key,
    md5(concat_ws(
        ',',
        any_value(sources.role),
        (
            select string_agg(concat_ws('|', units.pricing_unit, units.mtok_factor), ',' order by units.pricing_unit)
            from {{ source('raw', 'pricing_units') }} as units
        ),
        string_agg(
            concat_ws('|', events.reading_id, events.captured_at, events.known_from, events.known_to),
            ',' order by events.captured_at, events.known_from, events.reading_id
        )
    )) as page_fingerprint
from {{ ref('int_page_events') }} as events
inner join {{ source('raw', 'sources') }} as sources
    on events.provider_id = sources.provider_id and events.page_id = sources.page_id
group by events.page_key
