{# Quote sets of captures that stand beside one another in time, as whole and as what may be a part of it. #}
{{ config(materialized='view') }}

select
    previous_quotes_sha256 as whole_sha256,
    quotes_sha256 as part_sha256
from {{ ref('int_reading_neighbours') }}
where previous_quotes_sha256 <> quotes_sha256
union distinct
select
    next_quotes_sha256 as whole_sha256,
    quotes_sha256 as part_sha256
from {{ ref('int_reading_neighbours') }}
where next_quotes_sha256 <> quotes_sha256
