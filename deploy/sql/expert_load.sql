-- Each expert's share of the routed (token, slot) pairs, at the last measurement of a fine-tuning.
SELECT run_id, seed, layer, module, expert, max_by(value, step) AS share
FROM metrics
WHERE name = 'expert_load' AND worker = -1
GROUP BY run_id, seed, layer, module, expert
ORDER BY run_id, seed, layer, module, expert
