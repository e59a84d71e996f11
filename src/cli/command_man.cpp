#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/command.hpp"
#include "cli/manual.hpp"
#include "cli/program.hpp"

namespace headroom::cli {

// Hidden: the build runs it, a user reads the installed pages with man.
void add_man(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("man", "write the manual pages into a folder")->group("");
  auto folder = std::make_shared<std::string>();
  command->add_option("FOLDER", *folder, "where the pages go; created where it is missing")->required();
  command->callback([&app, &context, folder] {
    std::error_code failure;
    std::filesystem::create_directories(*folder, failure);
    if (failure) {
      return fail(context,
                  base::unavailable("cannot create the folder " + *folder + ": " + failure.message()));
    }
    for (const ManualPage& page : manual(describe(app), std::string(version()))) {
      const std::filesystem::path path = std::filesystem::path(*folder) / page.file;
      std::ofstream file(path, std::ios::binary);
      file << page.text;
      file.close();
      if (!file) return fail(context, base::unavailable("cannot write " + path.string()));
    }
  });
}

}  // namespace headroom::cli
