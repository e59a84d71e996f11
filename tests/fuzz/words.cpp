// Prints the dictionary of the fuzzer: every key, choice, default and example of the files' definition.
#include <cstdio>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "environment/schema.hpp"

namespace {

using Json = nlohmann::json;

void collect(const Json& schema, std::set<std::string>& words) {
  if (schema.is_object()) {
    for (const auto& [key, value] : schema.items()) {
      if (key == "properties") {
        for (const auto& property : value.items()) words.insert(property.key() + ": ");
      }
      if (key == "enum" || key == "examples" || key == "default") {
        for (const Json& word : value.is_array() ? value : Json::array({value}))
          words.insert(word.is_string() ? word.get<std::string>() : word.dump());
      }
    }
  }
  if (schema.is_structured()) {
    for (const Json& inner : schema) collect(inner, words);
  }
}

}  // namespace

int main() {
  std::set<std::string> words;
  collect(Json::parse(headroom::environment::json_schema()), words);
  collect(Json::parse(headroom::environment::capacity_json_schema()), words);
  for (const std::string& word : words) {
    // The longest word that libFuzzer takes.
    if (word.empty() || word.size() > 64) continue;
    std::string quoted;
    for (const char c : word) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    std::printf("\"%s\"\n", quoted.c_str());
  }
  return 0;
}
