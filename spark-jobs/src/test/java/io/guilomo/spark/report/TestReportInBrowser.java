package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.guilomo.data.DataReport;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.spark.SharedSparkSession;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How a report looks, where there is a browser to look at it. Page and pictures stay in {@code
 * target/screenshots}.
 */
class TestReportInBrowser {

  /** The height of the whole page on a phone, where it is longest. */
  private static final int HEIGHT = 9000;

  private static final Path SCREENSHOTS = Path.of("target/screenshots").toAbsolutePath();
  private static final Pattern MEASURED =
      Pattern.compile("<title>(\\d+) (\\d+) (\\S+) (\\S+) (\\d+) (\\d+)</title>");

  @TempDir private Path directory;

  @Test
  void aReportFitsDesktopsAndPhonesInLightAndDark() throws Exception {
    assumeTrue(hasBrowser(), "skipped: there is no chromium on the PATH");
    new SampleRun(directory, "r1")
        .run(0, new DataReport(100, 80, 20, 0, 0, 0, 0, List.of(), 900, 20))
        .plan(12, BertConfig.MODULES)
        .search(50)
        .training(300)
        .evaluation()
        .comparison();
    String html = RunReport.html(SharedSparkSession.session(), directory.toString(), "r1");
    Files.createDirectories(SCREENSHOTS);
    Path page = Files.writeString(SCREENSHOTS.resolve("report.html"), html);
    for (int width : List.of(1280, 390)) {
      for (boolean dark : List.of(false, true)) {
        Matcher measures =
            MEASURED.matcher(browse(measuring(html, width), width, dark, "--dump-dom"));
        assertThat(measures.find()).isTrue();
        assertThat(measures.group(2)).isEqualTo(String.valueOf(width));
        assertThat(Integer.parseInt(measures.group(1))).isLessThanOrEqualTo(width);
        assertThat(measures.group(3)).isEqualTo(dark ? "rgb(16,20,27)" : "rgb(246,247,249)");
        assertThat(measures.group(4)).isEqualTo(dark ? "rgb(125,180,245)" : "rgb(29,95,174)");
        assertThat(measures.group(5)).as("words in charts").matches("[1-9]\\d+");
        assertThat(measures.group(6))
            .as("words that cover others or leave the page")
            .isEqualTo("0");
        Path image =
            SCREENSHOTS.resolve("report-%d-%s.png".formatted(width, dark ? "dark" : "light"));
        Files.deleteIfExists(image);
        browse(page, width, dark, "--screenshot=" + image);
        assertPainted(ImageIO.read(image.toFile()), width);
      }
    }
  }

  /**
   * A page that shows another in a frame and tells its measures in its own title: its width, its
   * background, the colour of a line, and the positions of the words in charts. Reports have no
   * scripts, and windows are never as narrow as phones.
   */
  private Path measuring(String html, int width) throws IOException {
    String page =
        """
        <iframe style="width: %dpx; border: 0" srcdoc="%s"></iframe>
        <script>
          const frame = document.querySelector('iframe')
          frame.onload = () => {
            const view = frame.contentWindow
            const colour = (element, kind) =>
                view.getComputedStyle(element)[kind].replace(/ /g, '')
            const body = view.document.body
            let words = 0, covered = 0
            for (const chart of view.document.querySelectorAll('.chart svg')) {
              const boxes = [...chart.querySelectorAll('text')].map(word => word.getBoundingClientRect())
              words += boxes.length
              boxes.forEach((a, i) => {
                if (a.left < 0 || a.right > view.innerWidth) covered++
                covered += boxes.slice(i + 1).filter(b =>
                    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).length
              })
            }
            document.title = [view.document.documentElement.scrollWidth, view.innerWidth,
                colour(body, 'backgroundColor'), colour(body.querySelector('path.k0'), 'stroke'),
                words, covered].join(' ')
          }
        </script>""";
    return Files.writeString(
        directory.resolve("measuring.html"), page.formatted(width, new Html().text(html)));
  }

  private static void assertPainted(BufferedImage image, int width) {
    assertThat(image.getWidth()).isEqualTo(width);
    assertThat(image.getHeight()).isEqualTo(HEIGHT);
    long colours =
        IntStream.range(0, HEIGHT)
            .flatMap(y -> IntStream.range(0, width).map(x -> image.getRGB(x, y)))
            .distinct()
            .count();
    assertThat(colours).isGreaterThan(100);
  }

  private String browse(Path page, int width, boolean dark, String action) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--user-data-dir=" + directory.resolve("profile"),
                "--window-size=" + width + "," + HEIGHT));
    if (dark) {
      command.add("--blink-settings=preferredColorScheme=0");
    }
    command.add(action);
    command.add(page.toUri().toString());
    Path out = directory.resolve("out");
    Process browser =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      assertThat(browser.waitFor(60, TimeUnit.SECONDS)).as(action).isTrue();
    } finally {
      browser.destroyForcibly();
    }
    return Files.readString(out, StandardCharsets.UTF_8);
  }

  private static boolean hasBrowser() throws InterruptedException {
    try {
      return new ProcessBuilder("chromium", "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
