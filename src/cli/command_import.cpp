#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>

#include "cli/command.hpp"
#include "cli/project.hpp"
#include "environment/document.hpp"
#include "environment/traffic_file.hpp"
#include "importers/jmx.hpp"
#include "importers/results.hpp"
#include "report/json.hpp"
#include "report/layout.hpp"
#include "store/file.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

// As many comments as anyone reads; all notes go to standard error.
constexpr std::size_t kCommentsMost = 100;

struct Arguments {
  std::string file;
  std::string output;
  std::string from;
  bool json = false;
};

bool ends_in(const std::string& file, std::string_view extension) {
  std::string end = fs::path(file).extension().string();
  std::transform(end.begin(), end.end(), end.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return end == extension;
}

// What the file is, by its extension, and where that does not tell, by how it begins.
std::string kind_of(const std::string& text, const std::string& file) {
  if (ends_in(file, ".jmx")) return "jmx";
  if (ends_in(file, ".json")) return "k6";
  const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (!ends_in(file, ".csv") && first != std::string::npos) {
    if (text[first] == '<') return "jmx";
    if (text[first] == '{') return "k6";
  }
  switch (importers::csv_kind(text, file)) {
    case importers::CsvKind::locust_history:
      return "locust";
    case importers::CsvKind::k6:
      return "k6";
    case importers::CsvKind::recorded:
      break;
  }
  return "csv";
}

base::Result<importers::Imported> imported(const std::string& kind, const std::string& text,
                                           const std::string& file) {
  if (kind == "jmx") return importers::import_jmx(text, file);
  if (kind == "locust") return importers::import_locust_history(text, file);
  if (kind == "csv") return importers::import_csv(text, file);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_summary = ends_in(file, ".json") || (first != std::string::npos && text[first] == '{');
  return is_summary ? importers::import_k6_summary(text, file) : importers::import_k6_csv(text, file);
}

// A name that stands in the imported file, as the traffic file in `folder` writes it.
std::string rebased(const std::string& name, const std::string& imported_file, const fs::path& folder) {
  const bool has_drive = name.size() > 1 && name[1] == ':';
  if (fs::path(name).is_absolute() || has_drive) return name;
  const fs::path whole = (fs::absolute(imported_file).parent_path() / name).lexically_normal();
  const fs::path relative = whole.lexically_relative(fs::absolute(folder).lexically_normal());
  return relative.empty() ? whole.string() : relative.string();
}

void rebase(workload::Traffic& traffic, const Arguments& arguments) {
  const fs::path folder = arguments.output.empty() ? fs::path(".") : fs::path(arguments.output).parent_path();
  const fs::path from_here = folder.empty() ? fs::path(".") : folder;
  for (workload::Variables& variables : traffic.requests.variables) {
    variables.file = rebased(variables.file, arguments.file, from_here);
  }
  if (auto* recorded = std::get_if<workload::Recorded>(&traffic.shape)) {
    recorded->file = rebased(recorded->file, arguments.file, from_here);
  }
}

std::vector<std::string> comments_of(const std::vector<importers::Note>& notes, const Arguments& arguments) {
  std::vector<std::string> comments{
      fmt::format("From {}, by headroom import.", fs::path(arguments.file).filename().string())};
  for (const importers::Note& note : notes) {
    if (comments.size() > kCommentsMost) {
      comments.push_back(fmt::format("{} more notes are not shown here.", notes.size() - kCommentsMost));
      break;
    }
    comments.push_back("- " + importers::to_string(note));
  }
  return comments;
}

std::string json_of(const std::string& kind, const std::string& yaml,
                    const std::vector<importers::Note>& notes, const Arguments& arguments) {
  report::JsonWriter json;
  json.begin_object();
  json.key("from").text(kind);
  json.key("output");
  if (arguments.output.empty()) {
    json.null().key("traffic").text(yaml);
  } else {
    json.text(arguments.output);
  }
  json.key("notes").begin_array();
  for (const importers::Note& note : notes) {
    json.begin_object();
    json.key("kind").text(importers::word_of(note.kind));
    json.key("line").natural(static_cast<std::uint64_t>(note.line));
    json.key("element").text(note.element);
    json.key("name").text(note.name);
    json.key("what").text(note.what);
    json.end_object();
  }
  json.end_array().end_object();
  return json.str() + "\n";
}

void run(const Arguments& arguments, Context& context) {
  const auto text = read_text(arguments.file);
  if (!text) return fail(context, text.error());
  const std::string kind = arguments.from.empty() ? kind_of(*text, arguments.file) : arguments.from;
  auto result = imported(kind, *text, arguments.file);
  if (!result) return fail(context, result.error());
  rebase(result->traffic, arguments);
  const std::string yaml = environment::write_traffic(result->traffic, comments_of(result->notes, arguments));
  if (yaml.size() > environment::kDocumentBytes) {
    return fail(context,
                base::bad_input(base::Place{arguments.file, 0, 0},
                                fmt::format("its traffic file would be {} bytes long, more than the {} that "
                                            "are read",
                                            yaml.size(), environment::kDocumentBytes)));
  }
  if (!arguments.output.empty()) {
    if (auto written = store::write_file_atomically(arguments.output, yaml); !written) {
      return fail(context, written.error());
    }
  }
  if (arguments.json) {
    context.out << json_of(kind, yaml, result->notes, arguments);
    return;
  }
  if (arguments.output.empty()) context.out << yaml;
  for (const importers::Note& note : result->notes) {
    context.err << report::wrapped("- ", importers::to_string(note));
  }
  if (!arguments.output.empty()) context.err << "Written to " << arguments.output << "\n";
}

}  // namespace

void add_import(Command program, Context& context) {
  Command command = program.add_command("import", "a traffic file from a plan or a result of another tool");
  command.footer("Example:\n  headroom import examples/in4392/IN4392-autoscaling.jmx -o load.yaml");
  auto arguments = std::make_shared<Arguments>();
  command
      .add_option(
          "FILE", arguments->file,
          "a test plan of JMeter (.jmx), a *_stats_history.csv of Locust, a summary or CSV of k6, or a "
          "CSV of timestamps and values")
      .required();
  command.add_option("-o,--output", arguments->output, "write the traffic file here").type_name("FILE");
  command
      .add_option("--from", arguments->from,
                  "what the file is, where that cannot be told: jmx, locust, k6 or csv")
      .type_name("TOOL")
      .one_of({"jmx", "locust", "k6", "csv"});
  command.add_flag("--json", arguments->json, "print the notes, and without -o the traffic, as JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
