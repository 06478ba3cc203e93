{{ config(materialized='view') }}

select * exclude (offer_fingerprint)
from {{ ref('int_blended_price') }}
