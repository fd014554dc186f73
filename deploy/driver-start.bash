# Starts the driver with the Spark that the build collected. Uses the variables set by deploy/guilomo.
# shellcheck shell=bash disable=SC2154

start_driver() {
  # The user's options come later and override these. What is true of the driver is true of executors as well.
  local start
  mapfile -t start < <(grep -v '^#' "$root/deploy/compilation.options")
  submit+=(--conf "spark.executor.extraJavaOptions=${start[*]} ${executor_java% }")
  [[ $command != report ]] || start=(-XX:TieredStopAtLevel=1)
  # Large data is outside the heap: a heap of the default size needs no collector with its own threads and memory, and
  # starts with the size that starting a job takes.
  [[ $own_java == *-XX:+Use*GC* || $own_java == *-Xm* || $driver_memory != 2g ]] ||
    start+=(-XX:+UseSerialGC -Xms768m -XX:NewSize=256m -XX:MetaspaceSize=256m)
  # The heap also uses pages of 2 MiB, if the kernel grants them on request.
  local huge=/sys/kernel/mm/transparent_hugepage/enabled
  [[ ! -r $huge || $(< "$huge") == *'[never]'* ]] || start+=(-XX:+UseTransparentHugePages)

  # The archive of loaded classes that quickstart, or a command that is asked to, leaves for later commands; a JVM with
  # tools attached cannot use it.
  local classes=${jar%.jar}.jsa archives=false
  if [[ -z $own_java${JAVA_TOOL_OPTIONS:-}${JDK_JAVA_OPTIONS:-} ]]; then
    start+=(-Xlog:cds=off -Xlog:cds+dynamic=off)
    if [[ $classes -nt $jar ]]; then
      start+=("-XX:SharedArchiveFile=$classes")
    elif [[ $command == quickstart || ${GUILOMO_ARCHIVE:-false} == true ]] && [[ -w $(dirname "$jar") ]]; then
      archives=true
      start+=("-XX:ArchiveClassesAtExit=$classes.$$")
    fi
  fi

  # Executors in this JVM find the jar on its class path; others receive a copy.
  local resource=$jar
  [[ $master != local && $master != 'local['* ]] || resource=spark-internal

  # As spark-submit has it: where YARN and other file systems are.
  local classpath="$SPARK_HOME/jars/*:$jar${HADOOP_CONF_DIR:+:$HADOOP_CONF_DIR}${YARN_CONF_DIR:+:$YARN_CONF_DIR}"
  local java_options=$driver_java
  if [[ $deploy_mode == cluster ]]; then
    # This JVM only submits.
    java_options="$quiet_java -Dguilomo.yarn.log=info" driver_memory=512m start=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC) archives=false
  fi

  # shellcheck disable=SC2206 # one word per option, as in Spark's own setting
  local launch=("$java" "${spark_opens[@]}" "-Xmx$driver_memory" "${start[@]}" $java_options
    -cp "$classpath" org.apache.spark.deploy.SparkSubmit "${submit[@]}" "$resource" "$command"
    "${arguments[@]}")
  $archives || exec "${launch[@]}"

  local status=0
  "${launch[@]}" || status=$?
  [[ ! -f $classes.$$ ]] || mv "$classes.$$" "$classes"
  exit "$status"
}
