# How the driver starts with the Spark of the build. Takes what deploy/guilomo has set.
# shellcheck shell=bash disable=SC2154

start_driver() {
  # Options of the user come later and overrule these. Spark runs most of its code a few times, and compiling that in
  # full would take processors from what starts; kernels are worth it at once. What was seen in a method, such as the
  # types of vectors, counts in the compiler after a fifth of its turns: kernels need it of the Vector API's as early.
  local start=(-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000
    -XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=200000 -XX:CompileCommand=quiet
    '-XX:CompileCommand=CompileThresholdScaling,io.guilomo.kernel.*::*,0.02'
    '-XX:CompileCommand=CompileThresholdScaling,jdk.incubator.vector.*::*,0.02')
  [[ $command != report ]] || start=(-XX:TieredStopAtLevel=1)
  # What is large lies outside the heap: one of the usual size needs no collector with threads and memory of its own,
  # and begins with what the start of a job takes.
  [[ $own_java == *-XX:+Use*GC* || $own_java == *-Xm* || $driver_memory != 2g ]] ||
    start+=(-XX:+UseSerialGC -Xms768m -XX:NewSize=256m -XX:MetaspaceSize=256m)
  # The heap lies in pages of 2 MiB too, where the kernel gives them to those who ask.
  local huge=/sys/kernel/mm/transparent_hugepage/enabled
  [[ ! -r $huge || $(< "$huge") == *'[never]'* ]] || start+=(-XX:+UseTransparentHugePages)

  # Loaded classes, which quickstart leaves for later commands; a JVM with tools attached would not bear them.
  local classes=${jar%.jar}.jsa archives=false
  if [[ -z $own_java${JAVA_TOOL_OPTIONS:-}${JDK_JAVA_OPTIONS:-} ]]; then
    start+=(-Xlog:cds=off -Xlog:cds+dynamic=off)
    if [[ $classes -nt $jar ]]; then
      start+=("-XX:SharedArchiveFile=$classes")
    elif [[ $command == quickstart && -w $(dirname "$jar") ]]; then
      archives=true
      start+=("-XX:ArchiveClassesAtExit=$classes.$$")
    fi
  fi

  # Executors in this JVM find the jar on its class path; others are sent it.
  local resource=$jar
  [[ $master != local && $master != 'local['* ]] || resource=spark-internal

  # shellcheck disable=SC2206 # one word an option, as in Spark's own setting
  local launch=("$java" "${spark_opens[@]}" "-Xmx$driver_memory" "${start[@]}" $driver_java
    -cp "$SPARK_HOME/jars/*:$jar" org.apache.spark.deploy.SparkSubmit "${submit[@]}" "$resource" "$command"
    "${arguments[@]}")
  $archives || exec "${launch[@]}"

  local status=0
  "${launch[@]}" || status=$?
  [[ ! -f $classes.$$ ]] || mv "$classes.$$" "$classes"
  exit "$status"
}
