{# Quote sets of captures that stand beside one another in time, as whole and as what may be a part of it. #}
with readings as (
    select * from {{ ref('stg_readings') }}
    where outcome = 'ok'
),

neighbours as (
    {{ neighbours_in_time('readings') }}
)

select
    neighbours.previous_quotes_sha256 as whole_sha256,
    readings.quotes_sha256 as part_sha256
from readings
inner join neighbours on readings.capture_id = neighbours.capture_id
where neighbours.previous_quotes_sha256 <> readings.quotes_sha256
union
select
    neighbours.next_quotes_sha256 as whole_sha256,
    readings.quotes_sha256 as part_sha256
from readings
inner join neighbours on readings.capture_id = neighbours.capture_id
where neighbours.next_quotes_sha256 <> readings.quotes_sha256
