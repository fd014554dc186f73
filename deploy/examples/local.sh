#!/usr/bin/env bash
# One machine, no cluster: driver and workers in one process.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

: "${SPARK_HOME:?set it to a Spark 3.5 installation}"
: "${JAR:=$here/../../spark-jobs/target/guilomo-spark-jobs-0.1.0-SNAPSHOT.jar}"
: "${CONFIG:=$here/../../conf/cola-minilm.conf}"
: "${COMMAND:=allocate}"

# One process takes all the memory: the heap, and 20g outside it for the model and for training.
exec "$SPARK_HOME/bin/spark-submit" \
  --class io.guilomo.spark.cli.Main \
  --master 'local[*]' \
  --properties-file "$here/spark-defaults.conf" \
  --driver-memory 4g \
  "$JAR" "$COMMAND" --config "$CONFIG" "$@"
