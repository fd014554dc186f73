package io.guilomo.spark.cli;

import io.guilomo.spark.progress.ProgressListener;
import java.io.PrintStream;
import java.util.Map;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress as a moving bar, for a terminal. */
final class BarProgress implements ProgressListener {

  private final PrintStream err;
  private ProgressBar bar;

  BarProgress(PrintStream err) {
    this.err = err;
  }

  @Override
  public synchronized void begin(String task, long rounds) {
    end();
    bar =
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(rounds)
            .setUnit(" rounds", 1)
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(new ConsoleProgressBarConsumer(err))
            .build();
  }

  @Override
  public synchronized void round(Map<String, Double> values) {
    if (bar != null) {
      bar.setExtraMessage(LineProgress.text(values).replaceFirst("^, ", ""));
      bar.step();
    }
  }

  @Override
  public synchronized void message(String line) {
    if (bar == null) {
      err.println(line);
    } else {
      // Replaces the bar, which is drawn again on the next line.
      err.print("\r\033[K" + line + System.lineSeparator());
      bar.refresh();
    }
  }

  @Override
  public synchronized void end() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
