#!/usr/bin/env bash
# A standalone cluster. The output directory must be on a disk that all machines share, on HDFS, or in an object store.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

: "${SPARK_HOME:?set it to a Spark 3.5 installation}"
: "${MASTER:=spark://master:7077}"
: "${JAR:=$here/../../spark-jobs/target/guilomo-spark-jobs-0.1.0-SNAPSHOT.jar}"
: "${CONFIG:=$here/../../conf/cola-minilm.conf}"
: "${COMMAND:=allocate}"
: "${EXECUTORS:=4}"
: "${CORES:=8}"

# One task per executor, which uses all of its cores: the model is in memory once per machine.
exec "$SPARK_HOME/bin/spark-submit" \
  --class io.guilomo.spark.cli.Main \
  --master "$MASTER" \
  --properties-file "$here/spark-defaults.conf" \
  --executor-cores "$CORES" \
  --total-executor-cores "$((EXECUTORS * CORES))" \
  --conf "spark.task.cpus=$CORES" \
  "$JAR" "$COMMAND" --config "$CONFIG" --set "cluster.workers=$EXECUTORS" --set "cluster.threads-per-worker=$CORES" "$@"
