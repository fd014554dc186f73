-- Trainable parameters of a plan next to those of the uniform plan of the same configuration
-- (allocation.experts experts of rank allocation.rank) and of the full plan (max-experts of max-rank), each without
-- what routers share (lora-moe.routing=sparsegen). The configuration is that of the run's last job that made a plan.
WITH jobs AS (
  SELECT
    run_id,
    config_json,
    started_at,
    job = 'allocate'
      OR (job = 'finetune' AND trim(coalesce(get_json_object(config_json, '$.guilomo.finetune.plan'), '')) <> '')
      OR (
        job = 'compare'
        AND coalesce(get_json_object(config_json, "$.guilomo.compare['find-smallest']"), '') = 'true'
      ) AS makes_plan
  FROM runs
),
planning AS (
  SELECT run_id, max_by(config_json, struct(makes_plan, started_at)) AS config_json
  FROM jobs
  GROUP BY run_id
),
settings AS (
  SELECT
    run_id,
    cast(get_json_object(config_json, '$.guilomo.allocation.experts') AS BIGINT) AS uniform_experts,
    cast(get_json_object(config_json, '$.guilomo.allocation.rank') AS BIGINT) AS uniform_rank,
    cast(get_json_object(config_json, "$.guilomo['lora-moe']['max-experts']") AS BIGINT) AS max_experts,
    cast(get_json_object(config_json, "$.guilomo['lora-moe']['max-rank']") AS BIGINT) AS max_rank,
    coalesce(get_json_object(config_json, "$.guilomo['lora-moe'].sharing"), 'none') AS sharing
  FROM planning
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
