{# Providers that tokenfall reads, and those that only a price map names. #}
with read_providers as (
    select
        provider_id,
        any_value(provider_name) as provider_name,
        any_value(homepage) as homepage,
        any_value(provider_kind) as provider_kind,
        count(*) as pages
    from {{ source('raw', 'sources') }}
    where role not in ('price_map', 'price_history', 'exchange_rates')
    group by provider_id
),

named_providers as (
    select distinct provider_id from {{ ref('int_witness_fingerprints') }}
    union distinct
    select provider_id from read_providers
)

select
    named.provider_id,
    coalesce(read_providers.provider_name, named.provider_id) as provider_name,
    read_providers.homepage,
    coalesce(read_providers.provider_kind, 'unread') as provider_kind,
    cast(coalesce(read_providers.pages, 0) as integer) as pages
from named_providers as named
left join read_providers on named.provider_id = read_providers.provider_id
