#!/usr/bin/env bash
# YARN, with the driver in the cluster, where it outlives this shell. With a fixed run.id, a job that YARN restarts
# resumes where it was. It expects on HDFS, unless JAR and CONFIG name others:
#   hadoop fs -put -f spark-jobs/target/guilomo-spark-jobs-0.1.0-SNAPSHOT.jar /guilomo/guilomo-spark-jobs.jar
#   hadoop fs -put -f conf/llama2-7b.conf /guilomo/
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

: "${SPARK_HOME:?set it to a Spark 3.5 installation}"
: "${JAR:=hdfs:///guilomo/guilomo-spark-jobs.jar}"
: "${CONFIG:=hdfs:///guilomo/llama2-7b.conf}"
: "${COMMAND:=allocate}"
: "${RUN_ID:=llama2-7b}"
: "${EXECUTORS:=8}"
: "${CORES:=8}"

exec "$SPARK_HOME/bin/spark-submit" \
  --class io.guilomo.spark.cli.Main \
  --master yarn \
  --deploy-mode cluster \
  --name "guilomo $COMMAND $RUN_ID" \
  --properties-file "$here/spark-defaults.conf" \
  --num-executors "$EXECUTORS" \
  --executor-cores "$CORES" \
  --conf "spark.task.cpus=$CORES" \
  --conf spark.yarn.maxAppAttempts=2 \
  "$JAR" "$COMMAND" --config "$CONFIG" --set "run.id=$RUN_ID" --set "cluster.workers=$EXECUTORS" \
  --set "cluster.threads-per-worker=$CORES" "$@"
