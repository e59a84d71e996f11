#include <memory>
#include <ostream>

#include "cli/command.hpp"
#include "environment/schema.hpp"

namespace headroom::cli {

void add_schema(Command program, Context& context) {
  Command command = program.add_command("schema", "print the JSON Schema of headroom.yaml, for editors");
  command.footer("Example:\n  headroom schema > headroom.schema.json");
  auto which = std::make_shared<std::string>("headroom");
  command.add_option("FILE", *which, "of which kind of file")
      .one_of({"headroom", "traffic", "capacity"})
      .default_shown();
  command.when_called([which, &context] {
    context.out << (*which == "traffic"    ? environment::traffic_json_schema()
                    : *which == "capacity" ? environment::capacity_json_schema()
                                           : environment::json_schema());
  });
}

}  // namespace headroom::cli
