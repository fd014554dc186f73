package io.guilomo.spark.checkpoint;

import io.guilomo.data.Seeds;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The checkpoints of one job of a run: those of each of its trainings, and whether the job ended. A
 * job that ended starts over when it is submitted again; one that did not resumes.
 */
public final class JobCheckpoints {

  private static final String ENDED = "_ended";
  private static final String SEED = "seed-";

  private final Path root;
  private final Configuration conf;
  private final FileSystem files;
  private final int keep;

  /**
   * @param root directory of the job's checkpoints
   * @param keep newest checkpoints that stay, of each training
   */
  public JobCheckpoints(Path root, Configuration conf, int keep) throws IOException {
    this.root = root;
    this.conf = conf;
    this.files = root.getFileSystem(conf);
    this.keep = keep;
  }

  /**
   * Starts an attempt.
   *
   * @param resume whether it may resume where an earlier one stopped; otherwise the checkpoints of
   *     the earlier one are removed
   * @return whether it may: false if the job starts over
   */
  public boolean begin(boolean resume) throws IOException {
    boolean resumes = resume && !files.exists(new Path(root, ENDED));
    if (!resumes) {
      files.delete(root, true);
    }
    return resumes;
  }

  /** Those of the training with a seed. */
  public CheckpointDirectory of(long seed) throws IOException {
    return new CheckpointDirectory(new Path(root, SEED + seed), conf, keep);
  }

  /** The seeds of the trainings that have begun to write any, in no order. */
  public List<Long> seeds() throws IOException {
    List<Long> seeds = new ArrayList<>();
    FileStatus[] all = files.exists(root) ? files.listStatus(root) : new FileStatus[0];
    for (FileStatus file : all) {
      String name = file.getPath().getName();
      if (name.startsWith(SEED)) {
        Seeds.parse(name.substring(SEED.length())).ifPresent(seeds::add);
      }
    }
    return seeds;
  }

  /** Removes those of trainings whose seeds are not among these. */
  public void keep(List<Long> seeds) throws IOException {
    for (long seed : seeds()) {
      if (!seeds.contains(seed)) {
        files.delete(new Path(root, SEED + seed), true);
      }
    }
  }

  /** Records that the job has written all of its results. */
  public void end() throws IOException {
    if (files.exists(root)) {
      files.create(new Path(root, ENDED), true).close();
    }
  }
}
