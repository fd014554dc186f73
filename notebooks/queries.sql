-- The queries of the notebooks, for spark-sql:
--
--   spark-sql -f notebooks/queries.sql
--
-- They read what deploy/guilomo quickstart writes. For other runs, change the paths and these names: of the run, of its
-- model's modules, and of the runs to compare.

SET guilomo.run=quickstart;
SET guilomo.modules='query', 'key', 'value', 'attention_output', 'intermediate', 'output';
SET guilomo.runs='quickstart', 'quickstart.uniform';

CREATE TEMPORARY VIEW runs USING parquet OPTIONS (path 'target/quickstart/output/tables/runs');
CREATE TEMPORARY VIEW plan_modules USING parquet OPTIONS (path 'target/quickstart/output/tables/plan_modules');
CREATE TEMPORARY VIEW plan_experts USING parquet OPTIONS (path 'target/quickstart/output/tables/plan_experts');
CREATE TEMPORARY VIEW gsv_history USING parquet OPTIONS (path 'target/quickstart/output/tables/gsv_history');
CREATE TEMPORARY VIEW metrics USING parquet OPTIONS (path 'target/quickstart/output/tables/metrics');
CREATE TEMPORARY VIEW evaluations USING parquet OPTIONS (path 'target/quickstart/output/tables/evaluations');

-- Experts of each module
SELECT *
FROM (SELECT layer, module, experts FROM plan_modules WHERE run_id = '${guilomo.run}')
PIVOT (max(experts) FOR module IN (${guilomo.modules}))
ORDER BY layer;

-- Mean rank of each module's experts
SELECT *
FROM (SELECT layer, module, total_rank / experts AS mean_rank FROM plan_modules WHERE run_id = '${guilomo.run}')
PIVOT (max(mean_rank) FOR module IN (${guilomo.modules}))
ORDER BY layer;

-- How many experts have which rank
SELECT rank, count(*) AS experts, sum(routed_tokens) AS routed_tokens
FROM plan_experts
WHERE run_id = '${guilomo.run}'
GROUP BY rank
ORDER BY rank;

-- Modules whose number of experts the search has changed
SELECT
  layer,
  module,
  greatest(2, max_by(index, round) FILTER (WHERE is_argmax) + 1) AS experts,
  greatest(2, min_by(index, round) FILTER (WHERE is_argmax) + 1) AS experts_at_first,
  count(DISTINCT index) FILTER (WHERE is_argmax) AS choices
FROM gsv_history
WHERE run_id = '${guilomo.run}' AND kind = 'experts'
GROUP BY layer, module
HAVING choices > 1
ORDER BY choices DESC, layer, module;

-- Parameters of each run
SELECT
  run_id,
  sum(experts) AS experts,
  sum(total_rank) / sum(experts) AS mean_rank,
  sum(parameters) AS parameters,
  sum(parameters) / sum((in_features + out_features) * 64 + in_features * 8) AS of_8_experts_of_rank_8
FROM plan_modules
GROUP BY run_id
ORDER BY run_id;

-- Jobs
SELECT run_id, job, strategy, status, unix_timestamp(finished_at) - unix_timestamp(started_at) AS seconds
FROM runs
ORDER BY started_at;

-- Scores on records that no training has seen
SELECT metric, run_id, value, ci_low, ci_high, examples
FROM evaluations
ORDER BY metric, run_id;

-- Validation loss while training
SELECT *
FROM (
  SELECT run_id, step, value
  FROM metrics
  WHERE job = 'finetune' AND split = 'validation' AND name = 'loss')
PIVOT (max(value) FOR run_id IN (${guilomo.runs}))
ORDER BY step;

-- Training loss of each averaging round
SELECT run_id, round, avg(value) AS train_loss
FROM metrics
WHERE job = 'finetune' AND split = 'train' AND name = 'loss' AND worker = -1
GROUP BY run_id, round
ORDER BY run_id, round;
