package io.guilomo.adapter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.ChatTemplate;
import io.guilomo.data.LabelSet;
import io.guilomo.data.PromptTemplate;
import io.guilomo.family.Families;
import io.guilomo.io.StrictObject;
import io.guilomo.model.ConstantName;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * {@code manifest.json} of an adapter directory.
 *
 * @param sha256 of {@code adapter.safetensors}, hexadecimal
 * @param tensors of the file, in its order
 */
record AdapterManifest(AdapterDescription description, String sha256, List<Entry> tensors) {

  static final int FORMAT_VERSION = 1;

  private static final int MAX_TENSORS = 1 << 24;
  private static final int MAX_TEMPLATE = 1 << 20;
  private static final int MAX_TOKENS = 64;
  private static final int MAX_TOKEN = 256;

  /**
   * A tensor of the file.
   *
   * @param scaling of the expert that it belongs to; null for routers and classifiers
   */
  record Entry(String name, List<Long> shape, Double scaling) {}

  String toJson() {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode json = mapper.createObjectNode();
    json.put("format-version", FORMAT_VERSION);
    json.put("backbone", description.backbone());
    json.put("backbone-digest", description.backboneDigest());
    put(json.putObject("paths"), description.paths());
    json.put("task", description.task().toString());
    description.labels().forEach(json.putArray("labels")::add);
    json.put("pooling", description.pooling().toString());
    json.put("max-length", description.maxLength());
    PromptTemplate template = description.template();
    if (template != null) {
      ObjectNode prompt =
          json.putObject("prompt-template")
              .put("with-input", template.withInput())
              .put("without-input", template.withoutInput())
              .put("response-marker", template.responseMarker())
              .put("answer-pattern", template.answerPattern().pattern());
      if (template.chat() != null) {
        chat(template.chat(), prompt.putObject("chat"));
      }
    }
    json.put("sha256", sha256);
    ArrayNode entries = json.putArray("tensors");
    for (Entry tensor : tensors) {
      ObjectNode entry = entries.addObject().put("name", tensor.name());
      tensor.shape().forEach(entry.putArray("shape")::add);
      if (tensor.scaling() != null) {
        entry.put("scaling", tensor.scaling());
      }
    }
    try {
      json.set("plan", mapper.readTree(AllocationPlanParser.toJson(description.plan())));
      return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @param what names the file in messages
   * @throws UserException if a key is missing or unknown, or a value is out of bounds
   */
  static AdapterManifest fromJson(String what, String text) {
    StrictObject json = StrictObject.parse(what, text);
    int version = json.integer("format-version", 1, Integer.MAX_VALUE);
    if (version != FORMAT_VERSION) {
      throw json.refused("format-version is " + version + ", this release reads " + FORMAT_VERSION);
    }
    AllocationPlan plan = AllocationPlanParser.fromJson(json.json("plan"));
    AdapterDescription description =
        new AdapterDescription(
            plan,
            json.text("backbone", 4096),
            json.text("backbone-digest"),
            paths(json, plan),
            Task.parse(json.text("task")),
            json.texts("labels", LabelSet.MAX_LABELS, LabelSet.MAX_CHARACTERS),
            pooling(json),
            json.integer("max-length", 4, 1 << 24),
            json.has("prompt-template") ? template(json.object("prompt-template")) : null);
    String sha256 = json.text("sha256");
    List<Entry> tensors = json.objects("tensors", MAX_TENSORS).stream().map(e -> entry(e)).toList();
    json.end();
    return new AdapterManifest(description, sha256, tensors);
  }

  private static void put(ObjectNode json, ModulePaths paths) {
    json.put("base", paths.base());
    json.put("layers", paths.layers());
    paths.modules().forEach(json.putObject("modules")::put);
    json.put("classifier", paths.classifier());
    json.put("causal", paths.causal());
  }

  /** Manifests of the first releases do not tell the paths; they are of LLaMAs and BERTs. */
  private static ModulePaths paths(StrictObject manifest, AllocationPlan plan) {
    if (!manifest.has("paths")) {
      return Families.paths(
          plan.modules().stream().map(m -> m.module().name()).distinct().toList());
    }
    StrictObject json = manifest.object("paths");
    StrictObject named = json.object("modules");
    Map<String, String> modules = new LinkedHashMap<>();
    named.keys().forEach(name -> modules.put(name, named.text(name)));
    ModulePaths paths =
        new ModulePaths(
            json.text("base"),
            json.text("layers"),
            modules,
            json.text("classifier"),
            json.flag("causal", false));
    json.end();
    return paths;
  }

  private static Entry entry(StrictObject json) {
    Entry entry =
        new Entry(
            json.text("name"),
            json.integers("shape", 1, 1 << 24, 2),
            json.has("scaling") ? json.number("scaling") : null);
    json.end();
    return entry;
  }

  private static Pooling pooling(StrictObject json) {
    String name = json.text("pooling");
    return ConstantName.find(Pooling.class, name)
        .filter(pooling -> pooling != Pooling.AUTO)
        .orElseThrow(() -> json.refused("pooling is " + name));
  }

  private static void chat(PromptTemplate.Chat chat, ObjectNode json) {
    json.put("template", chat.template().source()).put("always", chat.always());
    ArrayNode tokens = json.putArray("tokens");
    chat.template()
        .tokens()
        .forEach((name, text) -> tokens.addObject().put("name", name).put("text", text));
  }

  private static PromptTemplate.Chat chat(StrictObject json) {
    Map<String, String> tokens = new TreeMap<>();
    for (StrictObject token : json.objects("tokens", MAX_TOKENS)) {
      tokens.put(token.text("name"), token.anyText("text", MAX_TOKEN));
      token.end();
    }
    PromptTemplate.Chat chat =
        new PromptTemplate.Chat(
            new ChatTemplate(json.text("template", MAX_TEMPLATE), tokens),
            json.flag("always", false));
    json.end();
    return chat;
  }

  private static PromptTemplate template(StrictObject json) {
    String pattern = json.text("answer-pattern", MAX_TEMPLATE);
    try {
      PromptTemplate template =
          new PromptTemplate(
              json.text("with-input", MAX_TEMPLATE),
              json.text("without-input", MAX_TEMPLATE),
              json.anyText("response-marker", MAX_TEMPLATE),
              Pattern.compile(pattern),
              json.has("chat") ? chat(json.object("chat")) : null);
      json.end();
      return template;
    } catch (PatternSyntaxException e) {
      throw new UserException(
          String.format("Cannot use answer pattern %s: %s", pattern, e.getDescription()), e);
    }
  }
}
