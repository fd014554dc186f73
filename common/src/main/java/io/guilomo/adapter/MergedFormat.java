package io.guilomo.adapter;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.family.ModelReader;
import io.guilomo.family.StoredModel;
import io.guilomo.io.IndentedJson;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.SafetensorsShards;
import io.guilomo.io.StoredTensor;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * A checkpoint in Hugging Face's layout that computes what the adapted model does, without an
 * adapter, for plans with one expert on every module: {@link MergedWeight} has the sum. Tensors
 * keep their types and, unless a base model gets a classifier, their names; those without experts
 * and the files of the tokenizer are copied. {@code config.json} is the last file.
 *
 * @param model directory of the model, if it is not where the adapter was trained with it
 * @param maxShardBytes most bytes of tensors in a file, but for a tensor that is larger
 */
public record MergedFormat(Optional<String> model, long maxShardBytes) implements AdapterFormat {

  /** transformers' default for years, which hubs recommend. */
  public static final long MAX_SHARD_BYTES = 5_000_000_000L;

  /** Tokenizers, templates, settings of generation; and what a license wants passed on. */
  private static final Pattern COPIED =
      Pattern.compile("[^._].*\\.(json|txt|model|jinja|tiktoken)|(LICENSE|NOTICE|USE_POLICY).*");

  private static final Pattern NOT_COPIED =
      Pattern.compile("config\\.json|.*\\.index\\.json|adapter_config\\.json|manifest\\.json");

  public MergedFormat {
    if (maxShardBytes < 1) {
      throw new UserException(
          "Cannot write shards of %d bytes: it must be at least 1", maxShardBytes);
    }
  }

  /** A checkpoint of the model that the adapter was trained with, in shards of the usual size. */
  public static MergedFormat usual() {
    return new MergedFormat(Optional.empty(), MAX_SHARD_BYTES);
  }

  @Override
  public ExportedAdapter write(Adapter adapter, ModelCard card, Path directory, Configuration conf)
      throws IOException {
    AdapterDescription description = adapter.description();
    SingleExperts.require(description.plan(), "merge");
    String path = model.orElse(description.backbone());
    UserPath there = UserPath.open(path, conf);
    if (!there.files().exists(there.path())) {
      throw new UserException(
          "Cannot merge: the model %s is not there; say with --model where it is now", path);
    }
    try (StoredModel stored = ModelReader.stored(path, conf);
        ExportDirectory export = new ExportDirectory(directory, conf)) {
      adapter.requireModules(stored.config(), path);
      Optional<MergedClassifier> classifier =
          description.task() == Task.CLASSIFICATION
              ? Optional.of(new MergedClassifier(adapter, stored))
              : Optional.empty();
      refuseOccupied(directory, stored, export);
      adapter.requireDigest(ModelReader.digest(path, conf), path);
      export.write(card);
      SafetensorsShards.of(tensors(adapter, stored, classifier), maxShardBytes)
          .write(export::stage, conf);
      copyOthers(stored.directory(), export);
      if (classifier.isPresent()) {
        export.write(ModelDirectory.CONFIG, text(classifier.get().config()));
      } else {
        copy(stored.directory(), ModelDirectory.CONFIG, export);
      }
      int largest =
          description.plan().moduleExperts().stream()
              .mapToInt(ModuleExperts::totalRank)
              .max()
              .orElse(0);
      return new ExportedAdapter(export.commit(SafetensorsShards::isWeights), largest);
    }
  }

  /** Refuses a directory with files that would be lost, or read instead of the export's. */
  private static void refuseOccupied(Path directory, StoredModel stored, ExportDirectory export)
      throws IOException {
    if (export.is(stored.directory().path())) {
      throw new UserException(
          "Cannot merge into %s: it is the directory of the model itself; name another one",
          directory);
    }
    if (export.has(PeftFormat.CONFIG::equals)) {
      throw new UserException(
          "Cannot merge into %s: it has an adapter_config.json, which would be read instead; name"
              + " another directory",
          directory);
    }
    if (export.has(SafetensorsShards::isWeights) && !export.hasOwnCard()) {
      throw new UserException(
          "Cannot merge into %s: it has the weights of a model that was not exported here; name"
              + " another directory",
          directory);
    }
    export.requireNoOtherCard();
  }

  private static List<StoredTensor> tensors(
      Adapter adapter, StoredModel stored, Optional<MergedClassifier> classifier)
      throws IOException {
    Map<String, ModuleExperts> merged = new HashMap<>();
    for (ModuleExperts module : adapter.description().plan().moduleExperts()) {
      merged.put(stored.weight(module.module()), module);
    }
    List<StoredTensor> tensors = new ArrayList<>();
    for (StoredTensor tensor : stored.tensors()) {
      ModuleExperts module = merged.get(tensor.name());
      tensors.add(
          module == null
              ? tensor
              : tensor.with(
                  out -> new MergedWeight(stored.weights(), tensor, module, adapter).write(out)));
    }
    return classifier.isPresent() ? classifier.get().into(tensors) : tensors;
  }

  private static void copyOthers(ModelDirectory model, ExportDirectory export) throws IOException {
    for (String name : model.files().keySet()) {
      if (COPIED.matcher(name).matches() && !NOT_COPIED.matcher(name).matches()) {
        copy(model, name, export);
      }
    }
  }

  private static void copy(ModelDirectory model, String name, ExportDirectory export)
      throws IOException {
    try (InputStream in = model.path().getFileSystem(model.conf()).open(model.file(name));
        OutputStream out = export.create(name)) {
      in.transferTo(out);
    }
  }

  private static String text(ObjectNode json) throws IOException {
    return new ObjectMapper().writer(new IndentedJson(2)).writeValueAsString(json) + "\n";
  }

  @Override
  public String library() {
    return "transformers";
  }

  @Override
  public String what() {
    return "A whole checkpoint: the model with a LoRA adapter merged into its weights.";
  }

  @Override
  public String use(AdapterDescription description) {
    return """
        Like any model of this architecture, with whatever serves it:

        ```python
        from transformers import %1$s, AutoTokenizer

        model = %1$s.from_pretrained(".")
        tokenizer = AutoTokenizer.from_pretrained(".")
        ```
        """
        .formatted(
            description.task() == Task.CLASSIFICATION
                ? "AutoModelForSequenceClassification"
                : "AutoModelForCausalLM");
  }

  /** That of the model's own card. */
  @Override
  public Optional<String> license(AdapterDescription description, Configuration conf)
      throws IOException {
    return ModelCard.in(UserPath.of(model.orElse(description.backbone())), conf)
        .flatMap(ModelCard::license);
  }
}
