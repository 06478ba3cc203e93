{# What the history of a page depends on, in one value: as long as it stands, its spells stand. #}
with pages as (
    select
        provider_id || '/' || page_id as page_key,
        md5(concat_ws(',', role, {{ units_hash() }})) as ground_fingerprint
    from {{ source('raw', 'sources') }}
)

select
    pages.page_key,
    pages.ground_fingerprint,
    md5(concat_ws(
        ',',
        pages.page_key,
        pages.ground_fingerprint,
        string_agg(
            concat_ws('|', events.reading_id, events.captured_at, events.known_from, events.known_to),
            ',' order by events.captured_at, events.known_from, events.reading_id
        )
    )) as page_fingerprint
from {{ ref('int_page_events') }} as events
inner join pages on events.page_key = pages.page_key
group by pages.page_key, pages.ground_fingerprint
