package io.guilomo.spark.tracking;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;

/**
 * Where the files of a run are sent, if the server passes them on to where it keeps them: its runs
 * then have artifact URIs with scheme {@code mlflow-artifacts}, {@code http} or {@code https}.
 * Other schemes are stores that clients write to themselves, which jobs do not.
 *
 * @param root address of the run's files, without a slash at its end
 */
record ArtifactLocation(String root) {

  private static final String PROXY = "/api/2.0/mlflow-artifacts/artifacts";

  /**
   * @param server its URI
   * @param artifactUri of a run
   */
  static Optional<ArtifactLocation> of(String server, String artifactUri) {
    URI given;
    URI tracking = URI.create(server);
    try {
      given = new URI(artifactUri);
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
    String scheme = String.valueOf(given.getScheme());
    if (scheme.equals("http") || scheme.equals("https")) {
      return Optional.of(new ArtifactLocation(withoutSlash(artifactUri)));
    }
    if (!scheme.equals("mlflow-artifacts") || given.getRawPath() == null) {
      return Optional.empty();
    }
    String host =
        given.getRawAuthority() == null ? tracking.getRawAuthority() : given.getRawAuthority();
    return Optional.of(
        new ArtifactLocation(
            withoutSlash(
                tracking.getScheme()
                    + "://"
                    + host
                    + withoutSlash(tracking.getRawPath())
                    + PROXY
                    + given.getRawPath())));
  }

  private static String withoutSlash(String path) {
    return path.replaceAll("/+$", "");
  }

  /**
   * The address of a file.
   *
   * @param name relative to the run's files, such as {@code adapter/manifest.json}
   */
  URI of(String name) {
    try {
      return URI.create(root + new URI(null, null, "/" + name, null).getRawPath());
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("Cannot send file " + name, e);
    }
  }
}
