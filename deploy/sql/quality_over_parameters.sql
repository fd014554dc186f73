-- What each strategy of a comparison scores at each routing and sharing over its trainable parameters, with the
-- intervals, and what its search cost.
SELECT
  run_id,
  task,
  metric,
  strategy,
  routing,
  sharing,
  budget,
  parameters,
  parameters / full_parameters AS share,
  mean,
  mean_low,
  mean_high,
  diff_to_baseline,
  ci_low,
  ci_high,
  learning_rate,
  search_epochs,
  random_plans_beaten / random_plans AS random_plans_beaten_share
FROM comparison
ORDER BY run_id, metric, strategy, routing, sharing, parameters
