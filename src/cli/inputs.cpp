#include "cli/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/project.hpp"
#include "environment/document.hpp"
#include "report/json.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;
using environment::Node;

// Where files from elsewhere go; a folder of the user's that has this name is treated like them.
constexpr const char* kOutside = "outside";

bool is_inside(const fs::path& name) {
  return !name.empty() && name.is_relative() && *name.begin() != ".." && *name.begin() != kOutside &&
         name != kRecordFile;
}

fs::path relative_to(const fs::path& path, const fs::path& folder) {
  fs::path name = path.lexically_relative(folder);
  // One of the two is absolute and the other is not.
  if (name.empty()) name = fs::absolute(path).lexically_relative(fs::absolute(folder));
  return name.lexically_normal();
}

// A whole number of a record; a fault where it is something else.
template <class Number>
void take_number(const Node* node, std::optional<Number>& number, bool& good) {
  if (node == nullptr || node->kind == Node::Kind::empty || (!node->in_quotes && node->text == "null"))
    return;
  Number value{};
  const char* end = node->text.data() + node->text.size();
  const auto read = std::from_chars(node->text.data(), end, value);
  if (node->kind == Node::Kind::scalar && read.ec == std::errc() && read.ptr == end)
    number = value;
  else
    good = false;
}

void take_text(const Node* node, std::string& text, bool& good) {
  if (node == nullptr) return;
  if (node->kind == Node::Kind::scalar)
    text = node->text;
  else
    good = false;
}

}  // namespace

std::string write_record(const RunRecord& record) {
  report::JsonWriter json;
  const auto number = [&](const char* key, const auto& value) {
    json.key(key);
    if (value) {
      json.natural(static_cast<std::uint64_t>(*value));
    } else {
      json.null();
    }
  };
  json.begin_object();
  json.key("headroom_version").text(record.version);
  json.key("command").begin_array();
  for (const std::string& word : record.command) json.text(word);
  json.end_array();
  json.key("folder").text(record.folder);
  json.key("environment").text(record.variant);
  json.key("service").text(record.service);
  json.key("traffic").text(record.traffic);
  number("seed", record.seed);
  number("seeds", record.seeds);
  number("samples", record.samples);
  json.key("engine").text(record.engine);
  json.key("outside").begin_array();
  for (const auto& [name, file] : record.outside) {
    json.begin_object().key("name").text(name).key("file").text(file).end_object();
  }
  json.end_array().end_object();
  return json.str() + "\n";
}

base::Result<RunRecord> read_record(const std::string& text, const std::string& file) {
  // JSON is read as the YAML that it is, too.
  auto root = environment::parse_document(text, file);
  if (!root) return root.error();
  RunRecord record;
  bool good = root->kind == Node::Kind::map;
  take_text(root->find("headroom_version"), record.version, good);
  take_text(root->find("folder"), record.folder, good);
  take_text(root->find("environment"), record.variant, good);
  take_text(root->find("service"), record.service, good);
  take_text(root->find("traffic"), record.traffic, good);
  take_text(root->find("engine"), record.engine, good);
  take_number(root->find("seed"), record.seed, good);
  take_number(root->find("seeds"), record.seeds, good);
  take_number(root->find("samples"), record.samples, good);
  if (const Node* words = root->find("command")) {
    for (const Node& word : words->items) take_text(&word, record.command.emplace_back(), good);
  }
  if (const Node* outside = root->find("outside")) {
    for (const Node& each : outside->items) {
      auto& [name, place] = record.outside.emplace_back();
      take_text(each.find("name"), name, good);
      take_text(each.find("file"), place, good);
      good = good && !name.empty() && !place.empty();
    }
  }
  if (!good || record.version.empty()) {
    return base::bad_input(base::Place{file, 1, 1}, "this is no record of a run as Headroom writes it",
                           "remove it to read the headroom.yaml beside it as any other");
  }
  return record;
}

Inputs::Inputs(fs::path folder, std::optional<RunRecord> record)
    : folder_(std::move(folder)), record_(std::move(record)) {}

std::string Inputs::name_of(const std::string& path) const { return relative_to(path, folder_).string(); }

base::Result<std::string> Inputs::read(const std::string& path) {
  fs::path place = path;
  if (record_) {
    const auto known = [&](const std::string& name) {
      const auto found = std::find_if(record_->outside.begin(), record_->outside.end(),
                                      [&](const auto& each) { return each.first == name; });
      return found == record_->outside.end() ? nullptr : &found->second;
    };
    const std::string* kept = known(path);
    if (kept == nullptr) kept = known(name_of(path));
    // A path that starts at the root and leads into the folder that the run was started from.
    const fs::path there = fs::path(path).lexically_relative(record_->folder).lexically_normal();
    if (kept != nullptr)
      place = folder_ / *kept;
    else if (place.is_absolute() && is_inside(there) && !is_inside(name_of(path)))
      place = folder_ / there;
  }
  auto text = read_text(place.string());
  if (text) texts_.insert_or_assign(path, *text);
  return text;
}

std::vector<InputFile> Inputs::files(RunRecord& record) const {
  std::vector<InputFile> files;
  for (const auto& [path, text] : texts_) {
    const fs::path name = name_of(path);
    if (is_inside(name)) {
      files.push_back({name.string(), text});
      continue;
    }
    const std::string place =
        fmt::format("{}/{}/{}", kOutside, files.size() + 1, fs::path(path).filename().string());
    files.push_back({place, text});
    record.outside.emplace_back(name.string(), place);
    if (fs::path(path).is_absolute()) record.outside.emplace_back(path, place);
  }
  return files;
}

}  // namespace headroom::cli
