-- Trainable parameters of a plan next to those of the uniform plan of the same configuration
-- (allocation.experts experts of rank allocation.rank) and of the full plan (max-experts of max-rank), each without
-- what routers share (lora-moe.routing=sparsegen).
WITH settings AS (
  SELECT
    run_id,
    cast(get_json_object(any_value(config_json), '$.guilomo.allocation.experts') AS BIGINT) AS uniform_experts,
    cast(get_json_object(any_value(config_json), '$.guilomo.allocation.rank') AS BIGINT) AS uniform_rank,
    cast(get_json_object(any_value(config_json), "$.guilomo['lora-moe']['max-experts']") AS BIGINT) AS max_experts,
    cast(get_json_object(any_value(config_json), "$.guilomo['lora-moe']['max-rank']") AS BIGINT) AS max_rank,
    coalesce(get_json_object(any_value(config_json), "$.guilomo['lora-moe'].sharing"), 'none') AS sharing
  FROM runs
  GROUP BY run_id
),
plans AS (
  SELECT
    m.run_id,
    m.strategy,
    m.seed,
    sum(m.parameters) AS parameters,
    sum(
      if(s.sharing = 'shared-a', 1, s.uniform_experts) * s.uniform_rank * m.in_features
      + s.uniform_experts * (s.uniform_rank * m.out_features + m.in_features)
    ) AS uniform_parameters,
    sum(
      if(s.sharing = 'shared-a', 1, s.max_experts) * s.max_rank * m.in_features
      + s.max_experts * (s.max_rank * m.out_features + m.in_features)
    ) AS full_parameters
  FROM plan_modules m
  JOIN settings s ON m.run_id = s.run_id
  GROUP BY m.run_id, m.strategy, m.seed
)
SELECT
  *,
  uniform_parameters - parameters AS saved,
  1 - parameters / uniform_parameters AS saved_share
FROM plans
ORDER BY run_id, strategy, seed
