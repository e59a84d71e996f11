// What a run keeps of its inputs, and that it means the same when it is read from there.
#include "cli/inputs.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "environment/document.hpp"
#include "store/file.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

TEST(RunRecord, ReadsBackAsItWasWritten) {
  RunRecord record;
  record.version = "0.1.0";
  record.command = {"simulate", "my \"shop\"", "--seed", "18446744073709551615", "é\n: #"};
  record.folder = "my \"shop\"";
  record.variant = "prod";
  record.service = "web";
  record.traffic = "../spike: 1.yaml";
  record.seed = 18446744073709551615ULL;
  record.seeds = 5;
  record.engine = "instances";
  record.outside = {{"../a.csv", "outside/1/a.csv"}, {"/b c.csv", "outside/2/b c.csv"}};
  const auto read = read_record(write_record(record), "r.json");
  ASSERT_TRUE(read) << base::to_string(read.error());
  EXPECT_EQ(*read, record);
  EXPECT_EQ(read->name(), "simulate");
}

TEST(RunRecord, TheDocumentNamesEveryMember) {
  RunRecord record;
  record.outside = {{"a", "b"}};
  const auto root = environment::parse_document(write_record(record), "r.json");
  ASSERT_TRUE(root);
  std::set<std::string> written;
  for (const environment::Member& member : root->members) written.insert(member.key);
  for (const environment::Member& member : root->find("outside")->items.front().members)
    written.insert(member.key);
  std::set<std::string> documented;
  std::ifstream file(HEADROOM_SOURCE_DIR "/docs/reference/json.md");
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## headroom.run.json";
    if (inside && line.starts_with("| `")) documented.insert(line.substr(3, line.find('`', 3) - 3));
  }
  EXPECT_EQ(written, documented);
}

TEST(RunRecord, WhatIsNoneIsRefusedByName) {
  for (const char* text : {"", "[]", "{}", "{\"headroom_version\": \"1\", \"seed\": -3}", "{\"folder\": [1]}",
                           "{\"headroom_version\": \"1\", \"outside\": [{\"name\": \"x\"}]}", "{"}) {
    const auto read = read_record(text, "r.json");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, base::ErrorKind::bad_input);
    EXPECT_EQ(read.error().faults.front().place.file, "r.json") << text;
  }
}

TEST(Inputs, FilesBesideHeadroomYamlKeepTheirNamesAndOthersAreNamedByTheRecord) {
  const store::TemporaryFolder folder;
  const fs::path root = folder.path();
  put(root / "shop/traffic/day.csv", "1");
  put(root / "shop/outside/mine.csv", "2");
  put(root / "shared/night.csv", "3");
  Inputs inputs(root / "shop", std::nullopt);
  for (const char* name : {"traffic/day.csv", "traffic/../outside/mine.csv", "../shared/night.csv"})
    ASSERT_TRUE(inputs.read((root / "shop" / name).string())) << name;
  EXPECT_FALSE(inputs.read((root / "shop/none.csv").string()));

  RunRecord record;
  record.version = "1";
  record.folder = (root / "shop").string();
  const std::vector<InputFile> files = inputs.files(record);
  ASSERT_EQ(files.size(), 3U);  // what could not be read is not among them
  for (const InputFile& file : files) put(root / "runs/x/inputs" / file.name, file.text);
  EXPECT_EQ(store::read_file(root / "runs/x/inputs/traffic/day.csv").value(), "1");

  // The same names, from the folder of the run; what they meant is gone.
  fs::remove_all(root / "shop");
  fs::remove_all(root / "shared");
  Inputs again(root / "runs/x/inputs", record);
  const auto text = [&](const fs::path& path) { return again.read(path.string()).value_or("not there"); };
  EXPECT_EQ(text(root / "runs/x/inputs/traffic/day.csv"), "1");
  EXPECT_EQ(text(root / "runs/x/inputs/outside/mine.csv"), "2");
  EXPECT_EQ(text(root / "runs/x/inputs/../shared/night.csv"), "3");
  // Names that start at the root stay what they are, wherever the run lies.
  EXPECT_EQ(text(root / "shop/traffic/day.csv"), "1");
  EXPECT_EQ(text(root / "shop/../shared/night.csv"), "3");
}

}  // namespace
}  // namespace headroom::cli
