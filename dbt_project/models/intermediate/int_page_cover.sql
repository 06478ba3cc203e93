{#
    Since when better-ranked pages of a provider have been read, by when we knew it. From then on their silence
    counts: a cross-check page or a price map fills no hole in a page that we have read.
#}
with reads as (
    select
        events.provider_id,
        events.known_from,
        coalesce(events.known_to, cast('infinity' as timestamp)) as known_to,
        events.captured_at,
        unnest(
            case sources.role
                when 'primary' then ['cross_check', 'price_map']
                when 'cross_check' then ['price_map']
                else []
            end
        ) as covered_role
    from {{ ref('int_page_events') }} as events
    inner join {{ source('raw', 'sources') }} as sources
        on events.provider_id = sources.provider_id and events.page_id = sources.page_id
),

-- A read behind another that was known before it, and is believed as long, is never the first.
first_reads as (
    select * from reads
    qualify
        coalesce(
            known_from < min(known_from) over (
                partition by provider_id, covered_role, known_to
                order by captured_at
                rows between unbounded preceding and 1 preceding
            ),
            true
        )
),

providers as (
    select distinct provider_id from {{ ref('int_witness_fingerprints') }}
),

moments_of_knowledge as (
    select
        provider_id,
        covered_role,
        unnest([known_from, known_to]) as known_at
    from first_reads
    union
    -- Before anything was known of a provider's pages, they covered nothing.
    select
        providers.provider_id,
        covered.covered_role,
        cast('-infinity' as timestamp) as known_at
    from providers
    cross join unnest(['cross_check', 'price_map']) as covered (covered_role)
),

covers as (
    select
        moments.provider_id,
        moments.covered_role,
        moments.known_at,
        coalesce(min(first_reads.captured_at), cast('infinity' as timestamp)) as cover_from
    from moments_of_knowledge as moments
    left join first_reads
        on
            moments.provider_id = first_reads.provider_id
            and moments.covered_role = first_reads.covered_role
            and moments.known_at >= first_reads.known_from
            and moments.known_at < first_reads.known_to
    where moments.known_at < cast('infinity' as timestamp)
    group by moments.provider_id, moments.covered_role, moments.known_at
),

steps as (
    select * from covers
    qualify cover_from is distinct from lag(cover_from) over (
        partition by provider_id, covered_role order by known_at
    )
)

select
    provider_id,
    covered_role,
    cover_from,
    known_at as known_from,
    lead(known_at, 1, cast('infinity' as timestamp)) over (
        partition by provider_id, covered_role order by known_at
    ) as known_to
from steps
