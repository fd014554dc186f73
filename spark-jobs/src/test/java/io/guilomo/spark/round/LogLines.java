package io.guilomo.spark.round;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;

/** What a class logs at INFO and above while this is open. */
final class LogLines extends AbstractAppender implements AutoCloseable {

  private final String logger;
  private final List<String> lines = new CopyOnWriteArrayList<>();

  private LogLines(String logger) {
    super("lines of " + logger, null, null, true, Property.EMPTY_ARRAY);
    this.logger = logger;
  }

  static LogLines of(Class<?> type) {
    LogLines log = new LogLines(type.getName());
    log.start();
    LoggerConfig config = new LoggerConfig(log.logger, Level.INFO, false);
    config.addAppender(log, Level.INFO, null);
    context().getConfiguration().addLogger(log.logger, config);
    context().updateLoggers();
    return log;
  }

  List<String> lines() {
    return lines;
  }

  @Override
  public void append(LogEvent event) {
    lines.add(event.getMessage().getFormattedMessage());
  }

  @Override
  public void close() {
    context().getConfiguration().removeLogger(logger);
    context().updateLoggers();
    stop();
  }

  private static LoggerContext context() {
    return LoggerContext.getContext(false);
  }
}
