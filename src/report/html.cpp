#include "report/html.hpp"

#include <fmt/format.h>

#include "report/bundle.hpp"
#include "report/columns.hpp"

namespace headroom::report {
namespace {

// Only <, >, & and the quotes mean something in HTML text and in a quoted attribute.
std::string html_text(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string page_html(const std::string& title, const std::string& fallback, const std::string& json) {
  const Bundle ui = bundle();
  std::string page = fmt::format(
      R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="headroom">
<title>{}</title>
<style>)",
      ui.script_hash, ui.style_hash, html_text(title));
  page += ui.style;
  page += "</style>\n</head>\n<body>\n<main id=\"report\">\n<noscript><pre>";
  page += html_text(fallback);
  page += "</pre></noscript>\n</main>\n<script type=\"application/json\" id=\"report-data\">";
  page += json;
  page += "</script>\n<script>";
  page += ui.script;
  page += "</script>\n</body>\n</html>\n";
  return page;
}

void write_numbers(JsonWriter& json, std::string_view name, std::span<const double> values) {
  const PackedNumbers packed = pack_numbers(values);
  json.key(name).begin_object();
  json.key("scale").number(packed.scale);
  json.key("text").text(packed.text);
  json.end_object();
}

}  // namespace headroom::report
