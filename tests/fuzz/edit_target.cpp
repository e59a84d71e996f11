// A headroom.yaml that reads well and one number of it that is set: the text that comes of it reads to the
// same environment with that number, or the edit is refused.
//
// The first line says what is set, "# set FIELD to PART": the field by its index in fields(), the value as
// thousandths of the way from the lowest to the highest that suits it. Without it: the first field.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "environment/edit.hpp"
#include "environment/fields.hpp"
#include "environment/read.hpp"
#include "fuzz/named_files.hpp"
#include "fuzz/promises.hpp"

namespace headroom::fuzz {
namespace {

using environment::Field;
using environment::FieldUnit;

constexpr const char* file = "headroom.yaml";

double value_for(const Field& field, std::size_t part) {
  // Up to three hours, 250 instances or 100 %: what searches try, with decimals where there may be some.
  const double high = field.unit == FieldUnit::minutes ? 180 : field.unit == FieldUnit::count ? 250 : 100;
  const double value = high * static_cast<double>(part % 1001) / 1000;
  return std::clamp(field.unit == FieldUnit::count ? std::nearbyint(value) : value, field.low, field.high);
}

void edits(const std::string& text) {
  const auto loaded = environment::read(text, file, named_file);
  if (!loaded || loaded->environment.services.empty()) return;
  constexpr std::string_view set = "# set ";
  const std::size_t index = chosen(text, set);
  const std::size_t part = chosen(text, fmt::format("{}{} to ", set, index));
  const environment::Environment& before = loaded->environment;
  const std::size_t service = index % before.services.size();
  const auto fields = environment::fields(before.services[service]);
  const Field& field = fields[index / before.services.size() % fields.size()];
  const double value = value_for(field, part);

  environment::Environment expected = before;
  field.set(expected.services[service], value);
  const std::string path = fmt::format("services.{}.{}", before.services[service].name, field.path);
  const std::string what = fmt::format("{} set to {}", path, value);
  const auto edited = environment::edited(text, file, {{path, value, field.unit}});
  expect_same(edited, environment::edited(text, file, {{path, value, field.unit}}), text);
  if (!edited) {
    expect_located(edited.error(), LineEnds::line_feed, [&](const std::string&) { return text; });
    return;
  }
  // What reading refuses as a whole is told when the edited file is read; the edit itself is no place for it.
  if (environment::impossible(expected.services[service].scale.scaling)) return;
  const auto after = environment::read(*edited, file, named_file);
  if (!after)
    broken("an edited file reads well", fmt::format("{}\n{}\n{}", what, *edited, to_string(after.error())));
  // A capacity written in headroom.yaml names that file as its source, and what was measured with the slope
  // belongs to that slope only.
  if (field.path.starts_with("capacity.")) {
    const capacity::CapacityModel& now = after->environment.services.at(service).capacity;
    capacity::CapacityModel& then = expected.services[service].capacity;
    then.source = now.source;
    then.slope_interval_95 = now.slope_interval_95;
    then.r_squared = now.r_squared;
  }
  if (after->environment != expected)
    broken("an edit changes its value and no other", fmt::format("{}\n{}", what, *edited));
  const auto twice = environment::edited(*edited, file, {{path, value, field.unit}});
  if (!twice || *twice != *edited)
    broken("the same edit a second time changes nothing", fmt::format("{}\n{}", what, *edited));
}

}  // namespace
}  // namespace headroom::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  headroom::fuzz::edits(std::string(bytes, bytes + size));
  return 0;
}
