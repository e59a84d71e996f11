// The keys of what is asked: requests and variables in a traffic.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/csv.hpp"
#include "base/units.hpp"
#include "environment/records.hpp"
#include "workload/placeholders.hpp"

namespace headroom::environment {
namespace {

using workload::Request;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// RFC 9110: what the name of a method or a header may consist of.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// What may stand between the blanks of a request's first line.
bool is_of_path(char c) { return c > 0x20 && c < 0x7F && c != '#'; }

// A tab may stand within a header's value; other control characters would end it and begin another header.
bool is_of_header(char c) { return !is_control(c) || c == '\t'; }

std::string in_case(std::string_view text, bool upper) {
  std::string result(text);
  for (char& c : result) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

Kind<std::string> method() {
  Kind<std::string> word = text("method", "a method such as GET or POST");
  word.description.shape = Description::Shape::pattern;
  word.description.pattern = "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$";
  return converted<std::string>(
      word, [](Reader& reader, const Node& node, const std::string& value) -> std::optional<std::string> {
        if (!is_token(value)) {
          reader.expected(node, "a method such as GET or POST");
          return std::nullopt;
        }
        // Methods differ by case, so "get" is one that no server knows.
        const std::string upper = in_case(value, true);
        const std::set<std::string> known{"GET",    "HEAD",    "POST",  "PUT",
                                          "DELETE", "OPTIONS", "TRACE", "PATCH"};
        if (value != upper && known.contains(upper)) {
          reader.expected(node, "a method in capital letters", "write " + upper);
          return std::nullopt;
        }
        if (upper == "CONNECT") {
          reader.expected(node, "a method such as GET or POST", "CONNECT opens a tunnel, and asks nothing");
          return std::nullopt;
        }
        return value;
      });
}

Kind<std::string> path() {
  Kind<std::string> word = text("path", "a path such as /search?q=x");
  word.description.shape = Description::Shape::pattern;
  word.description.pattern = "^/[!-\"$-~]*$";
  return converted<std::string>(
      word, [](Reader& reader, const Node& node, const std::string& value) -> std::optional<std::string> {
        if (!value.starts_with('/')) {
          reader.expected(node, "a path that begins with /",
                          value.find("://") != std::string::npos
                              ? "write the path only: the address is given to the load generator"
                              : "such as /search?q=x");
          return std::nullopt;
        }
        const auto bad = std::find_if_not(value.begin(), value.end(), is_of_path);
        if (bad != value.end()) {
          const auto byte = static_cast<unsigned char>(*bad);
          reader.expected(node, "a path of visible ASCII characters without #",
                          *bad == '#' ? "what follows # is never sent: remove it, or write %23"
                                      : fmt::format("write %{:02X} for the byte 0x{:02x}", byte, byte));
          return std::nullopt;
        }
        return value;
      });
}

Kind<std::string> name_of_request() {
  return converted<std::string>(
      text("name", "a name"),
      [](Reader& reader, const Node& node, const std::string& value) -> std::optional<std::string> {
        if (value.empty() || std::any_of(value.begin(), value.end(), is_control)) {
          reader.expected(node, "a name without control characters");
          return std::nullopt;
        }
        return value;
      });
}

Kind<std::vector<workload::Header>> headers() {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  return converted<std::vector<workload::Header>>(
      map_of("header", text("value", "a text"), false),
      [](Reader& reader, const Node& node, const Pairs& pairs) {
        std::optional<std::vector<workload::Header>> list(std::in_place);
        const std::size_t faults = reader.fault_count();
        for (std::size_t i = 0; i < pairs.size(); ++i) {
          const auto& [name, value] = pairs[i];
          const Member& member = node.members[i];
          const std::string lower = in_case(name, false);
          if (!is_token(name)) {
            reader.fault(
                member.position,
                fmt::format("expected the name of a header such as Accept, found {}", base::in_quotes(name)));
          } else if (lower == "content-length" || lower == "transfer-encoding") {
            reader.fault(member.position, fmt::format("the header {} follows from the body", name),
                         "remove it: the load generator writes it");
          }
          if (!std::all_of(value.begin(), value.end(), is_of_header)) {
            reader.expected(member.value, "the value of a header without control characters",
                            "a line break would begin another header");
          }
          list->push_back({name, value});
        }
        if (reader.fault_count() != faults) list.reset();
        return list;
      });
}

const Record<Request>& request_record() {
  static const Record<Request> record = [] {
    Record<Request> r;
    r.info = {"request",
              "What is asked of the service. `${name}` in the path, the headers' values and the body stands "
              "for the value of a variable.",
              {}};
    r.key("name", &Request::name, name_of_request(),
          {"as figures call it (method and path where not written)", "", "search"})
        .key("weight", &Request::weight, number(1e-6, 1e6), {"of all requests (send: weighted)", "1", "3"})
        .key("method", &Request::method, method(), {"what is done", "GET", "POST"})
        .key("path", &Request::path, path(), {"with its query", "/", "\"/search?q=${word}\""})
        .key("headers", &Request::headers, headers(),
             {"sent with it; the length of the body is added", "{}", "{Accept: text/html}"})
        .key("body", &Request::body, text("text", "a text"), {"as it is sent", "\"\"", "dim=100&Multiply="});
    return r;
  }();
  return record;
}

// All values are kept in memory, some of them often.
constexpr std::size_t kVariablesBytes = std::size_t{64} << 20;

// What a variable of a file may hold, where a request uses it.
struct Use {
  bool (*allowed)(char);
  const char* where;
  const char* fix;
};
constexpr Use kInPath{&is_of_path, "a path", "write it percent-encoded, a blank as %20"};
constexpr Use kInHeader{&is_of_header, "a header", "a line break would begin another header"};

// The variables of all files, by name.
class VariableTable {
 public:
  VariableTable(Reader& reader, const std::vector<VariablesFile>& files) : reader_(reader) {
    const std::size_t faults = reader.fault_count();
    for (const VariablesFile& file : files) add(file);
    complete_ = reader.fault_count() == faults;
  }

  std::vector<workload::Variables> take() { return std::move(variables_); }

  void check_text(const Node& node, const std::string& text, const Use* use) {
    for (const workload::TextPart& part : workload::parts_of(text)) {
      if (!part.is_name) continue;
      const auto column = columns_.find(part.text);
      if (column == columns_.end()) {
        // A name may be missing because its file is at fault, which is told already.
        if (!complete_) continue;
        reader_.fault(node, fmt::format("there is no variable {}", base::in_quotes(part.text)),
                      advice(part.text));
      } else if (complete_ && use != nullptr && checked_.insert({part.text, use}).second) {
        check_values(column->second, *use);
      }
    }
  }

 private:
  struct Column {
    std::string path;
    std::size_t table = 0;
    std::size_t index = 0;
  };

  void add(const VariablesFile& file) {
    if (file.text.size() > kVariablesBytes) {
      reader_.fault(file.position,
                    fmt::format("{} is {} bytes long, more than the {} that are read",
                                base::in_quotes(file.file), file.text.size(), kVariablesBytes),
                    "shorten it: its rows are used again after the last one");
      return;
    }
    base::CsvTable table = base::read_csv(file.text, file.path);
    reader_.in_file(file.path, [&] {
      if (!table.faults.empty()) {
        reader_.faults_of(Node{}, base::error_of(table.faults));
        return 0;
      }
      const base::CsvRow& heading = table.rows.front();
      workload::Variables variables{file.file, {}, {}};
      for (std::size_t i = 0; i < heading.fields.size(); ++i) {
        const base::CsvField& field = heading.fields[i];
        const Position position{field.line, field.column, 0};
        if (!workload::is_variable_name(field.text)) {
          reader_.fault(position,
                        fmt::format("expected the name of a variable, found {}", base::in_quotes(field.text)),
                        "the first row names the variables: a letter or _, then letters, digits, _, - and .");
        } else if (!columns_.emplace(field.text, Column{file.path, tables_.size(), i}).second) {
          reader_.fault(position,
                        fmt::format("the variable {} is in {} already", base::in_quotes(field.text),
                                    columns_.at(field.text).path),
                        "give one of them another name");
        }
        variables.names.push_back(field.text);
      }
      if (table.rows.size() == 1) {
        reader_.fault(Position{heading.line, 1, 0}, "the file has names of variables and no values",
                      "add a row of values");
      }
      for (std::size_t i = 1; i < table.rows.size(); ++i) {
        std::vector<std::string> row;
        for (const base::CsvField& field : table.rows[i].fields) row.push_back(field.text);
        variables.rows.push_back(std::move(row));
      }
      variables_.push_back(std::move(variables));
      tables_.push_back(std::move(table));
      return 0;
    });
  }

  std::string advice(const std::string& name) const {
    if (columns_.empty()) return "add variables: the name of a CSV file with this heading";
    std::vector<std::string> known;
    for (const auto& [each, column] : columns_) known.push_back(each);
    const auto near = nearest(name, known);
    if (near) return fmt::format("did you mean ${{{}}}?", *near);
    if (known.size() > 6)
      return fmt::format("add it to one of the files of variables, which have {} others", known.size());
    return "the variables are " + joined(known, "and");
  }

  // What would end the path or the header that it stands in is a fault of its place in the file. The first
  // one says it all.
  void check_values(const Column& column, const Use& use) {
    const std::vector<base::CsvRow>& rows = tables_[column.table].rows;
    for (std::size_t i = 1; i < rows.size(); ++i) {
      const base::CsvField& field = rows[i].fields[column.index];
      if (std::all_of(field.text.begin(), field.text.end(), use.allowed)) continue;
      reader_.in_file(column.path, [&] {
        reader_.fault(Position{field.line, field.column, 0},
                      fmt::format("{} cannot stand in {}, where a request uses it",
                                  base::in_quotes(field.text), use.where),
                      use.fix);
        return 0;
      });
      return;
    }
  }

  Reader& reader_;
  bool complete_ = false;  // no file is at fault
  std::vector<workload::Variables> variables_;
  std::vector<base::CsvTable> tables_;
  std::map<std::string, Column> columns_;
  std::set<std::pair<std::string, const Use*>> checked_;
};

}  // namespace

Kind<std::vector<Request>> requests_kind() { return list_of(record_kind("request", &request_record), 1); }

Kind<std::vector<VariablesFile>> variables_kind() {
  const Kind<VariablesFile> file = converted<VariablesFile>(
      file_name("CSV file"),
      [](Reader& reader, const Node& node, const std::string& name) -> std::optional<VariablesFile> {
        auto text = reader.file_text(node);
        if (!text) return std::nullopt;
        return VariablesFile{name, reader.resolved(name), std::move(*text), node.position};
      });
  const auto one = converted<std::vector<VariablesFile>>(file, [](Reader&, const Node&, VariablesFile read) {
    return std::optional(std::vector<VariablesFile>{std::move(read)});
  });
  return either(one, list_of(file, 1));
}

Kind<workload::Choice> send_kind() {
  return choice<workload::Choice>(
      {{"weighted", workload::Choice::weighted}, {"in-order", workload::Choice::in_order}});
}

void complete_requests(Reader& reader, const Node& node, const std::vector<VariablesFile>& files,
                       workload::Requests& requests) {
  const Node* list = node.find("requests");
  if (list == nullptr) {
    for (const char* key : {"variables", "send"}) {
      if (const Node* at = node.find(key)) {
        reader.fault(*at, fmt::format("\"{}\" means something only with requests", key),
                     "add requests, such as requests: [{path: /}], or remove it");
      }
    }
    return;
  }
  VariableTable table(reader, files);
  for (std::size_t i = 0; i < requests.list.size(); ++i) {
    const Node& at = list->items[i];
    const Request& request = requests.list[i];
    const Node* weight = at.find("weight");
    if (weight != nullptr && requests.choice == workload::Choice::in_order) {
      reader.fault(*weight, "\"weight\" means nothing with send: in-order, where every request has its turn",
                   "remove it, or write send: weighted");
    }
    if (const Node* text = at.find("path")) table.check_text(*text, request.path, &kInPath);
    if (const Node* text = at.find("body")) table.check_text(*text, request.body, nullptr);
    for (std::size_t k = 0; k < request.headers.size(); ++k) {
      table.check_text(at.find("headers")->members[k].value, request.headers[k].value, &kInHeader);
    }
  }
  requests.variables = table.take();
}

}  // namespace headroom::environment
