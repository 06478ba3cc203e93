-- How many times more parameters does DeepSeek-V3 have than it uses for a token?
select
    parameters_total_b / parameters_active_b as observed_low,
    parameters_total_b / parameters_active_b as observed_high,
    count(*) over () as n_evidence,
    printf('%gB parameters, %gB active (%s)', parameters_total_b, parameters_active_b, source) as evidence
from marts.dim_model
where model_id = 'deepseek/deepseek-v3' and parameters_total_b > 0 and parameters_active_b > 0
