package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.SharedSparkSession;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.ConfigurationFactory;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.message.SimpleMessage;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What of Spark's own messages reaches a user. */
class TestLogs {

  private static final String REASON = "Cannot continue task 1: it met a stone";

  private final LoggerContext context = LoggerContext.getContext(false);
  private final LoggerConfig root = context.getConfiguration().getRootLogger();
  private final Level before = root.getLevel();
  private final List<LogEvent> logged = new CopyOnWriteArrayList<>();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final AbstractAppender appender =
      new AbstractAppender("logged", null, null, true, Property.EMPTY_ARRAY) {
        @Override
        public void append(LogEvent event) {
          logged.add(event.toImmutable());
        }
      };

  @BeforeEach
  void listen() {
    SharedSparkSession.session();
    restore();
    appender.start();
    root.addAppender(appender, null, null);
    context.updateLoggers();
  }

  @AfterEach
  void stop() {
    root.removeAppender("logged");
    restore();
  }

  private void restore() {
    JobRunner.LOGGERS_OF_FAILURES.forEach(context.getConfiguration()::removeLogger);
    Configurator.setRootLevel(before);
    context.updateLoggers();
  }

  @Test
  void aTaskThatFailsIsToldOnOneLine() {
    assertThat(allocate()).isEqualTo(Main.FAILED);
    assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("error: " + REASON + "\n");
    assertThat(logged).isEmpty();
  }

  @Test
  void verboseTellsWhereATaskFailed() {
    assertThat(allocate("--verbose")).isEqualTo(Main.FAILED);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .startsWith("error: " + REASON + "\n")
        .contains("\n\tat " + TestLogs.class.getName());
    assertThat(logged).anyMatch(event -> event.getThrown() != null);
  }

  @Test
  void theScriptsLogIsAsQuiet() throws Exception {
    URI file = Path.of("../deploy/log4j2.properties").toUri();
    LoggerContext own = new LoggerContext("own");
    Configuration config = ConfigurationFactory.getInstance().getConfiguration(own, "own", file);
    own.start(config);
    try {
      assertThat(config.getRootLogger().getLevel()).isEqualTo(Level.ERROR);
      assertThat(JobRunner.LOGGERS_OF_FAILURES)
          .allMatch(name -> config.getLoggerConfig(name).getLevel() == Level.OFF);
      LogEvent event =
          Log4jLogEvent.newBuilder()
              .setLoggerName("org.apache.spark.SparkContext")
              .setLevel(Level.ERROR)
              .setMessage(new SimpleMessage("Error initializing SparkContext.\n\tat a.B.c"))
              .setThrown(new IllegalStateException(REASON))
              .build();
      assertThat(config.getAppender("stderr").getLayout().toSerializable(event).toString())
          .endsWith(" ERROR SparkContext: Error initializing SparkContext.\n")
          .doesNotContain("\tat ");
    } finally {
      own.stop();
    }
  }

  private int allocate(String... options) {
    String[] args = {"allocate", "--set", "model.path=m", "--set", "data.train=t"};
    return Main.run(
        Stream.of(args, options).flatMap(Arrays::stream).toArray(String[]::new),
        new Actions(
            (spark, config, progress, out) -> failInATask(SharedSparkSession.session()),
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null),
        builder -> null,
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        false);
  }

  private static void failInATask(SparkSession spark) {
    JavaSparkContext.fromSparkContext(spark.sparkContext())
        .parallelize(List.of(0, 1), 2)
        .foreach(
            number -> {
              if (number == 1) {
                throw new IllegalStateException(REASON);
              }
            });
  }
}
