package io.guilomo.spark.report;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * What the first image of some HTML shows; well-formed, so that it is one wherever it is pasted.
 */
final class Painted {

  private final Element svg;

  Painted(String html) {
    String image = html.substring(html.indexOf("<svg"), html.indexOf("</svg>") + 6);
    try {
      this.svg =
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new ByteArrayInputStream(image.getBytes(StandardCharsets.UTF_8)))
              .getDocumentElement();
    } catch (Exception e) {
      throw new AssertionError("No image: " + image, e);
    }
  }

  /** The words of a class, in the order in which they are drawn. */
  List<String> words(String styleClass) {
    return elements("text", styleClass).map(Node::getTextContent).toList();
  }

  double x(String word) {
    return number(text("across", word), "x");
  }

  double y(String word) {
    return number(text("up", word), "y");
  }

  private Element text(String styleClass, String word) {
    return elements("text", styleClass)
        .filter(text -> text.getTextContent().equals(word))
        .findFirst()
        .orElseThrow(() -> new AssertionError("No " + word + " in " + words(styleClass)));
  }

  /** Number of marked points. */
  long marks(String styleClass) {
    return elements("circle", styleClass).count();
  }

  /** Number of corners of each connected line. */
  List<Integer> pieces(String styleClass) {
    return paths(styleClass)
        .flatMap(path -> Stream.of(path.split("M")).skip(1))
        .map(piece -> piece.split("L").length)
        .toList();
  }

  /** Coordinates of the corners of all lines. */
  List<double[]> corners(String styleClass) {
    return paths(styleClass)
        .flatMap(path -> Stream.of(path.split("[ML]")).skip(1))
        .map(corner -> corner.trim().split(" "))
        .map(corner -> new double[] {Double.parseDouble(corner[0]), Double.parseDouble(corner[1])})
        .toList();
  }

  /** Coordinates of the centres of the marks. */
  List<double[]> centres(String styleClass) {
    return elements("circle", styleClass)
        .map(circle -> new double[] {number(circle, "cx"), number(circle, "cy")})
        .toList();
  }

  private Stream<String> paths(String styleClass) {
    return elements("path", styleClass).map(path -> path.getAttribute("d"));
  }

  private Stream<Element> elements(String name, String styleClass) {
    NodeList all = svg.getElementsByTagName(name);
    List<Element> elements = new ArrayList<>();
    IntStream.range(0, all.getLength()).forEach(i -> elements.add((Element) all.item(i)));
    return elements.stream().filter(element -> styleClass.equals(styleClass(element)));
  }

  /** That of the innermost element that has one. */
  private static String styleClass(Node node) {
    if (!(node instanceof Element element)) {
      return "";
    }
    return element.hasAttribute("class")
        ? element.getAttribute("class")
        : styleClass(element.getParentNode());
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }
}
