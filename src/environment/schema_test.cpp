#include "environment/schema.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "environment/capacity_file.hpp"
#include "environment/read.hpp"

namespace headroom::environment {
namespace {

const std::string kDocument = HEADROOM_SOURCE_DIR "/docs/reference/file.md";
const std::string kBegin = "<!-- generated: key tables -->\n";
const std::string kEnd = "<!-- end of generated -->\n";

std::string document() {
  std::ifstream stream(kDocument, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(Definition, SaysNothingOfItselfThatIsNotSo) {
  for (const std::string& contradiction : contradictions()) ADD_FAILURE() << contradiction;
}

TEST(Definition, TheDocumentedTablesAreThoseOfTheDefinition) {
  std::string text = document();
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::string expected = "\n" + key_tables();
  const std::size_t start = begin + kBegin.size();
  // HEADROOM_UPDATE_DOCS=1 writes the tables instead of comparing them.
  if (std::getenv("HEADROOM_UPDATE_DOCS") != nullptr) {
    text.replace(start, end - start, expected);
    std::ofstream(kDocument, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(text.substr(start, end - start), expected)
      << "docs/reference/file.md is out of date: run HEADROOM_UPDATE_DOCS=1 "
         "build/dev/src/environment/environment_test";
}

// The blocks of the document that begin with "# NAME.yaml" or, for other files, follow "`NAME`:".
std::map<std::string, std::string> documented_files() {
  std::map<std::string, std::string> files;
  std::istringstream lines(document());
  std::string line, name, block;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.starts_with("```")) {
      if (inside && !name.empty()) files[name] = block;
      inside = !inside && (line == "```yaml" || line == "```csv");
      name.clear();
      block.clear();
    } else if (inside) {
      if (block.empty() && line.starts_with("# ")) name = line.substr(2, line.find_first_of(" :", 2) - 2);
      block += line + "\n";
    }
  }
  return files;
}

TEST(Definition, TheDocumentedExampleIsSound) {
  auto files = documented_files();
  files["demand.csv"] = "timestamp,value\n";
  ASSERT_TRUE(files.contains("headroom.yaml"));
  const ReadFile read_file = [&](const std::string& path) -> base::Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return base::bad_input("there is no file " + path);
    return found->second;
  };
  for (const std::string variant : {"", "prod"}) {
    const auto loaded = read(files["headroom.yaml"], "headroom.yaml", read_file, variant);
    EXPECT_TRUE(loaded) << to_string(loaded.error());
  }
  int traffic = 0;
  for (const auto& [name, text] : files) {
    if (name == "capacity.yaml") {
      const auto model = read_capacity(text, name);
      EXPECT_TRUE(model) << to_string(model.error());
    } else if (name != "headroom.yaml") {
      const auto result = read_traffic(text, name, read_file);
      EXPECT_TRUE(result) << to_string(result.error());
      ++traffic;
    }
  }
  EXPECT_GE(traffic, 4);
}

TEST(Schema, IsJsonThatResolvesItsReferences) {
  for (const std::string& text : {json_schema(), traffic_json_schema(), capacity_json_schema()}) {
    const auto schema = nlohmann::json::parse(text);
    EXPECT_EQ(schema.at("$schema"), "http://json-schema.org/draft-07/schema#");
    std::size_t references = 0;
    for (std::size_t at = text.find("\"$ref\": \"#/definitions/"); at != std::string::npos;
         at = text.find("\"$ref\": \"#/definitions/", at + 1)) {
      const std::size_t start = text.find("definitions/", at) + 12;
      const std::string name = text.substr(start, text.find('"', start) - start);
      EXPECT_TRUE(schema.at("definitions").contains(name)) << name;
      ++references;
    }
    EXPECT_GE(references, 1u);
  }
}

TEST(Schema, StatesRangesAndRequiredKeys) {
  const auto schema = nlohmann::json::parse(json_schema());
  EXPECT_EQ(schema.at("required"), (nlohmann::json{"name", "services"}));
  const auto& max = schema.at("definitions").at("scale").at("properties").at("max");
  EXPECT_EQ(max.at("minimum"), 1);
  EXPECT_EQ(max.at("default"), 10);
  EXPECT_EQ(schema.at("definitions").at("scale").at("additionalProperties"), false);
}

}  // namespace
}  // namespace headroom::environment
