#!/usr/bin/env bash
# Kubernetes, with the image from Containerfile. For GPUs, uncomment the lines below, and add cuBLAS and NVRTC from CUDA
# 11 to 13 to the image, which has neither; the jar is the same. This has not been run. Once, before:
#   kubectl apply -f deploy/examples/rbac.yaml
#   kubectl -n guilomo create secret generic guilomo-s3 --from-literal=access-key=KEY --from-literal=secret-key=SECRET
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

: "${SPARK_HOME:?set it to a Spark 3.5 installation}"
: "${MASTER:=k8s://https://kubernetes.default.svc:443}"
: "${IMAGE:=registry.example/guilomo:0.1.0}"
: "${NAMESPACE:=guilomo}"
: "${CONFIG:=s3a://guilomo/llama2-7b.conf}"
: "${COMMAND:=allocate}"
: "${RUN_ID:=llama2-7b}"
: "${EXECUTORS:=8}"
: "${CORES:=8}"

# The keys of the object store; SECRET= where the service account has a role in it.
: "${SECRET=guilomo-s3}"
keys=()
if [[ -n $SECRET ]]; then
  for process in driver executor; do
    keys+=(
      --conf "spark.kubernetes.$process.secretKeyRef.AWS_ACCESS_KEY_ID=$SECRET:access-key"
      --conf "spark.kubernetes.$process.secretKeyRef.AWS_SECRET_ACCESS_KEY=$SECRET:secret-key"
    )
  done
fi

gpus=(
  # --conf spark.executor.resource.gpu.amount=1
  # --conf spark.executor.resource.gpu.vendor=nvidia.com
  # --conf spark.executor.resource.gpu.discoveryScript=/opt/guilomo/gpu-discovery
  # --conf spark.task.resource.gpu.amount=1
)

exec "$SPARK_HOME/bin/spark-submit" \
  --class io.guilomo.spark.cli.Main \
  --master "$MASTER" \
  --deploy-mode cluster \
  --name "guilomo-$COMMAND-$RUN_ID" \
  --properties-file "$here/spark-defaults.conf" \
  --conf "spark.kubernetes.namespace=$NAMESPACE" \
  --conf "spark.kubernetes.container.image=$IMAGE" \
  --conf "spark.kubernetes.executor.podTemplateFile=$here/executor-pod.yaml" \
  --conf spark.kubernetes.authenticate.driver.serviceAccountName=spark \
  --conf "spark.executor.instances=$EXECUTORS" \
  --conf "spark.executor.cores=$CORES" \
  --conf "spark.task.cpus=$CORES" \
  "${keys[@]}" \
  "${gpus[@]}" \
  local:///opt/guilomo/guilomo-spark-jobs.jar "$COMMAND" --config "$CONFIG" --set "run.id=$RUN_ID" \
  --set "cluster.workers=$EXECUTORS" --set "cluster.threads-per-worker=$CORES" "$@"
