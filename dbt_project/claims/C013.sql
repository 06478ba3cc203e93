-- How low can the price of a million tokens of a small model go, at the median of the estimates, over all meters?
select
    min(p50) as observed_low,
    max(p50) as observed_high,
    count(*) as n_evidence,
    string_agg(printf('%s %.3g to %.3g', meter, p05, p95), '; ' order by meter, p50) as evidence
from analytics.floor_estimates
where model_class = '8b_dense' and gate = 'ok'
