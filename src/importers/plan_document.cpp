#include "importers/plan_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <pugixml.hpp>

#include "base/units.hpp"
#include "importers/jmx.hpp"

namespace headroom::importers {
namespace {

// The length of the character at `i`, 0 where none begins there. Strict: no overlong forms, no surrogates.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(k < text.size() ? text[k] : 0); };
  const unsigned char first = byte(i);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0u) != 0x80u) return 0;
  }
  const unsigned char second = byte(i + 1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

// References such as &#xD800; make texts that are no UTF-8.
std::string in_utf8(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    result += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  return result;
}

class Builder {
 public:
  explicit Builder(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') breaks_.push_back(static_cast<std::ptrdiff_t>(i));
    }
  }

  int line_at(std::ptrdiff_t offset) const {
    return static_cast<int>(std::lower_bound(breaks_.begin(), breaks_.end(), offset) - breaks_.begin()) + 1;
  }

  int line_of(const pugi::xml_node& node) const { return line_at(node.offset_debug()); }

  // Requires: the depth has been checked. So for the others.
  std::vector<Element> elements(const pugi::xml_node& tree) const {
    std::vector<Element> list;
    for (const pugi::xml_node& node : tree.children()) {
      if (node.type() != pugi::node_element) continue;
      if (std::strcmp(node.name(), "hashTree") == 0) {
        if (!list.empty()) list.back().children = elements(node);
        continue;
      }
      Element element;
      element.type = in_utf8(node.name());
      element.name = in_utf8(node.attribute("testname").value());
      element.enabled = std::strcmp(node.attribute("enabled").value(), "false") != 0;
      element.line = line_of(node);
      element.properties = property(node);
      list.push_back(std::move(element));
    }
    return list;
  }

 private:
  Property property(const pugi::xml_node& node) const {
    Property result;
    result.kind = in_utf8(node.name());
    result.name = in_utf8(node.attribute("name").value());
    result.text = in_utf8(node.text().get());
    result.line = line_of(node);
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() == pugi::node_element) result.items.push_back(property(child));
    }
    return result;
  }

  std::vector<std::ptrdiff_t> breaks_;
};

// Looks at every node without calling itself, however deep they are.
class SizeCheck : public pugi::xml_tree_walker {
 public:
  bool for_each(pugi::xml_node& node) override {
    ++nodes;
    if (depth() >= kPlanDepth) too_deep = node.offset_debug();
    return !too_deep && nodes <= kPlanNodes;
  }
  std::size_t nodes = 0;
  std::optional<std::ptrdiff_t> too_deep;
};

}  // namespace

const Property* Property::find(std::string_view wanted) const {
  for (const Property& item : items) {
    if (item.name == wanted) return &item;
  }
  return nullptr;
}

base::Result<std::vector<Element>> read_plan(std::string_view text, const std::string& file) {
  if (text.size() > kPlanBytes) {
    return base::bad_input(
        base::Place{file, 1, 1},
        fmt::format("the file is {} bytes long, more than the {} that are read", text.size(), kPlanBytes));
  }
  const Builder builder(text);
  std::size_t bad = 0;
  while (bad < text.size()) {
    const std::size_t length = utf8_length(text, bad);
    if (length == 0 || text[bad] == '\0') break;
    bad += length;
  }
  if (bad < text.size()) {
    const std::size_t line_start = bad == 0 ? 0 : text.rfind('\n', bad - 1) + 1;  // npos + 1 is 0
    return base::bad_input(base::Place{file, builder.line_at(static_cast<std::ptrdiff_t>(bad)),
                                       static_cast<int>(bad - line_start) + 1},
                           fmt::format("the byte 0x{:02X} does not belong into a test plan (UTF-8)",
                                       static_cast<unsigned char>(text[bad])),
                           "save the plan with a newer JMeter, or as UTF-8");
  }
  pugi::xml_document document;
  // No document types: an entity that one declares stays as it is written.
  const pugi::xml_parse_result parsed =
      document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    return base::bad_input(base::Place{file, builder.line_at(parsed.offset), 0},
                           fmt::format("not valid XML: {}", parsed.description()), "is this the right file?");
  }
  SizeCheck check;
  document.traverse(check);
  if (check.too_deep) {
    return base::bad_input(base::Place{file, builder.line_at(*check.too_deep), 0},
                           fmt::format("elements are nested more than {} deep", kPlanDepth));
  }
  if (check.nodes > kPlanNodes) {
    return base::bad_input(base::Place{file, 1, 1},
                           fmt::format("the plan has more than {} parts", kPlanNodes));
  }
  const pugi::xml_node root = document.child("jmeterTestPlan");
  if (!root) {
    const pugi::xml_node first = document.document_element();
    return base::bad_input(base::Place{file, first ? builder.line_of(first) : 1, 0},
                           fmt::format("expected <jmeterTestPlan>, found <{}>", in_utf8(first.name())),
                           "a test plan of JMeter begins with it");
  }
  return builder.elements(root.child("hashTree"));
}

}  // namespace headroom::importers
