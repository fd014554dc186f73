-- How many experts of each rank a plan has, and their share of all its experts.
SELECT
  run_id,
  strategy,
  seed,
  rank,
  count(*) AS experts,
  count(*) / sum(count(*)) OVER (PARTITION BY run_id, strategy, seed) AS share,
  sum(parameters) AS parameters
FROM plan_experts
GROUP BY run_id, strategy, seed, rank
ORDER BY run_id, strategy, seed, rank
