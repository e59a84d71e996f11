#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <ostream>

#include "cli/command.hpp"
#include "environment/schema.hpp"

namespace headroom::cli {

void add_schema(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("schema", "print the JSON Schema of headroom.yaml, for editors");
  command->footer("Example:\n  headroom schema > headroom.schema.json");
  auto which = std::make_shared<std::string>("headroom");
  command->add_option("FILE", *which, "of which kind of file")
      ->check(CLI::IsMember({"headroom", "traffic", "capacity"}))
      ->capture_default_str();
  command->callback([which, &context] {
    context.out << (*which == "traffic"    ? environment::traffic_json_schema()
                    : *which == "capacity" ? environment::capacity_json_schema()
                                           : environment::json_schema());
  });
}

}  // namespace headroom::cli
