// Any bytes as headroom.yaml, as a traffic file and as a capacity file: read, or refused at a place.
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "environment/capacity_file.hpp"
#include "environment/read.hpp"
#include "fuzz/named_files.hpp"
#include "fuzz/promises.hpp"

namespace headroom::fuzz {
namespace {

// The input itself and the files that it names.
TextOf input_and_named(const std::string& file, const std::string& text) {
  return [file, text](const std::string& path) -> std::optional<std::string> {
    if (path == file) return text;
    auto named = named_file(path);
    if (!named) return std::nullopt;
    return std::move(*named);
  };
}

void reads_as_environment(const std::string& text, const std::string& variant) {
  const std::string file = "headroom.yaml";
  const auto loaded = environment::read(text, file, named_file, variant);
  expect_same(loaded, environment::read(text, file, named_file, variant), text,
              [](const environment::Loaded& a, const environment::Loaded& b) {
                return a.environment == b.environment && a.places == b.places;
              });
  if (!loaded) {
    expect_located(loaded.error(), LineEnds::line_feed, input_and_named(file, text),
                   {"there is no environment "});
    return;
  }
  base::Error written{base::ErrorKind::bad_input, {}};
  for (const auto& [path, place] : loaded->places) written.faults.push_back({place, path, {}});
  expect_located(written, LineEnds::line_feed, input_and_named(file, text));
}

void reads_as_traffic(const std::string& text) {
  const std::string file = "traffic.yaml";
  const auto traffic = environment::read_traffic(text, file, named_file);
  expect_same(traffic, environment::read_traffic(text, file, named_file), text);
  if (!traffic) expect_located(traffic.error(), LineEnds::line_feed, input_and_named(file, text));
}

void reads_as_capacity(const std::string& text) {
  const std::string file = "capacity.yaml";
  const auto model = environment::read_capacity(text, file);
  expect_same(model, environment::read_capacity(text, file), text);
  if (!model) {
    expect_located(model.error(), LineEnds::line_feed, input_and_named(file, text));
    return;
  }
  const std::string written = environment::write_capacity(*model);
  const auto back = environment::read_capacity(written, file);
  if (!back || *back != *model) broken("a capacity that is written reads back to the same", written);
}

}  // namespace
}  // namespace headroom::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(bytes, bytes + size);
  headroom::fuzz::reads_as_environment(text, {});
  if (text.find("environments") != std::string::npos) headroom::fuzz::reads_as_environment(text, "prod");
  headroom::fuzz::reads_as_traffic(text);
  headroom::fuzz::reads_as_capacity(text);
  return 0;
}
