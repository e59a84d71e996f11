// Any bytes as a test plan of JMeter: refused at a place, or read to a traffic that can be written and reads
// back.
#include <string>
#include <string_view>

#include "environment/read.hpp"
#include "environment/traffic_file.hpp"
#include "fuzz/promises.hpp"
#include "importers/jmx.hpp"
#include "workload/placeholders.hpp"

namespace headroom::fuzz {
namespace {

constexpr const char* file = "input.jmx";

bool same(const importers::Imported& a, const importers::Imported& b) {
  return a.traffic == b.traffic && a.notes == b.notes;
}

// The names of the variables that the requests use, as the heading of a CSV with one row.
std::string heading_of(const workload::Requests& requests) {
  std::string names;
  std::string values;
  const auto add = [&](std::string_view text) {
    for (const workload::TextPart& part : workload::parts_of(text)) {
      if (!part.is_name || ("," + names).find("," + part.text + ",") != std::string::npos) continue;
      names += part.text + ",";
      values += "1,";
    }
  };
  for (const workload::Request& request : requests.list) {
    add(request.path);
    add(request.body);
    for (const workload::Header& header : request.headers) add(header.value);
  }
  if (names.empty()) return "unused\n1\n";
  return names.substr(0, names.size() - 1) + "\n" + values.substr(0, values.size() - 1) + "\n";
}

void reads_back(const importers::Imported& imported, std::string_view input) {
  workload::Traffic traffic = imported.traffic;
  // One file of variables, in which all names are; the others are the user's to write.
  traffic.requests.variables = {{"variables.csv", {}, {}}};
  std::vector<std::string> notes;
  for (const importers::Note& note : imported.notes) notes.push_back(importers::to_string(note));
  const std::string yaml = environment::write_traffic(traffic, notes);
  const std::string variables = heading_of(traffic.requests);
  const auto read_file = [&](const std::string&) -> base::Result<std::string> { return variables; };
  auto back = environment::read_traffic(yaml, "traffic.yaml", read_file);
  if (!back) broken("what is written reads back", base::to_string(back.error()) + "\n" + yaml);
  back->requests.variables = traffic.requests.variables;
  if (!(*back == traffic)) broken("what is written reads back to the same traffic", yaml);
  if (!imported.notes.empty()) expect_printable(notes);
  for (const importers::Note& note : imported.notes) {
    if (note.line < 0) broken("a note has a line", input);
  }
}

}  // namespace
}  // namespace headroom::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace headroom;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto imported = importers::import_jmx(text, fuzz::file);
  fuzz::expect_same(imported, importers::import_jmx(text, fuzz::file), text, fuzz::same);
  if (!imported) {
    fuzz::expect_located(imported.error(), fuzz::LineEnds::line_feed,
                         [&](const std::string&) { return std::optional<std::string>(text); });
    return 0;
  }
  fuzz::reads_back(*imported, text);
  return 0;
}
