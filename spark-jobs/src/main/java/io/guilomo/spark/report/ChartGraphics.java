package io.guilomo.spark.report;

import io.guilomo.model.UserException;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.Stroke;
import java.awt.font.TextLayout;
import java.awt.geom.AffineTransform;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGeneratorContext;
import org.apache.batik.svggen.SVGGraphics2D;
import org.apache.batik.svggen.SVGPath;
import org.w3c.dom.Attr;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.Text;

/**
 * Turns what XChart paints into the elements of an SVG image without colours and fonts of its own:
 * each colour stands for a class of the style sheet, so that the same image works in light and dark
 * themes and on small screens, and text stays text. No element has an id, so that a page can hold
 * several images.
 */
final class ChartGraphics extends SVGGraphics2D {

  /** Class of text centred on its position, as along the horizontal axis. */
  static final String ACROSS = "across";

  /** Class of text that ends at its position, as along the vertical axis. */
  static final String UP = "up";

  private static final List<String> CLASSES =
      List.of(
          ACROSS, UP, "grid", "range", "point", "mark", "k0", "k1", "k2", "k3", "k4", "k5", "k6",
          "k7", "o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7");

  private static final Set<String> PAINTS = Set.of("fill", "stroke");
  private static final String NAMESPACE = "http://www.w3.org/2000/svg";

  private final Collection<String> words;
  private final Path2D.Double line = new Path2D.Double();

  /**
   * @param words every text that may be painted; may grow after construction
   */
  ChartGraphics(Collection<String> words) {
    super(context(), false);
    this.words = words;
  }

  private static SVGGeneratorContext context() {
    SVGGeneratorContext context = SVGGeneratorContext.createDefault(document());
    context.setPrecision(1);
    context.setComment(null);
    context.setStyleHandler((element, style, unused) -> paint(element, style));
    return context;
  }

  private static Document document() {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .getDOMImplementation()
          .createDocument(NAMESPACE, "svg", null);
    } catch (ParserConfigurationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The colour that stands for a class of the style sheet. */
  static Color colour(String styleClass) {
    int index = CLASSES.indexOf(styleClass);
    if (index < 0) {
      throw new UserException(
          "Cannot paint with class %s: expected one of %s".formatted(styleClass, CLASSES));
    }
    return colour(index);
  }

  /** Never black, which is Batik's initial colour. */
  private static Color colour(int index) {
    return new Color(index + 1);
  }

  private static void paint(Element element, Map<?, ?> style) {
    for (String paint : PAINTS) {
      Object value = style.get(paint);
      if ("none".equals(value)) {
        element.setAttribute(paint, "none");
      } else if (value != null) {
        IntStream.range(0, CLASSES.size())
            .filter(index -> value.equals(written(colour(index))))
            .forEach(index -> element.setAttribute("class", CLASSES.get(index)));
      }
    }
  }

  /** The colour as Batik writes it. */
  private static String written(Color colour) {
    return "rgb(%d,%d,%d)".formatted(colour.getRed(), colour.getGreen(), colour.getBlue());
  }

  @Override
  public void setColor(Color colour) {
    if (line != null && !colour.equals(getColor())) {
      flush();
    }
    super.setColor(colour);
  }

  /** Ignored: the style sheet sets the width of lines. */
  @Override
  public void setStroke(Stroke stroke) {}

  /** Ignored: nothing lies outside the chart, and a clip would need an id. */
  @Override
  public void setClip(Shape clip) {}

  /** Joins the segments of a line, which XChart draws one by one, into one path. */
  @Override
  public void draw(Shape shape) {
    if (!(shape instanceof Line2D piece)) {
      super.draw(shape);
      return;
    }
    if (line.getCurrentPoint() == null || !line.getCurrentPoint().equals(piece.getP1())) {
      line.moveTo(piece.getX1(), piece.getY1());
    }
    line.lineTo(piece.getX2(), piece.getY2());
  }

  private void flush() {
    if (line.getCurrentPoint() != null) {
      super.draw(line);
      line.reset();
    }
  }

  @Override
  public void fill(Shape shape) {
    if (getColor().equals(colour(ACROSS)) || getColor().equals(colour(UP))) {
      write(shape);
    } else if (getColor().getAlpha() > 0) {
      super.fill(shape);
    }
  }

  /** XChart fills the outlines of text: recovers the text and its position. */
  private void write(Shape outline) {
    Rectangle2D bounds = outline.getBounds2D();
    if (bounds.isEmpty()) {
      return;
    }
    String word = word(outline);
    AffineTransform transform = getTransform();
    setTransform(new AffineTransform());
    if (getColor().equals(colour(UP))) {
      drawString(
          word,
          (float) (transform.getTranslateX() + bounds.getMaxX()),
          (float) (transform.getTranslateY() - bounds.getHeight() / 2));
    } else {
      drawString(
          word,
          (float) (transform.getTranslateX() + bounds.getCenterX()),
          (float) (transform.getTranslateY() + bounds.getMaxY()));
    }
    setTransform(transform);
  }

  private String word(Shape outline) {
    String path = path(outline);
    return words.stream()
        .filter(word -> !word.isBlank())
        .filter(
            word ->
                path.equals(
                    path(new TextLayout(word, getFont(), getFontRenderContext()).getOutline(null))))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("Cannot recover a text painted in a chart"));
  }

  private String path(Shape shape) {
    return SVGPath.toSVGPathData(shape, getGeneratorContext());
  }

  @Override
  public Graphics2D create() {
    throw new UnsupportedOperationException(
        "Cannot copy the graphics: it collects the segments of a line");
  }

  /** Everything that was painted. */
  Html html() {
    flush();
    Html html = new Html();
    add(html, getTopLevelGroup(false));
    return html;
  }

  private static void add(Html html, Node node) {
    if (node instanceof Text text) {
      html.text(text.getData());
      return;
    }
    String[] attributes = attributes((Element) node);
    boolean needed = !node.getNodeName().equals("g") || attributes.length > 0;
    if (needed) {
      html.open(node.getNodeName(), attributes);
    }
    for (Node child = node.getFirstChild(); child != null; child = child.getNextSibling()) {
      add(html, child);
    }
    if (needed) {
      html.close(node.getNodeName());
    }
  }

  private static String[] attributes(Element element) {
    return IntStream.range(0, element.getAttributes().getLength())
        .mapToObj(i -> (Attr) element.getAttributes().item(i))
        .filter(attribute -> !attribute.getName().startsWith("xml"))
        .flatMap(attribute -> List.of(attribute.getName(), attribute.getValue()).stream())
        .toArray(String[]::new);
  }
}
