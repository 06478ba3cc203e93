-- What share of the parameters of Mixtral 8x7B works on a token?
select
    any_value(parameters_active_b / parameters_total_b) as observed_low,
    any_value(parameters_active_b / parameters_total_b) as observed_high,
    count(*) as n_evidence,
    any_value(printf('%gB parameters, %gB active (%s)', parameters_total_b, parameters_active_b, source)) as evidence
from marts.dim_model
where model_id = 'mistralai/mixtral-8x7b-instruct-v0.1' and parameters_total_b > 0 and parameters_active_b > 0
