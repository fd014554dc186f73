-- Runs side by side: the value of each metric, the number of parameters, the time taken.
-- Parameters are those of the plan with the same seed if the run has one, otherwise of its plan.
WITH seeds AS (
  SELECT run_id, strategy, seed, sum(parameters) AS parameters
  FROM plan_modules
  GROUP BY run_id, strategy, seed
),
plans AS (
  SELECT
    run_id,
    strategy,
    map_from_entries(collect_list(struct(seed, parameters))) AS by_seed,
    min_by(parameters, seed) AS first
  FROM seeds
  GROUP BY run_id, strategy
),
times AS (
  SELECT run_id, sum(unix_timestamp(finished_at) - unix_timestamp(started_at)) AS seconds
  FROM runs
  WHERE status = 'SUCCEEDED'
  GROUP BY run_id
)
SELECT
  e.run_id,
  e.strategy,
  e.seed,
  e.split,
  e.metric,
  e.value,
  e.ci_low,
  e.ci_high,
  e.examples,
  coalesce(p.by_seed[e.seed], p.first) AS parameters,
  t.seconds
FROM evaluations e
LEFT JOIN plans p ON e.run_id = p.run_id AND e.strategy = p.strategy
LEFT JOIN times t ON e.run_id = t.run_id
ORDER BY e.split, e.metric, e.run_id
