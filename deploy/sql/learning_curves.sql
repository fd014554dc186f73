-- Losses, accuracies, learning rate and the other metrics by step, averaged over the workers.
SELECT run_id, job, seed, step, split, name, value, at
FROM metrics
WHERE worker = -1 AND module IS NULL
ORDER BY run_id, job, seed, split, name, step
