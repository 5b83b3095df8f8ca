#include "cli/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/plot_scale.h"
#include "core/error.h"

namespace spillway {
namespace {

// Pixels.
constexpr double kLeft = 78, kTop = 48, kWidth = 560, kHeight = 380, kBottom = 64;
constexpr double kLegendLeft = kLeft + kWidth + 20, kLegendSample = 34, kLegendRow = 20, kRight = 16;
constexpr double kLetter = 7.4;  // width of a letter at 13 pixels, rather too wide than too narrow

/// Colours that people who see red and green alike can tell apart: Okabe and Ito, "Color Universal Design", 2008;
/// without their yellow, which is pale on white.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"};
constexpr const char* kDashes[] = {"", "7 4", "2 3", "10 3 2 3"};
constexpr std::size_t kShapes = 4;

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      default: safe += c;
    }
  }
  return safe;
}

/// How the line of this number looks.
struct Look {
  const char* colour;
  const char* dashes;
  std::size_t shape;
};

Look look_of(std::size_t number) {
  const std::size_t round = number / std::size(kColours);
  return {.colour = kColours[number % std::size(kColours)],
          .dashes = kDashes[round % std::size(kDashes)],
          .shape = number % kShapes};
}

std::string marker(const Look& look, double x, double y) {
  constexpr double r = 4;
  switch (look.shape) {
    case 0: return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"/>\n", x, y, r, look.colour);
    case 1:
      return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"7\" height=\"7\" fill=\"{}\"/>\n", x - 3.5, y - 3.5,
                         look.colour);
    case 2:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l{r} {h}h-{w}z\" fill=\"{}\"/>\n", x, y - r, look.colour,
                         fmt::arg("r", r), fmt::arg("h", 2 * r - 1), fmt::arg("w", 2 * r));
    default:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l{r} {r}l-{r} {r}l-{r} -{r}z\" fill=\"{}\"/>\n", x, y - r,
                         look.colour, fmt::arg("r", r));
  }
}

std::string stroke(const Look& look) {
  return fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}", look.colour,
                     *look.dashes == '\0' ? "" : fmt::format(" stroke-dasharray=\"{}\"", look.dashes));
}

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}{}>{}</text>\n", x, y, attributes.empty() ? "" : " ", attributes,
                     escaped(text));
}

std::string axes(const PlotScale& x, const PlotScale& y) {
  std::string svg;
  for (const PlotScale::Tick& tick : x.ticks()) {
    const double at = kLeft + tick.place * kWidth;
    svg += fmt::format("<path d=\"M{:.1f} {}v{}\" stroke=\"#dddddd\"/>\n", at, kTop, kHeight);
    svg += fmt::format("<path d=\"M{:.1f} {}v5\" stroke=\"#333333\"/>\n", at, kTop + kHeight);
    svg += text_at(at, kTop + kHeight + 20, "text-anchor=\"middle\"", tick.label);
  }
  for (const PlotScale::Tick& tick : y.ticks()) {
    const double at = kTop + (1 - tick.place) * kHeight;
    svg += fmt::format("<path d=\"M{} {:.1f}h{}\" stroke=\"#dddddd\"/>\n", kLeft, at, kWidth);
    svg += fmt::format("<path d=\"M{} {:.1f}h-5\" stroke=\"#333333\"/>\n", kLeft, at);
    svg += text_at(kLeft - 9, at + 4.5, "text-anchor=\"end\"", tick.label);
  }
  svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#333333\"/>\n", kLeft,
                     kTop, kWidth, kHeight);
  svg += text_at(kLeft + kWidth / 2, kTop + kHeight + 46, "text-anchor=\"middle\" font-size=\"14\"", x.title());
  const double middle = kTop + kHeight / 2;
  svg += text_at(20, middle,
                 fmt::format("text-anchor=\"middle\" font-size=\"14\" transform=\"rotate(-90 20 {})\"", middle),
                 y.title());
  return svg;
}

}  // namespace

std::string svg_plot(const std::string& title, const PlotAxis& x, const PlotAxis& y,
                     const std::vector<PlotLine>& lines) {
  constexpr double kHuge = std::numeric_limits<double>::max();
  PlotPoint low{.x = kHuge, .y = kHuge}, high;
  std::size_t drawn = 0, longest = 0;
  for (const PlotLine& line : lines) {
    if (line.points.empty()) continue;
    ++drawn;
    longest = std::max(longest, line.label.size());
    for (const PlotPoint& point : line.points) {
      SPILLWAY_CHECK(point.x > 0 && point.y > 0, "a plot shows values above 0");
      low = {.x = std::min(low.x, point.x), .y = std::min(low.y, point.y)};
      high = {.x = std::max(high.x, point.x), .y = std::max(high.y, point.y)};
    }
  }
  SPILLWAY_CHECK(drawn > 0, "a plot has points");
  const PlotScale across(x, low.x, high.x, false), up(y, low.y, high.y, true);
  const double width = std::ceil(kLegendLeft + kLegendSample + 8 + kLetter * static_cast<double>(longest) + kRight);
  const double height =
      std::ceil(std::max(kTop + kHeight + kBottom, kTop + kLegendRow * (static_cast<double>(drawn) + 1)));
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"13\" fill=\"#222222\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
      width, height);
  svg += text_at(kLeft, 28, "font-size=\"16\" font-weight=\"bold\"", title);
  svg += axes(across, up);
  std::size_t number = 0;
  for (const PlotLine& line : lines) {
    if (line.points.empty()) continue;
    const Look look = look_of(number);
    std::string path, markers;
    for (const PlotPoint& point : line.points) {
      const double px = kLeft + across.place(point.x) * kWidth, py = kTop + (1 - up.place(point.y)) * kHeight;
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", px, py);
      markers += marker(look, px, py);
    }
    svg += fmt::format("<path d=\"{}\" {}/>\n{}", path, stroke(look), markers);
    const double row = kTop + kLegendRow * (static_cast<double>(number) + 0.5);
    svg += fmt::format("<path d=\"M{} {}h{}\" {}/>\n", kLegendLeft, row, kLegendSample, stroke(look));
    svg += marker(look, kLegendLeft + kLegendSample / 2, row);
    svg += text_at(kLegendLeft + kLegendSample + 8, row + 4.5, "", line.label);
    ++number;
  }
  return svg + "</svg>\n";
}

}  // namespace spillway
