-- How well the plans of a run's seeds agree on each module: the most common number of experts,
-- the share of the seeds that have it, and the spread.
WITH counts AS (
  SELECT run_id, layer, module, experts, count(*) AS seeds
  FROM plan_modules
  WHERE strategy = 'guilomo'
  GROUP BY run_id, layer, module, experts
),
modes AS (
  SELECT run_id, layer, module, max_by(experts, struct(seeds, -experts)) AS experts, max(seeds) AS agreeing
  FROM counts
  GROUP BY run_id, layer, module
)
SELECT
  m.run_id,
  m.layer,
  m.module,
  count(*) AS seeds,
  any_value(o.experts) AS commonest_experts,
  any_value(o.agreeing) / count(*) AS agreement,
  min(m.experts) AS least_experts,
  max(m.experts) AS most_experts,
  avg(m.total_rank / m.experts) AS mean_rank
FROM plan_modules m
JOIN modes o ON m.run_id = o.run_id AND m.layer = o.layer AND m.module = o.module
WHERE m.strategy = 'guilomo'
GROUP BY m.run_id, m.layer, m.module
ORDER BY m.run_id, m.layer, m.module
