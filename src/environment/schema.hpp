// The definition of the files in two more forms: a JSON Schema for editors, and tables for people.
#pragma once

#include <string>
#include <vector>

namespace headroom::environment {

// JSON Schema (draft 7) of headroom.yaml; ends in a newline.
std::string json_schema();
std::string traffic_json_schema();
std::string capacity_json_schema();

// The key tables of docs/reference/file.md, in Markdown: one section per map, in the order of first use.
std::string key_tables();

// What the definition says of itself that is not so: defaults that differ from the types, examples that are
// not accepted. Empty, or a test fails.
std::vector<std::string> contradictions();

}  // namespace headroom::environment
