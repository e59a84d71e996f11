#include "environment/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "environment/records.hpp"

namespace headroom::environment {
namespace {

using Json = nlohmann::ordered_json;
using Shape = Description::Shape;

// All records below these, each once, in the order of first use.
void collect(const RecordInfo& info, std::vector<const RecordInfo*>& found);

void collect(const Description& description, std::vector<const RecordInfo*>& found) {
  if (description.record) collect(description.record(), found);
  if (description.item) collect(*description.item, found);
  for (const Description& alternative : description.alternatives) collect(alternative, found);
}

void collect(const RecordInfo& info, std::vector<const RecordInfo*>& found) {
  if (std::find(found.begin(), found.end(), &info) != found.end()) return;
  found.push_back(&info);
  for (const KeyInfo& key : info.keys) collect(key.description, found);
}

std::vector<const RecordInfo*> all_records() {
  std::vector<const RecordInfo*> found;
  collect(environment_record().info, found);
  collect(capacity_file_info(), found);
  return found;
}

std::string slug(const std::string& name) {
  std::string result;
  for (const char c : name) {
    if (c == ' ') result += '-';
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) result += c;
  }
  return result;
}

// A default or example as JSON, as an editor would insert it.
Json to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::empty:
      return nullptr;
    case Node::Kind::scalar: {
      if (node.in_quotes) return node.text;
      if (node.text == "true") return true;
      if (node.text == "false") return false;
      if (const auto whole = base::parse_integer(node.text)) return *whole;
      if (const auto number = base::parse_number(node.text)) return *number;
      return node.text;
    }
    case Node::Kind::list: {
      Json list = Json::array();
      for (const Node& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case Node::Kind::map: {
      Json map = Json::object();
      for (const Member& member : node.members) map[member.key] = to_json(member.value);
      return map;
    }
  }
  return nullptr;
}

Json schema_of(const Description& description) {
  Json schema = Json::object();
  switch (description.shape) {
    case Shape::text:
      // YAML reads an unquoted 42 or true as a number or a flag; Headroom takes it as text.
      schema["type"] = {"string", "number", "boolean"};
      break;
    case Shape::pattern:
      schema["type"] = "string";
      schema["pattern"] = description.pattern;
      break;
    case Shape::flag:
      schema["type"] = "boolean";
      break;
    case Shape::integer:
    case Shape::number:
      schema["type"] = description.shape == Shape::integer ? "integer" : "number";
      if (description.low) schema["minimum"] = *description.low;
      if (description.high) schema["maximum"] = *description.high;
      break;
    case Shape::choice:
      schema["enum"] = description.choices;
      break;
    case Shape::list:
      schema["type"] = "array";
      schema["items"] = schema_of(*description.item);
      if (description.low) schema["minItems"] = static_cast<int>(*description.low);
      break;
    case Shape::map:
      schema["type"] = "object";
      schema["additionalProperties"] = schema_of(*description.item);
      break;
    case Shape::record:
      schema["$ref"] = "#/definitions/" + slug(description.record().name);
      break;
    case Shape::any_of:
      for (const Description& alternative : description.alternatives)
        schema["anyOf"].push_back(schema_of(alternative));
      break;
  }
  return schema;
}

Json schema_of(const RecordInfo& info) {
  Json schema = {{"type", "object"}, {"description", info.about}, {"additionalProperties", false}};
  Json properties = Json::object();
  Json required = Json::array();
  for (const KeyInfo& key : info.keys) {
    Json property = schema_of(key.description);
    // Beside $ref, draft 7 ignores everything else.
    if (property.contains("$ref")) property = Json{{"allOf", Json::array({property})}};
    property["description"] = key.about;
    if (!key.fallback.empty()) {
      if (const auto node = tested_node(key.fallback)) property["default"] = to_json(*node);
    }
    if (!key.example.empty()) {
      if (const auto node = tested_node(key.example)) property["examples"] = Json::array({to_json(*node)});
    }
    properties[key.name] = std::move(property);
    if (key.required) required.push_back(key.name);
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

std::string document(const RecordInfo& root, std::string_view title) {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", title}};
  schema.update(schema_of(root));
  std::vector<const RecordInfo*> records;
  collect(root, records);
  Json definitions = Json::object();
  for (const RecordInfo* record : records) {
    if (record != &root) definitions[slug(record->name)] = schema_of(*record);
  }
  if (!definitions.empty()) schema["definitions"] = std::move(definitions);
  return schema.dump(2) + "\n";
}

// The column "value": a word, or a link to the section of a map.
std::string value_words(const Description& description) {
  if (description.shape == Shape::record) {
    const std::string& name = description.record().name;
    return fmt::format("[{}](#{})", name, slug(name));
  }
  if (description.shape == Shape::list) return "list of " + value_words(*description.item);
  if (description.shape == Shape::map) {
    // The name ends in that of the items, which may be a link here.
    const std::string& item = description.item->name;
    const std::string name = description.name.substr(0, description.name.size() - item.size());
    return name + value_words(*description.item);
  }
  const bool either =
      description.alternatives.size() == 2 && description.name.find(" or ") != std::string::npos;
  if (either)
    return value_words(description.alternatives[0]) + " or " + value_words(description.alternatives[1]);
  return description.name;
}

std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, "\\");
  return text;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

}  // namespace

std::string json_schema() { return document(environment_record().info, "headroom.yaml"); }
std::string traffic_json_schema() { return document(traffic_info(), "Headroom traffic file"); }
std::string capacity_json_schema() { return document(capacity_file_info(), "Headroom capacity file"); }

std::string key_tables() {
  std::string text;
  for (const RecordInfo* record : all_records()) {
    text +=
        fmt::format("### {}\n\n{}\n\n| key | value | default | meaning | example |\n|---|---|---|---|---|\n",
                    record->name, record->about);
    for (const KeyInfo& key : record->keys) {
      text += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.name, cell(value_words(key.description)),
                          key.required ? "required" : code(key.fallback), cell(key.about), code(key.example));
    }
    text += "\n";
  }
  return text;
}

std::vector<std::string> contradictions() {
  std::vector<std::string> found;
  for (const RecordInfo* record : all_records()) {
    for (const KeyInfo& key : record->keys) {
      const std::string name = fmt::format("{} in {}", key.name, record->name);
      if (key.about.empty()) found.push_back(name + " is not described");
      if (!key.required && !key.fallback.empty() && !key.fallback_holds()) {
        found.push_back(fmt::format("the default of {} is not {}", name, key.fallback));
      }
      if (key.example.empty()) found.push_back(name + " has no example");
      // Examples that name a YAML file cannot be read without it; the example of the documentation is.
      const bool names_file = key.example.find(".yaml") != std::string::npos;
      if (!names_file && !key.example.empty() && !key.example_reads()) {
        found.push_back(fmt::format("the example of {} is not accepted: {}", name, key.example));
      }
    }
  }
  return found;
}

}  // namespace headroom::environment
