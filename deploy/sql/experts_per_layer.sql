-- Experts, mean rank and parameters of each layer of each plan.
SELECT
  run_id,
  strategy,
  seed,
  layer,
  sum(experts) AS experts,
  sum(total_rank) / sum(experts) AS mean_rank,
  sum(parameters) AS parameters
FROM plan_modules
GROUP BY run_id, strategy, seed, layer
ORDER BY run_id, strategy, seed, layer
