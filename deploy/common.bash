# Shared by the scripts in this directory.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf 'error: %s\n' "$1" >&2
  exit "${2:-2}"
}

# Sets $java to the java of a Java 17.
find_java() {
  local candidate version
  for candidate in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" /usr/lib/jvm/*17*/bin/java; do
    [[ -n $candidate && -x $candidate ]] || continue
    version=$("$candidate" -version 2>&1) || continue
    if [[ $version == *'version "17'[.\"]* ]]; then
      java=$candidate
      JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$java")")")
      export JAVA_HOME
      return
    fi
  done
  fail 'Cannot find Java 17: install it or set JAVA_HOME'
}

# Additional options for Maven.
maven_options=()

run_maven() {
  command -v mvn > /dev/null || fail 'Cannot build: Maven (mvn) is not installed'
  # Maven emits colour resets even when told not to use colour.
  (cd "$root" && mvn -B -ntp -q -Dstyle.color=never "${maven_options[@]}" "$@" 2>&1 | sed $'s/\033\\[0*m//g' >&2) ||
    fail "Cannot build: mvn $* failed" 1
}

# Sets $jar to the jar of the jobs.
find_jar() {
  local candidate
  jar=${GUILOMO_JAR:-}
  if [[ -z $jar ]]; then
    for candidate in "$root"/spark-jobs/target/guilomo-spark-jobs-*.jar; do
      [[ ! -f $candidate || $candidate == *-tests.jar ]] || jar=$candidate
    done
  fi
  [[ -n $jar && -f $jar ]]
}

# Compiles, and writes the test class path of each module to its target/test.classpath; with false, only checks that
# these files exist.
resolve_class_paths() {
  local module
  ! $1 || run_maven -DskipTests -Dmdep.outputFile=target/test.classpath test-compile dependency:build-classpath
  for module in common spark-jobs; do
    [[ -s $root/$module/target/test.classpath ]] || fail "Cannot find the class path of $module: it was not resolved yet"
  done
}

# Sets $console to the jar of JUnit's console, in the version that the tests are built with.
find_console() {
  local engine version
  engine=$(tr : '\n' < "$root/common/target/test.classpath" | grep '/junit-platform-engine-[^/]*\.jar$')
  version=$(basename "$(dirname "$engine")")
  console=${engine//junit-platform-engine/junit-platform-console-standalone}
  [[ -f $console ]] ||
    run_maven -Dtransitive=false "-Dartifact=org.junit.platform:junit-platform-console-standalone:$version" dependency:get
  [[ -f $console ]] || fail "Cannot find $console" 1
}

# Spark's jars as collected by Maven, for machines without a Spark installation.
own_spark_home=$root/deploy/spark/target

# Uses another checkout as the project.
use_root() {
  [[ -f $1/pom.xml ]] || fail "Cannot use $1: there is no pom.xml"
  root=$(cd "$1" && pwd)
  own_spark_home=$root/deploy/spark/target
}

has_own_spark() {
  compgen -G "$own_spark_home/jars/spark-core_*.jar" > /dev/null
}

# The packages that Spark 3.5 needs opened on Java 17.
spark_opens=()
for package in lang lang.invoke lang.reflect io net nio util util.concurrent util.concurrent.atomic; do
  spark_opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
done
for package in sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  spark_opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
