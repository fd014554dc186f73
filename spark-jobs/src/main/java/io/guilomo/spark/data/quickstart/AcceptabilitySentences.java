package io.guilomo.spark.data.quickstart;

import io.guilomo.model.UserException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * The example sentences of LanguageTool's grammar rules: {@code unacceptable} where the example has
 * a correction, else {@code acceptable}. Their group is the id of the rule (or rule group), so that
 * a wrong sentence and its right counterpart never part.
 */
final class AcceptabilitySentences {

  private AcceptabilitySentences() {}

  /**
   * @param grammar {@code org/languagetool/rules/en/grammar.xml}
   */
  static List<LabelledSentence> read(InputStream grammar) {
    List<LabelledSentence> sentences = new ArrayList<>();
    try {
      XMLStreamReader xml = factory().createXMLStreamReader(grammar);
      String group = null;
      int depth = 0;
      while (xml.hasNext()) {
        int event = xml.next();
        boolean rule =
            xml.hasName()
                && (xml.getLocalName().equals("rule") || xml.getLocalName().equals("rulegroup"));
        if (event == XMLStreamConstants.START_ELEMENT && rule) {
          // A rule in a group belongs to the group, whatever its own id.
          group = depth == 0 ? xml.getAttributeValue(null, "id") : group;
          depth++;
        } else if (event == XMLStreamConstants.END_ELEMENT && rule) {
          depth--;
        } else if (event == XMLStreamConstants.START_ELEMENT
            && depth > 0
            && xml.getLocalName().equals("example")) {
          boolean wrong = xml.getAttributeValue(null, "correction") != null;
          boolean skipped = "triggers_error".equals(xml.getAttributeValue(null, "type"));
          String sentence = text(xml);
          if (!skipped && !sentence.isEmpty()) {
            sentences.add(
                new LabelledSentence(sentence, wrong ? "unacceptable" : "acceptable", group));
          }
        }
      }
      return sentences;
    } catch (XMLStreamException e) {
      throw new UserException("Cannot read grammar rules: " + firstLine(e), e);
    }
  }

  /** The text of the element at which the reader stands, that of elements inside included. */
  private static String text(XMLStreamReader xml) throws XMLStreamException {
    StringBuilder text = new StringBuilder();
    for (int depth = 1; depth > 0; ) {
      int event = xml.next();
      if (event == XMLStreamConstants.START_ELEMENT) {
        depth++;
      } else if (event == XMLStreamConstants.END_ELEMENT) {
        depth--;
      } else if (event == XMLStreamConstants.CHARACTERS || event == XMLStreamConstants.CDATA) {
        text.append(xml.getText());
      }
    }
    return text.toString().strip().replaceAll("\\s+", " ");
  }

  /**
   * The rules use entities that they declare themselves; nothing outside the file is ever opened.
   */
  private static XMLInputFactory factory() {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, true);
    factory.setProperty(XMLInputFactory.IS_REPLACING_ENTITY_REFERENCES, true);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    factory.setProperty(XMLConstants.ACCESS_EXTERNAL_DTD, "");
    factory.setXMLResolver(
        (publicId, systemId, baseUri, namespace) -> {
          throw new XMLStreamException("external entity " + systemId);
        });
    return factory;
  }

  private static String firstLine(XMLStreamException e) {
    return String.valueOf(e.getMessage()).lines().reduce((first, last) -> last).orElse("");
  }
}
