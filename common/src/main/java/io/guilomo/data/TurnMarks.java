package io.guilomo.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where a template writes what the assistant says: characters that occur nowhere in its text are
 * put behind contents and into calls of functions, and looked for in what it writes then. Without
 * them, this must be the same text as before.
 */
final class TurnMarks {

  /** The characters for private use in Unicode, of which some fonts make symbols. */
  private static final char FIRST = '\ue000';

  private static final int COUNT = 6400;

  /** Which contents are marked. */
  private enum Contents {
    /** Templates may write something only if there is content. */
    NOT_EMPTY_BESIDE_CALLS,
    /** Templates may write only a part of the content, which may be empty. */
    NOT_BESIDE_CALLS,
    /** Templates may ignore calls. */
    ALL
  }

  /**
   * What the assistant says in a message.
   *
   * @param first position of the first mark, at or after the beginning
   * @param last position of the last mark
   * @param content where the content ends; −1 if the template does not write it, or it is not known
   * @param calls whether functions are called
   */
  record Turn(int first, int last, int content, boolean calls) {}

  private final ConversationRenderer renderer;
  private final List<Integer> numbers;
  private final List<Map<String, Object>> marked;

  /** Marks of the content and of the calls of each turn. */
  private final char[] marks;

  private final List<Turn> turns = new ArrayList<>();

  private TurnMarks(
      ConversationRenderer renderer,
      List<Integer> numbers,
      char[] marks,
      Contents contents,
      boolean beforeSpace) {
    this.renderer = renderer;
    this.numbers = numbers;
    this.marks = marks;
    this.marked = new ArrayList<>(renderer.messages());
    for (int i = 0; i < numbers.size(); i++) {
      marked.set(
          numbers.get(i),
          marked(
              marked.get(numbers.get(i)), marks[2 * i], marks[2 * i + 1], contents, beforeSpace));
    }
  }

  /**
   * @param numbers of the assistant's messages, in order
   * @param whole what the template writes without marks
   * @return empty if marks change what the template writes, or it does not write what is marked
   */
  static Optional<TurnMarks> find(
      ConversationRenderer renderer, List<Integer> numbers, String whole) {
    char[] marks = unused(whole);
    if (marks.length < 2 * numbers.size()) {
      return Optional.empty();
    }
    List<List<Map<String, Object>>> tried = new ArrayList<>();
    for (Contents contents : Contents.values()) {
      for (boolean beforeSpace : new boolean[] {false, true}) {
        TurnMarks found = new TurnMarks(renderer, numbers, marks, contents, beforeSpace);
        if (!tried.contains(found.marked)) {
          tried.add(found.marked);
          if (found.locate(whole)) {
            return Optional.of(found);
          }
        }
      }
    }
    return Optional.empty();
  }

  private static char[] unused(String text) {
    boolean[] used = new boolean[COUNT];
    text.chars().filter(c -> c >= FIRST && c < FIRST + COUNT).forEach(c -> used[c - FIRST] = true);
    StringBuilder unused = new StringBuilder();
    for (int i = 0; i < COUNT; i++) {
      if (!used[i]) {
        unused.append((char) (FIRST + i));
      }
    }
    return unused.toString().toCharArray();
  }

  List<Turn> turns() {
    return turns;
  }

  /**
   * What the template writes after the last mark of a turn if the conversation ends with it; empty
   * if the template refuses such a conversation, or writes nothing of the turn then.
   */
  Optional<String> tail(int turn, boolean prompt) {
    return renderer
        .attempt(marked.subList(0, numbers.get(turn) + 1), prompt)
        .flatMap(text -> after(text, marks[2 * turn], marks[2 * turn + 1]));
  }

  private static Optional<String> after(String text, char content, char call) {
    int last = Math.max(text.lastIndexOf(content), text.lastIndexOf(call));
    return last < 0 ? Optional.empty() : Optional.of(text.substring(last + 1));
  }

  private boolean locate(String whole) {
    int[] slots = new int[COUNT];
    Arrays.fill(slots, -1);
    for (int i = 0; i < 2 * numbers.size(); i++) {
      slots[marks[i] - FIRST] = i;
    }
    int[] first = new int[numbers.size()];
    Arrays.fill(first, -1);
    int[] last = first.clone();
    int[] content = first.clone();
    boolean[] calls = new boolean[numbers.size()];
    StringBuilder plain = new StringBuilder();
    String text = renderer.attempt(marked, false).orElse("");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int slot = c >= FIRST && c < FIRST + COUNT ? slots[c - FIRST] : -1;
      if (slot < 0) {
        plain.append(c);
        continue;
      }
      int turn = slot / 2;
      first[turn] = first[turn] < 0 ? plain.length() : first[turn];
      last[turn] = plain.length();
      if (slot % 2 == 0) {
        content[turn] = plain.length();
      } else {
        calls[turn] = true;
      }
    }
    if (!whole.contentEquals(plain)) {
      return false;
    }
    for (int i = 0; i < first.length; i++) {
      if (first[i] < 0 || i > 0 && first[i] < last[i - 1]) {
        return false;
      }
      turns.add(new Turn(first[i], last[i], content[i], calls[i]));
    }
    return true;
  }

  private static Map<String, Object> marked(
      Map<String, Object> message,
      char content,
      char call,
      Contents contents,
      boolean beforeSpace) {
    Map<String, Object> marked = new LinkedHashMap<>(message);
    for (String calls : List.of("tool_calls", "function_call")) {
      marked.computeIfPresent(calls, (name, value) -> called(value, call));
    }
    String text = (String) message.get("content");
    boolean beside = !marked.equals(message);
    if (contents == Contents.ALL
        || !beside
        || contents == Contents.NOT_EMPTY_BESIDE_CALLS && !text.isBlank()) {
      int at = beforeSpace ? text.stripTrailing().length() : text.length();
      marked.put("content", text.substring(0, at) + content + text.substring(at));
    }
    return marked;
  }

  /** A call, or several, with the texts among the arguments marked, or else the name. */
  private static Object called(Object value, char mark) {
    if (value instanceof List<?> calls) {
      return calls.stream().map(call -> called(call, mark)).toList();
    }
    if (!(value instanceof Map<?, ?> map)) {
      return value;
    }
    Map<Object, Object> call = new LinkedHashMap<>(map);
    if (call.get("function") instanceof Map<?, ?> function) {
      call.put("function", called(function, mark));
      return call;
    }
    for (String arguments : List.of("arguments", "parameters")) {
      call.computeIfPresent(arguments, (name, given) -> argument(given, mark));
    }
    if (call.equals(map) && call.get("name") instanceof String name) {
      call.put("name", name + mark);
    }
    return call;
  }

  private static Object argument(Object value, char mark) {
    if (value instanceof List<?> list) {
      List<Object> marked = new ArrayList<>();
      list.forEach(element -> marked.add(argument(element, mark)));
      return marked;
    }
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> marked = new LinkedHashMap<>(map);
      marked.replaceAll((name, element) -> argument(element, mark));
      return marked;
    }
    return value instanceof String text && !text.isBlank() ? text + mark : value;
  }
}
