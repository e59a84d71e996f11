// Runs tests/malformed/*.yaml. The first lines of each file say what must be found, all of it and nothing
// else: "# expect LINE:COLUMN FRAGMENT", where \n in the fragment separates the fault from its remedy.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "environment/capacity_file.hpp"
#include "environment/document.hpp"
#include "environment/read.hpp"

namespace headroom::environment {
namespace {

struct Expectation {
  int line = 0;
  int column = 0;
  std::string fragment;
};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<Expectation> expectations(const std::string& text) {
  std::vector<Expectation> list;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line) && line.starts_with("# expect ")) {
    Expectation one;
    int used = 0;
    if (std::sscanf(line.c_str(), "# expect %d:%d %n", &one.line, &one.column, &used) != 2) break;
    one.fragment = line.substr(static_cast<std::size_t>(used));
    for (std::size_t at = one.fragment.find("\\n"); at != std::string::npos; at = one.fragment.find("\\n")) {
      one.fragment.replace(at, 2, "\n");
    }
    list.push_back(one);
  }
  return list;
}

base::Result<std::string> no_file(const std::string& path) {
  if (path == "demand.csv") return "timestamp,value\n";
  if (path == "people.csv") return "name,city\nAda,Delft\n";
  return base::bad_input("there is no file " + path);
}

// The faults of a text, read as what its file name says.
std::vector<base::Fault> faults_of(const std::string& text, const std::string& file) {
  if (file.starts_with("traffic-")) {
    const auto result = read_traffic(text, file, no_file);
    return result ? std::vector<base::Fault>{} : result.error().faults;
  }
  if (file.starts_with("capacity-")) {
    const auto result = read_capacity(text, file);
    return result ? std::vector<base::Fault>{} : result.error().faults;
  }
  const auto result = read(text, file, no_file);
  return result ? std::vector<base::Fault>{} : result.error().faults;
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> list;
  for (const auto& entry : std::filesystem::directory_iterator(HEADROOM_SOURCE_DIR "/tests/malformed")) {
    if (entry.path().extension() == ".yaml") list.push_back(entry.path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

TEST(Malformed, EveryFileGivesItsFaultsAtTheirPlaces) {
  ASSERT_GE(files().size(), 60u);
  for (const auto& path : files()) {
    const std::string file = path.filename();
    const std::string text = text_of(path);
    const auto expected = expectations(text);
    ASSERT_FALSE(expected.empty()) << file << " does not say what to expect";
    const auto faults = faults_of(text, file);
    std::string all;
    for (const base::Fault& fault : faults) all += to_string(fault) + "\n";
    EXPECT_EQ(faults.size(), expected.size()) << file << " gives\n" << all;
    for (const Expectation& one : expected) {
      const bool found = std::any_of(faults.begin(), faults.end(), [&](const base::Fault& fault) {
        return fault.place.file == file && fault.place.line == one.line && fault.place.column == one.column &&
               (fault.what + "\n  " + fault.fix).find(one.fragment) != std::string::npos;
      });
      EXPECT_TRUE(found) << file << " should give, at " << one.line << ":" << one.column << ": "
                         << one.fragment << "\nbut gives\n"
                         << all;
    }
  }
}

const std::string kSound = R"(name: shop
services:
  web:
    instance: {cpu: 0.2, price: 0.0104 USD/h}
    capacity: {cpu_per_rpm: 0.0008716906, startup: 4m}
    scale: {min: 1, max: 20, policies: [{step: {out: [{above: 25%, add: 1}], in: [{below: "15%", remove: 1}]}}]}
traffic: {open: {stages: [{for: 10m, to: 30000 rpm}]}}
tune: {search: {out.add: 1..9, in.below: 5..20}}
)";

TEST(Malformed, TheSoundTextIsSound) { EXPECT_TRUE(faults_of(kSound, "headroom.yaml").empty()); }

TEST(Malformed, EveryTruncationIsReadOrRefusedAtAPlace) {
  for (std::size_t length = 0; length < kSound.size(); ++length) {
    for (const base::Fault& fault : faults_of(kSound.substr(0, length), "headroom.yaml")) {
      EXPECT_GE(fault.place.line, 1) << length << ": " << to_string(fault);
      EXPECT_GE(fault.place.column, 1) << length << ": " << to_string(fault);
      EXPECT_LE(fault.place.line, 9) << length << ": " << to_string(fault);
    }
  }
}

TEST(Malformed, EveryChangedByteIsReadOrRefusedAtAPlace) {
  const std::string bytes("\0{[\"\n:&*%9\xC3- \t#?|>!", 19);
  for (std::size_t i = 0; i < kSound.size(); ++i) {
    // Three of the bytes at each place; 7 and 19 have no common factor, so each gets its turn.
    for (std::size_t k = 0; k < 3; ++k) {
      std::string text = kSound;
      text[i] = bytes[(i * 7 + k) % bytes.size()];
      for (const base::Fault& fault : faults_of(text, "headroom.yaml")) {
        EXPECT_GE(fault.place.line, 1) << text << to_string(fault);
      }
    }
  }
}

void expect_one_fault(const std::string& text, int line, int column, const std::string& fragment) {
  const auto faults = faults_of(text, "headroom.yaml");
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].place, (base::Place{"headroom.yaml", line, column})) << to_string(faults[0]);
  EXPECT_NE(faults[0].what.find(fragment), std::string::npos) << to_string(faults[0]);
}

TEST(Malformed, NothingIsRefused) {
  expect_one_fault("", 1, 1, "the file is empty");
  expect_one_fault("\n\n", 1, 1, "the file is empty");
  expect_one_fault("\xEF\xBB\xBF", 1, 1, "the file is empty");
}

TEST(Malformed, TheEnormousIsRefusedUnread) {
  expect_one_fault(std::string(kDocumentBytes + 1, 'x'), 1, 1, "more than the 1048576 that are read");
  // As large as is read.
  const auto faults = faults_of("x: " + std::string(kDocumentBytes - 3, 'x'), "headroom.yaml");
  ASSERT_FALSE(faults.empty());
  EXPECT_EQ(faults[0].place, (base::Place{"headroom.yaml", 1, 1}));
}

TEST(Malformed, ManyFaultsAreCounted) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "key" + std::to_string(i) + ": 1\n";
  const auto faults = faults_of(text, "headroom.yaml");
  // 1000 unknown keys and two missing ones; 100 are shown, and the last line says how many are not.
  ASSERT_EQ(faults.size(), 101u);
  EXPECT_EQ(faults.back().what, "902 more faults are not shown");
}

TEST(Malformed, TheDeeplyNestedIsRefused) {
  for (const std::string open : {"[", "{a: ", "- ", "? ", "a:\n "}) {
    std::string text;
    for (int i = 0; i < 100'000 / static_cast<int>(open.size()); ++i) text += open;
    const auto faults = faults_of(text, "headroom.yaml");
    ASSERT_FALSE(faults.empty());
    EXPECT_GE(faults[0].place.line, 1) << open;
  }
  // The map is the first level, so the 32nd bracket is one too deep; it stands 3 columns later.
  expect_one_fault("a: " + std::string(40, '[') + std::string(40, ']'), 1, 3 + kDocumentDepth,
                   "nested more than 32 deep");
}

}  // namespace
}  // namespace headroom::environment
