#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/command.hpp"
#include "cli/manual.hpp"
#include "cli/program.hpp"

namespace headroom::cli {

// Hidden: the build runs it, a user reads the installed pages with man.
void add_man(Command program, Context& context) {
  Command command = program.add_command("man", "write the manual pages into a folder").hidden();
  auto folder = std::make_shared<std::string>();
  command.add_option("FOLDER", *folder, "where the pages go; created where it is missing").required();
  command.when_called([program, &context, folder] {
    std::error_code failure;
    std::filesystem::create_directories(*folder, failure);
    if (failure) {
      return fail(context,
                  base::unavailable("cannot create the folder " + *folder + ": " + failure.message()));
    }
    for (const ManualPage& page : manual(describe(program), std::string(version()))) {
      const std::filesystem::path path = std::filesystem::path(*folder) / page.file;
      std::ofstream file(path, std::ios::binary);
      file << page.text;
      file.close();
      if (!file) return fail(context, base::unavailable("cannot write " + path.string()));
    }
  });
}

}  // namespace headroom::cli
