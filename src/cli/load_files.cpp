#include "cli/load_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "cli/project.hpp"
#include "report/load_page.hpp"
#include "report/load_records.hpp"
#include "store/file.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

// Headers that say how something is asked for, not who asks. The value of any other one may be a secret.
constexpr std::array<std::string_view, 14> kHarmless{
    "accept",        "accept-charset",    "accept-encoding", "accept-language",
    "cache-control", "connection",        "content-type",    "expect",
    "host",          "if-modified-since", "if-none-match",   "origin",
    "range",         "user-agent"};

std::string redacted(const std::string& header) {
  const std::size_t colon = header.find(':');
  if (colon == std::string::npos) return "REDACTED";  // whatever it is
  std::string name = header.substr(0, colon);
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (std::find(kHarmless.begin(), kHarmless.end(), lower) != kHarmless.end()) return header;
  return name + ": REDACTED";
}

}  // namespace

base::Result<std::string> keep_load(const RunArguments& arguments, const report::LoadRun& run,
                                    const std::vector<InputFile>& inputs) {
  std::vector<InputFile> files{{"series.csv", report::load_series_csv(run)},
                               {"summary.json", report::load_summary_json(run)},
                               {"histograms.json", report::load_histograms_json(run)},
                               {"report.html", report::load_report_html(run)}};
  files.insert(files.end(), inputs.begin(), inputs.end());
  return keep_files(arguments, "load-" + run.name, files);
}

base::Result<void> write_load_report(const std::string& file, const report::LoadRun& run) {
  if (file.empty()) return {};
  return store::write_file_atomically(file, report::load_report_html(run));
}

base::Result<report::LoadRun> read_load(const std::string& folder) {
  const std::string file = (fs::path(folder) / "histograms.json").string();
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    return base::bad_input(fmt::format("{} is no run folder of a load test: there is no {}", folder, file),
                           "name folders that `headroom load` wrote, as runs/TIME-load-NAME");
  }
  const auto text = read_text(file);
  if (!text) return text.error();
  return report::read_load_histograms(*text, file);
}

std::vector<std::string> without_secrets(const std::vector<std::string>& words) {
  std::vector<std::string> safe;
  bool header_follows = false;
  for (const std::string& word : words) {
    constexpr std::string_view kLong = "--header=";
    if (std::exchange(header_follows, false)) {
      safe.push_back(redacted(word));
    } else if (word == "-H" || word == "--header") {
      header_follows = true;
      safe.push_back(word);
    } else if (word.starts_with(kLong)) {
      safe.push_back(std::string(kLong) + redacted(word.substr(kLong.size())));
    } else if (word.starts_with("-H")) {
      safe.push_back("-H" + redacted(word.substr(2)));
    } else {
      safe.push_back(word);
    }
  }
  return safe;
}

}  // namespace headroom::cli
